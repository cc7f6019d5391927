"""Styled pieces inside a line: code, bold, italic, a time, a link.

A template writes `{{ memory.limit_value | code }}`. Between template and block the style travels inside the text, as C0
control characters around the piece. Untrusted text cannot forge them: `clean_line` takes every C0 character out of
whatever a template prints, unless it is `Inline`, the marker type that only this module and a template's own output have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.render.text import clean_line, visible

_START, _SEP, _END = "\x02", "\x1f", "\x03"
VALUE = "\x16"  # stands before every printed value, so that a value at the start of a line is never read as a template's key
_PIECE = re.compile(f"{_START}([a-z]){_SEP}([^{_END}]*){_END}")
_STYLES: Mapping[str, Mapping[str, bool]] = {"c": {"code": True}, "b": {"bold": True}, "i": {"italic": True}}


class Inline(str):
    """Text that may hold styled pieces, made by this module or by a template. Anything else is cleaned before it is shown."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time as a message shows it: in the reader's own zone in blocks, in UTC in plain text. The date only when not today."""

    at: datetime
    with_date: bool = False

    def __str__(self) -> str:
        """The UTC form."""
        pattern = "%Y-%m-%d %H:%M UTC" if self.with_date else "%H:%M UTC"
        return self.at.astimezone(UTC).strftime(pattern)

    @property
    def short(self) -> str:
        """Without the zone, for lists that name it once."""
        return str(self).removesuffix(" UTC")


def when(at: datetime, now: datetime) -> Moment:
    """A time, with its date when that is not the day of `now` (UTC)."""
    return Moment(at=at, with_date=abs(at - now) > timedelta(hours=20) or (at.date() != now.date() and abs(at - now) > timedelta(hours=12)))


def code(value: object) -> Inline:
    """A name or value in code style."""
    return _piece("c", _plain(value))


def bold(value: object) -> Inline:
    """Emphasis; the words must carry the meaning without it."""
    return _piece("b", _plain(value))


def italic(value: object) -> Inline:
    """A result behind its label."""
    return _piece("i", _plain(value))


def link(url: str, text: str) -> Inline:
    """A link to our own page. Without an http(s) address the text stands alone."""
    if not url.startswith(("http://", "https://")):
        return Inline(clean_line(text))
    return _piece("l", f"{clean_line(url, 3000)}{_SEP}{clean_line(text)}")


def moment(value: Moment) -> Inline:
    """A time as a piece of a line."""
    stamp = int(value.at.timestamp())
    return _piece("t", f"{stamp}{_SEP}{'d' if value.with_date else 't'}{_SEP}{value}")


def finalize(value: object) -> str:
    """What a template prints. Untrusted by default: cleaned to one line. None is a mistake in the template, never a word."""
    if isinstance(value, Inline):
        return value
    if isinstance(value, Moment):
        return moment(value)
    if value is None:
        raise ValueError("a value that is not known (None) was printed; ask for it with {% if %} first")
    text = str(value)
    lead, trail = (" " if text[:1] == " " else ""), (" " if text[-1:] == " " else "")  # of a template's own ", "
    return f"{VALUE}{lead}{clean_line(text)}{trail}"


def elements(text: str) -> list[dict[str, Any]]:
    """A line as rich_text elements. No element is only blanks: Slack drops the gap, and screen readers stumble."""
    found: list[dict[str, Any]] = []
    for kind, payload in _pieces(text):
        if visible(payload).strip():
            found.append(_element(kind, payload))
        elif found and found[-1]["type"] == "text":
            found[-1] = {**found[-1], "text": found[-1]["text"] + payload}
        elif found:
            found.append(_element("", "· "))  # between two pieces that cannot hold the gap
    return found


def plain(text: str) -> str:
    """A line as plain text: times in UTC, links as their text."""
    return "".join(payload.split(_SEP)[-1] for _, payload in _pieces(text))


def element_text(element: Mapping[str, Any]) -> str:
    """The visible text of one rich_text element; the same words that `plain` gives."""
    return str(element.get("fallback") or element.get("text") or "")


def _piece(kind: str, payload: str) -> Inline:
    return Inline(f"{_START}{kind}{_SEP}{payload}{_END}" if payload else "")


def _plain(value: object) -> str:
    return plain(value) if isinstance(value, Inline) else clean_line(str(value))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """(kind, payload) of every piece; unstyled text has kind ""."""
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            yield "", text[at : match.start()]
        yield match[1], match[2]
        at = match.end()
    if at < len(text):
        yield "", text[at:]


def _element(kind: str, payload: str) -> dict[str, Any]:
    if kind == "t":
        stamp, form, fallback = payload.split(_SEP)
        pattern = "{date_short_pretty} {time}" if form == "d" else "{time}"
        return {"type": "date", "timestamp": int(stamp), "format": pattern, "fallback": fallback}
    if kind == "l":
        url, words = payload.split(_SEP)
        return {"type": "link", "url": url, "text": words}
    return {"type": "text", "text": visible(payload)} | ({"style": dict(_STYLES[kind])} if kind else {})
