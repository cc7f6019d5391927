"""The HTTP layer: bounded in time and bytes, one classification of faults, no secret in any error."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable, Unreadable
from receiver.transport import ConnectionFailed, Deadline, Http, HttpConfig, Unauthenticated
from tests.fakes.kube import HANG, Fault, Faulty, body, refuse
from tests.places import FIXTURES

TLS = FIXTURES / "tls"
SECRET = "xoxb-1234-very-secret-token"


class _Echo(Standin):
    def answer(self, asked: Asked) -> Reply:
        return json_reply({"path": asked.path, "params": dict(asked.params), "headers": dict(asked.headers), "body": asked.body.decode()})


class _Server(Faulty, _Echo):
    pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        yield running


def http(server: Standin, **config: object) -> Http:
    return Http(HttpConfig(base_url=server.url, name="the service", **config), sleep=lambda _: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "error", "is_retryable"),
    [
        (400, Rejected, False), (401, Unauthenticated, False), (403, Forbidden, False), (404, NotFound, False), (408, Unavailable, True),
        (410, Rejected, False), (422, Rejected, False), (429, Throttled, True), (500, Unavailable, True), (503, Unavailable, True),
        (302, Rejected, False),
    ],
)  # fmt: skip
def test_a_refusal_is_classified_once_and_says_what_the_api_said(server, status, error, is_retryable):
    """Callers tell "you may not", "there is none" and "try later" apart by type, and people read the API's own words."""
    server.fault("/x", refuse(status, 'pods "a" is forbidden: User "lab" cannot get'))

    with pytest.raises(error) as caught:
        http(server).get_json("/x")

    assert caught.value.retryable is is_retryable
    assert str(status) in str(caught.value)
    assert status == 302 or "User" in str(caught.value)


@pytest.mark.parametrize(("status", "asked"), [(500, 3), (429, 3), (403, 1), (404, 1), (400, 1)])
def test_only_what_may_pass_is_asked_again(server, status, asked):
    """A refusal is final and costs one request; an overload is tried three times."""
    server.fault("/x", refuse(status))

    with pytest.raises(SourceError):
        http(server).get_json("/x")

    assert server.paths()["/x"] == asked


def test_a_fault_that_passes_is_not_noticed(server):
    """One 503 in a rolling restart of the API server costs a retry, not the evidence."""
    server.fault("/x", refuse(503, times=1))

    assert http(server).get_json("/x")["path"] == "/x"


def test_retry_after_is_honoured_up_to_five_seconds(server):
    """The API server's own wish is waited for, but nobody can make an incident wait for an hour."""
    waits: list[float] = []
    client = Http(HttpConfig(base_url=server.url, name="the service"), sleep=waits.append)
    server.fault("/x", refuse(429, retry_after="2", times=1))
    client.get_json("/x")
    server.fault("/x", refuse(429, retry_after="3600", times=1))
    client.get_json("/x")

    assert waits == [2.0, 5.0]


def test_a_wait_longer_than_the_deadline_is_not_begun(server):
    """With one second left, a Retry-After of two ends the question at once."""
    waits: list[float] = []
    server.fault("/x", refuse(429, retry_after="2"))

    with pytest.raises(Throttled) as caught:
        Http(HttpConfig(base_url=server.url, name="the service"), sleep=waits.append).get_json("/x", deadline=Deadline(1.0))

    assert caught.value.retry_after_s == 2.0
    assert waits == []


def test_a_server_that_never_answers_costs_the_deadline_and_no_more(server):
    """A hung API server cannot hold a thread beyond the incident's deadline."""
    server.fault("/x", HANG)
    began = time.monotonic()

    with pytest.raises(ConnectionFailed, match="in time") as caught:
        http(server).get_json("/x", deadline=Deadline(0.3))

    assert time.monotonic() - began < 2
    assert caught.value.maybe_received


def test_a_body_that_trickles_ends_at_the_deadline(server):
    """Bytes that keep coming do not prolong the deadline."""
    stop = threading.Event()

    def trickle(connection: BaseHTTPRequestHandler) -> None:
        connection.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not stop.wait(0.05):
            connection.wfile.write(b"1\r\nx\r\n")
            connection.wfile.flush()

    server.fault("/x", Fault(write=trickle))
    began = time.monotonic()
    try:
        with pytest.raises(Unavailable):
            http(server).get_json("/x", deadline=Deadline(0.4))
    finally:
        stop.set()

    assert time.monotonic() - began < 3


def test_an_endless_body_is_cut_off(server):
    """50 MB where 1 MB was allowed is an error after 1 MB, not memory."""
    server.fault("/x", body(b"[" + b"1," * 25_000_000))

    with pytest.raises(Unreadable, match="larger than 1024 KiB"):
        http(server).get_json("/x", max_bytes=1024**2)


