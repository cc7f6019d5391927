"""Facts: what a case says once it is understood. The diagnosis reads these and nothing else.

None and empty tuples mean "not known"; why it is not known stands in `Facts.missing`, never in a default value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.case import Missing
from receiver.domain.change import Known
from receiver.domain.heap import Heap
from receiver.domain.identity import Subject, Workload
from receiver.domain.replicas import Replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """state.terminated or lastState.terminated. Times are None where the kubelet wrote none, or 1970 (StartError)."""

    reason: str
    exit_code: int | None
    signal: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySetting:
    """What one object asks for a container's memory: bytes, and as it is written there (`200m`). None and empty: not set."""

    limit_bytes: int | None = None
    request_bytes: int | None = None
    limit_text: str = ""
    request_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """One container of a pod: spec and status together. `kind`: regular, init, sidecar (init, restartPolicy Always), ephemeral."""

    name: str
    kind: str = "regular"
    image: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)  # plain values (redacted); valueFrom is left out
    limit_bytes: int | None = None  # in force: status.resources after an in-place resize, else spec
    request_bytes: int | None = None
    asked: MemorySetting = field(default_factory=MemorySetting)  # what the pod's spec says, in force or not
    restarts_on_resize: bool = False  # its resizePolicy for memory
    cpu_request: str | None = None
    state: str = "unknown"  # running | waiting | terminated | unknown
    state_reason: str = ""
    state_message: str = ""
    state_since: datetime | None = None
    terminated: Termination | None = None  # the current state, when it is terminated
    last_terminated: Termination | None = None  # lastState
    restart_count: int = 0
    is_ready: bool = False
    was_ready: bool | None = None  # at any time of its pod's life; None: the pod's conditions do not tell
    is_probed_for_ready: bool = False  # Ready means more than running: it has a readiness or a startup probe

    @property
    def newest_termination(self) -> Termination | None:
        """The newer of state.terminated and lastState.terminated: in the back-off window lastState is the crash before."""
        return newer_death(self.terminated, self.last_terminated)


