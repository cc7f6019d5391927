"""One classification of what can go wrong, and no secret in any error."""

from __future__ import annotations

import socket

import pytest

from receiver.errors import Forbidden, NotFound, Rejected, SourceError, Throttled, Unavailable
from receiver.transport import ConnectionFailed, Http, HttpConfig, Unauthenticated
from tests.fakes.kube import HANG, Fault, body, refuse
from tests.unit.transport.kit import SECRET, http


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
    assert caught.value.said == 'pods "a" is forbidden: User "lab" cannot get'
    assert status == 302 or caught.value.said in str(caught.value)


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
