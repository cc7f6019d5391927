"""What an expression looks like with its records written out, and what cannot be."""

from __future__ import annotations

import pytest

from receiver.errors import ConfigError
from receiver.rulepack.backtest.expand import CannotTell, Expander, Record

USE = Record(name="a:use:ratio", expr="x / y  # share", interval_s=60)
SLOW = Record(name="a:use:min1h", expr="min_over_time(a:use:ratio[1h])", interval_s=300)


def expanded(expr: str, *records: Record, step_s: int = 60, **more: object) -> str:
    return Expander(records or (USE, SLOW), **more).expanded(expr, step_s).expr  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expr", "step_s", "expected"),
    [
        ("a:use:ratio > 0.8 # threshold", 60, "(x / y) > 0.8"),
        ("a:use:ratio offset 15m", 60, "last_over_time((x / y)[59999ms:60s] offset 900s)"),
        ("a:use:ratio offset -5m", 60, "last_over_time((x / y)[59999ms:60s] offset -300s)"),
        ("max_over_time(a:use:ratio[30m])", 60, "max_over_time((x / y)[30m:60s])"),
        ("max_over_time(a:use:ratio[30m] offset 1h)", 60, "max_over_time((x / y)[30m:60s] offset 1h)"),
        ("a:use:min1h", 300, "(min_over_time((x / y)[1h:60s]))"),
        ("a:use:min1h offset 3h", 300, "last_over_time((min_over_time((x / y)[1h:60s]))[299999ms:300s] offset 10800s)"),
        ("a:use:min1h", 60, "last_over_time((min_over_time((x / y)[1h:60s]))[299999ms:300s])"),
        ("a:use:ratio offset 15m", 300, "last_over_time((x / y)[299999ms:300s] offset 900s)"),
        ("a:use:ratio offset 90s", 60, "last_over_time((x / y)[59999ms:60s] offset 90s)"),
    ],
)
def test_each_read_has_its_form(expr: str, step_s: int, expected: str) -> None:
    """The value of the moment, of an earlier one, a window; at the record's own pace where that is slower than the alert's."""
    assert expanded(expr, step_s=step_s).replace("  ", " ").replace(" )", ")") == expected


def test_a_slow_record_is_gone_between_its_evaluations() -> None:
    """Prometheus looks back five minutes; a record written every fifteen is not there for the other ten."""
    hourly = Record(name="a:b:c", expr="x", interval_s=900)

    assert expanded("a:b:c", hourly) == "last_over_time((x)[299999ms:900s])"


def test_matchers_reach_every_selector_and_the_records_own() -> None:
    """A Prometheus of several clusters: `cluster="prod"` is added everywhere, with and without braces."""
    found = expanded('a:use:ratio and z{a="b",} or {__name__="w"}', matchers='cluster="prod"')

    assert found.count('cluster="prod"') == 4
    assert 'z{a="b", cluster="prod"}' in found
    assert 'x{cluster="prod"} / y{cluster="prod"}' in found


def test_recorded_series_are_read_as_they_are() -> None:
    """Where the history holds a record it is cheaper."""
    found = Expander((USE, SLOW), recorded=frozenset({"a:use:ratio"})).expanded("a:use:min1h", 300)

    assert found.expr == "(min_over_time(a:use:ratio[1h]))"
    assert found.metrics == {"a:use:ratio"}


@pytest.mark.parametrize(
    ("expr", "why"),
    [
        ("a:use:ratio @ end()", "at a fixed time"),
        ("a:use:ratio offset 5m @ 1700000000", "no whole second"),
        ('{__name__=~"a:use:ratio|z"}', "pattern of names"),
        ("a:self:x", "reads itself"),
    ],
)
def test_what_cannot_be_written_is_said(expr: str, why: str) -> None:
    """A reason for a person, not another number."""
    with pytest.raises(CannotTell, match=why):
        expanded(expr, USE, Record(name="a:self:x", expr="a:self:x offset 1m + y", interval_s=60))


def test_records_that_grow_without_end_are_refused() -> None:
    """Twenty records, each of which reads the one before twice, would be a million reads."""
    records = [Record(name="a:r0:x", expr="some_metric", interval_s=60)]
    records += [Record(name=f"a:r{i}:x", expr=f"a:r{i - 1}:x + a:r{i - 1}:x", interval_s=60) for i in range(1, 21)]

    with pytest.raises(CannotTell, match="characters"):
        expanded("a:r20:x", *records)


def test_no_promql_is_a_clear_error() -> None:
    """An expression with a sign that PromQL does not have."""
    with pytest.raises(ConfigError, match="not PromQL"):
        expanded("x ; y")
