"""What the kernel's OOM lines say, as the kubelet's SystemOOM events and node-problem-detector's events carry them.

Of one kill the kernel writes a summary (`oom-kill:constraint=...`, since 4.20) and a line about the victim (`Killed process`);
which of them reaches an event depends on who reads the kernel's log. Each is read for itself, and says only what stands in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from receiver.domain.units import KIB

# `Killed process 1012 (heapster) total-vm:...`; until 4.20 `Kill process 1012 (heapster) score 1035 or sacrifice child` before it.
_VICTIM = re.compile(
    r"\bKill(?:ed)? process (?P<pid>\d{1,10}),? (?:UID \d{1,10},? )?\((?P<process>[^\n]{1,64}?)\)(?=[ ,]|$)", re.IGNORECASE
)
_TASK = re.compile(r"\btask=(?P<process>[^,\n]{1,64}),pid=(?P<pid>\d{1,10})\b")
_KUBELET = re.compile(r"\bvictim process: (?P<process>[^\n]{0,64}?), pid: (?P<pid>\d{1,10})\b")
_ANON_RSS = re.compile(r"\banon-rss:(\d{1,12})kB")
_POD_UID = r"pod(?P<uid>[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})"
_VICTIMS_CGROUP = re.compile(rf"(?:\btask_memcg=|\bTask in )[^\s,]{{0,200}}?{_POD_UID}")
# Whose limit was full: the cgroup of a pod or of a container in it, or one above all pods, which is the node's.
_FULL_CGROUP = re.compile(r"(?:\boom_memcg=|\bas a result of limit of )(?P<path>/[^\s,]{0,300})")
_POD_IN_PATH = re.compile(_POD_UID)
_IN_KUBEPODS = re.compile(r"(?:\btask_memcg=|\bTask in )[^\s,]{0,300}kubepods")
_ABOVE_PODS = re.compile(r"(?:^|/)kubepods(?:[.-][\w.-]*)?(?:/(?:kubepods-)?(?:burstable|besteffort|guaranteed)(?:\.slice)?)?$|^/$")

OF_A_CGROUP = re.compile(r"\bMemory cgroup out of memory\b|\bCONSTRAINT_MEMCG\b|\bas a result of limit of\b", re.IGNORECASE)
OF_THE_NODE = re.compile(
    r"(?<!cgroup )\bout of memory(?: \(oom_kill_allocating_task\))?: Kill|\bCONSTRAINT_(?:NONE|CPUSET|MEMORY_POLICY)\b|\bglobal_oom\b", re.IGNORECASE
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """Whom the kernel killed, as far as a line says. `process` is the kernel's name of it: 15 characters at most."""

    process: str = ""
    pid: int | None = None
    anon_rss_bytes: int | None = None
    pod_uid: str = ""
    is_above_pods: bool = False  # what was full is a cgroup above all pods: the node's room for pods, not a pod's limit
    is_of_service: bool = False  # what was full is a cgroup beside the pods: a service's or another runtime's own limit


def victim_of(message: str) -> Victim:
    """What the message says of the victim; an empty `Victim` where it says nothing."""
    named = _VICTIM.search(message) or _TASK.search(message) or _KUBELET.search(message)
    anon = _ANON_RSS.search(message)
    full = _FULL_CGROUP.search(message)
    full_pod = _POD_IN_PATH.search(full["path"]) if full is not None else None
    is_in_kubepods = _IN_KUBEPODS.search(message) is not None
    is_above = full is not None and full_pod is None and (is_in_kubepods or _ABOVE_PODS.search(full["path"]) is not None)
    cgroup = _VICTIMS_CGROUP.search(message) or full_pod  # readers of the kernel's log cut long lines
    return Victim(
        process=named["process"].strip() if named else "",
        pid=int(named["pid"]) if named else None,
        anon_rss_bytes=int(anon[1]) * KIB if anon else None,
        pod_uid=plain_uid(cgroup["uid"]) if cgroup else "",
        is_above_pods=is_above,
        is_of_service=full is not None and full_pod is None and not is_above,
    )


def plain_uid(uid: str) -> str:
    """A pod's uid for comparison: systemd's cgroup names have underscores where the API has hyphens."""
    return uid.replace("_", "-").lower()
