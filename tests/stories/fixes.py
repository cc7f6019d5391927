"""Stories of a fix over 72 hours, one for each outcome. The receiver ends and starts again in the middle of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from receiver.domain.units import MIB
from tests.stories import cast
from tests.stories.cluster import POINTS, SCRAPE_S, Life, kill, ramp
from tests.stories.rollouts import Changing, ChangingCluster, Rollout
from tests.stories.story import DAY, Story

HOUR = 3600.0
BEGAN = cast.seconds(DAY) - 20 * HOUR  # 04:00 of the day before
KILLED = cast.seconds(DAY) - 5 * HOUR  # 19:00
FIXED = KILLED + 1800  # 19:30
IMAGE = "registry.lab.local/python-orders:1.4.3"
SERVED = "".join(f"2024-11-09T18:59:{s:02d}Z INFO GET /orders 200 in 12 ms\n" for s in range(0, 60, 6))


def busy(hours: float, level_mib: float, peak_mib: float, *, seed: int = 1) -> POINTS:
    """A level with a short peak every hour or so."""
    rng = random.Random(seed)
    n = max(2, int(hours * HOUR / SCRAPE_S))
    values = [level_mib + rng.uniform(-1.5, 1.5) for _ in range(n)]
    for at in range(30, n, 55):
        values[at] = values[at - 1] = peak_mib - rng.uniform(0, 1)
    return tuple((i * SCRAPE_S, v * MIB) for i, v in enumerate(values))


def too_low(limit_mib: int = 80) -> list[Life]:
    """A level of 70 MiB with peaks that the limit cut off at 19:00."""
    limit = limit_mib * MIB
    return [
        kill(BEGAN, KILLED, busy((KILLED - BEGAN) / HOUR, 72, 78.5), limit_bytes=limit),
        Life(start=KILLED + 10, end=None, points=busy(1, 72, 78, seed=2), limit_bytes=limit),
    ]


def leaking(limit_mib: int = 80) -> list[Life]:
    """Grows by 20 MiB an hour, and is killed every two and a half hours."""
    limit, span = limit_mib * MIB, 2.5 * HOUR
    lives = [kill(BEGAN + i * span, BEGAN + (i + 1) * span - 10, ramp(2.48, 30, 79.5), limit_bytes=limit) for i in range(6)]
    return [*lives, Life(start=KILLED + 10, end=None, points=ramp(0.5, 30, 40), limit_bytes=limit)]


def alive(at: float, limit_mib: int, points: POINTS, image: str = "") -> list[Life]:
    """One life from a rollout on."""
    return [Life(start=at + 5, end=None, points=points, limit_bytes=limit_mib * MIB, image=image)]


def _story(folder: Path, changing: Changing) -> Story:
    return Story(folder, ChangingCluster(changing), begin=DAY.replace(day=9, hour=18, minute=55), WATCH_INTERVAL="1h")


def _told(story: Story, changing: Changing) -> None:
    """Killed and told at 19:00; resolved at 19:40."""
    story.until(KILLED + 45)
    story.fires("OOMKilled", changing.pod(0), changing.name)
    story.until(KILLED + 2400)
    story.resolve_all()


def _killed_again(story: Story, changing: Changing, lives: Sequence[Life], *, pod: int) -> None:
    """The alert of each of these deaths fires, and resolves a quarter of an hour later."""
    for life in lives:
        assert life.end is not None
        story.until(life.end + 45)
        story.fires("OOMKilled", changing.pod(pod), changing.name)
        story.later(minutes=15)
        story.resolve_all()


def _with_a_new_process(story: Story, *, until: float) -> None:
    """The process ends and another one goes on, half way."""
    story.until((story.clock.now() + until) / 2)
    story.stop_receiver()
    story.start_receiver()
    story.until(until)


@contextmanager
def fix_held(folder: Path) -> Iterator[Story]:
    """A limit that was too low is raised with the thread's command; it holds, although the process is killed in the first follow-up."""
    rollout = Rollout(at=FIXED, limit_bytes=200 * MIB, by="kubectl-set", lives=alive(FIXED, 200, busy(72, 72, 96, seed=3)))
    changing = Changing(name="cart", first=too_low(), rollouts=[rollout], log=SERVED)
    with _story(folder, changing) as story:
        _told(story, changing)
        story.until(FIXED + 24 * HOUR - 60)
        with story.crash_after_post():  # as by kill -9, when the 24 h reply has arrived and that was not written down
            story.later(minutes=5)
        story.until(KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_did_not_hold(folder: Path) -> Iterator[Story]:
    """A raise that is too small: said at once, killed again five hours later, told aloud; the next raise holds."""
    again = FIXED + 5 * HOUR
    second = again + 2 * HOUR
    small = [
        kill(FIXED + 5, again, busy(5, 80, 87.5, seed=4), limit_bytes=88 * MIB),
        Life(start=again + 10, end=None, points=busy(2, 80, 87, seed=5), limit_bytes=88 * MIB),
    ]
    rollouts = [
        Rollout(at=FIXED, limit_bytes=88 * MIB, by="kubectl-set", lives=small),
        Rollout(at=second, limit_bytes=200 * MIB, by="kubectl-set", lives=alive(second, 200, busy(66, 80, 110, seed=6))),
    ]
    changing = Changing(name="cart", first=too_low(), rollouts=rollouts, log=SERVED)
    with _story(folder, changing) as story:
        _told(story, changing)
        story.until(again + 45)
        story.fires("OOMKilled", changing.pod(1), changing.name)
        story.until(again + 1800)
        story.resolve_all()
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_only_delayed(folder: Path) -> Iterator[Story]:
    """A leak is given twice the limit: that lasts six and a half hours, and the thread says aloud that raising is no fix."""
    again = FIXED + 6.5 * HOUR
    lives = [
        kill(FIXED + 5, again, ramp(6.5, 30, 159.5), limit_bytes=160 * MIB),
        *(kill(again + i * 6.5 * HOUR + 10, again + (i + 1) * 6.5 * HOUR, ramp(6.48, 30, 159.5), limit_bytes=160 * MIB) for i in range(10)),
    ]
    rollout = Rollout(at=FIXED, limit_bytes=160 * MIB, by="kubectl-set", lives=lives)
    changing = Changing(name="orders-api", first=leaking(), rollouts=[rollout])
    with _story(folder, changing) as story:
        _told(story, changing)
        _killed_again(story, changing, lives[:3], pod=1)
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_undone_by_a_deploy(folder: Path) -> Iterator[Story]:
    """Raised by hand, and ten hours later a deploy brings back what the chart says."""
    back = FIXED + 10 * HOUR
    rollouts = [
        Rollout(at=FIXED, limit_bytes=200 * MIB, by="kubectl-set", lives=alive(FIXED, 200, busy(10, 72, 96, seed=3))),
        Rollout(at=back, limit_bytes=80 * MIB, by="helm", lives=alive(back, 80, busy(62, 70, 76, seed=7))),
    ]
    changing = Changing(name="cart", first=too_low(), rollouts=rollouts, log=SERVED)
    with _story(folder, changing) as story:
        _told(story, changing)
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_resized_then_rolled_out(folder: Path) -> Iterator[Story]:
    """One pod is resized in place; five hours later the template has it too, and the two days begin anew."""
    rolled = FIXED + 5 * HOUR
    first = too_low()
    first[-1] = replace(first[-1], points=busy(6, 72, 96, seed=2), resized=(FIXED, 200 * MIB))
    rollout = Rollout(at=rolled, limit_bytes=200 * MIB, by="argocd-controller", lives=alive(rolled, 200, busy(67, 72, 96, seed=3)))
    changing = Changing(name="cart", first=first, rollouts=[rollout], log=SERVED)
    with _story(folder, changing) as story:
        _told(story, changing)
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_more_replicas_of_a_leak(folder: Path) -> Iterator[Story]:
    """An autoscaler instead of a limit, for a leak: said at once that it cannot help, and told aloud when it is killed again."""
    limit, span = 80 * MIB, 2.5 * HOUR
    first = leaking()[:-1]
    first += [kill(KILLED + 10 + i * span, KILLED + (i + 1) * span, ramp(2.48, 30, 79.5), limit_bytes=limit) for i in range(28)]
    changing = Changing(name="orders-api", first=first, hpa_at=FIXED)
    with _story(folder, changing) as story:
        _told(story, changing)
        _killed_again(story, changing, first[6:9], pod=0)
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


@contextmanager
def fix_leak_mended_in_code(folder: Path) -> Iterator[Story]:
    """A leak is fixed where it is, in a new image: it does not grow any more, at the same hours of the day."""
    rollout = Rollout(
        at=FIXED, limit_bytes=80 * MIB, by="argocd-controller", image=IMAGE, lives=alive(FIXED, 80, busy(72, 52, 58, seed=8), image=IMAGE)
    )
    changing = Changing(name="orders-api", first=leaking(), rollouts=[rollout])
    with _story(folder, changing) as story:
        _told(story, changing)
        _with_a_new_process(story, until=KILLED + 72 * HOUR)
        yield story


PLOTS: tuple[Callable[[Path], AbstractContextManager[Story]], ...] = (
    fix_held, fix_did_not_hold, fix_only_delayed, fix_undone_by_a_deploy, fix_resized_then_rolled_out, fix_more_replicas_of_a_leak,
    fix_leak_mended_in_code,
)  # fmt: skip
