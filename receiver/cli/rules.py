"""`oomtriage rules check|render|schema|backtest`: the shipped Prometheus rules, your own copy of them, or rules of your own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from receiver.app.build import make_prometheus
from receiver.cli import rules_backtest
from receiver.cli.arguments import add_color, add_config
from receiver.cli.examples import epilog
from receiver.cli.shared import settings_for
from receiver.cli.terminal import Progress, wants_color
from receiver.errors import ConfigError
from receiver.render import paint
from receiver.render.text import visible
from receiver.rulepack import (
    FORMATS,
    Costs,
    Level,
    Problem,
    check_data,
    check_rules,
    measure,
    read_pack,
    render_rules,
    rules_dir,
    values_schema,
)
from receiver.rulepack.ask import Ask
from receiver.rulepack.render import with_values
from receiver.rulepack.values import read_values
from receiver.settings.load import read_yaml_mapping
from receiver.settings.parsing import without_password
from receiver.transport import Http

QUERY_TIMEOUT_S = 35.0  # a little more than the query itself may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = _action(actions, "check", "find what is wrong with rules, what a Prometheus lacks for them, and what they cost there")
    check.add_argument("path", nargs="?", metavar="DIR|FILE", help="default: the shipped rules")
    check.add_argument("--prometheus", metavar="URL", help="also ask this Prometheus for every series that the rules read")
    check.add_argument("--values", metavar="FILE", help="ask it for the rules as they are with these values")
    check.add_argument("--no-cost", action="store_true", help="do not measure what each rule costs there, which takes longest")
    check.add_argument("-o", "--output", choices=("text", "json"), default="text", help="what to print (default: text)")
    add_color(check)
    add_config(check)
    check.set_defaults(run=_check)
    render = _action(actions, "render", "write the rules with your values")
    render.add_argument("path", nargs="?", metavar="DIR|FILE", help="default: the shipped rules")
    render.add_argument("--format", choices=FORMATS, default=FORMATS[0])
    render.add_argument("--values", metavar="FILE", help="YAML with what differs from rules/config/values.yaml")
    render.add_argument("--helm", action="store_true", help="so that the output can lie in a Helm chart's templates folder")
    render.set_defaults(run=_render)
    schema = _action(actions, "schema", "print the JSON Schema of the values file")
    schema.add_argument("path", nargs="?", metavar="DIR|FILE", help="default: the shipped rules")
    schema.set_defaults(run=_schema)
    rules_backtest.add_arguments(_action(actions, "backtest", "tell what the alerts would have said over your own history"))


def _action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog(f"rules {name}", f"oomtriage rules {name}"),
    )  # fmt: skip
    return parser


def _check(arguments: argparse.Namespace) -> int:
    path = _path(arguments)
    with Progress() as progress:
        progress("checking the rule files")
        problems = check_rules(path)
    pack = read_pack(path) if arguments.prometheus or arguments.values else None
    costs = None
    if pack is not None and arguments.values:
        pack = with_values(pack, read_values(pack, _values(arguments)))
    if pack is not None and arguments.prometheus:
        ask, matchers = _asking(arguments)
        with Progress() as progress:
            problems += check_data(pack, ask, matchers=matchers, progress=progress)
            if not any(problem.where == "Prometheus" for problem in problems) and not arguments.no_cost:
                costs = measure(pack, ask, matchers=matchers, progress=progress)
                problems += costs.problems
    if arguments.output == "json":
        json.dump({"problems": [asdict(problem) for problem in problems], "cost": _cost_document(costs)}, sys.stdout, indent=2)
        print()
    else:
        _print(problems, costs, color=arguments.color)
    return 1 if any(p.level is Level.ERROR for p in problems) else 0


def _asking(arguments: argparse.Namespace) -> tuple[Ask, str]:
    """How to ask the Prometheus at --prometheus, with the token and headers of the settings, and their matchers."""
    url = arguments.prometheus
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"--prometheus {without_password(url)!r}: expected a URL that starts with http:// or https://")
    settings = replace(settings_for(arguments, log_level="WARNING"), prometheus_url=url.rstrip("/"))
    config = make_prometheus(settings)
    http = Http(replace(config.http.config, read_timeout_s=QUERY_TIMEOUT_S, tries=1))

    def ask(path: str, form: Mapping[str, Any]) -> Any:
        return http.post_form_json(path, {**config.config.params, **form})

    return ask, settings.prometheus_matchers


def _print(problems: list[Problem], costs: Costs | None, *, color: str) -> None:
    colored = paint.state if wants_color(sys.stdout, color) else str
    for problem in problems:
        print(colored(visible(str(problem))))
    if not problems:
        print("the rules are fine")
    if costs is None or not costs.rules:
        return
    print(f"\n{'of a core':>9} {'seconds':>9} {'every':>6} {'samples':>10} {'results':>8}  rule")
    for cost in costs.rules:
        inlined = "  (with the records it reads)" if cost.is_inlined else ""
        numbers = f"{cost.share:9.3%} {cost.eval_s:9.4f} {cost.interval_s:5.0f}s {cost.samples:10d} {cost.results:8d}"
        print(f"{numbers}  {cost.name}{inlined}")
    print(f"\nall rules: {costs.share:.2%} of one core at most. It is the queries' wall time in a server that also did other things.")
    if not costs.is_installed:
        print("The rules are not loaded there: what they read of each other was evaluated again for each reader.")


def _cost_document(costs: Costs | None) -> dict[str, Any] | None:
    if costs is None:
        return None
    rules = [{**asdict(cost), "share_of_core": cost.share} for cost in costs.rules]
    return {"share_of_core": costs.share, "is_installed": costs.is_installed, "rules": rules}


def _render(arguments: argparse.Namespace) -> int:
    text = render_rules(_path(arguments), output_format=arguments.format, values=_values(arguments), is_helm=arguments.helm)
    sys.stdout.write(text)
    return 0


def _schema(arguments: argparse.Namespace) -> int:
    print(json.dumps(values_schema(read_pack(_path(arguments))), indent=2, ensure_ascii=False))
    return 0


def _values(arguments: argparse.Namespace) -> Mapping[str, Any] | None:
    return read_yaml_mapping(arguments.values, "the values file") if arguments.values else None


def _path(arguments: argparse.Namespace) -> Path:
    return Path(arguments.path) if arguments.path else rules_dir()
