"""What is sent: JSON that is nearly right, bodies in odd encodings, and requests whose every part may be odd."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support import alert, payload

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ud800",
            "\u202e",
            "a" * 5000,
            "${jndi:ldap://x}",
            "<!channel>",
            "{{ 7*7 }}",
            "'; DROP TABLE alert; --",
            "../../etc/passwd",
        ]
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([2**63, -(2**63) - 1, 10**400, 1e308, -0.0, float("nan"), float("inf")]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
ODD_BODIES = st.sampled_from(
    [
        b"", b"{", b"null", b"[]", b"0", b'"', b"\x00" * 100, b"\xff\xfe{\x00}\x00", b"NaN", b"-", b"1e400", b"[" * 5000, b'{"a":' * 5000, b"{}" * 2,
        b'{"version":"4","alerts":[{"status":"firing","status":"resolved","labels":{"pod":"a","pod":"b"}}]}',
        b'{"version":"4","alerts":[' + b"[" * 3000 + b"]" * 3000 + b"]}", b'{"version":"4","alerts":[{"labels":{"a":' + b"9" * 5000 + b"}}]}",
        b'{"alerts":[{"startsAt":"9999-99-99T99:99:99Z"}]}', b'{"alerts":[{"startsAt":"0001-01-01T00:00:00+23:59","labels":{"pod":"x"}}]}',
        b'{"truncatedAlerts":1e99,"alerts":[]}', b'{"truncatedAlerts":-1,"alerts":[]}', b"a" * 300_000,
    ]
)  # fmt: skip


@st.composite
def nearly_right(draw: st.DrawFn, document: Any) -> Any:
    """The document with one part, at any depth, replaced, left out or doubled."""
    if isinstance(document, dict) and document and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(document)))
        what = draw(st.sampled_from(["inside", "inside", "replace", "leave out", "rename"]))
        rest = {k: v for k, v in document.items() if k != key}
        match what:
            case "leave out":
                return rest
            case "rename":
                return rest | {draw(TEXT): document[key]}
            case "replace":
                return document | {key: draw(VALUES)}
        return document | {key: draw(nearly_right(document[key]))}
    if isinstance(document, list) and document and draw(st.integers(0, 9)):
        return [draw(nearly_right(document[0])), *document[1:]]
    return draw(VALUES)


def webhook(status: str = "firing") -> dict[str, Any]:
    """A body of Alertmanager."""
    return dict(json.loads(json.dumps(payload(alert(status=status)))))


def click() -> dict[str, Any]:
    """What Slack sends for a button."""
    action = {"type": "button", "action_id": "ack", "value": "inc_1", "action_ts": "1700000000.1"}
    return {
        "type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1", "name": "ines", "team_id": "T1"}, "actions": [action], "message": {"ts": "1.2"},
    }  # fmt: skip


@st.composite
def encoded(draw: st.DrawFn, document: Any) -> bytes:
    """A document as bytes: mostly as JSON should be."""
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    encoding = draw(st.sampled_from(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32-be", "latin-1"]))
    content = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
    cut = draw(st.integers(0, 19))
    return content if cut else content[: draw(st.integers(0, len(content)))]


BODIES = st.one_of(nearly_right(webhook()).flatmap(encoded), nearly_right(webhook()).flatmap(encoded), st.binary(max_size=200), ODD_BODIES)

PATHS = st.one_of(
    st.sampled_from(
        [
            "/", "/alerts", "/healthz", "/readyz", "/metrics", "/slack/actions", "/admin/dead", "/admin/replay", "/admin/drop?id=x", "/admin/incidents/inc_1/ack",
            "/admin/incidents/inc_1/tick", "/incidents/inc_1", "/incidents/inc_1/press", "/incidents/inc_1/case.json", "/runbooks/OOMKilled", "/causes/leak", "/alerts/", "//alerts",
            "/alerts?x=%zz", "/incidents/..%2f..%2fetc%2fpasswd", "/runbooks/../../../etc/passwd", "/runbooks/%2e%2e%2f%2e%2e%2fpyproject.toml", "/incidents/%00",
            "/incidents/%ff%fe", "/incidents/%ed%a0%80", "/runbooks/" + "a" * 3000, "/admin/drop?id=" + "%F0%9F" * 50, "/admin/dead?" + "a&" * 2000,
            "http://evil.example/alerts", "http://[/alerts", "http://[::1]:99999/", "*", "alerts", "?", "/;a=b", "/\\..\\..", "/%", "/#x", "://", "http://",
            "/admin/incidents/%0d%0aX:%20y/ack", "/causes/%2e%2e", "/static/x", "/favicon.ico",
        ]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30),
)  # fmt: skip
HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Host: [", b"Host: a b", b"Host: localhost:99999999", b"Host: \xff", b"Host: evil.example", b"Host: localhost, evil.example", b"Script-Name: /x",
                b"SCRIPT_NAME: /x", b"Path-Info: /y", b"X-Forwarded-Host: evil", b"X-Forwarded-Prefix: /../", b"X-Forwarded-For: 1", b"Forwarded: for=[",
                b"Origin: http://[", b"Origin: null", b"Origin: http://evil.example", b"Authorization: Basic ====", b"Authorization: Bearer \xff", b"Authorization:",
                b"Content-Type: application/json; charset=nonsense", b"Content-Type: multipart/form-data; boundary=", b"Content-Type: application/x-www-form-urlencoded",
                b"Content-Type: \xff", b"Content-Encoding: gzip", b"Content-Encoding: br", b"Expect: 100-continue", b"Expect: nonsense", b"Connection: upgrade",
                b"Upgrade: websocket", b"Upgrade: h2c", b"Cookie: a=\xff; ;;=", b"Range: bytes=-1", b"If-Modified-Since: nonsense", b"If-None-Match: \"", b"Accept: ;;q=x",
                b"Accept-Encoding: \xff", b"X-Slack-Signature: v0=\xff", b"X-Slack-Request-Timestamp: 1e9", b"X-Slack-Request-Timestamp: \xd9\xa1", b"TE: trailers",
                b"A" * 3000 + b": b", b": b", b"no colon", b"Wrapped: a\r\n b", b"X: " + b"y" * 30_000, b"X\x00: y", b"X: \x00",
            ]
        ),
        st.binary(max_size=30).map(lambda b: b"X: " + b.replace(b"\r", b"").replace(b"\n", b"")),
    ),
    max_size=4,
)  # fmt: skip
FRAMINGS = (
    ("length",) * 6
    + ("chunked",) * 3
    + ("none", "too long", "too short", "negative", "huge", "text", "twice", "both", "bad chunks", "unknown", "gzip", "deflate")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A request as bytes. `is_whole`: there is nothing more to come, as far as its own framing says."""

    content: bytes
    is_whole: bool


