"""Which runtime a container runs: read from its command, environment, image and log, in this order of trust."""

from __future__ import annotations

import re

from receiver.diagnosis.log.plain import said
from receiver.diagnosis.log.runtimes.table import RUNTIMES, Runtime
from receiver.diagnosis.log.signatures import find_signature, twin_of
from receiver.diagnosis.log.signatures.model import REMOTE
from receiver.domain.facts import ContainerFacts, LogFacts
from receiver.domain.report import Signature

DETECTED = tuple(r for r in RUNTIMES if r.is_detected)
_DETECTED_NAMES = frozenset(r.name for r in DETECTED)

# What stands before the program: shells, init programs, launchers. Their options are skipped as well.
_WRAPPERS = frozenset(
    ("sh", "bash", "ash", "dash", "zsh", "env", "exec", "tini", "dumb-init", "catatonit", "su-exec", "gosu", "setpriv", "nice", "ionice", "nohup",
     "time", "timeout", "xvfb-run", "stdbuf", "numactl", "opentelemetry-instrument", "ddtrace-run", "newrelic-admin", "run-program", "memray", "docker-entrypoint.sh", "entrypoint.sh")
)  # fmt: skip


def detect_runtime(container: ContainerFacts | None, log: LogFacts | None) -> str:
    """The runtime's name (of a row of `RUNTIMES` that is detected), or "" where nothing tells.

    The command names the program that runs, so it goes first; then the memory error that the log names; then
    variables that only one runtime reads; then stack frames in the log; then words of the image's name. A memory error
    that a server and its clients both print names the server, not who prints it: the last word, of the server's own wording.
    """
    lines = log.lines if log is not None else ()
    if container is not None and (found := _by_command(container.command)):
        return found
    signature = find_signature(lines)
    named = signature.runtime if signature is not None and signature.kind != REMOTE and signature.runtime in _DETECTED_NAMES else ""
    if signature is not None and named and twin_of(signature) is None:
        return named
    if container is not None and (found := _by_env(container)):
        return found
    if found := _by_log(lines):
        return found
    return (_by_image(container.image) if container is not None else "") or named


def as_seen_by(signature: Signature | None, runtime: str) -> Signature | None:
    """The memory error with its meaning for a container of this runtime: what a server says of itself, its clients say of the server.

    The wording of the line stands where the runtime is not known, or is only what the server is built on (Java for Elasticsearch).
    """
    twin = twin_of(signature) if signature is not None and runtime else None
    if signature is None or twin is None:
        return signature
    like = next((r.like for r in RUNTIMES if r.name == signature.runtime), "")
    is_servers_own = runtime == signature.runtime
    return signature if (signature.kind == REMOTE) != is_servers_own or runtime == like else twin


# Their process has the runtime's name, whatever runs in it; a compiled program has a name of its own.
_NAMED_BY_RUNTIME = frozenset(
    ("jvm", "python", "node", "ruby", "php", "perl", "r", "elasticsearch", "postgres", "mysql", "redis", "mongodb", "nginx")
)
_TITLE_END = re.compile(r"[:@ ]")  # `gunicorn: worker`: a program may rename its process
COMM_CHARS = 15  # how much of a process' name the kernel keeps


def can_run(container: ContainerFacts, runtime: str, process: str) -> bool:
    """Whether a process of this name (the kernel's, cut to `COMM_CHARS`) may run in the container; only a known program rules others out.

    Shells and init programs may stand beside any program, and start any that the command does not name.
    """
    if process in _WRAPPERS or process.startswith("runc"):
        return True
    words = [w.strip("\"';&|()").rsplit("/", 1)[-1] for part in container.command for w in part.split()]
    image = container.image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]
    if any(name[:COMM_CHARS] == process[:COMM_CHARS] for name in (*words, container.name, image)):
        return True
    known = next((r for r in DETECTED if r.name == runtime), None)
    if known is not None:
        return _is_of(known, process)
    first = words[0] if words else ""
    return not first or first in _WRAPPERS or first.endswith(".sh")


def _is_of(runtime: Runtime, process: str) -> bool:
    """Whether the process may be of this runtime: it bears its name, or a name of its own where the runtime compiles programs."""
    plain = _TITLE_END.split(process, maxsplit=1)[0]
    theirs = {r.like or r.name for r in DETECTED if r.is_program(plain)}
    if (runtime.like or runtime.name) in theirs or (runtime.name == "node" and "MainThread" in process):
        return True
    return not theirs and runtime.name not in _NAMED_BY_RUNTIME


def _by_command(command: tuple[str, ...]) -> str:
    """The first word that is no wrapper decides; in a shell's `-c` text, the first word that is a known program."""
    words = [w for part in command for w in part.split()][:60]
    is_shell_text = any(" " in part.strip() for part in command)
    for word in words:
        name = word.strip("\"';&|()").rsplit("/", 1)[-1]
        if not name or name.startswith("-") or "=" in name or name.lower() in _WRAPPERS or word == "run" or name.isdigit():
            continue
        found = next((r.name for r in DETECTED if r.is_program(name)), "")
        if found or not (is_shell_text or name.endswith(".sh")):
            return found
    return ""


def _by_env(container: ContainerFacts) -> str:
    return next((r.name for r in DETECTED if any(r.is_variable(name) for name in container.env)), "")


def _by_log(lines: tuple[str, ...]) -> str:
    for line in lines[:20] + lines[-60:]:
        texts = said(line)
        if found := next((r.name for r in DETECTED if any(r.writes(text) for text in texts)), ""):
            return found
    return ""


def _by_image(image: str) -> str:
    """By the words of `team/python-orders` in `registry.example.com:5000/team/python-orders:1.4.2@sha256:...`."""
    parts = image.split("@", 1)[0].split("/")
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    path = "/".join((*parts[:-1], parts[-1].split(":", 1)[0]))
    first = next((r.name for r in DETECTED if r.has_image(path, is_first=True)), "")
    return first or next((r.name for r in DETECTED if r.has_image(path)), "")
