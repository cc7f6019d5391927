"""What the name of a known alert claims. An unknown name claims nothing: its evidence decides."""

from __future__ import annotations

# Alert names that claim a kill (rules/ of this project, and the rules most people have).
OOM_ALERTS = frozenset(
    {"OOMKilled", "OOMKilledRepeatedly", "OOMKilledAtStartup", "KubeContainerOOMKilled", "KubernetesContainerOomKiller", "PodOOMKilled",
     "ContainerOOMKilled", "KubePodOOMKilled", "ContainerOomEvents"}
)  # fmt: skip
CHILD_ALERTS = frozenset({"ChildProcessOOMKilled"})
SUSPECT_ALERTS = frozenset({"SigkilledNearMemoryLimit", "UnattributedOOMKill"})
NODE_OOM_ALERTS = frozenset({"NodeOOMKill", "HostOomKillDetected"})
NODE_PRESSURE_ALERTS = frozenset({"NodeMemoryPressure", "KubeNodePressure"})
EVICTION_ALERTS = frozenset({"PodEvicted", "PodsEvictedForMemory", "KubeNodeEviction"})
WARNING_ALERTS = frozenset({"HighMemoryUsage", "MemoryLimitImminent", "MemoryLeakSuspected", "NoMemoryLimit", "MemoryRequestTooLow"})
