"""The queries of the evidence on a real Prometheus, which holds recorded series and made ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.domain.conversation_memory import BaseShare
from receiver.domain.facts import Facts, MemoryHistory
from receiver.domain.identity import Subject, Workload
from receiver.domain.pulse import Wanted
from receiver.errors import Rejected
from receiver.evidence import exports, queries
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.shares import ClusterShares
from tests.e2e.backfilled import RealPrometheus
from tests.fakes.kube import recorded
from tests.fakes.prometheus import series
from tests.unit.evidence.kit import Lab, lab

MIB = 1024**2
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
NOW_S = NOW.timestamp()
RECORDED = ("a-leak-crashloop", "b-sidecar-oom", "d-child-oom", "s-statefulset-oom", "k-steady-near-limit")
WHO = {"namespace": "made", "container": "api"}
YOUNG, OLD = "api-6d5f7c8b9d-x2x4z", "api-5c6b7d8f9c-a1b2c"
YOUNG = "api-6d5f7c8b9d-x2x4z"


def made() -> list[dict[str, Any]]:
    """A day of an old pod that leaked, then a young pod with two lives, a lingering series, a second exporter, and traffic."""
    began = NOW_S - 2 * 3600
    killed = NOW_S - 3600
    lives = {
        "/old/1": (OLD, NOW_S - 20 * 3600, began - 60),
        "/young/1": (YOUNG, began, killed + 240),
        "/young/2": (YOUNG, killed + 30, NOW_S),
    }
    found = []
    for life, (pod, start, end) in lives.items():
        times = [start + i * 60 for i in range(int((end - start) / 60) + 1)]
        last = killed if life == "/young/1" else end
        use = [(t, 100 * MIB + 400 * MIB * (min(t, last) - start) / (last - start)) for t in times]
        found += [
            series("container_memory_working_set_bytes", use, id=life, pod=pod, image="api:1", **WHO),
            series("container_memory_rss", [(t, v - 10 * MIB) for t, v in use], id=life, pod=pod, image="api:1", **WHO),
            series("container_spec_memory_limit_bytes", [(t, 512 * MIB) for t in times], id=life, pod=pod, image="api:1", **WHO),
        ]
    young = [began + i * 60 for i in range(121)]
    sandbox = {"namespace": "made", "pod": YOUNG}
    found += [
        series("container_memory_working_set_bytes", [(t, 900 * MIB) for t in young], id="/slice", **sandbox),
        series("container_memory_working_set_bytes", [(t, 900 * MIB) for t in young], id="/pause", container="POD", **sandbox),
        series("kube_pod_container_resource_limits", [(t, 2.0) for t in young], resource="cpu", unit="core", pod=YOUNG, **WHO),
        series("kube_pod_container_status_restarts_total", [(t, float(t > killed)) for t in young], pod=YOUNG, uid="1", **WHO),
        series("kube_pod_container_status_last_terminated_timestamp", [(t, killed) for t in young if t > killed], pod=YOUNG, **WHO),
        series(
            "kube_pod_container_status_last_terminated_reason",
            [(t, 1.0) for t in young if t > killed],
            pod=YOUNG,
            reason="OOMKilled",
            **WHO,
        ),
        series("http_requests_total", [(t, 6.0 * (t - began)) for t in young], pod=YOUNG, code="200", namespace="made"),
        series("http_requests_total", [(t, 4.0 * (t - began)) for t in young], pod=YOUNG, code="500", namespace="made"),
        series("container_memory_working_set_bytes", [(t, 50 * MIB) for t in young], id="/x", pod="api-worker-5c6b7d8f9c-a1b2c", **WHO),
        series("go_memstats_heap_alloc_bytes", [(t, 9 * MIB) for t in young], pod="api-worker-5c6b7d8f9c-a1b2c", **WHO),
        series("jvm_memory_max_bytes", [(t, 256 * MIB) for t in young], pod=YOUNG, area="heap", id="G1 Old Gen", **WHO),
        series("jvm_memory_max_bytes", [(t, -1.0) for t in young], pod=YOUNG, area="heap", id="G1 Eden Space", **WHO),
        *[
            series(
                "jvm_memory_used_bytes",
                [(t, mib * MIB) for t in young],
                pod=YOUNG,
                area=area,
                id=pool,
                job=job,
                instance="10.0.0.7:8080",
                **WHO,
            )
            for area, pool, mib in (("heap", "G1 Old Gen", 40), ("heap", "G1 Eden Space", 5), ("nonheap", "Metaspace", 30))
            for job in ("api", "api-again")
        ],
    ]
    return found


def cluster() -> list[dict[str, Any]]:
    """Ten pods of kube-state-metrics: six on one node; three namespaces; a Job that ended, which counts for nothing."""
    found = []
    for i in range(11):
        namespace, node = ("big", "a", "b")[i % 3], "node-1" if i < 6 or i == 10 else f"node-{i % 2 + 2}"
        pod = {"namespace": namespace, "pod": f"p{i}"}
        owner = "api-1" if namespace == "big" else f"owner-{i}"
        phase = "Succeeded" if i == 10 else "Running"
        found += [
            series("kube_pod_info", [(NOW_S, 1.0)], node=node, created_by_kind="ReplicaSet", created_by_name=owner, **pod),
            series("kube_pod_status_phase", [(NOW_S, 1.0)], phase=phase, **pod),
            series("kube_pod_container_info", [(NOW_S, 1.0)], container="c", image=f"img:{i % 5}", image_spec=f"hub/img:{i % 5}", **pod),
        ]
    return found


# Workload -> its counters: metric, requests a second, labels; {pod} is each of its two pods. Then the metric that is chosen, and a pod's rate.
EXPORTERS: dict[str, tuple[list[tuple[str, float, dict[str, str]]], str, float]] = {
    "spring": (
        [
            ("http_server_requests_seconds_count", 6, {"pod": "{pod}", "uri": "/orders"}),
            ("http_server_requests_seconds_count", 3, {"pod": "{pod}", "uri": "/actuator/prometheus"}),
            ("tomcat_global_request_seconds_count", 9, {"pod": "{pod}"}),
        ],
        "http_server_requests_seconds_count",
        6,
    ),
    "probed": (
        [("http_requests_total", 1, {"pod": "{pod}", "handler": "/metrics"}), ("rabbitmq_consumed_total", 7, {"pod": "{pod}"})],
        "rabbitmq_consumed_total",
        7,
    ),
    "meshed": (
        [("request_total", 5, {"pod": "{pod}", "direction": "inbound"}), ("request_total", 9, {"pod": "{pod}", "direction": "outbound"})],
        "request_total",
        5,
    ),
    "two": (
        [("http_requests_total", 4, {"pod": "{pod}", "container": "app"}), ("http_requests_total", 9, {"pod": "{pod}", "container": "shipper"})],
        "http_requests_total",
        4,
    ),
    "ambient": (
        [("istio_requests_total", 8, {"destination_workload": "ambient", "destination_workload_namespace": "rates", "reporter": "waypoint"})],
        "istio_requests_total",
        4,
    ),
    "fronted": (
        [
            ("nginx_ingress_controller_requests", 10, {"exported_namespace": "rates", "exported_service": "fronted-svc", "path": "/"}),
            ("nginx_ingress_controller_requests", 70, {"exported_namespace": "rates", "exported_service": "fronted-worker", "path": "/"}),
        ],
        "nginx_ingress_controller_requests",
        5,
    ),
    "routed": ([("traefik_service_requests_total", 6, {"service": "rates-routed-http@kubernetes"})], "traefik_service_requests_total", 3),
    "worker": (
        [("celery_task_received_total", 3, {"hostname": "{pod}"}), ("celery_task_received_total", 8, {"hostname": "other-1"})],
        "celery_task_received_total",
        3,
    ),
    "older-worker": ([("celery_task_received_total", 4, {"hostname": "celery@{pod}"})], "celery_task_received_total", 4),
    "planner": (
        [
            ("flower_events_total", 2, {"worker": "celery@{pod}", "type": "task-received", "task": "a"}),
            ("flower_events_total", 9, {"worker": "celery@{pod}", "type": "task-succeeded", "task": "a"}),
        ],
        "flower_events_total",
        2,
    ),
    "probed-axum": (
        [("axum_http_requests_total", 1, {"pod": "{pod}", "endpoint": "/health"}), ("axum_http_requests_total", 5, {"pod": "{pod}", "endpoint": "/orders"})],
        "axum_http_requests_total",
        5,
    ),
    "reader": ([("kafka_consumergroup_current_offset", 12, {"consumergroup": "reader", "partition": "0"})], "kafka_consumergroup_current_offset", 6),
}  # fmt: skip


def exporters() -> list[dict[str, Any]]:
    """An hour of every workload of `EXPORTERS`."""
    times = [NOW_S - 3600 + 30 * i for i in range(121)]
    found = []
    for name, (counters, _, _) in EXPORTERS.items():
        pods = [f"{name}-{i}" for i in range(2)]
        container = {"namespace": "rates", "container": "app"}
        found += [series("container_memory_working_set_bytes", [(t, MIB) for t in times], id=p, pod=p, **container) for p in pods]
        for metric, rate, labels in counters:
            for pod in pods if "{pod}" in str(labels) else pods[:1]:
                own = {"namespace": "rates"} if "pod" in labels else {"namespace": "front"}
                filled = {k: v.format(pod=pod) for k, v in labels.items()}
                found.append(series(metric, [(t, rate * (t - times[0])) for t in times], **own, **filled))
    return found


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with RealPrometheus(folder, [*recorded(*RECORDED, now=NOW).series, *made(), *cluster(), *exporters()]) as server:
        yield server


@pytest.fixture(scope="module")
def on_real(real: RealPrometheus) -> Iterator[Lab]:
    with lab(recordings=recorded(*RECORDED, now=NOW), prometheus=PrometheusConfig(url=real.url)) as running:
        yield running


@pytest.fixture(scope="module")
def on_standin() -> Iterator[Lab]:
    with lab(recordings=recorded(*RECORDED, now=NOW)) as running:
        yield running


def look(running: Lab, subject: Subject) -> Facts:
    return facts_of(running.evidence.gather(subject, (), NOW))


def history_of(running: Lab, subject: Subject) -> MemoryHistory:
    history = look(running, subject).history
    assert history is not None
    return history


@pytest.mark.parametrize("name", RECORDED)
def test_the_real_server_and_the_standin_tell_the_same_history(on_real: Lab, on_standin: Lab, name: str) -> None:
    """What tests and the demo see of a recording is what Prometheus 2.42 would have answered."""
    one, other = (look(running, running.subject(name)) for running in (on_real, on_standin))

    assert one.history is not None
    assert other.history is not None
    assert one.history.kill_times_s == other.history.kill_times_s
    assert one.history.peak_bytes_long == other.history.peak_bytes_long
    assert abs(len(one.history.samples) - len(other.history.samples)) <= 2
    assert max(s.working_set_bytes for s in one.history.samples) == max(s.working_set_bytes for s in other.history.samples)


def test_a_young_pods_history_begins_with_the_pod_it_replaced(on_real: Lab) -> None:
    """After a rollout the predecessor's 17 hours show the ramp that this pod cannot show yet."""
    history = history_of(on_real, Subject(namespace="made", pod=YOUNG, container="api"))

    assert (NOW_S - history.samples[0].t_s) / 3600 == pytest.approx(20, abs=0.1)
    assert history.step_s == 60
    assert any(abs(s - (NOW_S - 2 * 3600)) <= 120 for s in history.starts_s)


