"""The PromQL of this program. Pure text; every query is built here.

Four questions an incident: the last day minute by minute (`history`), the last hour as scraped (`recent`), the highest
use of a week together with what the workload exports (`peaks`) and the traffic (`traffic`); and one for each follow-up of a fix (`since`). Each is one request: a union whose branches are told apart by the label
`q`. Containers are always `max by`, never `sum`: a restarted container has a new series beside its lingering old one, and a
kubelet scraped at /metrics/resource too exports everything twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.errors import Rejected
from receiver.evidence import exports, replicas
from receiver.evidence.counters import Counter
from receiver.evidence.kube import is_kube_name
from receiver.evidence.prometheus import PrometheusConfig
from receiver.promql.quoting import quoted
from receiver.promql.selectors import selectors as selectors_in

HISTORY_WINDOW_S, HISTORY_STEP_S = 24 * 3600, 60
PEAKS_WINDOW_S, PEAKS_STEP_S = 7 * 24 * 3600, 1800
RECENT_WINDOW_S = 3600
SINCE_STEP_S = 300  # of a follow-up, which looks at days
# Longer than a step, so that one late scrape a minute apart leaves no hole; much shorter than Prometheus' look-back of 5 min,
# which would show a dead container's last value for minutes.
SAMPLE_WINDOW = "90s"

WORKING_SET = "container_memory_working_set_bytes"
# The series of `recent` by metric. Several metrics may feed one name: init containers have families of their own.
RECENT_METRICS = {
    WORKING_SET: "working_set",
    "container_memory_rss": "rss",
    "container_memory_cache": "cache",
    "container_memory_max_usage_bytes": "max_usage",  # with file cache; of cgroup v2 0 before runc reads memory.peak (1.2, kernel 5.19)
    "container_spec_memory_limit_bytes": "enforced_limit",
    "container_oom_events_total": "oom_events",
    "kube_pod_container_resource_limits": "limit",
    "kube_pod_init_container_resource_limits": "limit",
    "kube_pod_container_status_restarts_total": "restarts",
    "kube_pod_init_container_status_restarts_total": "restarts",
    "kube_pod_container_status_last_terminated_timestamp": "last_terminated_at",
    "kube_pod_init_container_status_last_terminated_timestamp": "last_terminated_at",
    "kube_pod_container_status_last_terminated_reason": "last_terminated_reason",
    "kube_pod_init_container_status_last_terminated_reason": "last_terminated_reason",
    "kube_pod_container_status_terminated_reason": "last_terminated_reason",
    "kube_pod_container_status_last_terminated_exitcode": "last_exit_code",
}

# What the watch compares from one round to the next.
PULSE_METRICS = {
    "kube_pod_container_status_restarts_total": "restarts",
    "kube_pod_init_container_status_restarts_total": "restarts",
    "kube_pod_container_status_last_terminated_timestamp": "died_at",
    "kube_pod_init_container_status_last_terminated_timestamp": "died_at",
    "kube_pod_container_status_last_terminated_reason": "reason",
    "kube_pod_init_container_status_last_terminated_reason": "reason",
    "kube_pod_container_status_terminated_reason": "ended",
    "kube_pod_container_resource_limits": "limit_bytes",
    "kube_pod_init_container_resource_limits": "limit_bytes",
    "kube_pod_container_status_ready": "is_ready",
    "kube_pod_init_container_status_ready": "is_ready",
    "container_oom_events_total": "oom_events",
}
# Of one query of the watch, a little less than VictoriaMetrics takes by default (16 KiB).
MOST_QUERY_CHARS = 14_000

RATE_WINDOW = "3m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """The label matchers of one subject, for cAdvisor's metrics (`pod`) and kube-state-metrics' (`state`)."""

    pod: str
    workload: str
    others: str
    state: str
    state_workload: str
    by: str
    state_by: str
    family: str

    @staticmethod
    def of(config: PrometheusConfig, subject: Subject) -> Selectors:
        """For a subject whose names were checked to be Kubernetes names."""
        namespace, pod, container = config.namespace_label, config.pod_label, config.container_label
        prefix = config.state_label_prefix
        family = pod_pattern(subject)
        one, many = f"={quoted(subject.pod)}", f"=~{quoted(family)}"
        extra = config.also

        def matchers(before: str, which: str) -> str:
            return f"{before}{namespace}={quoted(subject.namespace)},{before}{pod}{which}{extra}"

        real = f'{container}!="",{container}!="POD"'
        not_this = f",{pod}!={quoted(subject.pod)}"
        return Selectors(
            pod=f"{matchers('', one)},{real}",
            workload=f"{matchers('', many)},{real}",
            others=f"{matchers('', many)}{not_this},{real}",
            state=matchers(prefix, one),
            state_workload=matchers(prefix, many),
            by=f"{namespace},{pod},{container}",
            state_by=f"{prefix}{namespace},{prefix}{pod},{prefix}{container}",
            family=family,
        )


def history(selectors: Selectors) -> str:
    """The last day of this pod: use, limits, restarts and kills; and use and limit of two other pods of the workload.

    The others are the two with most samples: after a rollout the predecessor's day shows what this young pod cannot.
    Replicas are seen beside it, coarsely.
    """
    s, w = selectors, SAMPLE_WINDOW
    per_life = f"{s.by},id"
    busiest = f"topk(2, sum by ({_pod_of(s.by)}) (count_over_time({WORKING_SET}{{{s.others}}}[1d] @ end())))"
    return union(
        ("working_set", f"max by ({per_life}) (max_over_time({WORKING_SET}{{{s.pod}}}[{w}]))"),
        ("rss", f"max by ({per_life}) (max_over_time(container_memory_rss{{{s.pod}}}[{w}]))"),
        ("cache", f"max by ({per_life}) (max_over_time(container_memory_cache{{{s.pod}}}[{w}]))"),
        ("oom_events", f"max by ({per_life}) (container_oom_events_total{{{s.pod}}})"),
        ("enforced_limit", f"max by ({s.by}) (container_spec_memory_limit_bytes{{{s.pod}}} > 0)"),
        ("limit", _either(s.state_by, "kube_pod_{}_resource_limits", f'{s.state},resource="memory"')),
        ("restarts", _either(s.state_by, "kube_pod_{}_status_restarts_total", s.state)),
        ("last_terminated_at", _either(s.state_by, "kube_pod_{}_status_last_terminated_timestamp", s.state)),
        (
            "last_terminated_reason",
            _either(f"{s.state_by},reason", "kube_pod_{}_status_last_terminated_reason", s.state)
            + f" or max by ({s.state_by},reason) (kube_pod_container_status_terminated_reason{{{s.state}}})",
        ),
        (
            "before",
            f"max by ({per_life}) (max_over_time({WORKING_SET}{{{s.others}}}[{w}])) and on ({_pod_of(s.by)}) {busiest}",
        ),
        (
            "before_limit",
            f"max by ({s.by}) (container_spec_memory_limit_bytes{{{s.others}}} > 0) and on ({_pod_of(s.by)}) {busiest}",
        ),
        *replicas.of_day(pod=s.pod, workload=s.workload, others=s.others, by=s.by, step_s=HISTORY_STEP_S),
    )


def recent(selectors: Selectors, config: PrometheusConfig) -> str:
    """The last hour of this pod as scraped: raw samples of every metric that `RECENT_METRICS` names, one selector."""
    names = "|".join(RECENT_METRICS)
    container = config.container_label
    if not config.state_label_prefix:
        return f'{{__name__=~"{names}",{selectors.state},{container}!="",{container}!="POD"}}[{RECENT_WINDOW_S}s]'
    # Exporters that disagree about label names cannot share a selector; raw use is what this query is for.
    cadvisor = "|".join(n for n in RECENT_METRICS if n.startswith("container_"))
    return f'{{__name__=~"{cadvisor}",{selectors.pod}}}[{RECENT_WINDOW_S}s]'


def since(selectors: Selectors, *, window_s: int) -> str:
    """Every pod of the workload over a fix: use and limit of the six with most samples, restarts and deaths of all."""
    s, n = selectors, f"{window_s}s"
    pod = _pod_of(s.by)
    busiest = f"topk(6, sum by ({pod}) (count_over_time({WORKING_SET}{{{s.workload}}}[{n}] @ end())))"
    of_all = f'{s.state_workload},reason="OOMKilled"'
    ended = f"max by ({s.state_by}) (kube_pod_container_status_last_terminated_timestamp{{{s.state_workload}}})"
    throttled = "sum(rate(container_cpu_cfs_throttled_periods_total{{{0}}}[1h])) / sum(rate(container_cpu_cfs_periods_total{{{0}}}[1h]))"
    return union(
        ("working_set", f"max by ({s.by},id) (max_over_time({WORKING_SET}{{{s.workload}}}[{SINCE_STEP_S}s])) and on ({pod}) {busiest}"),
        ("limit", f"max by ({s.by}) (container_spec_memory_limit_bytes{{{s.workload}}} > 0) and on ({pod}) {busiest}"),
        ("restarts", f"max by ({s.state_by}) (kube_pod_container_status_restarts_total{{{s.state_workload}}})"),
        (
            "killed_at",
            f"{ended} and on ({s.state_by}) (kube_pod_container_status_last_terminated_reason{{{of_all}}} > 0)",
        ),
        ("evicted", f'sum(kube_pod_status_reason{{{s.state_workload},reason="Evicted"}})'),
        ("throttled", throttled.format(s.workload)),
    )


def peaks(selectors: Selectors, config: PrometheusConfig, subject: Subject) -> str:
    """The highest use of any pod of the workload, half hour by half hour, by container; some pods' floors; and what the workload exports."""
    s = selectors
    once = f"(vector(time() % {PEAKS_WINDOW_S}) < {PEAKS_STEP_S})"  # it is the same at every step
    return union(
        ("working_set", f"max by ({config.container_label}) (max_over_time({WORKING_SET}{{{s.workload}}}[30m]))"),
        *replicas.of_week(pod=s.pod, workload=s.workload, others=s.others, by=s.by),
        *((name, f"({query}) and on () {once}") for name, query in exports.branches(config, subject, s.family)),
    )


