"""A table of deaths, with and without colours, as wide as the terminal."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from receiver.app.triage import Wanted, printed_deaths
from receiver.case.deaths import deaths_of
from receiver.domain.report import Report
from receiver.domain.target import Target
from receiver.render import paint
from receiver.render.deaths import Deaths, Row
from tests.golden import Golden
from tests.unit.case.test_deaths import NOW, PODS
from tests.unit.render import cases

WANTED = Wanted(target=Target(namespace="shop"), command="kubectl oomtriage")
HOSTILE = "\x1b[2J\x1b]0;owned\x07a\u202eb\nc"


@pytest.fixture(scope="module")
def found() -> Deaths:
    """The recorded cluster; the first two rows were looked into."""
    _, report = cases.leak()
    reports: list[Report | None] = [report, report]
    rows = [Row(death=d, report=reports.pop() if reports else None) for d in deaths_of(PODS, now=NOW, since=None) if d.namespace == "shop"]
    return Deaths(where="namespace shop", now=NOW, rows=tuple(rows), pods=29, since_s=3600.0, missing=("pods that are gone: 403",))


def test_piped_it_is_plain_and_nothing_is_cut(found: Deaths, golden: Golden) -> None:
    """For grep and awk: every name whole, no colour."""
    text = printed_deaths(found, WANTED)

    assert "\x1b" not in text
    assert "…" not in text
    golden("terminal/deaths.txt", text)


def test_on_a_terminal_it_fits_and_has_colours(found: Deaths, golden: Golden) -> None:
    """The widest columns give way; the colours change no character."""
    plain = printed_deaths(found, replace(WANTED, width=100))
    colored = paint.deaths(plain)
    table = plain.split("\n\n")[0].splitlines()

    assert max(len(line) for line in table) <= 100
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    golden("terminal/deaths-colored.txt", colored)


def test_no_name_from_the_cluster_moves_the_cursor(found: Deaths) -> None:
    """The API checks names of pods; reasons and other servers check nothing."""
    death = replace(found.rows[0].death, pod=HOSTILE, container=HOSTILE, reason=HOSTILE, namespace=HOSTILE)
    text = printed_deaths(replace(found, rows=(Row(death=death),), is_many_namespaces=True, missing=(HOSTILE,)), WANTED)

    assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in text)
    assert len(text.splitlines()) == 6


def test_nothing_died_is_said_with_what_was_looked_at(found: Deaths) -> None:
    """Good news is an answer."""
    assert (
        printed_deaths(replace(found, rows=(), missing=()), WANTED) == "Nothing died in namespace shop in the last 1 h (29 pods looked at)."
    )


def test_the_document_is_for_programs(found: Deaths) -> None:
    """One JSON document; a verdict only where somebody looked."""
    document = json.loads(printed_deaths(found, replace(WANTED, output="json")))

    assert document["schema"] == "oomtriage.deaths/v1"
    assert [d["cause"] is not None for d in document["deaths"]][:3] == [True, True, False]


@pytest.mark.parametrize("name", ["a-leak", "h-node"])
def test_a_report_has_colours_that_change_no_character(name: str, golden: Golden) -> None:
    """Marks, titles, patch and the memory line."""
    from tests.unit.render.test_renderer import renderer

    _, report = cases.CASES[name]()
    assert isinstance(report, Report)
    plain = renderer().report_text(report)
    colored = paint.report(plain)

    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    golden(f"terminal/report-{name}-colored.txt", colored)


@pytest.mark.parametrize(
    ("line", "colored"),
    [
        ("PROBLEM  slack.token  refused", "\x1b[1;31mPROBLEM\x1b[0m  slack.token  refused"),
        ("ok       settings  read", "\x1b[32mok\x1b[0m       settings  read"),
        ("warning: promtool: not installed", "\x1b[33mwarning\x1b[0m: promtool: not installed"),
        ("okay then", "okay then"),
    ],
)
def test_how_a_check_stands_has_its_colour(line: str, colored: str) -> None:
    """Of `doctor` and `rules check`: the first word, and nothing else."""
    assert paint.state(line) == colored
