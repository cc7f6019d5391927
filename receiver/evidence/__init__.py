"""Evidence: reads the world about one subject and returns a Case; what could not be read is a Missing in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from receiver.domain.alerts import Alert
from receiver.domain.case import Case
from receiver.domain.identity import Subject
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.kube import Kube
from receiver.evidence.prometheus import Prometheus

Redact = Callable[[str], tuple[str, Mapping[str, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """How evidence is gathered. `cluster_name` empty: alerts of every cluster are taken for ours."""

    cluster_name: str = ""
    deadline_s: float = 10.0
    workers: int = 32


class Evidence:
    """Gathers cases. One object lives as long as the process: it holds the caches. None for a source that is not configured."""

    def __init__(
        self,
        config: EvidenceConfig,
        *,
        kube: Kube | None,
        prometheus: Prometheus | None,
        alertmanager: Alertmanager | None,
        redact: Redact,
    ) -> None:
        self.config = config
        self._kube, self._prometheus, self._alertmanager, self._redact = kube, prometheus, alertmanager, redact

    def gather(self, subject: Subject, alerts: tuple[Alert, ...], now: datetime) -> Case:
        """The case of this subject, inside the deadline. Never raises for a source's failure."""
        return Case(gathered_at=now, subject=subject, alerts=alerts)

    def close(self) -> None:
        """Stop the threads; what is still being asked is left behind."""
