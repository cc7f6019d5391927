"""/readyz names what TLS refuses, for sources and sinks, until it works again."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.app.build import Application, build
from receiver.domain.identity import Subject
from receiver.settings import load_settings
from tests.fakes.json_receiver import JsonReceiver
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.tls import OTHER_CA, PLAIN_CA, over_tls
from tests.support import alert, payload

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SUBJECT = Subject(namespace="shop", pod="api-1", container="app")


class _Heard(logging.Handler):
    """Knows when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


@pytest.fixture
def heard() -> Iterator[threading.Event]:
    handler, logger = _Heard(), logging.getLogger("receiver.transport.tls")
    logger.addHandler(handler)
    yield handler.event
    logger.removeHandler(handler)


def application(tmp_path: Path, **environ: str) -> Application:
    return build(load_settings({"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"} | environ))


def ready(running: Application) -> dict[str, Any]:
    return dict(running.web.test_client().get("/readyz").get_json())


def test_a_source_that_tls_refuses_is_named_until_its_ca_is_right(tmp_path: Path) -> None:
    """Ready it is all the same: alerts are taken, and their incidents lack the history."""
    ca = tmp_path / "ca.crt"
    shutil.copy(OTHER_CA, ca)
    with over_tls(FakePrometheus([]), "plain") as url:
        running = application(tmp_path, PROMETHEUS_URL=url, PROMETHEUS_CA_PATH=str(ca))
        try:
            before = ready(running)["sources"]
            missing = {m.source: m.why for m in running.evidence.gather(SUBJECT, (), NOW).missing}
            refused = ready(running)
            shutil.copy(PLAIN_CA, ca)
            os.utime(ca, (1, 1))
            running.evidence.prometheus.instant("up", NOW.timestamp())
            after = ready(running)["sources"]
        finally:
            running.close()

    assert before == {"kubernetes": "configured", "prometheus": "configured", "alertmanager": "not configured"}
    assert refused["status"] == "ready"
    assert refused["sources"] == before | {"prometheus": missing["history"]}
    assert after == before


def test_a_sink_that_tls_refuses_is_named(tmp_path: Path, heard: threading.Event) -> None:
    """Its messages wait; without this line nobody would know for what."""
    with over_tls(JsonReceiver(), "expired") as url:
        running = application(tmp_path, JSON_WEBHOOK_URL=url)
        running.start()
        try:
            running.web.test_client().post("/alerts", json=payload(alert()))
            assert heard.wait(30)
            sink = ready(running)["sink"]
        finally:
            running.close()

    assert sink["console"] == "ok"
    assert "the JSON webhook" in sink["json_webhook"]
    assert "certificate" in sink["json_webhook"]
