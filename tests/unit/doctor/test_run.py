"""Checks run side by side under one deadline; what could not be asked says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from receiver.doctor.check import Check
from receiver.doctor.checks import ALL
from receiver.doctor.run import examine
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem
from receiver.domain.reason import Reason
from receiver.errors import Unavailable
from receiver.transport import Deadline
from tests.unit.doctor.kit import site

SAID = Reason("doctor.proxy.none")


def fine(_: Site) -> Iterator[Finding]:
    yield ok(SAID)


def codes(checks: tuple[Check, ...], on: Site | None = None) -> dict[str, tuple[str, str]]:
    return {c.id: (c.finding.state.value, c.finding.what.code) for c in examine(on or site(), checks)}


def test_what_comes_after_a_service_that_does_not_answer_is_not_asked() -> None:
    """Neither after a problem nor after advice that it is not configured; one check's failure is not another's."""

    def not_there(_: Site) -> Iterator[Finding]:
        yield problem(SAID)

    def not_configured(_: Site) -> Iterator[Finding]:
        yield advice(SAID)

    found = codes(
        (
            Check(id="a", tells="", ask=not_there), Check(id="b", tells="", ask=fine, after=("a",)),
            Check(id="c", tells="", ask=not_configured), Check(id="d", tells="", ask=fine, after=("c",)),
            Check(id="e", tells="", ask=fine), Check(id="f", tells="", ask=fine, after=("e",)),
        )
    )  # fmt: skip

    assert {name: state for name, (state, _) in found.items()} == {
        "a": "problem", "b": "unknown", "c": "advice", "d": "unknown", "e": "ok", "f": "ok",
    }  # fmt: skip
    assert found["b"][1] == "doctor.not_asked"


def test_a_check_that_fails_costs_itself() -> None:
    """A source that does not answer, and a mistake of ours."""

    def unanswered(_: Site) -> Iterator[Finding]:
        yield ok(SAID, part="first")
        raise Unavailable("gone")

    def mistaken(_: Site) -> Iterator[Finding]:
        yield ok(SAID, part=str(1 // len("")))

    found = codes((Check(id="a", tells="", ask=unanswered), Check(id="b", tells="", ask=mistaken), Check(id="c", tells="", ask=fine)))

    assert found == {"a": ("unknown", "doctor.failed"), "b": ("unknown", "doctor.broken"), "c": ("ok", "doctor.proxy.none")}


def test_what_is_not_done_in_time_says_so() -> None:
    """The others are told all the same, in their order."""
    released = threading.Event()

    def slow(_: Site) -> Iterator[Finding]:
        released.wait(20)
        yield ok(SAID)

    checks = (
        Check(id="slow", tells="", ask=slow),
        Check(id="after", tells="", ask=fine, after=("slow",)),
        Check(id="quick", tells="", ask=fine),
    )
    found = codes(checks, replace(site(), deadline=Deadline(0.2)))
    released.set()

    assert list(found) == ["slow", "after", "quick"]
    assert {name: state for name, (state, _) in found.items()} == {"slow": "unknown", "after": "unknown", "quick": "ok"}


def test_what_a_check_builds_on_is_there_and_comes_before_it() -> None:
    """Else it would never run; and an id is one check."""
    ids = [check.id for check in ALL]

    assert len(set(ids)) == len(ids)
    for n, check in enumerate(ALL):
        assert {*check.after, *check.awaits} <= set(ids[:n]), check.id
