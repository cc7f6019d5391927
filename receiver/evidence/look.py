"""One look at one subject: what its gatherers share, and how one of them says that it has nothing to show."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.case import Missing
from receiver.domain.identity import Subject
from receiver.domain.units import MIB
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.cache import Cache
from receiver.evidence.kube import Kube
from receiver.evidence.prometheus import Answer, Prometheus
from receiver.transport import Deadline, Tail

KUBERNETES = "kubernetes"
PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"

# Requests to the Kubernetes API for one incident, at most; the least needed evidence is left out for it.
COLD_BUDGET = 12
WARM_BUDGET = 8
# More than that, of a look that found a request rate: what serves rates in this cluster, and the workload's own scaler. Kept for minutes.
SCALING_ROOM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """How evidence is gathered. `cluster_name` empty: alerts of every cluster are taken for ours.

    The log: its last `log_lines` lines, of which the last `log_bytes` bytes are kept.
    """

    cluster_name: str = ""
    deadline_s: float = 10.0
    log_lines: int = 200
    log_bytes: int = 64 * 1024
    owner_ttl_s: float = 300.0
    policy_ttl_s: float = 600.0
    node_ttl_s: float = 30.0
    rules_ttl_s: float = 600.0
    negative_ttl_s: float = 600.0


class Gap(Exception):
    """Raised by a gatherer: this piece is missing, for this reason (see `Missing`)."""

    def __init__(
        self, why: str, hint: str = "", *, is_retryable: bool = False, is_normal: bool = False, is_configuration: bool = False
    ) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint
        self.is_retryable, self.is_normal, self.is_configuration = is_retryable, is_normal, is_configuration

    def missing(self, source: str) -> Missing:
        """As the case records it."""
        return Missing(
            source=source, why=self.why, hint=self.hint, is_retryable=self.is_retryable, is_normal=self.is_normal,
            is_configuration=self.is_configuration,
        )  # fmt: skip


class Meter:
    """Counts the requests of one look, by source. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, source: str) -> None:
        """One more."""
        with self._lock:
            self._counts[source] += 1

    def count(self, source: str) -> int:
        """How many so far."""
        return self._counts[source]

    def all(self) -> dict[str, int]:
        """Every source's count."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the gatherers of one case share. `answers` and `missing` hold what is in so far; only the collector writes them."""

    subject: Subject
    alerts: tuple[Alert, ...]
    now: datetime
    deadline: Deadline
    config: EvidenceConfig
    cache: Cache
    kube: Kube | None
    prometheus: Prometheus | None
    alertmanager: Alertmanager | None
    is_warm: bool
    fixed_at: datetime | None = None  # of the fix that this look follows up
    unfound: Gap | None = None  # why no pod was found for an alert that names a workload only
    meter: Meter = field(default_factory=Meter)
    shared: dict[str, Any] = field(default_factory=dict)  # what one gatherer got for another that comes after it
    answers: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, max_bytes: int = 8 * MIB) -> dict[str, Any]:
        """One counted request to the Kubernetes API, inside the deadline."""
        if self.kube is None:
            raise Gap("no way into Kubernetes is configured", "set KUBE_API_URL, or run in a pod", is_configuration=True)
        self.meter.add(KUBERNETES)
        return self.kube.get(path, params, deadline=self.deadline, max_bytes=max_bytes)

    def get_kept(self, path: str, params: Mapping[str, Any] | None = None, *, ttl_s: float) -> dict[str, Any]:
        """The same, from the cache when it is there. What was refused or not found is not asked again for a while either."""
        answer: dict[str, Any] = self.cache.get(
            _question(path, params),
            lambda: self.get(path, params),
            ttl_s=ttl_s,
            negative_ttl_s=self.config.negative_ttl_s,
            deadline=self.deadline,
        )
        return answer

    def is_kept(self, path: str, params: Mapping[str, Any] | None = None) -> bool:
        """Whether `get_kept` would answer without a request."""
        return self.cache.fresh(_question(path, params))

    def is_absent(self, resource: str) -> bool:
        """Whether the cluster is known not to serve this resource (a CRD that is not installed)."""
        return self.cache.fresh(("absent", resource))

    def note_absent(self, resource: str) -> None:
        """Remember for a while that the cluster does not serve this resource."""
        self.cache.get(("absent", resource), lambda: True, ttl_s=self.config.negative_ttl_s, negative_ttl_s=0, deadline=self.deadline)

    def log(self, path: str, params: Mapping[str, Any], *, max_bytes: int) -> Tail:
        """One counted request for a log."""
        if self.kube is None:
            raise Gap("no way into Kubernetes is configured", "set KUBE_API_URL, or run in a pod", is_configuration=True)
        self.meter.add(KUBERNETES)
        return self.kube.log(path, params, keep_bytes=self.config.log_bytes, max_bytes=max_bytes, deadline=self.deadline)

    def range(self, query: str, *, window_s: int, step_s: int) -> Answer:
        """One counted range query that ends now."""
        end_s = self.now.timestamp()
        return self._counted_prometheus().range(query, start_s=end_s - window_s, end_s=end_s, step_s=step_s, deadline=self.deadline)

    def instant(self, query: str) -> Answer:
        """One counted instant query at the look's moment."""
        return self._counted_prometheus().instant(query, self.now.timestamp(), deadline=self.deadline)

    def need_room(self, n: int = 1, *, beyond: int = 0) -> None:
        """A Gap when `n` more requests to Kubernetes would be more than one incident may cost, and `beyond` more than that."""
        budget = (WARM_BUDGET if self.is_warm else COLD_BUDGET) + beyond
        if self.meter.count(KUBERNETES) + n > budget:
            raise Gap(f"not asked, for one look may cost the Kubernetes API {budget} requests", is_normal=True)

    def pod(self) -> Mapping[str, Any]:
        """The pod. A Gap with the pod's own reason when there is none."""
        self.need("pod")
        pod = self.answers.get("pod")
        if not isinstance(pod, Mapping):
            raise Gap("the alert names no pod", "keep the labels namespace and pod in the rule's aggregation", is_configuration=True)
        return pod

    def need(self, source: str) -> None:
        """A Gap with that source's own reason when it is missing: what builds on it is missing for the same reason."""
        missing = self.missing.get(source)
        if missing is not None:
            raise Gap(
                missing.why, missing.hint, is_retryable=missing.is_retryable, is_normal=missing.is_normal,
                is_configuration=missing.is_configuration,
            )  # fmt: skip

    def _counted_prometheus(self) -> Prometheus:
        if self.prometheus is None:
            raise Gap("no Prometheus is configured", "set PROMETHEUS_URL", is_configuration=True)
        self.meter.add(PROMETHEUS)
        return self.prometheus


def _question(path: str, params: Mapping[str, Any] | None) -> tuple[object, ...]:
    return (path, *sorted((params or {}).items()))
