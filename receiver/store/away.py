"""What the store knows of the times in which nobody listened, and of who sends alerts here: notes that survive a restart."""

from __future__ import annotations

import json
from dataclasses import dataclass

from receiver.domain.away import ALERTMANAGER, Gap
from receiver.domain.typed_json import from_json, to_json
from receiver.domain.units import from_epoch
from receiver.store.database import Tx
from receiver.store.schema import INSTALLED_AT, get_meta, set_meta

MOST_GAPS, MOST_RECEIVERS = 10, 20
_ALIVE, _GAPS, _RECEIVERS, _PROBE, _SILENCE = "alive_at", "gaps", "receivers", "probe", "heartbeat:silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gaps:
    of: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing has come from Alertmanager `since` then (seconds since 1970). `notice`: the conversation that says so."""

    since: float
    notice: str


def silent_since(tx: Tx) -> Silence | None:
    """The silence that was told and is not over."""
    stored = get_meta(tx, _SILENCE)
    try:
        return from_json(Silence, json.loads(stored)) if stored else None
    except ValueError:
        return None


def note_silence(tx: Tx, silence: Silence | None) -> None:
    """It was told; None: it is over."""
    set_meta(tx, _SILENCE, json.dumps(to_json(silence)) if silence is not None else "")


def installed_at(tx: Tx) -> float | None:
    """When there was a receiver for the first time; None where a release made the state file that did not note it."""
    found = get_meta(tx, INSTALLED_AT)
    return float(found) if found is not None else None


def beat(tx: Tx, *, now: float) -> None:
    """The receiver runs and can write."""
    set_meta(tx, _ALIVE, str(now))


def last_beat(tx: Tx) -> float | None:
    """When it did last; None for a new state file. A release that wrote no such note was asked whether it is ready now and then."""
    found = get_meta(tx, _ALIVE) or get_meta(tx, _PROBE)
    return float(found) if found is not None else None


def note_gap(tx: Tx, gap: Gap) -> None:
    """Remember a gap: what began in it is told late, whoever brings it."""
    set_meta(tx, _GAPS, json.dumps(to_json(_Gaps(of=(*gaps(tx), gap)[-MOST_GAPS:]))))


def gaps(tx: Tx, *, now: float | None = None) -> tuple[Gap, ...]:
    """The newest gaps, oldest first; with `now` also a silence that lasts until now, as far as anybody knows."""
    stored = get_meta(tx, _GAPS)
    try:
        known = from_json(_Gaps, json.loads(stored)).of if stored else ()
    except ValueError:  # written by a newer release: a mark less
        known = ()
    silence = silent_since(tx) if now is not None else None
    if silence is None or now is None:
        return known
    return (*known, Gap(since=from_epoch(silence.since), until=from_epoch(now), whose=ALERTMANAGER))


def note_receiver(tx: Tx, name: str) -> None:
    """Alertmanager calls us by this name: one of its `receivers`."""
    known = receivers(tx)
    if name and name not in known:
        set_meta(tx, _RECEIVERS, json.dumps([*known, name][-MOST_RECEIVERS:]))


def receivers(tx: Tx) -> tuple[str, ...]:
    """The names of the receivers that lead here."""
    stored = get_meta(tx, _RECEIVERS)
    return tuple(str(name) for name in json.loads(stored)) if stored else ()
