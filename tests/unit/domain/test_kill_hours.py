"""Kills by the hour, from what looks know of them."""

from __future__ import annotations

import pytest

from receiver.domain import kill_hours

HOUR = 3600.0
NOW = 480_000 * HOUR + 600


def test_a_picture_has_the_last_24_hours() -> None:
    """The running hour is the last; older ones are gone when they are written again."""
    hours = kill_hours.with_kills({}, 3, [NOW, NOW - 23 * HOUR, NOW - 30 * HOUR], known_until=None, newest_at=None)
    text = kill_hours.as_text(hours, now=NOW)
    picture = kill_hours.shown(kill_hours.hours_of(text), now=NOW)

    assert len(picture) == 24
    assert (picture[-1], picture[0], sum(picture)) == (1, 1, 2)


def test_a_kill_is_counted_once() -> None:
    """The next look reads the same times again."""
    first = kill_hours.with_kills({}, 1, [NOW - 60], known_until=None, newest_at=None)
    second = kill_hours.with_kills(first, 1, [NOW - 60, NOW], known_until=NOW - 60, newest_at=NOW)

    assert sum(second.values()) == 2


@pytest.mark.parametrize(("newest_at", "counted"), [(NOW, 5), (None, 2)])
def test_kills_without_a_time_count_where_somebody_knows_when_they_were(newest_at: float | None, counted: int) -> None:
    """Between two looks they happened by the newest; before the first one nobody knows."""
    hours = kill_hours.with_kills({}, 5, [NOW - 60, NOW - 120], known_until=None, newest_at=newest_at)

    assert sum(hours.values()) == counted


def test_what_is_no_text_of_hours_is_refused() -> None:
    """A damaged row is told from an empty one."""
    assert kill_hours.hours_of("") == {}
    with pytest.raises(ValueError, match="invalid literal"):
        kill_hours.hours_of("yesterday")
