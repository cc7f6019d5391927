"""The metrics in which runtimes tell of their heap, in the order in which one is chosen. Add a metric: one row here.

Which of them there are comes with what the workload exports (`exports`); what was chosen is asked together with the traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STEP_S = 300
MOST_NATIVE = 3
# Of one series scraped twice (two jobs, two replicas of Prometheus): one counts.
_SCRAPES = "job,endpoint,service,prometheus,prometheus_replica"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapMetric:
    """One metric. `part`: see `domain.heap.HeapSeries`. `where`: which of its series; `maker`: what exports it; `page`: its documentation."""

    metric: str
    part: str
    runtime: str
    maker: str
    page: str
    where: str = ""


def _of(runtime: str, part: str, metric: str, maker: str, *page_and_where: str) -> HeapMetric:
    page, *where = page_and_where
    return HeapMetric(metric=metric, part=part, runtime=runtime, maker=maker, page=page, where=",".join(where))


_MICROMETER = "https://docs.micrometer.io/micrometer/reference/reference/jvm.html"
_CLIENT_JAVA = "https://prometheus.github.io/client_java/instrumentation/jvm/"
_SIMPLE = "https://github.com/prometheus/client_java/tree/simpleclient/simpleclient_hotspot"
_OTEL = "https://opentelemetry.io/docs/specs/semconv/runtime/"
_PROM_CLIENT = "https://github.com/siimon/prom-client#default-metrics"
_NET = "https://github.com/prometheus-net/prometheus-net"
_NET_OTEL = "https://github.com/open-telemetry/opentelemetry-dotnet-contrib/tree/main/src/OpenTelemetry.Instrumentation.Runtime"
_GO = "https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/collectors#NewGoCollector"
_PYTHON = "https://prometheus.github.io/client_python/collector/"
_HEAP, _BESIDE = 'area="heap"', 'area="nonheap"'
_OTEL_HEAP, _OTEL_BESIDE = 'jvm_memory_type="heap"', 'jvm_memory_type="non_heap"'

METRICS: tuple[HeapMetric, ...] = (
    _of("jvm", "live", "jvm_gc_live_data_size_bytes", "Micrometer", _MICROMETER),
    _of("jvm", "live", "jvm_memory_pool_collection_used_bytes", "client_java, JMX exporter", _CLIENT_JAVA),
    _of("jvm", "live", "jvm_memory_used_after_last_gc_bytes", "OpenTelemetry", _OTEL + "jvm-metrics/", _OTEL_HEAP),
    _of("jvm", "used", "jvm_memory_used_bytes", "Micrometer, client_java", _MICROMETER, _HEAP),
    _of("jvm", "used", "jvm_memory_used_bytes", "OpenTelemetry", _OTEL + "jvm-metrics/", _OTEL_HEAP),
    _of("jvm", "used", "jvm_memory_bytes_used", "client_java 0.x, JMX exporter 0.x", _SIMPLE, _HEAP),
    _of("jvm", "held", "jvm_memory_committed_bytes", "Micrometer, client_java", _MICROMETER, _HEAP),
    _of("jvm", "held", "jvm_memory_committed_bytes", "OpenTelemetry", _OTEL + "jvm-metrics/", _OTEL_HEAP),
    _of("jvm", "held", "jvm_memory_bytes_committed", "client_java 0.x, JMX exporter 0.x", _SIMPLE, _HEAP),
    _of("jvm", "max", "jvm_memory_max_bytes", "Micrometer, client_java", _MICROMETER, _HEAP),
    _of("jvm", "max", "jvm_memory_limit_bytes", "OpenTelemetry", _OTEL + "jvm-metrics/", _OTEL_HEAP),
    _of("jvm", "max", "jvm_memory_bytes_max", "client_java 0.x, JMX exporter 0.x", _SIMPLE, _HEAP),
    _of("jvm", "native", "jvm_buffer_memory_used_bytes", "Micrometer, OpenTelemetry", _MICROMETER, 'id!~"mapped.*",jvm_buffer_pool_name!~"mapped.*"'),
    _of("jvm", "native", "jvm_buffer_pool_used_bytes", "client_java", _CLIENT_JAVA, 'pool!~"mapped.*"'),
    _of("jvm", "native", "jvm_memory_used_bytes", "Micrometer, client_java", _MICROMETER, _BESIDE),
    _of("jvm", "native", "jvm_memory_used_bytes", "OpenTelemetry", _OTEL + "jvm-metrics/", _OTEL_BESIDE),
    _of("jvm", "native", "jvm_memory_bytes_used", "client_java 0.x, JMX exporter 0.x", _SIMPLE, _BESIDE),
    _of("node", "used", "nodejs_heap_size_used_bytes", "prom-client", _PROM_CLIENT),
    _of("node", "used", "v8js_memory_heap_used_bytes", "OpenTelemetry", _OTEL + "v8js-metrics/"),
    _of("node", "held", "nodejs_heap_size_total_bytes", "prom-client", _PROM_CLIENT),
    _of("node", "held", "v8js_memory_heap_limit_bytes", "OpenTelemetry", _OTEL + "v8js-metrics/"),
    _of("node", "native", "nodejs_external_memory_bytes", "prom-client", _PROM_CLIENT),
    _of("dotnet", "live", "dotnet_gc_last_collection_heap_size_bytes", ".NET 9 (OpenTelemetry)", _OTEL + "dotnet-metrics/"),
    _of("dotnet", "live", "process_runtime_dotnet_gc_heap_size_bytes", "OpenTelemetry", _NET_OTEL),
    _of("dotnet", "live", "dotnet_gc_heap_size_bytes", "prometheus-net.DotNetRuntime", "https://github.com/djluck/prometheus-net.DotNetRuntime"),
    _of("dotnet", "used", "dotnet_total_memory_bytes", "prometheus-net", _NET),
    _of("dotnet", "held", "dotnet_gc_last_collection_memory_committed_size_bytes", ".NET 9 (OpenTelemetry)", _OTEL + "dotnet-metrics/"),
    _of("dotnet", "held", "process_runtime_dotnet_gc_committed_memory_size_bytes", "OpenTelemetry", _NET_OTEL),
    _of("go", "used", "go_memstats_heap_alloc_bytes", "client_golang", _GO),
    _of("go", "used", "go_memstats_heap_inuse_bytes", "client_golang", _GO),
    _of("go", "tasks", "go_goroutines", "client_golang", _GO),
    _of("python", "stuck", "python_gc_objects_uncollectable_total", "client_python", _PYTHON),
)  # fmt: skip
NAMES: tuple[str, ...] = tuple(dict.fromkeys(m.metric for m in METRICS))


def choose(exported: Iterable[tuple[str, str, float]], container: str) -> tuple[HeapMetric, ...]:
    """The metrics to ask for: of one runtime, one a part (of native a few). `exported`: (metric, container, its newest value), as found.

    What another container of the pod exports is not this one's heap. Rows that differ in their labels only are all asked for.
    """
    found = {metric for metric, of, total in exported if total > 0 and (not container or of in ("", container))}
    runtime = next((m.runtime for m in METRICS if m.metric in found), "")
    chosen: list[HeapMetric] = []
    for row in METRICS:
        of_part = {m.metric for m in chosen if m.part == row.part}
        has_room = row.metric in of_part or len(of_part) < (MOST_NATIVE if row.part == "native" else 1)
        if row.runtime == runtime and row.metric in found and has_room:
            chosen.append(row)
    return tuple(chosen)


def branches(rows: Sequence[HeapMetric], *, where: str, by: str, step_s: int) -> tuple[tuple[str, str], ...]:
    """The branches of a union asked every `step_s`. `where`: matchers of the pod; `by`: its labels."""
    every = f"(vector(time() % {STEP_S}) < {step_s})"
    found = []
    for row in rows:
        of_row = ",".join(m for m in (where, row.where) if m)
        how = "max" if row.part in ("max", "stuck") else "min"
        known = " > 0" if row.part == "max" else ""  # -1 for none
        each = f"max without ({_SCRAPES}) ({how}_over_time({row.metric}{{{of_row}}}[{STEP_S}s]){known})"
        found.append((f"{row.part}:{row.metric}", f"sum by ({by}) ({each}) and on () {every}"))
    return tuple(found)
