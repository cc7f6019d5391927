"""A whole receiver behind its door: what happens to its state file is met, said, and gone on from, in one process."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from receiver.app.build import Application, build
from receiver.app.door import Door
from receiver.app.service import Service
from receiver.errors import StoreDamaged, StoreLocked, StoreUnwritable
from receiver.settings import load_settings
from receiver.store.store import Store
from receiver.store.volume import wal_of
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload, wait_until


class House:
    """A service over a state file, a Slack, and what clients see. `fault`: what building the receiver raises."""

    def __init__(self, folder: Path, slack: FakeSlack) -> None:
        self.slack = slack
        self.path = folder / "state.db"
        self.door = Door()
        self.client = Client(self.door)
        self.fault: Exception | None = None
        environ = {
            "STORE_URL": f"sqlite:///{self.path}", "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.api_url,
            "SLACK_MIN_INTERVAL": "0", "KUBE_API_URL": "http://127.0.0.1:9", "ENRICH_DEADLINE": "1s",
        }  # fmt: skip
        self._settings = load_settings(environ)
        self.service = Service(self.door, self._build, closed_s=0.3, look_every_s=0.02)

    def _build(self, *, unwritable: StoreUnwritable | None = None) -> Application:
        if self.fault is not None and unwritable is None:
            raise self.fault
        return build(self._settings, unwritable=unwritable)

    def running(self) -> Application:
        assert self.service._application is not None
        return self.service._application

    def post(self, pod: str) -> int:
        body = payload(alert(pod=f"{pod}-655779759d-jst99", container="app"))
        return self.client.post("/alerts", json=body).status_code

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        answer = self.client.get(path)
        return answer.status_code, json.loads(answer.text)

    def is_ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def roots(self, word: str) -> int:
        return sum(word in r.message.shown() for r in self.slack.channel("C1").roots)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with FakeSlack() as slack:
        house = House(tmp_path, slack)
        yield house
        house.service.end()


def replaced(path: Path) -> None:
    """Another state takes the file's place."""
    other = path.with_name("other.db")
    Store.open_sqlite(other).close()
    other.replace(path)


@pytest.mark.parametrize("act", [Path.unlink, replaced, lambda path: wal_of(path).unlink()], ids=["deleted", "replaced", "journal deleted"])
def test_a_file_that_is_gone_is_noticed_and_gone_on_from(
    house: House, caplog: pytest.LogCaptureFixture, act: Callable[[Path], object]
) -> None:
    """No alert is taken that would be lost; probes and the log say why, once; then the receiver is back, with what it had."""
    house.service.start()
    assert house.post("before") == 202
    wait_until(lambda: house.roots("before") == 1, what="the first is told")
    with caplog.at_level(logging.ERROR):
        act(house.path)
        codes = (house.post("meanwhile"), house.get("/readyz")[0])
        wait_until(lambda: "deleted or replaced" in house.get("/readyz")[1].get("store", ""), what="/readyz says why")
        alive = house.get("/healthz")[0]
        wait_until(house.is_ready, what="it is ready again")
    assert house.post("after") == 202
    wait_until(lambda: house.roots("after") == 1, what="the next is told")

    assert codes == (503, 503)
    assert alive == 200
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == ["the state file cannot be used any more"]
    assert house.roots("before") == 1
    assert house.roots("needs a look") == (0 if act not in (Path.unlink, replaced) else 1)