def test_the_lives_of_replicas_come_with_the_same_questions(on_real: Lab) -> None:
    """The pod that is gone, and both lives of the one that replaced it, every five minutes; the branch of the week carries them too."""
    case = on_real.evidence.gather(Subject(namespace="made", pod=YOUNG, container="api"), (), NOW)
    replicas = facts_of(case).replicas

    assert case.notes["requests"]["prometheus"] <= 5  # the rules among them
    assert replicas is not None
    lived = [(r.pod, round((r.floors[-1][0] - r.floors[0][0]) / 3600)) for r in replicas.lives]
    assert lived == [(OLD, 18), (YOUNG, 1), (YOUNG, 1)]
    assert {round(b - a) for r in replicas.lives for (a, _), (b, _) in pairwise(r.floors)} == {300}
    assert max(v for r in replicas.lives for _, v in r.floors) <= 502 * MIB  # the process's own
    assert replicas.rates[YOUNG] == pytest.approx(10, rel=0.1)
    assert set(replicas.peaks) == {OLD, YOUNG}


@pytest.mark.parametrize("rate", ["", 'sum(rate(http_requests_total{pod="$pod"}[5m]))  # of one'])
def test_heap_metrics_come_with_the_traffic(real: RealPrometheus, rate: str) -> None:
    """Pools are added up, a second scrape of the same pod is not, a pool without a maximum counts for none; no request more."""
    config = PrometheusConfig(url=real.url, request_rate_query=rate)
    with lab(recordings=recorded("a-leak-crashloop", now=NOW), prometheus=config) as running:
        case = running.evidence.gather(Subject(namespace="made", pod=YOUNG, container="api"), (), NOW)
    facts = facts_of(case)

    assert case.notes["requests"]["prometheus"] <= 5  # the rules among them
    assert facts.heap is not None
    assert (facts.heap.runtime, facts.heap.maker) == ("jvm", "Micrometer, client_java")
    told = {s.part: (s.metric, s.points[-1][1] / MIB) for s in facts.heap.series}
    assert told == {"used": ("jvm_memory_used_bytes", 45), "native": ("jvm_memory_used_bytes", 30), "max": ("jvm_memory_max_bytes", 256)}
    assert facts.history is not None
    assert facts.history.samples[-5].request_rate == pytest.approx(10, rel=0.05)