def exported(selectors: Selectors, config: PrometheusConfig, subject: Subject) -> str:
    """What the workload exports, alone."""
    return union(*exports.branches(config, subject, selectors.family))


def traffic(config: PrometheusConfig, subject: Subject, counter: Counter, container: str) -> str:
    """The rate of a counter, a second: of this pod where its series tell, and of the workload's average pod.

    `container`: whose series count; empty for all of the pod.
    """
    selectors = Selectors.of(config, subject)
    s = selectors
    own = [("pod", f"sum({_rate_of(config, subject, counter, container, re.escape(subject.pod))})")] if counter.tells_pods_apart else []
    every = _rate_of(config, subject, counter, container, s.family)
    if counter.is_on_pod:
        own.append(("replicas", replicas.rates(every, pod=s.pod, others=s.others, by=s.by, step_s=HISTORY_STEP_S)))
        average = f"avg(sum by ({config.pod_label}) ({every}))"
    else:
        n_pods = f"count(count by ({config.pod_label}) ({WORKING_SET}{{{s.workload}}}))"
        average = f"sum({every}) / {n_pods}"
    return union(*((f"{name}:{counter.metric}", query) for name, query in (*own, ("workload", average))))


def total_rate(config: PrometheusConfig, subject: Subject, counter: Counter, container: str) -> str:
    """The rate of a counter over all pods of the workload, as an autoscaler asks for it: one number. A line a matcher, for a manifest."""
    rate = _rate_of(config, subject, counter, container, pod_pattern(subject))
    lines = ",\n".join(f"  {matcher.text}" for matcher in selectors_in(rate)[0].matchers)
    return f"sum(rate({counter.metric}{{\n{lines}\n}}[{RATE_WINDOW}]))"


