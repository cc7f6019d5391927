"""The weekly summary as a channel reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from receiver.domain.incident_memory import GivenVerdict
from receiver.domain.weekly import WeeklyLine, WeeklyView
from receiver.render.weekly import LISTED, weekly_message
from tests.checks.slack_limits import problems
from tests.golden import Golden

GIB = 1024**3
WEEK = WeeklyView(
    since=datetime(2024, 11, 4, tzinfo=UTC), until=datetime(2024, 11, 11, tzinfo=UTC), kills_before=63, held=2, failed=1, watched=1,
    wasted_bytes=int(1.2 * GIB), missing_bytes=640 * 1024**2, page_url="https://oomtriage.example/workloads",
    lines=(
        WeeklyLine(
            namespace="shop", name="orders-api", kills=28, verdict=GivenVerdict(cause="leak", confidence=0.9), newest_fix="did_not_hold",
            page_url="https://oomtriage.example/workloads/8f742231b10e8888",
        ),
        WeeklyLine(namespace="cart", name="log-shipper", kills=12, verdict=GivenVerdict(cause="unknown", confidence=0.0), newest_fix=""),
        WeeklyLine(namespace="batch", name="nightly-report", kills=1, verdict=GivenVerdict(cause="limit_too_low", confidence=0.7), newest_fix="held"),
        WeeklyLine(namespace="shop", name="session-store", kills=0),
    ),
)  # fmt: skip
HOSTILE = "<!channel> <@U012AB3CD> *bold* `code` <https://evil.example|click>\x1b[31m\u202egnp " * 20


def test_a_week_as_reviewed(golden: Golden) -> None:
    """What to start with, what came of fixes, which limits do not fit, the worst first."""
    message = weekly_message(WEEK)

    assert problems(message.body()) == []
    golden("slack/w-weekly.txt", f"{message.text}\n\n{message.full_text}")
    golden("slack/w-weekly.json", json.dumps(message.body()["blocks"], indent=1, ensure_ascii=False))


def test_a_week_in_which_only_fixes_were_judged(golden: Golden) -> None:
    """Nothing was killed, and that is said without a claim that all is well."""
    quiet = replace(
        WEEK, lines=(replace(WEEK.lines[2], kills=0),), failed=0, watched=0, wasted_bytes=0, missing_bytes=0, page_url="", kills_before=0
    )
    message = weekly_message(quiet)

    assert problems(message.body()) == []
    golden("slack/w-weekly-quiet.txt", f"{message.text}\n\n{message.full_text}")


def test_hostile_names_ping_nobody_and_many_workloads_fit() -> None:
    """A hundred of them, each named by a stranger; the worst are listed."""
    lines = tuple(WeeklyLine(namespace=HOSTILE, name=f"{i} {HOSTILE}", kills=1000 - i) for i in range(100))
    message = weekly_message(replace(WEEK, lines=lines))

    assert problems(message.body()) == []
    assert "<!channel>" not in message.text
    assert message.full_text.count("\n  - ") == LISTED
    assert "92 more workloads" in message.full_text
