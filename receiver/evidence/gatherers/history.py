"""Memory over time, from Prometheus: the last day, the last hour as scraped, the week's peaks, and the traffic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from receiver.errors import Rejected
from receiver.evidence import exports, queries
from receiver.evidence.clean import Cleaner
from receiver.evidence.counters import COUNTERS
from receiver.evidence.gatherers import heap
from receiver.evidence.look import Gap, Look
from receiver.evidence.prometheus import Answer, PrometheusConfig

# Staircases: their value stands still for hours, so a case keeps the ends of each step only.
_STAIRCASES = frozenset(
    (
        "max_usage",
        "enforced_limit",
        "limit",
        "restarts",
        "last_terminated_at",
        "last_terminated_reason",
        "oom_events",
        "before_limit",
        "killed_at",
    )
)
CONFIGURED = "REQUEST_RATE_QUERY"
DAY_BEFORE_S = 86_400.0  # growth before the fix, at the same hours of the day
MOST_SINCE_S = 9 * 86_400.0
_KEPT_LABELS = ("namespace", "pod", "container", "id", "reason", "resource")


def ask(look: Look, clean: Cleaner) -> Any:
    """The last day of the pod, minute by minute."""
    selectors = _selectors(look)
    if selectors is None:
        return None
    window_s, step_s = queries.HISTORY_WINDOW_S, queries.HISTORY_STEP_S
    answer = look.range(queries.history(selectors), window_s=window_s, step_s=step_s)
    return _document(look, _by_branch(answer, step_s, _config(look)), window_s, step_s, answer.warnings)


def ask_recent(look: Look, clean: Cleaner) -> Any:
    """The last hour, every sample as it was scraped."""
    selectors = _selectors(look)
    if selectors is None:
        return None
    answer = look.instant(queries.recent(selectors, _config(look)))
    series: dict[str, list[Any]] = {}
    for entry in answer.series:
        metric = entry.get("metric") or {}
        name = queries.RECENT_METRICS.get(str(metric.get("__name__")))
        if name is None or metric.get("resource", "memory") != "memory":
            continue
        series.setdefault(name, []).append(_kept(entry, _usual_names(_config(look)), thin=name in _STAIRCASES, gap_s=120.0))
    return _document(look, series, queries.RECENT_WINDOW_S, 0, answer.warnings)


def ask_peaks(look: Look, clean: Cleaner) -> Any:
    """The week's peaks of the workload."""
    selectors = _selectors(look)
    if selectors is None:
        return None
    config = _config(look)
    window_s, step_s = queries.PEAKS_WINDOW_S, queries.PEAKS_STEP_S
    answer = look.range(queries.peaks(selectors, config, look.subject), window_s=window_s, step_s=step_s)
    found = _by_branch(answer, step_s, config)
    series = {name: found.get(name, []) for name in ("working_set", "replicas")}
    document = _document(look, series, window_s, step_s, answer.warnings)
    return {**document, "exports": [e.document() for e in exports.read(answer.series, config)]}


