"""What a name is, and how Kubernetes' controllers name what they own: a workload read off the name of its pod, its ReplicaSet or its Job."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The API server draws random name parts from this alphabet: no vowels, no 0 1 3 (apimachinery/pkg/util/rand).
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
# The template hash is drawn from it too; other controllers write hashes with vowels, told from words by their digits.
_HASH = rf"(?:[{_SAFE}]{{6,10}}|(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{{6,10}})"
_DEPLOYMENT_POD = re.compile(rf"(?P<name>.+)-{_HASH}-[a-z0-9]{{5}}")
_CRONJOB_POD = re.compile(rf"(?P<name>.+)-\d{{7,10}}-[{_SAFE}]{{5}}")  # the Job is named after the minute it was due
_GENERATED_POD = re.compile(rf"(?P<name>.+)-[{_SAFE}]{{5}}")
_ORDINAL_POD = re.compile(r"(?P<name>.+)-\d{1,4}")

_REPLICASET = re.compile(rf"(?P<name>.+)-{_HASH}")
_CRONJOBS_JOB = re.compile(r"(?P<name>.+)-\d{7,10}")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")

UNKNOWN_KIND = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The owner that a person edits: Deployment, StatefulSet, DaemonSet, CronJob, Job, a CRD, or `Pod` for a bare pod.

    `is_inferred`: read off the pod's name or a label, not confirmed by the API. Kind is then often `?`.
    """

    kind: str
    name: str
    is_inferred: bool = False


def is_name(text: str) -> bool:
    """Whether it can be an object's name: a DNS-1123 subdomain, as the API server checks names. Others never get into a command."""
    return _NAME.fullmatch(text) is not None


def kind_named(text: str) -> str:
    """A workload kind as Kubernetes spells it, from the lower-case forms that rules use (`deployment`); `?` when not said."""
    known = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout", "Pod")
    return next((k for k in known if k.lower() == text.strip().lower()), text.strip() or UNKNOWN_KIND)


def workload_from_pod_name(pod: str) -> Workload | None:
    """The workload whose controller would name a pod like this, or None when the name has no such shape."""
    if match := _DEPLOYMENT_POD.fullmatch(pod):
        return Workload(kind="Deployment", name=match["name"], is_inferred=True)
    if match := _CRONJOB_POD.fullmatch(pod):
        return Workload(kind="CronJob", name=match["name"], is_inferred=True)
    if match := _GENERATED_POD.fullmatch(pod):
        return Workload(kind=UNKNOWN_KIND, name=match["name"], is_inferred=True)
    if match := _ORDINAL_POD.fullmatch(pod):
        return Workload(kind="StatefulSet", name=match["name"], is_inferred=True)
    return None


def owner_of(kind: str, name: str) -> Workload:
    """The workload that a person edits, for an owner that alerts name: a ReplicaSet's Deployment, a Job's CronJob, as their names tell."""
    if kind in ("ReplicaSet", UNKNOWN_KIND) and (match := _REPLICASET.fullmatch(name)):
        return Workload(kind="Deployment", name=match["name"], is_inferred=True)
    if kind in ("Job", UNKNOWN_KIND) and (match := _CRONJOBS_JOB.fullmatch(name)):
        return Workload(kind="CronJob", name=match["name"], is_inferred=True)
    return Workload(kind=kind, name=name, is_inferred=True)
