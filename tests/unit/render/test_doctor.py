"""Findings as lines for people and as a document for programs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from receiver.domain.finding import Checked, Finding, State, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.render import paint
from receiver.render.doctor import document, lines, summary
from tests.support import NOW

NOTHING = reason("doctor.proxy.none")


def made(*found: tuple[str, Finding]) -> dict[str, Any]:
    return document(
        [Checked(check=c, finding=f) for c, f in found], version="1", at=NOW, took_s=1.5, hide=lambda text: text.replace("planted", "***")
    )


def granted(permission: str) -> tuple[str, Finding]:
    return "permissions", ok(reason("doctor.permissions.granted", permission=permission), part=permission)


def test_what_is_fine_of_one_check_is_one_line() -> None:
    """A problem among them has its own; `is_verbose` shows all."""
    checks = made(
        granted("list a"),
        granted("list b"),
        ("permissions", problem(NOTHING, reason("doctor.do.listen"), part="list c")),
        granted("list d"),
    )["checks"]

    assert [re.split(r"\s+", line)[1] for line in lines(checks)] == ["permissions", "permissions/list", "permissions/list"]
    assert len(list(lines(checks, is_verbose=True))) == 4


def test_what_was_not_asked_for_one_reason_is_one_line() -> None:
    """Their ids are in it."""
    after = reason("doctor.not_asked", after="prometheus")
    (first, second) = lines(made(("a", unknown(after)), ("b", unknown(after)), ("c", unknown(NOTHING)))["checks"])

    assert ("a, b" in first, second.split()[1]) == (True, "c")


def test_the_document() -> None:
    """A state, a code, and the id of what it is about; no secret, no line break."""
    found = made(
        ("slack.channel", advice(reason("doctor.settings.refused", error="planted\nand\x1b[31m more"), part="C1")), ("x", ok(NOTHING))
    )

    assert found["summary"] == {State.OK: 1, State.PROBLEM: 0, State.ADVICE: 1, State.UNKNOWN: 0}
    assert found["checks"][0] == {
        "id": "slack.channel/C1", "state": "advice", "text": found["checks"][0]["text"], "hint": "", "code": "doctor.settings.refused",
    }  # fmt: skip
    assert not {"planted", "\n", "\x1b"} & set(re.findall(r"planted|\n|\x1b", found["checks"][0]["text"]))


@pytest.mark.parametrize("state", [ok, problem, advice, unknown])
def test_colours_are_laid_over_the_line(state: Any) -> None:
    """Without them it is the same line."""
    (line,) = lines(made(("a", state(NOTHING, **({} if state is ok else {"todo": reason("doctor.do.listen")}))))["checks"])
    painted = paint.state(line)

    assert painted != line
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == line


def test_the_last_line_counts() -> None:
    assert [int(n) for n in re.findall(r"\d+(?= (?:problem|advice|not known|fine))", summary(made(("a", problem(NOTHING)))))] == [
        1,
        0,
        0,
        0,
    ]
