"""`oomtriage triage` and `kubectl oomtriage`: one pod, a workload, or what died in a namespace, without Alertmanager and without the store.

A receiver that runs beside it does it when there is one; a process of its own, otherwise, loads what that takes.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from receiver.cli import beside
from receiver.cli.arguments import add_color, add_config, add_output
from receiver.cli.terminal import complain, wants_color, width_of
from receiver.domain.target import Target, target_of
from receiver.errors import ConfigError
from receiver.settings import Settings, load_settings
from receiver.settings.parsing import duration_s

# kubectl's own, by which a person says whose kubeconfig is meant; passed on to kubectl as they are.
KUBECTL_FLAGS = ("kubeconfig", "context", "cluster", "user", "as")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, for `oomtriage triage` and `kubectl oomtriage`."""
    parser.add_argument(
        "target", metavar="POD", nargs="*", help="a pod, or KIND/NAME of a workload; without it: what died in the namespace"
    )
    parser.add_argument("-n", "--namespace", default="", metavar="NS", help="default: that of the kubeconfig's context")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="with -l or alone: in the whole cluster")
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="the worst of the pods with these labels (app=web,tier in (a,b))"
    )
    parser.add_argument("-c", "--container", default="", metavar="CONTAINER", help="default: the one that was killed")
    parser.add_argument("--since", default="1h", metavar="DURATION", help="without a pod: how far back (default: 1h)")
    parser.add_argument(
        "--looks",
        type=int,
        default=8,
        metavar="N",
        help="without a pod: look into so many of the workloads for a verdict (default: 8; 0: none)",
    )
    parser.add_argument("--context", default="", metavar="CONTEXT", help="kubeconfig context to use")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="kubeconfig file to use")
    parser.add_argument("--cluster", default="", metavar="NAME", help="kubeconfig cluster to use")
    parser.add_argument("--user", default="", metavar="NAME", help="kubeconfig user to use")
    parser.add_argument("--as", default="", metavar="USER", help="user to impersonate")
    parser.add_argument("--save", metavar="CASE", help="also write the gathered case here; it holds no secret")
    parser.add_argument("--post", action="store_true", help="also post the messages to the configured sink")
    add_output(parser)
    add_color(parser)
    add_config(parser)
    is_plugin = parser.prog.startswith("kubectl")
    parser.set_defaults(run=lambda arguments: _run(arguments, parser, is_plugin=is_plugin))


def _run(arguments: argparse.Namespace, parser: argparse.ArgumentParser, *, is_plugin: bool) -> int:
    says_where = arguments.namespace or arguments.all_namespaces or arguments.selector
    if not arguments.target and not says_where and not is_plugin:
        parser.error("name a pod, KIND/NAME, -l LABELS, or a namespace alone with -n: what died there?")
    target = _target(arguments)
    flags = [f"--{name}={value}" for name in KUBECTL_FLAGS if (value := getattr(arguments, name))]
    settings = load_settings(config_path=arguments.config)
    if flags:  # said on the command line, so meant
        settings = replace(settings, kube_api_url="", kube_token_path="", kube_ca_path="")
    if not target.namespace and not arguments.all_namespaces:
        target = replace(target, namespace=_usual_namespace(settings, flags))
    asked = {
        **target.to_json(), "container": arguments.container, "output": arguments.output, "verbose": arguments.verbose,
        "case": bool(arguments.save), "looks": arguments.looks, "since_s": _since_s(arguments.since), "width": width_of(sys.stdout) if sys.stdout.isatty() else None,
        "command": " ".join([parser.prog, *map(shlex.quote, flags)]),
    }  # fmt: skip
    answer = None if flags or arguments.post else _answer_beside(asked, settings)
    if answer is None:
        from receiver.cli.triage_here import triage_here

        answer = triage_here(asked, settings, flags, with_post=arguments.post)
    if arguments.save and answer.get("case") is not None:
        _save(answer["case"], arguments.save)
    if answer.get("why"):
        complain(str(answer["why"]))
    else:
        print(_colored(str(answer.get("text", "")), target, arguments))
    return int(answer.get("code", 1))


def _target(arguments: argparse.Namespace) -> Target:
    if arguments.all_namespaces and arguments.namespace:
        raise ConfigError(f"-A and -n {arguments.namespace}: expected one of them")
    try:
        target = target_of(arguments.target, namespace=arguments.namespace, selector=arguments.selector)
    except ValueError as exc:
        raise ConfigError(str(exc)) from None
    if arguments.all_namespaces and (target.pod or target.workload):
        raise ConfigError("-A: expected -l LABELS or nothing beside it; a pod or workload is in one namespace (-n)")
    if not (target.pod or target.workload or target.selector):
        for option, is_there in (("--save", arguments.save), ("--post", arguments.post), ("-o slack", arguments.output == "slack")):
            if is_there:
                raise ConfigError(f"{option} is of one pod: name it, or KIND/NAME, or -l LABELS")
    return target


def _since_s(text: str) -> float:
    try:
        return float(duration_s(text))
    except ValueError as exc:
        raise ConfigError(f"--since {text[:80]!r}: {exc}") from None


def _usual_namespace(settings: Settings, flags: list[str]) -> str:
    if settings.kube_api_url:
        return "default"
    from receiver.evidence.kubectl_proxy import current_namespace

    return current_namespace(flags)


def _answer_beside(asked: Mapping[str, Any], settings: Settings) -> Mapping[str, Any] | None:
    if not settings.kube_api_url:
        return None  # the user's own kubeconfig decides
    answer = beside.ask("/admin/triage", asked, settings)
    return answer if isinstance(answer, dict) else None


def _colored(text: str, target: Target, arguments: argparse.Namespace) -> str:
    if arguments.output != "text" or not wants_color(sys.stdout, arguments.color):
        return text
    from receiver.render import paint

    return paint.deaths(text) if target.is_everything else paint.report(text)


def _save(case: object, path: str) -> None:
    try:
        Path(path).write_text(json.dumps(case, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot write the case to {path}: {exc.strerror or exc}") from exc
