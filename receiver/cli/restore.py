"""`oomtriage restore FILE`: puts a backup in the place of a stopped receiver's state."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from receiver.app.state import store_path
from receiver.cli.arguments import add_config
from receiver.cli.shared import settings_for
from receiver.store import copies


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE", help="what `oomtriage backup` wrote")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    path = store_path(settings_for(arguments, log_level="WARNING"))
    aside = copies.restore(path, Path(arguments.file), now=time.time())
    print(f"{path}: restored from {arguments.file}")
    if aside is not None:
        print(f"what was there is kept as {aside}", file=sys.stderr)
    return 0
