"""Announced kills: whose word it is, and which deaths it explains."""

from __future__ import annotations

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.death.kill import kill_of
from receiver.diagnosis.diagnose import diagnose
from receiver.diagnosis.log.announced import announced_kills, announcement_of
from receiver.diagnosis.log.announcements import ANNOUNCEMENTS, Announcement
from receiver.domain.report import CauseName, KillKind, Sender
from tests.unit.diagnosis.facts_kit import codes, container, death, facts, log

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
    ("[2026-11-24 09:25:59 +0000] [16] [CRITICAL] DIRTY WORKER TIMEOUT (pid:17)", Sender.GUNICORN),
    ("*** HARAKIRI ON MULE 1 HANDLING SIGNAL 3 (pid: 31) ***", Sender.UWSGI),
    ("*** HARAKIRI ON MULE 1 (pid: 31) ***", Sender.UWSGI),
    ("*** HARAKIRI ON THE SPOOLER (pid: 31) ***", Sender.UWSGI),
    ('*** HARAKIRI ON CRON "/app/nightly.sh" (pid: 31) ***', Sender.UWSGI),
    ("HARAKIRI: -- wchan> poll_schedule_timeout", None),
    ("HARAKIRI: Skipping harakiri on worker 2. Listen queue is smaller than the threshold (3 < 10)", None),
    ("Tue Nov 24 10:11:12 2026 - mule 1 (pid: 31) is taking too much time to die...NO MERCY !!!", Sender.UWSGI),
    ("*** EVIL RELOAD ON WORKER 1 ADDRESS SPACE: 1073741824 (pid: 12) ***", Sender.UWSGI_EVIL_RELOAD),
    ("E, [2026-11-24T10:11:12.345678 #1] ERROR -- : mold gen=1 pid=23 timed out, killing", Sender.PITCHFORK),
    ("E, [2026-11-24T10:11:12.345678 #1] ERROR -- : worker=1 gen=0 pid=23 timed out, exiting", None),  # by itself, with 0
    (
        "[24-Nov-2026 10:11:12] WARNING: [pool www] child 22, script '/app/index.php' execution timed out (31.204876 sec), terminating",
        Sender.PHP_FPM,
    ),
    ("[init stage 3] sending all processes the KILL signal and exiting.", Sender.S6),
    ("s6-linux-init-shutdownd: info: sending all processes the KILL signal...", Sender.S6),
    ("2026-11-24T10:11:12.345Z 7 TID-abc WARN: Terminating 2 busy worker threads", Sender.SIDEKIQ),
    ("10:11:12 Killed horse pid 31", Sender.RQ),
    (
        "[2026-11-24T10:11:12.345+0000] {manager.py:1043} ERROR - Processor for /dags/x.py with PID 41 started 61 ago killing it.",
        Sender.AIRFLOW,
    ),
    ("WARNING - process psutil.Process(pid=57, name='bash') (57) did not respond to SIGTERM. Trying SIGKILL", Sender.AIRFLOW),
    ('{"event":"Process did not terminate in time; escalating","level":"warning","pid":57,"signal":"SIGTERM"}', Sender.AIRFLOW),
    ("PM2 log: Process with pid 33 still alive after 1600ms, sending SIGKILL to 2 remaining pids...", Sender.PM2),
    ('#   Executing /bin/sh -c "pkill -9 java"...', Sender.JVM_HANDLER),
    ('#   Executing /bin/sh -c "kill -s KILL 7"...', Sender.JVM_HANDLER),
    ('#   Executing /bin/sh -c "kill -15 7"...', None),  # no SIGKILL
    ('#   Executing /bin/sh -c "/opt/notify.sh 7"...', None),
    ("JVMDUMP011I Tool dump created process 4711", None),
    ("Running OOM killer script for Solr process 12", Sender.KILL_SCRIPT),
    ("-XX:OnOutOfMemoryError=/opt/solr/bin/oom_solr.sh 8983 /var/solr/logs", None),
    ("heart: Tue Nov 24 10:11:12 2026: heart-beat time-out, no activity for 63 seconds", Sender.HEART),
    ("timeout: sending signal KILL to command ‘report.sh’", Sender.TIMEOUT_COMMAND),
    ("odoo.service.server: WorkerCron (28) timeout after 120s", Sender.ODOO),
    ('{"level":"error","msg":"process is unresponsive, killing process","pid":57}', Sender.LIVEKIT),
    ("JVM appears hung: Timed out waiting for signal from JVM.", None),
    ("10:11:12 system           | sending SIGKILL to all processes", Sender.PROCESS_RUNNER),
    ("Process did not terminate in time, killing it.", Sender.WATCHDOG),
    ("Subprocess did not terminate in time. Forcing kill...", Sender.WATCHDOG),
    ("worker 4 timed out; killing worker", Sender.WATCHDOG),
    ("query timed out, killing connection 12", None),
    ("If the worker is still running after 10 s, sending SIGKILL", None),
    ("worker 3: request to /x timed out, retrying", None),
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


