"""What the program's runtime tells of its heap: which metrics, what is asked of them, and how a case keeps the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from receiver.evidence import exports, heaps, queries
from receiver.evidence.heaps import HeapMetric
from receiver.evidence.look import Gap, Look
from receiver.evidence.prometheus import PrometheusConfig

SHARED = "heap"  # in `Look.shared`: the answer, where it came with the traffic


def no_metric() -> Gap:
    """What is missing where a workload exports nothing about its heap; most do not, so it is no fault."""
    return Gap(
        "the workload exports no heap metric that is known here",
        "those of Micrometer, client_java, the JMX exporter, prom-client, client_golang, prometheus-net and OpenTelemetry are",
        is_normal=True,
        is_configuration=True,
    )


def rows_of(look: Look, found: Iterable[exports.Exported]) -> tuple[HeapMetric, ...]:
    """The metrics to ask for, of what the workload exports."""
    return heaps.choose(((e.metric, e.container, e.total) for e in found if e.place == "pod"), look.subject.container)


def branches(look: Look, config: PrometheusConfig, rows: Sequence[HeapMetric]) -> tuple[tuple[str, str], ...]:
    """What is asked of them, for a union by the minute: of this pod alone."""
    where = exports.matchers("pod", config, look.subject, re.escape(look.subject.pod).replace("\\-", "-"))
    by = f"{config.namespace_label},{config.pod_label},{config.container_label}"
    return heaps.branches(rows, where=where, by=by, step_s=queries.HISTORY_STEP_S)


def document(look: Look, rows: Sequence[HeapMetric], series: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The answer as a case keeps it."""
    end_s = look.now.timestamp()
    found = {name: series[name] for row in rows if (name := f"{row.part}:{row.metric}") in series}
    maker = next((row.maker for row in rows if f"{row.part}:{row.metric}" in found), "")
    span = {"step_s": heaps.STEP_S, "start": end_s - queries.HISTORY_WINDOW_S, "end": end_s}
    return {**span, "runtime": rows[0].runtime, "maker": maker, "series": found}
