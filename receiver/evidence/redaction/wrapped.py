"""Secrets in a text that was encoded whole: base64, base64url or hex of `{"password": "..."}`. The whole word goes, as what was found in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from receiver.evidence.redaction.kinds import CREDENTIAL
from receiver.evidence.redaction.shapes import decoded
from receiver.evidence.redaction.spans import Span

_WORD = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,65536}+={0,2}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,32768}+|(?:[0-9A-F]{2}){8,32768}+")
# A telling piece stands in every text that is worth a search: a name, a separator of a URL's password, a quote.
_MAX_SASL = 400
_TELLING = re.compile(r"[=:\"'@<]| [A-Za-z]")


def find_wrapped(text: str, find: Callable[[str], Iterable[Span]]) -> Iterator[Span]:
    """Words that are an encoded text with a secret in it. `find` searches the decoded text."""
    for match in _WORD.finditer(text):
        if _is_sasl_plain(match[0]):
            yield Span(*match.span(), CREDENTIAL)
            continue
        inner = readable(match[0])
        if inner and _TELLING.search(inner):
            first = next(iter(find(inner)), None)
            if first is not None:
                yield Span(match.start(), match.end(), first.kind)


def _is_sasl_plain(word: str) -> bool:
    """Whether the word is base64 of a user and a password with NULs between, as SASL PLAIN sends them."""
    parts = decoded(word).split(b"\0") if len(word) < _MAX_SASL else []
    return len(parts) == 3 and all(p.isascii() and p.decode().isprintable() for p in parts) and bool(parts[1] and parts[2])


def readable(word: str) -> str:
    """The text that a base64 or hex word stands for; empty when it stands for none."""
    raw = bytes.fromhex(word) if _HEX.fullmatch(word) else decoded(word)
    if len(raw) < 8:
        return ""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ""
    return text if all(c.isprintable() or c in "\n\r\t" for c in text) else ""
