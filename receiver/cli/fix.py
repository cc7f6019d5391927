"""`oomtriage fix`: the proposed change in a checkout of Git, or as a pull request of the running receiver."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Mapping
from pathlib import Path

from receiver.case import facts_of
from receiver.cli import incident
from receiver.cli.arguments import add_config
from receiver.cli.diagnose import read_case
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.reason import reason
from receiver.errors import ConfigError
from receiver.forge.base import is_wanted
from receiver.pipeline.change_requests import Found
from receiver.pipeline.plain_place import plain_place
from receiver.render.text import clean_line, sentence
from receiver.render.wording import say

MOST_FILES = 20_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "incident", metavar="INCIDENT|CASE.json", help="with --repo a case that `triage --save` wrote; else the incident's id (inc_...)"
    )
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--repo", metavar="PATH", help="a checkout: show there what decides the container's memory, and the change of it")
    how.add_argument("--pull-request", action="store_true", help="open one in the repository that `gitops` of the receiver names")
    parser.add_argument("--write", action="store_true", help="with --repo: write the change into the checkout")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="with --repo: as text, or as JSON")
    parser.add_argument("--by", metavar="NAME", default="", help="with --pull-request: who; shown in the message")
    parser.add_argument("--url", help="with --pull-request: the receiver (default: http:// and LISTEN)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.pull_request:
        return incident.tell(arguments, "request", {"by": arguments.by})
    report = diagnose(facts_of(read_case(arguments.incident)))
    if report.proposal.limit_bytes is None:
        return _told(arguments, Found(refusal=report.proposal.none or reason("request.nothing_proposed")), {})
    root = Path(arguments.repo)
    files = read_checkout(root)
    found = plain_place(files, report)
    if arguments.write:
        for edit in found.edits:
            (root / edit.path).write_bytes(edit.text.encode())
    return _told(arguments, found, files)


def read_checkout(root: Path) -> Mapping[str, str]:
    """The texts of a checkout that could decide something, by their paths from its root. Links out of it are not followed."""
    if not root.is_dir():
        raise ConfigError(f"--repo {root}: expected the folder of a checkout")
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if ".git" in relative.parts or path.is_symlink() or not path.is_file() or not is_wanted(path.name, path.stat().st_size):
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            continue
        try:
            found[relative.as_posix()] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        if len(found) > MOST_FILES:
            raise ConfigError(f"--repo {root}: more than {MOST_FILES} manifests and values; name a folder of it")
    return found


def _told(arguments: argparse.Namespace, found: Found, files: Mapping[str, str]) -> int:
    why = clean_line(sentence(say(found.why or found.refusal)))
    diffs = {e.path: _diff(e.path, files[e.path], e.text) for e in found.edits}
    if arguments.output == "json":
        changed = [{"path": path, "diff": diff, "why": why} for path, diff in diffs.items()]
        print(
            json.dumps(
                {
                    "files": changed,
                    "candidates": [],
                    "verified_by": "the file was read again: nothing else in it differs",
                    **({} if changed else {"none": why}),
                },
                indent=2,
            )
        )
    else:
        print("\n".join([*diffs.values(), why]))
    return 0 if found.edits else 1


def _diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=3)
    return "\n".join(lines) + "\n"
