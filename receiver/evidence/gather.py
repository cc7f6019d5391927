"""Runs the gatherers of one case in parallel, each as soon as what it builds on is in, all under one deadline."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject
from receiver.errors import ComputedTooLong, Forbidden, NotFound, Rejected, SourceError, Throttled, TooLarge, Unreadable
from receiver.evidence import gatherers
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.cache import Cache
from receiver.evidence.clean import Cleaner, Redact
from receiver.evidence.gatherers import Gatherer
from receiver.evidence.kube import Kube, is_kube_name
from receiver.evidence.look import ALERTMANAGER, KUBERNETES, PROMETHEUS, EvidenceConfig, Gap, Look
from receiver.evidence.prometheus import Prometheus
from receiver.evidence.pulse import PulseReader
from receiver.evidence.rbac import Permission, union
from receiver.evidence.worst_pod import find_worst_pod
from receiver.process.cpu_guard import CpuGuard
from receiver.transport import ConnectionFailed, Deadline, TlsFault, TlsProblem, Unauthenticated

log = logging.getLogger(__name__)

_ADDRESS_SETTING = {KUBERNETES: "KUBE_API_URL", PROMETHEUS: "PROMETHEUS_URL", ALERTMANAGER: "ALERTMANAGER_URL"}
_CA_SETTING = {KUBERNETES: "KUBE_CA_PATH", PROMETHEUS: "PROMETHEUS_CA_PATH", ALERTMANAGER: "ALERTMANAGER_CA_PATH"}
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
        guard: CpuGuard | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic`: the clock by which kept answers age; deadlines of requests are real time. `guard`: of what reading them computes."""
        self._guard = guard or CpuGuard()
        self.config = config
        self.kube, self.prometheus, self.alertmanager = kube, prometheus, alertmanager
        self._redact = redact
        self._gatherers = all_gatherers
        self._cache = Cache(clock=monotonic)
        self.pulses = PulseReader(config, kube=kube, prometheus=prometheus, cache=self._cache)

    def gather(
        self, subject: Subject, alerts: tuple[Alert, ...], now: datetime, *, deadline_s: float | None = None, fixed_at: datetime | None = None
    ) -> Case:  # fmt: skip
        """The case of this subject, inside the deadline. Never raises for a source's failure: that becomes a Missing.

        `fixed_at`: this look follows up a fix of that moment.
        """
        refusal = self._refusal(subject)
        if refusal is not None:
            return Case(gathered_at=now, subject=subject, alerts=alerts, missing=(refusal,))
        limit_s = deadline_s if deadline_s is not None else self.config.deadline_s
        warmth = ("seen", subject.namespace, subject.workload or subject.pod or subject.node)
        look = Look(
            subject=subject, alerts=alerts, now=now, deadline=Deadline(max(0.1, limit_s - _MARGIN_S)), config=self.config,
            cache=self._cache, kube=self.kube, prometheus=self.prometheus, alertmanager=self.alertmanager,
            is_warm=self._cache.fresh(warmth), fixed_at=fixed_at,
        )  # fmt: skip
        look = find_worst_pod(look)
        redactions = self._collect(look, limit_s)
        kept_alerts, hidden = self._cleaned_alerts(alerts)
        redactions.update(hidden)
        self._cache.get(warmth, lambda: True, ttl_s=self.config.owner_ttl_s, negative_ttl_s=0, deadline=Deadline(1.0))
        order = [g.source for g in self._gatherers]
        return Case(
            gathered_at=now,
            subject=look.subject,
            alerts=kept_alerts,
            answers={s: look.answers[s] for s in order if s in look.answers},
            missing=tuple(look.missing[s] for s in order if s in look.missing),
            redactions=dict(redactions),
            notes={"requests": look.meter.all()},
        )

    def permissions(self) -> tuple[Permission, ...]:
        """What the gatherers need to be allowed in the cluster; the shipped ClusterRole grants it."""
        return union(p for g in self._gatherers for p in g.permissions)

    def hide(self, name: str, value: str) -> str:
        """A named value as it may be shown: without the secrets in it."""
        return Cleaner(self._redact).pair(name, value)

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
                why=f"the alert is of cluster {subject.cluster[:80]}, this receiver reads cluster {ours}: a pod of that name here is another pod",
                hint="run a receiver in that cluster, or set CLUSTER_NAME",
                is_configuration=True,
            )
        for name in (subject.namespace, subject.pod, subject.node):
            if name and not is_kube_name(name):
                return Missing(
                    source="cluster",
                    why=f"{name[:80]!r} in the alert's labels cannot be a Kubernetes name",
                    hint="set label_names if another label holds it",
                    is_configuration=True,
                )
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
                if not _applies(gatherer, look):
                    done.add(gatherer.source)
                    continue
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
            if gatherer.source not in done and _applies(gatherer, look):
                look.missing[gatherer.source] = _too_late(gatherer, running, limit_s)
        return redactions

    def _run(self, gatherer: Gatherer, look: Look) -> _Outcome:
        clean = Cleaner(self._redact)
        answer, missing = None, None
        try:
            with self._guard.within(f"evidence {gatherer.source}"):
                answer = gatherer.ask(look, clean)
        except Gap as gap:
            missing = gap.missing(gatherer.source)
        except SourceError as exc:
            missing = _missing(gatherer, exc)
        except ComputedTooLong:
            missing = Missing(source=gatherer.source, why="reading it took more CPU than a look may use", hint="please report it")
        except Exception:  # one gatherer's bug must cost its own evidence only, never the message
            log.exception("a gatherer failed", extra={"source": gatherer.source})
            missing = Missing(source=gatherer.source, why="an internal error: see the receiver's log", hint="please report it")
        return _Outcome(source=gatherer.source, answer=answer, missing=missing, redactions=clean.counts)

    def _cleaned_alerts(self, alerts: tuple[Alert, ...]) -> tuple[tuple[Alert, ...], Mapping[str, int]]:
        clean = Cleaner(self._redact)
        kept = tuple(replace(a, labels=clean.pairs(a.labels), annotations=clean.pairs(a.annotations)) for a in alerts)
        return kept, clean.counts


