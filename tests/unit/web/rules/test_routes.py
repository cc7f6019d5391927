"""/rules over HTTP: with a Prometheus that answers, one that is away, and for those who may only look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app.build import Application, build
from receiver.settings import load_settings
from tests.fakes.prometheus import FakePrometheus
from tests.support import wait_until

HOSTILE = "<script>alert(1)</script>\u202e{{ 7*7 }}"


@pytest.fixture(scope="module")
def prometheus() -> Iterator[FakePrometheus]:
    """With one rule of ours, which a stranger broke."""
    with FakePrometheus([]) as fake:
        alert = {"state": "firing", "activeAt": "2026-12-01T10:00:00Z", "labels": {}, "annotations": {}}
        rule = {"type": "alerting", "name": "OOMKilled", "query": HOSTILE, "lastError": HOSTILE, "alerts": [alert]}
        fake.show_rules([{"name": "g", "rules": [rule]}])
        yield fake


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, prometheus: FakePrometheus) -> Iterator[Application]:
    """With both tokens, not started."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "config.yaml").write_text('routes: [{channel: C0ONCALL, match: {severity: critical}, mention: "<!subteam^S0ONCALL>"}]\n')
    environ = {
        "STORE_URL": f"sqlite:///{folder}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", "PROMETHEUS_URL": prometheus.url, "ADMIN_TOKEN": "a",
        "READ_TOKEN": "r", "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1", "ALERTMANAGER_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    made = build(load_settings(environ, str(folder / "config.yaml")))
    yield made
    made.close()


def _client(receiver: Application, token: str) -> FlaskClient:
    client = receiver.web.test_client()
    client.post("/login", data={"token": token, "next": "/"})
    return client


def _csrf(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert found is not None
    return found[1]


def test_the_page_says_what_runs_and_whom_it_calls(receiver: Application) -> None:
    """What is hostile is text; what is not known says so."""
    text = _client(receiver, "a").get("/rules").text

    assert "firing: 1" in text
    assert "not loaded" in text
    assert "C0ONCALL" in text
    assert "&lt;!subteam^S0ONCALL&gt;" in text
    assert "Alertmanager does not tell its routes now" in text
    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_who_may_only_look_has_no_form_and_can_begin_nothing(receiver: Application) -> None:
    """A bookmark of the form's address does not help either."""
    client = _client(receiver, "r")
    text = client.get("/rules").text

    assert "/rules/backtest" not in text
    assert client.post("/rules/backtest", data={"days": "1", "csrf": _csrf(text)}).status_code == 403


def test_a_foreign_form_begins_nothing(receiver: Application) -> None:
    """Nor does one with other days."""
    client = _client(receiver, "a")
    csrf = _csrf(client.get("/rules").text)

    assert client.post("/rules/backtest", data={"days": "1"}).status_code == 403
    assert client.post("/rules/backtest", data={"days": "1", "csrf": csrf}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/rules/backtest", data={"days": "9999", "csrf": csrf}).status_code == 400


def test_a_backtest_is_begun_and_its_picture_shown(receiver: Application) -> None:
    """Against a Prometheus that knows nothing: every alert says that nothing is known of it."""
    client = _client(receiver, "a")
    began = client.post("/rules/backtest", data={"days": "1", "csrf": _csrf(client.get("/rules").text)})
    wait_until(lambda: "Looking back" not in client.get("/rules").text, what="the end of the backtest")
    shown = client.get("/rules")

    assert (began.status_code, began.headers["Location"]) == (303, "/rules#backtest")
    assert '<ul class="looked-back">' in shown.text or "could not be made" in shown.text
    assert "Refresh" not in shown.headers


def test_a_prometheus_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    """The shipped rules are shown all the same; without one configured there is nothing to run."""
    environ = {"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"}
    for more, said in (
        ({"PROMETHEUS_URL": "http://127.0.0.1:9"}, "Prometheus does not tell its rules now"),
        ({}, "Set <code>PROMETHEUS_URL</code>"),
    ):
        with (tmp_path / "console").open("w") as console:
            made = build(load_settings({**environ, **more}), console=console)
        text = made.web.test_client().get("/rules").text
        made.close()

        assert said in text
        assert "HighMemoryUsage" in text
        assert ("/rules/backtest" in text) is bool(more)
