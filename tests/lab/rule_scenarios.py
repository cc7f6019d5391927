"""What happens to containers, as the metrics show it, and whether somebody should have been told: the cases in which rules
about memory go wrong.

Minutes count from the event; the series begin 80 minutes before. A limit is 1000 bytes, for the eye. cAdvisor stamps its
samples, so its series end without a staleness marker; those of kube-state-metrics and node_exporter end with one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

START_MIN, END_MIN = -80.0, 90.0
DAY_MIN = 1440.0
POD, APP, UID = "cart-0", "cart", "u1"

Span = tuple[float, float, "float | Callable[[float], float]"]
Values = float | tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series. `values` is one number all along, or spans (from, to, value or function of the minute), both ends included."""

    labels: dict[str, str]
    values: Values

    def at(self, minute: float) -> float | None:
        """The sample of that minute, or None."""
        if not isinstance(self.values, tuple):
            return self.values
        for begin, end, value in self.values:
            if begin <= minute <= end:
                return value(minute) if callable(value) else value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Somebody must be told of `container` (of `pod`; "" any) between two minutes, and it must be over by a third."""

    container: str = APP
    pod: str = POD
    cluster: str = ""
    begin: float = 0.0
    within: float
    over_by: float = END_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One case. `blind`: why our rules are wrong here, where that is known and accepted."""

    what: str
    lines: tuple[Line, ...]
    expected: tuple[Expected, ...] = ()
    blind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One container instance as cAdvisor reports it. None leaves a series out; `rss` is as `use` where not given."""

    use: Values
    limit: Values | None = 1000.0
    active_file: Values | None = 0.0
    rss: Values | None = None
    name: str = "id1"
    labels: dict[str, str] = field(default_factory=dict)

    def lines(self) -> tuple[Line, ...]:
        """Its series in cAdvisor."""
        common = {
            "job": "kubelet", "metrics_path": "/metrics/cadvisor", "instance": "10.1.0.1:10250", "node": "node-1",
            "namespace": "shop", "pod": POD, "container": APP, "id": f"/kubepods/{self.name}", "name": self.name, "image": "cart:1",
        }  # fmt: skip
        labels = {k: v for k, v in {**common, **self.labels}.items() if v}
        metrics = {
            "container_memory_working_set_bytes": self.use, "container_spec_memory_limit_bytes": self.limit,
            "container_memory_total_active_file_bytes": self.active_file, "container_memory_rss": self.use if self.rss is None else self.rss,
        }  # fmt: skip
        return tuple(Line(labels={**labels, "__name__": name}, values=v) for name, v in metrics.items() if v is not None)

    def with_spec(self) -> tuple[Line, ...]:
        """The same, and the limit in kube-state-metrics as well, as most clusters have it."""
        return (*self.lines(), limits(1000.0))


def ksm(metric: str, values: Values, **labels: str) -> Line:
    """One series of kube-state-metrics, of the container unless labels say otherwise; an empty label is left out."""
    common = {"job": "kube-state-metrics", "instance": "ksm-0", "namespace": "shop", "pod": POD, "container": APP, "uid": UID}
    return Line(labels={k: v for k, v in {**common, **labels, "__name__": metric}.items() if v}, values=values)


def limits(value: Values = 1000.0, metric: str = "kube_pod_container_resource_limits", **labels: str) -> Line:
    """The limit as the pod's spec has it."""
    return ksm(metric, value, **{"resource": "memory", "unit": "byte", "node": "node-1", **labels})


def always(value: float, begin: float = START_MIN, end: float = END_MIN) -> Values:
    """The same between two minutes."""
    return ((begin, end, value),)


def deaths(
    times: tuple[float, ...],
    *,
    reason: str = "OOMKilled",
    before: float = 0,
    has_time: bool = True,
    prefix: str = "kube_pod_container",
    **labels: str,
) -> tuple[Line, ...]:
    """A container that dies at these minutes and is started again each time, after `before` earlier restarts."""
    ends = (*times[1:], END_MIN + 1)
    counted: list[Span] = [(START_MIN, times[0] - 0.5, before)]
    stamped: list[Span] = []
    for number, (begin, end) in enumerate(zip(times, ends, strict=True), 1):
        counted.append((begin, end - 0.5, before + number))
        stamped.append((begin, end - 0.5, _stamp(begin)))
    found = [
        ksm(f"{prefix}_status_last_terminated_reason", always(1, times[0]), reason=reason, **labels),
        ksm(f"{prefix}_status_restarts_total", tuple(counted), **labels),
    ]
    if has_time:
        found.append(ksm(f"{prefix}_status_last_terminated_timestamp", tuple(stamped), **labels))
        if prefix == "kube_pod_container":
            found.append(ksm(f"{prefix}_status_last_terminated_exitcode", always(137, times[0]), **labels))
    return tuple(found)


