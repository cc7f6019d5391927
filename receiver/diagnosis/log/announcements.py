"""The table of announcements: one row a way in which a manager, runtime or script says in its log that it kills."""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.domain.report import Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One row. `hint` is a lower-case piece of every line that can match; a group `pid` of `regex` is the process that is to die.

    `kills_itself`: it is the program itself that is killed, not one of its children. `for_memory`: a memory error of the program's own made it do so.
    `kills_all`: every child that is left, not one. `is_a_shutdown`: a kill only where a child's death by SIGKILL follows. `source`: the repository or project and its file, else the issue that quotes the line.
    """

    id: str
    sender: Sender
    hint: str
    regex: re.Pattern[str]
    kills_itself: bool = False
    for_memory: bool = False
    kills_all: bool = False
    is_a_shutdown: bool = False
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


# A line that names memory is about memory, a condition about what may come. Else: a timeout or a failed check, and the signal, in either order; or a process that is killed for one.
_LATE = r"(?:[Dd]id(?: not|n't) (?:exit|stop|respond|reply|answer|disconnect|terminate|finish|shut ?down)|(?:[Nn]ot|[Ss]topped) respond(?:ed|ing)|[Uu]nresponsive|[Tt]imed? ?out|[Hh]ung|[Ss]tuck|[Ss]till (?:alive|running))"
_WATCHDOG = re.compile(
    r"^(?![^\n]{0,400}(?i:\bmemory\b|\brss\b|\boom|\bif\b|\bunless\b|\bwould\b))[^\n]{0,300}?(?:"
    rf"[Kk]illing (?:worker|child|process|subprocess)\b[^\n]{{0,60}}{_LATE}"
    rf"|\b(?i:worker|process|subprocess|child)\b[^\n]{{0,80}}?{_LATE}[^\n]{{0,40}}?[,;:.!-]{{1,2}} ?(?:[Ff]orc(?:e|ing|efully|ibly)[ -])?[Kk]ill(?:ing|ed|)(?: (?:it|now|the|worker|process|subprocess|child)\b|\W{{0,3}}$)"
    rf"|(?:[Ww]atchdog|[Hh]ealth[- ]?check|[Ss]upervisor|[Hh]eartbeat|[Mm]aster|[Pp]arent|{_LATE}|[Ee]xceeded)"
    r"[^\n]{0,100}(?:(?:[Ss]ending|[Ss]ent|[Ii]ssuing|[Tt]rying|with|using) (?:it |them )?(?:a )?(?:SIGKILL|signal 9|signal KILL)|kill -9|SIGKILL(?:ing)? (?:it|worker|process|child|pid))"
    r")(?:[^\n]{0,30}?\bpid[ :=]{1,2}(?P<pid>\d{1,10}))?"
)

ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        id="gunicorn-worker-timeout", sender=Sender.GUNICORN, hint="worker timeout", regex=re.compile(r"WORKER TIMEOUT \(pid: ?(?P<pid>\d{1,10})\)"),
        example="[2026-11-24 09:25:59 +0000] [16] [CRITICAL] WORKER TIMEOUT (pid:17)",
        near_miss="[2026-11-24 09:25:59 +0000] [16] [INFO] worker timeout is 30 s",
        source="benoitc/gunicorn, gunicorn/arbiter.py: murder_workers, SIGABRT and then SIGKILL; gunicorn/dirty/arbiter.py",
    ),
    Announcement(
        id="gunicorn-shutdown", sender=Sender.GUNICORN_STOP, hint="handling signal: ", regex=re.compile(r"\[INFO\] Handling signal: (?:term|int|quit)\b"), kills_all=True, is_a_shutdown=True,
        example="[2026-11-24 09:25:59 +0000] [1] [INFO] Handling signal: term",
        near_miss="[2026-11-24 09:25:59 +0000] [1] [INFO] Handling signal: ttin",
        source="benoitc/gunicorn, gunicorn/arbiter.py: stop, SIGKILL to the workers that are left after graceful_timeout",
    ),
    Announcement(
        id="uwsgi-harakiri", sender=Sender.UWSGI, hint="*** harakiri on ",
        regex=re.compile(r"\*\*\* HARAKIRI ON (?:WORKER \d{1,6}|MULE \d{1,6}|THE SPOOLER|GATEWAY [^\n]{1,80}|CRON \"[^\"\n]{1,200}\"|RB TIMER \d{1,6})[^\n]{0,40} \(pid: (?P<pid>\d{1,10})"),
        example="*** HARAKIRI ON WORKER 3 (pid: 29, try: 1, graceful: no) ***",
        near_miss="harakiri set to 60 s on worker 3", source="unbit/uwsgi, core/master_utils.c: trigger_harakiri; core/master_checks.c",
    ),
    Announcement(
        id="uwsgi-mercy", sender=Sender.UWSGI, hint="merc", regex=re.compile(r"\b(?:worker|mule|spooler) \d{0,6} ?\(pid: (?P<pid>\d{1,10})\) is taking too much time to die\W{0,8}NO MERCY", re.IGNORECASE),
        example="worker 2 (pid: 31) is taking too much time to die...NO MERCY !!!",
        near_miss="worker 2 (pid: 31) has mercy on its queue", source="unbit/uwsgi, core/master.c: reload-mercy, worker-reload-mercy, mule-reload-mercy",
    ),
    Announcement(
        id="uwsgi-evil-reload", sender=Sender.UWSGI_EVIL_RELOAD, hint="evil reload on worker", regex=re.compile(r"\*\*\* EVIL RELOAD ON WORKER \d{1,6} (?:RSS|ADDRESS SPACE): \d{1,20} \(pid: (?P<pid>\d{1,10})\)"),
        for_memory=True,
        example="*** EVIL RELOAD ON WORKER 2 RSS: 524288000 (pid: 31) ***",
        near_miss="evil-reload-on-rss is 500 MB on worker 2", source="unbit/uwsgi, core/master_checks.c: evil-reload-on-rss, evil-reload-on-as",
    ),
    Announcement(
        id="celery-hard-limit", sender=Sender.CELERY, hint="hard time limit", regex=re.compile(r"Hard time limit \([\d.]{1,12}s?\) exceeded for "),
        example="[2026-11-24 10:10:12,346: ERROR/MainProcess] Hard time limit (300.0s) exceeded for app.tasks.report[3d2e]",
        near_miss="[2026-11-24 10:10:12,346: INFO/MainProcess] hard time limit: 300.0", source="celery/celery, celery/worker/request.py: on_timeout; billiard then kills the process",
    ),
    Announcement(
        id="billiard-time-limit", sender=Sender.CELERY, hint="timelimitexceeded", regex=re.compile(r"(?<!Soft)\bTimeLimitExceeded\([\d.]{1,12},?\)"),
        example="billiard.exceptions.TimeLimitExceeded: TimeLimitExceeded(300.0,)",
        near_miss="billiard.einfo.SoftTimeLimitExceeded: SoftTimeLimitExceeded()", source="celery/billiard, billiard/pool.py: TimeoutHandler.on_hard_timeout; billiard/exceptions.py",
    ),
    Announcement(
        id="unicorn-timeout", sender=Sender.UNICORN, hint="timeout (", regex=re.compile(r"worker=\d{1,6} PID:(?P<pid>\d{1,10}) timeout \(\d{1,7}s > \d{1,7}s\), killing"),
        example="E, [2026-11-24T10:10:12.346 #1] ERROR -- : worker=2 PID:23 timeout (61s > 60s), killing",
        near_miss="I, [2026-11-24T10:10:12.346 #1]  INFO -- : worker=2 ready", source="defunkt/unicorn, lib/unicorn/http_server.rb: murder_lazy_workers",
    ),
    Announcement(
        id="puma-worker-timeout", sender=Sender.PUMA, hint="terminating timed out worker", regex=re.compile(r"Terminating timed out worker(?: \([^)\n]{0,120}\))?: (?P<pid>\d{1,10})"),
        example="[7] ! Terminating timed out worker (Worker 1 failed to check in within 60 seconds): 22",
        near_miss="[7] - Worker 1 (PID: 22) booted in 0.4s, phase: 0", source="puma/puma, lib/puma/cluster.rb: timeout_workers",
    ),
    Announcement(
        id="pitchfork-timeout", sender=Sender.PITCHFORK, hint="timed out, killing", regex=re.compile(r"\b(?:worker=\d{1,6}|mold|service)(?: gen=\d{1,6})?(?: pid=(?P<pid>\d{1,10}))?(?: gen=\d{1,6})? timed out, killing"),
        example="E, [2026-11-24T10:11:12.345678 #1] ERROR -- : worker=1 gen=0 pid=23 timed out, killing",
        near_miss="E, [2026-11-24T10:11:12.345678 #1] ERROR -- : worker=1 timed out during spawn, abandoning",
        source="Shopify/pitchfork, lib/pitchfork/http_server.rb: hard_timeout; lib/pitchfork/worker.rb: to_log",
    ),
    Announcement(
        id="php-fpm-terminate-timeout", sender=Sender.PHP_FPM, hint="execution timed out",
        regex=re.compile(r"child (?P<pid>\d{1,10}), script '[^'\n]{0,300}'(?: \(request: \"[^\"\n]{0,500}\"\))? execution timed out \([\d.]{1,20} sec\), terminating"),
        example="[24-Nov-2026 10:11:12] WARNING: [pool www] child 22, script '/app/index.php' (request: \"GET /index.php?q=1\") execution timed out (31.204876 sec), terminating",
        near_miss="[24-Nov-2026 10:11:12] WARNING: [pool www] child 22, script '/app/index.php' (request: \"GET /index.php\") executing too slow (5.120000 sec), logging",
        source="php/php-src, sapi/fpm/fpm/fpm_request.c: fpm_request_check_timed_out",
    ),
    Announcement(
        id="supervisord-stopwait", sender=Sender.SUPERVISORD, hint="with sigkill", regex=re.compile(r"killing '[^'\n]{1,120}' \((?P<pid>\d{1,10})\) with SIGKILL"),
        example="2026-11-24 10:11:12,345 WARN killing 'worker' (57) with SIGKILL",
        near_miss="2026-11-24 10:11:12,345 INFO waiting for worker to stop", source="Supervisor/supervisor, supervisor/process.py: transition, stopwaitsecs is over",
    ),
    Announcement(
        id="s6-kill", sender=Sender.S6, hint="all processes the kill signal", regex=re.compile(r"(?:\[s6-finish\]|\[(?:s6-)?init stage \d\]|s6-linux-init-shutdownd: info:|s6-svscan\S{0,20}:) sending all processes the KILL signal"), kills_all=True,
        example="[s6-finish] sending all processes the KILL signal and exiting.",
        near_miss="[s6-finish] sending all processes the TERM signal.",
        source="just-containers/s6-overlay 1 and 2, /etc/s6/init/init-stage3; skarnet/s6-linux-init, src/shutdown/s6-linux-init-shutdownd.c (outside containers)",
    ),
    Announcement(
        id="apache-sigkill", sender=Sender.APACHE, hint="sending a sigkill", regex=re.compile(r"child process (?P<pid>\d{1,10}) still did not exit, sending a SIGKILL"),
        example="[Tue Nov 24 10:11:12.345678 2026] [core:error] [pid 1] AH00046: child process 22 still did not exit, sending a SIGKILL",
        near_miss="[Tue Nov 24 10:11:12.345678 2026] [core:warn] [pid 1] AH00045: child process 22 still did not exit, sending a SIGTERM",
        source="apache/httpd, server/mpm_unix.c: reclaim_one_pid, AH00046",
    ),
    Announcement(
        id="nginx-kill", sender=Sender.NGINX, hint="kill (", regex=re.compile(r"\[debug\] \d{1,10}#\d{1,10}: kill \((?P<pid>\d{1,10}), 9\)"),
        example="2026/11/24 10:11:12 [debug] 1#1: kill (29, 9)",
        near_miss="2026/11/24 10:11:12 [debug] 1#1: kill (29, 15)",
        source="nginx/nginx, src/os/unix/ngx_process_cycle.c: ngx_signal_worker_processes; at level debug only",
    ),
    Announcement(
        id="nginx-shutdown", sender=Sender.NGINX, hint=" received", regex=re.compile(r"\[notice\] \d{1,10}#\d{1,10}: signal (?:15 \(SIGTERM\)|2 \(SIGINT\)) received"), kills_all=True, is_a_shutdown=True,
        example="2026/11/24 10:11:12 [notice] 1#1: signal 15 (SIGTERM) received from 0, exiting",
        near_miss="2026/11/24 10:11:12 [notice] 1#1: signal 17 (SIGCHLD) received from 29",
        source="nginx/nginx, src/os/unix/ngx_process_cycle.c: ngx_master_process_cycle, SIGKILL to workers a second after TERM; DataDog/dd-opentracing-cpp#161",
    ),
    Announcement(
        id="sidekiq-hard-shutdown", sender=Sender.SIDEKIQ, hint="terminating", regex=re.compile(r"Terminating \d{1,6} busy (?:worker )?threads\b"),
        example="2026-11-24T10:11:12.345Z pid=7 tid=abc WARN: Terminating 3 busy threads",
        near_miss="2026-11-24T10:11:12.345Z pid=7 tid=abc INFO: Terminating quiet threads for default capsule",
        source="sidekiq/sidekiq, lib/sidekiq/manager.rb: hard_shutdown; before 6: busy worker threads",
    ),
    Announcement(
        id="rq-killed-horse", sender=Sender.RQ, hint="killed horse pid", regex=re.compile(r"\b[Kk]illed horse pid (?P<pid>\d{1,10})"),
        example="10:11:12 Worker 3f2a: killed horse pid 31",
        near_miss="10:11:12 Worker 3f2a: horse already dead", source="rq/rq, rq/worker/worker_classes.py (1.x: rq/worker.py): kill_horse, a minute after the job's timeout",
    ),
    Announcement(
        id="airflow-processor-timeout", sender=Sender.AIRFLOW, hint="killing it", regex=re.compile(r"Processor for .{1,300} with PID (?P<pid>\d{1,10}) started (?:at .{0,60} has timed out,|\d{1,9} ago) killing it"),
        example="[2026-11-24, 10:11:12 UTC] {manager.py:1217} ERROR - Processor for /dags/x.py with PID 41 started at 2026-11-24T10:10:00 has timed out, killing it.",
        near_miss="[2026-11-24, 10:11:12 UTC] {manager.py:988} INFO - Processor for /dags/x.py finished",
        source="apache/airflow, dag_processing/manager.py: _kill_timed_out_processors",
    ),
    Announcement(
        id="airflow-sigkill", sender=Sender.AIRFLOW, hint="did not respond to sigterm", regex=re.compile(r"[Pp]rocess:? (?:.{0,80}\bpid=(?P<pid>\d{1,10})|).{0,200}did not respond to SIGTERM\. Trying SIGKILL"),
        example="[2026-11-24, 10:11:12 UTC] {process_utils.py:146} WARNING - process psutil.Process(pid=57, name='airflow task ru') did not respond to SIGTERM. Trying SIGKILL",
        near_miss="[2026-11-24, 10:11:12 UTC] {process_utils.py:132} INFO - Sending 15 to group 57",
        source="apache/airflow, airflow/utils/process_utils.py: reap_process_group",
    ),
    Announcement(
        id="airflow-escalation", sender=Sender.AIRFLOW, hint="did not terminate in time; escalating",
        regex=re.compile(r"Process did not terminate in time; escalating(?=[^\n]{0,300}SIGTERM)(?:[^\n]{0,200}?\bpid\W{1,4}(?P<pid>\d{1,10}))?"),
        example="2026-11-24T10:11:12.345678Z [warning  ] Process did not terminate in time; escalating [supervisor] pid=57 signal=SIGTERM",
        near_miss="2026-11-24T10:11:12.345678Z [warning  ] Process did not terminate in time; escalating [supervisor] pid=57 signal=SIGINT",
        source="apache/airflow 3, task-sdk/src/airflow/sdk/execution_time/supervisor.py: WatchedSubprocess.kill",
    ),
    Announcement(
        id="granian-refused", sender=Sender.GRANIAN, hint="refused to gracefully stop", regex=re.compile(r"Killing (?:old )?worker-\d{1,6} after it refused to gracefully stop"),
        example="[WARNING] Killing worker-1 after it refused to gracefully stop",
        near_miss="[INFO] Stopping worker-1", source="emmett-framework/granian, granian/server/common.py: workers_kill_timeout",
    ),
    Announcement(
        id="pm2-kill-timeout", sender=Sender.PM2, hint="sigkill", regex=re.compile(r"Process with pid (?P<pid>\d{1,10}) still alive after \d{1,9}ms, sending (?:it )?SIGKILL\b"),
        example="2026-11-24T10:11:12: PM2 log: Process with pid 33 still alive after 1600ms, sending it SIGKILL now...",
        near_miss="2026-11-24T10:11:12: PM2 log: pid=33 msg=process killed",
        source="Unitech/pm2, lib/God/Methods.js: killProcess; since 5: sending SIGKILL to N remaining pids",
    ),
    Announcement(
        id="jvm-onoutofmemory", sender=Sender.JVM_HANDLER, hint="executing", regex=re.compile(r"^#\s{1,8}Executing (?:/bin/sh -c )?\"?[^\n]{0,200}\b(?:p?kill|killall5?) (?:-9|-KILL|-s (?:KILL|SIGKILL|9)|-SIGKILL)\b"), kills_itself=True, for_memory=True,
        example='#   Executing /bin/sh -c "kill -9 7"...',
        near_miss='# -XX:OnOutOfMemoryError="kill -9 %p"', source="openjdk/jdk, src/hotspot/share/utilities/vmError.cpp: VM_ReportJavaOutOfMemory::doit",
    ),
    Announcement(
        id="openj9-dump-tool", sender=Sender.JVM_HANDLER, hint="tool dump using", regex=re.compile(r"JVM [Rr]equest(?:ing|ed) Tool dump using '[^'\n]{0,200}\b(?:p?kill|killall5?) (?:-9|-KILL|-s (?:KILL|SIGKILL|9)|-SIGKILL)\b"), kills_itself=True, for_memory=True,
        example="JVMDUMP007I JVM Requesting Tool dump using 'kill -9 1'",
        near_miss="JVMDUMP032I JVM requested Heap dump using '/app/heapdump.phd' in response to an event",
        source="eclipse-openj9/openj9, runtime/rasdump/dmpagent.c: doToolDump; runtime/nls/dump/j9dmp.nls",
    ),
    Announcement(
        id="solr-oom-script", sender=Sender.KILL_SCRIPT, hint="running oom killer script", regex=re.compile(r"Running OOM killer script for(?: Solr)? process (?P<pid>\d{1,10})"), kills_itself=True, for_memory=True,
        example="Running OOM killer script for process 12 for Solr on port 8983",
        near_miss="INFO oom killer script is configured",
        source="apache/solr, solr/bin/oom_solr.sh, run by -XX:OnOutOfMemoryError; docker-solr: for Solr process N",
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
        near_miss="app.service: Watchdog timeout set to 30s", source="systemd/systemd, src/core/service.c: service_dispatch_watchdog, WatchdogSec",
    ),
    Announcement(
        id="systemd-kill", sender=Sender.SYSTEMD, hint="kill", regex=re.compile(r"Killing process (?P<pid>\d{1,10}) \([^)\n]{1,60}\) with signal SIGKILL|: State '[\w-]{1,40}' timed out\. Killing\."),
        example="app.service: Killing process 57 (python3) with signal SIGKILL.",
        near_miss="app.service: Killing process 57 (python3) with signal SIGTERM.", source="systemd/systemd, src/core/unit.c: unit_kill_context; src/core/service.c: service_dispatch_timer",
    ),
    Announcement(
        id="postgres-recalcitrant", sender=Sender.POSTGRES, hint="recalcitrant", regex=re.compile(r"issuing SIGKILL to recalcitrant children"),
        example="LOG:  issuing SIGKILL to recalcitrant children",
        near_miss="LOG:  server process (PID 57) was terminated by signal 9: Killed", source="postgres/postgres, src/backend/postmaster/postmaster.c: ServerLoop, SIGKILL_CHILDREN_AFTER_SECS",
    ),
    Announcement(
        id="erlang-heart", sender=Sender.HEART, hint="heart-beat time-out", regex=re.compile(r"heart: [^\n]{0,60}: heart-beat time-out, no activity for \d{1,9} seconds"), kills_itself=True,
        example="heart: Tue Nov 24 10:11:12 2026: heart-beat time-out, no activity for 63 seconds",
        near_miss="heart: Tue Nov 24 10:11:12 2026: Erlang has closed.", source="erlang/otp, erts/etc/common/heart.c: message_loop, kill_old_erlang",
    ),
    Announcement(
        id="timeout-command", sender=Sender.TIMEOUT_COMMAND, hint="timeout: sending signal", regex=re.compile(r"timeout: sending signal (?:KILL|SIGKILL|9) to command"),
        example="timeout: sending signal KILL to command 'report.sh'",
        near_miss="timeout: sending signal TERM to command 'report.sh'", source="GNU coreutils, src/timeout.c: cleanup, with --verbose and --kill-after",
    ),
    Announcement(
        id="odoo-worker-timeout", sender=Sender.ODOO, hint="timeout after", regex=re.compile(r"\bWorker(?:HTTP|Cron|WebSocket)? \((?P<pid>\d{1,10})\) timeout after \d{1,9}s\b"),
        example="2026-11-24 10:11:12,345 1 ERROR ? odoo.service.server: WorkerHTTP (27) timeout after 120s",
        near_miss="2026-11-24 10:11:12,345 27 INFO shop odoo.service.server: Worker WorkerHTTP (27) alive", source="odoo/odoo, odoo/service/server.py: PreforkServer.process_timeout",
    ),
    Announcement(
        id="mojo-worker-stopped", sender=Sender.MOJOLICIOUS, hint="immediately", regex=re.compile(r"\bStopping worker (?P<pid>\d{1,10}) immediately\b"),
        example="[2026-11-24 10:11:12.34567] [1] [warn] Stopping worker 27 immediately",
        near_miss="[2026-11-24 10:11:12.34567] [1] [info] Stopping worker 27 gracefully (120 seconds)", source="mojolicious/mojo, lib/Mojo/Server/Prefork.pm: _manage",
    ),
    Announcement(
        id="livekit-unresponsive", sender=Sender.LIVEKIT, hint="process is unresponsive", regex=re.compile(r"\bprocess is unresponsive, killing process\b(?:[^\n]{0,200}?\bpid\W{1,4}(?P<pid>\d{1,10}))?"),
        example='2026-11-24 10:11:12,345 - ERROR livekit.agents - process is unresponsive, killing process {"pid": 57}',
        near_miss='2026-11-24 10:11:12,345 - WARNING livekit.agents - process memory usage is high {"pid": 57}',
        source="livekit/agents, livekit-agents/livekit/agents/ipc/supervised_proc.py: _ping_pong_task",
    ),
    Announcement(
        id="varnish-cli", sender=Sender.VARNISH, hint="not responding to cli, killed it", regex=re.compile(r"Child \((?P<pid>\d{1,10})\) not responding to CLI, killed it"),
        example="Error: Child (18) not responding to CLI, killed it.",
        near_miss="Error: Child (18) died signal=9", source="varnishcache/varnish-cache, bin/varnishd/mgt/mgt_child.c: MCH_Cli_Fail, cli_timeout",
    ),
    Announcement(
        id="swoole-exit-timeout", sender=Sender.SWOOLE, hint="exit timeout, force", regex=re.compile(r"\bworker\(pid=(?P<pid>\d{1,10}), id=\d{1,6}\) exit timeout, force kill the process"),
        example="[2026-11-24 10:11:12 $1.0]\tWARNING\tServer::kill_timeout_process() (ERRNO 9101): worker(pid=27, id=2) exit timeout, force kill the process",
        near_miss="[2026-11-24 10:11:12 *27.0]\tWARNING\tWorker::reactor_try_to_exit() (ERRNO 9101): worker exit timeout, forced termination",
        source="swoole/swoole-src, src/server/manager.cc: Manager::kill_timeout_process",
    ),
    Announcement(
        id="roadrunner-exec-ttl", sender=Sender.ROADRUNNER, hint="worker exec timeout reached", regex=re.compile(r"\bworker exec timeout reached\b"),
        example='{"level":"warn","ts":1795515072,"logger":"server","msg":"worker exec timeout reached","error":"exec TTL reached"}',
        near_miss='{"level":"warn","ts":1795515072,"logger":"server","msg":"worker idle timeout reached","pid":27}', source="roadrunner-server/server, plugin.go: events.EventExecTTL",
    ),
    Announcement(
        id="java-service-wrapper", sender=Sender.JAVA_WRAPPER, hint="jvm did not exit on request", regex=re.compile(r"\bJVM did not exit on request, terminated\b"),
        example="ERROR  | wrapper  | 2026/11/24 10:11:12 | JVM did not exit on request, terminated",
        near_miss="ERROR  | wrapper  | 2026/11/24 10:11:12 | JVM exited unexpectedly.", source="Java Service Wrapper, src/c/wrapper_unix.c: wrapperKillProcessNow",
    ),
    Announcement(
        id="worker-killer", sender=Sender.WORKER_KILLER, hint="send sigkill (pid:", regex=re.compile(r"\bsend SIGKILL \(pid: (?P<pid>\d{1,10})\) alive: "), for_memory=True,
        example="W, [2026-11-24T10:11:12.345678 #27]  WARN -- : #<Unicorn::HttpServer:0x00007f1c2a> send SIGKILL (pid: 27) alive: 3600 sec (trial 16)",
        near_miss="W, [2026-11-24T10:11:12.345678 #27]  WARN -- : #<Unicorn::HttpServer:0x00007f1c2a> send SIGQUIT (pid: 27) alive: 3600 sec (trial 1)",
        source="kzk/unicorn-worker-killer, lib/unicorn/worker_killer.rb: kill_self; worker_killer has the same",
    ),
    Announcement(
        id="process-runner", sender=Sender.PROCESS_RUNNER, hint="sending sigkill to ", regex=re.compile(r"(?i:\bsystem\b)[^\n]{0,20}\| +sending SIGKILL to (?:all processes|\S{1,80} \(pid (?P<pid>\d{1,10})\))"), kills_all=True,
        example="10:11:12 system | sending SIGKILL to worker.1 (pid 27)",
        near_miss="10:11:12 system | sending SIGTERM to worker.1 (pid 27)", source="nickstenning/honcho, honcho/manager.py: _killall; ddollar/foreman, lib/foreman/engine.rb: terminate_gracefully",
    ),
    Announcement(
        id="watchdog", sender=Sender.WATCHDOG, hint="kill", regex=_WATCHDOG,
        example="worker 3 did not respond to SIGTERM within 10 s, sending SIGKILL",
        near_miss="INFO will send SIGKILL after 30 s if it does not stop", source="what supervisors say in common before kill(2): a timeout or a failed check, and what they do",
    ),
)  # fmt: skip
