"""`oomtriage doctor`: what is wrong with this installation, one line each. Exit 1 when there is a problem.

A receiver that runs beside it does it when it has the same settings: in its pod there is no memory for a second process.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from receiver.cli import beside
from receiver.cli.arguments import add_color, add_config
from receiver.cli.terminal import Progress, wants_color
from receiver.settings.load import read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="what to print (default: text)")
    parser.add_argument("-v", "--verbose", action="store_true", help="with text: also each permission and metric that is fine")
    parser.add_argument("--context", default="", help="kubectl context to use, outside a cluster")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN)")
    add_color(parser)
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from receiver.render import paint
    from receiver.render.doctor import lines, summary

    with Progress() as progress:
        progress("asking everything that the receiver asks")
        found = _found(arguments)
    colored = paint.state if wants_color(sys.stdout, arguments.color) else str
    if arguments.output == "json":
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for line in lines(found["checks"], is_verbose=arguments.verbose):
            print(colored(line))
        print(summary(found))
    return 1 if found["summary"]["problem"] else 0


def _found(arguments: argparse.Namespace) -> Mapping[str, Any]:
    # In a pod a command has the environment and not the receiver's file: what is incomplete alone may be whole there.
    settings, unreadable = read_settings(config_path=arguments.config, needs_slack_token=False)
    local = beside.on_port_of(settings)
    differing = local.differs_in(beside.digests_of(settings)) if local is not None else ()
    if local is not None and not differing and not unreadable and not arguments.context and not arguments.url:
        answer = beside.get(local, "/api/v1/doctor")
        if isinstance(answer, dict) and answer.get("schema"):
            return answer
    from receiver.cli.doctor_here import doctor_here

    config = arguments.config or (local.config if local is not None else None) or None
    settings, problems = read_settings(config_path=config)
    return doctor_here(
        settings, problems, context=arguments.context, url=arguments.url or "", receiver_pid=local.pid if local else 0, differing=differing
    )