def _rate_of(config: PrometheusConfig, subject: Subject, counter: Counter, container: str, pods: str) -> str:
    where = exports.matchers(counter.place, config, subject, pods.replace("\\-", "-"), counter.without)
    of = f",{config.container_label}={quoted(container)}" if container else ""
    return f"rate({counter.metric}{{{where}{of}}}[{RATE_WINDOW}])"


def pulse(config: PrometheusConfig, namespaces: Collection[str], pods: Collection[str], containers: Collection[str]) -> str:
    """The newest values of `PULSE_METRICS` of all these containers, one series a metric and container. `pods`: regular expressions.

    Of many incidents at once, so it may answer a little more than was asked for: every pod in every namespace. No containers: all.
    """
    extra = config.also

    def newest(metrics: Iterable[str], before: str) -> str:
        namespace, pod, container = (before + name for name in (config.namespace_label, config.pod_label, config.container_label))
        which = f"=~{quoted('|'.join(names))}" if (names := sorted(set(containers))) else '!=""'
        where = (
            f'{{__name__=~"{"|".join(metrics)}",{namespace}=~{quoted("|".join(sorted(set(namespaces))))},{pod}=~{quoted("|".join(pods))},'
            f'{container}{which},{container}!="POD",resource=~"memory|"{extra}}}'
        )
        return f"max by (__name__,{namespace},{pod},{container},reason) ({where})"

    if not config.state_label_prefix:
        return newest(PULSE_METRICS, "")
    state = [m for m in PULSE_METRICS if not m.startswith("container_")]
    return f"{newest(state, config.state_label_prefix)} or {newest([m for m in PULSE_METRICS if m not in state], '')}"


