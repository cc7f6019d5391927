"""A row that cannot be read costs itself: the batch, the other incidents, the channel and the pages go on, restarts too."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.alerts import RESOLVED, Alert
from receiver.domain.conversation_memory import ConversationMemory
from receiver.domain.identity import Subject
from receiver.domain.incident import Message
from receiver.pipeline import fold as folding
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts, conversations, incident_lists, incidents, jobs, outbox, quarantine, sending
from receiver.store.incidents import Incident
from receiver.store.schema import MIGRATIONS, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.support import Clock, alert

KEPT = "orders-api-655779759d-jst99"
OTHER = "cart-7d4b9c8f6d-x2x4z"


class Shelf:
    """A store over a clock that tests turn, and hands to damage it with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)

    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open_sqlite(self.path, clock=self.clock.now)

    def damage(self, table: str, column: str, value: object) -> None:
        """Write a value into the newest row of a table, as a fault would."""
        with self.store.write() as tx:
            tx.run(f"UPDATE {table} SET {column} = :v WHERE rowid = (SELECT MAX(rowid) FROM {table})", v=value)

    def take(self, *new: Alert) -> None:
        self.store.accept(new)
        self.fold()

    def fold(self) -> None:
        while fold(self.store, FoldConfig()):
            pass

    def look(self, what: Callable[[Any], Any]) -> Any:
        with self.store.read() as tx:
            return what(tx)

    def open_incidents(self) -> list[Incident]:
        with self.store.read() as tx:
            return [i for i in incident_lists.newest(tx, 100) if i.closed_at is None]

    def due_jobs(self) -> list[jobs.Job]:
        with self.store.write() as tx:
            return jobs.claim(tx, now=self.clock.now() + 1e6, epoch=self.store.epoch, limit=100)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path / "state.db")
    yield shelf
    shelf.store.close()


def stored(**fields: object) -> str:
    """An alert's row with something changed."""
    return json.dumps({"v": 1, **alert(pod=OTHER, container="cart").to_json(), **fields})


@pytest.mark.parametrize(
    "payload",
    [
        "{", "", "[]", "null", "{}", b"\xff\xfe", stored(startsAt="0001-12-31T10:00:00Z"), stored(startsAt="soon"), stored(labels=[]),
        stored(labels={"a": 1}), stored(status="on"), stored(status=[]), "[" * 100_000,
    ],
    ids=range(13),
)  # fmt: skip
def test_an_alert_that_cannot_be_read_holds_up_no_other(shelf: Shelf, payload: object, caplog: pytest.LogCaptureFixture) -> None:
    """The next alert is folded in the same batch; the next start does not meet the first one again."""
    shelf.store.accept([alert(pod=OTHER, container="cart")])
    shelf.damage("alert", "payload", payload)
    shelf.take(alert(pod=KEPT))
    first = [i.subject.pod for i in shelf.open_incidents()]
    n_said = len(caplog.messages)
    shelf.reopen()
    shelf.take(alert(pod="db-0", container="db"))

    assert first == [KEPT]
    assert {i.subject.pod for i in shelf.open_incidents()} == {"db-0", KEPT}
    assert shelf.store.quarantined() == {"alert": 1}
    assert n_said == len(caplog.messages) == 1


def test_torn_characters_are_read_as_such(shelf: Shelf) -> None:
    """A flipped bit inside a text costs a character, not the row and not the answer it is part of."""
    shelf.store.accept([alert(pod=OTHER, container="cart", annotations={"summary": "torn"})])
    with shelf.store.write() as tx:
        tx.run("UPDATE alert SET payload = CAST(replace(CAST(payload AS BLOB), CAST('torn' AS BLOB), x'746fff6e') AS TEXT)")
    shelf.take(alert(pod=KEPT))

    assert len(shelf.open_incidents()) == 2
    assert shelf.store.quarantined() == {}


def test_an_alert_that_is_sent_again_gets_another_chance(shelf: Shelf) -> None:
    """It still fires, so Alertmanager repeats it: what was torn in the store is whole in the repetition."""
    shelf.store.accept([alert()])
    shelf.damage("alert", "payload", "{")
    shelf.fold()
    before = shelf.open_incidents()
    shelf.take(alert())

    assert before == []
    assert len(shelf.open_incidents()) == 1
    assert shelf.store.quarantined() == {}


def test_a_quarantined_alert_is_no_heartbeat(shelf: Shelf) -> None:
    """It belongs to no incident and fires, and is not the alert that always does."""
    shelf.store.accept([alert()])
    shelf.damage("alert", "payload", "{")
    shelf.fold()

    assert shelf.look(alerts.last_heartbeat) is None


