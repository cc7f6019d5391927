"""Evidence over recordings: stand-ins, an Evidence that asks them, and subjects as alerts name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from receiver.demo.standins import Incident, Recordings
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, Subject, subject_of
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.alertmanager import Alertmanager, AlertmanagerConfig
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus


def nothing_redacted(text: str) -> tuple[str, dict[str, int]]:
    """A redactor that finds nothing."""
    return text, {}


@dataclass(kw_only=True)
class Lab:
    """The stand-ins and what asks them."""

    recordings: Recordings
    kube: FakeKube
    prometheus: FakePrometheus
    evidence: Evidence

    def gather(self, name: str = "", pod: int = 0, **options: Any) -> Case:
        """The case of a recorded pod at the moment it was recorded."""
        incident = self.incident(name)
        return self.evidence.gather(self.subject(name, pod), (), incident.taken_at, **options)

    def incident(self, name: str = "") -> Incident:
        """A recorded incident; the only one when no name is given."""
        return self.recordings.incident(name) if name else self.recordings.incidents[0]

    def subject(self, name: str = "", pod: int = 0, **labels: str) -> Subject:
        """A recorded pod as an alert without a container label would name it."""
        metadata = self.incident(name).pods[pod].pod["metadata"]
        return subject_of({"namespace": metadata["namespace"], "pod": metadata["name"], **labels}, LabelNames())


@contextmanager
def lab(
    *incidents: str,
    moment: str = "",
    config: EvidenceConfig | None = None,
    redact: Any = nothing_redacted,
    alertmanager: str = "",
    prometheus: PrometheusConfig | None = None,
    recordings: Recordings | None = None,
) -> Iterator[Lab]:
    """Stand-ins that replay these incidents, running."""
    recordings = recordings or recorded(*incidents, moment=moment)
    with FakeKube(recordings) as kube, FakePrometheus(recordings.series) as fake_prometheus:
        evidence = Evidence(
            config or EvidenceConfig(),
            kube=Kube(KubeConfig(api_url=kube.url)),
            prometheus=Prometheus(prometheus or PrometheusConfig(url=fake_prometheus.url)),
            alertmanager=Alertmanager(AlertmanagerConfig(url=alertmanager)) if alertmanager else None,
            redact=redact,
        )
        yield Lab(recordings=recordings, kube=kube, prometheus=fake_prometheus, evidence=evidence)
        evidence.close()