class Stamp(float):
    """A time: minutes from the event, written as seconds since 1970."""


def _stamp(minute: float) -> float:
    return Stamp(minute)


def started(minute: float, **labels: str) -> Line:
    """When the pod was started."""
    return ksm("kube_pod_start_time", Stamp(minute), container="", **labels)


def after_calm(*spans: Span) -> Values:
    """30 % until the event, then these."""
    return ((START_MIN, -0.5, 300.0), *spans)


def wave(high: float, high_min: float, low: float, low_min: float) -> Callable[[float], float]:
    """`high` and `low` by turns."""
    return lambda minute: high if minute % (high_min + low_min) < high_min else low


FULL = after_calm((0.0, 30.0, 900.0), (30.5, END_MIN, 300.0))
USED = (Expected(within=9, over_by=50),)
KILLED = (Expected(within=2, over_by=40),)
OLD_START = started(-DAY_MIN * 9)
PAUSE = Instance(use=10.0, limit=0.0, name="pause1", labels={"container": "", "image": "pause:3.9"})
SLICE = Instance(use=310.0, limit=0.0, name="", labels={"container": "", "image": "", "id": "/kubepods/pod-u1"})
ROOT = {"namespace": "", "pod": "", "container": "", "image": "", "name": ""}


def near_the_limit() -> tuple[Scenario, ...]:
    """Is a container about to be killed because it is close to its limit?"""
    return (
        Scenario(what="90 % of the limit for half an hour", lines=Instance(use=FULL).with_spec(), expected=USED),
        Scenario(what="no limit", lines=Instance(use=900.0, limit=0.0).lines()),
        Scenario(
            what="pause container, pod slice and node cgroups beside a container at 30 %",
            lines=(
                *Instance(use=300.0).with_spec(),
                *PAUSE.lines(),
                *SLICE.lines(),
                *Instance(use=9e5, limit=0.0, labels={**ROOT, "id": "/"}).lines(),
            ),
        ),
        Scenario(
            what='pause container of CRI-O (container="POD")',
            lines=(*Instance(use=300.0).with_spec(), *Instance(use=10.0, limit=0.0, name="pause1", labels={"container": "POD"}).lines()),
        ),
        Scenario(
            what="page cache: 96 %, two thirds of it files the kernel can drop",
            lines=Instance(use=960.0, active_file=640.0, rss=300.0).with_spec(),
        ),
        Scenario(what="files on tmpfs: 90 %, which nothing can drop", lines=Instance(use=FULL, rss=100.0).with_spec(), expected=USED),
        Scenario(
            what="old kubelet without active_file, 90 % program memory",
            lines=Instance(use=FULL, active_file=None).with_spec(),
            expected=USED,
        ),
        Scenario(
            what="old kubelet without active_file, 96 % mostly page cache",
            lines=Instance(use=960.0, active_file=None, rss=300.0).with_spec(),
            blind="kubelets before 1.32 do not tell page cache from program memory",
        ),
        Scenario(
            what="container gone 90 s after it filled up; its last sample stays readable",
            lines=(*Instance(use=after_calm((0.0, 1.5, 950.0))).lines(), *Instance(use=always(100.0, 2.0), name="id2").with_spec()),
        ),
        Scenario(what="a burst of 3 minutes", lines=Instance(use=after_calm((0.0, 3.0, 950.0), (3.5, END_MIN, 300.0))).with_spec()),
        Scenario(
            what="82 % for 6 minutes and 79 % for 3, by turns, for an hour",
            lines=Instance(use=after_calm((0.0, 60.0, wave(820.0, 6, 790.0, 3)), (60.5, END_MIN, 300.0))).with_spec(),
            expected=(Expected(within=9, over_by=80),),
        ),
        Scenario(
            what="restarted every 8 minutes while full",
            lines=(
                limits(),
                *(line for n in range(5) for line in Instance(use=always(920.0, n * 8.0, n * 8.0 + 7.5), name=f"id{n}").lines()),
            ),
            expected=(Expected(within=9, over_by=60),),
        ),
        Scenario(
            what="kube-prometheus-stack: the limit only from kube-state-metrics",
            lines=(*Instance(use=FULL, limit=None).lines(), limits()),
            expected=USED,
        ),
        Scenario(
            what="the same with two replicas of kube-state-metrics",
            lines=(*Instance(use=FULL, limit=None).lines(), limits(), limits(instance="ksm-1")),
            expected=USED,
        ),
        Scenario(
            what="native sidecar: its limit is an init container's",
            lines=(
                *Instance(use=FULL, limit=None, labels={"container": "proxy"}).lines(),
                limits(metric="kube_pod_init_container_resource_limits", container="proxy"),
            ),
            expected=(Expected(container="proxy", within=9, over_by=50),),
        ),
        Scenario(
            what="limit on the pod alone; its two containers fill 90 % of it together",
            lines=(
                *Instance(use=after_calm((0.0, 30.0, 450.0), (30.5, END_MIN, 100.0))).lines(),
                *Instance(use=after_calm((0.0, 30.0, 450.0), (30.5, END_MIN, 100.0)), name="id2", labels={"container": "proxy"}).lines(),
                *Instance(use=FULL, name="", labels={"container": "", "image": "", "id": "/kubepods/pod-u1"}).lines(),
                limits(pod="other-0", container="other"),
            ),
            expected=(Expected(container="", within=9, over_by=50),),
        ),
        Scenario(
            what="kubelet's /metrics/resource scraped as well, 50 %",
            lines=(
                *Instance(use=500.0).lines(),
                limits(),
                *Instance(
                    use=500.0, limit=None, active_file=None, name="", labels={"metrics_path": "/metrics/resource", "id": "", "image": ""}
                ).lines(),
            ),
        ),
        Scenario(
            what="two clusters, the same pod name, only one of them full",
            lines=(
                *Instance(use=FULL, labels={"cluster": "a"}).lines(),
                limits(cluster="a"),
                *Instance(use=300.0, name="id2", labels={"cluster": "b", "instance": "10.9.0.1:10250"}).lines(),
                limits(cluster="b"),
            ),
            expected=(Expected(cluster="a", within=9, over_by=50),),
        ),
        Scenario(
            what="a Job that ends after 3 minutes at 90 %; its limit stays listed",
            lines=(*Instance(use=always(900.0, 0, 3)).lines(), limits(always(1000.0, 0))),
            blind="a reading counts for 3 minutes, so what ends after 2 to 5 minutes above 80 % is still told",
        ),
        Scenario(
            what="StatefulSet pod recreated with twice the limit",
            lines=(
                *Instance(use=always(700.0, START_MIN, 0)).lines(),
                limits(always(1000.0, START_MIN, 0)),
                *Instance(use=always(1000.0, 0.5), limit=2000.0, name="id2").lines(),
                limits(always(2000.0, 0.5), uid="u2"),
            ),
        ),
        Scenario(
            what="resized in place: 900 of 2000 in force, 1000 in the spec",
            lines=(*Instance(use=900.0, limit=2000.0).lines(), limits(1000.0)),
        ),
        Scenario(
            what="90 % while two scrapes in a row fail",
            lines=Instance(use=after_calm((0.0, 15.0, 900.0), (17.0, 30.0, 900.0), (30.5, END_MIN, 300.0))).with_spec(),
            expected=USED,
        ),
    )


