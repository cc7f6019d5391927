"""Silences at a real Alertmanager: one an incident, extended, undone, found again after a crash; and pressed for in Slack."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from receiver.demo.standins import KubeStandin, load
from receiver.domain.alerts import Alert
from receiver.domain.identity import LabelNames, subject_of
from receiver.domain.silence import Matcher, matchers_of, silence_link
from receiver.domain.units import format_time
from receiver.errors import SourceError, Unavailable
from receiver.evidence.alertmanager import AlertmanagerConfig
from receiver.evidence.silences import AlertmanagerSilences
from tests.e2e.receiver import Receiver
from tests.e2e.servers import Alertmanager
from tests.fakes.slack import FakeSlack
from tests.support import alert, wait_until
from tests.unit.web.test_slack_actions import SECRET, pressed, sign

KUBERNETES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
POD = "orders-api-655779759d-jst99"
H = 3600.0


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """One for all tests here; each uses labels and marks of its own."""
    with Alertmanager(tmp_path_factory.mktemp("am"), webhook_url="http://127.0.0.1:9/") as running:
        yield running


def live(alertmanager: Alertmanager, mark: str) -> list[Any]:
    """The silences of an incident that are on."""
    return [s for s in alertmanager.get("/api/v2/silences") if s["status"]["state"] == "active" and s["comment"].startswith(mark)]


def post(alertmanager: Alertmanager, *alerts: Alert, hours: float = 1.0) -> None:
    now = datetime.now(UTC)
    body = [
        {"labels": dict(a.labels), "startsAt": format_time(now - timedelta(minutes=1)), "endsAt": format_time(now + timedelta(hours=hours))}
        for a in alerts
    ]
    request = urllib.request.Request(
        f"{alertmanager.url}/api/v2/alerts", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def silences(alertmanager: Alertmanager) -> AlertmanagerSilences:
    return AlertmanagerSilences(AlertmanagerConfig(url=alertmanager.url))


def hold(keeper: AlertmanagerSilences, mark: str, *matchers: Matcher, known_id: str = "", hours: float = 1.0) -> str:
    now = time.time()
    return keeper.hold(
        matchers or (Matcher(name="namespace", value=mark),), mark=mark, known_id=known_id, now=now, until=now + hours * H, by="ines", comment=f"{mark}: test"
    )[0]  # fmt: skip


def test_extended_in_place_and_never_shortened(alertmanager: Alertmanager) -> None:
    """One hour, four, one again: the same silence, which ends with the longest wish."""
    keeper = silences(alertmanager)
    first = hold(keeper, "inc_A")
    ids = {first, hold(keeper, "inc_A", known_id=first, hours=4), hold(keeper, "inc_A", known_id=first, hours=1)}
    (only,) = live(alertmanager, "inc_A")
    left_s = datetime.fromisoformat(only["endsAt"]).timestamp() - time.time()

    assert ids == {only["id"]}
    assert 3.9 * H < left_s <= 4 * H
    assert only["createdBy"] == "ines"


def test_after_a_crash_its_silence_is_found_by_its_mark(alertmanager: Alertmanager) -> None:
    """Alertmanager took it and the id was never written down: no second silence."""
    keeper = silences(alertmanager)
    first = hold(keeper, "inc_B")

    assert hold(keeper, "inc_B", known_id="") == first
    assert len(live(alertmanager, "inc_B")) == 1


def test_one_incidents_mark_is_not_anothers_beginning(alertmanager: Alertmanager) -> None:
    """inc_C is not inc_CC."""
    keeper = silences(alertmanager)

    assert hold(keeper, "inc_CC") != hold(keeper, "inc_C")


def test_other_matchers_replace_the_silence(alertmanager: Alertmanager) -> None:
    """The workload was confirmed meanwhile: the old silence ends with the new one's beginning."""
    keeper = silences(alertmanager)
    first = hold(keeper, "inc_D", Matcher(name="pod", value="a"))
    second = hold(keeper, "inc_D", Matcher(name="pod", value="a-.*", is_regex=True), known_id=first)

    assert [s["id"] for s in live(alertmanager, "inc_D")] == [second] != [first]


