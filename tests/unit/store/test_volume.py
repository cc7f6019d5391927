"""A full volume: what waits is delivered from a reserve, alerts are refused by /alerts and /readyz alike, and both pass by themselves."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from receiver.domain.units import MIB
from receiver.errors import StoreUnwritable
from receiver.store.schema import set_meta
from receiver.store.store import Store
from tests.places import REPO
from tests.support import alert


class Disk:
    """What `statvfs` says of the volume."""

    def __init__(self) -> None:
        self.free_bytes = 100 * MIB

    def statvfs(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free_bytes, f_frsize=1, f_blocks=160 * MIB)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr("receiver.store.volume.os.statvfs", disk.statvfs)
    return disk


@pytest.fixture
def store(tmp_path: Path, disk: Disk) -> Iterator[Store]:
    store = Store.open_sqlite(tmp_path / "state.db", keeps_reserve=True)
    store.probe()
    yield store
    store.close()


def is_ready(store: Store) -> bool:
    try:
        store.probe()
    except StoreUnwritable:
        return False
    return True


def test_a_full_volume_takes_no_alerts_and_work_goes_on(store: Store, disk: Disk, tmp_path: Path) -> None:
    """The reserve is freed for what must be written down while what waits is delivered."""
    reserve = tmp_path / "state.db.reserve"
    before = reserve.stat().st_size
    disk.free_bytes = 1 * MIB
    with pytest.raises(StoreUnwritable, match="full"):
        store.accept([alert()])
    with store.write() as tx:
        set_meta(tx, "told", "1")

    assert before == 10 * MIB  # one part in sixteen
    assert not reserve.exists()
    assert not is_ready(store)


def test_room_again_is_noticed_once_there_is_enough(store: Store, disk: Disk, tmp_path: Path) -> None:
    """Not with the reserve's own bytes: readiness would come and go."""
    disk.free_bytes = 1 * MIB
    ready = [is_ready(store)]
    for free in (11 * MIB, 19 * MIB, 21 * MIB):
        disk.free_bytes = free
        ready.append(is_ready(store))

    assert ready == [False, False, False, True]
    assert (tmp_path / "state.db.reserve").stat().st_size == 10 * MIB
    assert store.accept([alert()]).new == 1


def test_ready_says_what_an_alert_would_meet(tmp_path: Path) -> None:
    """A refusal that free bytes do not tell of, such as a quota: readiness writes as much as alerts take before it says yes again."""
    store = Store.open_sqlite(tmp_path / "state.db")
    with store.read() as tx:
        pages = tx.run("PRAGMA page_count")[0]["page_count"]
        tx.run(f"PRAGMA max_page_count = {pages + 2}")  # stands in for the quota
    ready = [is_ready(store)]
    with pytest.raises(StoreUnwritable):
        store.accept([alert(pod=f"p-{i}", annotations={"text": "x" * 2000}) for i in range(50)])
    ready.append(is_ready(store))
    with store.read() as tx:
        tx.run("PRAGMA max_page_count = 1000000")
    ready.append(is_ready(store))
    store.close()

    assert ready == [True, False, True]


def test_a_process_that_may_write_no_more_is_full_too(tmp_path: Path) -> None:
    """A real refusal of the kernel, and a real end of it, in one process."""
    script = (
        "import pathlib, resource, sys\n"
        "from receiver.errors import StoreUnwritable\n"
        "from receiver.store.store import Store\n"
        "from tests.support import alert\n"
        "many = [alert(pod=f'p-{i}', annotations={'text': 'x' * 2000}) for i in range(50)]\n"
        "store = Store.open_sqlite(pathlib.Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))\n"
        "for attempt in (store.probe, lambda: store.accept(many), store.probe):\n"
        "    try:\n"
        "        attempt()\n"
        "        print('ok')\n"
        "    except StoreUnwritable:\n"
        "        print('full')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "store.probe()\n"
        "print(store.accept(many).new)\n"
        "store.close()\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "state.db")], check=True, cwd=REPO, capture_output=True, text=True)

    assert done.stdout.split() == ["ok", "full", "full", "50"]
