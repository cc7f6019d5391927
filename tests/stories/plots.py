"""The stories. Each starts a receiver, lets things happen, and leaves the story open for a look at its channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

from tests.stories import cast, fixes, releases
from tests.stories.silences import AlertmanagerStandin
from tests.stories.story import DAY, SECRET, Story

Plot = Callable[[Path], AbstractContextManager[Story]]


@contextmanager
def leak_with_six_kills(folder: Path) -> Iterator[Story]:
    """A leak kills a service six times in a night; the fourth kill makes it critical."""
    cluster, lives = cast.leak(6)
    with Story(folder, cluster, begin=cast.EVENING) as story:
        for number, life in enumerate(lives[:-1], start=1):
            assert life.end is not None
            story.until(life.end + 45)
            name = "OOMKilled" if number < 4 else "OOMKilledRepeatedly"
            story.fires(name, cast.ORDERS, "orders-api", severity="warning" if number < 4 else "critical")
            story.later(minutes=15)
            story.resolve_all()
        story.later(hours=1)
        yield story


@contextmanager
def fifty_replicas_at_once(folder: Path) -> Iterator[Story]:
    """All fifty replicas of a service are killed within half a minute: fifty alerts in three notifications."""
    with Story(folder, cast.replicas(50), begin=DAY + timedelta(hours=2, minutes=55)) as story:
        for first, last, at in ((0, 20, 20), (20, 45, 40), (45, 50, 100)):
            story.until(cast.seconds(DAY + timedelta(hours=3, seconds=at)))
            story.fire_together(*(("OOMKilled", cast.replica(i), "checkout") for i in range(first, last)))
        story.until("03:15")
        story.resolve_all()
        story.later(hours=3)
        yield story


@contextmanager
def resolved_and_back(folder: Path) -> Iterator[Story]:
    """Resolved, back within ten minutes, resolved, back after an hour; then the limit is raised and it is quiet."""
    cluster, lives = cast.raised(2, raised_after_s=1800)
    first, second = lives[0].end, lives[1].end
    assert first is not None
    assert second is not None
    with Story(folder, cluster, begin=cast.EVENING) as story:
        story.until(first + 45)
        story.fires("OOMKilled", cast.ORDERS, "orders-api")
        story.later(minutes=12)
        story.resolve_all()
        story.later(minutes=8)
        story.fires("HighMemoryUsage", cast.ORDERS, "orders-api")
        story.later(minutes=10)
        story.resolve_all()
        story.until(second + 45)
        story.fires("OOMKilled", cast.ORDERS, "orders-api")
        story.until(second + 2700)
        story.resolve_all()
        story.later(hours=2)
        yield story


@contextmanager
def warning_becomes_a_kill(folder: Path) -> Iterator[Story]:
    """High memory is told as a warning; forty minutes later the container is killed."""
    with Story(folder, cast.warning(), begin=DAY + timedelta(hours=2, minutes=20)) as story:
        story.until("02:30")
        story.fires("HighMemoryUsage", cast.SESSION, "session-store")
        story.until("02:40")
        story.fires("MemoryLimitImminent", cast.SESSION, "session-store")
        story.until("03:15")
        story.fires("OOMKilled", cast.SESSION, "session-store", severity="critical")
        story.until("03:30")
        story.resolve_all()
        story.later(hours=1, minutes=1)  # past the look two hours in
        yield story


@contextmanager
def verdict_changes(folder: Path) -> Iterator[Story]:
    """The first verdict does not hold: it is withdrawn half an hour later, and two hours in there is another one."""
    with Story(folder, cast.fast_leak(), begin=DAY + timedelta(hours=1, minutes=55)) as story:
        story.until("02:02")
        story.fires("OOMKilled", cast.CART, "cart")
        story.until("04:30")
        story.resolve_all()
        story.later(hours=1)
        yield story


@contextmanager
def not_an_oom(folder: Path) -> Iterator[Story]:
    """A crash loop with exit code 137 that is not one: the liveness probe kills it."""
    with Story(folder, cast.probe_kill(), begin=DAY + timedelta(hours=1, minutes=55)) as story:
        story.until("02:33")
        story.fires("KubePodCrashLooping", cast.SEARCH, "search", severity="critical")
        story.until("03:10")
        story.resolve_all()
        story.later(hours=2)
        yield story


@contextmanager
def storm_of_300(folder: Path) -> Iterator[Story]:
    """Three hundred workloads are killed within two minutes, in notifications of twenty-five."""
    with Story(folder, cast.storm(300), begin=DAY + timedelta(hours=2, minutes=55)) as story:
        for first in range(0, 300, 25):
            story.until(cast.seconds(DAY + timedelta(hours=3, seconds=(first + 25) * 0.4 + 15)))
            story.fire_together(
                *(("OOMKilled", f"svc{i:03d}-655779759d-jst99", f"svc{i:03d}") for i in range(first, first + 25)),
                namespace_of=lambda pod: f"team-{int(pod[3:6]) % 7}",
            )
        story.until("03:10")
        story.resolve_all()
        story.until("03:25")
        yield story


@contextmanager
def twelve_crash_loops(folder: Path) -> Iterator[Story]:
    """Twelve workloads die at once on the only node; when the storm is over ten still do, and each gets its own thread, worst first"""
    with Story(folder, cast.crash_loops(12), begin=DAY + timedelta(hours=2)) as story:
        story.until("02:52")
        story.fire_together(
            *(("OOMKilled", f"loop{i:02d}-655779759d-jst99", f"loop{i:02d}") for i in range(12)),
            namespace_of=lambda pod: "shop" if int(pod[4:6]) % 3 else "batch",
        )
        story.until("03:00")
        story.resolve("loop10-655779759d-jst99", "loop11-655779759d-jst99")
        story.until("04:00")
        yield story


@contextmanager
def fresh_installation(folder: Path) -> Iterator[Story]:
    """A receiver and its rules are installed where twelve workloads have been dying for twenty minutes: an inventory, then their threads"""
    with Story(folder, cast.crash_loops(12), begin=DAY + timedelta(hours=3, minutes=10)) as story:
        story.later(seconds=40)
        story.fire_together(
            *(("OOMKilled", f"loop{i:02d}-655779759d-jst99", f"loop{i:02d}") for i in range(12) if i % 3),
            namespace_of=lambda pod: "shop",
        )
        story.later(seconds=10)
        story.fire_together(
            *(("OOMKilled", f"loop{i:02d}-655779759d-jst99", f"loop{i:02d}") for i in range(12) if i % 3 == 0),
            namespace_of=lambda pod: "batch",
        )
        story.until("03:40")
        yield story


@contextmanager
def away_for_half_an_hour(folder: Path) -> Iterator[Story]:
    """The receiver is away for half an hour: of what dies meanwhile, one has ended when it is back and one still fires; each is told once, late"""
    with Story(folder, cast.crash_loops(4), begin=DAY + timedelta(hours=2)) as story:
        story.until("02:51")
        story.fires("OOMKilled", "loop03-655779759d-jst99", "loop03", namespace="batch")
        story.until("02:55")
        story.fires_unheard("OOMKilled", "loop01-655779759d-jst99", "loop01", namespace="shop", minutes=8)
        missed = story.unsent("OOMKilled", "loop02-655779759d-jst99", "loop02", namespace="shop")
        story.is_away(until="03:25")
        story.later(seconds=5)
        story.tell(missed)
        story.until("03:45")
        yield story


@contextmanager
def slack_down_for_an_hour(folder: Path) -> Iterator[Story]:
    """Slack is away for an hour: a kill, a resolve, and it fires again as critical. One root tells the newest, and calls."""
    cluster, lives = cast.leak(2)
    first = lives[0].end
    assert first is not None
    with Story(folder, cluster, begin=cast.EVENING) as story:
        story.until(first - 60)
        story.slack.outage = 503
        story.until(first + 45)
        story.fires("OOMKilled", cast.ORDERS, "orders-api")
        story.later(minutes=15)
        story.resolve_all()
        story.later(minutes=5)
        story.fires("HighMemoryUsage", cast.ORDERS, "orders-api", severity="critical")
        story.until(first + 3600)
        story.slack.heal()
        story.later(hours=1)
        yield story


@contextmanager
def crash_between_post_and_commit(folder: Path) -> Iterator[Story]:
    """The process dies after Slack took the root and before that was written down: the next start finds it, and posts nothing twice."""
    cluster, lives = cast.leak(1)
    first = lives[0].end
    assert first is not None
    with Story(folder, cluster, begin=cast.EVENING) as story:
        story.until(first + 45)
        with story.crash_after_post():
            story.fires("OOMKilled", cast.ORDERS, "orders-api", severity="critical")
            story.later(minutes=1)
        story.later(minutes=15)
        yield story


@contextmanager
def acknowledged_and_silenced(folder: Path) -> Iterator[Story]:
    """Somebody acknowledges in Slack, silences for an hour, and undoes that; the alert resolves in the end."""
    cluster, lives = cast.leak(1)
    first = lives[0].end
    assert first is not None
    with AlertmanagerStandin(began=cast.EVENING) as alertmanager, Story(
        folder, cluster, begin=cast.EVENING, SLACK_SIGNING_SECRET=SECRET, ALERTMANAGER_URL=alertmanager.url
    ) as story:  # fmt: skip
        story.until(first + 45)
        alertmanager.alerts = [story.fires("OOMKilled", cast.ORDERS, "orders-api", severity="critical")]
        story.later(minutes=2)
        story.press("ack")
        story.later(minutes=1)
        story.press("silence_1h")
        story.later(minutes=5)
        story.press("unsilence", is_in_menu=True)
        story.later(minutes=7)
        alertmanager.alerts = []
        story.resolve_all()
        story.later(minutes=30)
        yield story


@contextmanager
def heap_above_the_limit(folder: Path) -> Iterator[Story]:
    """A JVM's heap setting is four times its limit: it serves, and is killed after six seconds, every time."""
    cluster, lives = cast.java_cache()
    with Story(folder, cluster, begin=DAY + timedelta(hours=2, minutes=59)) as story:
        for number, name in ((0, "OOMKilled"), (5, "OOMKilledRepeatedly"), (len(lives) - 1, "KubePodCrashLooping")):
            end = lives[number].end
            assert end is not None
            story.until(end + 15)
            story.fires(name, cast.CACHE, "java-cache", severity="critical" if number else "warning")
        story.later(hours=1)
        yield story