def was_killed() -> tuple[Scenario, ...]:
    """Was a container, or a process in it, killed for memory?"""
    calm_reasons = always(1.0, START_MIN, -0.5)
    sticky = ksm("kube_pod_container_status_last_terminated_reason", 1.0, reason="OOMKilled")
    yesterday = ksm("kube_pod_container_status_last_terminated_timestamp", Stamp(-DAY_MIN))
    loop = (0.0, 1.0, 3.0, 6.5, 12.5, 19.0, 25.5, 32.0)
    return (
        Scenario(what="killed and restarted", lines=(*deaths((0.0,), before=2), OLD_START), expected=KILLED),
        Scenario(
            what="the same, kube-state-metrics before 2.12", lines=(*deaths((0.0,), before=2, has_time=False), OLD_START), expected=KILLED
        ),
        Scenario(
            what="two replicas of kube-state-metrics",
            lines=(*deaths((0.0,), before=2), *deaths((0.0,), before=2, instance="ksm-1"), OLD_START), expected=KILLED,
        ),
        Scenario(
            what="OOMKilled since yesterday, nothing new",
            lines=(sticky, yesterday, ksm("kube_pod_container_status_restarts_total", 1.0), OLD_START),
        ),
        Scenario(
            what="the same, and kube-state-metrics moves to another pod",
            lines=tuple(
                line
                for name, begin, end in (("ksm-0", START_MIN, 0.0), ("ksm-1", 1.0, END_MIN))
                for line in (
                    ksm("kube_pod_container_status_last_terminated_reason", always(1.0, begin, end), reason="OOMKilled", instance=name),
                    ksm("kube_pod_container_status_restarts_total", always(1.0, begin, end), instance=name),
                    ksm("kube_pod_start_time", ((begin, end, Stamp(-DAY_MIN * 9)),), container="", instance=name),
                )
            ),
        ),
        Scenario(
            what="OOMKilled long ago, now it crashes with an error",
            lines=(
                ksm("kube_pod_container_status_last_terminated_reason", calm_reasons, reason="OOMKilled"),
                *deaths((0.0,), reason="Error", before=3, has_time=False), OLD_START,
            ),
        ),
        Scenario(
            what="OOMKilled long ago, a neighbour in the pod crashes",
            lines=(
                sticky, yesterday, ksm("kube_pod_container_status_restarts_total", 1.0), OLD_START,
                *deaths((0.0, 1.0, 3.0, 8.5), reason="Error", container="proxy"),
            ),
        ),
        Scenario(
            what="first kill before the first scrape, kube-state-metrics before 2.12",
            lines=(
                ksm("kube_pod_container_status_last_terminated_reason", always(1.0, 0), reason="OOMKilled"),
                ksm("kube_pod_container_status_restarts_total", always(1.0, 0)),
                ksm("kube_pod_start_time", ((0.0, END_MIN, Stamp(-0.5)),), container=""),
            ),
            expected=KILLED,
        ),
        Scenario(
            what="crash loop up to the back-off of 5 minutes", lines=(*deaths(loop), started(-1)),
            expected=(Expected(within=2, over_by=75),),
        ),
        Scenario(
            what="the same, kube-state-metrics before 2.12", lines=(*deaths(loop, has_time=False), started(-1)),
            expected=(Expected(within=2, over_by=75),),
        ),
        Scenario(
            what="Job that stays dead",
            lines=(ksm("kube_pod_container_status_terminated_reason", always(1.0, 0), reason="OOMKilled"), started(-5)),
            expected=KILLED,
        ),
        Scenario(
            what="Job that died two days ago and is still listed, with a gap of 20 minutes",
            lines=(
                ksm("kube_pod_container_status_terminated_reason", ((START_MIN, 0.0, 1.0), (20.0, END_MIN, 1.0)), reason="OOMKilled"),
                ksm("kube_pod_completion_time", ((START_MIN, 0.0, Stamp(-2 * DAY_MIN)), (20.0, END_MIN, Stamp(-2 * DAY_MIN))), container=""),
            ),
        ),
        Scenario(
            what="init container",
            lines=(*deaths((0.0,), prefix="kube_pod_init_container", container="migrate", has_time=False), started(-2)),
            expected=(Expected(container="migrate", within=2, over_by=40),),
        ),
        Scenario(
            what="native sidecar, days after its start",
            lines=(*deaths((0.0,), prefix="kube_pod_init_container", container="proxy", before=1, has_time=False), OLD_START),
            expected=(Expected(container="proxy", within=2, over_by=40),),
        ),
        Scenario(
            what="a child process; the container runs on",
            lines=(
                Line(
                    labels={"__name__": "container_oom_events_total", "namespace": "shop", "pod": POD, "container": APP, "id": "/kubepods/id1", "name": "id1"},
                    values=((START_MIN, -0.5, 0.0), (0.0, END_MIN, 1.0)),
                ),
                ksm("kube_pod_container_status_restarts_total", 0.0), OLD_START,
            ),
            expected=(Expected(within=5, over_by=40),),
        ),
        Scenario(
            what="StatefulSet pod recreated, then killed (restarts 7, then 1)",
            lines=(
                ksm("kube_pod_container_status_restarts_total", always(7.0, START_MIN, -4)),
                *(Line(labels=line.labels, values=_from(line.values, -3)) for line in deaths((0.0,), uid="u2", has_time=False)),
                ksm("kube_pod_start_time", ((-3.0, END_MIN, Stamp(-3.5)),), container="", uid="u2"),
            ),
            expected=KILLED,
        ),
        Scenario(
            what="the runtime lost the event: Error/137 at 96 % of the limit",
            lines=(*Instance(use=after_calm((0.0, 3.0, 960.0), (3.5, END_MIN, 300.0))).lines(), *deaths((3.0,), reason="Error"), OLD_START),
            expected=(Expected(begin=3, within=2, over_by=45),),
        ),
        Scenario(
            what="killed by its liveness probe: Error/137 at 40 %",
            lines=(*Instance(use=400.0).lines(), *deaths((0.0,), reason="Error"), OLD_START),
        ),
        Scenario(
            what="the node ran out; the container was far below its limit",
            lines=(*Instance(use=300.0).lines(), *deaths((0.0,)), OLD_START, *_node(available=20.0)), expected=KILLED,
        ),
        Scenario(
            what="pod deleted before any scrape saw its kill", lines=_node(available=700.0),
            expected=(Expected(pod="", container="", within=6, over_by=40),),
        ),
        Scenario(
            what="kube-state-metrics away for 6 minutes around the kill",
            lines=tuple(Line(labels=line.labels, values=_without(line.values, -1, 5)) for line in (*deaths((0.0,), before=2), OLD_START)),
            expected=(Expected(begin=5, within=2, over_by=45),),
        ),
        Scenario(
            what="evicted for the node's memory, not OOM killed",
            lines=(ksm("kube_pod_status_reason", ((START_MIN, -0.5, 0.0), (0.0, END_MIN, 1.0)), container="", reason="Evicted"), OLD_START),
        ),
        Scenario(
            what="killed, and dead again of an error before the next scrape",
            lines=(*deaths((0.0,), reason="Error", before=2), OLD_START), expected=KILLED,
            blind="only the last death of a container is told",
        ),
        Scenario(
            what="its tmpfs is full, so it dies while it starts (StartError)",
            lines=(*deaths((0.0,), reason="StartError"), OLD_START), expected=KILLED,
            blind="Kubernetes does not call it OOMKilled, and its exit code is 128",
        ),
    )  # fmt: skip


