"""Runs the named benchmarks, or all. What follows the first option goes to the one benchmark named before it."""

from __future__ import annotations

import importlib
import sys
from itertools import takewhile

NAMES = (
    "accept",
    "footprint",
    "soak",
    "stops",
    "front",
    "delivery",
    "kills",
    "pull_requests",
    "replicas",
    "backends",
    "pages",
    "state",
    "growth",
    "storm",
    "watch",
    "classify_speed",
    "classify_accuracy",
    "kinds",
    "evidence_weights",
    "diagnosis_tables",
    "proposal",
    "rules_cost",
    "rules_running",
    "rules_compare",
    "rules_mutants",
    "backtest",
)


def main() -> None:
    """Run each in turn."""
    named = tuple(takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(named) :]
    if options and len(named) != 1:
        sys.exit("options belong to one benchmark: python -m bench NAME --option ...")
    for name in named or NAMES:
        if name not in NAMES:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"bench.{name}")
        module.main(options) if options else module.main()


main()
