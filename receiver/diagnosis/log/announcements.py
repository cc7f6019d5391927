"""The table of announcements: one row a way in which a manager, runtime or script says in its log that it kills."""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.domain.report import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One row. `hint` is a lower-case piece of every line that can match; a group `pid` of `regex` is the process that is to die.

    `kills_itself`: it is the program itself that is killed, not one of its children. `for_memory`: a memory error of the program's own made it do so.
    """

    id: str
    sender: Sender
    hint: str
    regex: re.Pattern[str]
    kills_itself: bool = False
    for_memory: bool = False
    example: str
    near_miss: str
    source: str

    def matches(self, line: str, lowered: str) -> bool:
        """Whether the line (`lowered` is the same in lower case) announces this."""
        return self.hint in lowered and self.regex.search(line) is not None

    def pid_of(self, line: str) -> str:
        """The process that the line names, or an empty text."""
        match = self.regex.search(line)
        return (match["pid"] or "") if match is not None and "pid" in self.regex.groupindex else ""


ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        id="gunicorn-worker-timeout", sender=Sender.GUNICORN, hint="worker timeout", regex=re.compile(r"WORKER TIMEOUT \(pid: ?(?P<pid>\d{1,10})\)"),
        example="[2026-11-24 09:25:59 +0000] [16] [CRITICAL] WORKER TIMEOUT (pid:17)",
        near_miss="[2026-11-24 09:25:59 +0000] [16] [INFO] worker timeout is 30 s", source="gunicorn, gunicorn/arbiter.py: murder_workers, SIGABRT and then SIGKILL",
    ),
    Announcement(
        id="uwsgi-harakiri", sender=Sender.UWSGI, hint="harakiri on worker", regex=re.compile(r"\*\*\* HARAKIRI ON WORKER \d{1,6} \(pid: (?P<pid>\d{1,10})"),
        example="*** HARAKIRI ON WORKER 3 (pid: 29, try: 1, graceful: no) ***",
        near_miss="harakiri set to 60 s on worker 3", source="uWSGI, core/uwsgi.c: trigger_harakiri; core/master_checks.c kills with SIGKILL",
    ),
    Announcement(
        id="uwsgi-mercy", sender=Sender.UWSGI, hint="merc", regex=re.compile(r"\b(?:worker|mule|spooler) \d{0,6} ?\(pid: (?P<pid>\d{1,10})\) is taking too much time to die\W{0,8}NO MERCY", re.IGNORECASE),
        example="worker 2 (pid: 31) is taking too much time to die...NO MERCY !!!",
        near_miss="worker 2 (pid: 31) has mercy on its queue", source="uWSGI, core/master_checks.c: reload-mercy and worker-reload-mercy",
    ),
    Announcement(
        id="celery-hard-limit", sender=Sender.CELERY, hint="hard time limit", regex=re.compile(r"Hard time limit \([\d.]{1,12}s?\) exceeded for "),
        example="[2026-11-24 10:10:12,346: ERROR/MainProcess] Hard time limit (300.0s) exceeded for app.tasks.report[3d2e]",
        near_miss="[2026-11-24 10:10:12,346: INFO/MainProcess] hard time limit: 300.0", source="celery, celery/worker/request.py: on_timeout; billiard then kills the process",
    ),
    Announcement(
        id="billiard-time-limit", sender=Sender.CELERY, hint="timelimitexceeded", regex=re.compile(r"(?<!Soft)\bTimeLimitExceeded\([\d.]{1,12},?\)"),
        example="billiard.exceptions.TimeLimitExceeded: TimeLimitExceeded(300.0,)",
        near_miss="billiard.einfo.SoftTimeLimitExceeded: SoftTimeLimitExceeded()", source="billiard, billiard/pool.py: TimeoutHandler.on_hard_timeout",
    ),
    Announcement(
        id="unicorn-timeout", sender=Sender.UNICORN, hint="timeout (", regex=re.compile(r"worker=\d{1,6} PID:(?P<pid>\d{1,10}) timeout \(\d{1,7}s > \d{1,7}s\), killing"),
        example="E, [2026-11-24T10:10:12.346 #1] ERROR -- : worker=2 PID:23 timeout (61s > 60s), killing",
        near_miss="I, [2026-11-24T10:10:12.346 #1]  INFO -- : worker=2 ready", source="unicorn, lib/unicorn/http_server.rb: murder_lazy_workers",
    ),
    Announcement(
        id="puma-worker-timeout", sender=Sender.PUMA, hint="terminating timed out worker", regex=re.compile(r"Terminating timed out worker(?: \([^)\n]{0,120}\))?: (?P<pid>\d{1,10})"),
        example="[7] ! Terminating timed out worker (Worker 1 failed to check in within 60 seconds): 22",
        near_miss="[7] - Worker 1 (PID: 22) booted in 0.4s, phase: 0", source="puma, lib/puma/cluster.rb: timeout_workers",
    ),
    Announcement(
        id="pitchfork-timeout", sender=Sender.PITCHFORK, hint="timed out", regex=re.compile(r"worker=\d{1,6} (?:gen=\d{1,6} )?pid=(?P<pid>\d{1,10}) (?:gen=\d{1,6} )?timed out,? .{0,20}(?:kill|SIGKILL)", re.IGNORECASE),
        example="worker=1 gen=0 pid=23 timed out, killing",
        near_miss="worker=1 gen=0 pid=23 ready", source="pitchfork, lib/pitchfork/http_server.rb: murder_lazy_workers, hard_timeout",
    ),
    Announcement(
        id="php-fpm-terminate-timeout", sender=Sender.PHP_FPM, hint="execution timed out",
        regex=re.compile(r"child (?P<pid>\d{1,10}), script '[^'\n]{0,300}'(?: \(request: \"[^\"\n]{0,500}\"\))? execution timed out \([\d.]{1,20} sec\), terminating"),
        example="[24-Nov-2026 10:11:12] WARNING: [pool www] child 22, script '/app/index.php' (request: \"GET /index.php?q=1\") execution timed out (31.204876 sec), terminating",
        near_miss="[24-Nov-2026 10:11:12] WARNING: [pool www] child 22, script '/app/index.php' (request: \"GET /index.php\") executing too slow (5.120000 sec), logging",
        source="php-src, sapi/fpm/fpm/fpm_request.c: request_terminate_timeout",
    ),
    Announcement(
        id="supervisord-stopwait", sender=Sender.SUPERVISORD, hint="with sigkill", regex=re.compile(r"killing '[^'\n]{1,120}' \((?P<pid>\d{1,10})\) with SIGKILL"),
        example="2026-11-24 10:11:12,345 WARN killing 'worker' (57) with SIGKILL",
        near_miss="2026-11-24 10:11:12,345 INFO waiting for worker to stop", source="supervisor, supervisor/process.py: stopwaitsecs is over",
    ),
    Announcement(
        id="s6-kill", sender=Sender.S6, hint="kill", regex=re.compile(r"s6-(?:linux-init-shutdownd|svscan|supervise|overlay)[^\n]{0,60}sending all processes the KILL signal|\[s6-finish\] sending all processes the KILL signal"),
        example="[s6-finish] sending all processes the KILL signal and exiting.",
        near_miss="[s6-finish] sending all processes the TERM signal.", source="s6-overlay and s6-linux-init: S6_KILL_GRACETIME is over",
    ),
    Announcement(
        id="apache-sigkill", sender=Sender.APACHE, hint="sending a sigkill", regex=re.compile(r"child process (?P<pid>\d{1,10}) still did not exit, sending a SIGKILL"),
        example="[Tue Nov 24 10:11:12.345678 2026] [core:error] [pid 1] AH00046: child process 22 still did not exit, sending a SIGKILL",
        near_miss="[Tue Nov 24 10:11:12.345678 2026] [core:warn] [pid 1] AH00045: child process 22 still did not exit, sending a SIGTERM",
        source="httpd, server/mpm_unix.c: ap_reclaim_child_processes",
    ),
    Announcement(
        id="nginx-kill", sender=Sender.NGINX, hint="kill (", regex=re.compile(r"\[(?:notice|debug|alert)\] \d{1,10}#\d{1,10}: (?:sending )?kill \((?P<pid>\d{1,10}), 9\)"),
        example="2026/11/24 10:11:12 [debug] 1#1: kill (29, 9)",
        near_miss="2026/11/24 10:11:12 [debug] 1#1: kill (29, 15)", source="nginx, src/os/unix/ngx_process_cycle.c: ngx_signal_worker_processes, SIGKILL once the delay of TERM is over",
    ),
    Announcement(
        id="sidekiq-hard-shutdown", sender=Sender.SIDEKIQ, hint="terminating", regex=re.compile(r"(?:Terminating \d{1,6} busy (?:worker )?threads|Hard shutdown)"),
        example="2026-11-24T10:11:12.345Z pid=7 tid=abc WARN: Terminating 3 busy threads",
        near_miss="2026-11-24T10:11:12.345Z pid=7 tid=abc INFO: Terminating quiet threads for default capsule", source="sidekiq, lib/sidekiq/manager.rb: hard_shutdown",
    ),
    Announcement(
        id="rq-killed-horse", sender=Sender.RQ, hint="horse", regex=re.compile(r"Killed horse pid (?P<pid>\d{1,10})|Job exceeded timeout.{0,60}kill", re.IGNORECASE),
        example="10:11:12 Killed horse pid 31",
        near_miss="10:11:12 Work-horse is working", source="rq, rq/worker.py: kill_horse after the job's timeout and a minute",
    ),
    Announcement(
        id="airflow-processor-timeout", sender=Sender.AIRFLOW, hint="killing it", regex=re.compile(r"with PID (?P<pid>\d{1,10}) started at .{0,60} has timed out, killing it"),
        example="[2026-11-24, 10:11:12 UTC] {manager.py:1217} ERROR - Processor for /dags/x.py with PID 41 started at 2026-11-24T10:10:00 has timed out, killing it.",
        near_miss="[2026-11-24, 10:11:12 UTC] {manager.py:988} INFO - Processor for /dags/x.py finished", source="airflow, dag_processing/manager.py: dag_file_processor_timeout",
    ),
    Announcement(
        id="airflow-sigkill", sender=Sender.AIRFLOW, hint="did not respond to sigterm", regex=re.compile(r"[Pp]rocess .{0,200}did not respond to SIGTERM\. Trying SIGKILL|pid=(?P<pid>\d{1,10})[^\n]{0,200}did not respond to SIGTERM"),
        example="[2026-11-24, 10:11:12 UTC] {process_utils.py:146} WARNING - process psutil.Process(pid=57, name='airflow task ru') did not respond to SIGTERM. Trying SIGKILL",
        near_miss="[2026-11-24, 10:11:12 UTC] {process_utils.py:132} INFO - Sending 15 to group 57", source="airflow, utils/process_utils.py: reap_process_group",
    ),
    Announcement(
        id="granian-refused", sender=Sender.GRANIAN, hint="refused to gracefully stop", regex=re.compile(r"Killing (?:old )?worker-\d{1,6} after it refused to gracefully stop"),
        example="[WARNING] Killing worker-1 after it refused to gracefully stop",
        near_miss="[INFO] Stopping worker-1", source="granian, granian/server/common.py: workers_kill_timeout",
    ),
    Announcement(
        id="pm2-kill-timeout", sender=Sender.PM2, hint="sigkill", regex=re.compile(r"[Pp]rocess with pid (?P<pid>\d{1,10}) still (?:alive|not killed)[^\n]{0,60}SIGKILL"),
        example="2026-11-24T10:11:12: PM2 log: Process with pid 33 still alive after 1600ms, sending it SIGKILL now...",
        near_miss="2026-11-24T10:11:12: PM2 log: pid=33 msg=process killed", source="PM2, lib/God/Methods.js: killProcess, kill_timeout",
    ),
    Announcement(
        id="jvm-onoutofmemory", sender=Sender.JVM_HANDLER, hint="executing", regex=re.compile(r"^#\s{1,8}Executing (?:/bin/sh -c )?\"?[^\n]{0,200}\bkill (?:-9|-KILL|-s KILL|-SIGKILL)"), kills_itself=True, for_memory=True,
        example='#   Executing /bin/sh -c "kill -9 7"...',
        near_miss='# -XX:OnOutOfMemoryError="kill -9 %p"', source="openjdk, src/hotspot/share/utilities/vmError.cpp: report_java_out_of_memory",
    ),
    Announcement(
        id="openj9-dump-tool", sender=Sender.JVM_HANDLER, hint="jvmdump", regex=re.compile(r"JVMDUMP\d{3}I [^\n]{0,80}(?:[Tt]ool|exec)[^\n]{0,80}\bkill -9"), kills_itself=True, for_memory=True,
        example="JVMDUMP007I JVM Requesting Tool dump using 'kill -9 1'",
        near_miss="JVMDUMP032I JVM requested Heap dump using '/app/heapdump.phd' in response to an event", source="openj9, -Xdump:tool:events=systhrow,filter=java/lang/OutOfMemoryError",
    ),
    Announcement(
        id="solr-oom-script", sender=Sender.KILL_SCRIPT, hint="oom", regex=re.compile(r"Running OOM killer script for(?: Solr)? process (?P<pid>\d{1,10})|oom_solr\.sh"), kills_itself=True, for_memory=True,
        example="Running OOM killer script for process 12 for Solr on port 8983",
        near_miss="INFO oom killer script is configured", source="solr, solr/bin/oom_solr.sh, run by -XX:OnOutOfMemoryError",
    ),
    Announcement(
        id="own-exit",
        sender=Sender.ITSELF,
        hint="exiting",
        regex=re.compile(r"\b[Ee]xiting(?: now)?(?: with)?(?: exit)?(?: code| status)?[ :=]{1,2}137\b"),
        kills_itself=True,
        example="ERROR exiting with 137",
        near_miss="ERROR child exited with code 137",
        source="wrappers that exit with 137 themselves: no signal was sent to them; they may pass on a child's end",
    ),
    Announcement(
        id="systemd-watchdog", sender=Sender.SYSTEMD, hint="watchdog timeout", regex=re.compile(r"\.service: Watchdog timeout \(limit [^)\n]{1,40}\)!"),
        example="app.service: Watchdog timeout (limit 30s)!",
        near_miss="app.service: Watchdog timeout set to 30s", source="systemd, src/core/service.c: service_enter_dead and WatchdogSec",
    ),
    Announcement(
        id="systemd-kill", sender=Sender.SYSTEMD, hint="kill", regex=re.compile(r"Killing process (?P<pid>\d{1,10}) \([^)\n]{1,60}\) with signal SIGKILL|: State '[\w-]{1,40}' timed out\. Killing\."),
        example="app.service: Killing process 57 (python3) with signal SIGKILL.",
        near_miss="app.service: Killing process 57 (python3) with signal SIGTERM.", source="systemd, src/core/unit.c and service.c: TimeoutStopSec, TimeoutStartSec",
    ),
    Announcement(
        id="postgres-recalcitrant", sender=Sender.POSTGRES, hint="recalcitrant", regex=re.compile(r"issuing SIGKILL to recalcitrant children"),
        example="LOG:  issuing SIGKILL to recalcitrant children",
        near_miss="LOG:  server process (PID 57) was terminated by signal 9: Killed", source="postgres, src/backend/postmaster/postmaster.c: SIGKILL_CHILDREN_AFTER_SECS",
    ),
    Announcement(
        id="erlang-heart", sender=Sender.HEART, hint="heart", regex=re.compile(r"heart: .{0,60}heart-?beat time-?out|heart: .{0,80}[Ee]xecut(?:ed|ing) \"?kill -9"),
        example="heart: Tue Nov 24 10:11:12 2026: heart-beat time-out, no activity for 63 seconds",
        near_miss="heart_beat_kill_pid = 1", source="otp, erts/etc/common/heart.c: do_terminate kills the emulator",
    ),
    Announcement(
        id="timeout-command", sender=Sender.TIMEOUT_COMMAND, hint="timeout: sending signal", regex=re.compile(r"timeout: sending signal (?:KILL|SIGKILL|9) to command"),
        example="timeout: sending signal KILL to command 'report.sh'",
        near_miss="timeout: sending signal TERM to command 'report.sh'", source="coreutils, src/timeout.c with --verbose and --kill-after",
    ),
    Announcement(
        id="watchdog", sender=Sender.WATCHDOG, hint="kill",
        regex=re.compile(
            r"^(?![^\n]{0,400}(?i:\bmemory\b|\brss\b|\boom))[^\n]{0,300}?(?:[Kk]illing (?:worker|child|process)\b[^\n]{0,60}(?:did not|not respond|unresponsive|timed? ?out)|(?:[Ww]atchdog|[Hh]ealth[- ]?check|[Ss]upervisor|[Hh]eartbeat|[Mm]aster|[Pp]arent|[Tt]ime(?:d )?-?out|did not (?:exit|stop|respond|terminate)|still (?:alive|running)|not respond(?:ed|ing)|unresponsive|hung|stuck|exceeded)"
            r"[^\n]{0,100}(?:(?:[Ss]ending|[Ss]ent|[Ii]ssuing|[Tt]rying|with|using) (?:it |them )?(?:a )?(?:SIGKILL|signal 9|signal KILL)|kill -9|SIGKILL(?:ing)? (?:it|worker|process|child|pid))"
            r")(?:[^\n]{0,30}?\bpid[ :=]{1,2}(?P<pid>\d{1,10}))?"
        ),
        example="worker 3 did not respond to SIGTERM within 10 s, sending SIGKILL",
        near_miss="INFO will send SIGKILL after 30 s if it does not stop", source="what process managers say in common before kill(2): a timeout or a failed check, and the signal they send",
    ),
)  # fmt: skip
