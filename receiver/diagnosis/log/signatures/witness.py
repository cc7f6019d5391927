"""What a log tells beside errors: counters that only rise, and lines that name what is loaded at start-up."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from receiver.diagnosis.log.plain import MAX_LINE_CHARS
from receiver.diagnosis.log.signatures.taken import UNIT_BYTES, taken_sizes

MIN_RISES = 3  # lines; two numbers that rise are a coincidence
MAX_NAMES = 3

_UNIT = r"(?:[KMGT]i?B|bytes|[KMGT](?![A-Za-z]))"
_KEY_NUMBER = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{0,60}+)\"?(?:=|: ?)(-?\d{1,18}(?:\.\d{1,6})?)(?![\d.])")
_PHRASE_SIZE = re.compile(
    rf"(?<![\w.-])([A-Za-z]\w{{0,30}}+(?: [A-Za-z]\w{{0,30}}+){{0,3}})[:=]? (\d{{1,12}}(?:\.\d{{1,6}})?) ?({_UNIT})\b", re.IGNORECASE
)
# Names whose numbers rise by nature and say nothing about memory.
_NATURAL = re.compile(
    r"(?:^|[_.-])(?:id|pid|tid|ts|time|timestamp|uptime|epoch|elapsed|duration|took|seq|sequence|offset|lsn|line|lineno|step|iteration|iter|batch|page"
    r"|n|i|no|nr|num|count|total|requests?|processed|handled|progress|percent|port|status|code|year|ms|s|seconds?|date|version|attempt)$",
    re.IGNORECASE,
)


def rising_words(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Names of counters (`cache_entries=85`, `session cache size 40 MiB`) that rise in every line that has them.

    At least `MIN_RISES` lines, each higher than the one before; at most `MAX_NAMES` names, the most often seen first.
    Names whose numbers rise by nature (time, ids, sequence numbers, counts of requests) are left out.
    """
    seen: dict[str, list[float]] = {}
    for line in lines:
        for name, value in _numbers(line[:MAX_LINE_CHARS]).items():
            seen.setdefault(name, []).append(value)
    rising = [
        (len(values), name)
        for name, values in seen.items()
        if len(values) >= MIN_RISES and all(a < b for a, b in itertools.pairwise(values))
    ]
    return tuple(name for _, name in sorted(rising, key=lambda r: (-r[0], r[1]))[:MAX_NAMES])


def _numbers(text: str) -> dict[str, float]:
    """The last value of each named number of one line."""
    found = {m[1]: float(m[2]) for m in _KEY_NUMBER.finditer(text) if not _NATURAL.search(m[1])}
    for m in _PHRASE_SIZE.finditer(text):
        found.setdefault(_phrase(m[1]), float(m[2]) * UNIT_BYTES[m[3].lower()])
    return found


def _phrase(words: str) -> str:
    """`INFO cached` -> `cached`: without the level that loggers put before the message."""
    return " ".join(w for w in words.split(" ") if w.lower() not in {"info", "warn", "warning", "debug", "error", "trace"}) or words


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingLine:
    """A line that says what is being loaded. `size_bytes` is the whole size where the line names one."""

    line: str
    line_index: int
    size_bytes: int | None


_LOADS = re.compile(
    r"\b(?:(?:pre|re)?load(?:ing|ed|s)?|warm(?:ing|ed)|read(?:ing)?|restor(?:ing|ed)|import(?:ing|ed)|hydrat(?:ing|ed)|deserializ(?:ing|ed)"
    r"|populat(?:ing|ed)|build(?:ing)?|prefetch(?:ing|ed))\b",
    re.IGNORECASE,
)
_DATA = re.compile(
    r"\b(?:into memory|in memory|data ?sets?|models?|weights|checkpoints?|embeddings|index(?:es)?|cache|snapshots?|dump|corpus|dictionar(?:y|ies)|tensors?|rows|records"
    r"|working set|training data|parquet|csv)\b",
    re.IGNORECASE,
)


def loading_lines(lines: tuple[str, ...]) -> tuple[LoadingLine, ...]:
    """Lines that say that data is loaded into memory, in order, with the size in bytes when they name one.

    A line counts when a word of loading stands beside a size that is taken, or beside a word for data (dataset, model, index ...).
    `loaded 100/200 MiB` is 200 MiB. GB is 10^9 bytes and GiB 2^30, as written.
    """
    found = []
    for index, line in enumerate(lines):
        text = line[:MAX_LINE_CHARS]
        if not _LOADS.search(text):
            continue
        sizes = taken_sizes(text)
        if sizes or _DATA.search(text):
            found.append(LoadingLine(line=text, line_index=index, size_bytes=max(sizes, default=None)))
    return tuple(found)
