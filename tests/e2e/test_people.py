"""What people press, at the end of the channel: a checklist ticked, a storm of three hundred acknowledged and silenced."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from receiver.demo.standins import KubeStandin, load
from tests.e2e.receiver import Receiver
from tests.e2e.servers import Alertmanager
from tests.e2e.test_silences import post
from tests.fakes.json_receiver import JsonReceiver
from tests.fakes.slack import FakeSlack, Posted
from tests.support import alert, payload, wait_until
from tests.unit.pipeline.kit import pod
from tests.unit.web.test_slack_actions import SECRET, pressed, sign

KUBERNETES = Path(__file__).parents[1] / "fixtures" / "kubernetes"
POD = "orders-api-655779759d-jst99"


def elements(message: Posted) -> list[dict[str, Any]]:
    """The buttons and menus of a message."""
    return [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]


def words(message: Posted) -> list[str]:
    """What can be pressed, menus included."""
    return [t["text"]["text"] for e in elements(message) for t in e.get("options", [e])]


def press(receiver: Receiver, message: Posted, label: str, *, ts: str) -> tuple[int, float]:
    """Press what is labelled so, as Slack reports it; the status, and the seconds until it came."""
    for element in elements(message):
        for option in element.get("options", [element]):
            if option["text"]["text"] == label:
                is_menu = "options" in element
                action, _, target = option["value"].partition(":") if is_menu else (element["action_id"], "", element["value"])
                return send(receiver, pressed(target, action, ts=ts, menu=is_menu))
    raise AssertionError(f"{label} cannot be pressed, only {words(message)}")


def send(receiver: Receiver, body: bytes) -> tuple[int, float]:
    """A signed request to the address that Slack calls."""
    stamp, started = str(int(time.time())), time.monotonic()
    request = urllib.request.Request(
        f"{receiver.url}/slack/actions", data=body,
        headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign(stamp, body), "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), time.monotonic() - started
    except urllib.error.HTTPError as exc:
        return exc.code, time.monotonic() - started


def test_a_checklist_ticked_from_slack_and_from_a_shell(tmp_path: Path) -> None:
    """Done and Undo where the item stands; named with the time there, counted in the root, on the page and in the report."""
    with (
        FakeSlack() as slack,
        KubeStandin(load(KUBERNETES, only=["a-leak-crashloop"], now=datetime.now(UTC))) as kube,
        Receiver(
            tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url,
            SLACK_SIGNING_SECRET=SECRET,
        ) as receiver,
    ):  # fmt: skip

        def message(slot: str) -> Posted:
            (root,) = slack.channel("C1").roots
            return root.message if slot == "root" else next(m for m in root.replies if "hecklist" in m.text)

        def typed(*arguments: str) -> str:
            run = [sys.executable, "-m", "receiver", "tick", incident, *arguments]
            done = subprocess.run(run, env=receiver.environ(), capture_output=True, text=True, timeout=60, check=False)
            return done.stdout.removeprefix(f"{incident}: ") + done.stderr

        assert receiver.post(payload(alert(pod=POD, container="orders-api"))) == 202
        slack.wait_for(lambda: any(len(r.replies) == 3 for r in slack.channel("C1").roots))
        incident = elements(message("root"))[0]["value"]
        offered = words(message("checklist"))
        statuses = [press(receiver, message("checklist"), "Done: Watch 48 h", ts=ts)[0] for ts in ("1", "1")]
        said = [typed("alerts_in_place", "--by", "Otto"), typed("apply_fix", "--by", "Otto")]
        slack.wait_for(lambda: sum(w.startswith("Undo") for w in words(message("checklist"))) == 3)
        ticked, root = message("checklist").shown(), message("root").shown()
        page = receiver.get(f"/incidents/{incident}")[1]
        receiver.post(payload(alert("HighMemoryUsage", pod=POD, container="orders-api")))
        statuses.append(press(receiver, message("checklist"), "Undo: Watch 48 h", ts="2")[0])
        said.append(typed("apply_fix", "--undo"))
        slack.wait_for(lambda: {"Done: Watch 48 h", "Done: Apply the fix"} <= set(words(message("checklist"))))
        after, root_after = message("checklist").shown(), message("root").shown()

    assert offered == ["Done: Apply the fix", "Done: Watch 48 h"]
    assert statuses == [200] * 3
    assert said == ["Alerts in place: ticked by Otto\n", "fix applied by Otto\n", "fix taken back\n"]
    assert re.findall(r"✓  (.+?)  done by (\w+), \d\d:\d\d UTC", ticked) == [
        ("Apply the fix", "Otto"),
        ("Watch 48 h", "ines"),
        ("Alerts in place", "Otto"),
    ]
    assert "Fix applied by Otto." in root
    assert "8 of 9 checks done" in root
    assert "Watch 48 h: ticked by ines" in page
    assert "done by ines" in page
    assert "Alerts in place  done by Otto" in after
    assert "6 of 9 checks done" in root_after
    assert "Fix applied" not in root_after
    assert len(slack.channel("C1").roots[0].replies) == 3
    assert slack.complaints == []


def test_a_storm_of_three_hundred_is_acknowledged_and_silenced(tmp_path: Path) -> None:
    """Answered at once, done to each, seen in the digest; Alertmanager is silent about the members and about nobody else."""
    members = [alert(pod=pod(i, f"svc{i}"), container="app", namespace=f"team{i % 7}") for i in range(300)]
    others = [
        alert(pod=pod(400, "svc7"), container="sidecar", namespace="team0"),
        alert(pod=pod(401, "svc"), container="app", namespace="team0"),
        alert(pod=pod(402, "svc1-worker"), container="app", namespace="team1"),
        alert(pod=pod(403, "svc2"), container="app", namespace="team1"),
    ]
    with (
        Alertmanager(tmp_path / "am", webhook_url="http://127.0.0.1:9/") as alertmanager,
        FakeSlack() as slack,
        Receiver(
            tmp_path / "receiver", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url,
            ALERTMANAGER_URL=alertmanager.url, SLACK_SIGNING_SECRET=SECRET, ENRICH_DEADLINE="1s", SLACK_MIN_INTERVAL="1s",
        ) as receiver,
    ):  # fmt: skip

        def digest() -> Posted:
            return next(r.message for r in slack.channel("C1").roots if "workloads with memory alerts" in r.message.text)

        def live() -> list[Any]:
            return [s for s in alertmanager.get("/api/v2/silences") if s["status"]["state"] == "active"]

        def silent() -> set[str]:
            return {a["labels"]["pod"] for a in alertmanager.alerts() if a["status"]["silencedBy"]}

        post(alertmanager, *members, *others)
        assert receiver.post(payload(*members)) == 202
        slack.wait_for(lambda: any("workloads with memory alerts" in r.message.text for r in slack.channel("C1").roots), timeout_s=120)
        own = {r.message.text for r in slack.channel("C1").roots if "workloads with memory alerts" not in r.message.text}
        told = 300 - len(own)
        slack.wait_for(lambda: "300 workloads" in digest().text, timeout_s=120)  # it counts those that were told alone
        offered = words(digest())
        answers = [press(receiver, digest(), "Acknowledge", ts=ts) for ts in ("1", "1")]
        slack.wait_for(lambda: "Acknowledged by ines. " in digest().shown(), timeout_s=120)
        owned = words(digest())
        answers.append(press(receiver, digest(), "Silence 1 h", ts="2"))
        wait_until(lambda: len(live()) == told, what="every member has its silence", timeout_s=120)
        answers.append(press(receiver, digest(), "Silence 4 h", ts="3"))
        wait_until(lambda: sum(_hours_left(s) > 3.9 for s in live()) == told, what="every silence is extended", timeout_s=120)
        slack.wait_for(lambda: "Silenced until" in digest().shown() and f"of {told})" not in digest().shown(), timeout_s=120)
        quiet, held = digest().shown(), live()
        wait_until(lambda: len(silent()) == told, what="Alertmanager is silent about them")
        heard = silent() & {a.labels["pod"] for a in others}
        answers.append(press(receiver, digest(), "Undo silence", ts="4"))
        wait_until(lambda: live() == [], what="every silence is undone", timeout_s=120)

    assert offered == ["Acknowledge", "Silence 1 h", "Silence 4 h", "Undo silence"]
    assert owned == offered[1:]
    assert [status for status, _ in answers] == [200] * 5
    assert max(seconds for _, seconds in answers) < 3
    assert len(held) == told
    assert " UTC by ines. " in quiet
    assert heard == set()
    assert slack.complaints == []


def _hours_left(silence: dict[str, Any]) -> float:
    return (datetime.fromisoformat(silence["endsAt"]).timestamp() - time.time()) / 3600


def test_a_report_of_a_ticked_checklist_is_one_document(tmp_path: Path) -> None:
    """The JSON webhook's next event carries the tick: who, when, and the words."""
    with JsonReceiver() as hook, Receiver(tmp_path / "receiver", JSON_WEBHOOK_URL=hook.url) as receiver:
        receiver.post(payload(alert(pod=POD, container="orders-api")))
        wait_until(lambda: len(hook.requests) == 1, what="the incident is opened")
        incident = hook.requests[0][1]["incident"]["id"]
        body = json.dumps({"item": "describe_pod", "by": "Ines"}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(
                f"{receiver.url}/admin/incidents/{incident}/tick", data=body, headers={"Content-Type": "application/json"}
            ),
            timeout=10,
        ) as answer:
            said = json.loads(answer.read())
        receiver.post(payload(alert(pod=POD, container="orders-api", status="resolved")))
        wait_until(lambda: len(hook.requests) == 2, what="the incident is resolved")
        (item,) = [i for i in hook.requests[1][1]["checklist"] if i["id"] == "describe_pod"]

    assert said["text"] == "Describe the pod: ticked by Ines"
    assert item["state"] == "done"
    assert item["result"].startswith("done by Ines, ")
    assert item["ticked"]["by"] == "Ines"
