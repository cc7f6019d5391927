"""Which heap metrics are asked for, what it costs, and what is kept in a case."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from receiver.case import facts_of
from receiver.domain.case import Case, case_from_json
from receiver.evidence.heaps import METRICS, choose
from receiver.evidence.queries import MOST_QUERY_CHARS
from tests.fakes.kube import refuse
from tests.fakes.prometheus import series
from tests.unit.evidence.kit import Lab, lab

MIB = 1024**2
LEAK = "a-leak-crashloop"


def chosen(*exported: tuple[str, str, float], container: str = "api") -> list[tuple[str, str]]:
    return [(row.part, row.metric) for row in choose(exported, container)]


def test_every_metric_is_documented_and_of_a_known_part():
    assert {m.part for m in METRICS} == {"live", "used", "held", "max", "native", "tasks", "stuck"}
    assert all(m.page.startswith("https://") for m in METRICS)


def test_one_metric_a_part_of_one_runtime_is_asked_for():
    """Of the parts beside the heap all; a size after collection that is still 0 is none yet."""
    jvm = ("jvm_memory_used_bytes", "jvm_memory_max_bytes", "jvm_buffer_memory_used_bytes", "jvm_memory_pool_collection_used_bytes")
    found = chosen(*((m, "api", 1.0) for m in jvm), ("jvm_gc_live_data_size_bytes", "api", 0.0), ("go_goroutines", "api", 9.0))

    assert dict.fromkeys(found) == dict.fromkeys(
        [
            ("live", "jvm_memory_pool_collection_used_bytes"),
            ("used", "jvm_memory_used_bytes"),
            ("max", "jvm_memory_max_bytes"),
            ("native", "jvm_buffer_memory_used_bytes"),
            ("native", "jvm_memory_used_bytes"),
        ]
    )


@pytest.mark.parametrize(("of", "is_asked"), [("api", True), ("", True), ("istio-proxy", False)])
def test_what_a_sidecar_exports_is_not_this_containers_heap(of, is_asked):
    assert bool(chosen(("go_memstats_heap_alloc_bytes", of, 1.0))) is is_asked


def exporting(running: Lab, *names: str, rate: bool = False) -> None:
    """The recorded pod exports these, minute by minute over the last six hours."""
    incident, subject = running.incident(LEAK), running.subject(LEAK)
    end = (incident.taken_at + timedelta(minutes=1)).timestamp()
    times = [end - 60 * i for i in range(360, -1, -1)]
    labels = {"namespace": subject.namespace, "pod": subject.pod, "container": "orders-api"}
    running.prometheus.add(series(name, [(t, (20 + (t - times[0]) / 3600) * MIB) for t in times], **labels) for name in names)
    if rate:
        running.prometheus.add([series("http_requests_total", [(t, t - times[0]) for t in times], **labels)])


def gathered(*names: str, rate: bool = False, fault: str = "") -> tuple[Case, int]:
    with lab(LEAK) as running:
        exporting(running, *names, rate=rate)
        if fault:
            running.prometheus.fault(fault, refuse(503))
        case = running.gather(LEAK)
        return case, len([a for a in running.prometheus.asked if not a.path.endswith("/rules")])


@pytest.mark.parametrize("rate", [True, False])
def test_a_look_costs_four_questions_with_heap_metrics_too(rate):
    """They come with the traffic, or in its place."""
    case, asked = gathered("go_memstats_heap_alloc_bytes", "go_goroutines", rate=rate)
    heap = facts_of(case).heap

    assert asked == 4
    assert heap is not None
    assert {s.part for s in heap.series} == {"used", "tasks"}
    assert {round(b[0] - a[0]) for s in heap.series for a, b in zip(s.points, s.points[1:], strict=False)} == {300}
    assert ("traffic" in case.answers) is rate
    assert all(":" in name and not name.startswith("used") for name in case.answers.get("traffic", {}).get("series", {}))


def test_a_workload_without_heap_metrics_is_told_as_that_and_costs_nothing():
    case, asked = gathered()
    missing = next(m for m in case.missing if m.source == "heap")

    assert asked == 3
    assert "no heap metric" in missing.why
    assert "prom-client" in missing.hint
    assert (missing.is_normal, missing.is_configuration) == (True, True)  # no line in a thread: most workloads export none


def test_prometheus_away_is_missing_and_not_asked_once_more():
    case, _ = gathered("go_memstats_heap_alloc_bytes", fault="/query")
    missing = next(m for m in case.missing if m.source == "heap")

    assert missing.is_retryable
    assert case.notes["requests"]["prometheus"] == 5  # what is exported is asked once more alone; the rules
    assert facts_of(case).heap is None


@pytest.mark.parametrize("name", ['x"} or vector(1) or x{a="', "a\nb", "<!channel>"])
def test_hostile_labels_reach_no_query_and_no_name(name):
    """A container label of a series is the exporter's word."""
    with lab(LEAK) as running:
        exporting(running, "go_memstats_heap_alloc_bytes")
        subject = running.subject(LEAK)
        labels = {"namespace": subject.namespace, "pod": subject.pod, "container": name}
        end = running.incident(LEAK).taken_at.timestamp()
        running.prometheus.add([series("go_goroutines", [(end - 60, 5.0)], **labels)])
        case = running.gather(LEAK)
        queries = [a.params.get("query", "") for a in running.prometheus.asked]

    assert all(name not in q for q in queries)
    assert all(len(q) < MOST_QUERY_CHARS for q in queries)
    assert facts_of(case).heap is not None


def test_a_saved_case_is_judged_again_without_prometheus():
    """Its heap and its replicas are in it."""
    case, _ = gathered("go_memstats_heap_alloc_bytes", "go_goroutines")
    again = case_from_json(json.loads(json.dumps(case.to_json())))

    assert facts_of(again).heap == facts_of(case).heap is not None
