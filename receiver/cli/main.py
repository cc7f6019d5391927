"""Parsing of the command line, and what every command shares: exit codes, quiet Ctrl-C, one line for an error."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from receiver.cli import admin, classify, config, diagnose, rules, serve, triage
from receiver.cli import demo as demo_command
from receiver.errors import ConfigError, ReceiverError

COMMANDS = (serve, demo_command, triage, diagnose, classify, rules, admin, config)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run `oomtriage` and exit."""
    parser = argparse.ArgumentParser(
        prog="oomtriage", description="A Slack message that has already done the first twenty minutes of an OOMKilled incident."
    )
    parser.add_argument("--version", action="version", version=f"oomtriage {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    _run(parser.parse_args(argv))


def kubectl_main() -> NoReturn:
    """`kubectl oomtriage POD -n NS`: the plugin's way to `oomtriage triage`."""
    parser = argparse.ArgumentParser(prog="kubectl oomtriage")
    triage.add_arguments(parser)
    _run(parser.parse_args())


def _run(arguments: argparse.Namespace) -> NoReturn:
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except ConfigError as exc:
        code = _complain(str(exc), 2)
    except ReceiverError as exc:
        code = _complain(str(exc), 1)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BrokenPipeError:  # `oomtriage ... | head`: nobody reads any more, and that is fine
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _complain(text: str, code: int) -> int:
    print(f"oomtriage: {text}", file=sys.stderr)
    return code


def _version() -> str:
    try:
        return version("oomtriage")
    except PackageNotFoundError:
        return "(not installed)"
