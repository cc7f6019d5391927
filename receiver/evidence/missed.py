"""What happened while nobody listened: Alertmanager's alerts and silences, Prometheus' ALERTS and OOM series of that time.

Four requests to Alertmanager (status, alerts, silences, receivers) and two to Prometheus, whatever the length of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.domain.alerts import FIRING, parse_alert
from receiver.domain.away import Gap
from receiver.domain.missed import Condition, Episode, Held, HeldAlert, Muting, Past, SeenKill
from receiver.domain.units import from_epoch, parse_time
from receiver.errors import PayloadError, Unreadable
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.queries import union
from receiver.evidence.silences import YOUNG_S
from receiver.transport import Deadline

DEADLINE_S = 30.0
FINEST_S = 5.0  # the step in which ALERTS is looked through: rules are rarely evaluated more often
STEPS = 2000  # at most: of a whole day, an alert that fires for less than 43 s may be overlooked


class Missed:
    """Asks Alertmanager and Prometheus; what is not configured is None."""

    def __init__(self, alertmanager: Alertmanager | None, prometheus: Prometheus | None, *, young_s: float = YOUNG_S) -> None:
        """`young_s`: Alertmanager knows every alert when it has run for so long."""
        self._alertmanager = alertmanager
        self._prometheus = prometheus
        self._young_s = young_s

    def held(self, *, now: float) -> Held | None:
        """What Alertmanager holds; None without one. A SourceError when it cannot be asked."""
        if self._alertmanager is None:
            return None
        deadline = Deadline(DEADLINE_S)
        status = self._alertmanager.http.get_json("api/v2/status", deadline=deadline)
        started = parse_time(status.get("uptime")) if isinstance(status, Mapping) else None
        listed = self._alertmanager.alerts({}, deadline=deadline)
        silences, receivers = self._list("silences", deadline), self._list("receivers", deadline)
        return Held(
            alerts=tuple(_held(listed)), mutings=tuple(_mutings(silences)), receivers=_names(receivers),
            is_complete=started is not None and now - started.timestamp() >= self._young_s,
        )  # fmt: skip

    def _list(self, what: str, deadline: Deadline) -> list[Any]:
        assert self._alertmanager is not None
        listed = self._alertmanager.http.get_json(f"api/v2/{what}", deadline=deadline)
        if not isinstance(listed, list):
            raise Unreadable(f"Alertmanager answered its {what} not as a list; is the address right?")
        return listed

    def past(self, gap: Gap, *, now: float) -> Past | None:
        """What Prometheus knows of a gap, until now; None without one. A SourceError when it cannot be asked."""
        if self._prometheus is None:
            return None
        deadline = Deadline(DEADLINE_S)
        window_s = max(60.0, now - gap.since.timestamp())
        step_s = max(FINEST_S, window_s / STEPS)
        fired = self._prometheus.instant(fired_query(self._prometheus.config, window_s, step_s), now, deadline=deadline)
        killed = self._prometheus.instant(killed_query(self._prometheus.config, window_s, gap), now, deadline=deadline)
        return Past(
            episodes=tuple(_episodes(fired.series)), kills=tuple(_kills(killed.series, self._prometheus.config)), resolution_s=step_s
        )  # fmt: skip


def fired_query(config: PrometheusConfig, window_s: float, step_s: float) -> str:
    """When each alert fired first and last in the time before: `timestamp` is that of the sample, whatever the step."""
    also = config.also
    moments = f'timestamp(ALERTS{{alertstate="firing"{also}}})[{window_s:.0f}s:{step_s:.0f}s]'
    return union(("first", f"min_over_time({moments})"), ("last", f"max_over_time({moments})"))


def killed_query(config: PrometheusConfig, window_s: float, gap: Gap) -> str:
    """The containers that were OOM-killed since the gap began: when, by kube-state-metrics; that, by cAdvisor's counter."""
    prefix, also, window = config.state_label_prefix, config.also, f"[{window_s:.0f}s]"
    names = (config.namespace_label, config.pod_label, config.container_label)
    state_by, by = ", ".join(f"{prefix}{name}" for name in names), ", ".join(names)
    reason = f'kube_pod_container_status_last_terminated_reason{{reason="OOMKilled"{also}}}'
    ended = f"max by ({state_by}) (max_over_time(kube_pod_container_status_last_terminated_timestamp{{{also.lstrip(',')}}}{window}))"
    oom = f'container_oom_events_total{{{config.container_label}!=""{also}}}'
    return union(
        ("killed_at", f"({ended} > {gap.since.timestamp():.0f}) and on ({state_by}) max by ({state_by}) (max_over_time({reason}{window}))"),
        ("oom_events", f"max by ({by}) (increase({oom}{window})) > 0"),
    )


