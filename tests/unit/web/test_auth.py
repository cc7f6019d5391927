"""Tokens: compared in constant time, everywhere, and shown nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from receiver.web.application import WebDeps
from receiver.web.auth import Gate
from receiver.web.entrance import EntranceConfig
from receiver.web.slack_actions import SlackDeps
from tests.places import REPO

SECRET = re.compile(r"(?:^|_)(?:token|secret|signature|password|credential)s?(?:$|_)")


def words_of(node: ast.expr) -> Iterator[str]:
    """The names in an expression."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr


def compared(source: str) -> list[int]:
    """Lines that compare a secret with == or in, which answers sooner the sooner they differ."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            continue
        if any(SECRET.search(word) for side in (node.left, *node.comparators) for word in words_of(side)):
            found.append(node.lineno)
    return found


def test_a_comparison_is_found() -> None:
    """The check can fail."""
    assert compared("if given == self.token: pass") == [1]
    assert compared("hmac.compare_digest(given, self.token)") == []


def test_no_secret_is_compared_as_text() -> None:
    """Where requests come in: `hmac.compare_digest` and nothing else."""
    paths = [
        *sorted((REPO / "receiver" / "web").rglob("*.py")),
        REPO / "receiver" / "app" / "entrance.py",
        REPO / "receiver" / "app" / "front.py",
        REPO / "receiver" / "app" / "build.py",
    ]

    assert {path.name: lines for path in paths if (lines := compared(path.read_text()))} == {}
    assert sum(path.read_text().count("hmac.compare_digest(") for path in paths) == 5


@pytest.mark.parametrize("part", [WebDeps, SlackDeps, Gate, EntranceConfig], ids=lambda part: part.__name__)
def test_no_secret_is_in_a_repr(part: type) -> None:
    """A part of the application that is logged by mistake shows none."""
    secret = [one for one in fields(part) if SECRET.search(one.name)]

    assert secret
    assert [one.name for one in secret if one.repr] == []
