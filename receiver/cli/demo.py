"""`oomtriage demo`."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from receiver.telemetry import configure_logging


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--once", action="store_true", help="post everything, print the messages, exit")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from receiver.demo.run import run_demo  # the stand-ins are of no use to the other commands

    configure_logging("WARNING", is_terminal=True)
    signal.signal(signal.SIGTERM, _end)  # as Ctrl-C: what was started ends, what was written is removed
    return run_demo(once=arguments.once)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one would break off the cleaning
    sys.exit(128 + number)
