"""Reads the CSV of `oomtriage classify` into a MemoryHistory. Pure: text in, data out."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from itertools import pairwise

from receiver.domain.facts import MemoryHistory, Sample
from receiver.errors import ReceiverError

TIME, WORKING_SET = "t_seconds", "working_set_bytes"
OPTIONAL = ("limit_bytes", "rss_bytes", "cache_bytes", "request_rate", "restarts", "oom_kills")


class SeriesError(ReceiverError):
    """The text is no series; says what is wrong and where."""


def history_of_csv(text: str, *, until_s: float | None = None) -> MemoryHistory:
    """The rows as samples in the order of time. SeriesError names the line that cannot be read.

    Columns may come in any order, unknown ones are ignored, empty cells (and NaN, as Prometheus writes "nothing") mean
    "not known". A row without a working set is a scrape that failed and is left out. Rows after `until_s` are not read.
    """
    rows = csv.reader(text.lstrip("\ufeff").splitlines())
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        return _history(rows, header, until_s)
    except csv.Error as exc:
        raise SeriesError(f"not a CSV file: {exc}") from exc


def _history(rows: object, header: list[str], until_s: float | None) -> MemoryHistory:
    for name in (TIME, WORKING_SET):
        if name not in header:
            raise SeriesError(f'no column "{name}" in the first line: expected {TIME},{WORKING_SET} and optionally {",".join(OPTIONAL)}')
    at = {name: header.index(name) for name in (TIME, WORKING_SET, *OPTIONAL) if name in header}
    optional: list[Callable[[list[str], int], float | None]] = [_cell(at.get(name)) for name in OPTIONAL]
    time_at, used_at = at[TIME], at[WORKING_SET]
    samples = []
    for number, row in enumerate(rows, 2):  # type: ignore[arg-type, var-annotated]
        if not row:
            continue
        if len(row) <= max(time_at, used_at):
            raise SeriesError(f"line {number} has {len(row)} cells, expected at least {max(time_at, used_at) + 1}")
        t_s, used = _number(row[time_at], number), _number(row[used_at], number)
        if t_s is None or used is None or (until_s is not None and t_s > until_s):
            continue
        limit, rss, cache, rate, restarts, kills = (cell(row, number) for cell in optional)
        samples.append(
            Sample(
                t_s=t_s, working_set_bytes=used, limit_bytes=limit, rss_bytes=rss, cache_bytes=cache,
                request_rate=rate, restarts=restarts, oom_kills=kills,
            )
        )  # fmt: skip
    samples.sort(key=lambda s: s.t_s)
    gaps = sorted(b.t_s - a.t_s for a, b in pairwise(samples))
    return MemoryHistory(
        samples=tuple(samples),
        step_s=gaps[len(gaps) // 2] if gaps else 0.0,
        has_request_rate=any(s.request_rate is not None for s in samples),
    )


def _cell(index: int | None) -> Callable[[list[str], int], float | None]:
    if index is None:
        return lambda row, number: None
    return lambda row, number: _number(row[index], number) if index < len(row) else None


def _number(text: str, line: int) -> float | None:
    """The cell as a number; None for an empty one and for NaN and infinity, which stand for "nothing" in scrapes."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        if not text.strip():
            return None
        raise SeriesError(f"line {line}: {text.strip()[:40]!r} is not a number") from None
    return value if math.isfinite(value) else None
