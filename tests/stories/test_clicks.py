"""How soon a click is shown, on the clock of a story: within a second, at the usual pace of the channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.domain.reason import reason
from tests.fakes.slack import Posted
from tests.stories import cast
from tests.stories.silences import AlertmanagerStandin
from tests.stories.story import SECRET, Story
from tests.support import shown_as


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A leak that was posted a few minutes ago."""
    cluster, lives = cast.leak(1)
    killed_at = lives[0].end
    assert killed_at is not None
    with AlertmanagerStandin(began=cast.EVENING) as alertmanager, Story(
        tmp_path / "receiver", cluster, begin=cast.EVENING, SLACK_SIGNING_SECRET=SECRET, ALERTMANAGER_URL=alertmanager.url
    ) as story:  # fmt: skip
        story.until(killed_at + 45)
        alertmanager.alerts = [story.fires("OOMKilled", cast.ORDERS, "orders-api", severity="critical")]
        story.later(minutes=2)
        yield story


@pytest.mark.parametrize(
    ("action", "is_in_menu", "shown"),
    [
        ("ack", False, shown_as(reason("incident.log.acknowledged", by="ines"))),
        ("silence_1h", False, "Silenced until"),
        ("fix", True, shown_as(reason("incident.log.fix_applied", by="ines"))),
    ],
)
def test_a_click_is_shown_within_a_second(story: Story, action: str, is_in_menu: bool, shown: str) -> None:
    """There, where it was pressed; what else changes with it may come a moment later."""
    before = _message(story, "OOMKilled").shown()
    story.press(action, is_in_menu=is_in_menu)
    story.later(seconds=1)

    assert shown not in before
    assert shown in _message(story, "OOMKilled").shown()


def test_a_tick_is_shown_within_a_second(story: Story) -> None:
    """In the checklist first, whose count in the root follows at the channel's pace."""
    before = _message(story, "checklist").actions
    story.press("tick:monitor_48h")
    story.later(seconds=1)

    assert "tick:monitor_48h" in before
    assert "untick:monitor_48h" in _message(story, "checklist").actions


def test_a_click_while_the_cluster_is_away(story: Story) -> None:
    """What is known stays as it is: a click is no look, and nothing is lost because of it."""
    before = _message(story, "OOMKilled").shown()
    story.cluster.kube.stop()
    story.cluster.prometheus.stop()
    story.press("ack")
    story.later(seconds=1)
    after = _message(story, "OOMKilled").shown()
    story.cluster.kube.start()
    story.cluster.prometheus.start()

    assert shown_as(reason("incident.log.acknowledged", by="ines")) in after
    assert [line for line in before.splitlines() if line.startswith(("Why", "Next", "Do"))] == [
        line for line in after.splitlines() if line.startswith(("Why", "Next", "Do"))
    ]


def _message(story: Story, text: str) -> Posted:
    return next(m for m in story.slack.channel().messages if text in m.text)
