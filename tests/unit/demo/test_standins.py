"""The stand-ins answer as the recorded servers did, and can be made to look current."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import requests

from receiver.case import facts_of
from receiver.demo.standins import PrometheusStandin
from receiver.domain.units import parse_time
from tests.fakes.kube import FIXTURES, FakeKube, incident_names, recorded
from tests.fakes.prometheus import series
from tests.unit.evidence.kit import lab

TODAY = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)


def test_every_recording_loads():
    """None of the recorded folders is left out."""
    assert {i.name for i in recorded().incidents} == set(incident_names())
    assert len(incident_names()) == 28


def test_a_shifted_recording_looks_current():
    """Status, events, log and metrics move together; "never" stays 1970."""
    with lab(recordings=recorded("a-leak-crashloop", "o-tmpfs-oom", now=TODAY)) as running:
        facts = facts_of(running.evidence.gather(running.subject("a-leak-crashloop"), (), TODAY))
        tmpfs = facts_of(running.evidence.gather(running.subject("o-tmpfs-oom"), (), TODAY))

    died = facts.pod.container("orders-api").last_terminated.finished_at
    assert died is not None
    assert (TODAY - died).total_seconds() < 600
    newest = facts.log.times[-1]
    assert newest is not None
    assert abs((newest - died).total_seconds()) < 2
    assert died.timestamp() in facts.history.kill_times_s
    assert 0 < TODAY.timestamp() - facts.history.samples[-1].t_s < 600
    assert all(e.at and e.at <= TODAY for e in facts.events)
    assert tmpfs.pod.container("tmp-uploader").newest_termination.started_at is None


def test_recorded_errors_are_answered_as_recorded():
    """400 for a previous log that is not there, 404 for a pod, each in the API's words."""
    with FakeKube(recorded("cgroupv2-b-sidecar-oom")) as kube:
        pods = f"{kube.url}/api/v1/namespaces/shop-v2/pods"
        name = "cart-6d5464546-rnfmx"

        previous = requests.get(f"{pods}/{name}/log?container=cart&previous=true", timeout=5)
        unspecified = requests.get(f"{pods}/{name}/log", timeout=5)
        nobody = requests.get(f"{pods}/not-there-abc", timeout=5)

    recorded_unspecified = json.loads((FIXTURES / "_errors" / "400-log-multi-container-unspecified.json").read_text())["body"]["message"]
    assert previous.status_code == unspecified.status_code == 400
    assert "previous terminated container" in previous.json()["message"]
    assert unspecified.json()["message"] == recorded_unspecified.replace("cart-796bddf87d-nq9cq", name)
    assert (nobody.status_code, nobody.json()["message"]) == (404, 'pods "not-there-abc" not found')


def test_log_options_and_selectors():
    """tailLines, limitBytes and timestamps as the kubelet does them; label and field selectors as the API does."""
    with FakeKube(recorded("a-leak-crashloop", "b-sidecar-oom", moment="t3")) as kube:
        pods = f"{kube.url}/api/v1/namespaces/shop/pods"
        pod = f"{pods}/orders-api-655779759d-jst99"

        plain = requests.get(f"{pod}/log?tailLines=2", timeout=5).text
        stamped = requests.get(f"{pod}/log?tailLines=2&timestamps=true&limitBytes=30", timeout=5).text
        labelled = requests.get(f"{pods}?labelSelector=app.kubernetes.io/name=orders-api", timeout=5).json()["items"]
        events = requests.get(
            f"{kube.url}/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name=orders-api-655779759d-jst99", timeout=5
        )

    assert plain.count("\n") == 2
    assert parse_time(stamped.split(" ")[0]) is not None
    assert len(stamped) == 30
    assert {p["metadata"]["name"] for p in labelled} == {"orders-api-655779759d-jst99"}
    assert {e["involvedObject"]["name"] for e in events.json()["items"]} == {"orders-api-655779759d-jst99"}


def test_queries_of_the_standin():
    """Matchers, `max by`, a window, alternatives, a comparison and a union."""
    one = [
        series("m", [(0, 1), (15, 5), (30, 2)], pod="a", id="1"),
        series("m", [(0, 9), (15, 0), (30, 3)], pod="a", id="2"),
        series("n", [(0, 7), (30, 7)], pod="a"),
    ]
    query = (
        'label_replace(max by (pod) (max_over_time(m{pod=~"a|b",id!="2"}[20s])), "q", "x", "", "")'
        ' or label_replace(max by (pod) (m{id="2"} > 0) or max by (pod) (n{pod="a"}), "q", "y", "", "")'
    )
    with PrometheusStandin(one) as fake:
        answer = requests.post(f"{fake.url}/api/v1/query_range", {"query": query, "start": 0, "end": 30, "step": 15}, timeout=5).json()
        raw = requests.get(f"{fake.url}/api/v1/query", {"query": '{__name__=~"m|n",pod="a"}[20s]', "time": "30"}, timeout=5).json()

    found = {s["metric"]["q"]: s["values"] for s in answer["data"]["result"]}
    assert [float(v) for _, v in found["x"]] == [1, 5, 5]
    assert [float(v) for _, v in found["y"]] == [9, 7, 3]
    assert raw["data"]["resultType"] == "matrix"
    assert sum(len(s["values"]) for s in raw["data"]["result"]) == 5
