"""A backtest as markdown for a pull request. Names stand in code spans: there no label can mention anybody or make a link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from receiver.render.text import clean_line
from receiver.rulepack.backtest import words
from receiver.rulepack.backtest.compare import Comparison
from receiver.rulepack.backtest.judge import How
from receiver.rulepack.backtest.run import Backtest


def backtest_markdown(backtest: Backtest) -> str:
    """One version of the rules."""
    head = ("Alert", "Severity", "Fired", "Total", "Kills caught", "Ahead", "After", "No kill", "Threads")
    rows = [
        (
            _code(outcome.rule.name), _code(outcome.rule.severity), f"{len(outcome.firings):,}",
            words.length(outcome.total_s) if outcome.firings else "-", words.caught(outcome), words.median(outcome, How.BEFORE),
            words.median(outcome, How.AFTER), "-" if outcome.kills is None else f"{outcome.without_kill:,}",
            str(outcome.incidents) if outcome.rule.is_told else "-",
        )
        for outcome in backtest.outcomes if outcome.was_asked
    ]  # fmt: skip
    lines = [
        "### Backtest of the alerting rules",
        "",
        f"{words.span(backtest.range)}. {words.kills_found(backtest)} Told of: {len(backtest.caught)}, missed: {len(backtest.missed)}.",
        "",
        *_table(head, rows),
        *_folded("Kills that nobody would have been told of", [words.kill_line(kill) for kill in backtest.missed]),
        *_end(backtest),
    ]
    return "\n".join(lines)


def comparison_markdown(comparison: Comparison) -> str:
    """What a change of the rules does."""
    after = comparison.after
    changed = [change for change in comparison.changes if change.is_any]
    lines = [
        "### Backtest of the alerting rules",
        "",
        f"**{words.headline(comparison)}**",
        "",
        f"Both versions over {words.span(after.range)}. {words.kills_found(after)}",
        "",
    ]
    if changed:
        rows = [
            (
                _code(change.name), words.both(change, lambda o: f"{len(o.firings):,}"),
                words.both(change, lambda o: words.length(o.total_s) if o.firings else "-"), words.both(change, words.caught),
                words.both(change, lambda o: "-" if o.kills is None else f"{o.without_kill:,}"),
                words.both(change, lambda o: str(o.incidents) if o.rule.is_told else "-"), words.note(change),
            )
            for change in changed
        ]  # fmt: skip
        lines += _table(("Alert", "Fired", "Total", "Kills caught", "No kill", "Threads", ""), rows)
    same = len(comparison.changes) - len(changed)
    lines += [
        "",
        f"{words.count(same, 'alert')} {'fires' if same == 1 else 'fire'} as before." if changed else "No alert fires differently.",
    ]
    lines += _folded("Kills that only the version before told of", [words.kill_line(kill) for kill in comparison.newly_missed])
    lines += _folded("Kills that only the new version tells of", [words.kill_line(kill) for kill in comparison.newly_caught])
    lines += _folded("Firings gone", [f"{change.name}  {words.firing_line(one)}" for change in changed for one in change.gone])
    lines += _folded("New firings", [f"{change.name}  {words.firing_line(one)}" for change in changed for one in change.new])
    for title, pairs in (("Longer firings", "longer"), ("Shorter firings", "shorter")):
        lines += _folded(
            title,
            [
                f"{change.name}  {words.firing_line(new)}, was {words.length(old.span.length_s)}"
                for change in changed
                for old, new in getattr(change, pairs)
            ],
        )
    lines += _folded("Not comparable: not evaluated over the same time in both versions", list(comparison.incomparable))
    return "\n".join([*lines, *_end(after)])


def _end(backtest: Backtest) -> Iterator[str]:
    yield from _folded("Not evaluated, or not all of it", list(words.missing(backtest)))
    yield from _folded("Metrics that were not there", list(words.absent(backtest)))
    yield ""
    yield f"<sub>{words.load(backtest.load)}</sub>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' if i == 0 else '--:' for i in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _folded(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"<details><summary>{title} ({len(lines)})</summary>"
    yield ""
    yield from (f"- {_code(line, 400)}" for line in lines[: words.LISTED])
    if len(lines) > words.LISTED:
        yield f"- and {len(lines) - words.LISTED} more"
    yield ""
    yield "</details>"


def _code(text: str, limit: int = words.NAME_MAX) -> str:
    """A code span, also inside a table."""
    cleaned = clean_line(text, limit).replace("`", "'").replace("|", "\\|")
    return f"`{cleaned}`" if cleaned else "-"
