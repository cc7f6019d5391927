"""What a log witnesses beside errors: loading that did not end, counters that rise, sizes, and how long children live."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise

from receiver.diagnosis.log.plain import MAX_LINE_CHARS
from receiver.diagnosis.log.signatures import LoadingLine, loading_lines, names_work
from receiver.diagnosis.log.signatures.taken import UNIT_BYTES
from receiver.domain.facts import LogFacts
from receiver.domain.units import human_bytes

LINES_AFTER_LOADING = 2  # more lines than these after a line of loading: other work went on, it did not die of loading

# Words of a start-up that is over: what comes after them is work.
_UP = re.compile(
    r"\b(?:serving|listening|ready|warmed|started|finished|completed?|done|accepting connections|idle|idling)\b", re.IGNORECASE
)


def still_loading(texts: tuple[str, ...]) -> tuple[LoadingLine, ...]:
    """The lines of loading with which the log ends; none when it says that start-up was over, or goes on with other work."""
    since_up = max((i for i, text in enumerate(texts) if _UP.search(text) and not _STARTING.search(text)), default=-1) + 1
    entries = tuple(e for e in loading_lines(texts) if e.line_index >= since_up)
    if not entries or len(texts) - 1 - entries[-1].line_index > LINES_AFTER_LOADING:
        return ()
    return entries


_SERVES = re.compile(
    r"\b(?:listening (?:on|at)|(?:server|service|application|app|\w+Service|\w+Application) (?:is )?(?:started|up|ready|running)|accepting connections|ready (?:to|for) |now serving|serving (?:on|at|traffic|requests)|startup complete)\b",
    re.IGNORECASE,
)  # fmt: skip


def says_it_serves(texts: tuple[str, ...]) -> bool:
    """Whether the log says that the start is over."""
    return any(_SERVES.search(text[:MAX_LINE_CHARS]) and not _STARTING.search(text[:MAX_LINE_CHARS]) for text in texts)


_STARTING = re.compile(r"\bstart(?:ing|ed (?:loading|to load|reading))\b|\d ?/ ?\d", re.IGNORECASE)


QUIET_S = 30.0  # without a word: what comes after it is no start-up any more
NEAR_END_S = 15.0  # a line this short before the death is what it died of, if it died of a line
LINES_AFTER_QUIET = 3
_IDLE = re.compile(r"\b(?:idle|idling|waiting|sleeping|polling|standby|nothing to do|no (?:jobs|messages|work))\b", re.IGNORECASE)
_BUSY = re.compile(
    r"\b(?:start(?:ing|ed loading)|initiali[sz](?:ing|e)|load(?:ing)?|boot(?:ing|strap\w*)|connecting|migrat\w+|compil\w+|warm\w*|restor\w+|import\w+)\b",
    re.IGNORECASE,
)


def begun_after_quiet(log: LogFacts | None, died_at: datetime | None) -> str:
    """The line of work with which the log goes on after a quiet time, moments before the death; empty where there is none.

    Quiet is `QUIET_S` without a line after one that does not speak of starting, by the kubelet's times; without times, a line that says so.
    """
    if log is None:
        return ""
    times = log.times if len(log.times) == len(log.lines) else (None,) * len(log.lines)
    entries = [(line.strip()[:MAX_LINE_CHARS], at) for line, at in zip(log.lines, times, strict=True) if line.strip()]
    for (before, quiet_since), (line, at) in reversed(list(pairwise(entries[-LINES_AFTER_QUIET - 1 :]))):
        if _BUSY.search(before) or not names_work(line):
            continue
        if at is None or quiet_since is None:
            is_after_quiet = _IDLE.search(before) is not None
        else:
            is_near_end = died_at is None or (died_at - at).total_seconds() <= NEAR_END_S
            is_after_quiet = is_near_end and (at - quiet_since).total_seconds() >= QUIET_S
        if is_after_quiet:
            return line
    return ""


_PID = re.compile(r"\bpid:? ?(\d{1,9})\b", re.IGNORECASE)
_CHILD_DIED = re.compile(r"\b(?:SIGKILL|signal 9)\b")
_CHILD_BOOTED = re.compile(r"\b(?:boot(?:ing|ed)|start(?:ing|ed)|spawn(?:ing|ed)|fork(?:ing|ed))\b", re.IGNORECASE)


def worker_lives(log: LogFacts | None) -> tuple[float, ...]:
    """Seconds from the boot of a child process to its SIGKILL, for those of which the log has both with a time."""
    if log is None or len(log.times) != len(log.lines):
        return ()
    booted: dict[str, datetime] = {}
    spans = []
    for line, at in zip(log.lines, log.times, strict=True):
        pid = _PID.search(line[:MAX_LINE_CHARS])
        if pid is None or at is None:
            continue
        if _CHILD_DIED.search(line):
            if (since := booted.pop(pid[1], None)) is not None:
                spans.append((at - since).total_seconds())
        elif _CHILD_BOOTED.search(line):
            booted[pid[1]] = at
    return tuple(spans)


_OWN_TIME = re.compile(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]? *")
QUOTE_CHARS = 120


def quoted_line(line: str) -> str:
    """A log line for a quotation: without the time it begins with, blanks made one, cut to `QUOTE_CHARS`."""
    stamp = _OWN_TIME.match(line)
    text = " ".join(line[stamp.end() if stamp else 0 : MAX_LINE_CHARS].split())
    return text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1] + "…"


def rise_of(lines: tuple[str, ...], name: str) -> tuple[str, str] | None:
    """The first and the last value of a counter in the log, as written there (`5`, `85 MiB`); None for fewer than two."""
    pattern = re.compile(re.escape(name) + r'"?(?:=|: ?| )(-?\d{1,18}(?:\.\d{1,6})?(?: ?[KMGT]i?B)?)', re.IGNORECASE)
    values = [m[1] for line in lines if (m := pattern.search(line[:MAX_LINE_CHARS]))]
    return (values[0], values[-1]) if len(values) > 1 else None


_SIZE = re.compile(r"(?<![\w./])(\d{1,6}(?:\.\d{1,3})?) ?([KMGT]i?B|[KMGT]i?)\b", re.IGNORECASE)


def sizes_in(line: str) -> tuple[int, ...]:
    """The memory sizes a log line names, in bytes. GB is 10^9 and GiB 2^30, as written."""
    return tuple(int(float(m[1]) * UNIT_BYTES[m[2].lower()]) for m in _SIZE.finditer(line[:MAX_LINE_CHARS]))


def size_as_written(line: str, n_bytes: int) -> str:
    """A size of the line as the line has it, so that it can be found there, with its bytes beside: `5GB (4.7 GiB)`."""
    written = next((m[0] for m in _SIZE.finditer(line[:MAX_LINE_CHARS]) if sizes_in(m[0]) == (n_bytes,)), "")
    told = human_bytes(n_bytes)
    return f"{written} ({told})" if written and written.replace(" ", "") != told.replace(" ", "") else told


# What programs that refuse to start write before and behind the number: `required memory 394176K is greater than 256M available`.
_NEEDED = re.compile(
    r"\b(?:requir\w{1,4}|needs?|allocated)\b[^\d\n]{0,60}?(\d{1,12}(?:[.,]\d{1,3})?) ?(K|M|G|T|[KMGT]i?B|megabytes|gigabytes|bytes)\b",
    re.IGNORECASE,
)


def needed_to_start_bytes(line: str) -> int | None:
    """What a program that refuses to start says it must have at least, in bytes. K, M and G are powers of 1024: so do those programs count."""
    found = _NEEDED.search(line[:MAX_LINE_CHARS])
    if found is None:
        return None
    power = {"k": 1, "m": 2, "g": 3, "t": 4}.get(found[2][0].lower(), 0)
    return int(float(found[1].replace(",", ".")) * 1024**power)


_PROGRESS = re.compile(r"(?<![\w./])(\d{1,9}(?:\.\d{1,3})?) ?/ ?(\d{1,9}(?:\.\d{1,3})?)")


def left_to_load_bytes(entry: LoadingLine) -> int | None:
    """What a progress line (`loaded 100/200 MiB`) says was still to come, in bytes."""
    match = _PROGRESS.search(entry.line)
    if match is None or entry.size_bytes is None or float(match[2]) <= 0 or float(match[1]) > float(match[2]):
        return None
    return int(entry.size_bytes * (1 - float(match[1]) / float(match[2])))
