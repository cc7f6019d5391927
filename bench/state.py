"""What becomes of alerts when the state file or its volume fails, on a real receiver process and a Slack that behaves.

Each row: how many alerts were accepted, how many of them stand in the channel in the end, how many twice, whether alerts were refused
and the channel was told of it, and how long it took until they were taken again. A full volume needs a small one: a tmpfs, mounted by
root or in a user namespace (`unshare -rm python -m bench state`); without either that row is left out.

`--only NAME ...` for some rows.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, named, notices
from tests.fakes.slack import FakeSlack
from tests.support import wait_until

BEFORE, AFTER = 3, 3  # alerts; few, so that no storm's digest gathers what was accepted for a while
MEANWHILE = 3
BETWEEN_S = 0.5
MEANWHILE_S = 40.0  # longer than between two looks at the file
SETTLE_S = 60.0
VOLUME = "24m"


@dataclass(slots=True)
class Scene:
    """A receiver whose state lies in `volume`, and what was accepted so far."""

    receiver: Receiver
    slack: FakeSlack
    volume: Path
    accepted: int = 0
    refused: int = 0

    @property
    def file(self) -> Path:
        return self.volume / "state.db"

    def post(self, times: int, *, until_refused: bool = False) -> None:
        """Alerts of workloads that were not told of before; what is refused comes again."""
        for _ in range(times):
            status = self.receiver.post(body_of(self.accepted))
            self.accepted += status == 202
            self.refused += status == 503
            if until_refused and status == 503:
                return
            time.sleep(BETWEEN_S)

    def n_told(self) -> int:
        return len(named(self.slack))

    def is_ready(self) -> bool:
        return self.receiver.get("/readyz")[0] == 200


def deleted(scene: Scene) -> None:
    """While it runs."""
    scene.file.unlink()
    scene.post(4, until_refused=True)
    wait_until(scene.is_ready, what="ready again", timeout_s=SETTLE_S)
    scene.receiver.kill()
    scene.receiver.start()


def journal_deleted(scene: Scene) -> None:
    """While it runs."""
    scene.file.with_name("state.db-wal").unlink()
    scene.post(4, until_refused=True)
    wait_until(scene.is_ready, what="ready again", timeout_s=SETTLE_S)


def noise_while_running(seed: int) -> Callable[[Scene], None]:
    """8 KiB somewhere."""

    def act(scene: Scene) -> None:
        _noise(scene.file, seed)
        for _ in range(MEANWHILE):
            scene.post(1)
            time.sleep(MEANWHILE_S / MEANWHILE)
        wait_until(scene.is_ready, what="ready again", timeout_s=SETTLE_S)
        scene.receiver.stop()
        scene.receiver.start()

    return act


def noise_while_stopped(seed: int) -> Callable[[Scene], None]:
    """8 KiB somewhere."""

    def act(scene: Scene) -> None:
        scene.receiver.stop()
        _noise(scene.file, seed)
        scene.receiver.start()

    return act


def truncated(scene: Scene) -> None:
    """To a third."""
    scene.receiver.stop()
    os.truncate(scene.file, scene.file.stat().st_size // 3)
    scene.receiver.start()


def full(scene: Scene) -> None:
    """While Slack is away; killed, and started on the full volume; then room."""
    scene.slack.outage = 503
    scene.post(3)
    _fill(scene.volume)
    scene.post(2)
    scene.receiver.kill()
    scene.receiver.launch()  # it is not ready as long as there is no room
    scene.slack.heal()
    wait_until(lambda: scene.n_told() == scene.accepted, what="what waited is told on the full volume", timeout_s=SETTLE_S)
    scene.post(2)
    (scene.volume / "filler").unlink()
    wait_until(scene.is_ready, what="ready again", timeout_s=SETTLE_S)


def _noise(file: Path, seed: int) -> None:
    chance = random.Random(seed)
    with file.open("r+b") as open_file:
        open_file.seek(chance.randrange(max(file.stat().st_size - 8192, 1)))
        open_file.write(chance.randbytes(8192))


def _fill(volume: Path) -> None:
    with (volume / "filler").open("ab", buffering=0) as filler:
        for n_bytes in (65536, 4096, 512):
            try:
                while True:
                    filler.write(bytes(n_bytes))
            except OSError:
                continue


ROWS: dict[str, Callable[[Scene], None]] = {
    "deleted": deleted,
    "journal deleted": journal_deleted,
    **{f"noise while running, {seed}": noise_while_running(seed) for seed in range(3)},
    **{f"noise while stopped, {seed}": noise_while_stopped(seed) for seed in range(3)},
    "truncated": truncated,
    "full": full,
}


@contextmanager
def _volume(folder: Path, *, is_small: bool) -> Iterator[Path | None]:
    volume = folder / "volume"
    volume.mkdir()
    if not is_small:
        yield volume
        return
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={VOLUME}", "tmpfs", str(volume)], check=False, capture_output=True)
    if mounted.returncode:
        yield None
        return
    try:
        yield volume
    finally:
        subprocess.run(["umount", "-l", str(volume)], check=False)


def _row(name: str, act: Callable[[Scene], None]) -> str:
    with tempfile.TemporaryDirectory() as folder, _volume(Path(folder), is_small=act is full) as volume, FakeSlack() as slack:
        if volume is None:
            return f"{name:24} no small volume could be mounted"
        receiver = Receiver(
            Path(folder) / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="1s",
            STORE_URL=f"sqlite:///{volume}/state.db",
        )  # fmt: skip
        scene = Scene(receiver, slack, volume)
        try:
            receiver.start()
            scene.post(BEFORE)
            slack.wait_for(lambda: scene.n_told() == BEFORE)
            act(scene)
            scene.post(AFTER)
            deadline = time.monotonic() + SETTLE_S
            while scene.n_told() < scene.accepted and time.monotonic() < deadline:
                time.sleep(0.2)
            found = named(slack)
            kept = len(list(volume.glob("state.db.*-*")))
        finally:
            receiver.kill()
        doubled = sum(n > 1 for n in found.values())
    return f"{name:24} {scene.accepted:8} {len(found):5} {doubled:7} {scene.refused:7} {len(notices(slack)):8} {kept:10}"


def main(options: Sequence[str] = ()) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench state")
    parser.add_argument("--only", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    print(f"{'':24} {'accepted':>8} {'told':>5} {'doubled':>7} {'refused':>7} {'notices':>8} {'kept aside':>10}")
    for name in parser.parse_args(list(options)).only:
        print(_row(name, ROWS[name]), flush=True)


if __name__ == "__main__":
    main()