def test_heap_metrics_are_asked_alone_where_nothing_counts_requests(on_real: Lab) -> None:
    """Still four questions."""
    case = on_real.evidence.gather(Subject(namespace="made", pod="api-worker-5c6b7d8f9c-a1b2c", container="api"), (), NOW)
    facts = facts_of(case)

    assert case.notes["requests"]["prometheus"] <= 5
    assert facts.heap is not None
    assert (facts.heap.runtime, {v for s in facts.heap.series for _, v in s.points}) == ("go", {9 * MIB})
    assert "traffic" in {m.source for m in case.missing}


def test_a_lingering_series_is_not_taken_for_memory_in_use(on_real: Lab) -> None:
    """The first life ends at its kill although cAdvisor exports its last value for four more minutes; lives are never added up."""
    history = history_of(on_real, Subject(namespace="made", pod=YOUNG, container="api"))

    killed = NOW_S - 3600
    assert history.kill_times_s == (killed,)
    assert max(s.working_set_bytes for s in history.samples) <= 512 * MIB
    after = [s.working_set_bytes for s in history.samples if killed + 60 < s.t_s < killed + 300]
    assert after
    assert max(after) < 150 * MIB


def test_pod_slices_and_pause_containers_are_not_the_container(on_real: Lab) -> None:
    """cAdvisor exports the same memory three times."""
    history = history_of(on_real, Subject(namespace="made", pod=YOUNG, container="api"))

    assert history.peak_bytes_long is not None
    assert history.peak_bytes_long <= 512 * MIB


