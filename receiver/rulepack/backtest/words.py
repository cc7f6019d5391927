"""Phrases that the text and the markdown of a backtest share. Labels are cleaned here: they come from anywhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from receiver.domain.units import from_epoch, human_duration
from receiver.render.text import clean_line
from receiver.rulepack.backtest.asking import Load
from receiver.rulepack.backtest.compare import Change, Comparison
from receiver.rulepack.backtest.history import Range
from receiver.rulepack.backtest.judge import LATE_S, REOPEN_S, Firing, How, Outcome, place_name, whom
from receiver.rulepack.backtest.kills import PastKill
from receiver.rulepack.backtest.run import Backtest

NAME_MAX = 90
LISTED = 20
TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One workload and what people would have been told of it."""

    name: str
    firings: int
    total_s: int
    kills: int
    alerts: tuple[tuple[str, int], ...]


def name(text: str) -> str:
    """A name from labels, safe on one line."""
    return clean_line(text, NAME_MAX)


def moment(at_s: float) -> str:
    """`2024-11-05 14:03:20`."""
    return from_epoch(int(at_s)).strftime("%Y-%m-%d %H:%M:%S")


def length(seconds: float) -> str:
    """A duration in two units at most; hours up to four days, where whole days would hide the half of it."""
    return f"{seconds / 3600:.0f} h" if 48 * 3600 <= seconds < 96 * 3600 else human_duration(seconds)


def span(range_: Range) -> str:
    """The range with its length."""
    return f"{human_duration(range_.length_s)} ({moment(range_.start_s)[:-3]} to {moment(range_.end_s)[:-3]} UTC)"


def count(number: int, noun: str) -> str:
    """`1 kill`, `2 kills`, `3 queries`."""
    return f"{number:,} {noun if number == 1 else f'{noun[:-1]}ies' if noun.endswith('y') else f'{noun}s'}"


def caught(outcome: Outcome) -> str:
    """`8 of 13`; `-` for an alert that is not about pods."""
    return "-" if outcome.kills is None else f"{len(outcome.caught)} of {len(outcome.kills)}"


def median(outcome: Outcome, how: How) -> str:
    """The middle lead or delay."""
    seconds = outcome.median_of(how)
    return "-" if seconds is None else length(seconds)


def coverage(outcome: Outcome, range_: Range) -> float:
    """Share of the range that was evaluated."""
    step_s = outcome.rule.interval_s
    return min(1.0, sum(last - first + step_s for first, last in outcome.windows) / (range_.length_s + step_s))


def kills_found(backtest: Backtest) -> str:
    """How many kills there were, and how well their times are known."""
    kills = backtest.kills
    if not kills:
        return "OOM kills in that time: none found."
    exact = sum(kill.is_exact for kill in kills)
    workloads = len({place_name(kill.cluster, kill.namespace, kill.pod, kill.container) for kill in kills})
    inside = sum(kill.is_process for kill in kills)
    extra = f"; {inside} of a process in a container that lived on" if inside else ""
    return f"OOM kills in that time: {len(kills)}, of {count(workloads, 'workload')} ({exact} with their exact time, {len(kills) - exact} to the minute{extra})."


def kill_line(kill: PastKill) -> str:
    """One kill on one line."""
    about = "" if kill.is_exact else ", to the minute"
    what = "a process in it, " if kill.is_process else ""
    whole = f"{kill.cluster}: " if kill.cluster else ""
    return f"{moment(kill.at_s)}  {name(f'{whole}{kill.namespace}/{kill.pod} ({kill.container})')}  {what}seen by {' and '.join(kill.traces)}{about}"


def firing_line(firing: Firing) -> str:
    """One firing on one line, without the alert."""
    _, namespace, pod, container = firing.place
    subject = name(f"{namespace}/{pod}" + (f" ({container})" if container else "")) if pod else name(whom(firing))
    still = ", still firing at the end" if firing.span.is_open else ""
    return f"{moment(firing.span.from_s)}  {subject}  {length(firing.span.length_s)}{still}"


