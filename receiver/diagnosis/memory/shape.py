"""Shape of a memory series: leak, spike, limit too low, start-up, or too early to tell.

`shape_of` is a pure function of a history and a moment: it reads no clock and nothing later than `now_s`. What is seen in
the lives of the container is measured (`findings_of`), weighed (`evidence`) and told (`verdict`); how, and how often it is
right: docs/diagnosis.md. It knows memory only; pods, logs and nodes are the decision tree's business.
"""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.memory import describe, page_cache
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.leak import find_leak
from receiver.diagnosis.memory.level import level_of, room_at_kills
from receiver.diagnosis.memory.lives import Lives, lives_of
from receiver.diagnosis.memory.prepare import Columns, columns_of
from receiver.diagnosis.memory.startup import find_startup
from receiver.diagnosis.memory.verdict import verdict_of
from receiver.diagnosis.memory.witness import Witness
from receiver.domain.facts import MemoryHistory
from receiver.domain.report import Shape


def shape_of(history: MemoryHistory, *, now_s: float | None = None, witnesses: tuple[Witness, ...] = ()) -> Shape:
    """What this history says at `now_s` (same time base as the samples; None: at its last row), with what others witness of it."""
    c = columns_of(history, now_s)
    lives = lives_of(c, history)
    if not c.t:
        return describe.no_history(lives)
    findings = replace(findings_of(c, lives), witnesses=witnesses)
    return describe.shape(findings, verdict_of(findings))


def findings_of(c: Columns, lives: Lives) -> MemoryFindings:
    """Everything that is measured. `c` has rows."""
    if c.limit_now is None and lives.kills:
        c = c.with_limit(max(*c.working_set, th.NO_LIMIT_BYTES))  # it was killed there: as good as a limit, whoever set it
    is_unreclaimable = page_cache.is_unreclaimable(c, lives)
    if is_unreclaimable:
        c = c.with_working_set()
    scale = c.limit_now or th.NO_LIMIT_SCALE * max(c.in_use) or 1.0
    return MemoryFindings(
        columns=c, lives=lives, scale=scale, startup=find_startup(c, lives), leak=find_leak(c, lives, scale), level=level_of(c, lives),
        room_at_kills=room_at_kills(c, lives, scale), is_unreclaimable=is_unreclaimable, is_limit_known=not c.is_limit_assumed,
        cache=page_cache.find_cache(c, lives, scale),
    )  # fmt: skip
