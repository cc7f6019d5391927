"""Reads the CSV of `oomtriage classify` into a MemoryHistory. Pure: text in, data out."""

from __future__ import annotations

import csv
import math
import operator
from collections.abc import Sequence
from itertools import zip_longest

from receiver.domain.facts import MemoryHistory, Sample
from receiver.errors import ReceiverError

TIME, WORKING_SET = "t_seconds", "working_set_bytes"
OPTIONAL = ("limit_bytes", "rss_bytes", "cache_bytes", "request_rate", "restarts", "oom_kills")


class SeriesError(ReceiverError):
    """The text is no series; says what is wrong and where."""


def history_of_csv(text: str, *, until_s: float | None = None) -> MemoryHistory:
    """The rows as samples in the order of time. SeriesError names the line that cannot be read.

    Columns may come in any order, unknown ones are ignored, empty cells (and NaN, as Prometheus writes "nothing") mean
    "not known". A row without a working set is a scrape that failed and is left out. Rows after `until_s` are not kept.
    """
    try:
        header, *rows = csv.reader(text.lstrip("\ufeff").splitlines()) or [[]]
    except ValueError:  # nothing to unpack
        header, rows = [], []
    except csv.Error as exc:
        raise SeriesError(f"not a CSV file: {exc}") from exc
    names = [name.strip().lower() for name in header]
    for name in (TIME, WORKING_SET):
        if name not in names:
            raise SeriesError(f'no column "{name}" in the first line: expected {TIME},{WORKING_SET} and optionally {",".join(OPTIONAL)}')
    cells = list(zip_longest(*rows, fillvalue=""))
    columns = [
        _numbers(cells[names.index(n)], n) if n in names and names.index(n) < len(cells) else [None] * len(rows)
        for n in (TIME, WORKING_SET, *OPTIONAL)
    ]
    last_s = math.inf if until_s is None else until_s
    samples = [
        Sample(
            t_s=t, working_set_bytes=used, limit_bytes=limit, rss_bytes=rss, cache_bytes=cache, request_rate=rate, restarts=restarts, oom_kills=kills
        )
        for t, used, limit, rss, cache, rate, restarts, kills in zip(*columns, strict=True)
        if t is not None and used is not None and t <= last_s
    ]  # fmt: skip
    samples.sort(key=operator.attrgetter("t_s"))
    times = [s.t_s for s in samples]
    gaps = sorted(map(operator.sub, times[1:], times))
    return MemoryHistory(samples=tuple(samples), step_s=gaps[len(gaps) // 4] if gaps else 0.0)


def _numbers(cells: Sequence[str], name: str) -> list[float | None]:
    """A column as numbers; None for empty cells and for NaN and infinity, which stand for "nothing" in scrapes."""
    if not any(cells):
        return [None] * len(cells)
    numbers = []
    for line, cell in enumerate(cells, 2):
        try:
            numbers.append(float(cell or "nan"))
        except ValueError:
            if cell.strip():
                raise SeriesError(f"line {line}, column {name}: {cell.strip()[:40]!r} is not a number") from None
            numbers.append(math.nan)
    return [n if math.isfinite(n) else None for n in numbers]
