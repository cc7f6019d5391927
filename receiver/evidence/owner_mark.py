"""A mark of what a workload's owner and its autoscalers ask for: another one after each change, whoever made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from receiver.case.access import get, objects, text, whole
from receiver.domain.identity import Subject
from receiver.errors import Forbidden, NotFound
from receiver.evidence.cache import Cache
from receiver.evidence.gatherers.owners import PLACES
from receiver.evidence.kube import FROM_CACHE, Kube, object_path
from receiver.evidence.look import EvidenceConfig
from receiver.transport import Deadline

_AUTOSCALERS = (
    ("apis/autoscaling/v2", "horizontalpodautoscalers", "scaleTargetRef"),
    ("apis/autoscaling.k8s.io/v1", "verticalpodautoscalers", "targetRef"),
)


def owner_mark(kube: Kube, cache: Cache, config: EvidenceConfig, subject: Subject, deadline: Deadline) -> tuple[str, int]:
    """The mark, and the requests that it cost. Empty where there is no owner of a kind that is read, or it is gone.

    One GET of the owner: its generation rises with every change of its spec. The autoscalers of the namespace are those that looks
    keep, asked for when these are old. What looks have kept of the owner is replaced by what was read. A SourceError when it
    cannot be read now.
    """
    workload = subject.workload
    place = next((place for place in PLACES if workload is not None and place[1] == workload.kind), None)
    if workload is None or place is None:
        return "", 0
    api, resource = PLACES[place]
    path = object_path(api, resource, namespace=subject.namespace, name=workload.name)
    try:
        owner = kube.get(path, deadline=deadline)
    except NotFound:
        return "", 1
    cache.put((path,), owner, ttl_s=config.owner_ttl_s)
    told: list[Any] = [text(owner, "metadata", "uid"), whole(owner, "metadata", "generation") or get(owner, "spec")]
    requests = 1
    for group, plural, reference in _AUTOSCALERS:
        key = (object_path(group, plural, namespace=subject.namespace), *sorted(FROM_CACHE.items()))
        requests += 0 if cache.fresh(key) else 1
        told += [
            get(entry, "spec")
            for entry in _kept_list(kube, cache, config, key, deadline)
            if (text(entry, "spec", reference, "kind"), text(entry, "spec", reference, "name")) == (workload.kind, workload.name)
        ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16], requests


def _kept_list(
    kube: Kube, cache: Cache, config: EvidenceConfig, key: tuple[Any, ...], deadline: Deadline
) -> Sequence[Mapping[str, Any]]:  # fmt: skip
    """What looks keep of a list, or a new answer. Nothing where it may not be read or is not served; away is a SourceError."""
    try:
        answer = cache.get(
            key, lambda: kube.get(key[0], FROM_CACHE, deadline=deadline), ttl_s=config.policy_ttl_s, negative_ttl_s=config.negative_ttl_s,
            deadline=deadline,
        )  # fmt: skip
    except (NotFound, Forbidden):
        return ()
    return objects(answer, "items")
