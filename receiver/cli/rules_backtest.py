"""`oomtriage rules backtest`: what the alerts would have said over your own history, next to the OOM kills in it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from receiver.cli.arguments import add_config
from receiver.cli.shared import settings_for
from receiver.cli.terminal import Progress, is_terminal
from receiver.domain.units import parse_time
from receiver.errors import ConfigError
from receiver.rulepack import backtest as bt
from receiver.rulepack import rules_dir
from receiver.settings import Settings
from receiver.settings import parsing as parse
from receiver.settings.load import read_yaml_mapping
from receiver.transport import Http, HttpConfig

T = TypeVar("T")
FAILED = 1
MAX_STEP_S = 300  # Prometheus' look-back: with longer steps a recorded value is gone before the next


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The action's arguments."""
    parser.add_argument("dir", nargs="?", metavar="DIR|FILE", help="default: the shipped rules")
    parser.add_argument(
        "--prometheus", metavar="URL", required=True, help="Prometheus, Thanos, Mimir or VictoriaMetrics; only this is asked"
    )
    parser.add_argument("--since", metavar="DURATION", default="7d", help="how far back (default: 7d)")
    parser.add_argument("--until", metavar="TIME", help="RFC 3339 time at which the range ends (default: now)")
    parser.add_argument("--step", metavar="DURATION", default="1m", help="evaluation interval of groups that name none (default: 1m)")
    parser.add_argument("--within", metavar="DURATION", default="1h", help="a kill so long after a firing goes with it (default: 1h)")
    parser.add_argument("--against", metavar="DIR|FILE", help="the version before: show what the change does")
    parser.add_argument(
        "--values", metavar="FILE", help="your values, as for render; applied to DIR, and to --against unless that has its own"
    )
    parser.add_argument("--against-values", metavar="FILE", help="the values before; without --against, the same rules with them")
    parser.add_argument("--alert", metavar="NAME", action="append", default=[], help="only this alert; may be repeated")
    parser.add_argument(
        "--matchers", metavar="M", help='added to every selector, as in namespace=~"shop|web" (default: PROMETHEUS_MATCHERS)'
    )
    parser.add_argument("-o", "--output", choices=("text", "json", "markdown"), default="text", help="what to print (default: text)")
    parser.add_argument(
        "--max-queries", metavar="N", default=str(bt.Limits().max_queries), help="stop after N queries (default: %(default)s)"
    )
    parser.add_argument(
        "--max-seconds", metavar="N", default=f"{bt.Limits().max_seconds:.0f}", help="stop after N seconds (default: %(default)s)"
    )
    parser.add_argument("--write-out", action="store_true", help="do not read recorded series even where they are there")
    parser.add_argument(
        "--fail-on-missed", action="store_true", help="exit 1 when a kill is missed (with --against: that was caught before)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    range_ = _range(arguments)
    step_s = _step_s(arguments.step)
    directory = Path(arguments.dir) if arguments.dir else rules_dir()
    values = _values(arguments.values)
    rules = bt.read_rule_set(directory, values=values, step_s=step_s)
    before = None
    if arguments.against or arguments.against_values:
        old_values = _values(arguments.against_values) if arguments.against_values else values
        before = _before(Path(arguments.against) if arguments.against else directory, old_values, step_s)
    _check_names(arguments.alert, {alert.name for rule_set in (rules, before) if rule_set for alert in rule_set.alerts})
    matchers = settings.prometheus_matchers
    if arguments.matchers is not None:
        matchers = _setting("--matchers", arguments.matchers, parse.matchers)
    progress = _progress(quiet=arguments.quiet)
    asker = _asker(arguments, settings, progress)
    runner = bt.Runner(asker, range_, matchers=matchers, read_recorded=not arguments.write_out)
    old = runner.run(before, only=arguments.alert) if before else None
    result = runner.run(rules, only=arguments.alert)
    progress("")
    _print(result, bt.compare(old, result) if old else None, arguments.output)
    return _exit_code(result, old, fail_on_missed=arguments.fail_on_missed)


def _before(directory: Path, values: Mapping[str, object] | None, step_s: int) -> bt.RuleSet:
    try:
        return bt.read_rule_set(directory, values=values, step_s=step_s)
    except ConfigError as exc:
        raise ConfigError(f"the version before ({directory}): {exc}; --against-values gives it values of its own") from exc


def _exit_code(result: bt.Backtest, old: bt.Backtest | None, *, fail_on_missed: bool) -> int:
    if not any(outcome.was_asked for outcome in result.outcomes):
        return FAILED
    missed = bt.compare(old, result).newly_missed if old else result.missed
    return FAILED if fail_on_missed and missed else 0


def _print(result: bt.Backtest, comparison: bt.Comparison | None, output: str) -> None:
    if output == "json":
        print(json.dumps(bt.backtest_document(result, comparison), ensure_ascii=False, indent=2))
    elif output == "markdown":
        print(bt.comparison_markdown(comparison) if comparison else bt.backtest_markdown(result))
    else:
        print(bt.comparison_text(comparison) if comparison else bt.backtest_text(result))


def _asker(arguments: argparse.Namespace, settings: Settings, progress: Callable[[str], None]) -> bt.Asker:
    limits = bt.Limits(
        max_queries=_setting("--max-queries", arguments.max_queries, parse.count),
        max_seconds=float(_setting("--max-seconds", arguments.max_seconds, parse.count)),
    )
    address = _setting("--prometheus", arguments.prometheus, parse.url)
    if not address:
        raise ConfigError("--prometheus: expected a URL that starts with http:// or https://")
    http = Http(
        HttpConfig(
            base_url=address, name="Prometheus", token=settings.prometheus_token.reveal(), ca_path=settings.prometheus_ca_path,
            token_path=settings.secret_paths.get("prometheus_token", ""), headers=settings.prometheus_headers,
            read_timeout_s=limits.query_timeout_s + 10.0, tries=1,
        )
    )  # fmt: skip
    return bt.Asker(http, limits=limits, params=settings.prometheus_params, progress=progress)


def _range(arguments: argparse.Namespace) -> bt.Range:
    until = parse_time(arguments.until) if arguments.until else None
    if arguments.until and until is None:
        raise ConfigError(f"--until {arguments.until!r}: expected a time such as 2024-11-10T09:00:00Z")
    end_s = int(until.timestamp() if until else time.time())
    length_s = int(_setting("--since", arguments.since, parse.duration_s))
    return bt.Range(start_s=end_s - length_s, end_s=end_s, within_s=_setting("--within", arguments.within, parse.duration_s))


def _step_s(text: str) -> int:
    step_s = _setting("--step", text, parse.duration_s)
    if step_s != int(step_s) or step_s > MAX_STEP_S:
        raise ConfigError(f"--step {text!r}: expected whole seconds, at most 5m")
    return int(step_s)


def _setting(name: str, text: str, parser: Callable[[object], T]) -> T:
    try:
        return parser(text)
    except ValueError as exc:
        shown = parse.without_password(text)[:80]
        raise ConfigError(f"{name} {shown!r}: {exc}") from None


def _values(path: str | None) -> dict[str, object] | None:
    return read_yaml_mapping(path, "the values file") if path else None


def _check_names(wanted: list[str], known: set[str]) -> None:
    for name in wanted:
        if name not in known:
            raise ConfigError(f"--alert {name!r}: no such alert; there are {', '.join(sorted(known))}")


def _progress(*, quiet: bool) -> Callable[[str], None]:
    """Lines on stderr; on a terminal one line that is written over, and wiped by an empty text."""
    if quiet:
        return lambda _: None
    if not is_terminal(sys.stderr):
        return lambda text: print(text, file=sys.stderr, flush=True) if text else None
    return Progress()
