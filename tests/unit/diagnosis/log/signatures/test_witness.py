"""Counters that rise, and lines that name what is loaded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.signatures import loading_lines, rising_words
from tests.unit.diagnosis.log.kit import recorded_log

MIB = 1024**2


def log(name: str) -> tuple[str, ...]:
    """The lines of a recorded log."""
    return recorded_log(name).lines


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leak-python", ("cache_entries",)),
        ("leak-sidecar", ("session cache size",)),
        ("python-memoryerror", ("cache_entries",)),
        ("java-exitonoom", ("cached",)),
        ("steady", ()),
        ("page-cache", ()),
        ("gunicorn-child-oom", ()),
        ("startup-loading", ()),
    ],
)
def test_rising_in_recorded_logs(name: str, expected: tuple[str, ...]) -> None:
    """Recorded leaks show their counter; steady containers, workers' pids and loading show none."""
    assert rising_words(log(name)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["queue=1", "queue=2", "queue=3"], ("queue",)),
        (['{"heap_used": 10}', '{"heap_used": 12}', '{"heap_used": 13}'], ("heap_used",)),
        (["rss: 10.5 MB", "rss: 11 MB", "rss: 12 MB"], ("rss",)),
        (["buffer 900 KiB", "buffer 1 MiB", "buffer 2 MiB"], ("buffer",)),
        (["queue=1", "queue=2"], ()),
        (["queue=1", "queue=3", "queue=2"], ()),
        (["queue=1", "queue=1", "queue=2"], ()),
        (["ts=1 pid=4 request_id=7", "ts=2 pid=5 request_id=8", "ts=3 pid=6 request_id=9"], ()),
        (["requests=1 orders_total=4 step=1", "requests=2 orders_total=5 step=2", "requests=3 orders_total=6 step=3"], ()),
        (["a=1 b=9", "a=2 b=8", "a=3 b=7"], ("a",)),
    ],
    ids=["equals", "json", "colon and unit", "other unit", "two lines", "falls", "stays", "time and ids", "counts of work", "one of two"],
)
def test_rising_words(lines: list[str], expected: tuple[str, ...]) -> None:
    """A counter is named when it rises in every line that has it, in three lines or more, unless it rises by nature."""
    assert rising_words(tuple(lines)) == expected


def test_at_most_three_names_the_most_seen_first() -> None:
    """Few names are enough: the counters seen most often."""
    lines = tuple(f"a={i} b={i} c={i}" + (f" d={i}" if i < 4 else "") for i in range(6))

    assert rising_words(lines) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("Loading full training dataset into memory... (5GB)", 5 * 10**9),
        ("2026-11-23T01:06:45.476759850Z 2026-11-23T01:06:45.476Z INFO loading model weights into memory (200 MiB)", 200 * MIB),
        ("2026-11-23T01:06:45.614Z INFO loaded 100/200 MiB", 200 * MIB),
        ("loaded 1.5GiB of embeddings", 3 * 512 * MIB),
        ("Reading table orders into memory", None),
        ("INFO Loading checkpoint shards: 50%", None),
        ("warming cache: 300 MB", 300 * 10**6),
        ("DB loaded from disk: 12.345 seconds, 812 MiB", 812 * MIB),
    ],
)
def test_loading_with_its_size(line: str, size: int | None) -> None:
    """Lines of loading are found, with the whole size in bytes when they name one."""
    found = loading_lines(("INFO start", line))

    assert [(entry.line_index, entry.size_bytes) for entry in found] == [(1, size)]


@pytest.mark.parametrize(
    "line",
    [
        "INFO serving",
        "Loading configuration from /etc/app.yaml",
        "loaded 12 plugins",
        "GET /reload 200",
        "handled 500 requests, session cache size 10 MiB",
        "download 5 MB/s",
    ],
)
def test_no_loading(line: str) -> None:
    """Lines that load nothing big into memory are left out."""
    assert loading_lines((line,)) == ()


@given(st.lists(st.text(max_size=200), max_size=30).map(tuple))
def test_any_text_is_read(lines: tuple[str, ...]) -> None:
    """Neither function fails on any text, and both point into the log."""
    assert len(rising_words(lines)) <= 3
    assert all(0 <= entry.line_index < len(lines) for entry in loading_lines(lines))