@pytest.mark.parametrize("content", [b"", b"<html>login</html>", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_says_so(server, content):
    """A proxy's login page, nothing, or a nesting bomb is "not readable", never a crash."""
    server.fault("/x", body(content))

    with pytest.raises(Unreadable):
        http(server).get_json("/x")


def test_the_tail_of_a_stream_is_kept_without_its_beginning(server):
    """Of a long log only the last bytes are held, and the count of all of them is told."""
    text = b"".join(b"line %06d\n" % i for i in range(20_000))
    server.fault("/log", body(text, content_type="text/plain"))

    tail = http(server).get_tail("/log", keep_bytes=1000)

    assert tail.body == text[-1000:]
    assert (tail.total_bytes, tail.is_cut) == (len(text), False)


def test_a_stream_longer_than_allowed_is_marked_as_cut(server):
    """Reading stops at the cap; what was read last is returned and marked."""
    server.fault("/log", body(b"x" * 300_000, content_type="text/plain"))

    tail = http(server).get_tail("/log", keep_bytes=100, max_bytes=100_000)

    assert tail.is_cut
    assert len(tail.body) == 100


def test_nobody_listening_means_surely_not_received():
    """A refused connection may be repeated without fear of a duplicate."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"

    with pytest.raises(ConnectionFailed, match="connection refused") as caught:
        Http(HttpConfig(base_url=address, name="Slack")).post("chat.postMessage", form={"text": "x"})

    assert caught.value.maybe_received is False


def test_a_name_that_does_not_resolve_means_surely_not_received():
    """A typing mistake in an address is told as one."""
    with pytest.raises(ConnectionFailed, match="does not resolve") as caught:
        Http(HttpConfig(base_url="http://no-such-host.invalid", name="Slack")).post("x")

    assert caught.value.maybe_received is False


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_a_connection_lost_after_sending_may_have_been_received(server, cut):
    """A post whose answer was lost is in doubt: it must be looked for before it is sent again."""
    server.fault("/x", Fault(write=lambda connection: connection.wfile.write(cut)))

    with pytest.raises(ConnectionFailed) as caught:
        http(server).post("/x", json_body={"text": "x"})

    assert caught.value.maybe_received


def test_a_post_is_sent_once_and_any_status_is_its_answer(server):
    """Slack's 429 and 500 are for the sink to judge; the layer does not repeat a message."""
    for status in (200, 404, 429, 500):
        server.fault("/x", refuse(status, retry_after="7"))

        answer = http(server).post("/x", json_body={})

        assert (answer.status, answer.retry_after_s) == (status, 7.0)
    assert server.paths()["/x"] == 4


def test_a_post_carries_form_json_or_bytes(server):
    """Slack takes forms and JSON, its file upload raw bytes."""
    client = http(server)

    assert client.post("/x", form={"a": "ü"}).json()["params"] == {"a": "ü"}
    assert client.post("/x", json_body={"a": 1}).json()["body"] == '{"a": 1}'
    assert client.post("/x", data=b"raw").json()["body"] == "raw"


def test_redirects_are_not_followed(server):
    """A redirect could carry a token elsewhere."""
    server.fault("/x", Fault(reply=Reply(status=302, headers={"Location": f"{server.url}/stolen"})))

    with pytest.raises(Rejected, match="redirects"):
        http(server, token=SECRET).get_json("/x")

    assert "/stolen" not in server.paths()


def test_the_environment_changes_nothing(server, monkeypatch):
    """A CA bundle or proxy set for other programs would break TLS to the cluster, or send evidence through it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")

    assert http(server).get_json("/x")["path"] == "/x"


def test_no_error_repeats_a_secret(server):
    """Neither the token, nor a header, nor the path of a webhook's address stands in what is logged."""
    path = "/services/T000/B000/secretpath"
    faults = (HANG, refuse(403, f"the token {SECRET} is bad"), body(b"garbage"), Fault(write=lambda c: None))
    for fault in faults:
        server.fault("", fault)
        client = Http(HttpConfig(base_url=server.url + path, name="Slack", token=SECRET, tries=1, read_timeout_s=0.2))
        for send in (lambda c: c.post("", json_body={}).json(), lambda c: c.get_json("x"), lambda c: c.post_form_json("", {})):
            try:
                send(client)
            except SourceError as exc:
                told = [str(exc), repr(exc), repr(exc.__cause__), repr(client.config)]
                assert not any(SECRET in t or "secretpath" in t for t in told)


def test_a_rotated_token_is_read_again_after_a_401(server, tmp_path: Path):
    """The kubelet replaces the token file; the next refused request reads it and succeeds."""
    token = tmp_path / "token"
    token.write_text("old\n")
    client = http(server, token_path=str(token))
    server.token = "old"
    client.get_json("/x")
    server.token = "new"
    token.write_text("new\n")

    assert client.get_json("/x")["headers"]["authorization"] == "Bearer new"


def test_a_token_that_stays_refused_is_asked_twice_at_most(server, tmp_path: Path):
    """A wrong token does not become a flood of requests."""
    token = tmp_path / "token"
    token.write_text("wrong")
    server.token = "right"

    with pytest.raises(Unauthenticated):
        http(server, token_path=str(token)).get_json("/x")

    assert server.paths()["/x"] == 1


def test_an_unreadable_token_file_names_the_file(tmp_path: Path, server):
    """The first thing that is wrong in a new installation is told by name."""
    with pytest.raises(Forbidden, match="nowhere"):
        http(server, token_path=str(tmp_path / "nowhere")).get_json("/x")


def test_an_address_without_a_scheme_is_refused_at_once():
    """`prometheus:9090` is no address."""
    with pytest.raises(ValueError, match="http://"):
        Http(HttpConfig(base_url="prometheus:9090", name="Prometheus"))


def test_connections_are_reused(server):
    """A hundred questions do not open a hundred connections."""
    ports: set[int] = set()
    original = server.handle

    def remember(asked: Asked, connection: BaseHTTPRequestHandler) -> None:
        ports.add(connection.client_address[1])
        original(asked, connection)

    server.handle = remember
    client = http(server)
    for _ in range(20):
        client.get_json("/x")

    assert len(ports) == 1
