"""What `kubectl logs` of a healthy receiver shows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from receiver.app.build import build, make_evidence
from receiver.app.greeting import Greeting, ask_sources
from receiver.settings import load_settings
from tests.fakes.kube import FakeKube, recorded
from tests.support import wait_until

SETTINGS = {"SLACK_BOT_TOKEN": "xoxb-hidden", "SLACK_CHANNEL": "C1", "WEBHOOK_TOKEN": "hidden", "LISTEN": "0.0.0.0:8080"}


def test_the_start_says_who_where_and_to_whom(caplog: pytest.LogCaptureFixture) -> None:
    """Version, address, sink and channel; no secret."""
    with caplog.at_level(logging.INFO):
        Greeting(load_settings(SETTINGS)).started()
    said = vars(caplog.records[0])

    assert (said["listen"], said["sinks"], said["channels"], said["pages"]) == (
        "0.0.0.0:8080",
        ["slack"],
        ["C1"],
        "closed: ADMIN_TOKEN is not set",
    )
    assert said["version"]
    assert "hidden" not in str(said)


def test_each_source_says_what_it_is(tmp_path: Path) -> None:
    """A version, what is wrong, or that it is not configured."""
    with FakeKube(recorded("a-leak-crashloop", moment="t3")) as kube:
        evidence = make_evidence(load_settings({"KUBE_API_URL": kube.url, "PROMETHEUS_URL": "http://u:hidden@127.0.0.1:9"}))
        answers = {name: answer.said for name, answer in ask_sources(evidence).items()}
        evidence.close()

    assert answers["kubernetes"].startswith(("v1.", "answers at 127.0.0.1"))
    assert answers["prometheus"].startswith("no answer: Prometheus cannot be reached")
    assert answers["alertmanager"] == "not configured"
    assert "hidden" not in str(answers)


def test_ready_is_said_before_the_sources_are_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for a source that does not answer; that one does not is a warning."""
    settings = load_settings({"STORE_URL": f"sqlite:///{tmp_path}/s.db", "KUBE_API_URL": "http://127.0.0.1:9"})
    with (tmp_path / "console").open("w") as console, caplog.at_level(logging.INFO, logger="receiver.app.greeting"):
        application = build(settings, console=console)
        Greeting(settings).opened(application)
        wait_until(lambda: len(caplog.records) == 3, what="the sources' line")
        application.close()

    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("INFO", "the receiver starts"),
        ("INFO", "ready: alerts are taken"),
        ("WARNING", "what the sources answered"),
    ]