def test_undo_ends_it_now_and_is_fine_twice(alertmanager: Alertmanager) -> None:
    """Also when somebody ended it in Alertmanager's own page, or when Alertmanager never knew it."""
    keeper = silences(alertmanager)
    silence_id = hold(keeper, "inc_E")
    for known in (silence_id, silence_id, "00000000-0000-4000-8000-000000000000", "no/such id", ""):
        keeper.release(known, mark="inc_E")

    assert live(alertmanager, "inc_E") == []
    assert hold(keeper, "inc_E", known_id=silence_id) != silence_id


def test_what_alertmanager_refuses_is_said(alertmanager: Alertmanager) -> None:
    """A matcher it cannot take is an error with its own words, not to be tried again; one that is away is."""
    with pytest.raises(SourceError, match="Alertmanager answered 400") as refused:
        hold(silences(alertmanager), "inc_F", Matcher(name="pod", value="(", is_regex=True))
    with pytest.raises(Unavailable):
        hold(AlertmanagerSilences(AlertmanagerConfig(url="http://127.0.0.1:9")), "inc_F")

    assert not refused.value.retryable


def test_the_matchers_silence_this_workload_and_nobody_else(alertmanager: Alertmanager) -> None:
    """As Alertmanager itself reads them: the next pod is silent, neighbours are not; with names full of special characters too."""
    hostile = 'a.b*c(d|e)[f]{g}^$\\"h"\n,é&#?%'
    about = alert(namespace="amtest", cluster=hostile)
    matchers = matchers_of(subject_of(about.labels, LabelNames()), (about,), LabelNames())
    others = [
        alert(namespace="amtest", cluster=hostile, pod="orders-api-7d9f88c5b4-x7k2m", x="silent"),
        alert("HighMemoryUsage", namespace="amtest", cluster=hostile, x="silent"),
        alert(namespace="amtest", cluster=hostile, pod="orders-api-worker-7d9f88c5b4-x7k2m", x="heard"),
        alert(namespace="amtest", cluster=hostile, container="sidecar", x="heard"),
        alert(namespace="amtest", cluster="aab*c", x="heard"),
    ]
    hold(silences(alertmanager), "inc_G", *matchers)
    post(alertmanager, about, *others)
    held = [a for a in alertmanager.alerts() if a["labels"]["namespace"] == "amtest"]

    assert {a["labels"].get("x", "silent") for a in held if a["status"]["silencedBy"]} == {"silent"}
    assert {a["labels"].get("x", "silent") for a in held if not a["status"]["silencedBy"]} == {"heard"}
    assert len(held) == 6


def test_which_alerts_still_fire(alertmanager: Alertmanager) -> None:
    """Silenced ones too, ended ones not; of a freshly started Alertmanager nothing is believed."""
    lasting, ended = alert(namespace="amfire", x="1"), alert(namespace="amfire", x="2")
    matcher = Matcher(name="namespace", value="amfire")
    hold(silences(alertmanager), "inc_H", matcher)
    post(alertmanager, lasting, ended)
    post(alertmanager, ended, hours=-0.001)
    found = silences(alertmanager).firing((matcher,), now=time.time() + H)
    (held,) = [a for a in alertmanager.alerts() if a["labels"]["namespace"] == "amfire"]

    assert held["labels"]["x"] == "1"
    assert found == frozenset({held["fingerprint"]})
    assert silences(alertmanager).firing((matcher,), now=time.time()) is None


def test_alertmanager_reads_the_links_filter_as_it_is_meant(alertmanager: Alertmanager) -> None:
    """The text in the link is one that Alertmanager's own parser takes, quotes and regular expressions included."""
    about = alert(namespace='am"link\\', pod="cart.v2-0", container="c,{}=~!")
    post(alertmanager, about, alert(namespace="amother", pod="cart.v2-0"))
    matchers = matchers_of(subject_of(about.labels, LabelNames()), (about,), LabelNames())
    wanted = unquote(silence_link("https://am.example.net", matchers).partition("?filter=")[2])
    found = [alertmanager.get("/api/v2/alerts", filter=str(m)) for m in matchers]

    assert wanted == "{" + ",".join(str(m) for m in matchers) + "}"
    assert [any(a["labels"] == about.labels for a in alerts) for alerts in found] == [True] * 3
    assert [a["labels"]["namespace"] for a in found[0]] == [about.labels["namespace"]]


