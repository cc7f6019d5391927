"""Runs the gatherers of one case in parallel, each as soon as what it builds on is in, all under one deadline."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject
from receiver.errors import Forbidden, Rejected, SourceError, Throttled, Unreadable
from receiver.evidence import gatherers
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.cache import Cache
from receiver.evidence.clean import Cleaner, Redact
from receiver.evidence.gatherers import Gatherer
from receiver.evidence.kube import Kube, is_kube_name
from receiver.evidence.look import ALERTMANAGER, KUBERNETES, PROMETHEUS, EvidenceConfig, Gap, Look
from receiver.evidence.prometheus import Prometheus
from receiver.evidence.rbac import Permission, union
from receiver.transport import Deadline, Unauthenticated

log = logging.getLogger(__name__)

_TOKEN_SETTING = {KUBERNETES: "KUBE_TOKEN_PATH", PROMETHEUS: "PROMETHEUS_TOKEN", ALERTMANAGER: "ALERTMANAGER_TOKEN"}
# Every source that a Missing of this layer may name, for metrics that start at 0.
SOURCES = ("cluster", *(g.source for g in gatherers.ALL))
# Kept back from the deadline, so that the case is out when it strikes.
_MARGIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    source: str
    answer: Any = None
    missing: Missing | None = None
    redactions: Mapping[str, int]


class Evidence:
    """Gathers cases. One object lives as long as the process: it holds the caches. None for a source that is not configured.

    Threads are made per case and end with it (a hung source ends at the deadline), so the object may be built before a fork
    and used from several threads.
    """

    def __init__(
        self,
        config: EvidenceConfig,
        *,
        kube: Kube | None,
        prometheus: Prometheus | None,
        alertmanager: Alertmanager | None,
        redact: Redact,
        all_gatherers: tuple[Gatherer, ...] = gatherers.ALL,
    ) -> None:
        self.config = config
        self.kube, self.prometheus, self.alertmanager = kube, prometheus, alertmanager
        self._redact = redact
        self._gatherers = all_gatherers
        self._cache = Cache()

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime, *, deadline_s: float | None = None) -> Case:
        """The case of this subject, inside the deadline. Never raises for a source's failure: that becomes a Missing."""
        refusal = self._refusal(subject)
        if refusal is not None:
            return Case(gathered_at=now, subject=subject, alerts=alerts, missing=(refusal,))
        limit_s = deadline_s if deadline_s is not None else self.config.deadline_s
        warmth = ("seen", subject.namespace, subject.workload or subject.pod or subject.node)
        look = Look(
            subject=subject, alerts=alerts, now=now, deadline=Deadline(max(0.1, limit_s - _MARGIN_S)), config=self.config,
            cache=self._cache, kube=self.kube, prometheus=self.prometheus, alertmanager=self.alertmanager,
            is_warm=self._cache.fresh(warmth),
        )  # fmt: skip
        redactions = self._collect(look, limit_s)
        kept_alerts, hidden = self._cleaned_alerts(alerts)
        redactions.update(hidden)
        self._cache.get(warmth, lambda: True, ttl_s=self.config.owner_ttl_s, negative_ttl_s=0, deadline=Deadline(1.0))
        order = [g.source for g in self._gatherers]
        return Case(
            gathered_at=now,
            subject=subject,
            alerts=kept_alerts,
            answers={s: look.answers[s] for s in order if s in look.answers},
            missing=tuple(look.missing[s] for s in order if s in look.missing),
            redactions=dict(redactions),
            notes={"requests": look.meter.all()},
        )

    def permissions(self) -> tuple[Permission, ...]:
        """What the gatherers need to be allowed in the cluster; for `doctor` and the shipped ClusterRole."""
        return union(p for g in self._gatherers for p in g.permissions)

    def close(self) -> None:
        """Close the connections; a later look opens new ones."""
        for client in (self.kube, self.prometheus, self.alertmanager):
            if client is not None:
                client.http.close()

    def _refusal(self, subject: Subject) -> Missing | None:
        """Why nothing may be asked for this subject, if so."""
        ours = self.config.cluster_name
        if ours and subject.cluster and subject.cluster != ours:
            return Missing(
                source="cluster",
                why=f"the alert is of cluster {subject.cluster}, this receiver reads cluster {ours}: a pod of that name here is another pod",
                hint="run a receiver in that cluster, or set CLUSTER_NAME",
            )
        for name in (subject.namespace, subject.pod, subject.node):
            if name and not is_kube_name(name):
                return Missing(source="cluster", why=f"{name[:80]!r} in the alert's labels cannot be a Kubernetes name")
        return None

    def _collect(self, look: Look, limit_s: float) -> Counter[str]:
        waiting = list(self._gatherers)
        running: set[str] = set()
        done: set[str] = set()
        outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        redactions: Counter[str] = Counter()
        while True:
            for gatherer in [g for g in waiting if done.issuperset(g.after)]:
                waiting.remove(gatherer)
                running.add(gatherer.source)
                thread = threading.Thread(
                    target=lambda g=gatherer: outcomes.put(self._run(g, look)), name=f"evidence-{gatherer.source}", daemon=True
                )
                thread.start()
            if not running:
                break
            try:
                outcome = outcomes.get(timeout=look.deadline.left_s() + _MARGIN_S / 2)
            except queue.Empty:
                break
            running.discard(outcome.source)
            done.add(outcome.source)
            redactions.update(outcome.redactions)
            if outcome.missing is not None:
                look.missing[outcome.source] = outcome.missing
            elif outcome.answer is not None:
                look.answers[outcome.source] = outcome.answer
        for gatherer in self._gatherers:
            if gatherer.source not in done:
                look.missing[gatherer.source] = _too_late(gatherer, running, limit_s)
        return redactions

    def _run(self, gatherer: Gatherer, look: Look) -> _Outcome:
        clean = Cleaner(self._redact)
        answer, missing = None, None
        try:
            answer = gatherer.ask(look, clean)
        except Gap as gap:
            missing = gap.missing(gatherer.source)
        except SourceError as exc:
            missing = _missing(gatherer, exc)
        except Exception:  # one gatherer's bug must cost its own evidence only, never the message
            log.exception("a gatherer failed", extra={"source": gatherer.source})
            missing = Missing(source=gatherer.source, why="an internal error: see the receiver's log", hint="please report it")
        return _Outcome(source=gatherer.source, answer=answer, missing=missing, redactions=clean.counts)

    def _cleaned_alerts(self, alerts: tuple[Alert, ...]) -> tuple[tuple[Alert, ...], Mapping[str, int]]:
        clean = Cleaner(self._redact)
        kept = tuple(replace(a, annotations={k: clean.pair(k, v) for k, v in a.annotations.items()}) for a in alerts)
        return kept, clean.counts


