"""Who plays in the stories: workloads with their lives, and the pods that alerts name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from receiver.domain.units import MIB, format_time, from_epoch
from tests.stories.cluster import POINTS, Cluster, Life, Pod, Workload, kill, moved, ramp, recorded_lives
from tests.stories.story import DAY

ORDERS = "orders-api-655779759d-jst99"
EVENING = DAY - timedelta(hours=8)


def seconds(at: datetime) -> float:
    """Of a moment of a story."""
    return at.timestamp()


def leak(kills: int) -> tuple[Cluster, list[Life]]:
    """orders-api, whose recorded leak kills it every two and a half hours since the evening; recorded lives come again."""
    lives = recorded_lives(seconds(EVENING))
    while len(lives) <= kills:
        lives.append(moved(lives[1], _end(lives[-1]) + 30))
    lives = [*lives[:kills], moved(lives[kills], lives[kills].start, end=None)]
    return Cluster([Workload(namespace="shop", name="orders-api", pods=[Pod(name=ORDERS, lives=lives)])]), lives


def raised(kills_before: int, raised_after_s: float) -> tuple[Cluster, list[Life]]:
    """The same leak; so long after its last kill somebody raises the limit to 160 MiB, in place."""
    lives = recorded_lives(seconds(EVENING))[: kills_before + 1]
    at = _end(lives[kills_before - 1]) + raised_after_s
    lives[-1] = moved(lives[-1], lives[-1].start, end=None, resized=(at, 160 * MIB))
    return Cluster([Workload(namespace="shop", name="orders-api", pods=[Pod(name=ORDERS, lives=lives)])]), lives


def replicas(n: int) -> Cluster:
    """checkout: n replicas that all die within half a minute, at 03:00, an hour and a half after their start."""
    start = seconds(DAY + timedelta(hours=1, minutes=30))
    pods = []
    for i in range(n):
        end = seconds(DAY + timedelta(hours=3)) + i * 30 / n
        first = kill(start, end, ramp(1.5, 30 + i % 7, 78))
        pods.append(
            Pod(name=replica(i), lives=[first, Life(start=end + 8, end=None, points=ramp(4, 30, 70))], node=f"lab-node-{1 + i % 2}")
        )
    return Cluster([Workload(namespace="shop", name="checkout", pods=pods, replicas=n)])


def replica(i: int) -> str:
    """The name of a pod of checkout."""
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return f"checkout-655779759d-{letters[i // 27]}{letters[i % 27]}t{letters[(i * 7) % 27]}{letters[(i * 11) % 27]}"


def warning() -> Cluster:
    """session-store: grows from the evening on, is at 84 % at 02:30 and killed at 03:14."""
    start, end = seconds(DAY), seconds(DAY + timedelta(hours=3, minutes=14))
    lives = [kill(start, end, ramp(3.2, 25, 79)), Life(start=end + 10, end=None, points=ramp(2, 25, 60))]
    return Cluster([Workload(namespace="shop", name="session-store", pods=[Pod(name=SESSION, lives=lives)])])


SESSION = "session-store-655779759d-k8s2x"


def fast_leak() -> Cluster:
    """cart: its first life ends after a minute, so nothing can be said; the later ones show a leak."""
    at = seconds(DAY + timedelta(hours=2))
    lives = []
    for minutes in (1, 22, 24, 23, 25, 24):
        lives.append(kill(at, at + minutes * 60, tuple((t * 15.0, (20 + 58 * t * 15 / (minutes * 60)) * MIB) for t in range(minutes * 4))))
        at += minutes * 60 + 15
    lives.append(Life(start=at, end=None, points=ramp(3, 20, 40)))
    return Cluster([Workload(namespace="shop", name="cart", pods=[Pod(name=CART, lives=lives)], like="e-liveness-137")])


CART = "cart-655779759d-9x2bq"


def probe_kill() -> Cluster:
    """search: its liveness probe kills it every ten minutes, with little memory in use."""
    at = seconds(DAY + timedelta(hours=2))
    lives = []
    for _ in range(5):
        lives.append(Life(start=at, end=at + 600, points=flat(10, 3), reason="Error", limit_bytes=64 * MIB))
        at += 620
    lives.append(Life(start=at, end=None, points=flat(60, 3), limit_bytes=64 * MIB))
    pod = Pod(name=SEARCH, lives=lives, events=lambda now: _probe_events(lives, now))
    return Cluster([Workload(namespace="shop", name="search", pods=[pod], like="e-liveness-137")])


SEARCH = "search-655779759d-ktmt2"


def flat(minutes: float, mib: float) -> POINTS:
    """Memory that stays where it is."""
    return tuple((t * 30.0, mib * MIB) for t in range(int(minutes * 2)))


def storm(n: int, of: Callable[[int], str] = lambda i: f"svc{i:03d}") -> Cluster:
    """n workloads that are killed within two minutes at 03:00; two of three on one node, some for a second time."""
    at = seconds(DAY + timedelta(hours=3))
    workloads = []
    for i in range(n):
        end = at + 7 + i * 120 / n
        first = Life(start=end - 7200, end=end, points=ramp(2, 20, 78 if i % 4 else 30))
        pod = Pod(
            name=f"{of(i)}-655779759d-jst99", lives=[first, Life(start=end + 5, end=None, points=())], node=f"lab-node-{1 if i % 3 else 2}"
        )
        workloads.append(Workload(namespace=f"team-{i % 7}", name=of(i), pods=[pod], is_measured=i < 8))
    return Cluster(workloads)


def crash_loops(n: int) -> Cluster:
    """n workloads on the only node that are killed again and again from 02:50 to 04:30, each at its own pace; the last two twice."""
    at = seconds(DAY + timedelta(hours=2, minutes=50))
    workloads = []
    for i in range(n):
        lives, start, each_s = [], at - 3600 + i * 7, 240.0 + 60 * i
        lives.append(kill(start, at + i * 5, ramp(1, 20, 78)))
        for _ in range(1 if i >= n - 2 else int(6000 / each_s)):
            start = _end(lives[-1]) + 5
            lives.append(kill(start, start + each_s, ramp(each_s / 3600, 20, 78)))
        lives.append(Life(start=_end(lives[-1]) + 5, end=None, points=ramp(2, 20, 40)))
        pod = Pod(name=f"loop{i:02d}-655779759d-jst99", lives=lives)
        workloads.append(Workload(namespace="shop" if i % 3 else "batch", name=f"loop{i:02d}", pods=[pod]))
    return Cluster(workloads)


def endless_loop(hours: float = 3.0) -> tuple[Cluster, list[Life]]:
    """ledger: killed 40 s after each start from 02:00 on, started again after Kubernetes' back-off, which doubles up to five minutes."""
    at, back_off_s = seconds(DAY + timedelta(hours=2)), 10.0
    lives = [kill(at - 3600, at, ramp(1, 20, 78))]
    while at < seconds(DAY + timedelta(hours=2 + hours)):
        start = at + back_off_s
        at, back_off_s = start + 40, min(back_off_s * 2, 300.0)
        lives.append(kill(start, at, ((0.0, 30 * MIB), (20.0, 60 * MIB), (39.0, 79 * MIB))))
    return Cluster([Workload(namespace="shop", name="ledger", pods=[Pod(name=LEDGER, lives=lives)])]), lives