def test_shutdown_explains_every_worker_that_is_left() -> None:
    """Gunicorn kills all that outlive graceful_timeout; its guess about memory is the same for each. Alone a shutdown is no kill."""
    lines = (
        "[1] [INFO] Handling signal: term",
        "[7] [INFO] Worker exiting (pid: 7)",
        "[1] [ERROR] Worker (pid:8) was sent SIGKILL! Perhaps out of memory?",
        "[1] [ERROR] Worker (pid:9) was sent SIGKILL! Perhaps out of memory?",
    )

    assert [a.explains for a in announced_kills(lines)] == [(2, 3)]
    assert announced_kills(lines[:2]) == ()


def test_nginx_stops_impatiently() -> None:
    """Its master gives workers a second after SIGTERM; each logs the signal, and one of them explains the deaths."""
    lines = (
        "2026/11/24 10:11:12 [notice] 1#1: signal 15 (SIGTERM) received from 0, exiting",
        "2026/11/24 10:11:12 [notice] 29#29: signal 15 (SIGTERM) received from 1, exiting",
        BARE,
        BARE.replace("29", "30"),
    )

    assert [a.explains for a in announced_kills(lines)] == [(2, 3)]
    assert clues_of(facts(container(), log=log(*lines, current=True))).signature is None


@EACH
def test_each_sender_is_named_and_memory_is_not_blamed(row: Announcement) -> None:
    """Of a child of a container that runs on, and of the container whose log ends with it; of an OOM that was recorded it changes nothing."""
    pid = row.pid_of(row.example) or "27"
    lines = ("INFO serving", row.example, f"worker (pid: {pid}) died, killed by signal 9", "INFO booted another")

    of_child = kill_of(clues_of(facts(container(), log=log(*lines, current=True))))
    of_itself = kill_of(clues_of(facts(container(dead=death("Error")), log=log(*lines[:2]))))
    recorded = kill_of(clues_of(facts(container(dead=death()), log=log(*lines[:2]))))

    assert of_child.kind in ((KillKind.SIGKILL_NOT_OOM, KillKind.NONE) if row.for_memory else (KillKind.SIGKILL_NOT_OOM,))
    assert of_child.sender is row.sender
    assert row.is_a_shutdown or (of_itself.kind, of_itself.sender) == (KillKind.SIGKILL_NOT_OOM, row.sender)
    assert recorded.kind is KillKind.CONTAINER_OOM


def test_own_limit_on_memory_is_not_told_as_not_memory() -> None:
    """uWSGI's evil reload is uWSGI's own kill, and for memory: no kill of the kernel's, and not "not memory" either."""
    lines = (
        "*** EVIL RELOAD ON WORKER 2 RSS: 524288000 (pid: 31) ***",
        "DAMN ! worker 2 (pid: 31) MYSTERIOUSLY killed by signal 9 :( trying respawn ...",
    )
    report = diagnose(facts(container(), log=log(*lines, current=True)))

    assert (report.kill.kind, report.kill.sender) == (KillKind.NONE, Sender.UWSGI_EVIL_RELOAD)
    assert codes(report.kill.because)[:2] == ("death.announced", "death.own_limit_before")
    assert report.cause.name is not CauseName.NOT_MEMORY


WRAPPED = [
    '{"log":"[2026-11-24 09:25:59 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:17)\\n","stream":"stderr","time":"2026-11-24T09:25:59.1Z"}',
    '2026-11-24T09:25:59.123456789Z stderr F #   Executing /bin/sh -c "kill -9 7"...',
    '{"log":"#   Executing /bin/sh -c \\"kill -9 7\\"...\\n","stream":"stdout"}',
    "\x1b[31m[2026-11-24 09:25:59 +0000] [1] [CRITICAL]\x1b[0m WORKER \x1b[1mTIMEOUT\x1b[0m (pid:17)",
    "api-1  | *** HARAKIRI ON WORKER 3 (pid: 29, try: 1, graceful: no) ***",
]


@pytest.mark.parametrize("line", WRAPPED)
def test_wrapping_hides_no_announcement(line: str) -> None:
    """Log drivers, process runners and colours leave the words as they are."""
    assert announcement_of(line) is not None


def test_explained_death_is_no_memory_error() -> None:
    """What the manager guesses afterwards is not shown as what the log names."""
    lines = ("WORKER TIMEOUT (pid:17)", "[1] [ERROR] Worker (pid:17) was sent SIGKILL! Perhaps out of memory?")

    assert clues_of(facts(container(), log=log(*lines, current=True))).signature is None
    assert clues_of(facts(container(), log=log(*lines[1:], current=True))).signature is not None
