"""What a receiver costs at rest: start time, memory of all its processes, installed packages."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from bench.processes import children_of, pss_kib, receiver

ROUNDS = 3
SETTLE_S = 3.0


def installed() -> tuple[int, float]:
    """Distributions that `pip install oomtriage` brings, itself included, and their size in MB."""
    wanted, todo = set(), ["oomtriage"]
    size = 0
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name in wanted:
            continue
        wanted.add(name)
        found = distribution(name)
        size += sum(Path(str(f.locate())).stat().st_size for f in found.files or () if Path(str(f.locate())).is_file())
        todo += [r.name for r in map(Requirement, found.requires or ()) if r.marker is None or r.marker.evaluate({"extra": ""})]
    return len(wanted), size / 1e6


def main() -> None:
    """Start it a few times and look."""
    starts, pss = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with receiver() as (_, process):
            starts.append(time.perf_counter() - started)
            time.sleep(SETTLE_S)
            pss.append(sum(pss_kib(p) for p in children_of(process.pid)) / 1024)
    imports = subprocess.run(
        [sys.executable, "-c", "import resource, receiver.app.serve; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    n, size_mb = installed()
    print(f"start to ready        {statistics.median(starts):.2f} s")
    print(f"idle PSS, all         {statistics.median(pss):.1f} MiB (importing alone {imports} MiB RSS)")
    print(f"installed             {n} distributions, {size_mb:.1f} MB")
