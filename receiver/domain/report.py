"""The report: what a diagnosis says, in the words and shapes of `oomtriage.report/v1`.

Templates, sinks, the command line and the web page see this and never the evidence's raw form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from receiver.domain.case import Missing
from receiver.domain.change import Baseline, Change
from receiver.domain.facts import Facts
from receiver.domain.identity import Subject
from receiver.domain.reason import Reason

REPORT_SCHEMA = "oomtriage.report/v1"


class KillKind(StrEnum):
    """What ended the container. Only the first four are about memory for sure."""

    CONTAINER_OOM = "container_oom"
    CHILD_PROCESS_OOM = "child_process_oom"
    NODE_OOM = "node_oom"
    EVICTION = "eviction"
    SIGKILL_NOT_OOM = "sigkill_not_oom"
    SUSPECTED_OOM = "suspected_oom"
    NONE = "none"

    @property
    def is_kill(self) -> bool:
        """Whether something was ended from outside."""
        return self is not KillKind.NONE


class CauseName(StrEnum):
    """The leaves of the decision tree, in the order in which their questions are asked. Each is a file of `diagnosis/causes/`."""

    NOT_MEMORY = "not_memory"
    NODE_PRESSURE = "node_pressure"
    STARTUP = "startup"
    LEAK = "leak"
    SPIKE = "spike"
    LIMIT_TOO_LOW = "limit_too_low"
    UNKNOWN = "unknown"


class Sender(StrEnum):
    """Who sent the signal that ended a container, when it was not the kernel for memory."""

    LIVENESS_PROBE = "liveness_probe"
    STARTUP_PROBE = "startup_probe"
    GRACE_PERIOD = "grace_period"
    PREEMPTION = "preemption"
    NODE_SHUTDOWN = "node_shutdown"
    LOST_NODE = "lost_node"
    DEADLINE = "deadline"
    KUBELET = "kubelet"  # for a reason that no row knows
    POST_START_HOOK = "post_start_hook"
    RESIZE = "resize"
    DEFINITION_CHANGED = "definition_changed"
    UNKNOWN_STATE = "unknown_state"
    TAINT = "taint"
    API_EVICTION = "api_eviction"
    POD_GC = "pod_gc"
    RESOURCE_CLAIM = "resource_claim"
    GUNICORN = "gunicorn"
    GUNICORN_STOP = "gunicorn_stop"
    UWSGI = "uwsgi"
    UWSGI_EVIL_RELOAD = "uwsgi_evil_reload"
    CELERY = "celery"
    UNICORN = "unicorn"
    PUMA = "puma"
    PITCHFORK = "pitchfork"
    PHP_FPM = "php_fpm"
    SUPERVISORD = "supervisord"
    S6 = "s6"
    APACHE = "apache"
    NGINX = "nginx"
    SIDEKIQ = "sidekiq"
    RQ = "rq"
    AIRFLOW = "airflow"
    GRANIAN = "granian"
    PM2 = "pm2"
    JVM_HANDLER = "jvm_handler"
    KILL_SCRIPT = "kill_script"
    SYSTEMD = "systemd"
    POSTGRES = "postgres"
    HEART = "heart"
    TIMEOUT_COMMAND = "timeout_command"
    ODOO = "odoo"
    MOJOLICIOUS = "mojolicious"
    LIVEKIT = "livekit"
    VARNISH = "varnish"
    SWOOLE = "swoole"
    ROADRUNNER = "roadrunner"
    JAVA_WRAPPER = "java_wrapper"
    WORKER_KILLER = "worker_killer"
    PROCESS_RUNNER = "process_runner"
    WATCHDOG = "watchdog"
    ITSELF = "itself"  # it exited with the code that a SIGKILL gives
    UNKNOWN = "unknown"

    @property
    def is_probe(self) -> bool:
        """Whether the kubelet sent it for a failed probe."""
        return self in (Sender.LIVENESS_PROBE, Sender.STARTUP_PROBE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What died and how we know. `restarts` is the container's restart count; `because` are the facts that decided."""

    kind: KillKind
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None
    at: datetime | None = None
    started_at: datetime | None = None
    restarts: int | None = None
    is_sure: bool = False
    because: tuple[Reason, ...] = ()
    sender: Sender | None = None  # for sigkill_not_oom; UNKNOWN as well for the end of a child that nobody saw

    @property
    def is_of_child(self) -> bool:
        """Whether a process in the container was killed and the container lives on: counted, or by a line of its log alone."""
        return self.kind is KillKind.CHILD_PROCESS_OOM or (self.kind is KillKind.SUSPECTED_OOM and self.sender is Sender.UNKNOWN)

    @property
    def is_open_end(self) -> bool:
        """Whether a life ended, no kill was seen, and that proves nothing: an exit code, a placeholder, or an end that is no longer kept."""
        return self.kind is KillKind.NONE and not self.is_sure and (self.exit_code is not None or bool(self.reason) or bool(self.restarts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One life of the container in the memory series. Times in seconds since 1970; bytes are bin maxima."""

    start_s: float
    end_s: float
    is_killed: bool
    peak_bytes: float
    floor_start_bytes: float | None = None
    floor_end_bytes: float | None = None
    growth_bytes_per_h: float | None = None
    is_ramp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The numbers behind a memory verdict; what chart and text quote. None: does not apply or not known."""

    cause: CauseName
    confidence: float
    because: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()  # what speaks against it; why the other leaves were refused
    settle_by: Reason | None = None  # what would settle it, and when we look again
    refused: Mapping[CauseName, Reason] = field(default_factory=dict)  # why a leaf is not it, where the shape says so
    detail: str = ""  # a finer word: "after_change", "warm_up", "page_cache", "traffic", "batch", "flat", "too_short", "no_history"
    lives: tuple[Life, ...] = ()
    history_s: float = 0.0
    missing_s: float = 0.0  # scrape gaps
    limit_bytes: float | None = None
    peak_bytes: float | None = None
    median_bytes: float | None = None
    current_bytes: float | None = None
    growth_bytes_per_h: float | None = None
    growth_range_bytes_per_h: tuple[float, float] | None = None
    time_to_limit_s: float | None = None  # from the last sample, at this growth
    change_at_s: float | None = None  # when a leak began, for "after_change"
    kills: tuple[float, ...] = ()  # times of OOM kills in the series
    cache_share: float | None = None  # of the newest working set, file cache that the kernel would take back
    rate_correlation: float | None = None
    near_limit_share: float | None = None  # of the time at or above 80 %
    evidence: tuple[Reason, ...] = ()  # what was weighed, with its log-odds per cause, the weightiest first; for `-v`
    numbers: Mapping[str, float] = field(default_factory=dict)  # every other number, for `-v`


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The leaf of the tree, how sure, and why. `wording` of confidence is render's business."""

    name: CauseName
    confidence: float
    because: tuple[Reason, ...] = ()
    against: tuple[Reason, ...] = ()
    settle_by: Reason | None = None
    detail: str = ""
    headline: Reason | None = None  # what is said first, and
    remedy: Reason | None = None  # what is to be done, where a setting of the program decides


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeStep:
    """One question of the walked tree."""

    id: str
    question: Reason
    answer: str  # yes | no | cannot_tell
    because: Reason
    leads_to: str = ""  # the leaf, when the answer ended the walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Somebody says that an item of the checklist is done. `by`: empty when nobody gave a name."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One of the nine items. state: done | todo | could_not_check | not_applicable.

    `tick`: it is done because a person says so, not because the evidence does.
    """

    id: str
    state: str
    result: Reason | None
    tick: Tick | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of memory settings to paste. `role` fix, stop_gap, or keep (what was applied, made to last); `buys_h` hours per life
    that a stop-gap buys.

    `none` says why no limit is proposed; all else is then empty, but for the commands and the lines for Git of what is to be
    changed instead: a VPA, or a setting of the program.
    """

    none: Reason | None = None
    role: str = ""
    limit_before_bytes: int | None = None
    limit_bytes: int | None = None
    request_before_bytes: int | None = None
    request_bytes: int | None = None  # None: unchanged
    buys_h: float | None = None
    patch: str = ""  # strategic-merge YAML
    diff: str = ""  # for Git: lines with - and +
    commands: tuple[str, ...] = ()
    why: Reason | None = None
    caveats: tuple[Reason, ...] = ()
    checks: tuple[Reason, ...] = ()  # what was verified: node room, quota
    after_raise: Reason | None = None  # the raise shortly before the kill that was not enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What was changed since the newest kill, the weightiest first. `at`: the newest of them.

    `forecast`: what the verdict expects of it, None for nothing to say; `is_enough` False: the verdict expects another kill, so
    that more is to be done. `lasts_s`: a life under the new limit, where that only delays. `pods`: how far the pods have it.
    """

    changes: tuple[Change, ...]
    at: datetime
    forecast: Reason | None = None
    is_enough: bool = True
    lasts_s: float | None = None
    pods: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hpa:
    """An autoscaling/v2 manifest, or a change of one that exists."""

    manifest: str
    why: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTerm:
    """A real fix beside the quick one."""

    id: str
    advice: Reason
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Warn:
    """A common mistake, seen here."""

    id: str
    mistake: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A memory error that the log names. `line` is the (redacted) line that matched."""

    id: str
    runtime: str
    meaning: str
    advice: str
    line: str
    line_index: int
    kind: str = ""  # own_limit | refused | child_killed | kernel | gpu | remote | other_memory
    count: int = 1  # lines of the excerpted log that name the same error
    is_of_executor: bool = False  # child_killed of an executor: a container of its own, not a process in this one
    refuses_to_start: bool = False  # the program says that the container's limit is below what it needs to start


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One diagnosis. Pure function of `facts`."""

    facts: Facts
    subject: Subject  # as confirmed: the real workload and the container that was killed
    kill: Kill
    cause: Cause
    shape: Shape | None
    tree: tuple[TreeStep, ...]
    checklist: tuple[CheckItem, ...]
    proposal: Proposal
    hpa: Hpa | None = None
    long_term: tuple[LongTerm, ...] = ()
    warnings: tuple[Warn, ...] = ()
    missing: tuple[Missing, ...] = ()
    signature: Signature | None = None
    has_come_up: bool | None = None  # it was Ready, or worked, in any of its lives; None: nothing tells
    runtime: str = ""  # python | jvm | node | go | dotnet | ... or empty
    baseline: Baseline | None = None  # what was in force when it was killed
    fix: Fix | None = None
    numbers: tuple[Reason, ...] = ()  # every number behind kill, cause and proposal, one a line, for `-v`
