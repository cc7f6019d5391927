"""Two replicas on a PostgreSQL of their own, under load: killed, frozen, and with the database taken away.

    python -m bench replicas [--kills 100] [--stops 20] [--restarts 10] [--ttl 2] [--faults]

`--faults`: Slack goes wrong every two seconds, too: it stores a message and loses the answer, answers 500, or limits the rate.

An alert that is refused is sent again, to either replica, as Alertmanager does. Each alert is of a workload of its own; told is what its
channel names, twice is a second place for it, or a message with a delivery id that another one has.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

from tests.e2e.pair import DISPATCHER, Pair
from tests.e2e.test_faults import body_of, everyone, named
from tests.fakes.slack import FakeSlack, Fault
from tests.postgres.server import Postgres

MOST = 450  # workloads: of more a storm names the worst
WAIT_S = 240.0
POLL_S = 0.02


FAULTS = (
    Fault(method="chat.postMessage", kind="lost"),
    Fault(method="chat.postMessage", kind="lost_hang"),
    Fault(method="*", kind="status", status=500),
    Fault(method="*", kind="ratelimited", retry_after_s=1),
)


class Trouble:
    """A Slack that goes wrong now and then."""

    def __init__(self, slack: FakeSlack, chance: random.Random) -> None:
        self._slack = slack
        self._chance = chance
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Trouble:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._slack.heal()

    def _run(self) -> None:
        while not self._ending.wait(2.0):
            self._slack.fail(self._chance.choice(FAULTS))


class Load:
    """Alerts at a rate, each until some replica took it."""

    def __init__(self, pair: Pair, *, every_s: float, chance: random.Random) -> None:
        self._pair = pair
        self._every_s = every_s
        self._chance = chance
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.accepted = 0
        self.refused = 0

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._every_s) and self.accepted < MOST:
            while self._chance.choice(self._pair.replicas).post(body_of(self.accepted), timeout_s=5.0) != 202:
                self.refused += 1
                time.sleep(0.05)
            self.accepted += 1


def kills(pair: Pair, server: Postgres, rounds: int, chance: random.Random) -> list[float]:
    """SIGKILL of either at a random moment; seconds until the other one dispatched, where it was the dispatcher."""
    taken = []
    for _ in range(rounds):
        time.sleep(chance.uniform(0.0, 1.0))
        victim = chance.choice(pair.replicas)
        was_leader = pair.role(victim) == DISPATCHER
        victim.kill()
        killed_at = time.monotonic()
        if was_leader:
            _until(lambda v=victim: pair.role(pair.other(v)) == DISPATCHER)  # type: ignore[misc]
            taken.append(time.monotonic() - killed_at)
        victim.start()
        pair.wait_settled(60.0)
    return taken


def stops(pair: Pair, server: Postgres, rounds: int, chance: random.Random, *, ttl_s: float) -> list[float]:
    """SIGSTOP of the dispatcher for one and a half times its lease."""
    taken = []
    for _ in range(rounds):
        time.sleep(chance.uniform(0.0, 1.0))
        frozen = pair.leader
        frozen.pause()
        since = time.monotonic()
        _until(lambda f=frozen: pair.role(pair.other(f)) == DISPATCHER)  # type: ignore[misc]
        taken.append(time.monotonic() - since)
        time.sleep(max(0.0, 1.5 * ttl_s - (time.monotonic() - since)))
        frozen.go_on()
        pair.wait_settled(60.0)
    return taken


def restarts(pair: Pair, server: Postgres, rounds: int, chance: random.Random) -> list[float]:
    """The database restarted that often, and killed once; seconds until one dispatched again."""
    taken = []
    for n in range(rounds + 1):
        time.sleep(chance.uniform(1.0, 3.0))
        since = time.monotonic()
        if n == rounds:
            server.kill()
            server.start()
        else:
            server.restart()
        _until(lambda: DISPATCHER in pair.roles())
        taken.append(time.monotonic() - since)
        pair.wait_settled(60.0)
    return taken


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120.0
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError("not within two minutes")
        time.sleep(POLL_S)


def measure(name: str, what: Callable[[Pair, Postgres], list[float]], *, ttl_s: float, every_s: float, seed: int, has_faults: bool) -> None:
    """One run over a new database and a new channel."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Postgres(is_durable=True))
        slack = stack.enter_context(FakeSlack())
        pair = Pair(folder, server.database(), slack, ttl_s=ttl_s)
        stack.callback(pair.end)
        pair.start()
        started = time.monotonic()
        with Trouble(slack, chance) if has_faults else nullcontext(), Load(pair, every_s=every_s, chance=chance) as load:
            taken = sorted(what(pair, server))
        took_s = time.monotonic() - started
        wanted = everyone(load.accepted)
        end = time.monotonic() + WAIT_S
        while named(slack) != wanted and time.monotonic() < end:
            time.sleep(0.5)
        found = named(slack)
        ids = [root.message.delivery_id for root in slack.channel("C1").roots]
        print(
            f"{name}: {took_s:.0f} s, accepted {load.accepted} (refused first {load.refused}), told {len(found)}, "
            f"lost {sorted(set(wanted) - set(found))}, twice {sum(n > 1 for n in found.values()) + len(ids) - len(set(ids))}, "
            f"rounds {len(taken)}, p50 {_share(taken, 0.5):.2f} s, p99 {_share(taken, 0.99):.2f} s, worst {max(taken, default=0):.2f} s",
            flush=True,
        )


def _share(taken: Sequence[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(share * len(taken)))] if taken else 0.0


def main(options: Sequence[str] = ()) -> None:
    """All three, unless told otherwise."""
    parser = argparse.ArgumentParser(prog="bench replicas")
    for name, rounds in (("kills", 100), ("stops", 20), ("restarts", 10)):
        parser.add_argument(f"--{name}", type=int, default=rounds)
    parser.add_argument("--ttl", type=float, default=2.0)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--seed", type=int, default=17)
    asked = parser.parse_args(options)
    chance = random.Random(asked.seed)
    runs: tuple[tuple[str, int, Callable[[Pair, Postgres], list[float]], float], ...] = (
        ("kills", asked.kills, lambda p, s: kills(p, s, asked.kills, chance), 1.0),
        ("stops", asked.stops, lambda p, s: stops(p, s, asked.stops, chance, ttl_s=asked.ttl), 0.5),
        ("restarts", asked.restarts, lambda p, s: restarts(p, s, asked.restarts, chance), 0.2),
    )
    for name, rounds, what, every_s in runs:
        if rounds:
            measure(name, what, ttl_s=asked.ttl, every_s=every_s, seed=asked.seed, has_faults=asked.faults)
