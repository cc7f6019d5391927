"""Selectors: metrics that common installations drop, containers that are none, metrics nobody listed, PromQL that is too new."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.errors import ConfigError
from receiver.promql.selectors import Selector, selectors
from receiver.promql.tree import Aggregation, Call, parse, walk
from receiver.rulepack.files import Rule
from receiver.rulepack.metrics import Drop, exporter_of
from receiver.rulepack.pack import Pack
from receiver.rulepack.problem import Level, Problem

OLDEST = "2.42"  # the Prometheus that the rules must run on
# Functions and aggregations that it does not have; newer ones have most of them behind a feature flag.
NEWER = frozenset(
    {"histogram_stdvar", "histogram_stddev", "histogram_avg", "mad_over_time", "sort_by_label", "sort_by_label_desc", "info", "limitk",
     "limit_ratio", "double_exponential_smoothing", "ts_of_max_over_time", "ts_of_min_over_time", "ts_of_last_over_time",
     "first_over_time"}
)  # fmt: skip
GONE = {"holt_winters": "3.0"}
NEWER_OF_GROUP = {"query_offset": "2.53", "labels": "3.0"}


def check_sources(pack: Pack) -> Iterator[Problem]:
    """Each rule's selectors and functions."""
    for rule in pack.rules:
        try:
            found = selectors(rule.expr)
        except ConfigError:
            continue  # said elsewhere
        yield from dict.fromkeys(_containers(rule, found))
        yield from dict.fromkeys(_dropped(rule, found, pack.metrics.drops))
        yield from dict.fromkeys(_new_functions(rule))
        if pack.metrics.is_own:
            yield from dict.fromkeys(_unlisted(rule, found, pack))
    for file in pack.files:
        for group in file.groups:
            for key, version in NEWER_OF_GROUP.items():
                if key in group:
                    text = f"`{key}` is known to Prometheus {version} and newer only"
                    yield Problem(where=f"{file.name}: {group['name']}", text=text, hint="an older one refuses the whole file")


def _containers(rule: Rule, found: tuple[Selector, ...]) -> Iterator[Problem]:
    for selector in found:
        if not selector.names or {exporter_of(name) for name in selector.names} != {"cadvisor"} or selector.matched("id"):
            continue
        matchers = tuple(matcher for matcher in selector.matchers if matcher.label == "container")
        name = selector.names[0]
        if not matchers:
            text = f'{name} without container!="", container!="POD": pods, their parents and pause containers count as containers'
            # image!="" leaves out pods and their parents, and keeps containerd's pause containers
            level = Level.WARNING if selector.matched("image") else Level.ERROR
            yield Problem(
                where=rule.where, text=text, hint="the same memory is counted again, and the alert names no container", level=level
            )
        elif not all(m.lets_through("") for m in matchers) and all(m.lets_through("POD") for m in matchers):
            text = f'{name} without container!="POD": pause containers of CRI-O and dockershim count as containers'
            yield Problem(where=rule.where, text=text, level=Level.WARNING)


def _dropped(rule: Rule, found: tuple[Selector, ...], drops: tuple[Drop, ...]) -> Iterator[Problem]:
    names = {name for selector in found for name in selector.names}
    for selector in found:
        for drop in drops:
            if drop.hits(selector) and (not drop.instead or drop.instead not in names):
                hint = f"read {drop.instead} too (`or`)" if drop.instead else "there is no other source for it"
                text = f"{', '.join(selector.names)} is dropped by {drop.by}: there the rule finds nothing"
                yield Problem(where=rule.where, text=text, hint=hint, level=Level.WARNING)


def _new_functions(rule: Rule) -> Iterator[Problem]:
    try:
        called = [node.name for node in walk(parse(rule.expr)) if isinstance(node, Call | Aggregation)]
    except ConfigError:
        return
    for name in called:
        if name in NEWER:
            text = f"{name}() is not in Prometheus {OLDEST}, on which the rules must run"
            yield Problem(where=rule.where, text=text, hint="it refuses the whole file")
        if name in GONE:
            yield Problem(where=rule.where, text=f"{name}() is gone in Prometheus {GONE[name]}", level=Level.WARNING)


def _unlisted(rule: Rule, found: tuple[Selector, ...], pack: Pack) -> Iterator[Problem]:
    for name in sorted({name for selector in found for name in selector.names}):
        if exporter_of(name) and pack.metrics.find(name) is None:
            yield Problem(where=rule.where, text=f"{name} is not listed in config/metrics.yaml", hint="nobody would notice its absence")
