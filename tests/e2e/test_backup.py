"""A backup through the running receiver, and what becomes of it: nothing that it knows as told is told again, and what waited is told."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.receiver import Receiver
from tests.fakes.slack import FakeSlack, Fault
from tests.places import REPO
from tests.support import alert, payload, wait_until

TOKEN = "admin-token-0000"


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def receiver(tmp_path: Path, slack: FakeSlack) -> Iterator[Receiver]:
    receiver = Receiver(
        tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="1s", ADMIN_TOKEN=TOKEN
    )  # fmt: skip
    yield receiver
    receiver.kill()


def run(receiver: Receiver, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "receiver", *words]
    return subprocess.run(command, cwd=REPO, env=receiver.environ() | environ, capture_output=True, text=True, timeout=60, check=False)


def post(receiver: Receiver, name: str) -> int:
    return receiver.post(payload(alert(pod=f"{name}-655779759d-jst99", container="app")))


def roots(slack: FakeSlack) -> Counter[str]:
    headlines = [r.message.shown().splitlines()[0] for r in slack.channel("C1").roots]
    return Counter(name for name in ("alpha", "bravo", "delta") for line in headlines if name in line)


def notices(slack: FakeSlack) -> list[str]:
    return [r.message.shown() for r in slack.channel("C1").roots if "needs a look" in r.message.shown()]


def test_a_restored_backup_drains_and_repeats_nothing_it_knows(receiver: Receiver, slack: FakeSlack, tmp_path: Path) -> None:
    """One incident was told before the backup, one waited then and was told after it: each has one root in the end."""
    copy = tmp_path / "copy.db"
    receiver.start()
    assert post(receiver, "alpha") == 202
    slack.wait_for(lambda: roots(slack) == {"alpha": 1})
    slack.fail(Fault(method="chat.postMessage", kind="ratelimited", retry_after_s=1, times=100_000))
    assert post(receiver, "bravo") == 202
    wait_until(lambda: "oomtriage_outbox_messages 0.0" not in receiver.get("/metrics")[1], what="a message waits")
    taken = run(receiver, "backup", str(copy))
    again = run(receiver, "backup", str(copy))
    foreign = run(receiver, "backup", str(tmp_path / "other.db"), ADMIN_TOKEN="wrong")
    slack.heal()
    slack.wait_for(lambda: roots(slack) == {"alpha": 1, "bravo": 1})
    early = run(receiver, "restore", str(copy))
    receiver.stop()
    restored = run(receiver, "restore", str(copy))
    receiver.start()
    assert post(receiver, "delta") == 202
    slack.wait_for(lambda: roots(slack)["delta"] == 1 and len(notices(slack)) == 1)
    wait_until(lambda: "oomtriage_outbox_messages 0.0" in receiver.get("/metrics")[1], what="nothing waits")
    ids = Counter(m.delivery_id for m in slack.channel("C1").messages)

    assert taken.returncode == 0, taken.stderr
    assert "of the running receiver as of " in taken.stdout
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (again.returncode, foreign.returncode) == (2, 1)
    assert not (tmp_path / "other.db").exists()
    assert early.returncode == 1
    assert "held by a running receiver" in early.stderr
    assert restored.returncode == 0, restored.stderr
    assert len(list(receiver.folder.glob("state.db.replaced-*"))) == 1
    assert roots(slack) == {"alpha": 1, "bravo": 1, "delta": 1}
    assert [i for i, n in ids.items() if n > 1] == []
    assert slack.complaints == []
    assert not [f for f in receiver.folder.iterdir() if ".part" in f.name]


def test_a_stopped_receiver_is_backed_up_from_its_file(receiver: Receiver, slack: FakeSlack, tmp_path: Path) -> None:
    """After a kill, with everything that stands in the journal only; the receiver finds nothing wrong afterwards."""
    copy = tmp_path / "copy.db"
    receiver.start()
    assert post(receiver, "alpha") == 202
    slack.wait_for(lambda: roots(slack) == {"alpha": 1})
    receiver.kill()
    taken = run(receiver, "backup", str(copy))
    with closing(sqlite3.connect(copy)) as connection:
        (n,) = connection.execute("SELECT COUNT(*) FROM alert").fetchone()
    receiver.start()
    assert post(receiver, "bravo") == 202
    slack.wait_for(lambda: roots(slack) == {"alpha": 1, "bravo": 1})

    assert taken.returncode == 0, taken.stderr
    assert "of the stopped receiver" in taken.stdout
    assert n == 1
    assert notices(slack) == []


def test_what_is_no_backup_is_refused(receiver: Receiver, tmp_path: Path) -> None:
    """Before anything of the state is touched."""
    nonsense = tmp_path / "nonsense.db"
    nonsense.write_text("hello\n" * 1000)
    answers = [run(receiver, "restore", str(nonsense)), run(receiver, "restore", str(tmp_path / "nothing.db"))]

    assert [a.returncode for a in answers] == [1, 1]
    assert "no state of oomtriage" in answers[0].stderr
    assert "there is no file" in answers[1].stderr
    assert not (receiver.folder / "state.db").exists()
