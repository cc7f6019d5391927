"""The workload behind a pod: chain of owners, revisions and what they changed, siblings, autoscalers, who manages it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.case.access import controller_of, get, mapping, objects, quantity_bytes, string_map, text, whole
from receiver.case.managers import manager_of
from receiver.case.pod import container_facts, memory_setting, pod_facts, writes
from receiver.case.rollout import rollout_of
from receiver.case.vpa import vpa_of
from receiver.domain.change import flags_of
from receiver.domain.facts import MemorySetting, Revision, Scaling, SiblingFact, WorkloadFacts, Write
from receiver.domain.identity import Subject, Workload
from receiver.domain.units import parse_time

MOST_CAUSE = 120  # characters of a change-cause: people write whole commands into it

# The label that a ReplicaSet's pods carry says whose ReplicaSet it is; its name is the owner's plus this hash.
_HASH_LABELS = (("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout"))


def guessed_owner(pod: object) -> Workload | None:
    """The Deployment (or Argo Rollout) that the pod's ReplicaSet is named after, when the pod's labels say so."""
    reference = controller_of(pod)
    labels = string_map(pod, "metadata", "labels")
    name = text(reference, "name")
    if text(reference, "kind") != "ReplicaSet":
        return None
    for label, kind in _HASH_LABELS:
        suffix = f"-{labels.get(label, '')}"
        if len(suffix) > 1 and name.endswith(suffix) and name != suffix:
            return Workload(kind=kind, name=name.removesuffix(suffix))
    return None


def workload_facts(answers: Mapping[str, Any], subject: Subject, container: str) -> WorkloadFacts | None:
    """The workload, or None when nothing is known of it. `container`: whose restarts the siblings are asked for."""
    pod = answers.get("pod")
    owners = objects(answers, "owners")
    revisions = objects(answers, "replicasets", "items")
    chain = _chain(pod, owners, revisions)
    if len(chain) > 1:
        kind, name = chain[-1] if chain[-1][0] != "Node" else chain[0]  # a static pod is "owned" by its node
        workload = Workload(kind=kind, name=name)
    elif chain:
        # Nothing controls the pod; or what does could not be read and the alert said more.
        workload = Workload(kind="Pod", name=chain[0][1])
    elif owners:
        workload = Workload(kind=text(owners[-1], "kind"), name=text(owners[-1], "metadata", "name"))
    elif subject.workload is not None:
        workload = subject.workload
    else:
        return None
    scaled = _scaled(owners)
    top = owners[-1] if owners else {}
    hpas, vpas = objects(answers, "hpa", "items"), objects(answers, "vpa", "items")
    template = [container_facts(c, {}, "regular") for c in _template_containers(owners, workload)]
    return WorkloadFacts(
        workload=workload,
        chain=chain,
        replicas_desired=_desired(scaled),
        revisions=tuple(_revision(r) for r in revisions),
        siblings=tuple(_sibling(p, container) for p in objects(answers, "siblings", "items")),
        hpa=_hpa(hpas),
        hpa_metrics=objects(hpas[0], "spec", "metrics") if hpas else (),
        scaling=_scaling(answers.get("scaling")),
        vpa=vpa_of(vpas),
        managed_by=manager_of(owners, pod),
        template={c.name: c.asked for c in template} or None,
        template_pod_level=_template_pod_level(owners, workload),
        template_images={c.name: c.image for c in template},
        template_flags={c.name: flags_of(c.command, c.env) for c in template},
        restarted_at=_restarted_at(mapping(top, "spec", "template")),
        rollout=rollout_of(top),
        writes=writes(top),
        hpa_line="; ".join(_hpa_line(h) for h in hpas[:3]),
        vpa_line="; ".join(_vpa_line(v) for v in vpas[:3]),
        hpa_write=_newest_write(hpas),
        vpa_write=_newest_write(vpas),
        labels=string_map(pod, "metadata", "labels") | string_map(top, "metadata", "labels"),
        annotations=string_map(pod, "metadata", "annotations") | string_map(top, "metadata", "annotations"),
        schedule=_schedule(owners),
        is_suspended=any(get(o, "spec", "suspend") is True for o in owners if text(o, "kind") == "CronJob"),
        job_failure=_job_failure(owners),
    )


def _schedule(owners: tuple[Mapping[str, Any], ...]) -> str:
    cronjob = next((o for o in owners if text(o, "kind") == "CronJob"), {})
    zone = text(cronjob, "spec", "timeZone")
    schedule = text(cronjob, "spec", "schedule")
    return f"{schedule} ({zone})" if schedule and zone else schedule


def _job_failure(owners: tuple[Mapping[str, Any], ...]) -> str:
    """The reason of the condition Failed, with which the Job controller ends a Job for good."""
    conditions = (c for o in owners if text(o, "kind") == "Job" for c in objects(o, "status", "conditions"))
    return next((text(c, "reason") or "Failed" for c in conditions if text(c, "type") == "Failed" and text(c, "status") == "True"), "")


def _chain(pod: object, owners: tuple[Mapping[str, Any], ...], revisions: tuple[Mapping[str, Any], ...]) -> tuple[tuple[str, str], ...]:
    """(kind, name) from the pod upwards: by the references of what was read, by names where a link was not."""
    name = text(pod, "metadata", "name")
    if not name:
        return ()
    chain = [("Pod", name)]
    known = {(text(o, "kind"), text(o, "metadata", "name")): o for o in owners}
    known |= {("ReplicaSet", text(r, "metadata", "name")): r for r in revisions}
    reference = controller_of(pod)
    guess = guessed_owner(pod)
    while reference and len(chain) < 6:
        link = (text(reference, "kind"), text(reference, "name"))
        chain.append(link)
        if link in known:
            reference = controller_of(known[link])
        elif link[0] == "ReplicaSet" and guess is not None:
            chain.append((guess.kind, guess.name))
            reference = controller_of(known.get((guess.kind, guess.name)))
        else:
            break
    return tuple(_without_operator(chain))


def _without_operator(chain: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Ends at what holds the pod template: above a StatefulSet an operator's own resource may stand (see `managed_by`)."""
    for i, (kind, _) in enumerate(chain):
        if kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Rollout"):
            return chain[: i + 1]
    return chain


