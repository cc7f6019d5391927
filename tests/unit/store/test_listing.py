"""The list of incidents: what is found, how it is counted, what comes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.domain import drill
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident_memory import Acknowledgement, FixNote, GivenVerdict, IncidentMemory, LookSummary, Owner, Silence
from receiver.domain.units import from_epoch
from receiver.store import incidents, listing
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.listing import Filter
from receiver.store.schema import LISTED_SINCE, migrate, set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store

NOW = 1_731_229_200.0
AT = from_epoch(NOW)
LEAK = LookSummary(verdict=GivenVerdict(cause="leak", confidence=0.9), kill_kind="container_oom", node="worker-7")
OWNED = IncidentMemory(acknowledged=Acknowledgement(by="Ines", at=AT))
FIXED = IncidentMemory(fix=FixNote(by="Ines", at=AT))
SILENT = IncidentMemory(silence=Silence(by="Tom", asked_at=AT, until=from_epoch(NOW + 3600)))


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Tx]:
    """A transaction on an empty store."""
    store = Store.open_sqlite(tmp_path / "state.db", clock=lambda: NOW)
    with store.write() as tx:
        yield tx
    store.close()


def put(
    tx: Tx, name: str, *, memory: IncidentMemory | None = None, state: str = "firing", severity: str = "warning", namespace: str = "shop",
    seen: float = NOW, key: str = "", closed: bool = False,
) -> str:  # fmt: skip
    """An incident of a workload; its id is its name."""
    incidents.insert(
        tx,
        Incident(
            id=name, key=key or name, state="firing", severity=severity, opened_at=seen, first_seen=seen, last_seen=seen,
            subject=Subject(cluster="lab", namespace=namespace, pod=f"{name}-1", container="app", node="", workload=Workload(kind="Deployment", name=name)),
            memory=memory or IncidentMemory(),
        ),
    )  # fmt: skip
    if state != "firing":
        incident = incidents.load(tx, name)
        assert incident is not None
        incidents.touch(tx, incident, state=state, severity=severity, now=seen)
    if closed:
        incidents.close(tx, name, now=seen, state=state)
    return name


def found(tx: Tx, now: float = NOW, **wanted: object) -> list[str]:
    """The ids, in the order of the list."""
    return [one.id for one in listing.page(tx, Filter(**wanted), now=now, limit=50)]  # type: ignore[arg-type]


def test_what_needs_a_person_comes_first(tx: Tx) -> None:
    """What fires and nobody owns, critical before warning; what was fixed and what is over last."""
    put(tx, "over", state="resolved", closed=True)
    put(tx, "fixed", memory=FIXED)
    put(tx, "silent", memory=SILENT)
    put(tx, "owned", memory=OWNED)
    put(tx, "not-fixed", state="resolved")
    put(tx, "info", severity="info")
    put(tx, "warning")
    put(tx, "critical", severity="critical", seen=NOW - 60)

    assert found(tx) == ["critical", "warning", "info", "not-fixed", "owned", "silent", "fixed", "over"]
    assert found(tx, stage="open") == ["critical", "warning", "info", "not-fixed", "owned", "silent", "fixed"]
    assert found(tx, stage="silenced") == ["silent"]


def test_states_are_counted_whichever_is_asked_for(tx: Tx) -> None:
    """So that a reader sees what the others hold."""
    put(tx, "a")
    put(tx, "b", memory=OWNED)
    put(tx, "c", namespace="pay")
    counts = listing.counts(tx, Filter(namespace="shop", stage="firing"), now=NOW)

    assert (counts["firing"], counts["acknowledged"], counts["closed"]) == (1, 1, 0)
    assert listing.how_many(counts, "open") == listing.how_many(counts, "") == 2


def test_a_silence_that_ended_is_none(tx: Tx) -> None:
    """Nobody writes anything when it does."""
    put(tx, "silent", memory=SILENT)

    assert found(tx, stage="firing", now=NOW + 3601) == ["silent"]


def test_what_is_remembered_later_is_found(tx: Tx) -> None:
    """A look, an owner, a person."""
    put(tx, "orders")
    incidents.save_memory(tx, "orders", replace(OWNED, look=LEAK, owner=Owner(labels={"team": "Payments"})))

    assert found(tx, cause="leak") == found(tx, words=("payments", "ines")) == found(tx, words=("worker-7",)) == ["orders"]
    assert found(tx, stage="acknowledged") == ["orders"]


@pytest.mark.parametrize("word", ["ORDERS", "shop/orders/app", "lab", "deployment", "ders-1"])
def test_a_name_is_found_by_any_part_of_it(tx: Tx, word: str) -> None:
    """In capitals or not."""
    put(tx, "orders")

    assert found(tx, words=(word,)) == ["orders"]


@pytest.mark.parametrize("word", ["%", "_", "!", "o%s", "'", "\\"])
def test_no_character_of_a_word_is_special(tx: Tx, word: str) -> None:
    """They are looked for like any other."""
    put(tx, "orders")
    put(tx, f"odd{word}name")

    assert found(tx, words=(word,)) == [f"odd{word}name"]


def test_a_name_that_no_database_takes_is_stored_without_what_it_does_not_take(tx: Tx) -> None:
    """PostgreSQL has no NUL in a text."""
    put(tx, "orders", namespace="sh\0op")

    assert found(tx, namespace="shop") == ["orders"]


def test_since_asks_for_what_fired_then_or_changed_later(tx: Tx) -> None:
    """What still fires has not ended, however long ago it began."""
    put(tx, "old-firing", seen=NOW - 9000)
    put(tx, "old-over", seen=NOW - 9000, state="resolved", closed=True)
    put(tx, "new-over", state="resolved", closed=True)

    assert found(tx, since=NOW - 3600) == ["old-firing", "new-over"]


def test_tests_and_duplicates_are_in_no_list(tx: Tx) -> None:
    """A test alert is no incident, and a merged one is another."""
    put(tx, "drill", key=drill.key_of("1"))
    put(tx, "twin")
    put(tx, "orders")
    incidents.merge(tx, duplicate_id="twin", into_id="orders", now=NOW)

    assert found(tx) == ["orders"]


def test_pages_follow_each_other(tx: Tx) -> None:
    """Without a gap and without anything twice, also where all are of the same time."""
    names = [put(tx, f"svc{n:02}") for n in range(25)]
    pages = [one.id for n in range(3) for one in listing.page(tx, Filter(), now=NOW, limit=10, offset=n * 10)]

    assert sorted(pages) == names


def test_kills_of_a_day_are_kept_by_hour(tx: Tx) -> None:
    """A row that is damaged has no picture, and stays in the list."""
    put(tx, "orders")
    listing.note_kills(tx, "orders", 2, [NOW - 7200, NOW], known_until=None, newest_at=None, now=NOW)
    (kills,) = listing.page(tx, Filter(), now=NOW, limit=1)
    tx.run("UPDATE incident_listed SET kill_hours = 'x'")
    (damaged,) = listing.page(tx, Filter(), now=NOW, limit=1)

    assert (sum(kills.kills), kills.kills[-1], sum(damaged.kills)) == (2, 1, 0)


def test_those_of_an_older_release_are_listed_after_the_upgrade(tmp_path: Path) -> None:
    """With what they remember."""
    database = SqliteDatabase.open(tmp_path / "old.db")
    migrate(database, now=NOW)
    with database.transaction() as tx:
        put(tx, "orders", memory=replace(OWNED, look=LEAK))
        tx.run("DROP TABLE incident_listed")
        set_meta(tx, "schema", str(LISTED_SINCE - 1))
    migrate(database, now=NOW)
    with database.transaction() as tx:
        assert found(tx, stage="acknowledged", cause="leak") == ["orders"]
    database.close()
