"""Where a change starts: what the owner's template says, what is in force in the pod, and what a resize in place still waits for.

The next rollout gives what the template says, so a patch starts there, however the pod came to another limit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from receiver.diagnosis.clues import Clues, is_same, own_revision
from receiver.domain.facts import MemorySetting, PodFacts, Vpa
from receiver.domain.tidy import tidy_up

# Written by the VPA's admission webhook: "Pod resources updated by NAME: container 0: memory request, memory limit; ...".
_VPA_UPDATES = "vpaUpdates"
_VPA_NAME = re.compile(r"updated by ([^:\s]+)\s*:\s*(.*)", re.DOTALL)
_VPA_IN_PLACE = "vpaInPlaceUpdated"
# Written by the LimitRanger plugin: "LimitRanger plugin set: cpu, memory limit for container app; ...".
_LIMIT_RANGER = "kubernetes.io/limit-ranger"
_RESIZE_EVENTS = ("ResizeStarted", "ResizeCompleted", "ResizeDeferred", "ResizeInfeasible", "ResizeError")


class SetBy(StrEnum):
    """Why the limit in force is not the template's."""

    VPA = "vpa"
    LIMIT_RANGE = "limit_range"
    OLDER_REVISION = "older_revision"  # the template was changed, and this pod is from before
    RESIZE = "resize"  # of this pod, in place
    UNKNOWN = "unknown"  # a webhook at its creation, or a resize that left no trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The three values. `template` is None where it could not be read, `set_by` where the template's limit is in force."""

    template: MemorySetting | None = None
    is_injected: bool = False  # the template is known and has no such container
    waiting_bytes: int | None = None  # what a resize of the pod asks for and the kubelet has not given
    resize: str = ""  # how that resize fares: deferred | infeasible | in_progress
    set_by: SetBy | None = None
    vpa: str = ""  # the name of the VPA, where one set the limit

    @property
    def template_bytes(self) -> int | None:
        """The limit that the next rollout gives; None for no limit, and where it is not known."""
        return self.template.limit_bytes if self.template is not None else None

    @property
    def at_least_bytes(self) -> int:
        """What the template or a waiting resize already asks for: a proposal is never below."""
        return max(self.template_bytes or 0, self.waiting_bytes or 0)


def start_of(clues: Clues) -> Start:
    """What a change of this container's limit (or its pod's) starts from."""
    template, is_injected = _template(clues)
    set_by = _set_by(clues, template) if template is not None else None
    waiting = _waiting(clues)
    return Start(
        template=template, is_injected=is_injected, set_by=set_by, waiting_bytes=waiting,
        resize=_resize(clues) if waiting is not None else "", vpa=_vpa_name(clues) if set_by is SetBy.VPA else "",
    )  # fmt: skip


def _template(clues: Clues) -> tuple[MemorySetting | None, bool]:
    workload = clues.facts.workload
    if workload is None or workload.template is None:
        return None, False
    if clues.limit_is_pod_level:
        return workload.template_pod_level, False
    container = clues.container
    is_ephemeral = container is not None and container.kind == "ephemeral"
    found = workload.template.get(clues.container_name)
    return found, found is None and container is not None and not is_ephemeral


def _set_by(clues: Clues, template: MemorySetting) -> SetBy | None:
    pod, limit = clues.facts.pod, clues.limit_bytes
    if pod is None or limit is None or is_same(limit, template.limit_bytes):
        return None
    if _vpa_says(pod, clues.container_name):
        return SetBy.VPA
    if template.limit_bytes is None and _limit_ranger_says(pod, clues.container_name):
        return SetBy.LIMIT_RANGE
    own = own_revision(clues.facts)
    of_own = own.limits_bytes.get(clues.container_name) if own is not None else None
    was_defaulted = own is not None and of_own is None and _limit_ranger_says(pod, clues.container_name)
    if was_defaulted or is_same(limit, of_own):
        return SetBy.OLDER_REVISION
    if vpa_sets_limits(clues.facts.workload.vpa if clues.facts.workload else None, clues.container_name):
        return SetBy.VPA
    return SetBy.RESIZE if _was_resized(clues) else SetBy.UNKNOWN


def _vpa_says(pod: PodFacts, container: str) -> bool:
    """Whether a VPA wrote into the pod that it set this container's memory limit."""
    if pod.annotations.get(_VPA_IN_PLACE) == "true":
        return True
    found = _VPA_NAME.search(pod.annotations.get(_VPA_UPDATES, ""))
    if found is None:
        return False
    index = next((i for i, c in enumerate(c for c in pod.containers if c.kind == "regular") if c.name == container), None)
    return re.search(rf"(?:^|; )container {index}: [^;]*\bmemory limit\b", found[2]) is not None


def _vpa_name(clues: Clues) -> str:
    pod, workload = clues.facts.pod, clues.facts.workload
    found = _VPA_NAME.search(pod.annotations.get(_VPA_UPDATES, "")) if pod is not None else None
    if found is not None:
        return found[1]
    return workload.vpa.name if workload is not None and workload.vpa is not None else ""


def vpa_sets_limits(vpa: Vpa | None, container: str) -> bool:
    """Whether a VPA that acts has the limit of this container in its hands."""
    if vpa is None or vpa.mode == "Off":
        return False
    named = vpa.left_alone | vpa.requests_only | vpa.min_bytes.keys() | vpa.max_bytes.keys()
    key = container if container in named else "*"
    return key not in vpa.left_alone and key not in vpa.requests_only


def request_for_limit(template: MemorySetting | None, limit_bytes: int) -> int:
    """The request whose limit, in the template's ratio, is at least this: so a VPA derives limits from requests."""
    limit, request = (template.limit_bytes, template.request_bytes) if template is not None else (None, None)
    if not limit or not request:
        return limit_bytes
    return tidy_up(limit_bytes * request / limit)


def _limit_ranger_says(pod: PodFacts, container: str) -> bool:
    named = rf"(?:: |; )(?:[\w./-]+, )*memory(?:, [\w./-]+)* limit for container {re.escape(container)}(?:;|$)"
    return re.search(named, pod.annotations.get(_LIMIT_RANGER, "")) is not None


def _was_resized(clues: Clues) -> bool:
    """Whether the limit was seen to change in the pod's life, or the kubelet told of a resize."""
    if any(e.reason in _RESIZE_EVENTS and e.object_name == clues.facts.subject.pod for e in clues.facts.events):
        return True
    limits = {s.limit_bytes for s in clues.facts.history.samples if s.limit_bytes} if clues.facts.history is not None else set()
    is_one_pods = clues.facts.history is not None and clues.facts.history.pod in ("", clues.facts.subject.pod)
    return bool(_resize(clues)) or (is_one_pods and len(limits) > 1)


def _waiting(clues: Clues) -> int | None:
    """The limit that the pod's spec asks for while another is in force: the container's, or the pod's own."""
    container, pod = clues.container, clues.facts.pod
    if clues.limit_is_pod_level:
        wanted = pod.asked.limit_bytes if pod is not None else None
        return None if wanted is None or is_same(wanted, clues.limit_bytes) else wanted
    asked = container.asked.limit_bytes if container is not None else None
    if container is None or asked is None or container.limit_bytes is None or is_same(asked, container.limit_bytes):
        return None
    return asked


def _resize(clues: Clues) -> str:
    return clues.facts.pod.resize if clues.facts.pod is not None else ""