def test_limit_rss_restarts_and_kills_stand_beside_the_use(on_real: Lab) -> None:
    """One row tells what was known at its time."""
    history = history_of(on_real, Subject(namespace="made", pod=YOUNG, container="api"))

    last = history.samples[-1]
    assert (last.limit_bytes, last.rss_bytes) == (512 * MIB, last.working_set_bytes - 10 * MIB)
    assert (last.restarts, last.oom_kills) == (1, 1)


def test_usual_request_counters_are_found_without_configuration(on_real: Lab) -> None:
    """10 requests a second, both status codes together."""
    history = history_of(on_real, Subject(namespace="made", pod=YOUNG, container="api"))

    assert history.samples[-5].request_rate == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("name", EXPORTERS)
def test_the_rate_of_each_exporter_is_found(real: RealPrometheus, name: str) -> None:
    """What is exported, alone and beside the peaks; then this pod's rate, the average pod's, and that of all pods for an autoscaler."""
    _, metric, rate = EXPORTERS[name]
    config = PrometheusConfig(url=real.url)
    prometheus = Prometheus(config)
    subject = Subject(namespace="rates", pod=f"{name}-0", container="app", workload=Workload(kind="StatefulSet", name=name))
    own = queries.Selectors.of(config, subject)

    alone = exports.read(prometheus.instant(queries.exported(own, config, subject), NOW_S).series, config)
    week = {"start_s": NOW_S - queries.PEAKS_WINDOW_S, "end_s": NOW_S + queries.PEAKS_STEP_S, "step_s": queries.PEAKS_STEP_S}
    beside = exports.read(prometheus.range(queries.peaks(own, config, subject), **week).series, config)  # type: ignore[arg-type]
    found = exports.choose(alone, subject.container)
    assert found is not None
    counter, one = found
    told = prometheus.instant(queries.traffic(config, subject, counter, one.container), NOW_S - 30).series
    rates = {s["metric"]["q"].partition(":")[0]: float(s["value"][1]) for s in told}
    total = prometheus.instant(queries.total_rate(config, subject, counter, one.container), NOW_S - 30).series

    assert counter.metric == metric
    assert {(e.metric, e.place, e.container) for e in beside} == {(e.metric, e.place, e.container) for e in alone}
    assert rates.pop("workload") == pytest.approx(rate)
    assert rates.get("pod", rate) == pytest.approx(rate)
    assert [float(s["value"][1]) for s in total] == [pytest.approx(2 * rate)]


