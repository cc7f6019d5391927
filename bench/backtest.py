"""What a backtest of the shipped rules costs: a week of 1,000 containers in a real Prometheus.

`python -m bench backtest --since 1d` gives options to the command. OOMTRIAGE_BENCH_CONTAINERS: another size;
OOMTRIAGE_BENCH_HISTORY: a folder to keep the data in.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.binaries import binary
from tests.e2e.servers import Prometheus
from tests.lab.history import HOUR_S, Program, level, ramp, write_history

START_S = 1_730_592_000
WEEK_S = 7 * 24 * HOUR_S


def cluster(containers: int) -> list[Program]:
    """One in fifty leaks, one in a hundred is killed out of nowhere, one in fifty is full; the others are quiet."""
    random = Random(7)
    programs = []
    for n in range(containers):
        pod = f"app-{n // 5}-7c9d8b6f5d-{'bcdfghjklm'[n % 10]}x2k{n % 10}"
        shape: dict[str, Any]
        if n % 50 == 0:
            period_s = random.randrange(20, 60) * HOUR_S
            shape = {"ratio": ramp(period_s), "kills_s": tuple(period_s * k - 20.0 for k in range(1, (WEEK_S - HOUR_S) // period_s + 1))}
        elif n % 100 == 1:
            shape = {"ratio": level(0.4), "kills_s": tuple(sorted(random.uniform(0, WEEK_S - 3600) for _ in range(3)))}
        elif n % 50 == 2:
            shape = {"ratio": level(0.85)}
        else:
            shape = {"ratio": level(random.uniform(0.1, 0.75))}
        programs.append(Program(namespace=f"team-{n % 40}", pod=pod, container="app", **shape, has_spec_limit=False))
    return programs


def main(options: Sequence[str] = ()) -> None:
    """Write the history (unless it is there), then run the command as a user would. `options` go to it."""
    containers = int(os.environ.get("OOMTRIAGE_BENCH_CONTAINERS", "1000"))
    programs = cluster(containers)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("OOMTRIAGE_BENCH_HISTORY") or temporary) / f"week-{containers}"
        if not folder.exists():
            began = time.perf_counter()
            write_history(folder, programs, start_s=START_S, length_s=WEEK_S, promtool=binary("promtool"), state_scrape_s=240)
            print(f"history written in    {time.perf_counter() - began:.0f} s")
        with Prometheus(folder, rules="groups: []") as prometheus:
            began = time.perf_counter()
            command = [sys.executable, "-m", "receiver", "rules", "backtest", "--prometheus", prometheus.url, "-o", "json"]
            done = subprocess.run([*command, "--until", "2024-11-10T00:00:00Z", *options], stdout=subprocess.PIPE, check=True)
            took_s = time.perf_counter() - began
            client = resource.getrusage(resource.RUSAGE_CHILDREN)
        server_cpu_s = _cpu_s(resource.getrusage(resource.RUSAGE_CHILDREN)) - _cpu_s(client)  # counted when it has ended
    result = json.loads(done.stdout)
    real = sum(len(program.kills_s) for program in programs)  # in the whole week
    total = result["sum"]
    print(f"containers            {containers}, {result['range']['start']} to {result['range']['end']}")
    print(f"kills                 {real} happened, {total['kills']} found, {total['kills_caught']} caught, {total['kills_missed']} missed")
    print(f"alerts                {len(result['alerts'])}, {total['firings']} firings, {total['threads']} threads")
    print(f"not fully evaluated   {', '.join(a['alert'] for a in result['alerts'] if a['missing']) or 'none'}")
    print(f"wall time             {took_s:.1f} s, of it {result['load']['seconds']:.1f} s waiting for Prometheus")
    print(f"queries               {result['load']['queries']}, {(result['load']['samples'] or 0) / 1e6:.0f} million samples read")
    print(f"CPU of Prometheus     {server_cpu_s:.0f} s")
    print(f"answers               {result['load']['bytes'] / 1e6:.0f} MB; client peak RSS {client.ru_maxrss / 1024:.0f} MiB")


def _cpu_s(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
