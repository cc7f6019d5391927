"""`oomtriage migrate-store FROM TO`: moves the state of a stopped installation, for instance from its file into PostgreSQL."""

from __future__ import annotations

import argparse
import sys
import time

from receiver.app.state import open_for_a_move
from receiver.store.move import move


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    for name, what in (("FROM", "where the state is"), ("TO", "where it goes; nothing of ours may be there yet")):
        parser.add_argument(name.lower(), metavar=name, help=f"{what}: as STORE_URL, or a file that holds such an address (@FILE)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    with open_for_a_move(getattr(arguments, "from"), must_exist=True) as source, open_for_a_move(arguments.to) as target:
        moved = move(source, target, now=time.time())
    rows, left = moved.rows, {table: n for table, n in moved.left.items() if n}
    print(
        f"moved: {rows['incident']} incidents, {rows['alert']} alerts, {rows['message']} messages, {rows['job']} pieces of work. "
        "The old state is as it was; let no receiver use it again"
    )
    if left:
        print(f"left out, because they cannot be read: {', '.join(f'{n} in {table}' for table, n in left.items())}", file=sys.stderr)
    return 0