def _applies(gatherer: Gatherer, look: Look) -> bool:
    return not gatherer.only_with or gatherer.only_with in look.answers


def _missing(gatherer: Gatherer, exc: SourceError) -> Missing:
    hint = _configuration_hint(gatherer, exc)
    return Missing(
        source=gatherer.source, why=str(exc), hint=hint or _hint(gatherer, exc), is_retryable=exc.retryable, is_configuration=bool(hint)
    )


def _configuration_hint(gatherer: Gatherer, exc: SourceError) -> str:
    """What a change of settings, permissions or certificates would fix; empty where none would."""
    asked = gatherer.asks.capitalize()
    match exc:
        case ConnectionFailed(tls=TlsFault(problem=problem)):
            return _tls_hint(gatherer.asks, problem)
        case Unauthenticated():
            return f"the token is not accepted: check {_TOKEN_SETTING[gatherer.asks]}"
        case Forbidden() if gatherer.permissions:
            return f"grant {_wanted(gatherer, exc.said)} to the receiver's ClusterRole"
        case Forbidden():
            return f"{asked} refuses these credentials: check {_TOKEN_SETTING[gatherer.asks]}"
        case NotFound() if gatherer.asks != KUBERNETES:
            return f"there is no {asked} API at that address: check {_ADDRESS_SETTING[gatherer.asks]}, its path too"
        case Unreadable() if not isinstance(exc, TooLarge):
            return f"is {asked} really behind that address?"
    return ""


def _hint(gatherer: Gatherer, exc: SourceError) -> str:
    """What would make the evidence available, by what went wrong."""
    asked = gatherer.asks.capitalize()
    match exc:
        case Throttled():
            return "the source is overloaded; it is asked again later"
        case NotFound():
            return "it was deleted meanwhile, or this cluster does not serve it"
        case TooLarge():
            return "so much is not read; ask it by hand"
        case Rejected() if gatherer.asks == KUBERNETES:
            return "this API server does not take the request"
        case Rejected():
            return f"this {asked} does not take the query"
    return f"is {asked} up, and reachable from the receiver? It is asked again later"


def _tls_hint(asks: str, problem: TlsProblem) -> str:
    """What lets a refused certificate pass, without checking any less."""
    match problem:
        case TlsProblem.CA_FILE:
            return f"{_CA_SETTING[asks]} must name a file with certificates in PEM form"
        case TlsProblem.UNKNOWN_CA:
            return f"set {_CA_SETTING[asks]} to a file with the CA that signed it"
        case TlsProblem.DATES:
            return "renew the certificate; if it is new, check the clock of the receiver's node"
        case TlsProblem.NAME:
            return f"set {_ADDRESS_SETTING[asks]} to a name that the certificate holds"
        case TlsProblem.CERTIFICATE:
            return f"replace the certificate of {asks.capitalize()}"
        case TlsProblem.HANDSHAKE:
            return f"does {asks.capitalize()} speak TLS at that address?"


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
    return Missing(source=gatherer.source, why=why, hint="it is asked again later", is_retryable=True)
