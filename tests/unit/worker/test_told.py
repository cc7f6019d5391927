"""The log line of an incident: one, when it is told, with the whole way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.app.build import Application, build
from receiver.settings import load_settings
from receiver.telemetry import JsonFormatter
from tests.fakes.kube import FakeKube, recorded
from tests.support import alert, payload, wait_until

POD = "orders-api-655779759d-jst99"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    with FakeKube(recorded("a-leak-crashloop", moment="t3")) as kube, (tmp_path / "console").open("w") as console:
        settings = load_settings({"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": kube.url, "ENRICH_DEADLINE": "5s"})
        application = build(settings, console=console)
        yield application
        application.close()


def test_an_incident_is_one_line(application: Application, caplog: pytest.LogCaptureFixture) -> None:
    """What it is, the verdict, the hops and the messages; when the same is told again, no second line."""

    def told() -> list[logging.LogRecord]:
        return [r for r in caplog.records if r.levelno >= logging.INFO and hasattr(r, "incident")]

    client = application.web.test_client()
    with caplog.at_level(logging.INFO):
        client.post("/alerts", json=payload(alert(pod=POD, namespace="shop")))
        application.start()
        wait_until(lambda: bool(told()), what="the incident's line")
        client.post("/alerts", json=payload(alert(pod=POD, namespace="shop", status="resolved")))
        wait_until(lambda: _is_told_twice(application), what="its end was told too")

    (line,) = [json.loads(JsonFormatter().format(r)) for r in told()]
    assert {k: line[k] for k in ("message", "namespace", "workload", "kill", "sink", "messages")} == {
        "message": "incident told", "namespace": "shop", "workload": "Deployment/orders-api", "kill": "container_oom", "sink": "console", "messages": 1,
    }  # fmt: skip
    assert isinstance(line["cause"], str)
    assert 0 <= line["confidence"] <= 1
    assert "history" in line["missing"]
    assert all(line[f"{hop}_after_s"] >= 0 for hop in ("accepted", "looked_at", "written", "arrived"))


def _is_told_twice(application: Application) -> bool:
    with application.store.read() as tx:
        (row,) = tx.run("SELECT COUNT(*) AS n FROM message WHERE sent_rev > 0")
        return int(row["n"]) >= 2