def _missing(gatherer: Gatherer, exc: SourceError) -> Missing:
    hint = ""
    if isinstance(exc, Unauthenticated):
        hint = f"the token is not accepted: check {_TOKEN_SETTING[gatherer.asks]}"
    elif isinstance(exc, Forbidden) and gatherer.permissions:
        hint = f"grant {_wanted(gatherer, str(exc))} to the receiver's ClusterRole"
    elif isinstance(exc, Forbidden):
        hint = f"{gatherer.asks.capitalize()} refuses these credentials: check {_TOKEN_SETTING[gatherer.asks]}"
    elif isinstance(exc, Throttled):
        hint = "the source is overloaded; it will be asked again"
    elif isinstance(exc, Unreadable):
        hint = f"is {gatherer.asks.capitalize()} really behind that address?" if "JSON" in str(exc) else ""
    elif isinstance(exc, Rejected) and gatherer.asks == PROMETHEUS:
        hint = "this Prometheus does not take the query; `oomtriage doctor` says more"
    return Missing(source=gatherer.source, why=str(exc), hint=hint, is_retryable=exc.retryable)


def _wanted(gatherer: Gatherer, refusal: str) -> str:
    """The permission that was refused: of several, the one whose resource the refusal names."""
    named = [p for p in gatherer.permissions if f'"{p.resource}"' in refusal]
    return " and ".join(str(p) for p in named or gatherer.permissions)


def _too_late(gatherer: Gatherer, running: set[str], limit_s: float) -> Missing:
    if gatherer.source in running:
        why = f"{gatherer.asks.capitalize()} did not answer within {limit_s:g} s"
    else:
        slow = ", ".join(sorted(set(gatherer.after) & running)) or "other evidence"
        why = f"not asked: {slow} did not come within {limit_s:g} s"
    return Missing(source=gatherer.source, why=why, hint="the message is edited when it comes", is_retryable=True)
