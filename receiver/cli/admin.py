"""`oomtriage dead list|replay|drop`: asks the running receiver, which alone can open its state file."""

from __future__ import annotations

import argparse

from receiver.cli.arguments import add_config
from receiver.cli.shared import receiver_http, settings_for
from receiver.errors import PayloadError
from receiver.render.text import clean_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("action", choices=("list", "replay", "drop"))
    parser.add_argument("id", nargs="?", help="one dead letter; replay and drop take all of them without it")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    http = receiver_http(settings, arguments.url)
    if arguments.action == "list":
        answer = http.get_json("/admin/dead")
        letters = answer.get("dead", []) if isinstance(answer, dict) else []
        for letter in letters:
            print(clean_line(f"{letter['id']}  since {letter['since']}  {letter['what']}: {letter['error']}"))
        if not letters:
            print("no dead letters")
        return 0
    path = f"/admin/{arguments.action}" + (f"?id={arguments.id}" if arguments.id else "")
    response = http.post(path)
    if response.status != 200:
        raise PayloadError(f"the receiver answered {response.status}: {response.body.decode('utf-8', 'replace')[:200]}")
    print(clean_line(response.body.decode("utf-8", "replace")))
    return 0
