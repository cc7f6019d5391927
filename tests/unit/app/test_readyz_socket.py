"""/readyz says whether people can press buttons over Socket Mode; none of it changes the code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from receiver.app.build import NO_BUTTONS, Application, build
from receiver.settings import load_settings
from tests.fakes.slack import FakeSlack
from tests.support import wait_until


def application(tmp_path: Path, **environ: str) -> Application:
    return build(load_settings({"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"} | environ))


def ready(running: Application) -> dict[str, Any]:
    answer = running.web.test_client().get("/readyz")
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_it_follows_the_connection_from_start_to_end(tmp_path: Path) -> None:
    """The token may stand in a file; the connection goes with the receiver."""
    with FakeSlack() as slack:
        (tmp_path / "app-token").write_text(f"{slack.app_token}\n")
        running = application(
            tmp_path,
            SLACK_BOT_TOKEN=slack.token,
            SLACK_CHANNEL="C1",
            SLACK_API_URL=slack.api_url,
            SLACK_APP_TOKEN_FILE=str(tmp_path / "app-token"),
        )
        before = ready(running)["slack_socket"]
        running.start()
        wait_until(lambda: ready(running)["slack_socket"] == "ok", what="the connection stands")
        running.close()
        slack.wait_for(lambda: not slack.socket_mode.connections)

    assert before == "connecting"
    assert slack.socket_mode.opened[0].close_code == 1001


@pytest.mark.parametrize(
    "environ", [{}, {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "C1", "SLACK_FORMAT": "text"}], ids=["console", "text-only"]
)
def test_a_token_that_no_button_needs_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    """Nothing is connected to: nobody could press anything."""
    with FakeSlack() as slack:
        running = application(tmp_path, SLACK_API_URL=slack.api_url, SLACK_APP_TOKEN=slack.app_token, **environ)
        said = ready(running)["slack_socket"]
        running.close()

    assert said == NO_BUTTONS
    assert slack.calls["apps.connections.open"] == 0


def test_without_the_token_nothing_is_said_and_nothing_loaded(tmp_path: Path) -> None:
    """The library costs memory that those without the token keep."""
    loaded = "receiver.worker.socket_mode" in sys.modules
    running = application(tmp_path)
    said = ready(running)
    running.close()

    assert "slack_socket" not in said
    assert ("receiver.worker.socket_mode" in sys.modules) == loaded
