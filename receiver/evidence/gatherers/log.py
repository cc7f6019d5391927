"""The end of the log of the container that was killed.

Which instance: a running container was restarted, so its predecessor's log is wanted (`previous`); of one that is dead or
waits out its back-off, the plain log *is* the dead instance's, and `previous` would be the one before, whose log the kubelet
has mostly removed (then it answers 200 with a sentence instead of a log).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from receiver.case.killed import pick_killed_container
from receiver.case.log import split_stamp
from receiver.case.pod import pod_facts
from receiver.domain.facts import ContainerFacts
from receiver.errors import Rejected
from receiver.evidence.clean import Cleaner
from receiver.evidence.kube import object_path
from receiver.evidence.look import Gap, Look

LIMIT_BYTES = 4 * 1024**2
# limitBytes keeps the *first* bytes of the chosen lines: when it was hit, the dying words are asked for with fewer lines.
LAST_LINES = 20
SHIP_LOGS = "ship logs off the node: the kubelet keeps those of the newest dead instance only"
_REMOVED = b"unable to retrieve container logs for"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    text: str
    previous: bool
    is_truncated: bool


def ask(look: Look, clean: Cleaner) -> Any:
    """The `log` answer of a case."""
    if not look.subject.names_a_pod:
        return None
    pod = pod_facts(look.pod())
    container = pick_killed_container(pod, look.subject.container) if pod else None
    if container is None:
        raise Gap("the pod has no container", "its status is not written yet, or was torn")
    has_died = container.newest_termination is not None or container.restart_count > 0
    if container.state == "running":
        log = _of_running(look, container, has_died)
    elif container.state == "waiting" and not has_died:
        raise Gap(f"container {container.name} has not started yet: it has no log", is_normal=True)
    else:
        log = _of_dead(look, container)
    return _answer(log, container, clean, is_of_running=container.state == "running" and not log.previous)


def _of_running(look: Look, container: ContainerFacts, has_died: bool) -> _Log:
    previous = _fetch(look, container.name, previous=True) if has_died else None
    if previous is not None:
        return previous
    current = _fetch(look, container.name, previous=False)
    if current is None:
        raise Gap("already removed by the runtime", SHIP_LOGS, is_configuration=True)
    return current


def _of_dead(look: Look, container: ContainerFacts) -> _Log:
    log = _fetch(look, container.name, previous=False)
    if log is None or _is_of_a_newer_instance(log, container):  # it was restarted between the two requests
        log = _fetch(look, container.name, previous=True) or log
    if log is None:
        raise Gap("already removed by the runtime", SHIP_LOGS, is_configuration=True)
    return log


def _answer(log: _Log, container: ContainerFacts, clean: Cleaner, *, is_of_running: bool) -> dict[str, Any]:
    if not log.text.strip():
        death = container.newest_termination
        if death is not None and death.reason == "StartError":
            raise Gap("the container never started (StartError), so it wrote no log", is_normal=True)
        raise Gap(f"the log of container {container.name} is empty", "it wrote nothing to stdout or stderr", is_normal=True)
    text = _redacted(log.text, clean)
    return {
        "container": container.name, "previous": log.previous, "text": text, "truncated": log.is_truncated,
        "lines": len(text.splitlines()), "of_running_instance": is_of_running,
    }  # fmt: skip


def _fetch(look: Look, container: str, *, previous: bool) -> _Log | None:
    """The log, or None when the kubelet has none of that instance."""
    try:
        body, is_cut = _bytes(look, container, previous, look.config.log_lines)
        if is_cut:
            body, is_cut = _bytes(look, container, previous, LAST_LINES)
    except Rejected as exc:
        if "previous terminated container" in exc.said or "is waiting to start" in exc.said:
            return None
        raise
    if body.startswith(_REMOVED):
        return None
    is_partial = len(body) >= look.config.log_bytes
    if is_partial:
        body = body.partition(b"\n")[2]  # the first line is a torn one
    text = body.decode("utf-8", "replace")
    return _Log(text=text, previous=previous, is_truncated=is_cut or is_partial or text.count("\n") >= look.config.log_lines)


def _bytes(look: Look, container: str, previous: bool, lines: int) -> tuple[bytes, bool]:
    """The log's last bytes, and whether the API cut it at the limit (so that its end is missing)."""
    params = {"container": container, "tailLines": lines, "limitBytes": LIMIT_BYTES, "timestamps": "true"}
    if previous:
        params["previous"] = "true"
    path = object_path("api/v1", "pods", namespace=look.subject.namespace, name=look.subject.pod, sub="log")
    tail = look.log(path, params, max_bytes=2 * LIMIT_BYTES)
    return tail.body, tail.total_bytes >= LIMIT_BYTES


def _is_of_a_newer_instance(log: _Log, container: ContainerFacts) -> bool:
    death = container.newest_termination
    first, _ = split_stamp(log.text.partition("\n")[0])
    return death is not None and death.finished_at is not None and first is not None and (first - death.finished_at).total_seconds() > 1


def _redacted(text: str, clean: Cleaner) -> str:
    """The text without secrets. Redacted without the kubelet's stamps, which would hide a secret of several lines."""
    lines = text.splitlines()
    plain = [split_stamp(line)[1] for line in lines]
    cleaned = clean.text("\n".join(plain)).split("\n")
    if len(cleaned) != len(lines):
        return "\n".join(cleaned)
    return "\n".join(line[: len(line) - len(was)] + now for line, was, now in zip(lines, plain, cleaned, strict=True))
