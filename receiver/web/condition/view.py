"""The receiver's condition as its page shows it: of what /readyz says, what waits, what was put aside, and the settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.domain.units import from_epoch, human_bytes, human_duration
from receiver.render.text import clean_line
from receiver.store.database import Row

FINE = ("ok", "configured", "dispatcher", "standby", "ready")
MOST_DEAD = 200  # that a page lists; the buttons mean each by itself, or all
STATES = ("problem", "unknown", "advice", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing and how it is. `is_fine` None: neither good nor bad."""

    name: str
    said: str
    is_fine: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits: how much, and since when the oldest of it. `age` empty: nothing."""

    what: str
    count: int
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message or job that was put aside. `incident` empty: of none."""

    id: str
    what: str
    since: datetime
    incident: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, a secret masked, and where it comes from."""

    name: str
    value: str
    source: str

    @property
    def is_default(self) -> bool:
        """Whether nobody set it."""
        return self.source == "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionPage:
    """All of it. `is_ready`: alerts are taken. `more_dead`: dead letters that are not listed."""

    version: str
    is_ready: bool
    why_not: str
    role: str
    lines: tuple[Line, ...]
    waiting: tuple[Waiting, ...]
    dead: tuple[DeadLetter, ...]
    more_dead: int
    gaps: tuple[Line, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlogs:
    """(how many, since when the oldest) of messages, jobs and alerts, and what was put aside."""

    messages: tuple[int, float | None]
    jobs: tuple[int, float | None]
    alerts: tuple[int, float | None]
    dead_messages: Sequence[Row]
    dead_jobs: Sequence[Row]


def condition_page(
    ready: Mapping[str, Any], backlogs: Backlogs, settings: Iterable[tuple[str, str, str]], *, version: str, now: float
) -> ConditionPage:  # fmt: skip
    """The page. `ready`: the document of /readyz; a key of it that is not known here is shown as it is."""
    dead = [*_dead_messages(backlogs.dead_messages), *_dead_jobs(backlogs.dead_jobs)]
    is_ready = ready.get("status") == "ready"
    return ConditionPage(
        version=version, is_ready=is_ready, why_not="" if is_ready else clean_line(str(ready.get("store", "")), 300), role=str(ready.get("role", "")),
        lines=tuple(_lines(ready)),
        waiting=tuple(
            Waiting(what=what, count=n, age=human_duration(max(now - oldest, 0.0)) if n and oldest is not None else "")
            for what, (n, oldest) in (("messages", backlogs.messages), ("jobs", backlogs.jobs), ("alerts", backlogs.alerts))
        ),
        dead=tuple(dead[:MOST_DEAD]), more_dead=max(len(dead) - MOST_DEAD, 0), gaps=tuple(_gaps(ready.get("configuration"))),
        settings=tuple(Setting(name=name, value=clean_line(value, 300), source=clean_line(source, 120)) for name, value, source in settings),
    )  # fmt: skip


def _lines(ready: Mapping[str, Any]) -> Iterable[Line]:
    volume = ready.get("volume")
    if isinstance(volume, Mapping):
        free = volume.get("free_bytes")
        size = human_bytes(volume.get("store_bytes") or 0)
        said = f"{size}, {human_bytes(free)} free" if isinstance(free, int | float) else size
        yield Line(
            name="volume",
            said=clean_line(f"{said}. {volume['problem']}", 300) if "problem" in volume else said,
            is_fine="problem" not in volume,
        )
    for key in ("store", "dispatcher", "slack_socket"):
        if key in ready:
            yield _line(key, ready[key])
    for key in ("sink", "channel", "sources", "quarantined"):
        found = ready.get(key)
        for name, said in found.items() if isinstance(found, Mapping) else ():
            yield _line(f"{key} {name}", said)
    watch = ready.get("watch")
    if isinstance(watch, Mapping):
        for source, why in (watch.get("problems") or {}).items():
            yield Line(name=f"watch {source}", said=clean_line(str(why), 300), is_fine=False)
        if "newest_round" in watch:
            yield Line(name="watch", said=f"{watch['newest_round']}, {watch.get('incidents', 0)}", is_fine=None)


def _line(name: str, said: object) -> Line:
    text = clean_line(str(said), 300)
    return Line(name=clean_line(name, 80), said=text, is_fine=None if text == "not configured" else text in FINE)


def _gaps(found: object) -> Iterable[Line]:
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping):
            name = ", ".join(str(s) for s in one["sources"]) if isinstance(one.get("sources"), list) else str(one.get("source", ""))
            yield Line(name=clean_line(name, 120), said=clean_line(str(one.get("hint") or one.get("why") or ""), 400), is_fine=False)


def _dead_messages(rows: Iterable[Row]) -> Iterable[DeadLetter]:
    for row in rows:
        yield DeadLetter(
            id=str(row["id"]), what=clean_line(f"{row['slot']} in {row['sink']} {row['channel']}", 120), since=from_epoch(row["created_at"]),
            incident=str(row["incident_id"] or ""), error=clean_line(str(row["last_error"] or ""), 300),
        )  # fmt: skip


def _dead_jobs(rows: Iterable[Row]) -> Iterable[DeadLetter]:
    for row in rows:
        is_of_incident = str(row["subject_id"]).startswith("inc_")
        yield DeadLetter(
            id=f"job-{row['id']}", what=clean_line(f"job {row['kind']}", 80), since=from_epoch(row["created_at"]),
            incident=str(row["subject_id"]) if is_of_incident else "", error=clean_line(str(row["last_error"] or ""), 300),
        )  # fmt: skip