def test_an_alert_that_cannot_be_folded_holds_up_no_other(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with one alert, nothing of it stays behind and the batch is taken."""
    original = folding._open

    def fail_for_cart(tx: Any, key: str, subject: Subject, new: Alert, *, now: float) -> Incident:
        opened = original(tx, key, subject, new, now=now)
        if "cart" in key:
            raise OverflowError("date value out of range")
        return opened

    monkeypatch.setattr(folding, "_open", fail_for_cart)
    shelf.take(alert(pod=OTHER, container="cart"), alert(pod=KEPT))

    assert [i.subject.pod for i in shelf.open_incidents()] == [KEPT]
    assert shelf.store.quarantined() == {"alert": 1}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject", "{"), ("subject", "[]"), ("subject", ""), ("data", "{"), ("data", "[1]"), ("data", "null"), ("data", '{"version": 99}'), ("data", '{"version": 1, "kills": 5}'), ("report", "{"),
        ("report", "[]"), ("state", "burning"), ("opened_at", "yesterday"), ("opened_at", 1e300), ("first_seen", -1e12),
        ("last_seen", "now"), ("resolved_at", "soon"), ("gathered_at", b"\x00"), ("revision", "many"),
    ],
    ids=str,
)  # fmt: skip
def test_an_incident_that_cannot_be_read_is_opened_anew_and_holds_up_no_other(shelf: Shelf, column: str, value: object) -> None:
    """Its alert still fires: a new incident tells it. The other incidents do not notice."""
    shelf.take(alert(pod=KEPT))
    shelf.take(alert(pod=OTHER, container="cart"))
    shelf.due_jobs()
    (broken,) = (i.id for i in shelf.open_incidents() if i.subject.pod == OTHER)
    shelf.damage("incident", column, value)
    first = shelf.look(lambda tx: (incidents.load(tx, broken), [i.subject.pod for i in incident_lists.newest(tx, 100)]))
    shelf.reopen()
    shelf.fold()
    again = shelf.open_incidents()
    shelf.reopen()
    shelf.fold()

    assert first == (None, [KEPT])
    assert sorted(i.subject.pod for i in again) == [OTHER, KEPT]
    assert broken not in {i.id for i in again}
    assert again == shelf.open_incidents()
    assert {job.subject_id for job in shelf.due_jobs()} >= {i.id for i in again if i.subject.pod == OTHER}
    assert shelf.store.quarantined() == {"incident": 1}


def test_alerts_change_hands_once_however_often_their_incidents_break(shelf: Shelf) -> None:
    """Should every incident be unreadable (our fault, then), there are two of one alert and not thousands."""
    shelf.take(alert())
    for _ in range(5):
        shelf.damage("incident", "data", "[]")
        shelf.open_incidents()
        shelf.fold()

    assert shelf.look(lambda tx: tx.run("SELECT COUNT(*) AS n FROM incident")[0]["n"]) == 2
    assert shelf.store.quarantined() == {"incident": 2}


def test_a_closed_incident_that_cannot_be_read_is_no_predecessor(shelf: Shelf) -> None:
    """A new kill opens its incident all the same; the alerts of what is over stay where they are."""
    shelf.take(alert(started=shelf.clock.now()))
    shelf.take(alert(started=shelf.clock.now(), status=RESOLVED))
    shelf.due_jobs()
    with shelf.store.write() as tx:
        tx.run("DELETE FROM job")
    shelf.clock.advance(90_000)
    shelf.store.tidy(reopen_window_s=86_400, retention_s=1e6)
    shelf.damage("incident", "report", "[")
    shelf.take(alert(started=shelf.clock.now()))

    (again,) = shelf.open_incidents()
    assert again.previous_id is None
    assert shelf.store.quarantined() == {"incident": 1}


@pytest.mark.parametrize("stored", [b"", b"junk", b"x\x9c\xab\xae\x05\x00\x01u\x00\xf9", "text"], ids=["empty", "junk", "no case", "text"])
def test_evidence_that_cannot_be_read_is_gathered_anew(shelf: Shelf, stored: object) -> None:
    """The incident lives on without it; the next look brings another."""
    shelf.take(alert())
    shelf.damage("incident", "evidence", stored)
    (incident,) = shelf.open_incidents()
    case = shelf.look(lambda tx: incidents.evidence_of(tx, incident.id))

    assert case is None
    assert shelf.look(lambda tx: incidents.case_for_replay(tx, incident.id)) is None
    assert shelf.open_incidents() == [incident]
    assert shelf.store.quarantined() == {"evidence": 1}


@pytest.mark.parametrize(("column", "value"), [("payload", "{"), ("payload", "[]"), ("payload", 5), ("payload", b"\xff")], ids=str)
def test_a_job_that_cannot_be_read_is_a_dead_letter(shelf: Shelf, column: str, value: object) -> None:
    """The others are handed out; it is listed, and can be dropped."""
    with shelf.store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
        jobs.schedule(tx, "enrich", "inc_2", now=0.0)
    shelf.damage("job", column, value)
    claimed = [job.subject_id for job in shelf.due_jobs()]
    dead = shelf.look(jobs.dead)
    with shelf.store.write() as tx:
        jobs.drop_dead(tx, None)
        quarantine.tidy(tx)

    assert claimed == ["inc_1"]
    assert [row["subject_id"] for row in dead] == ["inc_2"]
    assert shelf.store.quarantined() == {}


def test_a_start_is_not_stopped_by_what_was_running(shelf: Shelf) -> None:
    """A job that was under way when the receiver died, and cannot be read."""
    with shelf.store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
    shelf.due_jobs()
    shelf.damage("job", "payload", "{")
    shelf.reopen()

    assert shelf.due_jobs() == []
    assert shelf.store.quarantined() == {"job": 1}


def say(shelf: Shelf, *texts: str) -> str:
    with shelf.store.write() as tx:
        told = conversations.open_new(tx, kind="digest", incident_id=None, sink="fake", channel="C1", mention="", now=shelf.clock.now())
        for i, text in enumerate(texts):
            outbox.desire(tx, told.id, Message(slot="root" if i == 0 else f"r{i}", text=text), now=shelf.clock.now() + i)
    return told.id


def sent(shelf: Shelf) -> list[str]:
    """What a sender would send, in order."""
    found: list[str] = []
    with shelf.store.write() as tx:
        while outgoing := outbox.next_outgoing(tx, sink="fake", channel="C1", now=shelf.clock.now()):
            sending.arrived(tx, outgoing, ts=str(len(found)), revision=outgoing.revision, now=shelf.clock.now())
            found.append(outgoing.body["text"])
    return found


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("desired_body", "{"), ("desired_body", "[]"), ("desired_body", "{}"), ("desired_body", '{"text": 1, "blocks": []}'),
        ("desired_body", '{"text": "x", "blocks": {}}'), ("desired_body", b"\xff"), ("created_at", "once"), ("desired_rev", "latest"),
        ("attempts", "often"),
    ],
    ids=str,
)  # fmt: skip
def test_a_message_that_cannot_be_read_holds_up_no_other(shelf: Shelf, column: str, value: object) -> None:
    """The channel's other messages go out; the page shows them; what is said anew in its place is sent."""
    told = say(shelf, "killed")
    with shelf.store.write() as tx:
        tx.run(f"UPDATE message SET {column} = :v", v=value)
    say(shelf, "another")
    first = sent(shelf)
    texts = shelf.look(lambda tx: [m.words for m in outbox.shown(tx, told)])
    quarantined = shelf.store.quarantined()
    with shelf.store.write() as tx:
        tx.run("UPDATE message SET created_at = 1, desired_rev = 1, attempts = 0 WHERE state = 'dead'")
        outbox.desire(tx, told, Message(slot="root", text="killed twice"), now=shelf.clock.now())
        quarantine.tidy(tx)

    assert first == ["another"]
    assert texts == ([] if column == "desired_body" else ["killed"])
    assert quarantined == {"message": 1}
    assert sent(shelf) == ["killed twice"]
    assert shelf.store.quarantined() == {}


@pytest.mark.parametrize("due_at", ["never", 1e300, b""])
def test_what_is_never_due_is_noticed(shelf: Shelf, due_at: object) -> None:
    """A due time that is none would wait for ever, and stop whoever computes with it."""
    say(shelf, "killed")
    with shelf.store.write() as tx:
        jobs.schedule(tx, "enrich", "inc_1", now=0.0)
        tx.run("UPDATE message SET due_at = :v", v=due_at)
        tx.run("UPDATE job SET due_at = :v", v=due_at)
    idle = shelf.look(lambda tx: (jobs.next_due(tx), outbox.channels_due(tx)))
    shelf.store.tidy(reopen_window_s=1.0, retention_s=1e6)

    assert idle == (None, [])
    assert shelf.store.quarantined() == {"job": 1, "message": 1}


def test_a_conversation_that_cannot_be_read_keeps_its_place(shelf: Shelf) -> None:
    """What a storm remembers between edits is lost, not where it stands."""
    told = say(shelf, "storm")
    shelf.damage("conversation", "data", "{")
    found = shelf.look(lambda tx: conversations.open_digest(tx, sink="fake", channel="C1"))

    assert found is not None
    assert (found.id, found.memory) == (told, ConversationMemory())
    assert shelf.store.quarantined() == {"conversation": 1}


def test_a_state_file_that_an_older_release_left_with_a_poison_alert(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The upgrade drains it: the alerts behind the poison one are folded at last."""
    path = tmp_path / "state.db"
    database = SqliteDatabase.open(path)
    with database.transaction() as tx:
        tx.run("CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL)")
        for migration in MIGRATIONS[:2]:
            for statement in migration(database.dialect):
                tx.run(statement)
        set_meta(tx, "schema", "2")
        for key, payload in (("a", stored(startsAt="0001-12-31T10:00:00Z")), ("b", stored())):
            tx.run(
                """INSERT INTO alert (dedup_key, fingerprint, status, starts_at, payload, first_seen, last_seen)
                   VALUES (:k, :k, 'firing', 0, :payload, 1, 1)""",
                k=key,
                payload=payload,
            )
    database.close()
    with caplog.at_level(logging.ERROR):
        shelf = Shelf(path)
        shelf.fold()
        opened = [i.subject.pod for i in shelf.open_incidents()]
        quarantined = shelf.store.quarantined()
        shelf.store.close()

    assert opened == [OTHER]
    assert quarantined == {"alert": 1}
    assert [r.kind for r in caplog.records] == ["alert"]  # type: ignore[attr-defined]