def _pod_spec(owners: tuple[Mapping[str, Any], ...], workload: Workload) -> Mapping[str, Any]:
    """The template's pod spec, of the object that a person edits; empty where it was not read or has none (a Rollout with a workloadRef)."""
    owner = next((o for o in owners if (text(o, "kind"), text(o, "metadata", "name")) == (workload.kind, workload.name)), {})
    return mapping(owner, "spec", "template", "spec") or mapping(owner, "spec", "jobTemplate", "spec", "template", "spec")


def _template_containers(owners: tuple[Mapping[str, Any], ...], workload: Workload) -> tuple[Mapping[str, Any], ...]:
    spec = _pod_spec(owners, workload)
    return objects(spec, "containers") + objects(spec, "initContainers")


def _template_pod_level(owners: tuple[Mapping[str, Any], ...], workload: Workload) -> MemorySetting | None:
    spec = _pod_spec(owners, workload)
    return memory_setting(spec) if mapping(spec, "resources") else None


def _scaled(owners: tuple[Mapping[str, Any], ...]) -> Mapping[str, Any]:
    return next((o for o in reversed(owners) if text(o, "kind") != "CronJob"), {})


def _desired(owner: Mapping[str, Any]) -> int | None:
    for path in (("spec", "replicas"), ("status", "desiredNumberScheduled"), ("spec", "parallelism")):
        if (count := whole(owner, *path)) is not None:
            return count
    return None


