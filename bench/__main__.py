"""Runs the named benchmarks, or all."""

from __future__ import annotations

import importlib
import sys

NAMES = ("accept", "footprint", "delivery", "classify_speed", "classify_accuracy", "proposal", "backtest")


def main() -> None:
    """Run each in turn."""
    wanted = sys.argv[1:] or NAMES
    for name in wanted:
        if name not in NAMES:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()


main()
