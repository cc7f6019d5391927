"""The week that tests of the backtest look at: what its containers did, and a Prometheus that remembers it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.binaries import binary
from tests.lab.history import HOUR_S, Program, level, ramp, write_history

WEEK_S = 7 * 24 * HOUR_S
START_S = 1_730_592_000  # 2024-11-03T00:00:00Z
END_S = START_S + WEEK_S

LEAK_PERIOD_S = 36 * HOUR_S
# Reaches its limit every 36 hours, and over 80 % 25 h 43 min into each period.
LEAKS = tuple(
    Program(
        namespace="shop", pod=f"orders-api-655779759d-{suffix}", container="orders-api",
        ratio=ramp(LEAK_PERIOD_S), kills_s=tuple(LEAK_PERIOD_S * k - 20.0 for k in (1, 2, 3, 4)),
    )
    for suffix in ("jst99", "x7k2p")
)  # fmt: skip
# Killed out of nowhere, with nothing but a restart to tell of it.
SPIKES = Program(
    namespace="shop", pod="cart-0", container="cart", ratio=level(0.4), kills_s=(50 * HOUR_S + 30.0, 51 * HOUR_S + 30.0), has_times=False
)
# A Job that died and stays dead.
JOB = Program(namespace="batch", pod="report-28842000-b4k7x", container="report", ratio=level(0.5), dies_s=100 * HOUR_S + 30.0)
# A server that lost two workers and lives on.
SERVER = Program(
    namespace="web", pod="gunicorn-7c9d8b6f5d-abcde", container="web", ratio=level(0.6),
    process_kills_s=(20 * HOUR_S + 30.0, 120 * HOUR_S + 30.0),
)  # fmt: skip
# Two hours at 85 %, and nothing came of it.
FULL = Program(namespace="shop", pod="search-0", container="search", ratio=level(0.5, bump=0.35, from_s=30 * HOUR_S, until_s=32 * HOUR_S))
QUIET = Program(namespace="web", pod="static-0", container="static", ratio=level(0.2))

PROGRAMS = (*LEAKS, SPIKES, JOB, SERVER, FULL, QUIET)


def write_week(folder: Path) -> None:
    """`folder`/data for tests/e2e/servers.Prometheus."""
    write_history(folder, PROGRAMS, start_s=START_S, length_s=WEEK_S, promtool=binary("promtool"), state_scrape_s=120)