def test_a_file_without_a_state_is_saved_when_it_can_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it cannot, it stays open: it exists nowhere else."""
    house.service.start()
    assert house.post("before") == 202
    refusals: list[int] = []
    save = Store.save

    def refuse_twice(store: Store) -> None:
        if len(refusals) < 2:
            refusals.append(1)
            raise StoreUnwritable("no space")
        save(store)

    monkeypatch.setattr(Store, "save", refuse_twice)
    house.path.unlink()
    wait_until(lambda: len(refusals) == 2 and house.is_ready(), what="it is ready again")
    wait_until(lambda: house.roots("before") == 1, what="the first is told")


def test_damage_that_is_met_is_told_and_gone_on_from(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """503, one line, a notice; the file is kept, the thread that was told goes on, and the next alert is told."""
    house.service.start()
    assert house.post("before") == 202
    wait_until(lambda: house.roots("before") == 1, what="the first is told")
    store = house.running().store
    store._file.checkpoint()
    with house.path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\x99" * 8192)
    with caplog.at_level(logging.ERROR):
        with pytest.raises(StoreDamaged):
            store.check()  # as every half minute
        assert house.post("meanwhile") == 503
        wait_until(house.is_ready, what="it is ready again")
    assert house.post("after") == 202
    wait_until(lambda: house.roots("after") == 1 and house.roots("needs a look") == 1, what="both are told")

    assert house.roots("before") == 1
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR].count("the state file cannot be used any more") == 1
    assert len(list(house.path.parent.glob("state.db.damaged-*"))) == 1


def test_what_a_storm_has_not_told_yet_survives_damage(house: House) -> None:
    """Accepted and gathered for a digest, but not sent: nobody else has it, and it need not fire any more."""
    house.service.start()
    house.slack.stop()
    workloads = [f"storm-{n}" for n in range(15)]
    assert {house.post(name) for name in workloads} == {202}
    store = house.running().store
    wait_until(lambda: _n(store, "digest_member") + _n(store, "conversation") > len(workloads) // 2, what="they are gathered")
    wait_until(lambda: _is_damaged(house.path, store), what="the damage is met")
    wait_until(house.is_ready, what="it is ready again")
    house.slack.start()
    wait_until(lambda: all(_is_told(house.slack, name) for name in workloads), what="each is told", timeout_s=90)


def _is_damaged(path: Path, store: Store) -> bool:
    """Tear the first page; what is written meanwhile may mend it again."""
    if store.broken is not None:  # somebody else met it
        return True
    try:
        store._file.checkpoint()
        with path.open("r+b") as file:
            file.write(b"\x99" * 4096)
        store.check()
    except StoreDamaged:
        return True
    return False


def _n(store: Store, table: str) -> int:
    with store.read() as tx:
        return int(tx.run(f"SELECT COUNT(*) AS n FROM {table}")[0]["n"])


def _is_told(slack: FakeSlack, word: str) -> bool:
    return any(word in message.shown() for message in slack.channel("C1").messages)


def test_a_start_on_a_volume_that_cannot_be_written_waits_until_it_can(house: House) -> None:
    """The process stays, says why, and goes on by itself: a restart would make no room."""
    house.fault = StoreUnwritable("database or disk is full")
    house.service.start()
    closed = (
        house.post("early"),
        house.get("/healthz")[0],
        house.get("/readyz"),
        b"oomtriage_store_ready 0" in house.client.get("/metrics").data,
    )
    house.fault = None
    wait_until(house.is_ready, what="it is ready")

    assert closed == (503, 200, (503, {"status": "not ready", "store": "database or disk is full"}), True)
    assert house.post("late") == 202


def test_what_waits_is_delivered_although_the_volume_cannot_be_written(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a copy elsewhere, across a kill; nothing is taken, nothing told twice, and what was told is known afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store.open_sqlite(house.path)
    store.accept([alert(pod="waited-655779759d-jst99", container="app")])
    store.close()
    original = house.path.read_bytes()
    house.fault = StoreUnwritable("database or disk is full")
    monkeypatch.setattr("receiver.store.elsewhere.can_return", lambda path: False)
    house.service.start()
    wait_until(lambda: house.roots("waited") == 1, what="it is told")
    closed = house.post("early"), house.get("/readyz")[0], house.get("/healthz")[0]
    house.service.end()
    untouched = house.path.read_bytes() == original
    again = House(tmp_path, house.slack)
    again.fault = house.fault
    again.service.start()
    assert again.post("early") == 503
    again.fault = None
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    wait_until(again.is_ready, what="it is ready")
    assert again.post("late") == 202
    wait_until(lambda: again.roots("late") == 1, what="the next is told")
    again.service.end()

    assert closed == (503, 503, 200)
    assert untouched
    assert house.roots("waited") == 1
    assert list(tmp_path.glob("oomtriage-*")) == []


def test_a_volume_that_becomes_read_only_is_not_waited_for(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kernel makes it after a fault: what waits is delivered from elsewhere; alerts are taken again when it can be written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    house.service.start()
    house.slack.outage = 503
    assert house.post("waited") == 202
    with house.running().store.read() as tx:
        tx.run("PRAGMA query_only = 1")
    house.fault = StoreUnwritable("attempt to write a readonly database")
    with monkeypatch.context() as read_only:
        read_only.setattr("receiver.store.elsewhere.can_return", lambda path: False)
        refused = house.post("early")
        house.slack.heal()
        wait_until(lambda: house.roots("waited") == 1, what="it is told")
        ready = house.is_ready()
        house.fault = None
    wait_until(house.is_ready, what="it is ready")

    assert (refused, ready) == (503, False)
    assert house.post("late") == 202
    wait_until(lambda: house.roots("late") == 1, what="the next is told")
    assert house.roots("waited") == 1


def test_what_no_waiting_mends_ends_the_start(house: House) -> None:
    """Another receiver holds the file: told at once, as the command's error."""
    house.fault = StoreLocked("held by another receiver")
    with pytest.raises(StoreLocked):
        house.service.start()
