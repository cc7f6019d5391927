"""What the pack costs when Prometheus really runs it: rules loaded, records and ALERTS written, groups on their clocks.

    python -m bench rules_running [--containers 1000] [--pack DIR]

The cluster of bench/rules_cluster.py ends now, and every group's interval is cut to a quarter, so that one slow group
(5 minutes) comes round while the samples are still fresh. What is told is CPU time a minute at the pack's own intervals,
less what the same Prometheus uses at rest. No scrape, no Alertmanager.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from bench.rules_cost import write_cluster
from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from tests.lab.rule_pack import INTERVAL_S, Measured, duration_s, pack_of

FASTER = 4
SETTLE_S = 20.0
REST_S = 10.0
SLOWEST_S = 300.0


def faster(directory: Path) -> str:
    """The pack as one file, its intervals cut."""
    groups = []
    for group in (group for file in read_rule_files(directory) for group in file.groups):
        interval_s = duration_s(str(group["interval"])) if group.get("interval") else INTERVAL_S
        groups.append({**group, "interval": f"{interval_s / FASTER:.0f}s"})
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def cpu_over(prometheus: Measured, seconds: float) -> float:
    """CPU ms it uses in that time."""
    before = prometheus.cpu_ms()
    time.sleep(seconds)
    return prometheus.cpu_ms() - before


def main(arguments: Sequence[str] = ()) -> None:
    """One size after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench rules_running")
    parser.add_argument("--containers", type=int, nargs="+", default=[1000])
    parser.add_argument("--pack", type=Path, default=rules_dir(), help="folder with *.rules.yaml")
    options = parser.parse_args(arguments)
    for containers in options.containers:
        with tempfile.TemporaryDirectory() as folder:
            with Measured(Path(folder), rules="groups: []") as prometheus:
                write_cluster(prometheus, containers, pack_of(options.pack), int(time.time() * 1000))
                rest_ms = cpu_over(prometheus, REST_S) / REST_S
            with Measured(Path(folder), rules=faster(options.pack)) as prometheus:
                time.sleep(SETTLE_S)  # the log is read, the first evaluations are over
                window_s = SLOWEST_S / FASTER
                used_ms = cpu_over(prometheus, window_s) - rest_ms * window_s
                rules = prometheus.rules()
                firing = prometheus.query('count(ALERTS{alertstate="firing"})')
        ill = [rule["name"] for rule in rules if rule["health"] == "err"]
        per_minute_ms = used_ms / (SLOWEST_S / 60)
        print(f"{containers} containers: {per_minute_ms / 1000:.2f} CPU s a minute = {per_minute_ms / 600:.1f} % of one core; "
              f"{len(rules)} rules, in error: {', '.join(ill) or 'none'}; {firing[0]['value'][1] if firing else 0} alerts firing")  # fmt: skip