def test_a_configured_request_rate_query_is_used(real: RealPrometheus) -> None:
    """$namespace, $pod and $workload are filled in."""
    query = 'sum(rate(http_requests_total{namespace="$namespace",pod=~"$workload-.*",code="500"}[5m]))'
    with lab(
        recordings=recorded("a-leak-crashloop", now=NOW), prometheus=PrometheusConfig(url=real.url, request_rate_query=query)
    ) as running:
        subject = Subject(namespace="made", pod=YOUNG, container="api", workload=Workload(kind="Deployment", name="api"))
        history = history_of(running, subject)

    assert history.samples[-5].request_rate == pytest.approx(4, rel=0.05)


def test_a_configured_query_that_finds_nothing_says_so(real: RealPrometheus) -> None:
    """An empty traffic graph is a gap with a hint, not a flat line."""
    with lab(
        recordings=recorded("a-leak-crashloop", now=NOW), prometheus=PrometheusConfig(url=real.url, request_rate_query="nothing_total")
    ) as running:
        case = running.evidence.gather(running.subject(), (), NOW)

    assert any(m.source == "traffic" and "REQUEST_RATE_QUERY" in m.hint for m in case.missing)


def test_a_pod_that_prometheus_never_saw_has_no_history(on_real: Lab) -> None:
    """Nothing is read as "no problem": the gap names what to check."""
    facts = look(on_real, Subject(namespace="made", pod="never-seen-1"))

    assert facts.history is None
    gap = next(m for m in facts.missing if m.source == "history")
    assert "knows nothing of this pod" in gap.why
    assert "cadvisor" in gap.hint


def test_a_wrong_query_is_told_in_prometheus_words(real: RealPrometheus) -> None:
    """400 bad_data is the question's fault and not asked again."""
    with pytest.raises(Rejected, match="parse error"):
        Prometheus(PrometheusConfig(url=real.url)).instant("sum(", NOW_S)


def test_too_many_points_are_not_even_asked_for(real: RealPrometheus) -> None:
    """Prometheus answers 400 above 11,000 points a series."""
    with pytest.raises(Rejected, match="11000"):
        Prometheus(PrometheusConfig(url=real.url)).range("up", start_s=0, end_s=100_000, step_s=1)


class TestShares:
    """How large a share of the cluster a node, an image and a namespace have, in one query."""

    def test_the_shares_of_what_could_have_been_hit(self, real: RealPrometheus) -> None:
        """Pods by node, workloads by namespace, containers by image; pods that ended are none."""
        wanted = {"node": "node-1", "namespace": "big", "image": "hub/img:1"}
        found = ClusterShares(Prometheus(PrometheusConfig(url=real.url))).shares(wanted, now=NOW_S)

        assert found == {
            "node": BaseShare(share=6 / 10, values=3), "namespace": BaseShare(share=1 / 7, values=3),
            "image": BaseShare(share=2 / 11, values=5),
        }  # fmt: skip

    def test_what_is_not_counted_is_not_known(self, real: RealPrometheus) -> None:
        """A node without pods, and a Prometheus of another cluster."""
        of_other = PrometheusConfig(url=real.url, matchers='cluster="other"')

        assert ClusterShares(Prometheus(PrometheusConfig(url=real.url))).shares({"node": "nowhere"}, now=NOW_S) == {}
        assert ClusterShares(Prometheus(of_other)).shares({"node": "node-1"}, now=NOW_S) == {}


def test_the_pulse_is_what_a_real_server_understands(on_real: Lab, on_standin: Lab) -> None:
    """Aggregated by the metric's name, several metrics in one selector: each recorded pod has the same pulse as on the stand-in."""
    for name in RECORDED:
        wanted = [Wanted(id=name, subject=on_real.subject(name))]
        real, standin = (running.evidence.pulses.take(wanted, now=NOW, deadline_s=10) for running in (on_real, on_standin))

        assert real.problems == {}
        assert real.requests == {"prometheus": 1}
        assert real.pods[name].keys() == standin.pods[name].keys()
        pod = on_real.subject(name).pod
        assert real.pods[name][pod].restarts is not None
        assert replace(real.pods[name][pod], is_ended=False) == replace(standin.pods[name][pod], is_ended=False)  # no stale markers here
