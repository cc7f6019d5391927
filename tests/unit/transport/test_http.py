"""The exchange: asked again when that may help, bounded in bytes, posts sent once."""

from __future__ import annotations

from contextlib import suppress

import pytest

from receiver.demo.standins import Reply
from receiver.errors import Rejected, SourceError, TooLarge, Unreadable
from receiver.transport import Http, HttpConfig
from tests.fakes.kube import Fault, body, refuse
from tests.unit.transport.kit import SECRET, http


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


@pytest.mark.parametrize(
    ("fault", "has_objects", "counted"),
    [
        (None, False, "ok"),
        (refuse(503, times=1), False, "ok"),
        (refuse(503), False, "failed"),
        (refuse(401), True, "refused"),
        (refuse(403), True, "refused"),
        (refuse(404), True, "ok"),
        (refuse(404), False, "failed"),
        (refuse(422), False, "failed"),
    ],
    ids=["answered", "answered at last", "away", "token", "permission", "no such object", "no such API", "query"],
)
def test_how_a_question_ended_is_counted_once(server, fault, has_objects, counted):
    """However often it was asked: what the alert about missing evidence reads."""
    found: list[str] = []
    client = Http(HttpConfig(base_url=server.url, name="the service", has_objects=has_objects), sleep=lambda s: None, count=found.append)
    if fault is not None:
        server.fault("/x", fault)
    with suppress(SourceError):
        client.get_json("/x")

    assert found == [counted]


def test_retry_after_is_honoured_up_to_five_seconds(server):
    """The API server's own wish is waited for, but nobody can make an incident wait for an hour."""
    waits: list[float] = []
    client = Http(HttpConfig(base_url=server.url, name="the service"), sleep=waits.append)
    server.fault("/x", refuse(429, retry_after="2", times=1))
    client.get_json("/x")
    server.fault("/x", refuse(429, retry_after="3600", times=1))
    client.get_json("/x")

    assert waits == [2.0, 5.0]


def test_an_endless_body_is_cut_off(server):
    """50 MB where 1 MB was allowed is an error after 1 MB, not memory."""
    server.fault("/x", body(b"[" + b"1," * 25_000_000))

    with pytest.raises(TooLarge, match="1024 KiB"):
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


def test_an_address_without_a_scheme_is_refused_at_once():
    """`prometheus:9090` is no address."""
    with pytest.raises(ValueError, match="http://"):
        Http(HttpConfig(base_url="prometheus:9090", name="Prometheus"))
