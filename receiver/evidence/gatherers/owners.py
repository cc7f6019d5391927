"""Who owns the pod, up to what a person edits, and the owner's revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.case.access import controller_of, text
from receiver.case.workload import guessed_owner
from receiver.domain.identity import UNKNOWN_KIND
from receiver.errors import NotFound
from receiver.evidence.clean import Cleaner
from receiver.evidence.kube import FROM_CACHE, object_path
from receiver.evidence.look import Gap, Look
from receiver.evidence.rbac import may
from receiver.evidence.selector import selector_text

# (API group, kind) -> where it is read. A kind of another group (a Volcano Job) is named from the reference, not read.
PLACES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("apps", "ReplicaSet"): ("apis/apps/v1", "replicasets"),
    ("apps", "Deployment"): ("apis/apps/v1", "deployments"),
    ("apps", "StatefulSet"): ("apis/apps/v1", "statefulsets"),
    ("apps", "DaemonSet"): ("apis/apps/v1", "daemonsets"),
    ("batch", "Job"): ("apis/batch/v1", "jobs"),
    ("batch", "CronJob"): ("apis/batch/v1", "cronjobs"),
    ("argoproj.io", "Rollout"): ("apis/argoproj.io/v1alpha1", "rollouts"),
}
PERMISSIONS = tuple(may("get", resource, group) for (group, _), (_, resource) in PLACES.items())
KEPT_REVISIONS = 5
# What is asked for by name when the pod is gone. A name with five characters behind it is a Job's or a DaemonSet's.
_OWNERS_OF_GONE: Mapping[str, tuple[str, ...]] = {
    kind: (kind,) for kind in ("Deployment", "StatefulSet", "CronJob", "DaemonSet", "Job")
} | {UNKNOWN_KIND: ("Job", "DaemonSet")}


def ask(look: Look, clean: Cleaner) -> Any:
    """The chain of owners that can be read, from the pod upwards; empty for a bare pod."""
    if not look.subject.namespace:
        return None
    pod = look.answers.get("pod")
    if not isinstance(pod, Mapping):
        return _owner_of_gone_pod(look, clean)
    guess = guessed_owner(pod)
    if guess is not None:  # the ReplicaSet's name says its Deployment's: one request fewer
        group = "argoproj.io" if guess.kind == "Rollout" else "apps"
        try:
            return [clean.object(read_owner(look, group, guess.kind, guess.name))]
        except NotFound:
            pass
    chain: list[Any] = []
    reference = controller_of(pod)
    while reference and len(chain) < 4:
        place = (_group(reference), text(reference, "kind"))
        if place not in PLACES:
            break
        owner = read_owner(look, *place, text(reference, "name"))
        chain.append(clean.object(owner))
        reference = controller_of(owner)
    return chain


def ask_revisions(look: Look, clean: Cleaner) -> Any:
    """The newest ReplicaSets (or ControllerRevisions) of the owner; None where the kind has none."""
    owner = top_owner(look)
    kind = text(owner, "kind")
    api = "apis/apps/v1"
    if kind in ("Deployment", "Rollout"):
        resource = "replicasets"
    elif kind in ("StatefulSet", "DaemonSet"):
        resource = "controllerrevisions"
    else:
        return None
    selector = selector_text(owner)
    if not selector:
        return None
    path = object_path(api, resource, namespace=look.subject.namespace)
    answer = look.get_kept(path, {"labelSelector": selector, **FROM_CACHE}, ttl_s=look.config.owner_ttl_s)
    uid = text(owner, "metadata", "uid")
    own = [r for r in answer.get("items") or () if isinstance(r, Mapping) and text(controller_of(r), "uid") == uid]
    own.sort(key=_revision_number, reverse=True)
    return clean.items(own[:KEPT_REVISIONS])


def top_owner(look: Look) -> Mapping[str, Any]:
    """The topmost owner that selects pods: a Deployment above its ReplicaSet, a Job below its CronJob. Empty for none.

    A Gap when the owners could not be read.
    """
    look.need("owners")
    chain = look.answers.get("owners")
    readable = [o for o in chain if isinstance(o, Mapping)] if isinstance(chain, list) else []
    return next((o for o in reversed(readable) if selector_text(o)), {})


def _owner_of_gone_pod(look: Look, clean: Cleaner) -> Any:
    """The pod cannot be read; its name, or the alert, may still say who owned it. A Job's CronJob comes along."""
    workload = look.subject.workload
    if workload is None or workload.kind not in _OWNERS_OF_GONE:
        look.need("pod")
        return None
    for kind in _OWNERS_OF_GONE[workload.kind]:
        try:
            owner = read_owner(look, _group_of(kind), kind, workload.name)
        except NotFound:
            continue
        above = controller_of(owner)
        if kind == "Job" and text(above, "kind") == "CronJob":
            return [clean.object(owner), clean.object(read_owner(look, "batch", "CronJob", text(above, "name")))]
        return [clean.object(owner)]
    named = workload.kind if workload.kind != UNKNOWN_KIND else "workload"
    raise Gap(f"the pod is gone and there is no {named} {workload.name}", "it was deleted, or the pod's name misleads")


def read_owner(look: Look, group: str, kind: str, name: str) -> dict[str, Any]:
    """One owner, from the cache where it is there; its kind is filled in."""
    api, resource = PLACES[group, kind]
    path = object_path(api, resource, namespace=look.subject.namespace, name=name)
    answer = look.get_kept(path, ttl_s=look.config.owner_ttl_s)
    return {**answer, "kind": kind}


def _group(reference: Mapping[str, Any]) -> str:
    group, slash, _ = text(reference, "apiVersion").partition("/")
    return group if slash else ""


def _group_of(kind: str) -> str:
    return next(group for group, known in PLACES if known == kind)


def _revision_number(revision: Mapping[str, Any]) -> tuple[int, str]:
    number = revision.get("revision")
    if not isinstance(number, int):
        stated = text(revision, "metadata", "annotations", "deployment.kubernetes.io/revision") or text(
            revision, "metadata", "annotations", "rollout.argoproj.io/revision"
        )
        number = int(stated) if stated.isdigit() else 0
    return number, text(revision, "metadata", "creationTimestamp")