def _node(*, available: float) -> tuple[Line, ...]:
    """A node of 1000 bytes on which one process was killed."""
    labels = {"job": "node-exporter", "instance": "10.1.0.1:9100"}
    values: dict[str, Values] = {
        "node_vmstat_oom_kill": ((START_MIN, -0.5, 4.0), (0.0, END_MIN, 5.0)),
        "node_memory_MemAvailable_bytes": ((START_MIN, -1.0, 700.0), (-0.5, 1.0, available), (1.5, END_MIN, 700.0)),
        "node_memory_MemTotal_bytes": 1000.0,
    }
    return tuple(Line(labels={**labels, "__name__": name}, values=value) for name, value in values.items())


def _spans(values: Values) -> tuple[Span, ...]:
    return values if isinstance(values, tuple) else ((START_MIN, END_MIN, values),)


def _from(values: Values, minute: float) -> Values:
    return tuple((max(begin, minute), end, value) for begin, end, value in _spans(values) if end >= minute)


def _without(values: Values, begin_gap: float, end_gap: float) -> Values:
    """Nothing between the two minutes."""
    kept: list[Span] = []
    for begin, end, value in _spans(values):
        kept += [(begin, min(end, begin_gap - 0.5), value), (max(begin, end_gap), end, value)]
    return tuple(span for span in kept if span[0] <= span[1])
