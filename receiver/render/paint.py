"""Colours for a terminal, put over text that is finished and clean: nothing here reads what it means, and taking them out gives the text.

The sixteen colours of the terminal's own theme, so that light and dark backgrounds both work.
"""

from __future__ import annotations

import re
from itertools import pairwise

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"
_RESET = "\x1b[0m"

_LABEL = re.compile(r"(Do|Why|Next|Facts|Memory)(?= )")
_TITLE = re.compile(r"[A-Z][^:.]{2,60}(?=:|$)")
_MARK = re.compile(r"(?<= )([✓☐✕])(?= )|✕")
_MARKS = {"✓": GREEN, "☐": YELLOW, "✕": RED}
_SPARK = re.compile(r"[▁▂▃▄▅▆▇█·]{2,}")
_COMMAND = re.compile(r"    (?:kubectl|git|oomtriage|helm) .*|      .*--\S+=.*")
_ADDED, _REMOVED = re.compile(r"    \+ .*"), re.compile(r"    - .*")
_DIED = re.compile(r"\b(?:OOMKilled|Evicted)\b")


def painted(text: str, *codes: str) -> str:
    """The text in these colours."""
    return f"\x1b[{';'.join(codes)}m{text}{_RESET}" if text else text


def report(text: str) -> str:
    """A whole report (`Renderer.report_text`): what happened and the titles stand out, marks, patch and memory have their colours."""
    lines = text.split("\n")
    found, is_aside = [painted(lines[0], BOLD)], False
    for before, line in pairwise(lines):
        is_aside = bool(line) and (is_aside or line.startswith("("))  # a remark in brackets may be folded
        found.append(painted(line, DIM) if is_aside else _line(before, line))
        is_aside = is_aside and not line.endswith(")")
    return "\n".join(found)


def _line(before: str, line: str) -> str:
    if not before and _TITLE.match(line):
        return _TITLE.sub(lambda found: painted(found.group(), BOLD), line, count=1)
    for pattern, code in ((_ADDED, GREEN), (_REMOVED, RED), (_COMMAND, CYAN)):
        if pattern.fullmatch(line):
            return painted(line, code)
    line = _LABEL.sub(lambda found: painted(found.group(), BOLD), line, count=1) if _LABEL.match(line) else line
    return _SPARK.sub(
        lambda found: painted(found.group(), YELLOW), _MARK.sub(lambda found: painted(found.group(), _MARKS[found.group()]), line)
    )


def deaths(text: str) -> str:
    """A list of deaths (`app/triage.py`): the table's header bold, how each died red where it says memory."""
    head, separator, rest = text.partition("\n\n")
    if not separator:
        return text
    header, *rows = head.split("\n")
    red = (_DIED.sub(lambda found: painted(found.group(), RED), row, count=1) for row in rows)
    return "\n".join([painted(header, BOLD), *red]) + separator + rest


_STATES = {"ok": (GREEN,), "PROBLEM": (BOLD, RED), "advice": (YELLOW,), "unknown": (DIM,), "error": (BOLD, RED), "warning": (YELLOW,)}
_STATE = re.compile(rf"({'|'.join(_STATES)})(?=:? )")


def state(line: str) -> str:
    """A line that begins with how it stands (`PROBLEM `, `error: `): that word in its colour."""
    return _STATE.sub(lambda found: painted(found.group(), *_STATES[found.group()]), line, count=1) if _STATE.match(line) else line