def union(*branches: tuple[str, str]) -> str:
    """One query of several; each series says by its label `q` which branch it is of."""
    return " or ".join(f'label_replace({expression}, "q", "{name}", "", "")' for name, expression in branches)


def fill(query: str, subject: Subject) -> str:
    """A user's query with $namespace, $workload, $pod and $container filled in.

    Rejected for a value that is no Kubernetes name: labels are untrusted, and where the query puts them (in a string, in a
    regular expression) is not known here. Nothing in a Kubernetes name ends either.
    """
    workload = subject.workload.name if subject.workload else subject.pod
    values = {"namespace": subject.namespace, "workload": workload, "pod": subject.pod, "container": subject.container}

    def value(found: re.Match[str]) -> str:
        name = values[found[1]]
        if name and not is_kube_name(name):
            raise Rejected(f"the {found[1]} {name[:80]!r} in the alert's labels cannot be a Kubernetes name")
        return name

    return re.sub(r"\$\{?(namespace|workload|pod|container)\b\}?", value, query)


def pod_pattern(subject: Subject) -> str:
    """A regular expression for the pods of the subject's workload: the shape that its controller gives names."""
    guessed = workload_from_pod_name(subject.pod)
    workload = subject.workload or guessed
    if not subject.pod and workload is not None:  # the alert names a workload only, and no pod of it was found
        return f"{re.escape(workload.name)}-[a-z0-9-]+".replace("\\-", "-")
    if workload is None or not workload.name or not subject.pod.startswith(f"{workload.name}-"):
        return re.escape(subject.pod).replace("\\-", "-")
    name = re.escape(workload.name).replace("\\-", "-")
    rest = subject.pod[len(workload.name) + 1 :]
    if rest.isdigit():
        return f"{name}-[0-9]+"
    shape = "-".join("[a-z0-9]+" for _ in rest.split("-"))
    return f"{name}-{shape}"


def _either(by: str, metric: str, matchers: str) -> str:
    """A kube-state-metrics family of regular containers, or the same of init containers (and native sidecars)."""
    return " or ".join(f"max by ({by}) ({metric.format(kind)}{{{matchers}}})" for kind in ("container", "init_container"))


def _pod_of(by: str) -> str:
    parts: Sequence[str] = by.split(",")
    return ",".join(parts[:2])
