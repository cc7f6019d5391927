"""How long a verdict takes, in pure Python: the cheapest of several runs, per number of points and kind of series.

python bench/classify_speed.py
"""

from __future__ import annotations

import time
from random import Random

from receiver.diagnosis.memory.csv_series import history_of_csv
from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.facts import MemoryHistory
from tests.lab.synthetic import DAY, HOUR, Base, Garbage, Leak, Load, Plan, Traffic, simulate

POINTS = (288, 2_880, 20_160)
RUNS = 5


def plans(points: int) -> dict[str, Plan]:
    """The same kinds of series at every size: a day at this many points (two weeks for the largest)."""
    span = 14 * DAY if points > 10_000 else DAY
    step = span / points
    per_h = 0.5 / (span / HOUR)
    return {
        "flat": Plan("unknown", [Base(0.4, noise=0.01)], span, step, loss=0),
        "one leaking life, request rate": Plan(
            "leak", [Base(0.2), Leak(per_h), Load(0.05)], span, step, Traffic(wave=0.5), has_rate=True, loss=0
        ),
        "leak, killed six times": Plan("leak", [Base(0.2), Leak(per_h * 10), Garbage(0.05, 600)], span, step, loss=0),
        "killed all the time by bursts": Plan(
            "spike", [Base(0.2), Load(0.4, smooth_s=30)], span, step, Traffic(wave=0.9, noise=0.9), has_rate=True, loss=0
        ),
    }


def csv_of(history: MemoryHistory) -> str:
    """The series as a file would hold it."""
    rows = ["t_seconds,working_set_bytes,limit_bytes,rss_bytes,cache_bytes,request_rate,restarts,oom_kills"]
    for s in history.samples:
        cells = (s.t_s, s.working_set_bytes, s.limit_bytes, s.rss_bytes, s.cache_bytes, s.request_rate, s.restarts, s.oom_kills)
        rows.append(",".join("" if v is None else str(v) for v in cells))
    return "\n".join(rows)


def best_ms(run: object, *arguments: object) -> float:
    """The cheapest of RUNS runs, in milliseconds of CPU time."""
    took = []
    for _ in range(RUNS):
        began = time.process_time()
        run(*arguments)  # type: ignore[operator]
        took.append((time.process_time() - began) * 1000)
    return min(took)


def main() -> None:
    """Prints one line per kind and size."""
    print(f"{'points':>7}  {'lives':>5}  {'verdict ms':>10}  {'with CSV ms':>11}  kind")
    for points in POINTS:
        for kind, plan in plans(points).items():
            history = simulate(plan, f"{kind}:{Random(points).random()}")
            text = csv_of(history)
            verdict = best_ms(shape_of, history)
            both = best_ms(lambda t: shape_of(history_of_csv(t)), text)
            print(f"{len(history.samples):>7}  {len(shape_of(history).lives):>5}  {verdict:>10.1f}  {both:>11.1f}  {kind}")


if __name__ == "__main__":
    main()
