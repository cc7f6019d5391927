"""How often one proposed raise would have been enough, where the true demand is known (tests/lab/killed_twins.py).

python -m bench proposal [--pairs 40]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median

from tests.lab.killed_twins import FAR, NEAR, RIVALS, TRACES, Outcome, outcomes, replays


def _table(title: str, found: list[Outcome]) -> None:
    print(f"\n{title}: {len(found)} pairs")
    print(f"  {'':34}{'enough':>8}{'next day':>10}{'limit/demand':>14}{'90th':>7}")
    for name, rule in RIVALS:
        limits = [(o, rule(o)) for o in found]
        ratios = sorted(limit / o.demand for o, limit in limits if limit)
        enough = sum(1 for o, limit in limits if limit and limit >= o.demand)
        lasting = sum(1 for o, limit in limits if limit and limit >= max(o.demand, o.next_demand))
        high = ratios[int(0.9 * (len(ratios) - 1))] if ratios else 0.0
        print(f"  {name:34}{enough / len(found):8.0%}{lasting / len(found):10.0%}{median(ratios) if ratios else 0:14.2f}{high:7.2f}")


def _families(found: list[Outcome]) -> None:
    print(f"  {'of this project, by family':34}{'pairs':>8}{'enough':>10}{'limit/demand':>14}   verdicts")
    for family in dict.fromkeys(o.family for o in found):
        mine = [o for o in found if o.family == family]
        enough = sum(1 for o in mine if o.ours and o.ours >= o.demand)
        ratios = [o.ours / o.demand for o in mine if o.ours]
        names = {c: sum(1 for o in mine if o.cause == c) for c in sorted({o.cause for o in mine})}
        none = sum(1 for o in mine if not o.ours)
        words = ", ".join(f"{c} {n}" for c, n in sorted(names.items(), key=lambda e: -e[1])) + (f"; no proposal {none}" if none else "")
        print(f"  {family:34}{len(mine):8}{enough / len(mine):10.0%}{median(ratios) if ratios else 0:14.2f}   {words}")


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench proposal", description="Is one proposed raise enough?")
    parser.add_argument("--pairs", type=int, default=40, help="simulated pairs a family (default: 40)")
    options = parser.parse_args(arguments)
    for name, ratios in (("demand 1.05 to 1.6 x limit", NEAR), ("far: demand 1.6 to 2.5 x limit", FAR)):
        simulated = outcomes(options.pairs, ratios)
        _table(f"Simulated twins, {name}", simulated)
        _families(simulated)
        if (TRACES / "labels.csv").exists():
            real = replays(ratios)
            _table(f"Recorded runs replayed, {name}", real)
            _families(real)
