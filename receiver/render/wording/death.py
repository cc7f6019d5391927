"""Sentences about who ended it, and how we know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.domain.report import Cause, CauseName, Sender
from receiver.domain.units import human_bytes
from receiver.render.wording.forms import Facts, Sentence

# Who sent the signal, as a sentence names him: "node shutdown killed it".
SENDERS: Mapping[str, str] = {
    Sender.LIVENESS_PROBE: "liveness probe",
    Sender.STARTUP_PROBE: "startup probe",
    Sender.GRACE_PERIOD: "grace period",
    Sender.PREEMPTION: "preemption by a pod of higher priority",
    Sender.NODE_SHUTDOWN: "node shutdown",
    Sender.LOST_NODE: "the loss of its node",
    Sender.DEADLINE: "the pod's deadline",
    Sender.KUBELET: "the kubelet",
    Sender.POST_START_HOOK: "a failed postStart hook",
    Sender.RESIZE: "a resize that requires a restart",
    Sender.DEFINITION_CHANGED: "a change of its definition",
    Sender.UNKNOWN_STATE: "the kubelet (state unknown, killed before its restart)",
    Sender.TAINT: "an eviction for a node's taint",
    Sender.API_EVICTION: "an eviction through the API (a drain)",
    Sender.POD_GC: "the garbage collection of pods",
    Sender.RESOURCE_CLAIM: "the loss of a device of its resource claim",
    Sender.GUNICORN: "Gunicorn's timeout",
    Sender.GUNICORN_STOP: "Gunicorn's graceful_timeout at shutdown",
    Sender.UWSGI: "uWSGI's harakiri",
    Sender.UWSGI_EVIL_RELOAD: "uWSGI's evil-reload limit on memory",
    Sender.CELERY: "Celery's hard time limit",
    Sender.UNICORN: "Unicorn's timeout",
    Sender.PUMA: "Puma's worker timeout",
    Sender.PITCHFORK: "Pitchfork's timeout",
    Sender.PHP_FPM: "PHP-FPM's request_terminate_timeout",
    Sender.SUPERVISORD: "supervisord (stopwaitsecs)",
    Sender.S6: "s6",
    Sender.APACHE: "Apache's parent process",
    Sender.NGINX: "nginx' master process",
    Sender.SIDEKIQ: "Sidekiq's shutdown timeout",
    Sender.RQ: "RQ's job timeout",
    Sender.AIRFLOW: "Airflow",
    Sender.GRANIAN: "Granian",
    Sender.PM2: "PM2's kill_timeout",
    Sender.JVM_HANDLER: "the JVM's OnOutOfMemoryError handler",
    Sender.KILL_SCRIPT: "its own out-of-memory script",
    Sender.SYSTEMD: "systemd",
    Sender.POSTGRES: "PostgreSQL's postmaster",
    Sender.HEART: "Erlang's heart",
    Sender.TIMEOUT_COMMAND: "the timeout command",
    Sender.ODOO: "Odoo's worker timeout",
    Sender.MOJOLICIOUS: "Mojolicious' prefork manager",
    Sender.LIVEKIT: "LiveKit Agents' ping timeout",
    Sender.VARNISH: "Varnish's cli_timeout",
    Sender.SWOOLE: "Swoole's max_wait_time",
    Sender.ROADRUNNER: "RoadRunner's exec_ttl",
    Sender.JAVA_WRAPPER: "the Java Service Wrapper",
    Sender.WORKER_KILLER: "its worker killer",
    Sender.PROCESS_RUNNER: "its process runner",
    Sender.WATCHDOG: "a watchdog of its own",
    Sender.ITSELF: "the program itself",
    Sender.UNKNOWN: "unknown",
}


def sender_words(sender: Sender | None) -> str:
    """Who sent the signal, in words; empty when it was the kernel, or nothing was killed."""
    return SENDERS[sender] if sender is not None else ""


def detail_words(cause: Cause) -> str:
    """The finer word of a cause. Of what was not memory it is the sender, in words."""
    return SENDERS.get(cause.detail, cause.detail) if cause.name is CauseName.NOT_MEMORY else cause.detail


def _pod_stopped(facts: Facts) -> str:
    return f"the pod's status is {facts['reason']}: {SENDERS[str(facts['sender'])]}"


def _oom_counter_rose(facts: Facts) -> str:
    kills = facts["kills"]
    return f"container_oom_events_total rose {'once' if kills == 1 else f'{kills} times'} without a restart"


def _kernel_line(whose: str) -> Callable[[Facts], str]:
    def sentence(facts: Facts) -> str:
        process, pid, held = facts["process"], facts["pid"], facts["anon_rss_bytes"]
        who = f"process {process}" if process else "a process"
        more = ", ".join(part for part in (f"pid {pid}" if pid else "", f"{human_bytes(held)} of its own memory" if held else "") if part)
        return f"by the kernel's own line, {who}{f' ({more})' if more else ''} was killed{whose}"

    return sentence


SIGNALS: Mapping[int, str] = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1",
    11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}  # fmt: skip
SIGNAL_MEANS: Mapping[int, str] = {
    6: "a program aborted itself", 7: "a bus error, as a full /dev/shm or a truncated mapped file gives", 11: "a crash", 4: "a crash", 8: "a crash",
    13: "it wrote into a closed pipe", 15: "it was asked to stop", 1: "it was asked to stop", 2: "it was asked to stop", 3: "it was asked to stop", 9: "it was killed",
}  # fmt: skip


def _signal(facts: Facts) -> str:
    code, signal = facts["exit_code"], facts["signal"]
    assert isinstance(code, int)
    assert isinstance(signal, int)
    name = SIGNALS.get(signal, f"signal {signal}")
    means = f": {SIGNAL_MEANS[signal]}" if signal in SIGNAL_MEANS else ""
    if code == 256 - signal:
        return f"{code} is 256 - {signal}: a child process ended by {name}, and its exit was passed on{means}"
    return f"{code} is 128 + {signal}, {name}{means}" if code == 128 + signal else f"the runtime reports signal {signal}, {name}{means}"


def _sender_unknown(facts: Facts) -> str:
    code = facts["exit_code"]
    what = "a SIGKILL" if code == 137 else "256 - 9: the main process passed on that a child ended by SIGKILL"
    return f"exit code {code} is {what}; the reason is {facts['reason'] or 'missing'}, not OOMKilled, and no event says who sent it"


def _announced(facts: Facts) -> str:
    if facts["sender"] == Sender.ITSELF:
        return f'it exited with that code itself, by its own log: "{facts["line"]}"'
    return f'{SENDERS[str(facts["sender"])]} killed it, by its own log: "{facts["line"]}"'


def _disrupted(facts: Facts) -> str:
    message = f' ("{facts["message"]}")' if facts["message"] else ""
    return f"the pod's condition DisruptionTarget is {facts['reason']}{message}"


SENTENCES: Mapping[str, Sentence] = {
    # the pod as a whole
    "death.evicted": "the pod's status is Evicted: {message:or:no message}",
    "death.evicted_for_other_resource": "the message names another resource than memory",
    "death.refused_before_start": "the kubelet refused the pod, so it never ran on that node",
    "death.volume_is_memory": (
        "the volume {volume} is in memory, so what fills it is the pod's own memory, and its sizeLimit was the limit that was reached"
    ),
    "death.volume_is_disk": "that volume is on disk: what was short is local storage, another resource than memory",
    "death.refused": "the pod's status is {reason}: {message:or:no message}",
    "death.refused_for_request": (
        "it requests {requested_bytes:size}; of the {capacity_bytes:size} that the node has for pods, requests take {used_bytes:size}"
    ),
    "death.pod_stopped": _pod_stopped,
    # an OOM kill that Kubernetes recorded
    "death.oom_killed": "reason OOMKilled, exit code {exit_code}: the kernel killed it for memory",
    "death.oom_killed_without_code": "reason OOMKilled: the kernel killed it for memory",
    "death.no_limit_anywhere": "neither the container nor its pod has a memory limit, so only the node's memory could run out",
    "death.node_event": 'node event in the same minutes: "{message}"',
    "death.node_pressure": "node {node} reports memory pressure",
    "death.own_memory_before": "its own memory was at {usage_ratio:percent} of its limit just before",
    "death.kernel_memcg": _kernel_line(" because the limit of its cgroup was full"),
    "death.kernel_global": _kernel_line(" because the node had no memory left"),
    "death.kernel_victim": _kernel_line(" for memory"),
    "death.log_reaches_limit": 'its log goes on to {reached_bytes:size} of its limit of {limit_bytes:size}: "{line}"',
    "death.earlier_without_node": "it was killed at {limit_bytes:size} {kills:times} within the hour while the node had memory left",
    "death.main_process_ended_itself": (
        "exit code {exit_code} is not a contradiction: the kernel killed a child process in the container, the main process then ended by itself"
    ),
    "death.limit_is_the_pods": "the limit that was hit is the pod's: all its containers share it",
    "death.memory_before": "memory was at {usage_ratio:percent} of the limit just before",
    "death.oom_before_start": "reason {reason}, and its message says the container was OOM-killed while it was being started",
    "death.memory_volume_outlives_restart": (
        "an emptyDir in memory counts against the limit and outlives the restart, so memory is full before the process begins"
    ),
    "death.asked_to_stop": "it was asked to stop, and ended by SIGTERM",
    "death.ended_by_sigterm": "exit code 143 is SIGTERM: something asked it to stop, and it did",
    "death.flag_of_the_life": (
        "reason OOMKilled beside exit code {exit_code} is a flag of its whole life: a process in it may have been killed for memory before"
    ),
    "death.cut_short": 'it never began: {reason:or:its status} says "{message}"',
    "death.limit_is_tiny": "a limit of {limit_bytes:size} is the usual reason for that: the runtime's own start needs more",
    # a SIGKILL that was not an OOM kill
    "death.event": 'event in the same minutes: "{message}"',
    "death.earlier_event": 'and earlier: "{message}"',
    "death.not_oom_killed": "exit code {exit_code}, but reason {reason:or:missing}, not OOMKilled",
    "death.thrashed": (
        "memory was at {usage_ratio:percent} of the limit just before: a container that thrashes at its limit may fail its probe"
    ),
    "death.memory_before_of": "memory was at {usage_ratio:percent} of {limit_bytes:size} just before",
    "death.memory_before_share": "memory was at {usage_ratio:percent} just before",
    "death.pod_deleted": "the pod was being deleted",
    "death.grace_period": "what does not end within terminationGracePeriodSeconds is killed with SIGKILL",
    "death.sender_unknown": _sender_unknown,
    "death.announced": _announced,
    "death.own_limit_before": "what made it do so: {meaning}",
    "death.events_dropped": 'it failed {times:count:time}: "{message}"; the kubelet drops and merges events of a crash loop, so none is as new as this end',
    "death.disrupted": _disrupted,
    "death.events_unread": "events could not be read: {why}",
    "death.log_line": 'the log says: "{line}"',
    "death.never_seen_near_limit": "no scrape of any of its lives saw more than {usage_ratio:percent} of the limit",
    "death.memory_before_unknown": "what its memory was just before is not known",
    "death.kernel_peak": "nor between two scrapes: by the kernel's own peak (container_memory_max_usage_bytes) it had no more than {usage_ratio:percent} of the limit by the last of them",
    "death.between_scrapes": "an allocation that fills the rest between two scrapes cannot be excluded",
    # a child process
    "death.oom_counter_rose": _oom_counter_rose,
    "death.log_lines": 'the log says so in {lines:count:line}: "{line}"',
    "death.main_process_followed": "the main process then ended with exit code {exit_code:or:unknown}",
    "death.status_unread": "the pod's status could not be read",
    "death.running_restarts_unchanged": "the container is Running with its {restarts} restarts unchanged",
    "death.running_without_restart": "the container is Running with 0 restarts, so kubectl shows nothing wrong",
    # where the API has nothing
    "death.metrics_tell": "the metrics of Prometheus name an OOM kill, and the alert says the same",
    "death.from_metrics": "that is what Prometheus kept of it: {why}",
    "death.pod_unread": "the pod could not be read: {why}",
    "death.pod_unread_untold": "the pod could not be read",
    "death.alert_says": "the alert {alert} says so",
    "death.no_death_in_status": "the pod's status tells of no death: the killed pod or process may be gone",
    "death.newest_death_is_another": (
        "the newest death that Kubernetes keeps is {reason:or:without reason}, exit code {exit_code:or:unknown}: the OOM kill may be an older one"
    ),
    # not killed
    "death.long_ago": "running since, and the last death ({reason:or:no reason}) was {age_s:span} ago",
    "death.ended_itself": "exit code {exit_code}, reason {reason:or:none}: the program ended itself, the kernel killed nothing",
    "death.other_end": "exit code {exit_code:or:unknown}, reason {reason:or:none}: no SIGKILL, and no OOM kill was recorded",
    "death.not_seen": (
        "the container could not be found: {reason} and exit code {exit_code:or:none} are a placeholder, and nobody saw how it ended"
    ),
    "death.refused_to_start": "it refuses to start: it needs more memory than its limit allows",
    "death.signal": _signal,
    "death.last_state_lost": "{state} after {restarts:count:restart}, and how the lives before ended is no longer kept",
    "death.memory_highest": "memory was never above {usage_ratio:percent} of the limit in what was scraped",
    "death.asked_by_signal": _signal,
    "death.node_rebooted": 'its node went down at that time: "{message}"',
    "death.runtime_says": 'it never ran: {reason}, "{message}"',
    "death.memory_was_far": "memory was at {usage_ratio:percent} of its limit of {limit_bytes:size} just before",
    "death.no_kill_so_far": "{state}, {restarts} restarts: no kill so far",
    "death.no_alert_claims_a_kill": "no alert claims a kill",
}
