"""Events of the pod and of what owns it.

One list of the namespace instead of one request per object; where that is too large, the pod's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from receiver.case.access import controller_of, mapping, objects, text
from receiver.case.events import newest_time
from receiver.case.workload import guessed_owner
from receiver.domain.units import MIB
from receiver.errors import Unreadable
from receiver.evidence.clean import Cleaner
from receiver.evidence.kube import object_path
from receiver.evidence.look import Look

PAGE = 2000
KEPT = 100  # newest events that a case holds


def ask(look: Look, clean: Cleaner) -> Any:
    """The events that name the pod (by uid: a StatefulSet's pod has had namesakes) or an owner of it."""
    subject = look.subject
    if not subject.names_a_pod:
        return None
    pod = look.answers.get("pod")
    uid = text(pod, "metadata", "uid")
    path = object_path("api/v1", "events", namespace=subject.namespace)
    try:
        answer = look.get(path, {"limit": PAGE}, max_bytes=4 * MIB)
        is_whole = not text(answer, "metadata", "continue")
    except Unreadable:
        is_whole = False
    if not is_whole:  # pages come by name, not by time: ours may be on any of them
        selector = f"involvedObject.uid={uid}" if uid else f"involvedObject.name={subject.pod}"
        answer = look.get(path, {"fieldSelector": selector, "limit": PAGE})
    entries = objects(answer, "items")
    names = _owner_names(pod, subject.workload.name if subject.workload else "")
    return clean.items(_newest(e for e in entries if _concerns(e, subject.pod, uid, names)))


def _concerns(event: Mapping[str, Any], pod: str, uid: str, owners: frozenset[str]) -> bool:
    involved = mapping(event, "involvedObject")
    if text(involved, "kind") == "Pod":
        return text(involved, "uid") == uid if uid else text(involved, "name") == pod
    return text(involved, "name") in owners


def _owner_names(pod: object, workload: str) -> frozenset[str]:
    names = {text(controller_of(pod), "name"), workload}
    guess = guessed_owner(pod)
    if guess is not None:
        names.add(guess.name)
    return frozenset(names - {""})


def _newest(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    dated = sorted(((newest_time(e), e) for e in events), key=lambda pair: pair[0].timestamp() if pair[0] else 0.0)
    return [e for _, e in dated[-KEPT:]]
