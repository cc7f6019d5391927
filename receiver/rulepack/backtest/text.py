"""A backtest as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.rulepack.backtest import words
from receiver.rulepack.backtest.compare import Change, Comparison
from receiver.rulepack.backtest.judge import How, Outcome
from receiver.rulepack.backtest.run import Backtest

HEAD = ("ALERT", "SEVERITY", "FIRED", "WORKLOADS", "TOTAL", "MEDIAN", "CAUGHT", "AHEAD", "AFTER", "NO KILL", "THREADS")


def backtest_text(backtest: Backtest) -> str:
    """One version of the rules."""
    lines = [
        f"Backtest of {words.count(len(backtest.outcomes), 'alert')} over {words.span(backtest.range)}, as if switched on at the start.",
        "",
        words.kills_found(backtest),
        *_verdict(backtest),
        "",
        *words.table([HEAD, *(_row(outcome) for outcome in backtest.outcomes if outcome.was_asked), _sum(backtest)]),
        "",
        *words.legend(backtest.range),
        *_workloads(backtest),
        *_listed("Kills that nobody would have been told of", [words.kill_line(kill) for kill in backtest.missed]),
        *_end(backtest),
    ]
    return "\n".join(lines)


def comparison_text(comparison: Comparison) -> str:
    """What a change of the rules does, then nothing that stayed as it was."""
    after = comparison.after
    changed = [change for change in comparison.changes if change.is_any]
    same = len(comparison.changes) - len(changed)
    lines = [
        words.headline(comparison),
        f"Both versions over {words.span(after.range)}. {words.kills_found(after)}",
        "",
    ]
    if changed:
        head = ("ALERT", "SEVERITY", "FIRED", "TOTAL", "CAUGHT", "NO KILL", "THREADS", "")
        lines += words.table([head, *(_changed_row(change) for change in changed)])
    lines.append(
        f"{words.count(same, 'alert')} {'fires' if same == 1 else 'fire'} as before." if changed else "No alert fires differently."
    )
    for title, firings in (("Gone", "gone"), ("New", "new")):
        lines += _listed(title, [f"{change.name}  {words.firing_line(one)}" for change in changed for one in getattr(change, firings)])
    for title, pairs in (("Longer", "longer"), ("Shorter", "shorter")):
        lines += _listed(
            title,
            [
                f"{change.name}  {words.firing_line(new)}, was {words.length(old.span.length_s)}"
                for change in changed
                for old, new in getattr(change, pairs)
            ],
        )
    lines += _listed("Kills that only the version before told of", [words.kill_line(kill) for kill in comparison.newly_missed])
    lines += _listed("Kills that only the new version tells of", [words.kill_line(kill) for kill in comparison.newly_caught])
    lines += _listed("Not comparable: not evaluated over the same time in both versions", list(comparison.incomparable))
    return "\n".join([*lines, *_end(after)])


def _verdict(backtest: Backtest) -> Iterator[str]:
    if not backtest.kills:
        return
    caught, missed, late = len(backtest.caught), len(backtest.missed), len(backtest.too_late)
    tail = f", {late} too near the end to say" if late else ""
    yield f"Somebody would have been told of {caught} of them (an alert of severity critical or warning); {missed} missed{tail}."


def _row(outcome: Outcome) -> tuple[str, ...]:
    return (
        words.name(outcome.rule.name), words.name(outcome.rule.severity) or "-", f"{len(outcome.firings):,}", str(len(outcome.workloads)),
        words.length(outcome.total_s) if outcome.firings else "-", words.length(outcome.median_s) if outcome.firings else "-",
        words.caught(outcome), words.median(outcome, How.BEFORE), words.median(outcome, How.AFTER),
        "-" if outcome.kills is None else f"{outcome.without_kill:,}", str(outcome.incidents) if outcome.rule.is_told else "-",
    )  # fmt: skip


def _sum(backtest: Backtest) -> tuple[str, ...]:
    told = backtest.told
    workloads = len(frozenset[str]().union(*(outcome.workloads for outcome in told)))
    total = words.length(sum(outcome.total_s for outcome in told)) if backtest.firings else "-"
    judged = len(backtest.kills) - len(backtest.too_late)
    return (
        "critical and warning", "", f"{backtest.firings:,}", str(workloads), total, "", f"{len(backtest.caught)} of {judged}", "", "", "",
        str(backtest.incidents),
    )  # fmt: skip


def _workloads(backtest: Backtest) -> Iterator[str]:
    told = words.top_workloads(backtest)
    if not told:
        return
    yield ""
    yield f"Workloads told of most ({min(len(told), words.TOP)} of {len(told)})"
    rows = [
        (
            f"  {words.name(one.name)}", words.count(one.firings, "firing"), words.length(one.total_s), words.count(one.kills, "kill"),
            ", ".join(f"{alert} {times}" for alert, times in one.alerts),
        )
        for one in told[: words.TOP]
    ]  # fmt: skip
    yield from words.table(rows, left=5)


def _changed_row(change: Change) -> tuple[str, ...]:
    return (
        words.name(change.name),
        words.both(change, lambda outcome: words.name(outcome.rule.severity) or "-"),
        words.both(change, lambda outcome: f"{len(outcome.firings):,}"),
        words.both(change, lambda outcome: words.length(outcome.total_s) if outcome.firings else "-"),
        words.both(change, words.caught),
        words.both(change, lambda outcome: "-" if outcome.kills is None else f"{outcome.without_kill:,}"),
        words.both(change, lambda outcome: str(outcome.incidents) if outcome.rule.is_told else "-"),
        words.note(change),
    )


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"{title} ({len(lines)})"
    yield from (f"  {line}" for line in lines[: words.LISTED])
    if len(lines) > words.LISTED:
        yield f"  and {len(lines) - words.LISTED} more"


def _end(backtest: Backtest) -> Iterator[str]:
    """What was not evaluated, what cannot be seen, and what the answer cost."""
    yield from _listed("Not evaluated, or not all of it", list(words.missing(backtest)))
    yield from _listed("Metrics that were not there", list(words.absent(backtest)))
    yield from _listed("What cannot be seen", list(words.limits_of_sight(backtest)))
    yield ""
    read = f" Recorded series read: {', '.join(backtest.recorded)}." if backtest.recorded else ""
    yield f"Query load: {words.load(backtest.load)}.{read}"
