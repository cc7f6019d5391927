"""Slack and a JSON webhook side by side, in a whole receiver."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from receiver.app.build import Application, build
from receiver.app.sinks import check_channels, make_sinks
from receiver.errors import ConfigError
from receiver.settings import load_settings
from tests.fakes.json_receiver import JsonReceiver
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@contextmanager
def running(tmp_path: Path, **environ: str) -> Iterator[Application]:
    settings = load_settings(
        {
            "STORE_URL": f"sqlite:///{tmp_path}/state.db",
            "KUBE_API_URL": "http://127.0.0.1:9",
            "SLACK_MIN_INTERVAL": "0",
            "SLACK_CHANNEL": "C1",
        }
        | environ
    )
    application = build(settings)
    application.start()
    try:
        yield application
    finally:
        application.close()


def test_both_are_told_and_one_that_hangs_does_not_hold_up_the_other(slack: FakeSlack, tmp_path: Path) -> None:
    """The program never answers its first request; Slack hears of every incident meanwhile."""
    with JsonReceiver() as program:
        program.answers = [(0, {})]
        with running(tmp_path, SLACK_BOT_TOKEN=slack.token, SLACK_API_URL=slack.api_url, JSON_WEBHOOK_URL=program.url) as application:
            for name in ("one", "two", "three"):
                assert application.web.test_client().post("/alerts", json=payload(alert(pod=f"{name}-655779759d-jst99"))).status_code == 202
            slack.wait_for(lambda: len(slack._channels["C1"].messages) >= 3)
            program.wait_for(lambda: len(program.requests) >= 1)
            ready = application.web.test_client().get("/readyz")
            metrics = application.web.test_client().get("/metrics").get_data(as_text=True)
            program._ending.set()
            program.wait_for(lambda: len({d["incident"]["id"] for d in program.documents}) == 3)

    assert ready.get_json()["sink"] == {"slack": "ok", "json_webhook": "ok"}
    assert 'oomtriage_deliveries_total{result="ok",sink="json_webhook"}' in metrics
    keys = {headers["idempotency-key"]: document["incident"]["id"] for headers, document in program.requests}
    assert len(keys) == len(set(keys.values())) == 3


def test_configuration_errors_are_in_readyz_and_metrics(slack: FakeSlack, tmp_path: Path) -> None:
    """A channel that does not exist and a wrong token for the program: named, counted, and the endpoint stays up."""
    with JsonReceiver() as program:
        program.answers = [(401, {})] * 50
        environ = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.api_url, "SLACK_CHANNEL": "C404", "JSON_WEBHOOK_URL": program.url}
        with running(tmp_path, **environ) as application:
            client = application.web.test_client()
            client.post("/alerts", json=payload(alert()))
            slack.wait_for(lambda: slack.refused["channel_not_found"] >= 1)
            program.wait_for(lambda: len(program.requests) >= 1)
            for _ in range(200):
                ready = client.get("/readyz")
                shown = ready.get_json()
                if "channel" in shown and shown["sink"]["json_webhook"] != "ok":
                    break
                program._ending.wait(0.02)
            metrics = client.get("/metrics").get_data(as_text=True)

    assert ready.status_code == 200
    assert "no such channel" in shown["channel"]["C404"]
    assert shown["sink"] == {"slack": "ok", "json_webhook": "the JSON webhook answered 401: its address or token is wrong"}
    for sink in ("slack", "json_webhook"):
        assert f'oomtriage_deliveries_total{{result="misconfigured",sink="{sink}"}} 1.0' in metrics
    assert "planted" not in str(shown) + metrics


def test_without_slack_the_console_stands_beside_the_program() -> None:
    """JSON alone does not take the messages from the terminal."""
    settings = load_settings({"JSON_WEBHOOK_URL": "https://x.example/hidden", "JSON_WEBHOOK_TOKEN": "hidden"})

    assert [s.name for s in make_sinks(settings)] == ["console", "json_webhook"]
    assert "hidden" not in repr(make_sinks(settings)) + repr(settings)


@pytest.mark.parametrize("kind", ["token", "scope"])
def test_a_token_that_cannot_post_shows_before_the_first_alert(slack: FakeSlack, tmp_path: Path, kind: str) -> None:
    """Asked at the start; the endpoint stays up, and once it is mended the the detail names what to mend."""
    if kind == "scope":
        slack.scopes.discard("chat:write")
    environ = {"SLACK_BOT_TOKEN": slack.token if kind == "scope" else "xoxb-planted", "SLACK_API_URL": slack.api_url}
    with running(tmp_path, **environ) as application:
        client = application.web.test_client()
        slack.wait_for(lambda: slack.calls["auth.test"] >= 1)
        for _ in range(200):
            ready = client.get("/readyz")
            if ready.get_json()["sink"]["slack"] != "ok":
                break
            threading.Event().wait(0.02)

    assert ready.status_code == 200
    assert {"token": "the token is wrong", "scope": "lacks the scope chat:write"}[kind] in ready.get_json()["sink"]["slack"]
    assert "planted" not in ready.get_data(as_text=True)


def test_a_route_to_an_unknown_channel_name_is_named(slack: FakeSlack, tmp_path: Path) -> None:
    """Names of routes are looked up at the start as the default channel's is."""
    file = tmp_path / "config.yaml"
    file.write_text("routes: [{channel: incidents}, {channel: nowhere}]")
    settings = load_settings({"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.api_url, "SLACK_CHANNEL": "C1"}, str(file))

    with pytest.raises(ConfigError, match="channel 'nowhere' cannot be looked up"):
        check_channels(settings, make_sinks(settings)[0])
