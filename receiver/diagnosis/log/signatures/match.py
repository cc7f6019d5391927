"""Which memory error a log names, and which of its lines to quote. Reads at most `MAX_LINE_CHARS` of a line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from receiver.diagnosis.log.plain import MAX_LINE_CHARS, said
from receiver.diagnosis.log.signatures import agents, gpu, jvm, languages, node, python, python_workers, remote, ruby_php, servers, system
from receiver.diagnosis.log.signatures.model import GENERIC, LogPattern
from receiver.diagnosis.log.signatures.ordinary import is_about_another, is_echo, is_of_other_pod, is_supposed
from receiver.domain.report import Signature

# In this order; what is special to a program comes before what any program may say.
SIGNATURES: tuple[LogPattern, ...] = (
    gpu.PATTERNS
    + python.PATTERNS
    + python_workers.PATTERNS
    + jvm.PATTERNS
    + node.PATTERNS
    + ruby_php.PATTERNS
    + languages.PATTERNS
    + servers.PATTERNS
    + remote.PATTERNS
    + agents.PATTERNS
    + system.PATTERNS
)
_BY_ID = {p.id: p for p in SIGNATURES}
_OF_NO_PROGRAM = frozenset(("", "shell", "kernel", "systemd"))  # whoever writes such a line may be looking at something else

ONE_CRASH_LINES = 60  # a stack trace and a shell's "Killed" after it are one crash; further up is another story
EXCERPT_LINES = 8
TAIL_LINES = 4
FRAMES_ABOVE = 3  # lines of an outer error that may stand above its cause
ELLIPSIS = "…"


def find_signature(lines: tuple[str, ...], *, pod: str = "", but_not: Collection[int] = ()) -> Signature | None:
    """The memory error that these log lines name, or None. `pod` is the name of the pod whose log it is, where that is known.
    Lines whose index is in `but_not` are explained otherwise.

    The newest match says which crash is meant. Of the matches in the `ONE_CRASH_LINES` up to it the most telling
    one is taken ("Metaspace" rather than the shell's "Killed" after it), and of equals the newest. A line counts
    for the most telling entry of the catalogue that matches it; of equals the first in the catalogue.
    """
    matches = [(i, p) for i, line in enumerate(lines) if i not in but_not and (p := match_line(line, pod=pod)) is not None]
    if not matches:
        return None
    newest = matches[-1][0]
    index, pattern = max(((i, p) for i, p in matches if i > newest - ONE_CRASH_LINES), key=lambda m: (m[1].rank, m[0]))
    return Signature(
        id=pattern.id,
        runtime=pattern.runtime,
        meaning=pattern.meaning,
        advice=pattern.advice,
        line=lines[index][:MAX_LINE_CHARS],
        line_index=index,
        kind=pattern.kind,
        refuses_to_start=pattern.refuses_to_start,
        is_of_executor=pattern.is_of_executor,
        count=sum(1 for _, p in matches if p.id == pattern.id),
    )


def twin_of(signature: Signature) -> Signature | None:
    """The same line as the other side means it: the server's own log, or a client's of it. None for an entry without a twin."""
    twin = _BY_ID.get(_BY_ID[signature.id].twin) if signature.id in _BY_ID else None
    if twin is None:
        return None
    return replace(signature, id=twin.id, runtime=twin.runtime, meaning=twin.meaning, advice=twin.advice, kind=twin.kind)


def match_line(line: str, *, pod: str = "") -> LogPattern | None:
    """The most telling entry of the catalogue that this one line of a log of `pod` matches, or None."""
    whole, *wrapped = said(line)
    best: LogPattern | None = None
    for text in (whole, *wrapped):
        lowered = text.lower()
        for pattern in SIGNATURES:
            if (best is None or pattern.rank > best.rank) and pattern.matches(text, lowered) and not is_echo(text):
                best = pattern
    return None if best is None or _is_no_error(best, whole, pod) else best


def _is_no_error(pattern: LogPattern, text: str, pod: str) -> bool:
    """Whether the line that matches tells of no error after all, or of one elsewhere."""
    if is_echo(text) or is_of_other_pod(text, pod):
        return True
    if pattern.runtime not in _OF_NO_PROGRAM:
        return False
    return is_about_another(text, pod) or (pattern.rank == GENERIC and is_supposed(text))


# Lines that belong to the error above or below them, as runtimes write stack traces.
_CONTINUES = re.compile(
    r"[ \t]|$|Traceback \(most recent|During handling of|The above exception|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common)"
    r"|goroutine \d+ \[|\d+: 0x[0-9a-f]|-{3,} (?:Native|JS) stack|<--- |#(?:\s|$)|(?:DETAIL|HINT|CONTEXT|STATEMENT): "
)


_NATIVE_FRAME = re.compile(r"\s{0,4}\d{1,3}: 0x[0-9a-f]|-{3,} Native stack trace")


def excerpt(lines: tuple[str, ...], signature: Signature | None) -> tuple[str, ...]:
    """At most `EXCERPT_LINES` lines around the signature, else the last `TAIL_LINES`; blank lines are left out.

    A stack trace stays with its error: its first line and the frames next to the error are kept, and `…` stands for
    what is between. What room is left goes to the lines before, so that one sees what the program was doing.
    """
    if signature is None or not 0 <= signature.line_index < len(lines):
        return _filled(lines)[-TAIL_LINES:]
    at = signature.line_index
    top, bottom = _block(lines, at)
    before, after = _filled(lines[top:at]), _without_native_frames(_filled(lines[at + 1 : bottom]))
    room = EXCERPT_LINES - 1
    if after:  # the trace follows its error, as in Java: what stands above belongs to an outer error
        before = before if len(before) <= FRAMES_ABOVE else (before[0], ELLIPSIS)
        after = after[: room - len(before)]
    else:  # the trace comes first, as in Python: its last frames are the innermost
        before = before if len(before) <= room else (before[0], ELLIPSIS, *before[len(before) - room + 2 :])
    room -= len(before) + len(after)
    context, following = _filled(lines[:top]), _filled(lines[bottom:])
    n_following = min(len(following), room, max(2, room - len(context)))
    n_context = min(len(context), room - n_following)
    return (*context[len(context) - n_context :], *before, lines[at], *after, *following[:n_following])


def _filled(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without blank lines, and without the marks that Python draws under a line of code."""
    return tuple(line for line in lines if line.strip(" \t\r\n^~"))


def _without_native_frames(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without the addresses that Node prints for its own C++ frames: they say nothing to the program's author."""
    return tuple(line for line in lines if not _NATIVE_FRAME.match(line))


def _block(lines: tuple[str, ...], at: int) -> tuple[int, int]:
    """The half-open range of lines that belong to the error at `at`."""
    top = at
    while top > 0 and _CONTINUES.match(lines[top - 1]):
        top -= 1
    starts_itself = lines[top].startswith(("Traceback ", "<--- ", "# ")) or not lines[top].strip()
    if 0 < top < at and not starts_itself:
        top -= 1  # the head of the trace: "Exception in thread ...", a log line whose trace is indented
    bottom = at + 1
    while bottom < len(lines) and _CONTINUES.match(lines[bottom]):
        bottom += 1
    return top, bottom
