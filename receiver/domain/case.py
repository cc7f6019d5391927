"""A case: all raw evidence gathered for an incident at one moment, as one JSON document.

What the APIs answered is kept as they answered it (redacted; of managedFields only who wrote what decides about memory, as
`metadata.writes`), not as we understood it: a saved case replays through a later version's parser and diagnosis, and shows
what they would have said.

    {"schema": "oomtriage.case/v1", "gathered_at", "subject": {...}, "alerts": [...],
     "answers": {SOURCE: JSON}, "missing": [{"source", "why", "hint", "configuration"}], "redactions": {KIND: n}, "notes": {...}}

`answers` by source (names are fixed here; absent: not asked; asked in vain: an entry in `missing`):

| source | JSON |
|---|---|
| pod | v1 Pod |
| events | {"items": [v1 Event, ...]}: of the pod and its owner (and, in recordings, of its node) |
| nodeevents | {"items": [v1 Event, ...]}: of the node |
| log | {"container", "previous": bool, "text", "truncated": bool, "lines": n, "of_running_instance": bool} of the killed container; the last: not of the instance that died |
| owners | [object, ...] from the pod upwards (ReplicaSet, Deployment), metadata, spec and status |
| replicasets | {"items": [apps/v1 ReplicaSet or ControllerRevision, ...]} of the owner: its revisions |
| siblings | {"items": [v1 Pod, ...]} of the same workload |
| node | v1 Node |
| nodepods | {"items": [v1 Pod, ...]} of the node: metadata, resources and statuses only |
| metrics | metrics.k8s.io PodMetrics |
| hpa | {"items": [autoscaling/v2 HPA, ...]} that scale the workload |
| vpa, limitrange, resourcequota | {"items": [...]} of the namespace |
| history | {"step_s", "start", "end", "series": {NAME: [{"metric": {...}, "values": [[t, "v"], ...]}, ...]}}: range answers of Prometheus |
| recent | the same shape, the last hour, every sample as scraped |
| peaks | the same shape, 7 d at 30 min; `exports`: [{"metric", "place", "container", "total"}], what the workload exported in the last hour |
| traffic | the same shape as history: request rates, named after the query that found them; `counter`: {"metric", "maker", "unit", "is_on_pod", "total_query", "address", "needs_login"} |
| scaling | {"groups": [...], "items": [KEDA ScaledObject, ...] of the workload, "pods_metric", "external_metric": what an adapter calls this rate} |
| rules | Prometheus' rules that name memory: {"groups": [...]} |
| silences | {"alerts": [...]}: Alertmanager's view of this subject's alerts |
| since | the shape of history: every pod of the workload, from a day before a fix to now, for its follow-up |

`notes` has what is no answer: `requests` by source; `held`, what an earlier look read, {SOURCE: when}; `life`, what the incident
remembers that the diagnosis needs (`domain/change.py` `Known`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert, parse_alert
from receiver.domain.identity import Subject, Workload
from receiver.domain.units import format_time, parse_time
from receiver.errors import PayloadError

CASE_SCHEMA = "oomtriage.case/v1"
HELD, LIFE = "held", "life"  # notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The record that a piece of evidence is not available.

    `why` follows the name of the source (`request rate: ...`) and does not repeat it. `hint` says what would make it available, or
    that this is normal; where `is_configuration`, only whoever configures the receiver or the cluster can do it, so the on-call is
    not told.
    """

    source: str
    why: str
    hint: str = ""
    is_retryable: bool = False
    is_normal: bool = False
    is_configuration: bool = False

    def to_json(self) -> dict[str, Any]:
        """As reports carry it; `configuration` only where it is true."""
        whose = {"configuration": True} if self.is_configuration else {}
        return {"source": self.source, "why": self.why, "hint": self.hint, **whose}

    @property
    def hint_for_reader(self) -> str:
        """The hint, where it is one for the on-call."""
        return "" if self.is_configuration else self.hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One moment's evidence. Immutable; `answers` values are plain JSON."""

    gathered_at: datetime
    subject: Subject
    alerts: tuple[Alert, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The document that `--save` writes and `diagnose` reads."""
        subject = subject_to_json(self.subject)
        if self.subject.workload is not None and self.subject.workload.is_inferred:
            subject["workload"]["inferred"] = True
        return {
            "schema": CASE_SCHEMA,
            "gathered_at": format_time(self.gathered_at),
            "subject": subject,
            "alerts": [a.to_json() for a in self.alerts],
            "answers": dict(self.answers),
            "missing": [
                {**m.to_json(), "retryable": m.is_retryable, "normal": m.is_normal, "configuration": m.is_configuration}
                for m in self.missing
            ],
            "redactions": dict(self.redactions),
            "notes": dict(self.notes),
        }


def case_from_json(document: object) -> Case:
    """A saved case. PayloadError says why a document is none."""
    if not isinstance(document, dict) or document.get("schema") != CASE_SCHEMA:
        raise PayloadError(f'not a saved case: expected a JSON object with "schema": "{CASE_SCHEMA}"')
    gathered_at = parse_time(document.get("gathered_at"))
    if gathered_at is None:
        raise PayloadError('the case has no readable "gathered_at"')
    answers, missing = document.get("answers"), document.get("missing", [])
    if not isinstance(answers, dict) or not isinstance(missing, list):
        raise PayloadError('the case has no object "answers" or no list "missing"')
    return Case(
        gathered_at=gathered_at,
        subject=subject_from_json(document.get("subject")),
        alerts=tuple(parse_alert(a, f"alerts[{i}]") for i, a in enumerate(document.get("alerts") or ())),
        answers=answers,
        missing=tuple(_missing_from_json(m) for m in missing if isinstance(m, dict)),
        redactions={str(k): int(v) for k, v in (document.get("redactions") or {}).items()},
        notes=document.get("notes") or {},
    )


def _missing_from_json(entry: Mapping[str, Any]) -> Missing:
    return Missing(
        source=str(entry.get("source", "")), why=str(entry.get("why", "")), hint=str(entry.get("hint", "")),
        is_retryable=bool(entry.get("retryable")), is_normal=bool(entry.get("normal")), is_configuration=bool(entry.get("configuration")),
    )  # fmt: skip


def subject_to_json(subject: Subject) -> dict[str, Any]:
    """The subject as cases and reports carry it."""
    workload = subject.workload
    return {
        "cluster": subject.cluster, "namespace": subject.namespace, "pod": subject.pod, "container": subject.container,
        "node": subject.node, "workload": {"kind": workload.kind, "name": workload.name} if workload else None,
    }  # fmt: skip


def subject_from_json(entry: object) -> Subject:
    """The subject of a saved case. PayloadError when there is none."""
    if not isinstance(entry, dict):
        raise PayloadError('the case has no object "subject"')
    workload = entry.get("workload")
    return Subject(
        **{k: str(entry.get(k) or "") for k in ("cluster", "namespace", "pod", "container", "node")},
        workload=Workload(kind=str(workload.get("kind")), name=str(workload.get("name")), is_inferred=workload.get("inferred") is True)
        if isinstance(workload, dict)
        else None,
    )
