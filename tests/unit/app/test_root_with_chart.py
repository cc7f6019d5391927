"""The chart stands in the root where Slack takes pictures, and is never worth the message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from receiver.app.build import build
from receiver.demo.run import RECORDINGS
from receiver.demo.scenarios import SCENARIOS, webhook_body
from receiver.demo.standins import KubeStandin, PrometheusStandin, load
from receiver.settings import load_settings
from tests.fakes.slack import FakeSlack, Root


@contextmanager
def told(tmp_path: Path, slack: FakeSlack) -> Iterator[Root]:
    """The leak of the demo through a receiver in this process; its root with the whole thread."""
    now = datetime.now(UTC)
    recordings = load(RECORDINGS, only=["orders-api-leak"], now=now - timedelta(seconds=20))
    with KubeStandin(recordings) as kube, PrometheusStandin(recordings.series) as prometheus:
        settings = load_settings(
            {
                "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.api_url, "SLACK_MIN_INTERVAL": "0",
                "KUBE_API_URL": kube.url, "PROMETHEUS_URL": prometheus.url, "STORE_URL": f"sqlite:///{tmp_path}/state.db",
            }
        )  # fmt: skip
        application = build(settings)
        application.web.test_client().post("/alerts", json=webhook_body(SCENARIOS[0], recordings.incidents[0], now))
        application.start()
        slack.wait_for(lambda: bool(slack.channel("C1").roots) and len(slack.channel("C1").roots[0].replies) == 3)
        yield slack.channel("C1").roots[0]
        application.close()


def test_the_root_shows_the_uploaded_chart(tmp_path: Path) -> None:
    """A PNG of ours, in the place of the place-holder, with a sentence for who cannot see it."""
    with FakeSlack() as slack, told(tmp_path, slack) as root:
        (image,) = [b for b in root.message.blocks if b["type"] == "image"]

    assert image["slack_file"]["id"] != "PICTURE"
    assert "orders-api" in image["alt_text"]
    assert slack.complaints == []


def test_without_the_scope_the_message_goes_without_its_chart(tmp_path: Path) -> None:
    """files:write is missing: the words are all there, and nothing of a place-holder."""
    with FakeSlack(scopes=("chat:write", "channels:history")) as slack, told(tmp_path, slack) as root:
        types = [b["type"] for b in root.message.blocks]

    assert "image" not in types
    assert "header" in types


def test_a_file_that_slack_cannot_use_yet_is_tried_again(tmp_path: Path) -> None:
    """`invalid_blocks` right after the upload: again a moment later, with the chart and not as plain text."""
    with FakeSlack() as slack:
        slack.slow_file_posts = 1
        with told(tmp_path, slack) as root:
            types = [b["type"] for b in root.message.blocks]

    assert types[:3] == ["header", "rich_text", "image"]
