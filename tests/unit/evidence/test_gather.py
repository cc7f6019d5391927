"""Every source failing, alone and together: the case is out inside the deadline, and each gap says what to do."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from receiver.case import facts_of
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject, Workload
from receiver.domain.units import parse_time
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.gather import SOURCES
from receiver.evidence.gatherers import ALL, Gatherer
from tests.fakes.kube import HANG, Fault, body, refuse
from tests.support import alert
from tests.unit.evidence.kit import Lab, lab, nothing_redacted

INCIDENT = "cgroupv2-k-steady-near-limit"  # its container lives, so that every source has an answer
NOW = datetime(2026, 11, 23, 1, 7, tzinfo=UTC)

# source -> the part of the path that only this source asks for.
KUBE_PATHS = {
    "pod": "/pods/session-store", "log": "/log", "events": "/namespaces/shop-v2/events", "owners": "/deployments/", "replicasets": "/replicasets",
    "node": "/nodes/", "nodeevents": "/namespaces/default/events", "metrics": "/metrics.k8s.io", "hpa": "/horizontalpodautoscalers",
    "limitrange": "/limitranges", "resourcequota": "/resourcequotas", "vpa": "/verticalpodautoscalers",
}  # fmt: skip
FLOOD = body(b"[" + b"1," * 25_000_000)
FAULTS = {
    "403": refuse(403, 'things is forbidden: User "oomtriage" cannot get resource'),
    "404": refuse(404, "the server could not find the requested resource"),
    "429": refuse(429, retry_after="0"),
    "500": refuse(500, "etcdserver: leader changed"),
    "hang": HANG,
    "garbage": body(b"<html>sign in</html>"),
    "empty": body(b""),
    "a list": body(b"[]"),
    "null": body(b"null"),
    "cut off": Fault(write=lambda http: http.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")),
}


LONG_S = 20.0  # what answers does so long before, on a busy machine too
HANG_S = 60.0  # how long a hanging stand-in would hold its request


def gather(running: Lab, deadline_s: float = LONG_S) -> tuple[Case, dict[str, Missing], float]:
    began = time.monotonic()
    case = running.evidence.gather(running.subject(), (), running.incident().taken_at, deadline_s=deadline_s)
    took_s = time.monotonic() - began
    return case, {m.source: m for m in case.missing}, took_s


def test_with_nothing_wrong_only_what_is_not_configured_is_missing():
    """The baseline of the tests below: every source answers."""
    with lab(INCIDENT) as running:
        case, missing, _ = gather(running)

    assert set(missing) <= {"metrics", "traffic", "heap", "silences", "nodepods"}
    assert set(case.answers) >= set(KUBE_PATHS) - {"metrics"} | {"history", "recent", "peaks", "rules"}


def gather_beside_a_hang(running: Lab, source: str) -> tuple[Case, dict[str, Missing], float]:
    """Only the deadline ends such a look, so it has to leave the others time enough: a busy machine gets more of it."""
    for deadline_s in (0.8, 4.0, LONG_S):
        case, missing, took_s = gather(running, deadline_s)
        if "history" in case.answers and (source == "pod" or facts_of(case).pod is not None):
            break
    return case, missing, took_s


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", KUBE_PATHS)
def test_one_kubernetes_source_failing_costs_its_own_evidence_only(source, fault):
    """Whatever one endpoint does, the others' evidence is there, in time, and the gap has a reason."""
    with lab(INCIDENT) as running:
        running.kube.fault(KUBE_PATHS[source], FAULTS[fault])

        case, missing, took_s = gather_beside_a_hang(running, source) if fault == "hang" else gather(running)

        facts = facts_of(case)
    assert took_s < HANG_S / 2
    if source == "vpa" and fault == "404":
        assert case.answers["vpa"] == {"items": []}  # the CRD is not installed: there is none, and that is known
        return
    if source == "log" and fault in ("garbage", "a list", "null"):
        return  # a log may be any text
    assert source not in case.answers
    assert missing[source].why
    if fault == "403":
        assert "grant" in missing[source].hint
    if fault in ("429", "500", "hang", "cut off"):
        assert missing[source].is_retryable
    assert "history" in case.answers
    if source != "pod":
        assert facts.pod is not None


