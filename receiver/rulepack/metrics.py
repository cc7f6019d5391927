"""Which metrics the rules read, and whether a Prometheus has them.

A rule over a metric that nobody exports never fires and never complains. So each metric is listed in
config/metrics.yaml with what depends on it, and asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.errors import ConfigError, SourceError, Unreadable
from receiver.rulepack.files import METRICS_FILE, read_yaml
from receiver.rulepack.problem import Level, Problem

# Sends one query: path and form fields in, decoded JSON out. Raises SourceError.
Ask = Callable[[str, Mapping[str, Any]], Any]

# Metrics of the kubelet and of kube-state-metrics; what else looks like a name in PromQL is a function or a label.
METRIC_NAME = re.compile(r"\b(?:container|kube|node|kubelet|machine)_[a-z0-9_]+\b(?!\s*:)")
LABELS = re.compile(r"\{[^{}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
NAME_MATCHER = re.compile(r"""__name__\s*=~?\s*"([^"]*)\"""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric the rules read. `need` is required, optional, event, or `GROUP:plural` for alternatives."""

    name: str
    where: str
    source: str
    need: str
    without: str

    @property
    def selector(self) -> str:
        """PromQL for what the rules read of it."""
        return f"{self.name}{{{self.where}}}" if self.where else self.name


def read_metrics(directory: Path) -> tuple[Metric, ...]:
    """The pack's list; empty when it has none. ConfigError for an incomplete entry."""
    path = directory / METRICS_FILE
    if not path.exists():
        return ()
    entries = read_yaml(path).get("metrics") or []
    metrics = []
    for entry in entries:
        try:
            metrics.append(
                Metric(
                    name=entry["metric"],
                    where=entry.get("where", ""),
                    source=entry["source"],
                    need=entry["need"],
                    without=entry["without"],
                )
            )
        except (KeyError, TypeError, AttributeError) as exc:
            raise ConfigError(f"{path}: expected metric, source, need and without, found {entry!r}") from exc
    return tuple(metrics)


def metric_names(expr: str) -> frozenset[str]:
    """Names of the kubelet's and kube-state-metrics' metrics in a PromQL expression."""
    listed = (name for names in NAME_MATCHER.findall(expr) for name in names.split("|"))
    return frozenset(listed) | frozenset(METRIC_NAME.findall(LABELS.sub("", expr)))


def check_metrics(metrics: tuple[Metric, ...], ask: Ask) -> Iterator[Problem]:
    """What is missing in the Prometheus behind `ask`. A Prometheus that cannot be asked is one problem."""
    try:
        yield from _missing(metrics, ask)
    except SourceError as exc:
        yield Problem(where="Prometheus", text=str(exc), hint="the metrics were not all looked for; check --prometheus URL")


def _missing(metrics: tuple[Metric, ...], ask: Ask) -> Iterator[Problem]:
    alternatives: dict[str, list[Metric]] = defaultdict(list)
    found: dict[str, bool] = {}
    for metric in metrics:
        if metric.need == "event":
            continue
        found[metric.name] = _count(ask, metric.selector) > 0
        if ":" in metric.need:
            alternatives[metric.need].append(metric)
        elif not found[metric.name]:
            yield _problem(metric, ask, level=Level.ERROR if metric.need == "required" else Level.WARNING)
    for group in alternatives.values():
        if not any(found[metric.name] for metric in group):
            yield from (_problem(metric, ask, level=Level.ERROR) for metric in group)
    if _count(ask, 'kube_pod_info{exported_pod!=""}') > 0:
        yield Problem(
            where="kube-state-metrics",
            text="its series carry exported_pod, and `pod` names kube-state-metrics itself",
            hint="set `honor_labels: true` in the job that scrapes it",
        )


def _problem(metric: Metric, ask: Ask, *, level: Level) -> Problem:
    other_labels = bool(metric.where) and _count(ask, metric.name) > 0
    text = f"there, but none with {metric.where}" if other_labels else f"not there (from {metric.source})"
    return Problem(where=metric.name, text=text, hint=f"without it {metric.without}", level=level)


def _count(ask: Ask, selector: str) -> int:
    answer = ask("/api/v1/query", {"query": f"count({selector})"})
    try:
        if answer["status"] != "success":
            raise Unreadable(f"Prometheus refused count({selector}): {answer.get('error', answer['status'])}")
        result = answer["data"]["result"]
        return int(float(result[0]["value"][1])) if result else 0
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as exc:
        raise Unreadable(f"Prometheus' answer to count({selector}) is not a query result") from exc
