"""The YAML list `routes` as Route objects; what is wrong with an entry is a ConfigError that names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from receiver.errors import ConfigError
from receiver.pipeline.quiet import DAYS, MINUTES_A_DAY, QuietHours
from receiver.pipeline.routing import Route

_KEYS = frozenset(
    (
        "match", "namespaces", "workload_labels", "workload_annotations", "channel", "mention", "mention_warnings", "critical", "continue",
        "quiet_hours",
    )
)  # fmt: skip
_QUIET_KEYS = frozenset(("days", "from", "to", "timezone", "hold"))
_MENTION = re.compile(r"<(?:!(?:here|channel|subteam\^[A-Z0-9]+)|@[A-Z0-9]+)>|@here|@channel")
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")


def parse_routes(value: Any) -> tuple[Route, ...]:
    """All routes, in order."""
    if not isinstance(value, list):
        raise ConfigError("routes: expected a list of routes")
    return tuple(_route(entry, f"routes[{i}]") for i, entry in enumerate(value))


def _route(entry: Any, where: str) -> Route:
    _only(entry, _KEYS, where)
    if not isinstance(entry.get("channel"), str) or not entry["channel"]:
        raise ConfigError(f"{where}.channel: expected a channel ID such as C0123456789")
    namespaces = entry.get("namespaces") or []
    if not isinstance(namespaces, list):
        raise ConfigError(f"{where}.namespaces: expected a list of regular expressions")
    mention = str(entry.get("mention") or "")
    if mention and not _MENTION.fullmatch(mention):
        raise ConfigError(f"{where}.mention: expected <@U0123>, <!subteam^S0123>, @here or @channel")
    quiet, holds = _quiet(entry.get("quiet_hours") or [], f"{where}.quiet_hours")
    return Route(
        channel=entry["channel"],
        match=_patterns(entry, "match", where),
        namespaces=tuple(_pattern(n, where) for n in namespaces),
        workload_labels=_patterns(entry, "workload_labels", where),
        workload_annotations=_patterns(entry, "workload_annotations", where),
        mention={"@here": "<!here>", "@channel": "<!channel>"}.get(mention, mention),
        mentions_warnings=_flag(entry, "mention_warnings", where),
        is_critical=_flag(entry, "critical", where),
        goes_on=_flag(entry, "continue", where),
        quiet=quiet,
        holds=holds,
    )


def _patterns(entry: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    value = entry.get(key) or {}
    if not isinstance(value, dict):
        raise ConfigError(f"{where}.{key}: expected names and the regular expressions that their values must match")
    return {str(name): _pattern(pattern, where) for name, pattern in value.items()}


def _pattern(value: Any, where: str) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)  # YAML's true is the label's "true"
    try:
        re.compile(text)
    except re.error as exc:
        raise ConfigError(f"{where}: {text!r} is no regular expression: {exc}") from exc
    return text


def _flag(entry: Mapping[str, Any], key: str, where: str) -> bool:
    value = entry.get(key)
    if value not in (None, True, False):
        raise ConfigError(f"{where}.{key}: expected true or false")
    return bool(value)


def _quiet(value: Any, where: str) -> tuple[tuple[QuietHours, ...], bool]:
    """The periods of a route, and whether warnings wait for their end: one mapping, or a list of them."""
    entries = value if isinstance(value, list) else [value]
    periods, holds = [], False
    for entry in entries:
        _only(entry, _QUIET_KEYS, where)
        holds = _flag(entry, "hold", where) or holds
        periods.append(
            QuietHours(
                days=_days(entry.get("days"), where), start_min=_minutes(entry.get("from"), f"{where}.from", most=MINUTES_A_DAY - 1),
                end_min=_minutes(entry.get("to"), f"{where}.to", most=MINUTES_A_DAY), zone=_zone(entry.get("timezone"), where),
            )
        )  # fmt: skip
    return tuple(periods), holds


def _days(value: Any, where: str) -> frozenset[int]:
    """`[sat, sun]`, `mon-fri`, or nothing for every day."""
    if value is None:
        return frozenset(range(len(DAYS)))
    days: set[int] = set()
    for part in value if isinstance(value, list) else str(value).split(","):
        first, _, last = (p.strip().lower()[:3] for p in str(part).partition("-"))
        if first not in DAYS or (last and last not in DAYS):
            raise ConfigError(f"{where}.days: {part!r} is no day: expected for example [sat, sun] or mon-fri")
        start, end = DAYS.index(first), DAYS.index(last or first)
        days |= {(start + i) % len(DAYS) for i in range((end - start) % len(DAYS) + 1)}
    return frozenset(days)


def _minutes(value: Any, where: str, *, most: int) -> int:
    # YAML reads an unquoted 22:00 as the number 1320 (base 60): which is the minutes since midnight.
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else value
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 0 <= minutes <= most:
        raise ConfigError(f'{where}: expected a time such as "22:00"')
    return minutes


def _zone(value: Any, where: str) -> ZoneInfo:
    """A zone is always named: the receiver's own clock is most often UTC, which is nobody's night."""
    try:
        return ZoneInfo(str(value or "").strip())
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ConfigError(f"{where}.timezone: {str(value)[:60]!r} is no time zone known here: expected for example Europe/Berlin") from exc


def _only(entry: Any, known: frozenset[str], where: str) -> None:
    names = ", ".join(sorted(known))
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected a mapping with {names}")
    # YAML 1.1 reads some bare words as booleans, but none of these.
    if unknown := sorted(str(k) for k in entry if k not in known):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {names}")
