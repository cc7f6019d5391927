"""Announced kills: whose word it is, and which deaths it explains."""

from __future__ import annotations

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.log.announced import announced_kills, announcement_of
from receiver.diagnosis.log.announcements import ANNOUNCEMENTS, Announcement
from receiver.domain.report import Sender
from tests.unit.diagnosis.facts_kit import container, facts, log

EACH = pytest.mark.parametrize("row", ANNOUNCEMENTS, ids=lambda row: row.id)
BARE = "2026/11/24 10:11:12 [alert] 1#1: worker process 29 exited on signal 9"

# further members of the kinds: what else the same programs print, and what looks alike
MORE: list[tuple[str, Sender | None]] = [
    ("[2026-11-24 09:25:59 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:9)", Sender.GUNICORN),
    ("Tue Nov 24 10:11:12 2026 - *** HARAKIRI ON WORKER 13 (pid: 21576, try: 1) ***", Sender.UWSGI),
    ("*** HARAKIRI ON WORKER 1 (pid: 12) ***", Sender.UWSGI),
    ("Hard time limit (300s) exceeded for tasks.render[1]", Sender.CELERY),
    ("Soft time limit (300s) exceeded for tasks.render[1]", None),
    ("[4] ! Terminating timed out worker: 6", Sender.PUMA),
    ("! Terminating timed out worker (Worker 0 failed to boot within 60 seconds): 31", Sender.PUMA),
    ("WARN killing 'web:web_00' (9) with SIGKILL", Sender.SUPERVISORD),
    ("[WARNING] Killing old worker-2 after it refused to gracefully stop", Sender.GRANIAN),
    ("watchdog: process hung for 60 s, sending SIGKILL to pid 33", Sender.WATCHDOG),
    ("Child 12 still running after 10 s, sending SIGKILL", Sender.WATCHDOG),
    ("Killing worker 29: did not disconnect within 5000 ms", Sender.WATCHDOG),
    ("worker exceeded its memory of 512 MB, sending SIGKILL", None),  # of memory itself
    ("worker 3 was sent SIGKILL", None),
    ("program was killed by signal: SIGKILL", None),
    (BARE, None),
]


@EACH
def test_row_knows_its_line(row: Announcement) -> None:
    """By this row, and not by another above it; a line that looks alike announces nothing."""
    assert announcement_of(row.example) is row
    assert not row.matches(row.near_miss, row.near_miss.lower())
    assert len(row.source) >= 10


@pytest.mark.parametrize(("line", "sender"), MORE)
def test_further_members(line: str, sender: Sender | None) -> None:
    """Other versions' words are known too, and a bare line about a death is no announcement."""
    row = announcement_of(line)

    assert (row.sender if row is not None else None) == sender


def test_death_of_the_named_process_is_explained() -> None:
    """Lines of other workers may stand between; the death of another process is not explained."""
    lines = (
        "[1] [CRITICAL] WORKER TIMEOUT (pid:17)",
        "[1] [ERROR] Worker (pid:18) was sent SIGKILL! Perhaps out of memory?",
        "[1] [ERROR] Worker (pid:17) was sent SIGKILL! Perhaps out of memory?",
    )

    assert [a.explains for a in announced_kills(lines)] == [(2,)]


def test_without_a_process_the_next_death_is_explained() -> None:
    """Celery names the task and not the process; only one death follows from it."""
    died = "Process 'ForkPoolWorker-1' pid:17 exited with 'signal 9 (SIGKILL)'"
    lines = ("Hard time limit (300.0s) exceeded for app.tasks.report[3d2e]", died, died)

    assert [a.explains for a in announced_kills(lines)] == [(1,)]


def test_explained_death_is_no_memory_error() -> None:
    """What the manager guesses afterwards is not shown as what the log names."""
    lines = ("WORKER TIMEOUT (pid:17)", "[1] [ERROR] Worker (pid:17) was sent SIGKILL! Perhaps out of memory?")

    assert clues_of(facts(container(), log=log(*lines, current=True))).signature is None
    assert clues_of(facts(container(), log=log(*lines[1:], current=True))).signature is not None
