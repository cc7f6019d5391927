"""Secrets in the columns of a table whose head names them: `| user | password |`, `NAME   TOKEN`, `id,login,passwd`, also separated by tabs and semicolons."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.names import judged
from receiver.evidence.redaction.spans import Span
from receiver.evidence.redaction.values import is_no_secret
from receiver.evidence.redaction.words import Shape

_MAX_HEAD = 400  # characters of a head
_MAX_ROWS = 500
_SEPARATORS = (re.compile(r"\|"), re.compile(r"\t"), re.compile(r","), re.compile(r";"), re.compile(r" {2,64}"))
_HEAD = re.compile(r"[\w|\t,; .()\"'-]{3,400}\r?")
_HEAD_CELL = re.compile(r"[\w.()-]{1,40}(?: [\w()-]{1,30})?")
_RULE_LINE = re.compile(r"[\s|+=:-]{1,400}")


def find_columns(hay: Haystack) -> Iterator[Span]:
    """The cells below a head cell that names a secret."""
    text, done = hay.text, 0
    for at in sorted(_places(hay)):
        if at < done:
            continue
        start, end = text.rfind("\n", max(done, at - _MAX_HEAD), at) + 1 or done, text.find("\n", at, at + _MAX_HEAD)
        done = max(done, end + 1)
        if end < 0 or end - start > _MAX_HEAD or not _HEAD.fullmatch(text, start, end):
            continue
        for separator in _SEPARATORS:
            cells = _cells(separator, text, start, end)
            kinds = _kinds(text, cells)
            if kinds:
                done, spans = _rows(separator, text, end + 1, len(cells), kinds)
                yield from spans
                break


def _places(hay: Haystack) -> Iterator[int]:
    """Where a head may be: at its words."""
    for hint in [h for h in _HEAD_HINTS if h in hay.words]:
        yield from hay.places_of(hint)


_HEAD_HINTS = ("pass", "pwd", "secret", "token", "key", "cred", "парол", "密码", "passwort", "senha", "contrase")


def _cells(separator: re.Pattern[str], text: str, start: int, end: int) -> list[tuple[int, int]]:
    cells = []
    for found in separator.finditer(text, start, end):
        cells.append((start, found.start()))
        start = found.end()
    cells.append((start, end))
    return cells


def _kinds(text: str, cells: list[tuple[int, int]]) -> dict[int, str]:
    """Which columns hold which kind; empty when it is no head."""
    names = [text[a:b].strip(" \t\r\"'|") for a, b in cells]
    if len([n for n in names if n]) < 2 or not all(_HEAD_CELL.fullmatch(n) for n in names if n):
        return {}
    found = {}
    for i, name in enumerate(names):
        known = judged(name)
        if known.kind and known.shape in {Shape.ANY, Shape.MIXED}:
            found[i] = known.kind
    return found


def _rows(separator: re.Pattern[str], text: str, position: int, columns: int, kinds: dict[int, str]) -> tuple[int, list[Span]]:
    """Where the first line after the rows begins, and the secrets in the rows."""
    spans: list[Span] = []
    end_of_rows = position
    for _ in range(_MAX_ROWS):
        line_end = text.find("\n", position)
        line_end = len(text) if line_end < 0 else line_end
        if line_end <= position or line_end - position > 4 * _MAX_HEAD:
            break
        if not _RULE_LINE.fullmatch(text, position, line_end):
            cells = _cells(separator, text, position, line_end)
            if len(cells) != columns:
                break
            for i, kind in kinds.items():
                start, end = cells[i]
                value = text[start:end]
                bare = value.strip(" \t\r\"'")
                start += value.find(bare)
                if bare and " " not in bare and not is_no_secret("tokens", bare) and not re.fullmatch(r"[\d.,]+", bare):
                    spans.append(Span(start, start + len(bare), kind))
        end_of_rows = position = line_end + 1
    return end_of_rows, spans
