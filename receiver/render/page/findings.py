"""The nine items, what to change, and the log: from a stored report, and more of it from one that was judged again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from receiver.diagnosis.log.signatures import excerpt
from receiver.domain.report import Report
from receiver.render.page.model import ChangePart, CheckRow, Copyable, Line, LogPart, LogRow, Part, Piece
from receiver.render.page.stored import Stored
from receiver.render.sections import stamped
from receiver.render.text import clean_line, cut, sentence
from receiver.render.thread import MARKS, redacted

LINE_MAX = 2_000  # characters of one line of the log
MOST_LINES = 400
OPEN = frozenset({"todo", "could_not_check"})  # what a person may tick


def checklist_of(stored: Stored, *, can_act: bool) -> tuple[CheckRow, ...]:
    """The nine items with their ticks. `can_act`: they can be ticked."""
    return tuple(_check_row(item, can_act=can_act) for item in stored.all("checklist"))


def _check_row(item: Stored, *, can_act: bool) -> CheckRow:
    state, is_ticked, item_id = item.text("state"), item.has("ticked"), item.text("id")
    meant = "untick" if is_ticked else "tick" if state in OPEN else ""
    return CheckRow(
        id=item_id,
        text=item.text("text"),
        state=state if state in MARKS else "could_not_check",
        result=item.text("result"),
        is_ticked=is_ticked,
        press=f"{meant}:{item_id}" if can_act and meant and item_id else "",
    )


def change_of(stored: Stored, intro: Sequence[Part]) -> ChangePart | None:
    """What to change. `intro`: the parts of the patch message, whose first lines say what it buys."""
    proposal, hpa = stored.at("proposal"), stored.at("hpa")
    copies = tuple(_copies(proposal, hpa))
    long_term = tuple(
        Copyable(kind="long_term", says=sentence(f.text("text")), text="\n".join(f.texts("commands"))) for f in stored.all("long_term")
    )
    none = proposal.text("none")
    if not (copies or long_term or none):
        return None
    return ChangePart(
        intro=_intro(intro) or ((Line(pieces=(Piece(text=sentence(none)),)),) if none else ()),
        copies=copies,
        remarks=tuple(sentence(r) for r in (*proposal.texts("checks"), *proposal.texts("caveats"))),
        long_term=long_term,
    )


def _copies(proposal: Stored, hpa: Stored) -> Iterator[Copyable]:
    commands = "\n".join(proposal.texts("commands", LINE_MAX))
    found = (
        Copyable(kind="commands", text=commands),
        Copyable(kind="git", text=proposal.block("diff")),
        Copyable(kind="patch", text=proposal.block("patch")),
        Copyable(kind="hpa", text=hpa.block("manifest"), says=sentence(hpa.text("why"))),
    )
    yield from (copy for copy in found if copy.text)


def _intro(parts: Sequence[Part]) -> tuple[Line, ...]:
    first = next((part for part in parts if part.kind == "line"), None)
    return first.lines if first is not None else ()


def log_of(stored: Stored, report: Report | None) -> LogPart | None:
    """The log with the line that named the error; None when none was read."""
    if report is not None:
        return _whole_log(report)
    evidence, signature = stored.at("evidence"), stored.at("signature")
    rows = tuple(
        _row(line, None, is_match=line == signature.text("line", LINE_MAX)) for line in evidence.at("log").texts("lines", LINE_MAX)
    )
    if not rows:
        return None
    return LogPart(
        container=evidence.at("log").text("container"), rows=rows, excerpt=rows[-8:], meaning=signature.text("meaning"),
        advice=sentence(signature.text("advice")), is_current=evidence.at("log").document.get("current") is True,
    )  # fmt: skip


def _whole_log(report: Report) -> LogPart | None:
    log, signature = report.facts.log, report.signature
    if log is None or not log.lines:
        return None
    first = max(0, min(len(log.lines) - MOST_LINES, signature.line_index if signature is not None else len(log.lines)))
    times: Sequence[datetime | None] = log.times if len(log.times) == len(log.lines) else (None,) * len(log.lines)
    matching = log.lines[signature.line_index] if signature is not None and signature.line_index < len(log.lines) else None
    rows = tuple(
        _row(line, at, is_match=signature is not None and number == signature.line_index)
        for number, (line, at) in enumerate(zip(log.lines, times, strict=True))
        if number >= first
    )[:MOST_LINES]
    return LogPart(
        container=clean_line(log.container, 253), rows=rows, excerpt=tuple(_shown(excerpt(log.lines, signature), log.lines, times, matching)),
        meaning=clean_line(signature.meaning, 200) if signature is not None else "",
        advice=sentence(clean_line(signature.advice, 300)) if signature is not None else "",
        redacted=redacted(report), is_current=log.is_current,
    )  # fmt: skip


def _shown(lines: Iterable[str], every: Sequence[str], times: Sequence[datetime | None], matching: str | None) -> Iterator[LogRow]:
    stamps = dict(zip(every, times, strict=True))
    yield from (_row(stamped(line, stamps.get(line)), None, is_match=line == matching) for line in lines)


def _row(line: str, at: datetime | None, *, is_match: bool) -> LogRow:
    return LogRow(text=cut(_tidy(line), LINE_MAX), at=at, is_match=is_match)


def _tidy(line: str) -> str:
    """Its indentation stays: a stack trace without it is hard to read."""
    indent = len(line) - len(line.lstrip(" \t"))
    return " " * min(indent, 40) + clean_line(line)
