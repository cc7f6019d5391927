"""`oomtriage serve`."""

from __future__ import annotations

import argparse

from receiver.app.serve import serve
from receiver.cli.shared import Commands, add_config, settings_for


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("serve", help="run the receiver")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    serve(settings_for(arguments), arguments.config)
