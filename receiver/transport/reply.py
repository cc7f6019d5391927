"""What comes back: a raw answer, the end of a stream, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.errors import Unreadable

MESSAGE_MAX = 256  # characters of a foreign error body: enough for a Status message, too little to flood a log
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A raw answer of whatever status, for callers that judge it themselves. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Unreadable when it is none."""
        return parse_json(self.body, "the answer")

    @property
    def retry_after_s(self) -> float | None:
        """The Retry-After header in seconds, when it is a number."""
        return retry_after_s(self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The last bytes of a streamed text. `total_bytes` is what was read; `is_cut`: the stream was longer than was read."""

    body: bytes
    total_bytes: int
    is_cut: bool = False


def parse_json(body: bytes, what: str) -> Any:
    """Bytes as JSON. Unreadable, saying what was read, when they are none."""
    if not body.strip():
        raise Unreadable(f"{what} is empty")
    try:
        document = json.loads(body)
        if _LONE_SURROGATE.search(body):  # half a character: it could be read, but never be written again as UTF-8
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
        return document
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} is not JSON: it begins with {clean(body[:40].decode('utf-8', 'replace'))!r}") from None


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The Retry-After header in seconds; None when there is none, or no number of seconds. Whoever waits bounds it."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


def said(body: bytes) -> str:
    """What an error body says: a Kubernetes Status's message, Prometheus' errorType and error, else its text."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return clean(body[: 4 * MESSAGE_MAX].decode("utf-8", "replace"))
    if isinstance(document, dict):
        for key in ("message", "error"):
            if isinstance(document.get(key), str) and document[key]:
                return clean(document[key])
    return clean(json.dumps(document))


def clean(text: str) -> str:
    """Foreign text on one line of at most MESSAGE_MAX printable characters."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())[:MESSAGE_MAX]


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {k.lower(): v for k, v in headers.items()}