def newer_death(current: Termination | None, last: Termination | None) -> Termination | None:
    """Of a container's two terminations the newer; the current one where no time tells."""
    if current is None or last is None:
        return current or last
    if current.finished_at is None or last.finished_at is None:
        return current
    return current if current.finished_at >= last.finished_at else last


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """That a field manager owns one thing of an object, and when it last wrote what it owns.

    `what`: limit | request | image | flags | replicas | spec. `container`: empty for what is the object's.
    """

    what: str
    manager: str
    at: datetime
    container: str = ""
    subresource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disruption:
    """The pod's condition DisruptionTarget: that it was chosen to be ended, by whom (`reason`), and when."""

    reason: str
    message: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFacts:
    """The pod as `kubectl describe` shows it. `reason`/`message` are the pod's own (Evicted), not a container's."""

    namespace: str
    name: str
    uid: str = ""
    node: str = ""
    phase: str = ""
    reason: str = ""
    message: str = ""
    qos_class: str = ""
    restart_policy: str = ""  # Always | OnFailure | Never
    created_at: datetime | None = None
    started_at: datetime | None = None
    deleted_at: datetime | None = None
    pod_limit_bytes: int | None = None
    pod_request_bytes: int | None = None
    asked: MemorySetting = field(default_factory=MemorySetting)  # what its spec says for the pod as a whole, in force or not
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)  # type -> "True" | "False" | "Unknown"
    resize: str = ""  # a resize in place that waits: deferred | infeasible | in_progress
    disruption: Disruption | None = None
    memory_volumes: tuple[str, ...] = ()  # emptyDir with medium Memory
    writes: tuple[Write, ...] = ()
    containers: tuple[ContainerFacts, ...] = ()
    is_pieced_together: bool = False  # it could not be read: this is its owner's template and what Prometheus saw of it

    def container(self, name: str) -> ContainerFacts | None:
        """The container of that name, of whatever kind."""
        return next((c for c in self.containers if c.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """One event, aggregated over its series. `at` is the newest time it has; `container` comes from the field path."""

    object_kind: str
    object_name: str
    reason: str
    message: str = ""
    type: str = "Normal"
    count: int = 1
    at: datetime | None = None
    first_at: datetime | None = None
    container: str = ""
    is_memory_relevant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """The tail of the log of the instance that died (or, said by `is_previous` and `is_current`, of another)."""

    container: str
    lines: tuple[str, ...] = ()
    is_previous: bool = True
    is_current: bool = False  # of the instance that is running now: the dead one has left none
    is_truncated: bool = False
    times: tuple[datetime | None, ...] = ()  # the kubelet's stamp of each line, where it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One scrape of one container (all pods of the workload are not mixed: `Life.pod`). Bytes; None where not scraped."""

    t_s: float  # seconds since 1970, or since the start of a CSV
    working_set_bytes: float
    limit_bytes: float | None = None
    rss_bytes: float | None = None
    cache_bytes: float | None = None
    request_rate: float | None = None
    restarts: float | None = None
    oom_kills: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHistory:
    """The memory of one container over time, oldest first, several lives in one sequence (one pod's at a time).

    `starts_s`, `kill_times_s`: exact times known from elsewhere (lastState, last_terminated_timestamp), beside what
    the restarts and oom_kills columns tell. `ends_s`: the end of what was asked for, for "no data since".
    """

    samples: tuple[Sample, ...]
    step_s: float
    starts_s: tuple[float, ...] = ()
    kill_times_s: tuple[float, ...] = ()
    ends_s: float | None = None
    pod: str = ""
    # Of each life of the last hour: its first scrape there, and the highest that the kernel itself counted, file cache included.
    kernel_peaks: tuple[tuple[float, float], ...] = ()
    replaced_at_s: float | None = None  # first sample of the pod, where its predecessor's stand before it
    peak_bytes_long: float | None = None  # the highest working set of the long look (7 d), when asked


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSource:
    """Where the request rate of the history comes from. `metric`: the counter, or REQUEST_RATE_QUERY; `maker` exports it.

    `total_query`: PromQL of the rate over all pods, empty where there is none. `is_total`: the history's rate is that too, and not
    one pod's. `address`: where the cluster's own programs reach Prometheus, empty for not known; `needs_login`: with a token or headers.
    """

    metric: str
    maker: str = ""
    unit: str = "requests"
    total_query: str = ""
    is_total: bool = False
    address: str = ""
    needs_login: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """What could scale the workload on its request rate. The metrics: what an adapter calls the rate, empty for not served.

    `scaled_object`: the KEDA object that scales the workload already, as the API told it.
    """

    has_keda: bool = False
    scaled_object: Mapping[str, Any] | None = None
    pods_metric: str = ""
    external_metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One rollout of the workload: a ReplicaSet's template (or a ControllerRevision's)."""

    name: str
    revision: int | None
    created_at: datetime | None
    images: Mapping[str, str] = field(default_factory=dict)  # container -> image
    limits_bytes: Mapping[str, int | None] = field(default_factory=dict)
    replicas: int | None = None
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by container, as `Setup.flags`
    change_cause: str = ""  # the annotation kubernetes.io/change-cause
    restarted_at: str = ""  # the template's annotation kubectl.kubernetes.io/restartedAt


@dataclass(frozen=True, slots=True, kw_only=True)
class SiblingFact:
    """Another pod of the same workload, and how the same container fares there."""

    pod: str
    node: str = ""
    limit_bytes: int | None = None  # in force
    image: str = ""
    is_running: bool = False
    created_at: datetime | None = None
    restart_count: int = 0
    is_ready: bool = False
    last_reason: str = ""
    last_finished_at: datetime | None = None


EVERY_CONTAINER = "*"  # containerName of a VPA's policy for all containers that have none of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpa:
    """A VerticalPodAutoscaler of the workload. Bytes of memory, of requests, by container; `*` in a policy is filled in."""

    name: str
    mode: str  # Off | Initial | Recreate | Auto | InPlaceOrRecreate
    min_bytes: Mapping[str, int] = field(default_factory=dict)  # minAllowed; "*" for the containers not named
    max_bytes: Mapping[str, int] = field(default_factory=dict)
    requests_only: frozenset[str] = frozenset()  # controlledValues: RequestsOnly
    left_alone: frozenset[str] = frozenset()  # mode Off, or memory not among the controlled resources
    policies: tuple[Mapping[str, Any], ...] = ()  # containerPolicies as they stand there, in their order

    def most_bytes(self, container: str) -> int | None:
        """The most that it may request for this container, or None for no bound."""
        return self.max_bytes.get(container, self.max_bytes.get(EVERY_CONTAINER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """What writes the workload, so that a change by hand is undone.

    `tool`: argo_cd | flux_kustomization | flux_helm_release | helm | kustomize | operator | other. `name` as it is said:
    `Helm release orders`, `Kafka shop/events`.
    """

    tool: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How far the newest template has got: pods that have it, of those that there shall be."""

    updated: int
    desired: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFacts:
    """The owner chain and its top. `chain` is ("Pod", "ReplicaSet", "Deployment")-like, names beside kinds."""

    workload: Workload
    chain: tuple[tuple[str, str], ...] = ()
    replicas_desired: int | None = None
    revisions: tuple[Revision, ...] = ()  # newest first
    siblings: tuple[SiblingFact, ...] = ()
    hpa: Mapping[str, object] | None = None  # {"name", "min", "max", "current", "metrics": [..]}
    hpa_metrics: tuple[Mapping[str, Any], ...] = ()  # its spec.metrics, as the API told them
    scaling: Scaling | None = None  # None: not asked, or could not be read
    vpa: Vpa | None = None
    managed_by: Manager | None = None  # where a fix belongs
    template: Mapping[str, MemorySetting] | None = None  # by container, what the next rollout gives; None: could not be read
    template_pod_level: MemorySetting | None = None  # the same of the template's own limits, where it has any
    template_images: Mapping[str, str] = field(default_factory=dict)  # by container
    template_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by container, as `Setup.flags`
    restarted_at: str = ""  # the template's annotation kubectl.kubernetes.io/restartedAt
    rollout: Rollout | None = None
    writes: tuple[Write, ...] = ()  # of the top owner
    hpa_line: str = ""  # the autoscalers as one line to compare
    vpa_line: str = ""
    hpa_write: Write | None = None
    vpa_write: Write | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # of the top owner; what it lacks, of the pod
    annotations: Mapping[str, str] = field(default_factory=dict)
    schedule: str = ""  # of a CronJob, as written there; with its time zone, where it has one
    is_suspended: bool = False  # the CronJob starts no run
    job_failure: str = ""  # why the Job gave up for good: BackoffLimitExceeded, DeadlineExceeded, PodFailurePolicy, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """The pod's node."""

    name: str
    allocatable_bytes: int | None = None
    has_memory_pressure: bool | None = None
    limits_total_bytes: int | None = None  # of all pods there, where they could be listed
    other_oom_kills: tuple[str, ...] = ()  # "namespace/pod (container)" killed there lately


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCoverage:
    """Whether rules watch this container (checklist item 9). None: could not be asked."""

    has_oom_rule: bool | None = None
    has_usage_rule: bool | None = None
    rule_names: tuple[str, ...] = ()
    is_silenced: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSince:
    """One pod of the workload over the time that a follow-up looks at. Samples are (seconds since 1970, bytes), oldest first."""

    pod: str
    samples: tuple[tuple[float, float], ...] = ()
    limits: tuple[tuple[float, float], ...] = ()
    restarts: tuple[tuple[float, float], ...] = ()
    kill_times_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Every pod of the workload from a day before a fix to now.

    `evicted`: how many evicted pods there are, `throttled`: the share of an hour's CPU periods that were throttled, 0-1; both as
    (seconds since 1970, value), oldest first.
    """

    pods: tuple[PodSince, ...]
    start_s: float
    end_s: float
    step_s: float
    evicted: tuple[tuple[float, float], ...] = ()
    throttled: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known about one incident at one moment, understood. `now` is when it was gathered.

    `is_pod_gone`: the pod was read by an earlier look, or never; the API has none of that name any more.
    """

    now: datetime
    subject: Subject
    alerts: tuple[Alert, ...] = ()
    pod: PodFacts | None = None
    events: tuple[EventFact, ...] = ()
    log: LogFacts | None = None
    workload: WorkloadFacts | None = None
    history: MemoryHistory | None = None
    node: NodeFacts | None = None
    usage_bytes: int | None = None  # kubectl top, now
    quota_max_limit_bytes: int | None = None  # LimitRange max of a container
    quota_free_limit_bytes: int | None = None  # ResourceQuota limits.memory left
    quota_free_request_bytes: int | None = None
    coverage: AlertCoverage | None = None
    child_kills: int | None = None  # increase of container_oom_events_total without a restart
    redactions: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    known: Known = field(default_factory=Known)
    is_pod_gone: bool = False
    since: Since | None = None
    replicas: Replicas | None = None
    heap: Heap | None = None
    rate: RateSource | None = None  # of the request rates in the history
