"""What a click costs: it is shown from what is stored, and asks nothing of the cluster. How soon: tests/stories/test_clicks.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.app.build import Application
from receiver.domain.reason import reason
from tests.e2e.inside import is_idle, post, receiver_inside
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack, Posted
from tests.stories.silences import AlertmanagerStandin
from tests.support import alert, payload, shown_as, wait_until
from tests.unit.web.test_slack_actions import SECRET, pressed, sign

INCIDENT = "a-leak-crashloop"
POD = "orders-api-655779759d-jst99"
PACE = "1.1s"  # the default of SLACK_MIN_INTERVAL: one message a channel and second


@dataclass
class Scene:
    """A receiver with everything around it, and an incident that has just been posted."""

    application: Application
    slack: FakeSlack
    kube: FakeKube
    prometheus: FakePrometheus
    alertmanager: AlertmanagerStandin
    ahead_s: list[float]
    clicks: int = field(default=0)

    def message(self, slot: str) -> Posted:
        (root,) = self.slack.channel().roots
        return root.message if slot == "root" else next(m for m in root.replies if slot in m.text)

    @property
    def incident(self) -> str:
        row = next(b for b in self.message("root").blocks if b["type"] == "actions")
        return str(row["block_id"].partition(":")[2])

    def press(self, action: str, *, menu: bool = False) -> None:
        """Somebody presses."""
        self.clicks += 1
        body = pressed(self.incident, action, ts=str(self.clicks), menu=menu)
        stamp = str(int(time.time() + self.ahead_s[0]))
        answer = self.application.web.test_client().post(
            "/slack/actions", data=body, headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(stamp, body)},
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert answer.status_code == 200

    def settle(self) -> None:
        """Wait until nothing is left to do or to send, then let a minute pass."""
        wait_until(lambda: is_idle(self.application) and self._is_sent(), what="everything is shown")
        self.ahead_s[0] += 60.0
        self.application.worker.wake()

    def _is_sent(self) -> bool:
        with self.application.store.read() as tx:
            return not tx.run("SELECT 1 FROM message WHERE desired_rev > sent_rev")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with _scene(tmp_path) as made:
        yield made


@contextmanager
def _scene(folder: Path) -> Iterator[Scene]:
    recordings, ahead_s = recorded(INCIDENT, now=datetime.now(UTC)), [0.0]
    with (
        FakeSlack() as slack,
        FakeKube(recordings) as kube,
        FakePrometheus(recordings.series) as prometheus,
        AlertmanagerStandin(began=datetime.now(UTC)) as alertmanager,
        receiver_inside(
            folder, slack, clock=lambda: time.time() + ahead_s[0], monotonic=lambda: time.monotonic() + ahead_s[0], KUBE_API_URL=kube.url, PROMETHEUS_URL=prometheus.url,
            ALERTMANAGER_URL=alertmanager.url, SLACK_SIGNING_SECRET=SECRET, SLACK_MIN_INTERVAL=PACE,
            WATCH_INTERVAL="24h",  # the watch asks by itself, whatever anybody presses
        ) as application,
    ):  # fmt: skip
        alertmanager.alerts = [alert(pod=POD, container="orders-api", started=time.time())]
        assert post(application, payload(*alertmanager.alerts)) == 202
        slack.wait_for(lambda: any(len(r.replies) == 3 for r in slack.channel().roots))
        yield Scene(application, slack, kube, prometheus, alertmanager, ahead_s)


@pytest.mark.parametrize(
    ("action", "menu", "where", "shown", "edits"),
    [
        ("ack", False, "root", shown_as(reason("incident.log.acknowledged", by="ines")), 1),
        ("silence_1h", False, "root", "Silenced until", 1),
        ("tick:monitor_48h", False, "checklist", "untick:monitor_48h", 2),
        ("fix", True, "root", shown_as(reason("incident.log.fix_applied", by="ines")), 2),
    ],
)
def test_a_click_asks_nothing_of_the_cluster(scene: Scene, action: str, menu: bool, where: str, shown: str, edits: int) -> None:
    """Not one request to Kubernetes or Prometheus, no chart uploaded, and no edit but of what says it."""
    scene.settle()
    asked, uploads = (len(scene.kube.asked), len(scene.prometheus.asked)), scene.slack.calls["upload"]
    calls = sum(scene.slack.calls.values())
    scene.press(action, menu=menu)
    scene.slack.wait_for(lambda: shown in scene.message(where).shown() or shown in scene.message(where).actions)
    scene.settle()

    assert (len(scene.kube.asked), len(scene.prometheus.asked)) == asked
    assert scene.slack.calls["upload"] == uploads
    assert sum(scene.slack.calls.values()) - calls == edits


def test_a_resolve_right_after_a_look_needs_no_second_one(scene: Scene) -> None:
    """Five seconds old is new enough."""
    wait_until(lambda: is_idle(scene.application), what="the first look is done")
    asked = len(scene.kube.asked), len(scene.prometheus.asked)
    post(scene.application, payload(alert(pod=POD, container="orders-api", started=time.time(), status="resolved")))
    wait_until(lambda: is_idle(scene.application), what="the resolve is taken in")
    scene.ahead_s[0] += 60.0
    scene.application.worker.wake()
    scene.slack.wait_for(lambda: "alert resolved" in scene.message("root").text)

    assert (len(scene.kube.asked), len(scene.prometheus.asked)) == asked
