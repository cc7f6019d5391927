"""The values of Kubernetes Secrets: every one under `data` and `stringData`, whatever it is called, in YAML, JSON, and Go's notation of a struct."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import SECRET
from receiver.evidence.redaction.spans import BLANK, Span
from receiver.evidence.redaction.values import is_no_secret

_NEAR = 20_000  # characters between `kind: Secret` and its data
_KIND = re.compile(
    r"\bkind\\{0,3}[\"']?[ \t]{0,4}:[ \t]{0,4}\\{0,3}[\"']?Secret\b(?=\\{0,3}[\"']?[ \t]{0,4}(?:[,}\r\n]|$))|\bSecret data(?=:)|\bv1\.Secret\{|&Secret\{|\bsecrets?/[\w.-]{1,100} (?:patched|configured|created|edited)"
)
_DATA = re.compile(
    r"\b(?:stringData|data|Data|StringData)\\{0,3}[\"']?[ \t]{0,4}:[ \t]{0,4}(?P<open>\{|map\[string\](?:\[\]uint8|\[\]byte|string)\{|(?=\r?\n))"
)
_IN_BRACES = re.compile(
    rf"[\s,]{{0,40}}\\{{0,3}}[\"']?[\w.-]{{1,253}}\\{{0,3}}[\"']?[ \t]{{0,4}}:[ \t]{{0,4}}"
    rf"(?:\[\](?:uint8|byte)\{{(?P<bytes>[^}}\n]{{0,20000}})\}}|\[(?P<list>[\d ]{{0,20000}})\]|(?P<slash>\\{{0,3}})(?P<mark>[\"']?)(?P<value>[^\"'\\,}}\n{BLANK}]{{0,100000}}))\\{{0,3}}[\"']?"
)
_LINE = re.compile(
    rf"(?P<indent>[ \t]{{1,40}})[\"']?[\w.-]{{1,253}}[\"']?:[ \t]{{0,8}}(?:[|>][+-]?[ \t]{{0,4}}\r?\n(?P<block>(?:(?P=indent)[ \t]{{1,20}}[^\n]{{1,4000}}\n?){{1,200}})|[\"']?(?P<value>[^\"'\r\n{BLANK}]{{0,100000}}))[\"']?\r?(?:\n|$)"
)


def find_secret_objects(hay: Haystack) -> Iterator[Span]:
    """What the data of Secrets holds."""
    text = hay.text
    if not (hay.has_any(("secret",)) and hay.has_any(("data",))):
        return
    kinds = [m.start() for m in _KIND.finditer(text)]
    if not kinds:
        return
    done = 0
    for data in _DATA.finditer(text):
        if data.start() < done or not _is_near(kinds, data.start(), text):
            continue
        done = data.end()
        for start, end, next_one in _entries(text, data):
            done = next_one
            if not is_no_secret("", text[start:end]):
                yield Span(start, end, SECRET)


def _is_near(kinds: list[int], at: int, text: str) -> bool:
    i = bisect_left(kinds, at)
    for kind in kinds[max(0, i - 1) : i + 1]:
        low, high = min(kind, at), max(kind, at)
        if high - low < _NEAR and text.find("\n---", low, high) < 0:
            return True
    return False


def _entries(text: str, data: re.Match[str]) -> Iterator[tuple[int, int, int]]:
    """The values of a mapping: start, end, and where the next entry begins."""
    position = data.end()
    if data["open"]:
        while entry := _IN_BRACES.match(text, position):
            position = entry.end()
            group = next((g for g in ("bytes", "list", "value") if entry[g]), "value")
            yield *entry.span(group), position
        return
    position = text.find("\n", position) + 1
    line_start = text.rfind("\n", 0, data.start()) + 1
    lead = text[line_start : data.start()]
    outer = len(lead) if not lead.strip(" -") else 0
    while entry := _LINE.match(text, position):
        if len(entry["indent"]) <= outer:
            return
        position = entry.end()
        group = "block" if entry["block"] else "value"
        start, end = entry.span(group)
        yield start, start + len(text[start:end].rstrip()), position
