"""Whatever is sent, the receiver answers 2xx or a clear 4xx, logs no error, goes on, and shows nothing of its files."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.server import SIGNING_SECRET, Served, served
from tests.fuzz.strategies import BODIES, PATHS, Raw, click, encoded, nearly_right, requests, webhook

MEANT = {200, 202, 204, 302, 304, 308, 400, 401, 403, 404, 405, 411, 413, 414, 415, 431, 501, 505}  # 501: a transfer coding nobody speaks
SHARED = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fuzz")) as running:
        yield running
        assert post(running, json.dumps(webhook()).encode())[0] == 202, "an honest alert is taken after all that"
        for path in ("/", "/metrics", "/readyz", f"/incidents/{running.incident_id}"):
            assert running.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())[0] == 200, path


def post(receiver: Served, body: bytes, path: str = "/alerts", *headers: bytes) -> tuple[int, bytes]:
    """A whole and well-formed request with this body."""
    lines = [f"POST {path} HTTP/1.1".encode(), b"Host: localhost", f"Content-Length: {len(body)}".encode(), b"Connection: close", *headers]
    return receiver.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def expect(receiver: Served, status: int, answer: bytes, meant: set[int] = MEANT) -> None:
    """The status is one that says what is wrong, and nothing went wrong inside."""
    assert status in meant, answer[:500]
    errors, receiver.errors[:] = list(receiver.errors), []
    assert errors == []
    assert b"Traceback" not in answer
    assert b"root:x:0" not in answer
    assert b"[tool.ruff]" not in answer


@SHARED
@given(raw=requests())
def test_any_request(receiver: Served, raw: Raw) -> None:
    status, answer = receiver.send(raw.content, is_whole=raw.is_whole)

    expect(receiver, status, answer, MEANT if raw.is_whole else MEANT | {0})


@SHARED
@given(body=BODIES)
def test_any_body_of_the_webhook(receiver: Served, body: bytes) -> None:
    """Stored, or refused for good: a 503 would make Alertmanager send it again for ever. What is stored can be read again."""
    status, answer = post(receiver, body)
    receiver.fold()

    expect(receiver, status, answer, {202, 400, 413})
    assert receiver.application.store.quarantined() == {}
    if status != 202:
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


@SHARED
@given(
    body=st.one_of(nearly_right(click()).flatmap(encoded), st.binary(max_size=100)),
    form=st.sampled_from([b"payload=", b"x=1&payload=", b"payload", b""]),
)
def test_any_click_with_a_right_signature(receiver: Served, body: bytes, form: bytes) -> None:
    content = form + quote_from_bytes(body.replace(b"inc_1", receiver.incident_id.encode())).encode()
    stamp = str(int(time.time()))
    signature = "v0=" + hmac.new(SIGNING_SECRET.encode(), b"v0:" + stamp.encode() + b":" + content, hashlib.sha256).hexdigest()
    status, answer = post(
        receiver, content, "/slack/actions", f"X-Slack-Request-Timestamp: {stamp}".encode(), f"X-Slack-Signature: {signature}".encode(),
        b"Content-Type: application/x-www-form-urlencoded",
    )  # fmt: skip

    expect(receiver, status, answer, {200, 400})


@SHARED
@given(
    body=st.one_of(nearly_right({"by": "Ines", "item": "root_cause"}).flatmap(encoded), BODIES),
    what=st.sampled_from(["ack", "tick", "untick", "fixed", "x"]),
)
def test_any_act_of_the_command_line(receiver: Served, body: bytes, what: str) -> None:
    status, answer = post(receiver, body, f"/admin/incidents/{receiver.incident_id}/{what}", b"Content-Type: application/json")

    expect(receiver, status, answer, {200, 400, 404, 413})


@SHARED
@given(path=PATHS)
def test_any_page(receiver: Served, path: str) -> None:
    status, answer = receiver.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    expect(receiver, status, answer)


@pytest.mark.parametrize(
    ("request_line", "header", "status"),
    [
        ("GET /readyz HTTP/1.1", "SCRIPT_NAME: /x", 200),
        ("GET /readyz HTTP/1.1", "Script-Name: /x", 200),
        ("POST /admin/replay HTTP/1.1", "Origin: http://[", 403),
        ("GET /readyz HTTP/1.0", "Accept: x", 200),
        ("GET http://localhost/readyz HTTP/1.1", "Accept: x", 200),
        ("GET /runbooks/..%2f..%2fpyproject.toml HTTP/1.1", "Accept: x", 404),
        ("GET /incidents/%ed%a0%80 HTTP/1.1", "Accept: x", 404),
        ("POST / HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 0", 405),
        ("GET http://[/alerts HTTP/1.1", "Accept: x", 400),
        ("POST /alerts HTTP/1.1", "Content-Length: 1_0", 400),
        ("POST /alerts HTTP/1.1", "Content-Length: " + "9" * 5000, 400),
        ("POST /alerts HTTP/1.1", "Content-Length: 99999999999999999999999", 413),
        ("POST /alerts HTTP/1.1", "Transfer-Encoding: gzip", 501),
    ],
)
def test_requests_that_once_went_wrong_or_may(receiver: Served, request_line: str, header: str, status: int) -> None:
    sent = receiver.send(f"{request_line}\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n".encode())

    expect(receiver, *sent, {status})


def body_with(**fields: Any) -> bytes:
    return json.dumps(webhook() | fields).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"alerts":' * 10_000, 400),
        (b'{"alerts":[{"labels":{"a":' + b"1" * 5000 + b"}}]}", 400),
        (body_with(truncatedAlerts=float("nan")), 202),
        (body_with().decode().encode("utf-16"), 202),
        (b"\xef\xbb\xbf" + body_with(), 202),
    ],
    ids=["lists", "objects", "a number of 5,000 digits", "NaN", "UTF-16", "a byte order mark"],
)
def test_bodies_that_json_readers_fall_over(receiver: Served, body: bytes, status: int) -> None:
    expect(receiver, *post(receiver, body), {status})
