"""Quantities, times and durations: what Kubernetes and Prometheus write, read back as the same thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.domain import units


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("128Mi", 134217728), ("1.5Gi", 1610612736), ("64M", 64_000_000), ("1e9", 1_000_000_000), ("1E3", 1000), ("100m", 1), ("0", 0), ("5", 5),
        (".5Ki", 512), ("12345678", 12345678), ("1Ti", 2**40), ("2k", 2000), ("1E", 10**18), ("129e6", 129_000_000),
    ],
)  # fmt: skip
def test_quantities_as_the_api_server_reads_them(text: str, n_bytes: int) -> None:
    """Binary, decimal and exponent forms; thousandths round up."""
    assert units.parse_bytes(text) == n_bytes


@pytest.mark.parametrize("text", ["", "Mi", "12MiB", "1.2.3", "1 Gi", "0x10", "1ee3", "NaN", "inf", "١٢Mi", "-", "1e", "1e9999"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """A typo is an error, never another number."""
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        units.parse_bytes(text)


@given(st.integers(min_value=0, max_value=2**60))
def test_a_quantity_survives_being_written_and_read(n_bytes: int) -> None:
    """What we propose to paste is exactly what was meant."""
    assert units.parse_bytes(units.format_quantity(n_bytes)) == n_bytes


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (80 * 2**20, "80 MiB"), (2.3 * 2**30, "2.3 GiB"), (512 * 2**10, "512 KiB"), (4 * 2**30, "4 GiB"), (0, "0 bytes"), (999, "999 bytes"),
        (2**30 - 1, "1 GiB"), (7.25 * 2**20, "7.2 MiB"), (74.4 * 2**20, "74 MiB"), (2**50, "1024 TiB"), (5 * 2**50, "5120 TiB"),
    ],
)  # fmt: skip
def test_bytes_as_people_read_them(n_bytes: float, text: str) -> None:
    """Two or three significant digits, never 1024 of a unit but the largest."""
    assert units.human_bytes(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "under 1 s"),
        (13, "13 s"),
        (960, "16 min"),
        (10_680, "2 h 58"),
        (8 * 3600, "8 h"),
        (3 * 86_400, "3 days"),
        (26 * 3600, "26 h"),
        (3599, "1 h"),
    ],
)
def test_durations_as_people_read_them(seconds: float, text: str) -> None:
    """Two units at most."""
    assert units.human_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1h30m", 5400), ("14d", 1209600), ("1.1s", 1.1), ("500ms", 0.5), ("2w", 1209600), ("7", 7)]
)
def test_durations_as_prometheus_writes_them(text: str, seconds: float) -> None:
    """A bare number is seconds."""
    assert units.parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "10 s", "1h 30m", "h", "10x", "s10"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A typo stops the start instead of becoming zero."""
    with pytest.raises(ValueError, match="not a duration"):
        units.parse_duration_s(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-23T00:49:03.295123456Z", "2026-11-23T00:49:03.295123Z"), ("2026-11-23T01:49:03+01:00", "2026-11-23T00:49:03Z"),
        ("0001-01-01T00:00:00Z", None), ("0001-01-01T00:00:00+14:00", None), ("0002-01-01T00:00:00+14:00", None), ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None), ("", None), (None, None), (5, None),
    ],
)  # fmt: skip
def test_times_of_go_programs(text: object, read: str | None) -> None:
    """Nanoseconds are cut, Go's zero time and nonsense are no time."""
    parsed = units.parse_time(text)

    assert (units.format_time(parsed) if parsed else None) == read


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(text: str) -> None:
    """Labels and annotations come from strangers."""
    units.parse_time(text)
    units.parse_bytes_or_none(text)