@pytest.mark.parametrize("fault", [*FAULTS, "50 MB"])
def test_everything_failing_still_gives_a_case_in_time(fault):
    """Kubernetes and Prometheus both out: the case is out at the deadline and names every gap; the alert can be told."""
    with lab(INCIDENT) as running:
        for server in (running.kube, running.prometheus):
            server.fault("", FLOOD if fault == "50 MB" else FAULTS[fault])

        case, missing, took_s = gather(running, 0.8 if fault == "hang" else LONG_S)

        facts = facts_of(case)
    assert took_s < HANG_S / 2
    assert facts.pod is None
    assert facts.history is None
    assert set(missing) >= {"pod", "log", "events", "owners", "node", "history", "recent", "peaks", "traffic", "rules"}
    assert all(m.why for m in missing.values())


def test_a_prometheus_that_is_away_costs_no_kubernetes_evidence():
    """The pod, its log and its owner are told without any history."""
    with lab(INCIDENT) as running:
        running.prometheus.stop()

        case, missing, _ = gather(running)

    assert {"pod", "log", "owners"} <= set(case.answers)
    assert "cannot be reached" in missing["history"].why
    assert missing["history"].is_retryable
    assert not missing["history"].is_configuration


def test_a_refusal_names_the_permission_to_grant():
    """The hint can be pasted into a ClusterRole."""
    with lab(INCIDENT) as running:
        running.kube.fault("/log", refuse(403, 'pods "x" is forbidden: User "y" cannot get resource "pods/log" in API group ""'))
        running.kube.fault("/horizontalpodautoscalers", refuse(403, "forbidden"))

        _, missing, _ = gather(running)

    assert missing["log"].is_configuration
    assert missing["log"].hint == "grant get pods/log to the receiver's ClusterRole"
    assert missing["hpa"].hint == "grant list horizontalpodautoscalers.autoscaling to the receiver's ClusterRole"


def test_a_refused_token_is_told_apart_from_a_missing_permission():
    """401 is the token's fault, not the role's."""
    with lab(INCIDENT) as running:
        running.kube.token = "another"

        _, missing, _ = gather(running)

    assert "KUBE_TOKEN_PATH" in missing["pod"].hint
    assert "grant" not in missing["pod"].hint
    assert missing["pod"].is_configuration


def test_a_pod_that_is_gone_is_told_with_what_is_left():
    """Job controllers delete pods before anyone looks: its events, its owner and its history are still found."""
    with lab(INCIDENT) as running:
        del running.recordings.pods["shop-v2", running.subject().pod]

        case, missing, _ = gather(running)

        facts = facts_of(case)
    assert "is gone" in missing["pod"].why
    assert missing["log"].why == missing["pod"].why
    assert facts.events
    assert facts.history.samples
    assert (facts.workload.workload, facts.workload.chain) == (Workload(kind="Deployment", name="session-store"), ())
    assert not missing["pod"].is_retryable


def test_a_gone_pods_killed_container_is_known_from_the_metrics():
    """With two containers and no pod to read, the history must not mix them: the one that was killed counts."""
    with lab("b-sidecar-oom") as running:
        del running.recordings.pods["shop", running.subject().pod]

        facts = facts_of(running.gather())

    assert facts.subject.container == "log-shipper"
    assert max(s.working_set_bytes for s in facts.history.samples) <= 48 * 1024**2


def test_an_alert_about_a_node_asks_for_the_node_only():
    """No pod is named, so nothing of a pod is missing either."""
    with lab(INCIDENT) as running:
        case = running.evidence.gather(Subject(node="lab-node-2"), (), NOW)

        facts = facts_of(case)
        paths = {a.path for a in running.kube.asked}
    assert paths == {"/api/v1/nodes/lab-node-2", "/api/v1/namespaces/default/events", "/api/v1/pods"}
    assert {"node", "nodeevents", "nodepods"} <= set(case.answers)
    assert {m.source for m in case.missing} <= {"silences"}
    assert "EvictionThresholdMet" in {e.reason for e in facts.events}
    assert facts.node.other_oom_kills


