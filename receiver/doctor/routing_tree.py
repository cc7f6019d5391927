"""Alertmanager's configuration, as it tells it: which receivers post to us, and where its routes lead an alert. Pure.

A route is followed as Alertmanager does (dispatch/route.go): children in order, the first that matches unless it says `continue`, else
the route itself. Of an alert only some labels are known here, so a matcher may be true, false, or depend on the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import yaml

from receiver.case.access import mapping, objects, text
from receiver.errors import Unreadable

HIDDEN = "<secret>"  # how newer releases tell a secret address
WEBHOOK_PATH = "/alerts"
_MATCHER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s=!~,{}"]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,{}]*)\s*(?:,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """`name OPERATOR value`; a regular expression must match the whole value."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'

    def holds(self, value: str) -> bool:
        """Whether it holds of a label's value (empty: not there)."""
        if self.operator in ("=", "!="):
            return (self.value == value) is (self.operator == "=")
        try:
            return (re.fullmatch(self.value, value) is not None) is (self.operator == "=~")
        except re.error:
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One node of the tree. `receiver` as inherited."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook of a receiver. `url` may be HIDDEN. `has_login`: it sends some Authorization."""

    receiver: str
    url: str
    has_login: bool
    sends_resolved: bool
    max_alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is read of it. `others`: receivers that tell somebody by another way than a webhook."""

    root: Route
    webhooks: tuple[Webhook, ...]
    others: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Led:
    """A receiver that an alert reaches. `on`: matchers of labels that are not known here, and on which that depends."""

    receiver: str
    on: tuple[Matcher, ...] = field(default=())


def read(original: str) -> Configuration:
    """The configuration. Unreadable when it is none."""
    try:
        document = yaml.safe_load(original)
    except (yaml.YAMLError, ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping) or not isinstance(document.get("route"), Mapping):
        raise Unreadable("Alertmanager's configuration cannot be read")
    has_global_login = _has_login(mapping(document, "global", "http_config"))
    receivers = objects(document, "receivers")
    webhooks = tuple(
        Webhook(
            receiver=text(r, "name"), url=text(w, "url") or HIDDEN, has_login=_has_login(mapping(w, "http_config")) or has_global_login,
            sends_resolved=w.get("send_resolved") is not False, max_alerts=n if isinstance(n := w.get("max_alerts"), int) else 0,
        )
        for r in receivers for w in objects(r, "webhook_configs")
    )  # fmt: skip
    others = frozenset(
        text(r, "name") for r in receivers if any(k.endswith("_configs") and k != "webhook_configs" and v for k, v in r.items())
    )
    return Configuration(root=_route(document["route"], ""), webhooks=webhooks, others=others)


def led(root: Route, labels: Mapping[str, str], known: frozenset[str]) -> tuple[Led, ...]:
    """Where an alert goes. `labels`: those that are known; a label in `known` that it lacks is not there, others may be."""
    return tuple(dict.fromkeys(_led(root, labels, known, ())))


def _led(route: Route, labels: Mapping[str, str], known: frozenset[str], on: tuple[Matcher, ...]) -> Iterator[Led]:
    ended = False
    for child in route.routes:
        open_ones = _open(child, labels, known)
        if open_ones is None:
            continue
        yield from _led(child, labels, known, (*on, *open_ones))
        if not open_ones:
            ended = True
            if not child.goes_on:
                return
    if not ended:
        yield Led(receiver=route.receiver, on=on)


def _open(route: Route, labels: Mapping[str, str], known: frozenset[str]) -> tuple[Matcher, ...] | None:
    """The matchers on which it depends whether the route is taken; none: it is; None: it is not."""
    depends = []
    for matcher in route.matchers:
        if matcher.name in labels or matcher.name in known:
            if not matcher.holds(labels.get(matcher.name, "")):
                return None
        else:
            depends.append(matcher)
    return tuple(depends)


def _route(node: Mapping[str, Any], inherited: str) -> Route:
    receiver = text(node, "receiver") or inherited
    equal, patterns = mapping(node, "match"), mapping(node, "match_re")
    matchers = [
        *(Matcher(name=str(k), operator="=", value=str(v)) for k, v in equal.items()),
        *(Matcher(name=str(k), operator="=~", value=str(v)) for k, v in patterns.items()),
    ]
    written = node.get("matchers")
    for line in written if isinstance(written, list) else [written] if isinstance(written, str) else []:
        matchers += parse_matchers(str(line))
    return Route(
        receiver=receiver, matchers=tuple(matchers), goes_on=node.get("continue") is True,
        routes=tuple(_route(child, receiver) for child in objects(node, "routes")),
    )  # fmt: skip


def parse_matchers(line: str) -> Iterator[Matcher]:
    """One entry of `matchers`: `a="b"`, `a = b`, `{a="b",c=~"d|e"}`."""
    inside = line.strip().removeprefix("{").removesuffix("}")
    for found in _MATCHER.finditer(inside):
        yield Matcher(name=_bare(found[1]), operator=found[2], value=_bare(found[3].strip()))


def _bare(word: str) -> str:
    """Without quotes and what they escape."""
    if len(word) >= 2 and word[0] == word[-1] == '"':
        return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), word[1:-1])
    return word


def _has_login(config: Mapping[str, Any]) -> bool:
    return any(config.get(key) for key in ("authorization", "basic_auth", "bearer_token", "bearer_token_file", "oauth2"))


def ours(webhooks: Sequence[Webhook], *, addresses: Sequence[str], known_as: Sequence[str]) -> tuple[Webhook, ...]:
    """The webhooks that post to us, by the best that is known: names by which alerts have come, addresses, then what they are called.

    Newer Alertmanagers hide the addresses, and a name is all there is.
    """
    by_name = [w for w in webhooks if w.receiver in known_as]
    by_address = [w for w in webhooks if w.url != HIDDEN and _host_of(w.url) in addresses]
    by_word = [w for w in webhooks if "oomtriage" in (_host_of(w.url) if w.url != HIDDEN else w.receiver).lower()]
    return tuple(dict.fromkeys((*by_name, *by_address))) or tuple(by_word)


def path_of(webhook: Webhook) -> str:
    """The path that it posts to; empty where that is hidden."""
    return urlsplit(webhook.url).path if webhook.url != HIDDEN else ""


def _host_of(url: str) -> str:
    """`host:port` of an address."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    except ValueError:
        return ""
