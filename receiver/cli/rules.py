"""`oomtriage rules check|render`: the shipped Prometheus rules, or your own copy of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from receiver.cli import rules_backtest
from receiver.errors import ConfigError
from receiver.rulepack import FORMATS, Level, check_rules, render_rules, rules_dir
from receiver.settings.load import read_yaml_mapping
from receiver.settings.parsing import without_password
from receiver.transport import Http, HttpConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser("check", help="find what is wrong with the rules, and what a Prometheus lacks for them")
    check.add_argument("dir", nargs="?", metavar="DIR", help="default: the shipped rules")
    check.add_argument("--prometheus", metavar="URL", help="also ask this Prometheus for every metric that the rules read")
    check.set_defaults(run=_check)
    render = actions.add_parser("render", help="write the rules with your thresholds")
    render.add_argument("dir", nargs="?", metavar="DIR", help="default: the shipped rules")
    render.add_argument("--format", choices=FORMATS, default=FORMATS[0])
    render.add_argument("--values", metavar="FILE", help="YAML with what differs from rules/config/values.yaml")
    render.set_defaults(run=_render)
    rules_backtest.add_arguments(actions.add_parser("backtest", help="tell what the alerts would have said over your own history"))


def _check(arguments: argparse.Namespace) -> int:
    ask = None
    if arguments.prometheus:
        if not arguments.prometheus.startswith(("http://", "https://")):
            raise ConfigError(
                f"--prometheus {without_password(arguments.prometheus)!r}: expected a URL that starts with http:// or https://"
            )
        ask = Http(HttpConfig(base_url=arguments.prometheus.rstrip("/"), name="Prometheus")).post_form_json
    problems = check_rules(_directory(arguments), ask)
    for problem in problems:
        print(problem)
    if not problems:
        print("the rules are fine")
    return 1 if any(p.level is Level.ERROR for p in problems) else 0


def _render(arguments: argparse.Namespace) -> int:
    values = read_yaml_mapping(arguments.values, "the values file") if arguments.values else None
    sys.stdout.write(render_rules(_directory(arguments), output_format=arguments.format, values=values))
    return 0


def _directory(arguments: argparse.Namespace) -> Path:
    return Path(arguments.dir) if arguments.dir else rules_dir()