def test_a_pod_that_was_replaced_since_the_alert_is_told_apart():
    """kafka-0 died and was created anew: the new pod's status says nothing about the kill."""
    with lab("s-statefulset-oom") as running:
        created = running.incident().pods[0].pod["metadata"]["creationTimestamp"]
        before = alert(pod="kafka-0", container="kafka", started=parse_time(created).timestamp() - 600)
        after = alert(pod="kafka-0", container="kafka", started=parse_time(created).timestamp() + 600)
        said = [
            [
                m.why
                for m in facts_of(running.evidence.gather(running.subject(), (one,), running.incident().taken_at)).missing
                if m.source == "pod"
            ]
            for one in (before, after)
        ]

    assert "an earlier pod of that name" in said[0][0]
    assert said[1] == []


def test_an_alert_of_another_cluster_is_not_looked_up_here():
    """A pod of that name in this cluster is another pod: nothing is asked, and the case says why."""
    with lab(INCIDENT, config=EvidenceConfig(cluster_name="eu-1")) as running:
        subject = running.subject(cluster="us-1")

        case = running.evidence.gather(subject, (), NOW)

        assert running.kube.asked == []
        assert running.prometheus.asked == []
    assert not case.answers
    assert "cluster us-1" in case.missing[0].why
    assert "eu-1" in case.missing[0].why


@pytest.mark.parametrize("cluster", ["", "eu-1"])
def test_an_alert_of_this_cluster_or_of_none_is_looked_up(cluster):
    """No cluster label means this cluster."""
    with lab(INCIDENT, config=EvidenceConfig(cluster_name="eu-1")) as running:
        case = running.evidence.gather(running.subject(cluster=cluster), (), running.incident().taken_at)

    assert "pod" in case.answers


@pytest.mark.parametrize("name", ["..", "../../secrets", "a/b", 'x"}', "x" * 300, "Pod", "a b", "pod%2f.."])
@pytest.mark.parametrize("field", ["namespace", "pod"])
def test_a_label_that_is_no_name_is_never_put_into_a_request(name, field):
    """Labels are untrusted: none climbs out of a path or ends a query's string."""
    with lab(INCIDENT) as running:
        subject = Subject(**{"namespace": "shop", "pod": "orders", field: name})

        case = running.evidence.gather(subject, (), NOW)

        assert running.kube.asked == []
        assert running.prometheus.asked == []
    assert "cannot be a Kubernetes name" in case.missing[0].why


def test_with_no_source_configured_every_gap_says_which_setting_is_missing():
    """A first start with Slack alone works, and says what would make it better."""
    evidence = Evidence(EvidenceConfig(), kube=None, prometheus=None, alertmanager=None, redact=nothing_redacted)

    case = evidence.gather(Subject(namespace="shop", pod="orders-1"), (), NOW)

    hints = {m.source: m.hint for m in case.missing}
    assert "KUBE_API_URL" in hints["pod"]
    assert "PROMETHEUS_URL" in hints["history"]
    assert "ALERTMANAGER_URL" in hints["silences"]
    assert all(m.is_configuration for m in case.missing)


def test_a_bug_in_one_gatherer_costs_its_evidence_only(caplog):
    """An exception nobody foresaw is logged with its traceback and told as a gap; the message goes out."""

    def broken(look, clean):
        raise KeyError("unforeseen")

    gatherers = tuple(Gatherer(source=g.source, asks=g.asks, ask=broken if g.source == "events" else g.ask, after=g.after) for g in ALL)
    with lab(INCIDENT) as running:
        evidence = Evidence(
            EvidenceConfig(),
            kube=running.evidence.kube,
            prometheus=None,
            alertmanager=None,
            redact=nothing_redacted,
            all_gatherers=gatherers,
        )

        case = evidence.gather(running.subject(), (), NOW)

    assert "pod" in case.answers
    assert next(m for m in case.missing if m.source == "events").why.startswith("an internal error")
    assert any(r.exc_info for r in caplog.records)


def test_every_missing_names_a_known_source():
    """The metric oomtriage_missing_total{source} starts at 0 for each of them, so none may be new."""
    assert {g.source for g in ALL} < set(SOURCES)
    assert all(set(g.after) <= {h.source for h in ALL} for g in ALL)


def test_a_body_of_another_type_reads_as_nothing():
    """A JSON number where a list should be is a gap, not a crash of the reading."""
    with lab(INCIDENT) as running:
        running.kube.fault("/namespaces/shop-v2/events", body(b'{"items": {"a": 1}}'))
        running.kube.fault("/limitranges", body(b'{"items": [1, null, {"spec": "x"}]}'))

        case, _, _ = gather(running)

        assert facts_of(case).pod is not None
