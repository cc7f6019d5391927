"""Which memory error a log names, and which of its lines to quote. Reads at most `MAX_LINE_CHARS` of a line."""

from __future__ import annotations

import re

from receiver.diagnosis.signatures import jvm, languages, node, python, servers, system
from receiver.diagnosis.signatures.model import LogPattern
from receiver.domain.report import Signature

# In this order; what is special to a program comes before what any program may say.
SIGNATURES: tuple[LogPattern, ...] = (
    python.PATTERNS + jvm.PATTERNS + node.PATTERNS + languages.PATTERNS + servers.PATTERNS + system.PATTERNS
)

MAX_LINE_CHARS = 4096  # a JSON line may hold a whole stack trace; more than this is no log line
ONE_CRASH_LINES = 60  # a stack trace and a shell's "Killed" after it are one crash; further up is another story
EXCERPT_LINES = 8
TAIL_LINES = 4
ELLIPSIS = "…"

_KUBE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) ?")


def strip_kube_time(line: str) -> str:
    """The line without the timestamp that the API server puts before it (`timestamps=true`)."""
    found = _KUBE_TIME.match(line)
    return line[found.end() :] if found else line


def find_signature(lines: tuple[str, ...]) -> Signature | None:
    """The memory error that these log lines name, or None.

    The newest match says which crash is meant. Of the matches in the `ONE_CRASH_LINES` up to it the most telling
    one is taken ("Metaspace" rather than the shell's "Killed" after it), and of equals the newest. A line counts
    for the most telling entry of the catalogue that matches it; of equals the first in the catalogue.
    """
    matches = [(i, p) for i, line in enumerate(lines) if (p := match_line(line)) is not None]
    if not matches:
        return None
    newest = matches[-1][0]
    index, pattern = max(((i, p) for i, p in matches if i > newest - ONE_CRASH_LINES), key=lambda m: (m[1].rank, m[0]))
    return Signature(
        id=pattern.id,
        runtime=pattern.runtime,
        meaning=pattern.meaning,
        advice=pattern.advice,
        line=strip_kube_time(lines[index])[:MAX_LINE_CHARS],
        line_index=index,
        kind=pattern.kind,
        count=sum(1 for _, p in matches if p.id == pattern.id),
    )


def match_line(line: str) -> LogPattern | None:
    """The most telling entry of the catalogue that this one line matches, or None."""
    text = strip_kube_time(line)[:MAX_LINE_CHARS].rstrip()
    lowered = text.lower()
    best: LogPattern | None = None
    for pattern in SIGNATURES:
        if (best is None or pattern.rank > best.rank) and pattern.matches(text, lowered):
            best = pattern
    return best


# Lines that belong to the error above or below them, as runtimes write stack traces.
_CONTINUES = re.compile(
    r"[ \t]|$|Traceback \(most recent|During handling of|The above exception|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common)"
    r"|goroutine \d+ \[|\d+: 0x[0-9a-f]|-{3,} (?:Native|JS) stack|<--- |#(?:\s|$)|(?:DETAIL|HINT|CONTEXT|STATEMENT): "
)


def excerpt(lines: tuple[str, ...], signature: Signature | None) -> tuple[str, ...]:
    """At most `EXCERPT_LINES` lines around the signature, else the last `TAIL_LINES`; blank lines are left out.

    A stack trace stays with its error: the first and the innermost lines are kept and `…` stands for what is between.
    """
    if signature is None or not 0 <= signature.line_index < len(lines):
        return tuple(line for line in lines if strip_kube_time(line).strip())[-TAIL_LINES:]
    at = signature.line_index
    top, bottom = _block(lines, at)
    before = [line for line in lines[top:at] if strip_kube_time(line).strip()]
    after = [line for line in lines[at + 1 : bottom] if strip_kube_time(line).strip()]
    room = EXCERPT_LINES - 1
    if len(before) + len(after) >= room:
        after = after[: max(room - len(before), 2 if before else room)]
        before = _shorten(before, room - len(after))
        return (*before, lines[at], *after)
    room -= len(before) + len(after)
    context = [line for line in lines[:top] if strip_kube_time(line).strip()]
    following = [line for line in lines[bottom:] if strip_kube_time(line).strip()]
    n_following = min(len(following), max(2, room - len(context)), room)
    n_context = min(len(context), room - n_following)
    return (*context[len(context) - n_context :], *before, lines[at], *after, *following[:n_following])


def _block(lines: tuple[str, ...], at: int) -> tuple[int, int]:
    """The half-open range of lines that belong to the error at `at`."""
    top = at
    while top > 0 and _CONTINUES.match(strip_kube_time(lines[top - 1])):
        top -= 1
    starts_itself = strip_kube_time(lines[top]).startswith(("Traceback ", "<--- ", "# ")) or not strip_kube_time(lines[top]).strip()
    if 0 < top < at and not starts_itself:
        top -= 1  # the head of the trace: "Exception in thread ...", a log line whose trace is indented
    bottom = at + 1
    while bottom < len(lines) and _CONTINUES.match(strip_kube_time(lines[bottom])):
        bottom += 1
    return top, bottom


def _shorten(lines: list[str], room: int) -> list[str]:
    """The first line and the last ones, with `…` between, in `room` lines."""
    if len(lines) <= room:
        return lines
    if room < 3:
        return lines[len(lines) - room :]
    return [lines[0], ELLIPSIS, *lines[len(lines) - (room - 2) :]]
