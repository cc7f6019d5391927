"""Log lines: JSON for programs, plain for a person, and obeyed by no terminal."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from receiver.telemetry import JsonFormatter, TerminalFormatter

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31mred\u202egnp.exe\n INFO  all is well"


def record(message: str, exc_info: Any = None, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("receiver.x", logging.WARNING, "x.py", 1, message, (), exc_info)
    vars(made).update(fields)
    return made


def test_a_json_line_can_be_read_back_and_moves_no_cursor() -> None:
    """`kubectl logs` prints it raw: what JSON does not escape by itself is escaped, and nothing is lost."""
    line = JsonFormatter().format(record("told", error=HOSTILE))

    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2028" for c in line)
    assert json.loads(line)["error"] == HOSTILE


def test_a_person_reads_one_line_with_its_fields() -> None:
    """Level, message, fields; a value of several words in quotes, data as JSON."""
    line = TerminalFormatter().format(record("incident told", cause="leak", confidence=0.9, why="it grows", missing=["log"], channel=""))

    assert line == 'WARNING incident told  cause=leak confidence=0.9 why="it grows" missing=["log"] channel=""'


def test_a_person_reads_no_hostile_text() -> None:
    """No escape, no reordering, no line that another one forges."""
    line = TerminalFormatter().format(record(HOSTILE, error=HOSTILE))

    assert "\n" not in line
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in line)


def test_a_traceback_stands_on_lines_of_its_own() -> None:
    """With both formats the error itself is there."""
    try:
        raise ValueError("\x1b[2Jbad")
    except ValueError:
        made = record("failed", sys.exc_info())

    assert TerminalFormatter().format(made).splitlines()[-1] == "ValueError: bad"
    assert json.loads(JsonFormatter().format(made))["traceback"].endswith("bad")
