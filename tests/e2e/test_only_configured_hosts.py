"""No request leaves but to configured addresses, whatever alerts, logs, objects and answers name."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.demo.standins import Recordings
from tests.e2e.inside import is_idle, post, receiver_inside, renamed
from tests.e2e.test_gaps import FakeAlertmanager
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload, wait_until

INCIDENT = "cgroupv2-k-steady-near-limit"


class Connections:
    """Every connection that this process opens, and every name that it looks up, as the interpreter's audit events tell them."""

    def __init__(self) -> None:
        self.is_on = False
        self.addresses: set[tuple[str, int]] = set()
        self.names: set[str] = set()

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            self.addresses.add((str(arguments[1][0]), int(arguments[1][1])))
        elif event == "socket.getaddrinfo":
            self.names.add(str(arguments[0]))


_CONNECTIONS = Connections()  # an audit hook cannot be taken away again; it notes nothing while it is off


@pytest.fixture(scope="module")
def connections() -> Iterator[Connections]:
    sys.addaudithook(_CONNECTIONS.note)
    _CONNECTIONS.is_on = True
    yield _CONNECTIONS
    _CONNECTIONS.is_on = False


class Bait:
    """A server that nobody configured. `visits` counts who came all the same."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def bait() -> Iterator[Bait]:
    one = Bait()
    try:
        yield one
    finally:
        one.close()


def with_links(value: Any, url: str) -> Any:
    """The same, with an address beside every text that is free: annotations, messages, images, reasons."""
    if isinstance(value, dict):
        return {
            k: f"{url}/{k}" if k in ("message", "selfLink", "image", "note") and isinstance(v, str) else with_links(v, url)
            for k, v in value.items()
        } | ({"annotations": {"link": f"{url}/annotation", "prometheus.io/path": url}} if "namespace" in value else {})
    return [with_links(v, url) for v in value] if isinstance(value, list) else value


def test_links_in_alerts_logs_and_objects_are_not_followed(tmp_path: Path, connections: Connections) -> None:
    """A whole look, a picture, a click and the watch, with a link to somebody's server in every free text."""
    with ExitStack() as stack:
        other = stack.enter_context(bait())
        one = renamed(recorded(INCIDENT, now=datetime.now(UTC)), INCIDENT, {})
        for recording in one.pods:
            recording.pod.update(with_links(recording.pod, other.url))
            recording.logs = {key: (status, f"{text}see {other.url}/log\n") for key, (status, text) in recording.logs.items()}
        one.objects[:] = [with_links(o, other.url) for o in one.objects]
        one.events[:] = [with_links(e, other.url) for e in one.events]
        together = Recordings()
        together.add(one)
        slack = stack.enter_context(FakeSlack())
        kube, prometheus, alertmanager = (
            stack.enter_context(server) for server in (FakeKube(together), FakePrometheus(together.series), FakeAlertmanager())
        )
        application = stack.enter_context(
            receiver_inside(tmp_path, slack, KUBE_API_URL=kube.url, PROMETHEUS_URL=prometheus.url, ALERTMANAGER_URL=alertmanager.url)
        )
        pod = one.pods[0].pod["metadata"]["name"]
        body = payload(alert(pod=pod, namespace="shop-v2", container="session-store", started=time.time()), externalURL=other.url)
        for each in body["alerts"]:  # type: ignore[attr-defined]
            each["generatorURL"] = f"{other.url}/graph"
            each["annotations"] |= {"runbook_url": f"{other.url}/runbook", "dashboard": f"{other.url}/d", "description": f"<{other.url}|x>"}
        assert post(application, json.loads(json.dumps(body))) == 202
        slack.wait_for(lambda: bool(slack.channel().roots) and len(slack.channel().roots[0].replies) >= 2)
        wait_until(lambda: is_idle(application), what="all is looked at")
        configured = {server.url for server in (kube, prometheus, alertmanager)} | {f"http://127.0.0.1:{slack.port}"}

    assert other.visits == 0
    assert {f"http://{host}:{port}" for host, port in connections.addresses} == configured
    assert connections.names <= {"127.0.0.1", "localhost"}
