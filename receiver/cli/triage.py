"""`oomtriage triage POD`: gather, diagnose and print for one pod, without Alertmanager and without the store.

A receiver that runs beside it does it when there is one; a process of its own, otherwise, loads what that takes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from receiver.cli import beside
from receiver.cli.arguments import add_config, add_output
from receiver.domain.kube_names import is_name
from receiver.errors import ConfigError
from receiver.settings import Settings, load_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, for `oomtriage triage` and `kubectl oomtriage`."""
    parser.add_argument("pod", metavar="POD")
    parser.add_argument("-n", "--namespace", default="default", metavar="NS")
    parser.add_argument("-c", "--container", default="", metavar="CONTAINER", help="default: the one that was killed")
    parser.add_argument("--context", default="", help="kubectl context to use")
    parser.add_argument("--save", metavar="CASE", help="also write the gathered case here; it holds no secret")
    parser.add_argument("--post", action="store_true", help="also post the messages to the configured sink")
    add_output(parser)
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    for what, name in (("pod", arguments.pod), ("namespace", arguments.namespace)):
        if not is_name(name) or ".." in name:
            raise ConfigError(f"{name[:80]!r} is no {what} name: expected lower-case letters, digits, - and .")
    settings = load_settings(config_path=arguments.config)
    answer = _answer_beside(arguments, settings)
    if answer is None:
        from receiver.cli.triage_here import triage_here

        return triage_here(arguments, settings, save=_save)
    if arguments.save:
        _save(answer.get("case"), arguments.save)
    if answer.get("why"):
        print(f"oomtriage: {answer['why']}", file=sys.stderr)
    else:
        print(answer.get("text", ""))
    return int(answer.get("code", 1))


def _answer_beside(arguments: argparse.Namespace, settings: Settings) -> Mapping[str, Any] | None:
    if arguments.context or arguments.post or not settings.kube_api_url:
        return None  # the user's own kubeconfig decides; a post goes by the settings of this process
    asked = {
        "namespace": arguments.namespace, "pod": arguments.pod, "container": arguments.container, "output": arguments.output,
        "verbose": arguments.verbose, "case": bool(arguments.save),
    }  # fmt: skip
    answer = beside.ask("/admin/triage", asked, settings)
    return answer if isinstance(answer, dict) else None


def _save(case: object, path: str) -> None:
    try:
        Path(path).write_text(json.dumps(case, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot write the case to {path}: {exc.strerror or exc}") from exc
