"""How the cost of an alert grows with what is stored: alerts of one workload, of many, closed incidents, an alert that never ends.

In process, over the pipeline with stand-in evidence; CPU time, so that a busy machine does not matter much. `--before REVISION` measures
that revision of the repository in the same run, part by part in turn.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
A_POST = 50
DAY_S = 86_400.0


def one_workload(folder: Path) -> Mapping[str, float]:
    """10,000 pods of one workload, 50 a POST: microseconds of accepting and folding one alert, of the first, and of the last hundreds."""
    from receiver.pipeline.fold import FoldConfig, fold
    from receiver.store.store import Store
    from tests.support import alert

    store = Store.open_sqlite(folder / "one.db")
    found = {}
    taken = folded = 0.0
    for n in range(0, 10_000, A_POST):
        new = [alert(pod=f"orders-api-655779759d-{i:05d}", container="orders-api", workload="orders-api") for i in range(n, n + A_POST)]
        began = time.process_time()
        store.accept(new)
        taken += time.process_time() - began
        began = time.process_time()
        fold(store, FoldConfig())
        folded += time.process_time() - began
        if n + A_POST in (100, 1_000, 10_000):
            found[f"fold of alert {n + A_POST:,} [us]"] = (time.process_time() - began) / A_POST * 1e6
    store.close()
    return {"accept, mean [us]": taken / 10_000 * 1e6, "fold, mean [us]": folded / 10_000 * 1e6, **found}


def many_workloads(folder: Path) -> Mapping[str, float]:
    """60,000 alerts of 50 workloads: how many a second are accepted, and folded."""
    from receiver.pipeline.fold import FoldConfig, fold
    from receiver.store.store import Store
    from tests.support import alert

    store = Store.open_sqlite(folder / "many.db")
    accepted_s = folded_s = 0.0
    n_folded = 0
    for n in range(0, 60_000, A_POST):
        new = [
            alert(pod=f"svc{i % 50}-655779759d-{i:05d}", container=f"svc{i % 50}", workload=f"svc{i % 50}") for i in range(n, n + A_POST)
        ]
        began = time.process_time()
        store.accept(new)
        accepted_s += time.process_time() - began
        began = time.process_time()
        while folded_s < 60 and (got := fold(store, FoldConfig())):
            n_folded += got
        folded_s += time.process_time() - began
    store.close()
    return {
        "accepted a CPU second": 60_000 / accepted_s,
        "folded a CPU second": n_folded / folded_s,
        "not folded after 60 CPU s": 60_000 - n_folded,
    }


def closed_incidents(folder: Path) -> Mapping[str, float]:
    """20,000 closed incidents in the store, half of them of one workload: bytes, and the CPU time of what a further alert needs."""
    from receiver.store import incident_lists, outbox
    from tests.support import alert
    from tests.unit.pipeline.kit import Desk

    desk = Desk(folder / "closed.db")
    desk.take(alert(started=desk.clock.now()))
    desk.send_one()
    found = {}
    for stored in (10, 20_000):
        _multiply(desk.store, stored)
        desk.store.probe()  # the journal of so many rows is written back before anything is measured
        desk.clock.advance(600)
        began = time.process_time()
        desk.take(alert(pod="orders-api-655779759d-zzzzz", started=desk.clock.now()))
        found[f"one more alert, {stored:,} closed [ms]"] = (time.process_time() - began) * 1e3
        began = time.process_time()
        for _ in range(10):
            with desk.store.read() as tx:
                outbox.channels_due(tx)
                outbox.next_outgoing(tx, sink="fake", channel="C1", now=desk.clock.now())
        found[f"next message, {stored:,} closed [ms]"] = (time.process_time() - began) * 1e2
        began = time.process_time()
        with desk.store.read() as tx:
            incident_lists.newest(tx, 50)
        found[f"page, {stored:,} closed [ms]"] = (time.process_time() - began) * 1e3
        with desk.store.write() as tx:
            tx.run("UPDATE incident SET closed_at = last_seen, state = 'resolved' WHERE closed_at IS NULL")
    began = time.process_time()
    desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    found["tidying [ms]"] = (time.process_time() - began) * 1e3
    desk.store.close()
    return found


def _multiply(store: Any, n: int) -> None:
    """Copies of the first incident with all that hangs on it, closed: every second one of the same workload."""
    tables = {
        "incident": ("id",),
        "conversation": ("id", "incident_id"),
        "message": ("id", "conversation_id"),
        "alert": ("dedup_key", "incident_id"),
    }
    with store.write() as tx:
        first = tx.run("SELECT id FROM incident ORDER BY opened_at LIMIT 1")[0]["id"]
        have = tx.run("SELECT COUNT(*) AS n FROM incident")[0]["n"]
        own = tx.run("SELECT id FROM conversation WHERE incident_id = :i", i=first)[0]["id"]
        where = {
            "incident": ("id", first),
            "conversation": ("incident_id", first),
            "message": ("conversation_id", own),
            "alert": ("incident_id", first),
        }
        rows = {
            table: [dict(r) for r in tx.run(f"SELECT * FROM {table} WHERE {column} = :v", v=value)]
            for table, (column, value) in where.items()
        }
        for i in range(have, n):
            for table, renamed in tables.items():
                for row in rows[table]:
                    copy = {**row, **{column: f"{row[column]}-{i}" for column in renamed}}
                    if table == "alert":
                        copy.pop("id")
                        copy["fingerprint"] = f"{row['fingerprint']}-{i}"
                    if table == "incident":
                        copy |= {"state": "resolved", "closed_at": row["last_seen"] + i / 1e3, "resolved_at": row["last_seen"]}
                        copy |= {"key": f"{row['key']}-{i}"} if i % 2 else {}
                    if table == "message":
                        copy |= {"state": "sent", "sent_rev": row["desired_rev"], "ts": f"{i}"}
                    names = ", ".join(copy)
                    tx.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + c for c in copy)})", **copy)


def never_resolved(folder: Path) -> Mapping[str, float]:
    """40 days in which a container dies every hour as another pod and nothing is ever resolved: rows at the end."""
    from tests.support import alert
    from tests.unit.pipeline.kit import Desk

    desk = Desk(folder / "never.db")
    for n in range(40 * 24):
        desk.take(alert(pod=f"orders-api-655779759d-{n:05d}", started=desk.clock.now(), workload="orders-api"), works=n % 24 == 0)
        desk.clock.advance(3600)
        if n % 4 == 0:
            desk.store.tidy(reopen_window_s=DAY_S, retention_s=14 * DAY_S)
    with desk.store.read() as tx:
        rows = tx.run(
            "SELECT COUNT(*) AS n, SUM(CASE WHEN last_seen < :old THEN 1 ELSE 0 END) AS old FROM alert", old=desk.clock.now() - 14 * DAY_S
        )[0]
    desk.store.close()
    return {"rows of alerts": rows["n"], "of these past the retention": rows["old"]}


PARTS: Mapping[str, Callable[[Path], Mapping[str, float]]] = {
    "one_workload": one_workload, "many_workloads": many_workloads, "closed_incidents": closed_incidents, "never_resolved": never_resolved,
}  # fmt: skip


@contextmanager
def revision(name: str) -> Iterator[Path]:
    """A checkout of another revision of this repository, for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "before"
        subprocess.run(["git", "worktree", "add", "--detach", "-f", str(place), name], cwd=HERE.parents[1], check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=HERE.parents[1], check=False, capture_output=True)


def measured(part: str, source: Path) -> dict[str, float]:
    """One part, in a process of its own that imports from `source`."""
    import os

    ended = subprocess.run(
        [sys.executable, str(HERE), "--part", part], cwd=source, env={**os.environ, "PYTHONPATH": str(source)}, check=True, capture_output=True, text=True
    )  # fmt: skip
    return dict(json.loads(ended.stdout))


def main(options: list[str] | None = None) -> None:
    """Every part, or those named."""
    parser = argparse.ArgumentParser(prog="python -m bench growth", description=__doc__)
    parser.add_argument("--before", metavar="REVISION")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", choices=PARTS, action="append")
    asked = parser.parse_args(options or [])
    if asked.part:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(PARTS[asked.part](Path(folder))))
        return
    for part in asked.only or PARTS:
        now = measured(part, HERE.parents[1])
        before: dict[str, float] = {}
        if asked.before:
            with revision(asked.before) as source:
                before = measured(part, source)
        print(f"{part:<44}{'before' if before else '':>12}{'now':>12}")
        for name, value in now.items():
            was = f"{before[name]:,.0f}" if name in before else ""
            print(f"  {name:<42}{was:>12}{value:>12,.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
