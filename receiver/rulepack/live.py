"""The rules against a live Prometheus: is there data for every selector, do its series carry the labels that the rules need.

Each distinct selector is one question, however many rules read it; several are asked at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from receiver.errors import SourceError
from receiver.promql.edits import edited, matcher_edits
from receiver.promql.selectors import parse_matchers
from receiver.rulepack.ask import Ask, Source
from receiver.rulepack.metrics import Metric
from receiver.rulepack.needs import Need, needs
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem
from receiver.transport import several

SERIES = "series"
AT_A_TIME = 6  # a Prometheus evaluates 20 queries at once (--query.max-concurrency), and others want some
EXPORTED = ("exported_namespace", "exported_pod", "exported_container")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a Prometheus has for one selector: series of each metric, and how many of them carry each label."""

    need: Need
    series: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    with_label: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


class LackKind(StrEnum):
    """What is not there."""

    NO_SERIES = "no_series"  # of that metric
    NONE_WITH = "none_with"  # there are some, but none with these matchers
    NO_LABEL = "no_label"  # no series of it carries the label
    SOME_WITHOUT = "some_without"  # some carry it, others do not
    EXPORTED = "exported"  # the labels name the exporter instead: it is scraped without honor_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that rules need and a Prometheus has not.

    `rests`: matchers beyond the name. `known`: what the pack's list says of the metric. `drop`: who usually throws it away.
    `label`, `carrying` of `total` series: of a label. `exported`: the labels that stand in its place.
    """

    kind: LackKind
    metric: str = ""
    rules: tuple[str, ...] = ()
    rests: str = ""
    known: Metric | None = None
    drop: str = ""
    label: str = ""
    carrying: int = 0
    total: int = 0
    exported: tuple[str, ...] = ()

    @property
    def is_optional(self) -> bool:
        """Whether the rules do without, and see less."""
        return self.kind is LackKind.SOME_WITHOUT or (self.known is not None and self.known.need == "optional")


AtOnce = Callable[[Sequence[Callable[[], Found]]], list[Found]]


def _one_by_one(asks: Sequence[Callable[[], Found]]) -> list[Found]:
    return [ask() for ask in asks]


def _several_at_a_time(asks: Sequence[Callable[[], Found]], *, progress: Callable[[str], None]) -> list[Found]:
    return several(
        asks, at_a_time=AT_A_TIME, told=lambda n: progress(f"looking for the series that the rules read: {n} of {len(asks)}")
    )  # fmt: skip


def check_data(pack: Pack, ask: Ask, *, matchers: str = "", progress: Callable[[str], None] = lambda text: None) -> Iterator[Problem]:
    """What is missing behind `ask` for these rules. `matchers` go into every selector (`cluster="prod"`). `ask` must be fit for threads.

    A Prometheus that cannot be asked is one problem. `progress`: told what is being asked, on the caller's thread.
    """
    try:
        at_once = partial(_several_at_a_time, progress=progress)
        yield from (_problem(lack) for lack in lacks(pack, Source(ask, matchers), at_once=at_once))
    except SourceError as exc:
        yield away(exc)


def lacks(pack: Pack, source: Source, *, at_once: AtOnce = _one_by_one) -> Iterator[Lack]:
    """The same as data. `at_once`: asks several things, each one question; a SourceError when one is not answered."""
    found = at_once([partial(_look, source, need) for need in needs(pack.rules)])
    yield from _absent(pack, found, source)
    for one in found:
        for name, total in one.series.items():
            yield from _labels(one, name, total)
    exported = sorted({label for one in found for (_, label), value in one.with_label.items() if label in EXPORTED and value})
    if exported:
        yield Lack(kind=LackKind.EXPORTED, exported=tuple(exported))


def _problem(lack: Lack) -> Problem:
    """A lack as `rules check` says it."""
    readers = ", ".join(lack.rules)
    match lack.kind:
        case LackKind.EXPORTED:
            names = f"its series carry {', '.join(lack.exported)}, and `{lack.exported[-1].removeprefix('exported_')}` names kube-state-metrics itself"
            return Problem(where="kube-state-metrics", text=names, hint="set `honor_labels: true` in the job that scrapes it")
        case LackKind.NO_LABEL:
            text = f"none of its {lack.total} series carries the label {lack.label}, which {readers} needs"
            hint = f"what carries it? `label_names: {{{lack.label}: ...}}` if it has another name"
            return Problem(where=lack.metric, text=text, hint=hint)
        case LackKind.SOME_WITHOUT:
            text = f"{lack.total - lack.carrying} of its {lack.total} series lack the label {lack.label}, which {readers} needs"
            return Problem(where=lack.metric, text=text, hint="two sources with different labels?", level=Level.WARNING)
    exporter = f" (from {lack.known.source})" if lack.known else ""
    text = f"there, but none with {lack.rests}" if lack.kind is LackKind.NONE_WITH else f"not there{exporter}"
    hint = (f"without it {lack.known.without}" if lack.known else f"{readers} reads it") + (f"; {lack.drop} drops it" if lack.drop else "")
    return Problem(where=lack.metric, text=text, hint=hint, level=Level.WARNING if lack.is_optional else Level.ERROR)


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


def _labels(found: Found, name: str, total: int) -> Iterator[Lack]:
    for label in sorted(found.need.labels):
        carrying = found.with_label[name, label]
        if carrying < total:
            kind = LackKind.SOME_WITHOUT if carrying else LackKind.NO_LABEL
            yield Lack(kind=kind, metric=name, rules=found.need.rules, label=label, carrying=carrying, total=total)


def _absent(pack: Pack, found: list[Found], source: Source) -> Iterator[Lack]:
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


def _nothing(pack: Pack, name: str, need: Need, source: Source) -> Lack:
    rests = ", ".join(matcher.text for matcher in need.selector.matchers)
    is_there = bool(rests) and bool(source.query(f"count({name})")[0])
    drop = next((drop for drop in pack.metrics.drops if drop.hits(need.selector)), None)
    return Lack(
        kind=LackKind.NONE_WITH if is_there else LackKind.NO_SERIES, metric=name, rules=need.rules, rests=rests, known=pack.metrics.find(name),
        drop=drop.by if drop and not is_there else "",
    )  # fmt: skip
