"""A body read one alert at a time: ten thousand alerts cost the body and one of them, not ten times the body."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator

from receiver.domain.alerts import Alert, Notification, parse_alert, parse_notification
from receiver.errors import PayloadError

# A string, a bracket, a separator, a number or word. A quotation mark alone is a string that does not end.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+|"', re.DOTALL)
_BLANKS = re.compile(r"[ \t\n\r]*")
WINDOW_BYTES = 128 * 1024  # of the body, as text; doubled for an alert that does not fit
_CONTINUES, _CONTINUATION = 0xC0, 0x80  # the upper bits of a byte inside a character of UTF-8
_MOST_CHARACTER_BYTES = 4


class Body:
    """A webhook body. Iterate it once for its alerts; then `envelope` is what it says beside them (and has no alerts).

    PayloadError while iterating, at the first thing that is wrong, what stands behind the alerts included.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.envelope = Notification(alerts=())

    def __iter__(self) -> Iterator[Alert]:
        try:
            yield from self._read()
        except (ValueError, RecursionError) as exc:
            raise PayloadError(f"the body is not JSON: {str(exc)[:200]}") from exc

    def _read(self) -> Iterator[Alert]:
        body = self._body
        is_utf8 = json.detect_encoding(body) in ("utf-8", "utf-8-sig")
        begin = _first_alert(body) if is_utf8 else None
        if begin is None:
            self.envelope = parse_notification(json.loads(body))
            yield from self.envelope.alerts
            return
        end = yield from _alerts_from(body, begin)
        rest = json.loads(body[:begin] + body[end:], object_pairs_hook=_without_twins)
        self.envelope = parse_notification(rest)


def _first_alert(body: bytes) -> int | None:
    """Where the elements of the outermost object's list `alerts` begin; None when it has none."""
    depth, key, before = 0, b"", b""
    for match in _TOKEN.finditer(body):
        token = match[0]
        if token == b'"':  # a string that does not end: json.loads refuses the body
            return None
        if token == b":" and depth == 1:
            key = before
        elif token in (b"{", b"["):
            depth += 1
            if depth == 2 and token == b"[" and before == b":" and key == b'"alerts"':
                return match.end()
        elif token in (b"}", b"]"):
            depth -= 1
        before = token
    return None


def _alerts_from(body: bytes, begin: int) -> Generator[Alert, None, int]:
    """The alerts of the list whose elements begin there; returns where the list's bracket closes."""
    decoder = json.JSONDecoder()
    size, number = WINDOW_BYTES, 0
    position = begin
    while True:
        text, is_last = _window(body, position, size)
        at = _after_blanks(text, 0)
        while True:
            try:
                if number == 0 and text[at : at + 1] == "]":
                    return position + _bytes_of(text[:at])
                entry, end = decoder.raw_decode(text, at)
                end = _after_blanks(text, end)
                separator = text[end]
            except (ValueError, IndexError) as exc:
                if is_last:
                    raise ValueError(str(exc) if isinstance(exc, ValueError) else "it ends in the middle of the alerts") from exc
                break  # it does not fit into the window
            if separator not in ",]":
                raise ValueError(f"expected a comma behind alert {number}")
            yield parse_alert(entry, f"alerts[{number}]")
            number += 1
            if separator == "]":
                return position + _bytes_of(text[:end])
            at = _after_blanks(text, end + 1)
        moved = _bytes_of(text[:at])
        size = size * 2 if at == _after_blanks(text, 0) else WINDOW_BYTES
        position += moved


def _window(body: bytes, begin: int, size: int) -> tuple[str, bool]:
    """So many bytes as text, without half a character at the end; and whether they are the last."""
    end = min(begin + size, len(body))
    if end < len(body):
        for back in range(1, _MOST_CHARACTER_BYTES + 1):
            if body[end - back] & _CONTINUES != _CONTINUATION:
                end -= back if body[end - back] >= _CONTINUES else 0
                break
    return body[begin:end].decode("utf-8", "surrogatepass"), end == len(body)


def _after_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _bytes_of(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; ValueError when it has two lists `alerts`, of which one was read and the other would count."""
    if sum(name == "alerts" for name, _ in pairs) > 1:
        raise ValueError('two entries "alerts"')
    return dict(pairs)
