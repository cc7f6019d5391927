"""Opening a state file, whatever has become of it: checked, kept aside when it is damaged, and with what must be told of it.

What must be told survives a crash: a file that was kept aside is told of until the store has noted that it was, and a copy (a
backup, or what was saved of a deleted file) carries the note that it is one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from receiver.errors import StoreBroken, StoreDamaged, StoreError, StoreUnwritable
from receiver.store import elsewhere, journal, outbox
from receiver.store.database import Tx
from receiver.store.salvage import Salvaged, salvage, salvaged_from
from receiver.store.schema import get_meta, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.volume import DAMAGED, is_held, keep_aside, newest_kept, sweep_parts, wal_of

log = logging.getLogger(__name__)

CHECK_S = 10.0  # at most, of reading the whole file at the start; 700 MiB take about 3 s once they are cached
BACKUP, SAVED, JOURNAL_GONE = "backup", "saved", "journal_gone"
COPY, OPEN = "copy", "open"  # notes: this file is a copy, and of when; a receiver has the file open


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the state that people must hear of.

    `what`: damaged or replaced (a file was kept aside, under `name`), backup or saved (a copy as of `at`, seconds since 1970), or
    journal_gone. `note`: what to write down with the telling of it, so that it is told once. `salvaged`: what was taken over from a
    damaged file.
    """

    what: str
    name: str = ""
    at: float | None = None
    note: tuple[str, str] | None = None
    salvaged: Salvaged = field(default_factory=Salvaged)


class _Store(Protocol):
    findings: tuple[Finding, ...]

    def refuse_alerts(self, why: StoreUnwritable) -> None: ...


S = TypeVar("S", bound=_Store)


def open_state(path: Path, make: Callable[[SqliteDatabase], S], *, wait_s: float, keeps_reserve: bool, now: float) -> S:
    """What `make` makes of the state file; of a new one, when the file is damaged. StoreLocked, StoreUnwritable, StoreError."""
    elsewhere.bring_back(path)
    if why := _what_sqlite_does_not_say(path):
        damaged = StoreDamaged(f"the state file {path} {why}")
        log.error("the state file cannot be used any more", extra={"error": str(damaged)})
        keep(path, damaged, now)
    try:
        return _open(path, make, wait_s=wait_s, keeps_reserve=keeps_reserve, now=now)
    except StoreDamaged as exc:
        keep(path, exc, now)
    return _open(path, make, wait_s=wait_s, keeps_reserve=keeps_reserve, now=now)


def open_elsewhere(path: Path, make: Callable[[SqliteDatabase], S], why: StoreUnwritable, *, now: float) -> S:
    """What `make` makes of a copy of a state file that cannot be written, and takes no alerts. StoreError when there can be none."""
    store = _open(elsewhere.copy_of(path), make, wait_s=0.0, keeps_reserve=False, now=now)
    store.refuse_alerts(why)
    log.warning("what waits is delivered from a copy of the state; no alerts are taken", extra={"error": str(why)})
    return store


def _open(path: Path, make: Callable[[SqliteDatabase], S], *, wait_s: float, keeps_reserve: bool, now: float) -> S:
    try:
        database = SqliteDatabase.open(path, wait_s=wait_s, keeps_reserve=keeps_reserve)
    except StoreDamaged as exc:
        log.error("the state file cannot be used any more", extra={"error": str(exc)})
        raise
    try:
        sweep_parts(path)
        database.check_content(CHECK_S)
        store = make(database)
        salvage(database, now=now)
        with database.transaction() as tx:
            store.findings = _findings(tx, database)
            set_meta(tx, OPEN, "1")
        with suppress(StoreError):
            database.checkpoint()  # a journal that is gone can be missed only by the file itself
    except BaseException:
        with suppress(StoreError):
            database.close()
        raise
    return store


def _findings(tx: Tx, database: SqliteDatabase) -> tuple[Finding, ...]:
    """What must be told. In a state that may be older than what was told last, no unsent message is posted without a look for it."""
    found = []
    name = newest_kept(database.path)
    if name and not get_meta(tx, f"told:{name}"):
        what = name.removeprefix(f"{database.path.name}.").partition("-")[0]
        found.append(Finding(what=what, name=name, note=(f"told:{name}", "1"), salvaged=salvaged_from(tx, name)))
    copy = get_meta(tx, COPY)
    if copy:
        of = json.loads(copy)
        found.append(Finding(what=of["what"], at=of["at"], note=(COPY, "")))
    elif get_meta(tx, OPEN) == "1" and not database.had_journal:
        found.append(Finding(what=JOURNAL_GONE))
        log.error("the state file's journal is gone: what was stored last may be lost", extra={"file": str(wal_of(database.path))})
    if {f.what for f in found} & {BACKUP, JOURNAL_GONE}:
        outbox.doubt_unsent(tx)
    return tuple(found)


def _what_sqlite_does_not_say(path: Path) -> str:
    """Of what SQLite would begin anew without a word, and delete the journal; or leave out what was committed. Empty for a good file."""
    wal = wal_of(path)
    try:
        if not path.exists():
            return "is not there, and its journal is" if wal.exists() and wal.stat().st_size > 0 else ""
        if path.stat().st_size == 0:
            return "is empty" if not is_held(path) else ""
        return "has a damaged journal" if wal.exists() and not is_held(path) and journal.is_torn(wal) else ""
    except OSError:
        return ""


def keep(path: Path, why: StoreBroken, now: float) -> None:
    """Move a damaged state file out of the way. StoreError when that is not possible."""
    try:
        aside = keep_aside(path, DAMAGED, now=now)
    except OSError as exc:
        raise StoreError(f"{why}; it cannot be moved out of the way: {exc.strerror}") from exc
    log.warning("the damaged state file is kept aside; the receiver begins with an empty one", extra={"kept": str(aside)})