def ask_since(look: Look, clean: Cleaner) -> Any:
    """Every pod of the workload from a day before a fix to now; None where no fix is followed up."""
    selectors = _selectors(look) if look.fixed_at is not None else None
    if selectors is None or look.fixed_at is None:
        return None
    step_s = queries.SINCE_STEP_S
    since_s = (look.now - look.fixed_at).total_seconds() + DAY_BEFORE_S
    window_s = int(min(since_s, MOST_SINCE_S) // step_s + 1) * step_s
    answer = look.range(queries.since(selectors, window_s=window_s), window_s=window_s, step_s=step_s)
    return _document(look, _by_branch(answer, step_s, _config(look)), window_s, step_s, answer.warnings)


def ask_traffic(look: Look, clean: Cleaner) -> Any:
    """The request rate of the pod, or of the workload's average pod: of the configured query, else of the best counter it exports."""
    if _selectors(look) is None:
        return None
    config = _config(look)
    window_s, step_s = queries.HISTORY_WINDOW_S, queries.HISTORY_STEP_S
    query, told_by = _configured_rate(look, config) if config.request_rate_query else _found_rate(look, config)
    rows = heap.rows_of(look, exported(look))
    answer = _with_heap(look, query, heap.branches(look, config, rows), is_union=not config.request_rate_query)
    series = _by_branch(answer, step_s, config, default="configured")
    if rows:
        look.shared[heap.SHARED] = heap.document(look, rows, series)
        series = {name: found for name, found in series.items() if name not in look.shared[heap.SHARED]["series"]}
    if not series:
        raise Gap(
            "the configured query finds no series for this workload" if config.request_rate_query else f"{told_by['metric']} has no rate",
            "try REQUEST_RATE_QUERY in Prometheus with the names filled in"
            if config.request_rate_query
            else "is it scraped at least once a minute?",
            is_configuration=True,
        )
    return {**_document(look, series, window_s, step_s, answer.warnings), "counter": told_by}


def _with_heap(look: Look, query: str, branches: Sequence[tuple[str, str]], *, is_union: bool) -> Answer:
    """The answer about the traffic, with the heap's in it: one request. Where a user's query cannot stand in a union, it is asked alone."""
    window_s, step_s = queries.HISTORY_WINDOW_S, queries.HISTORY_STEP_S
    if not branches:
        return look.range(query, window_s=window_s, step_s=step_s)
    traffic = query if is_union else queries.union(("configured", f"(\n{query}\n)"))
    try:
        return look.range(f"{traffic} or {queries.union(*branches)}", window_s=window_s, step_s=step_s)
    except Rejected:
        if is_union:
            raise
        return look.range(query, window_s=window_s, step_s=step_s)


def ask_heap(look: Look, clean: Cleaner) -> Any:
    """The heap metrics of the pod over the last day, every five minutes: what came with the traffic, or asked alone. A Gap when it exports none."""
    if look.prometheus is None or _selectors(look) is None:
        return None  # the history says so already
    if heap.SHARED in look.shared:
        return look.shared[heap.SHARED]
    traffic = look.missing.get("traffic")
    if traffic is not None and traffic.is_retryable:
        raise Gap(traffic.why, traffic.hint, is_retryable=True, is_normal=True)  # Prometheus is away: not asked again
    rows = heap.rows_of(look, exported(look))
    if not rows:
        raise heap.no_metric()
    config, step_s = _config(look), queries.HISTORY_STEP_S
    answer = look.range(queries.union(*heap.branches(look, config, rows)), window_s=queries.HISTORY_WINDOW_S, step_s=step_s)
    return heap.document(look, rows, _by_branch(answer, step_s, config))


def exported(look: Look) -> tuple[exports.Exported, ...]:
    """What the workload exports: it came with the peaks; where those failed, it is asked alone, once."""
    config, selectors = _config(look), _selectors(look)
    peaks = look.answers.get("peaks")
    if isinstance(peaks, dict):
        return tuple(exports.Exported(**e) for e in peaks["exports"])
    if selectors is None:
        return ()
    if "exports" not in look.shared:
        look.shared["exports"] = exports.read(look.instant(queries.exported(selectors, config, look.subject)).series, config)
    found: tuple[exports.Exported, ...] = look.shared["exports"]
    return found


def _configured_rate(look: Look, config: PrometheusConfig) -> tuple[str, dict[str, Any]]:
    try:
        query = queries.fill(config.request_rate_query, look.subject)
    except Rejected as exc:
        raise Gap(f"not asked: {exc}", "set label_names if another label holds it", is_configuration=True) from None
    is_of_all = not re.search(r"\$\{?pod\b", config.request_rate_query)
    told_by = {"metric": CONFIGURED, "maker": "", "unit": "requests", "is_on_pod": False, "is_total": True}
    return query, {**told_by, "total_query": query if is_of_all else "", **config.as_others_reach_it()}


def _found_rate(look: Look, config: PrometheusConfig) -> tuple[str, dict[str, Any]]:
    found = exports.choose(exported(look), look.subject.container)
    if found is None:
        looked_for = ", ".join(dict.fromkeys(c.maker for c in COUNTERS))
        raise Gap(
            "no counter of requests or messages counted anything for this workload in the last hour",
            f"set REQUEST_RATE_QUERY; looked for those of {looked_for} (docs/request-rate.md has their names)",
            is_configuration=True,
        )
    counter, one = found
    query = queries.traffic(config, look.subject, counter, one.container)
    total = queries.total_rate(config, look.subject, counter, one.container)
    told_by = {"metric": counter.metric, "maker": counter.maker, "unit": counter.unit, "is_on_pod": counter.is_on_pod, "is_total": False}
    return query, {**told_by, "total_query": total, **config.as_others_reach_it()}


def _selectors(look: Look) -> queries.Selectors | None:
    if not look.subject.names_a_pod:
        return None
    return queries.Selectors.of(_config(look), look.subject)


def _config(look: Look) -> PrometheusConfig:
    if look.prometheus is None:
        raise Gap("no Prometheus is configured", "set PROMETHEUS_URL", is_configuration=True)
    return look.prometheus.config


def _by_branch(answer: Answer, step_s: int, config: PrometheusConfig, *, default: str = "") -> dict[str, list[Any]]:
    series: dict[str, list[Any]] = {}
    names = _usual_names(config)
    for entry in answer.series:
        name = str((entry.get("metric") or {}).get("q") or default)
        if name:
            series.setdefault(name, []).append(_kept(entry, names, thin=name in _STAIRCASES, gap_s=2.5 * step_s))
    return series


def _usual_names(config: PrometheusConfig) -> dict[str, str]:
    """Label as it is called here -> as a case calls it."""
    own = {config.namespace_label: "namespace", config.pod_label: "pod", config.container_label: "container"}
    return {label: label for label in _KEPT_LABELS} | {f"{p}{label}": usual for label, usual in own.items() for p in ("exported_", "")}


def _kept(entry: Mapping[str, Any], names: Mapping[str, str], *, thin: bool, gap_s: float) -> dict[str, Any]:
    metric = entry.get("metric") or {}
    labels = {usual: metric[name] for name, usual in names.items() if name in metric}
    values = entry.get("values") or ([entry["value"]] if entry.get("value") else [])
    return {"metric": labels, "values": thinned(values, gap_s) if thin else values}


def thinned(values: Iterable[Any], gap_s: float) -> list[Any]:
    """A staircase with the ends of each step only; the ends of a scrape gap stay too."""
    kept: list[Any] = []
    for point in values:
        if len(kept) >= 2 and kept[-1][1] == point[1] == kept[-2][1] and point[0] - kept[-1][0] <= gap_s:
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _document(look: Look, series: Mapping[str, Any], window_s: int, step_s: int, warnings: tuple[str, ...]) -> dict[str, Any]:
    end_s = look.now.timestamp()
    document = {"step_s": step_s, "start": end_s - window_s, "end": end_s, "series": dict(series)}
    return {**document, "warnings": list(warnings)} if warnings else document
