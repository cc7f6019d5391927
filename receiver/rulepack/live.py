"""The rules against a live Prometheus: is there data for every selector, do its series carry the labels that the rules need.

Each distinct selector is one question, however many rules read it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from receiver.errors import SourceError
from receiver.promql.edits import edited, matcher_edits
from receiver.promql.selectors import parse_matchers
from receiver.rulepack.ask import Ask, Source
from receiver.rulepack.metrics import Metric
from receiver.rulepack.needs import Need, needs
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem

SERIES = "series"
EXPORTED = ("exported_namespace", "exported_pod", "exported_container")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a Prometheus has for one selector: series of each metric, and how many of them carry each label."""

    need: Need
    series: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    with_label: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def check_data(pack: Pack, ask: Ask, *, matchers: str = "") -> Iterator[Problem]:
    """What is missing behind `ask` for these rules. `matchers` go into every selector (`cluster="prod"`).

    A Prometheus that cannot be asked is one problem.
    """
    try:
        source = Source(ask, matchers)
        yield from _judged(pack, [_look(source, need) for need in needs(pack.rules)], source)
    except SourceError as exc:
        yield away(exc)


def away(exc: SourceError) -> Problem:
    """The one problem of a Prometheus that does not answer."""
    return Problem(where="Prometheus", text=str(exc), hint="not everything was looked for; check --prometheus URL and PROMETHEUS_TOKEN")


def _look(source: Source, need: Need) -> Found:
    """One question: how many series, and how many with each label that counts."""
    labels = sorted(need.labels) + [label for label in EXPORTED if label.removeprefix("exported_") in need.labels]
    parts = [f'label_replace(count by (__name__) ({need.text}), "probe", "{SERIES}", "", "")']
    for label in labels:
        has_label = parse_matchers(f'{label}!=""')
        carrying = edited(need.text, matcher_edits(need.text, lambda _, has=has_label: has))  # type: ignore[misc]
        parts.append(f'label_replace(count by (__name__) ({carrying}), "probe", "{label}", "", "")')
    found = Found(need=need)
    for metric, value in source.query(" or ".join(parts))[0]:
        name, probe = metric.get("__name__", need.text), metric.get("probe", "")
        if probe == SERIES:
            found.series[name] += int(value)
        else:
            found.with_label[name, probe] += int(value)
    return found


def _judged(pack: Pack, found: list[Found], source: Source) -> Iterator[Problem]:
    yield from _absent(pack, found, source)
    for one in found:
        for name, total in one.series.items():
            yield from _labels(one, name, total)
    exported = sorted({label for one in found for (_, label), value in one.with_label.items() if label in EXPORTED and value})
    if exported:
        yield Problem(
            where="kube-state-metrics",
            text=f"its series carry {', '.join(exported)}, and `{exported[-1].removeprefix('exported_')}` names kube-state-metrics itself",
            hint="set `honor_labels: true` in the job that scrapes it",
        )


def _labels(found: Found, name: str, total: int) -> Iterator[Problem]:
    readers = ", ".join(found.need.rules)
    for label in sorted(found.need.labels):
        carrying = found.with_label[name, label]
        if carrying == 0:
            text = f"none of its {total} series carries the label {label}, which {readers} needs"
            yield Problem(where=name, text=text, hint=f"what carries it? `label_names: {{{label}: ...}}` if it has another name")
        elif carrying < total:
            text = f"{total - carrying} of its {total} series lack the label {label}, which {readers} needs"
            yield Problem(where=name, text=text, hint="two sources with different labels?", level=Level.WARNING)


def _absent(pack: Pack, found: list[Found], source: Source) -> Iterator[Problem]:
    """Metrics without a series, by what config/metrics.yaml says of them."""
    series: dict[str, int] = defaultdict(int)
    needed: dict[str, Need] = {}
    for one in found:
        for name in one.need.selector.names:
            series[name] = max(series[name], one.series.get(name, 0))
            needed.setdefault(name, one.need)
    alternatives: dict[str, list[Metric]] = defaultdict(list)
    for name, need in needed.items():
        metric = pack.metrics.find(name)
        if metric is not None and ":" in metric.need:
            alternatives[metric.need].append(metric)
        elif series[name] == 0 and (metric is None or metric.need != "event"):
            yield _nothing(pack, name, need, source)
    for group in alternatives.values():
        if not any(series[metric.name] for metric in group):
            for metric in group:
                yield _nothing(pack, metric.name, needed[metric.name], source)


def _nothing(pack: Pack, name: str, need: Need, source: Source) -> Problem:
    metric = pack.metrics.find(name)
    rests = ", ".join(matcher.text for matcher in need.selector.matchers)
    is_there = bool(rests) and bool(source.query(f"count({name})")[0])
    exporter = f" (from {metric.source})" if metric else ""
    text = f"there, but none with {rests}" if is_there else f"not there{exporter}"
    drop = next((drop for drop in pack.metrics.drops if drop.hits(need.selector)), None)
    why = f"; {drop.by} drops it" if drop and not is_there else ""
    hint = (f"without it {metric.without}" if metric else f"{', '.join(need.rules)} reads it") + why
    is_optional = metric is not None and metric.need == "optional"
    return Problem(where=name, text=text, hint=hint, level=Level.WARNING if is_optional else Level.ERROR)
