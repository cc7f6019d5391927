"""A release that leaks: what the heap and the pods of the release before say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from receiver.domain.units import MIB
from tests.fakes.prometheus import series
from tests.stories.cluster import Life, kill, ramp
from tests.stories.fixes import BEGAN, HOUR, KILLED, alive, busy
from tests.stories.rollouts import Changing, ChangingCluster, Rollout
from tests.stories.story import DAY, Story

RELEASED = KILLED - 6 * HOUR  # 13:00
LIMIT = 160 * MIB
BEFORE, AFTER = "registry.lab.local/python-orders:1.4.3", "registry.lab.local/java-orders:2.0.0"
SERVED = "".join(f"2024-11-09T18:59:{s:02d}Z INFO OrderController: GET /orders 200\n" for s in range(0, 60, 6))


@contextmanager
def release_that_leaks(folder: Path) -> Iterator[Story]:
    """A new release is killed after six hours; its heap grows after each collection, and the release before stood still."""
    first = [Life(start=BEGAN, end=None, points=busy((RELEASED - BEGAN) / HOUR, 52, 58), limit_bytes=LIMIT, image=BEFORE)]
    leaking = kill(RELEASED + 20, KILLED, ramp((KILLED - RELEASED - 40) / HOUR, 60, 158), limit_bytes=LIMIT, image=AFTER)
    again = alive(KILLED + 10, 160, ramp(2, 60, 92), AFTER)
    rollout = Rollout(at=RELEASED, limit_bytes=LIMIT, by="argocd-controller", lives=[leaking, *again], image=AFTER)
    command = ("java", "-XX:MaxRAMPercentage=75", "-jar", "/app/orders.jar")
    changing = Changing(name="orders", first=first, rollouts=[rollout], command=command, log=SERVED)
    cluster = ChangingCluster(changing)
    cluster.prometheus.add(_heap(changing.pod(1), changing.name))
    with Story(folder, cluster, begin=DAY.replace(day=9, hour=18, minute=55), WATCH_INTERVAL="1h") as story:
        story.until(KILLED + 45)
        story.fires("OOMKilled", changing.pod(1), changing.name)
        story.later(minutes=20)
        story.resolve_all()
        story.later(minutes=30)
        yield story


def _heap(pod: str, container: str) -> list[dict[str, object]]:
    """What client_java exports: the old generation after collection, and the heap in use between collections."""
    times = [RELEASED + 60 * i for i in range(1, int((KILLED - RELEASED) / 60))]
    labels = {"namespace": "shop", "pod": pod, "container": container}
    live = [(t, (18 + 14 * ((t - RELEASED) // 1800) / 2) * MIB) for t in times]
    used = [(t, v + ((t - RELEASED) % 1800) / 1800 * 12 * MIB) for t, v in live]
    return [
        series("jvm_memory_pool_collection_used_bytes", live, pool="G1 Old Gen", **labels),
        series("jvm_memory_used_bytes", used, area="heap", **labels),
        series("jvm_memory_max_bytes", [(t, 120 * MIB) for t in times], area="heap", **labels),
    ]


PLOTS: tuple[Callable[[Path], AbstractContextManager[Story]], ...] = (release_that_leaks,)
