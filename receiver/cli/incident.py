"""`oomtriage ack|fixed INCIDENT`: told to the running receiver, which notes it in the incident and shows it in the channel."""

from __future__ import annotations

import argparse
from urllib.parse import quote

from receiver.cli.shared import add_config, receiver_http, settings_for
from receiver.errors import PayloadError, Unreadable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands' arguments; `command` says which of the two it is."""
    parser.add_argument("incident", metavar="INCIDENT", help="the incident's id (inc_...), as its page and `details` link have it")
    parser.add_argument("--by", metavar="NAME", default="", help="who; shown in the message")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    http = receiver_http(settings_for(arguments, log_level="WARNING"), arguments.url)
    path = f"/admin/incidents/{quote(arguments.incident, safe='')}/{arguments.command}"
    response = http.post(path, json_body={"by": arguments.by})
    try:
        answer = response.json()
    except Unreadable:
        answer = None
    if not isinstance(answer, dict) or (response.status != 200 and not {"text", "error"} & set(answer)):
        raise PayloadError(f"the receiver answered {response.status}: {response.body.decode('utf-8', 'replace')[:200]}")
    if response.status != 200:
        raise PayloadError(f"{arguments.incident}: {answer.get('text') or answer.get('error')}")
    print(f"{arguments.incident}: {answer.get('text')}")
    return 0