@st.composite
def requests(draw: st.DrawFn) -> Raw:
    """Any method, target, version and headers, and a body framed in any way."""
    method = draw(
        st.sampled_from(
            ["POST"] * 5 + ["GET"] * 4 + ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "post", "G\x00T", ""]
        )
    )
    version = draw(st.sampled_from(["HTTP/1.1"] * 8 + ["HTTP/1.0"] * 3 + ["HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.1 x", ""]))
    headers = draw(HEADERS)
    if not any(h.lower().startswith(b"host:") for h in headers) and draw(st.integers(0, 9)):
        headers.append(b"Host: localhost")
    framing = draw(st.sampled_from(FRAMINGS))
    body, more, is_whole = framed(draw(BODIES), framing)
    start = f"{method} {draw(PATHS)} {version}".encode("utf-8", "replace")
    lines = [start, *headers, *more, b"Connection: close"]
    return Raw(content=b"\r\n".join(lines) + b"\r\n\r\n" + body, is_whole=is_whole and version in ("HTTP/1.1", "HTTP/1.0"))


def framed(body: bytes, framing: str) -> tuple[bytes, list[bytes], bool]:
    """The body as it is sent, the headers that go with it, and whether these tell its end rightly."""
    length = f"Content-Length: {len(body)}".encode()
    chunks = (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[i : i + 1000] for i in range(0, len(body), 1000))) + b"0\r\n\r\n"
    )
    match framing:
        case "chunked":
            return chunks, [b"Transfer-Encoding: chunked"], True
        case "none":
            return b"", [], True
        case "too long":
            return body, [f"Content-Length: {len(body) + 10}".encode()], False
        case "too short":
            return body, [f"Content-Length: {len(body) // 2}".encode()], False
        case "negative":
            return body, [b"Content-Length: -1"], False
        case "huge":
            return body, [b"Content-Length: " + b"9" * 30], False
        case "text":
            return body, [b"Content-Length: 1_0"], False
        case "twice":
            return body, [length, b"Content-Length: 1"], False
        case "both":
            return chunks, [length, b"Transfer-Encoding: chunked"], False
        case "bad chunks":
            return b"zz\r\n" + body + b"\r\n0\r\n\r\n", [b"Transfer-Encoding: chunked"], False
        case "unknown":
            return body, [length, b"Transfer-Encoding: gzip, identity"], False
        case "gzip":
            packed = gzip.compress(body)
            return packed, [f"Content-Length: {len(packed)}".encode(), b"Content-Encoding: gzip"], True
        case "deflate":
            packed = zlib.compress(body)
            return packed, [f"Content-Length: {len(packed)}".encode(), b"Content-Encoding: deflate"], True
    return body, [length], True
