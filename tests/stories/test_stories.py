"""Whole stories through a whole receiver; the channel at the end is a golden that a reviewer reads as the on-call would.

A story is a function in plots.py; its name is its golden's, its line in docs/messages.md and its picture's (`make pictures`).
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack, Root
from tests.golden import GOLDEN_DIR, Golden
from tests.stories import cast, plots
from tests.stories.cluster import Cluster, Pod, Workload, recorded_lives
from tests.stories.story import Story
from tests.stories.telling import told
from tests.support import alert

DOCS = Path(__file__).parents[2] / "docs" / "messages.md"
THREAD, LATER = 3, 4  # replies of a root, and what may follow over an incident's life
EDIT_S, DIGEST_EDIT_S = 10.0, 30.0
FAILED = ("did not hold", "only delayed it", "fix was undone")
HOSTILE = "\n".join(
    [
        "\x1b[31mred\x1b[0m <!channel> <@U012AB3CD> <!subteam^S012AB|@oncall> <https://evil.example|click>", "```", "`code` *bold* &lt;!here&gt;",
        "\u202egnp.exe\u202c \u2066x\u2069 \u200b", "🔴⚠️👩‍👩‍👧‍👦 " * 50, "A" * 200_000, "\x00\x02\x1f", "Traceback MemoryError <!channel> the end",
    ]
)  # fmt: skip
SUMMARY = re.compile(
    r"(?P<alerts>\d+) alerts?: (?P<messages>\d+) messages? \((?P<roots>\d+) roots?, (?P<replies>\d+) replies, (?P<broadcasts>\d+) broadcasts?\), "
    r"(?P<edits>\d+) edits?\. Sounds (?P<sounds>\d+) times?"
)


@pytest.mark.timeout(300)  # the storm takes 600 looks
@pytest.mark.parametrize("name", list(plots.PLOTS))
def test_a_story_ends_as_reviewed(name: str, tmp_path: Path, golden: Golden) -> None:
    """The channel, what happened in it in time, and what it cost its readers, within the budgets."""
    with plots.PLOTS[name](tmp_path / "receiver") as story:
        text = told(story.slack, accepted=story.accepted)
        wrong = [*_overdone(story.slack), *_named_twice(story.slack)]

    assert wrong == []
    assert story.slack.silent_mentions == []
    golden(f"stories/{name}.txt", text)


def test_the_table_of_the_docs_is_what_the_stories_count() -> None:
    """docs/messages.md: messages, replies, edits and sounds of each story, as the goldens say them."""
    rows = []
    for name, plot in plots.PLOTS.items():
        found = SUMMARY.match((GOLDEN_DIR / "stories" / f"{name}.txt").read_text(encoding="utf-8"))
        assert found, name
        what = (plot.__doc__ or "").strip().rstrip(".")
        rows.append(
            f"| {what} | {found['alerts']} | {found['roots']} | {found['replies']} | {found['broadcasts']} | {found['edits']} | {found['sounds']} |"
        )

    shown = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if re.match(r"\|.*\| \d+ \|$", line)]
    assert shown == rows


def test_hostile_text_pings_nobody_and_breaks_nothing(tmp_path: Path) -> None:
    """Logs, labels and annotations that try to: the alert is told all the same, and nothing of theirs is parsed by Slack."""
    lives = recorded_lives(cast.seconds(cast.EVENING))[:2]
    workload = Workload(namespace="shop", name="orders-api", pods=[Pod(name=cast.ORDERS, lives=lives)], log=HOSTILE)
    annotations = {"summary": HOSTILE, "runbook_url": "javascript:alert(1)", "<!here>": "<!here>"}
    about = alert(
        "<!channel> ```x```",
        pod=cast.ORDERS,
        started=lives[1].start,
        annotations=annotations,
        team="<@U012AB3CD>",
        cluster="lab",
        note=HOSTILE,
    )
    unknown = alert("\u202e<!here>\x1b[31m", pod="", container="", namespace="", annotations=annotations, note=HOSTILE)
    with Story(tmp_path / "receiver", Cluster([workload]), begin=cast.EVENING) as story:
        story.until(lives[1].start + 15)
        story.tell(about)
        story.tell(unknown)
        story.later(minutes=1)
        shown = [m.shown() for m in story.slack.channel().messages]

    assert story.slack.complaints == []
    assert story.slack.pings == []
    assert len(story.slack.channel().roots) == 2
    assert any("<!channel> the end" in text for text in shown)


def _overdone(slack: FakeSlack) -> list[str]:
    """What is more than is allowed: replies, edits too soon after one another."""
    found = []
    for root in slack.channel().roots:
        is_storm = _is_storm(root)
        failed = sum(any(words in r.text for words in FAILED) for r in root.replies)  # each answers what somebody did
        if not is_storm and len(root.replies) - failed > THREAD + LATER:
            found.append(f"{len(root.replies)} replies under {root.message.text}")
        for message in (root.message, *root.replies):
            times = [h.at for h in slack.happened if h.ts == message.ts]
            least_s = DIGEST_EDIT_S if is_storm and not message.thread_ts else EDIT_S
            found += [f"edited {b - a:.1f} s after {a - times[0]:.1f}: {message.text}" for a, b in pairwise(times) if b - a < least_s - 0.5]
    return found


def _named_twice(slack: FakeSlack) -> list[str]:
    """Workloads that stand in the header of more than one root."""
    subjects = [r.message.shown().split(":")[0] for r in slack.channel().roots if not _is_storm(r)]
    return [s for s in set(subjects) if subjects.count(s) > 1]


def _is_storm(root: Root) -> bool:
    return any("of this storm" in reply.text or "of this inventory" in reply.text for reply in root.replies)
