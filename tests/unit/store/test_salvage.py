"""What can be read of a damaged state file is taken over: what waits, what is open, what is planned. Nothing twice, nothing made up."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from receiver.domain.incident import Message
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts, conversations, incident_lists, jobs, outbox
from receiver.store.salvage import Salvaged, salvage
from receiver.store.schema import set_meta
from receiver.store.sqlite import SqliteDatabase
from receiver.store.store import Store
from tests.support import Clock, alert

PAGE = 4096
WORKLOADS, PODS, WAITING = 4, 5, 40
DUE_AT = Clock().now() + 86_400


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A stopped receiver's file: open incidents with a thread and a planned look each, one that is closed, and alerts that wait."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    store = Store.open_sqlite(path, clock=Clock().now)
    store.accept(
        [alert(pod=f"w-{w}-{p}", namespace=f"n-{w}", annotations={"text": "x" * 500}) for w in range(WORKLOADS) for p in range(PODS)]
    )
    while fold(store, FoldConfig()):
        pass
    with store.write() as tx:
        first, *others = incident_lists.open_after(tx, "", 100)
        for incident in (first, *others):
            thread = conversations.open_new(
                tx, kind=conversations.INCIDENT, incident_id=incident.id, sink="slack", channel="C1", mention="", now=store.now()
            )
            outbox.desire(tx, thread.id, Message(slot="root", text=incident.id), now=store.now())
            jobs.replan(tx, "enrich", incident.id, now=store.now(), due_at=None)
            jobs.schedule(tx, "followup", incident.id, now=store.now(), due_at=DUE_AT)
        jobs.cancel(tx, first.id)
        tx.run("UPDATE incident SET closed_at = last_seen WHERE id = :id", id=first.id)
        tx.run("UPDATE job SET state = 'running' WHERE subject_id = :id", id=others[0].id)
        set_meta(tx, "receivers", '["oomtriage"]')
    store.accept([alert(pod=f"q-{n}", annotations={"text": "x" * 500}) for n in range(WAITING)])
    store.close()
    return path.read_bytes()


def damaged(state: bytes, folder: Path, at: int, n_bytes: int = 2 * PAGE) -> Path:
    path = folder / "state.db"
    torn = bytearray(state)
    torn[at : at + n_bytes] = random.Random(at).randbytes(n_bytes)
    path.write_bytes(bytes(torn[: len(state)]))
    return path


def counted(store: Store) -> dict[str, int]:
    with store.read() as tx:
        return {
            "waiting": int(tx.run("SELECT COUNT(*) AS n FROM alert WHERE is_folded = 0")[0]["n"]),
            "incidents": int(tx.run("SELECT COUNT(*) AS n FROM incident WHERE closed_at IS NULL")[0]["n"]),
            "closed": int(tx.run("SELECT COUNT(*) AS n FROM incident WHERE closed_at IS NOT NULL")[0]["n"]),
            "doubted": int(tx.run("SELECT COUNT(*) AS n FROM message WHERE state = 'sending'")[0]["n"]),
            "planned": int(tx.run("SELECT COUNT(*) AS n FROM job WHERE state = 'pending' AND due_at = :at", at=DUE_AT)[0]["n"]),
        }


WHOLE = {"waiting": WAITING, "incidents": WORKLOADS - 1, "closed": 0, "doubted": WORKLOADS - 1, "planned": WORKLOADS - 1}


@pytest.mark.parametrize("at", [0, 1, PAGE + 100], ids=["first page", "all but a byte", "list of free pages"])
def test_what_is_torn_at_the_beginning_costs_no_row(state: bytes, tmp_path: Path, at: int) -> None:
    """There stands which tables there are: known without it."""
    path = damaged(state, tmp_path, at, PAGE)
    torn = path.read_bytes()
    store = Store.open_sqlite(path, clock=Clock().now)
    (finding,) = store.findings
    found = counted(store)
    store.close()

    assert found == WHOLE
    assert finding.salvaged == Salvaged(alerts=WAITING, incidents=WORKLOADS - 1, planned=WORKLOADS - 1)
    assert path.with_name(finding.name).read_bytes() == torn
    assert {f.name for f in tmp_path.iterdir()} == {"state.db", finding.name}


def test_a_torn_page_costs_what_stands_on_it(state: bytes, tmp_path: Path) -> None:
    """Wherever 8 KiB of noise lie: on average nearly all that waits is there again, and the alerts of a torn incident count as waiting."""
    waiting, open_ones = [], []
    for at in range(2 * PAGE, len(state), 3 * PAGE):
        folder = tmp_path / str(at)
        folder.mkdir()
        store = Store.open_sqlite(damaged(state, folder, at), clock=Clock().now)
        if store.findings:
            found = counted(store)
            waiting.append(found["waiting"])
            open_ones.append(found["incidents"] + (found["waiting"] > WAITING))
        store.close()

    assert len(waiting) > 10
    assert sum(waiting) / len(waiting) > 0.85 * WAITING
    assert sum(n >= 1 for n in open_ones) >= 0.9 * len(open_ones)


def test_a_file_cut_short_still_gives_its_beginning(state: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(state[: len(state) * 2 // 3])
    store = Store.open_sqlite(path, clock=Clock().now)
    (finding,) = store.findings
    store.close()

    assert finding.salvaged.incidents + finding.salvaged.alerts > 0


def test_it_is_done_once_and_never_into_a_state_that_is_in_use(state: bytes, tmp_path: Path) -> None:
    """What was taken over may have been worked off by the next start; and a backup that is put back is not mixed with anything."""
    path = damaged(state, tmp_path, 0)
    store = Store.open_sqlite(path, clock=Clock().now)
    while fold(store, FoldConfig()):
        pass
    with store.write() as tx:
        tx.run("DELETE FROM job")
        tx.run("DELETE FROM conversation")
        tx.run("DELETE FROM incident")  # and their alerts with them
    store.close()
    again = Store.open_sqlite(path, clock=Clock().now)
    found, n_told = counted(again), len(again.findings)
    again.close()
    path.write_bytes(state)
    restored = Store.open_sqlite(path, clock=Clock().now)
    n_restored = counted(restored)["waiting"]
    restored.close()

    assert (found["incidents"], found["waiting"], n_told) == (0, 0, 1)
    assert n_restored == WAITING


def test_reading_is_bounded(state: bytes, tmp_path: Path) -> None:
    """What is left out is said to be."""
    path = tmp_path / "state.db"
    damaged(state, tmp_path, 0).rename(path.with_name("state.db.damaged-20241110T090000Z"))
    database = SqliteDatabase.open(path)
    made = Store(database, clock=Clock().now)
    salvage(database, now=Clock().now(), most_s=0.0)
    found = counted(made)
    made.close()

    assert found["waiting"] == 0


def test_of_more_than_can_be_taken_the_newest_are(state: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which are at the end of the file, behind those of closed incidents."""
    monkeypatch.setattr("receiver.store.salvage.MOST_ROWS", 3)
    store = Store.open_sqlite(damaged(state, tmp_path, 0), clock=Clock().now)
    (finding,) = store.findings
    with store.read() as tx:
        waiting = [a.labels["pod"] for _, a in alerts.unfolded(tx, 100)]
    store.close()

    assert waiting == [f"q-{n}" for n in range(WAITING - 3, WAITING)]
    assert finding.salvaged.is_cut