def top_workloads(backtest: Backtest) -> tuple[Told, ...]:
    """Workloads that people would have been told of, most firings first."""
    firings: dict[str, list[tuple[str, Firing]]] = defaultdict(list)
    for outcome in backtest.told:
        for firing in outcome.firings:
            firings[whom(firing)].append((outcome.rule.name, firing))
    killed = Counter(place_name(kill.cluster, kill.namespace, kill.pod, kill.container) for kill in backtest.kills)
    found = [
        Told(
            name=subject, firings=len(of_one), total_s=sum(firing.span.length_s for _, firing in of_one), kills=killed[subject],
            alerts=tuple(Counter(alert for alert, _ in of_one).most_common()),
        )
        for subject, of_one in firings.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda told: (-told.firings, -told.total_s, told.name)))


def load(load_: Load) -> str:
    """What Prometheus was asked."""
    samples = f", {_short(load_.samples)} samples read" if load_.samples is not None else ", samples not told"
    return f"{count(load_.queries, 'query')}, {load_.seconds:.1f} s{samples}, {load_.bytes / 1e6:.1f} MB of answers"


def _short(number: int) -> str:
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{number:,}"


def headline(comparison: Comparison) -> str:
    """What the change does, in one sentence."""
    before, after = comparison.before, comparison.after
    parts = [
        _difference(before.firings, after.firings, "firing"),
        _difference(before.incidents, after.incidents, "Slack thread"),
        f"{count(len(comparison.newly_missed), 'kill')} missed that {'was' if len(comparison.newly_missed) == 1 else 'were'} caught before",
    ]
    if comparison.newly_caught:
        parts.append(f"{count(len(comparison.newly_caught), 'kill')} caught that nobody was told of before")
    return f"This change: {', '.join(parts)}."


def _difference(before: int, after: int, noun: str) -> str:
    if before == after:
        return f"as many {noun}s ({after:,})"
    return f"{count(abs(after - before), noun)} {'fewer' if after < before else 'more'} ({before:,} → {after:,})"


def both(change: Change, of: Callable[[Outcome], str]) -> str:
    """A value before and after, `9 → 6`; one value when both are the same; `-` where the alert is not, or was not evaluated."""
    old, new = (of(outcome) if outcome is not None and outcome.was_asked else "-" for outcome in (change.before, change.after))
    return new if old == new else f"{old} → {new}"


def note(change: Change) -> str:
    """What the numbers do not say."""
    return "new alert" if change.before is None else "alert removed" if change.after is None else ""


def limits_of_sight(backtest: Backtest) -> tuple[str, ...]:
    """What cannot be seen, for the end of a report."""
    return tuple(clean_line(text, 300) for text in backtest.blind)


def missing(backtest: Backtest) -> Iterator[str]:
    """What was not evaluated and why, alert by alert, then what Prometheus warned of."""
    for outcome in backtest.outcomes:
        part = f" ({coverage(outcome, backtest.range):.0%} of the time was evaluated)" if outcome.was_asked else ""
        if outcome.missing:
            yield f"{name(outcome.rule.name)}: {clean_line(outcome.missing, 400)}{part}"
    yield from (clean_line(text, 400) for text in backtest.missing)


def absent(backtest: Backtest) -> Iterator[str]:
    """Metrics that were not there, with what that means or who reads them."""
    for one in backtest.absent:
        few = ", ".join(one.alerts[:3]) + (f" and {len(one.alerts) - 3} more" if len(one.alerts) > 3 else "")
        yield clean_line(f"{one.metric}: " + (f"without it {one.without}" if one.without else f"read by {few}"), 300)


def legend(range_: Range) -> tuple[str, ...]:
    """What the columns mean."""
    return (
        "FIRED counts each label set for itself. TOTAL adds them up.",
        f"CAUGHT: kills of the container while the alert fired, or at most {human_duration(LATE_S)} before it began. "
        "AHEAD and AFTER: the middle time between the two.",
        f"NO KILL: firings with no kill up to {human_duration(range_.within_s)} later. That alone makes no false alarm: "
        "a container near its limit is near its limit.",
        f"THREADS: what the receiver would have opened in Slack, one per workload's container, a new one after {human_duration(REOPEN_S)} of quiet.",
    )


def table(rows: Sequence[Sequence[str]], *, left: int = 2) -> Iterator[str]:
    """Aligned columns; the first `left` to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        yield "  ".join(cells).rstrip()
