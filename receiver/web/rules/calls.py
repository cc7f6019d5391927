"""Whom an alert would call, as far as its rule tells: labels of the series are not known before it fires. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from receiver.doctor.routing_tree import Configuration, led
from receiver.pipeline.routing import Route, Router
from receiver.render.text import clean_line

META = "meta"  # of the label `incident`: alerts about the receiver, which go past it
DECIDED = frozenset({"alertname", "severity", "incident", "runbook_url"})  # labels of which a rule says whether its alerts have them


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A channel in which it would be told. `on`: conditions that the rule does not decide; none: it is told there. `mention` may be empty.
    `goes_on`: the ones behind it are told as well.
    """

    channel: str
    mention: str = ""
    on: tuple[str, ...] = ()
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A receiver of Alertmanager. `on`: matchers on which it depends."""

    receiver: str
    on: tuple[str, ...] = ()


def calls(router: Router, labels: Mapping[str, str], severity: str) -> tuple[Call, ...]:
    """The channels of this receiver, in the order in which its routes are asked; the default one where none is sure."""
    found = []
    for route in router.routes:
        on = _open(route, labels)
        if on is None:
            continue
        found.append(
            Call(channel=route.channel, mention=clean_line(route.mention_for(severity, is_quiet=False), 80), on=on, goes_on=route.goes_on)
        )
        if not on and not route.goes_on:
            return tuple(found)
    if any(not call.on for call in found):
        return tuple(found)
    return (*found, Call(channel=router.default.channel or router.default.sink))


def reached(tree: Configuration | None, labels: Mapping[str, str]) -> tuple[Reached, ...]:
    """Where Alertmanager's routes lead it."""
    if tree is None:
        return ()
    return tuple(
        Reached(receiver=clean_line(one.receiver, 80), on=tuple(clean_line(str(matcher), 80) for matcher in one.on))
        for one in led(tree.root, labels, DECIDED)
    )


def _open(route: Route, labels: Mapping[str, str]) -> tuple[str, ...] | None:
    """The conditions that the rule leaves open; None when one of them cannot hold."""
    on = [f"namespace {_any(route.namespaces)}"] if route.namespaces else []
    for name, pattern in route.match.items():
        if name not in DECIDED:
            on.append(f"{name}={pattern}")
        elif not re.fullmatch(pattern, labels.get(name, "")):
            return None
    on += [f"workload {name}={pattern}" for name, pattern in (*route.workload_labels.items(), *route.workload_annotations.items())]
    return tuple(clean_line(condition, 80) for condition in on)


def _any(patterns: Sequence[str]) -> str:
    return " or ".join(patterns)