def test_from_slacks_buttons_to_alertmanager_and_back(tmp_path: Path, alertmanager: Alertmanager) -> None:
    """Pressed in Slack and typed in a shell: acknowledged, silenced, extended, undone; the message tells each, silently."""
    with (
        FakeSlack() as slack,
        KubeStandin(load(KUBERNETES, only=["a-leak-crashloop"], now=datetime.now(UTC))) as kube,
        Receiver(
            tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url,
            ALERTMANAGER_URL=alertmanager.url, SLACK_SIGNING_SECRET=SECRET, ADMIN_TOKEN="e2e-admin",
        ) as receiver,
    ):  # fmt: skip
        about = alert(pod=POD, container="orders-api")
        body = {"version": "4", "alerts": [{**about.to_json(), "endsAt": "0001-01-01T00:00:00Z"}]}
        assert receiver.post(body) == 202
        slack.wait_for(lambda: bool(slack.channel("C1").roots), timeout_s=30)
        incident = _incident(slack)
        first = _words(slack)

        typed = subprocess.run(
            [sys.executable, "-m", "receiver", "ack", incident, "--by", "Ines"], env={**receiver.environ()}, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        refused = _press(receiver, incident, "silence_1h", ts="0", secret="wrong")
        statuses = [_press(receiver, incident, "silence_1h", ts="1"), _press(receiver, incident, "silence_1h", ts="1")]
        wait_until(lambda: len(live(alertmanager, incident)) == 1, what="the silence is there")
        statuses.append(_press(receiver, incident, "silence_4h", ts="2", menu=True))
        wait_until(lambda: _hours_left(alertmanager, incident) > 3.9, what="the silence is extended")
        extended = live(alertmanager, incident)
        slack.wait_for(lambda: "Silenced until" in slack.channel("C1").roots[0].message.shown(), timeout_s=30)
        silent = _words(slack)
        statuses.append(_press(receiver, incident, "unsilence", ts="3", menu=True))
        wait_until(lambda: not live(alertmanager, incident), what="the silence is undone")
        channel = slack.channel("C1")

    assert first == ["Acknowledge", "Silence 1 h", "Silence 4 h", "Fix applied", "Verdict is wrong", "Undo silence"]
    assert silent == first[1:]
    assert (typed.returncode, typed.stdout) == (0, f"{incident}: acknowledged by Ines\n"), typed.stderr
    assert (refused, statuses) == (401, [200] * 4)
    assert len(extended) == 1
    assert [(m["name"], m["isRegex"]) for m in extended[0]["matchers"]] == [("namespace", False), ("pod", True), ("container", False)]
    assert "Acknowledged by Ines." in channel.roots[0].message.shown()
    assert len(channel.roots) == 1
    assert len(channel.roots[0].replies) == 3
    assert slack.complaints == []


def _incident(slack: FakeSlack) -> str:
    (block,) = [b for b in slack.channel("C1").roots[0].message.blocks if b["type"] == "actions"]
    return str(block["block_id"].removeprefix("actions:"))


def _words(slack: FakeSlack) -> list[str]:
    """What can be pressed, menu included."""
    elements = [e for b in slack.channel("C1").roots[0].message.blocks if b["type"] == "actions" for e in b["elements"]]
    return [t["text"]["text"] for e in elements for t in e.get("options", [e])]


def _hours_left(alertmanager: Alertmanager, incident: str) -> float:
    return max((datetime.fromisoformat(s["endsAt"]).timestamp() - time.time() for s in live(alertmanager, incident)), default=0.0) / H


def _press(receiver: Receiver, incident: str, action: str, *, ts: str, menu: bool = False, secret: str = SECRET) -> int:
    body, stamp = pressed(incident, action, ts=ts, menu=menu), str(int(time.time()))
    request = urllib.request.Request(
        f"{receiver.url}/slack/actions", data=body,
        headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(stamp, body, secret), "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code
