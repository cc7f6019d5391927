"""`oomtriage serve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from receiver.app.serve import serve
from receiver.cli.arguments import add_config
from receiver.cli.shared import settings_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    serve(settings_for(arguments), config_path=str(Path(arguments.config).resolve()) if arguments.config else "")
    return 0