@contextmanager
def heap_full_again_and_again(folder: Path) -> Iterator[Story]:
    """A JVM's heap is full after eleven seconds, far below its limit, and it ends itself, every time."""
    cluster, lives = cast.java_pricing()
    with Story(folder, cluster, begin=DAY + timedelta(hours=2, minutes=59)) as story:
        end = lives[6].end
        assert end is not None
        story.until(end + 15)
        story.fires("KubePodCrashLooping", cast.PRICING, "java-pricing")
        story.later(hours=1)
        yield story


@contextmanager
def loop_without_an_end(folder: Path) -> Iterator[Story]:
    """A crash loop whose alert fires for two hours without a break: nobody tells of its kills, and the root counts them"""
    cluster, _ = cast.endless_loop()
    with Story(folder, cluster, begin=DAY + timedelta(hours=1, minutes=58)) as story:
        story.until("02:01")
        story.fires("OOMKilled", cast.LEDGER, "ledger")
        story.until("04:00")
        yield story


@contextmanager
def week_summed_up(folder: Path) -> Iterator[Story]:
    """Two kills at the weekend, and the summary on Monday at nine: the process dies in the middle of its post, and it stands there once"""
    cluster, lives = cast.leak(2)
    with Story(folder, cluster, begin=cast.EVENING, WATCH_INTERVAL="6h", WEEKLY_SUMMARY="Mon 09:00") as story:
        for life in lives[:2]:
            assert life.end is not None
            story.until(life.end + 45)
            story.fires("OOMKilled", cast.ORDERS, "orders-api")
            story.later(minutes=15)
            story.resolve_all()
        story.until(cast.seconds(DAY + timedelta(days=1, hours=8, minutes=59)))
        with story.crash_after_post():
            story.later(minutes=2)
        story.later(hours=3)
        yield story


PLOTS: dict[str, Plot] = {
    f.__name__.replace("_", "-"): f
    for f in (
        leak_with_six_kills, fifty_replicas_at_once, resolved_and_back, warning_becomes_a_kill, verdict_changes, not_an_oom, storm_of_300, twelve_crash_loops, fresh_installation, away_for_half_an_hour,
        slack_down_for_an_hour, crash_between_post_and_commit, acknowledged_and_silenced, heap_above_the_limit, heap_full_again_and_again,
        loop_without_an_end, week_summed_up, *releases.PLOTS, *fixes.PLOTS,
    )
}  # fmt: skip