def _held(listed: tuple[Mapping[str, Any], ...]) -> Iterator[HeldAlert]:
    for entry in listed:
        try:
            alert = parse_alert({**entry, "status": FIRING})
        except PayloadError:  # one that we cannot read costs itself
            continue
        state = entry.get("status")
        # `mutedBy`, of a time interval of its route, since 0.28.
        is_muted = isinstance(state, Mapping) and any(state.get(by) for by in ("silencedBy", "inhibitedBy", "mutedBy"))
        yield HeldAlert(alert=alert, receivers=_names(entry.get("receivers")), is_muted=is_muted)


def _names(receivers: object) -> tuple[str, ...]:
    found = receivers if isinstance(receivers, list) else []
    return tuple(str(r["name"]) for r in found if isinstance(r, Mapping) and "name" in r)


def _mutings(silences: list[Any]) -> Iterator[Muting]:
    for entry in silences:
        since, until = (parse_time(entry.get(key)) if isinstance(entry, Mapping) else None for key in ("startsAt", "endsAt"))
        conditions = tuple(
            Condition(name=str(m["name"]), value=str(m.get("value", "")), is_regex=bool(m.get("isRegex")), is_equal=m.get("isEqual") is not False)
            for m in (entry.get("matchers") or () if isinstance(entry, Mapping) else ())
            if isinstance(m, Mapping) and "name" in m
        )  # fmt: skip
        if since is not None and until is not None and conditions:
            yield Muting(conditions=conditions, since=since, until=until)


def _episodes(series: tuple[Mapping[str, Any], ...]) -> Iterator[Episode]:
    first: dict[tuple[tuple[str, str], ...], float] = {}
    last: dict[tuple[tuple[str, str], ...], float] = {}
    for one in series:
        labels, value = _read(one)
        if value is not None:
            which = first if labels.get("q") == "first" else last
            which[tuple(sorted((k, v) for k, v in labels.items() if k not in ("q", "alertstate", "__name__")))] = value
    for key, began in first.items():
        yield Episode(labels=dict(key), first=from_epoch(began), last=from_epoch(last.get(key, began)))


def _kills(series: tuple[Mapping[str, Any], ...], config: PrometheusConfig) -> Iterator[SeenKill]:
    found: dict[tuple[str, ...], SeenKill] = {}
    names = (config.namespace_label, config.pod_label, config.container_label)
    for one in series:
        labels, value = _read(one)
        prefix = config.state_label_prefix if labels.get("q") == "killed_at" else ""
        who = tuple(labels.get(f"{prefix}{name}", "") for name in names)
        if value is None or not all(who):
            continue
        at = from_epoch(value) if labels.get("q") == "killed_at" else None
        if who not in found or found[who].at is None:
            found[who] = SeenKill(labels=dict(zip(("namespace", "pod", "container"), who, strict=True)), at=at)
    yield from found.values()


def _read(one: Mapping[str, Any]) -> tuple[dict[str, str], float | None]:
    metric, value = one.get("metric"), one.get("value")
    labels = {str(k): str(v) for k, v in metric.items()} if isinstance(metric, Mapping) else {}
    return labels, float(value[1]) if isinstance(value, list) and len(value) == 2 else None
