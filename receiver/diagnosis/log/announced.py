"""Lines in which a process manager or a runtime says that it kills, and why: the sender's own word, before the signal.

What it sees afterwards ("killed by signal 9") is no evidence of memory then. Facts from the programs' sources and issues; pure functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.diagnosis.log.announcements import ANNOUNCEMENTS, Announcement
from receiver.diagnosis.log.plain import MAX_LINE_CHARS, said
from receiver.diagnosis.log.signatures import match_line
from receiver.diagnosis.log.signatures.model import CHILD_KILLED

SAME_PID_LINES = 60  # a worker that was told to go, and the line about its end: other workers log in between
NEXT_DEATH_LINES = 12  # without a pid: the next death within so many lines
LAST_WORDS_LINES = 20  # an announcement so near the end of a dead container's log is about its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One announced kill of the log. `explains`: the indexes of the lines about a child's death by SIGKILL that follow from it."""

    row: Announcement
    line: str
    line_index: int
    explains: tuple[int, ...] = ()
    is_at_the_end: bool = False


def announced_kills(lines: tuple[str, ...]) -> tuple[Announced, ...]:
    """The announced kills of a log in order, each with the deaths that it explains. A death is explained once."""
    texts = tuple(line[:MAX_LINE_CHARS] for line in lines)
    heard = [(i, row) for i, text in enumerate(texts) if (row := announcement_of(text)) is not None]
    if not heard:
        return ()
    deaths = {i for i, text in enumerate(texts) if (p := match_line(text)) is not None and p.kind == CHILD_KILLED}
    found = []
    for index, row in heard:
        explains = _explained(texts, index, row, deaths)
        if row.is_a_shutdown and not explains:
            continue
        deaths -= set(explains)
        is_last = len(texts) - 1 - index <= LAST_WORDS_LINES
        found.append(Announced(row=row, line=lines[index], line_index=index, explains=explains, is_at_the_end=is_last))
    return tuple(found)


def announcement_of(line: str) -> Announcement | None:
    """The row that this line is an announcement by."""
    return next((row for text in said(line) for lowered in (text.lower(),) for row in ANNOUNCEMENTS if row.matches(text, lowered)), None)


def _explained(texts: tuple[str, ...], index: int, row: Announcement, deaths: set[int]) -> tuple[int, ...]:
    """The lines about a death that this announcement explains: of the process it names, else the next one."""
    pid = next((pid for text in said(texts[index]) if (pid := row.pid_of(text))), "")
    if row.kills_all and not pid:
        return tuple(sorted(i for i in deaths if index <= i <= index + SAME_PID_LINES))
    if pid:
        named = re.compile(rf"(?<![\d.]){re.escape(pid)}(?![\d.])")
        same = [i for i in deaths if index <= i <= index + SAME_PID_LINES and named.search(texts[i])]
        if same:
            return tuple(sorted(same))
    following = sorted(i for i in deaths if index <= i <= index + NEXT_DEATH_LINES and not (pid and _names_another(texts[i], pid)))
    return tuple(following[:1])


def _names_another(text: str, pid: str) -> bool:
    """Whether the line names a process, and not this one."""
    named = re.search(r"\b(?:pid|PID|child|Worker with pid)[ :=(]{0,2}(\d{1,10})\b", text)
    return named is not None and named[1] != pid
