"""`oomtriage ack|fixed|tick INCIDENT`: told to the running receiver, which notes it in the incident and shows it in the channel."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from urllib.parse import quote

from receiver.cli.arguments import add_config
from receiver.cli.shared import receiver_http, settings_for
from receiver.errors import PayloadError, Unreadable
from receiver.render.text import clean_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands' arguments; `command` says which of them it is."""
    parser.add_argument("incident", metavar="INCIDENT", help="the incident's id (inc_...), as its page and `details` link have it")
    if parser.prog.endswith(" tick"):
        parser.add_argument(
            "item", metavar="ITEM", help="what was done, as `checklist` of the report calls it: root_cause, monitor_48h, ..."
        )
        parser.add_argument("--undo", action="store_true", help="it is not done after all")
    parser.add_argument("--by", metavar="NAME", default="", help="who; shown in the message")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    what = "untick" if getattr(arguments, "undo", False) else arguments.command
    body = {"by": arguments.by} | ({"item": arguments.item} if arguments.command == "tick" else {})
    return tell(arguments, what, body)


def tell(arguments: argparse.Namespace, what: str, body: Mapping[str, str]) -> int:
    """Tell the running receiver what somebody does about an incident."""
    http = receiver_http(settings_for(arguments, log_level="WARNING"), arguments.url)
    response = http.post(f"/admin/incidents/{quote(arguments.incident, safe='')}/{what}", json_body=dict(body))
    try:
        answer = response.json()
    except Unreadable:
        answer = None
    if not isinstance(answer, dict) or (response.status != 200 and not {"text", "error"} & set(answer)):
        raise PayloadError(f"the receiver answered {response.status}: {response.body.decode('utf-8', 'replace')[:200]}")
    if response.status != 200:
        raise PayloadError(f"{arguments.incident}: {answer.get('text') or answer.get('error')}")
    print(clean_line(f"{arguments.incident}: {answer.get('text')}"))
    return 0
