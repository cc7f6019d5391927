"""What completion asks the cluster for. Quick, quiet, and empty when it cannot know.

`kubectl_complete-oomtriage` is how kubectl (1.26 and later) asks a plugin for completions: words, a tab and help, and a number at the
end that says whether file names may follow (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence

from receiver.case.access import objects, text
from receiver.cli.tree import FILES, NAMES, expected, node_of
from receiver.domain.kube_names import is_name
from receiver.domain.target import KINDS
from receiver.errors import ReceiverError
from receiver.evidence.kubectl_proxy import current_namespace

DEADLINE_S = 2.0  # whoever pressed TAB waits
MOST = 500
RESOURCES = {
    "Pod": "pods", "Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets", "ReplicaSet": "replicasets",
    "Job": "jobs", "CronJob": "cronjobs", "Rollout": "rollouts",
}  # fmt: skip
_PATHS = {
    "pods": "api/v1",
    "namespaces": "api/v1",
    "jobs": "apis/batch/v1",
    "cronjobs": "apis/batch/v1",
    "rollouts": "apis/argoproj.io/v1alpha1",
}
_NO_FILES, _FILES_TOO = ":4", ":0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("kind", choices=NAMES)
    parser.add_argument("words", nargs="*", help="the command line so far; the last word is being completed")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    for name in names(arguments.kind, arguments.words):
        print(name)
    return 0


def kubectl_complete() -> None:
    """The entry point `kubectl_complete-oomtriage`."""
    from receiver.cli.main import plugin_parser

    words = sys.argv[1:] or [""]
    found = expected(node_of(plugin_parser(), "kubectl oomtriage"), words)
    for word, said in found.words:
        if word.startswith(words[-1]):
            print(f"{word}\t{said}" if said else word)
    for name in names(found.kind, words) if found.kind in NAMES else ():
        print(name)
    print(_FILES_TOO if found.kind == FILES else _NO_FILES)


def names(kind: str, words: Sequence[str]) -> list[str]:
    """Names of that kind that begin as the last of the words does, as far as they are known in time."""
    options, prefix = _options(words[:-1]), words[-1] if words else ""
    head, slash, rest = prefix.rpartition("/")
    if kind == "contexts":
        found = _kubectl(["config", "get-contexts", "-o", "name", *options.flags])
        return [name for name in found if name.startswith(prefix) and name.isprintable()]
    resource = "namespaces" if kind == "namespaces" else RESOURCES.get(KINDS.get(head, "")) if slash else "pods"
    if resource is None:
        return []
    listed = _ask(resource, options)
    return [f"{head}{slash}{name}" for name in listed if is_name(name) and name.startswith(rest)][:MOST]


class _Options:
    """What the words so far say of where to ask."""

    def __init__(self, namespace: str, flags: Sequence[str]) -> None:
        self.namespace = namespace
        self.flags = list(flags)


def _options(words: Sequence[str]) -> _Options:
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("-n", "--namespace", default="")
    asked = ("kubeconfig", "context", "cluster", "user", "as")
    for name in asked:
        parser.add_argument(f"--{name}", default="")
    try:
        known, _ = parser.parse_known_args(list(words))
    except (argparse.ArgumentError, SystemExit):
        return _Options("", ())
    return _Options(known.namespace, [f"--{name}={value}" for name in asked if (value := getattr(known, name))])


def _ask(resource: str, options: _Options) -> Iterable[str]:
    """Through KUBE_API_URL when that is set and nothing else is named, else through kubectl: one GET, without its discovery."""
    is_by_address = bool(os.environ.get("KUBE_API_URL")) and not options.flags
    namespace = "" if resource == "namespaces" else options.namespace or ("default" if is_by_address else current_namespace(options.flags))
    if namespace and not is_name(namespace):
        return ()
    parts = (_PATHS.get(resource, "apis/apps/v1"), *(("namespaces", namespace) if namespace else ()), resource)
    path = "/".join(parts)
    listed = _of_api(path) if is_by_address else _parsed(_kubectl(["get", "--raw", f"/{path}?limit={MOST}", *options.flags]))
    return [text(item, "metadata", "name") for item in objects(listed, "items")]


def _parsed(lines: Sequence[str]) -> object:
    try:
        return json.loads("\n".join(lines))
    except ValueError:
        return None


def _kubectl(arguments: Sequence[str]) -> list[str]:
    command = ["kubectl", *arguments, f"--request-timeout={DEADLINE_S:.0f}s"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=DEADLINE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def _of_api(path: str) -> object:
    from receiver.evidence.kube import Kube, KubeConfig
    from receiver.settings import load_settings
    from receiver.transport import Deadline

    try:
        settings = load_settings(needs_slack_token=False)
        kube = Kube(KubeConfig(api_url=settings.kube_api_url, token_path=settings.kube_token_path, ca_path=settings.kube_ca_path))
        return kube.get(path, {"limit": MOST}, deadline=Deadline(DEADLINE_S), max_bytes=64 * 1024**2)
    except ReceiverError:
        return None
