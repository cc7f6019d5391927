"""Buttons over Socket Mode, from the press to the thread, against a real receiver process; killed and refreshed in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from receiver.store import incidents
from receiver.store.store import Store
from tests.e2e.receiver import Receiver
from tests.e2e.test_people import elements, words
from tests.fakes.slack import FakeSlack, Posted
from tests.support import alert, payload, wait_until
from tests.unit.worker.test_socket_mode import payload as interaction

POD = "orders-api-655779759d-jst99"


def receiver(folder: Path, slack: FakeSlack, **settings: str) -> Receiver:
    values = {"SLACK_APP_TOKEN": slack.app_token, "ENRICH_DEADLINE": "1s", "LOG_LEVEL": "DEBUG", **settings}
    return Receiver(folder, SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, **values)


def root(slack: FakeSlack) -> Posted:
    (found,) = slack.channel("C1").roots
    return found.message


def told(running: Receiver, slack: FakeSlack) -> str:
    """Post an alert; the incident's id when its message is there and the buttons' connection open."""
    assert running.post(payload(alert(pod=POD, container="orders-api"))) == 202
    slack.wait_for(lambda: any(elements(r.message) for r in slack.channel("C1").roots) and bool(slack.socket_mode.connections))
    return str(elements(root(slack))[0]["value"])


def ready(running: Receiver) -> Any:
    return json.loads(running.get("/readyz")[1])


def test_a_button_pressed_in_slack_acknowledges_in_the_thread(tmp_path: Path) -> None:
    """No signing secret, no way in: a press arrives, a refresh in between loses none, SIGTERM says goodbye, no secret is logged; and
    a second receiver on the same state opens no connection.
    """
    with FakeSlack() as slack, receiver(tmp_path, slack) as running:
        incident = told(running, slack)
        wait_until(lambda: ready(running)["slack_socket"] == "ok", what="the connection is told of")
        offered = words(root(slack))
        presses = [slack.socket_mode.press(interaction(incident, "ack", ts="1"))]
        slack.socket_mode.disconnect("refresh_requested", closes_in_s=0.2)
        presses += [slack.socket_mode.press(interaction(incident, "fix", ts=str(n))) for n in (2, 3)]
        slack.wait_for(lambda: all(slack.socket_mode.acked[p] for p in presses))
        second = Receiver(tmp_path, **running.settings)  # while the edit waits for its turn, ten seconds after the post
        second.launch()
        assert second._process is not None
        assert second._process.wait(60) != 0
        slack.wait_for(lambda: "Acknowledged by ines" in root(slack).shown() and "Fix applied by ines" in root(slack).shown())
        slack.wait_for(lambda: len(slack.socket_mode.opened) == 2 and len(slack.socket_mode.connections) == 1)
        metrics = running.get("/metrics")[1]
        seconds = running.stop()
        slack.wait_for(lambda: not slack.socket_mode.connections)
        tickets = slack.socket_mode.tickets_given

    assert "Acknowledge" in offered
    assert "oomtriage_slack_socket_connected 1.0" in metrics
    assert 'oomtriage_slack_socket_envelopes_total{result="done"} 3.0' in metrics
    assert slack.socket_mode.opened[-1].close_code == 1001
    assert seconds < 10
    assert len(tickets) == 2
    assert not any(secret in running.log() for secret in (*tickets, slack.app_token))


def test_killed_between_envelope_and_acknowledgement(tmp_path: Path) -> None:
    """kill -9 after the act and before Slack heard of it, and wherever it is with another: pressed once, sent again, done once."""
    with FakeSlack() as slack, receiver(tmp_path, slack) as running:
        incident = told(running, slack)
        slack.socket_mode.ack_s = 0.5
        slack.socket_mode.keeps_acks = True
        written = slack.socket_mode.press(interaction(incident, "silence_1h", ts="7.7"))
        slack.wait_for(lambda: written in slack.socket_mode.opened[0].acks)  # which is lost
        anywhere = slack.socket_mode.press(interaction(incident, "ack", ts="7.8"))
        running.kill()
        slack.wait_for(lambda: not slack.socket_mode.connections)
        slack.socket_mode.keeps_acks = False
        running.start()
        slack.wait_for(lambda: slack.socket_mode.acked[written] + slack.socket_mode.acked[anywhere] >= 2, timeout_s=60)

    assert slack.socket_mode.deliveries[written] >= 2
    assert slack.socket_mode.deliveries[anywhere] >= 2
    store = Store.open_sqlite(tmp_path / "state.db")
    with store.read() as tx:
        found = incidents.load(tx, incident)
    store.close()
    assert found is not None
    assert sorted(found.memory.clicks) == ["7.7:U1:silence_1h", "7.8:U1:ack"]
    assert [entry.what.code for entry in found.memory.log].count("incident.log.acknowledged") == 1


def test_a_wrong_token_costs_the_buttons_and_nothing_else(tmp_path: Path) -> None:
    """Alerts are taken and told; /readyz is 200 and says what to set."""
    with FakeSlack() as slack, receiver(tmp_path, slack, SLACK_APP_TOKEN="xapp-1-WRONG-secret") as running:
        assert running.post(payload(alert(pod=POD, container="orders-api"))) == 202
        slack.wait_for(lambda: len(slack.channel("C1").roots) == 1)
        wait_until(lambda: "SLACK_APP_TOKEN" in ready(running)["slack_socket"], what="the token is told to be wrong")
        status, log = running.get("/readyz")[0], running.log()

    assert status == 200
    assert log.count("Slack's Socket Mode is in trouble") == 1
    assert "WRONG-secret" not in log
