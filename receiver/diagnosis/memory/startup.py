"""Start-up: is it killed before it has settled, again and again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from receiver.diagnosis.memory import stats
from receiver.diagnosis.memory import thresholds as th
from receiver.diagnosis.memory.lives import Lives, OomKill
from receiver.diagnosis.memory.prepare import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupFinding:
    """`early` of `total` kills came at start-up. `is_visible`: scrapes saw such lives climb; else nothing of their shape is known."""

    is_startup: bool
    early: int
    total: int
    episodes: int
    typical_uptime_s: float
    longest_uptime_s: float
    is_exact: bool  # start and kill are known to the second
    is_visible: bool
    settled_high: bool  # such lives stood near the limit for most of their time: they had come up
    is_in_burst: bool
    is_start_known: bool = True  # else the only kill ended a life that may have begun before the history


def find_startup(c: Columns, lives: Lives) -> StartupFinding | None:
    """None without kills. The first kill of an episode decides: the later ones may be restarts into the same burst."""
    kills = lives.kills
    if not kills:
        return None
    voting = _voting(c, kills)
    first_kills = _first_kills(voting)
    early, early_episodes = list(filter(_is_early, voting)), list(filter(_is_early, first_kills))
    seen = _short_lives(c, lives)
    uptimes = [k.uptime_s for k in early if not k.is_at_most] or [k.uptime_s for k in early]
    return StartupFinding(
        is_startup=_is_most(early, voting) and _is_most(early_episodes, first_kills), early=len(early), total=len(kills), episodes=len(first_kills),
        typical_uptime_s=stats.median(uptimes) if uptimes else 0.0,
        longest_uptime_s=max(uptimes, default=0.0),
        is_exact=bool(early) and 2 * sum(k.is_exact for k in early) >= len(early),
        is_visible=any(r >= th.STARTUP_SEEN_RATIO for ratios in seen for r in ratios), settled_high=_settled_high(seen), is_in_burst=bool(early_episodes) and _rate_burst(c, early_episodes[0]),
        is_start_known=any(k.is_start_known for k in early),
    )  # fmt: skip


def _voting(c: Columns, kills: Sequence[OomKill]) -> Sequence[OomKill]:
    """The kills that say something. A first life whose start lies before the history may be of any age: short as far as seen
    is then not short.
    """
    voting = [k for k in kills if k.is_start_known or not _is_early(k)]
    if not voting and c.t and c.t[-1] - c.t[0] <= th.MIN_HISTORY_S:
        return kills  # all there is: most histories begin with a process, not in the middle of one
    return voting


def _first_kills(kills: Sequence[OomKill]) -> list[OomKill]:
    """The first kill of each episode. A burst that goes on for hours is none: what is killed then needs that much to start."""
    first: list[OomKill] = []
    for i, k in enumerate(kills):
        if not i or k.at_s - kills[i - 1].at_s > th.EPISODE_GAP_S or k.at_s - first[-1].at_s > th.EPISODE_MOST_S:
            first.append(k)
    return first


def _is_most(early: Sequence[OomKill], of: Sequence[OomKill]) -> bool:
    return bool(early) and len(early) >= th.STARTUP_SHARE * len(of)


def _is_early(kill: OomKill) -> bool:
    return kill.uptime_s <= th.STARTUP_UPTIME_S


def _short_lives(c: Columns, lives: Lives) -> list[list[float]]:
    """What scrapes saw of the lives that were killed soon after their start, as shares of the limit."""
    killed = [s for s in lives.spans if s.is_killed and (s.start_s is None or s.end_s - s.start_s <= th.STARTUP_UPTIME_S)]
    rows = [slice(s.first, s.last + 1) for s in killed]
    return [[w / limit for w, limit in zip(c.working_set[r], c.limit[r], strict=True) if limit] for r in rows]


def _settled_high(lives: Sequence[Sequence[float]]) -> bool:
    """Whether those that were seen often enough were near the limit for most of what was seen."""
    seen = [ratios for ratios in lives if len(ratios) >= th.STARTUP_SHAPE_ROWS]
    high = sum(2 * sum(r >= th.PLATEAU_MEDIAN for r in ratios) >= len(ratios) for ratios in seen)
    return bool(seen) and 2 * high >= len(seen)


def _rate_burst(c: Columns, kill: OomKill) -> bool:
    """Whether the request rate just before a kill was far above usual, seen against its own spread."""
    known = [r for r in c.rate if r is not None]
    before = [r for t, r in zip(c.t, c.rate, strict=True) if r is not None and kill.at_s - th.BURST_LOOK_S <= t <= kill.at_s]
    if len(known) < th.MIN_RATE_ROWS or len(before) < 2:
        return False
    spread = stats.quantile(known, 0.75) - stats.quantile(known, 0.25)
    return spread > 0 and sum(before) / len(before) - stats.median(known) > th.RATE_BURST * spread
