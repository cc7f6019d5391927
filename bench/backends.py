"""Accepting and working off, with the state in a file and in PostgreSQL, by one, two and three replicas.

    python -m bench backends [--incidents 600]

Latencies at Alertmanager's pace and a burst, as in `accept`, the burst spread over all replicas; then so many alerts, each of a workload
of its own, until all of them were looked at. The database writes with fsync, on the same machine.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from bench.accept import BURST_CONNECTIONS, BURST_REQUESTS, latencies, post
from bench.processes import receiver
from tests.postgres.server import Postgres

ROUNDS = 3
WAITING = ("oomtriage_alerts_waiting", "oomtriage_jobs_due")
WAIT_S = 300.0


def burst(urls: Sequence[str], first: int, n: int = BURST_REQUESTS) -> float:
    """Accepts per second over several connections, each to one of the replicas in turn."""

    def work(part: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(urls[part % len(urls)]).netloc)
        for each in range(part, n, connections):
            post(connection, first + each)
        connection.close()

    connections = BURST_CONNECTIONS * len(urls)
    threads = [threading.Thread(target=work, args=(part,)) for part in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return n / (time.perf_counter() - started)


def waiting(url: str) -> float:
    """Alerts that are in no incident, and looks that are due."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith(WAITING))


def drain(urls: Sequence[str], first: int, n: int) -> float:
    """Seconds from the last accept until nothing waits."""
    burst(urls, first, n)
    started = time.perf_counter()
    while waiting(urls[0]) and time.perf_counter() - started < WAIT_S:
        time.sleep(0.1)
    return time.perf_counter() - started


def measure(name: str, replicas: int, n_incidents: int) -> None:
    """Medians of the rounds, on a new state each."""
    rows = []
    for round_ in range(ROUNDS):
        with ExitStack() as stack:
            settings = {}
            if name != "sqlite":
                settings["STORE_URL"] = stack.enter_context(Postgres(is_durable=True)).database()
            urls = [stack.enter_context(receiver(None, **settings))[0] for _ in range(replicas)]
            taken = sorted(latencies(urls[-1], 0))
            rate = burst(urls, 10_000 * (round_ + 1))
            while waiting(urls[0]):
                time.sleep(0.1)
            rows.append((taken[len(taken) // 2], taken[int(len(taken) * 0.99)], rate, drain(urls, 200_000, n_incidents)))
    p50, p99, rate, drained_s = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"{name:<9} x{replicas}  p50 {p50 * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms   {rate:6.0f} accepts/s   "
        f"{n_incidents} incidents looked at {drained_s:5.1f} s after the last ({n_incidents / max(drained_s, 0.001):4.0f}/s)",
        flush=True,
    )


def main(options: Sequence[str] = ()) -> None:
    """The file, then the database with one, two, three replicas."""
    parser = argparse.ArgumentParser(prog="bench backends")
    parser.add_argument("--incidents", type=int, default=600)
    asked = parser.parse_args(options)
    for name, replicas in (("sqlite", 1), ("postgres", 1), ("postgres", 2), ("postgres", 3)):
        measure(name, replicas, asked.incidents)