LEDGER = "ledger-655779759d-jst99"


def _probe_events(lives: list[Life], now: float) -> list[dict[str, Any]]:
    dead = [life.end for life in lives if life.end is not None and life.end <= now]
    if not dead:
        return []
    said = (
        ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", 3),
        ("Killing", "Container search failed liveness probe, will be restarted", 1),
    )
    return [
        {
            "metadata": {"name": f"{SEARCH}.{reason}", "namespace": "shop", "uid": reason}, "reason": reason, "message": message, "type": "Warning",
            "count": each * len(dead), "firstTimestamp": format_time(from_epoch(dead[0])), "lastTimestamp": format_time(from_epoch(dead[-1])),
            "involvedObject": {
                "kind": "Pod", "namespace": "shop", "name": SEARCH, "uid": f"uid-{SEARCH}", "fieldPath": "spec.containers{search}",
            },
        }
        for reason, message, each in said
    ]  # fmt: skip


def _end(life: Life) -> float:
    assert life.end is not None
    return life.end


BACK_OFF_S = (0, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300)
CACHE = "java-cache-9bfcc675d-wlrm2"
PRICING = "java-pricing-dd8f864cc-xd2zc"


def java_cache() -> tuple[Cluster, list[Life]]:
    """Recorded: a JVM that may take 512 MiB of heap and as much of direct buffers under a limit of 128Mi; it serves, and is killed after six seconds."""
    lives = _crash_loop(lived_s=6, limit_bytes=128 * MIB, points=((1.0, 2.6 * MIB),))
    command = ("/opt/jre/bin/java", "-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-cp", "/app", "Leak", "4", "200", "direct")
    said = "Nov 30, 2026 3:25:33 PM Leak main\nINFO: OrderService started, max heap 494 MiB\n"
    pod = Pod(name=CACHE, lives=lives)
    return Cluster([Workload(namespace="shop", name="java-cache", pods=[pod], log=said, command=command)]), lives


def java_pricing() -> tuple[Cluster, list[Life]]:
    """Recorded: a JVM with a heap of 48 MiB under a limit of 256Mi; it fills in eleven seconds, and the JVM ends itself."""
    lives = _crash_loop(lived_s=11, limit_bytes=256 * MIB, points=((1.0, 5.8 * MIB),), reason="Error", exit_code=3)
    command = ("/opt/jre/bin/java", "-Xmx48m", "-XX:+ExitOnOutOfMemoryError", "-cp", "/app", "Leak", "2", "500")
    said = (
        "".join(f"INFO: cached {n} MiB of orders\n" for n in (10, 20, 30, 40))
        + "Terminating due to java.lang.OutOfMemoryError: Java heap space\n"
    )
    pod = Pod(name=PRICING, lives=lives)
    return Cluster([Workload(namespace="shop", name="java-pricing", pods=[pod], log=said, command=command)]), lives


def _crash_loop(*, lived_s: float, **over: Any) -> list[Life]:
    """Lives that all end the same way, after the kubelet's pauses, from three o'clock on."""
    lives: list[Life] = []
    for pause_s in BACK_OFF_S:
        start = (_end(lives[-1]) if lives else seconds(DAY + timedelta(hours=3))) + pause_s
        lives.append(Life(start=start, end=start + lived_s, **over))
    return lives
