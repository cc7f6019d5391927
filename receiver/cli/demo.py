"""`oomtriage demo`."""

from __future__ import annotations

import argparse

from receiver.telemetry import configure_logging


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--once", action="store_true", help="post everything, print the messages, exit")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from receiver.demo.run import run_demo  # the stand-ins are of no use to the other commands

    configure_logging("WARNING", is_terminal=True)
    return run_demo(once=arguments.once)
