"""The examples of `--help`: every command has some, and each can be typed as it stands."""

from __future__ import annotations

import re
import shlex

import pytest

from receiver.cli.examples import EXAMPLES
from receiver.cli.main import COMMANDS, parser_for, whole_tree

LINES = [(command, line) for command, lines in EXAMPLES.items() for line in lines]


def test_every_command_has_examples() -> None:
    """And each of its actions."""
    commands = {node.path.removeprefix("oomtriage ") for node in whole_tree().all()} - {"oomtriage"}

    assert commands == set(EXAMPLES)
    assert {name for name, _, _ in COMMANDS} <= commands


@pytest.mark.parametrize(("command", "line"), LINES)
def test_an_example_is_a_command_line(command: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It parses; behind two blanks or more stands what it does."""
    typed = re.split(r" {2,}", line)[0].split(" > ")[0].removeprefix("> ")
    words = [*command.split(), *shlex.split(typed if not typed.startswith("rules.yaml") else "")]

    assert parser_for(words).parse_args(words).run


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_help_shows_them_and_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody reads who has forgotten how."""
    with pytest.raises(SystemExit) as ended:
        parser_for([command]).parse_args([command, "--help"])
    out = capsys.readouterr().out

    assert ended.value.code == 0
    assert f"oomtriage {command}" in out.partition("examples:")[2]
    assert "exit codes: 0 done" in out