def _revision(entry: Mapping[str, Any]) -> Revision:
    # A ControllerRevision holds the template as the patch `data.spec.template`.
    template = mapping(entry, "spec", "template") or mapping(entry, "data", "spec", "template")
    containers = objects(template, "spec", "containers") + objects(template, "spec", "initContainers")
    stated = string_map(entry, "metadata", "annotations")
    number = stated.get("deployment.kubernetes.io/revision") or stated.get("rollout.argoproj.io/revision") or ""
    return Revision(
        name=text(entry, "metadata", "name"),
        revision=int(number) if number.isdigit() else whole(entry, "revision"),
        created_at=parse_time(text(entry, "metadata", "creationTimestamp")),
        images={text(c, "name"): text(c, "image") for c in containers},
        limits_bytes={text(c, "name"): quantity_bytes(c, "resources", "limits", "memory") for c in containers},
        replicas=whole(entry, "spec", "replicas"),
        flags={c.name: flags_of(c.command, c.env) for c in (container_facts(c, {}, "regular") for c in containers)},
        change_cause=" ".join(stated.get("kubernetes.io/change-cause", "").split())[:MOST_CAUSE],
        restarted_at=_restarted_at(template),
    )


def _restarted_at(template: object) -> str:
    return string_map(template, "metadata", "annotations").get("kubectl.kubernetes.io/restartedAt", "")


def _newest_write(items: tuple[Mapping[str, Any], ...]) -> Write | None:
    """The newest write of what these objects ask for."""
    return max((w for item in items for w in writes(item) if w.what == "spec"), key=lambda w: w.at, default=None)


def _hpa_line(hpa: Mapping[str, Any]) -> str:
    """`2-10, cpu 80`: what a change of it changes."""
    found = _hpa((hpa,)) or {}
    metrics = found.get("metrics")
    asked = [f"{m['name']} {m['target']}" for m in metrics] if isinstance(metrics, list) else []
    return ", ".join([f"{found.get('min')}-{found.get('max')}", *asked])


def _vpa_line(vpa: Mapping[str, Any]) -> str:
    """`Auto, 64Mi to 512Mi`: its mode and the bounds for memory."""
    policies = objects(vpa, "spec", "resourcePolicy", "containerPolicies")
    bounds = [
        f"{text(p, 'containerName')} {text(p, 'minAllowed', 'memory') or 'any'} to {text(p, 'maxAllowed', 'memory') or 'any'}"
        for p in policies
    ]
    return ", ".join([text(vpa, "spec", "updatePolicy", "updateMode") or "Auto", *bounds])


def _sibling(entry: Mapping[str, Any], container: str) -> SiblingFact:
    pod = pod_facts(entry)
    same = pod.container(container) if pod and container else None
    death = same.newest_termination if same else None
    return SiblingFact(
        pod=pod.name if pod else "",
        node=pod.node if pod else "",
        limit_bytes=same.limit_bytes if same else None,
        image=same.image if same else "",
        is_running=same.state == "running" if same else False,
        created_at=pod.created_at if pod else None,
        restart_count=same.restart_count if same else 0,
        is_ready=same.is_ready if same else False,
        last_reason=(pod.reason if pod and pod.reason else "") or (death.reason if death else ""),
        last_finished_at=death.finished_at if death else None,
    )


def _scaling(answer: object) -> Scaling | None:
    """What discovery said of scalers by rate."""
    if not isinstance(answer, Mapping):
        return None
    return Scaling(
        has_keda="keda.sh" in (answer.get("groups") or ()),
        scaled_object=next(iter(objects(answer, "items")), None),
        pods_metric=text(answer, "pods_metric"),
        external_metric=text(answer, "external_metric"),
    )


def _hpa(items: tuple[Mapping[str, Any], ...]) -> Mapping[str, object] | None:
    if not items:
        return None
    hpa = items[0]
    metrics = []
    for metric in objects(hpa, "spec", "metrics"):
        body = next((mapping(metric, k) for k in ("resource", "containerResource", "pods", "external", "object") if k in metric), {})
        target = mapping(body, "target")
        metrics.append(
            {
                "type": text(metric, "type"),
                "name": text(body, "name") or text(body, "metric", "name"),
                "target": next((target[k] for k in ("averageUtilization", "averageValue", "value") if k in target), None),
            }
        )
    minimum = whole(hpa, "spec", "minReplicas")
    return {
        "name": text(hpa, "metadata", "name"), "min": minimum if minimum is not None else 1, "max": whole(hpa, "spec", "maxReplicas"),
        "current": whole(hpa, "status", "currentReplicas"), "metrics": metrics,
    }  # fmt: skip
