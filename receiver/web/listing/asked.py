"""What an address asks of the list: the filter and the page. The same words for people, files and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from receiver.domain.report import CauseName
from receiver.domain.units import parse_duration_s, parse_time
from receiver.store import listing
from receiver.store.listing import Filter

STATES = (listing.OPEN, *listing.STAGES)
CAUSES = tuple(cause.value for cause in CauseName)
NAMES = ("state", "namespace", "cause", "severity", "q", "since", "page")
TEXT_MAX, MOST_WORDS, MOST_PAGES = 200, 8, 10_000
LONGEST_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`values`: what is asked for, as the address has it. `problems`: why a value was left out, by name."""

    wanted: Filter = field(default_factory=Filter)
    page: int = 1
    values: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> Mapping[str, str]:
        """The same with all names; empty: not asked for."""
        return {name: self.values.get(name, "") for name in NAMES}

    @property
    def is_filtered(self) -> bool:
        """Whether anything but a state is asked for."""
        return any(name not in ("state", "page") for name in self.values)

    def query(self, **changes: str) -> str:
        """The same as the query of an address, with other values; an empty one takes it away. The page is the first, unless it is given."""
        values = {name: value for name, value in self.values.items() if name != "page"} | changes
        return urlencode([(name, values[name]) for name in NAMES if values.get(name)])


def asked_for(given: Mapping[str, str], *, now: float) -> Asked:
    """What the parameters of an address say. Whatever is wrong is left out, and in `problems`."""
    values = {name: given[name].strip() for name in NAMES if given.get(name, "").strip()}
    problems = {name: why for name, value in values.items() if (why := _problem(name, value, now))}
    problems |= {name[:TEXT_MAX]: f"is not known; known are {', '.join(NAMES)}" for name in given if name not in NAMES}
    values = {name: value for name, value in values.items() if name not in problems}
    wanted = Filter(
        namespace=values.get("namespace", ""), cause=values.get("cause", ""), severity=values.get("severity", ""), stage=values.get("state", ""),
        words=tuple(values.get("q", "").split()[:MOST_WORDS]), since=_since(values["since"], now) if "since" in values else None,
    )  # fmt: skip
    return Asked(wanted=wanted, page=int(values.get("page", "1")), values=values, problems=problems)


def _problem(name: str, value: str, now: float) -> str:
    """Why a value is none; empty when it is one."""
    if len(value) > TEXT_MAX or "\0" in value:
        return f"is longer than {TEXT_MAX} characters" if len(value) > TEXT_MAX else "has a character that no name has"
    one_of = {"state": STATES, "cause": CAUSES}.get(name)
    if one_of is not None and value not in one_of:
        return f"must be one of {', '.join(one_of)}"
    if name == "page" and not (value.isascii() and value.isdigit() and 1 <= int(value) <= MOST_PAGES):
        return f"must be a number from 1 to {MOST_PAGES}"
    if name == "since" and _since(value, now) is None:
        return "must be a span such as 24h or 7d, or a time such as 2026-12-01T03:14:00Z"
    return ""


def _since(value: str, now: float) -> float | None:
    """A span back from now, or a time. None: neither."""
    try:
        span_s = parse_duration_s(value)
    except ValueError:
        at = parse_time(value)
        return at.timestamp() if at is not None else None
    return now - span_s if 0 <= span_s <= LONGEST_S else None
