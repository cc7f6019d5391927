"""The Kubernetes stand-in with faults: refusals, silence, floods, garbage, and tokens that are rotated.

with FakeKube(recorded("a-leak-crashloop", moment="t1")) as kube:
    kube.fault("/log", refuse(403, 'pods "x" is forbidden'))
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from receiver.demo.standins import Asked, KubeStandin, Recordings, Reply, Standin, api_status, json_reply, load

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "kubernetes"


def recorded(*incidents: str, moment: str = "", now: datetime | None = None, shift: timedelta | None = None) -> Recordings:
    """Recorded incidents by folder name (all when none is named), at a moment (`t1`, `t3`; their last one by default)."""
    return load(FIXTURES, only=incidents, moment=moment, now=now, shift=shift)


@cache
def incident_names() -> tuple[str, ...]:
    """Every recorded incident."""
    return tuple(sorted(p.name for p in FIXTURES.iterdir() if p.is_dir() and not p.name.startswith("_")))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens instead of an answer. `times`: how often, None for always. `write`: talks to the raw connection."""

    reply: Reply | None = None
    hang: bool = False
    write: Callable[[BaseHTTPRequestHandler], object] | None = None
    times: int | None = None


def refuse(status: int, message: str = "", *, retry_after: str = "", times: int | None = None) -> Fault:
    """An error as the API server words it."""
    reply = api_status(status, message or f"refused with {status}")
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Fault(reply=Reply(status=status, body=reply.body, headers=headers), times=times)


def body(content: bytes, *, status: int = 200, content_type: str = "application/json", times: int | None = None) -> Fault:
    """Any body: garbage, nothing, something huge."""
    return Fault(reply=Reply(status=status, body=content, content_type=content_type), times=times)


HANG = Fault(hang=True)


class Faulty(Standin):
    """A stand-in whose paths can be made to fail. Put before another stand-in in a class's bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._faults: dict[tuple[str, ...], Fault] = {}
        self._used: dict[tuple[str, ...], int] = {}
        self._released = threading.Event()
        self.token: str | None = None
        self.clock_ahead_s = 0.0

    def fault(self, path_part: str | tuple[str, ...], fault: Fault) -> None:
        """From now on requests whose path holds this text fail; an empty text is every request.

        Of several texts the first is looked for in the path, all others in path and parameters.
        """
        parts = (path_part,) if isinstance(path_part, str) else path_part
        self._faults[parts] = fault
        self._used[parts] = 0

    def heal(self) -> None:
        """No more faults; what hangs goes on."""
        self._faults.clear()
        self._released.set()
        self._released = threading.Event()

    def stop(self) -> None:
        self._released.set()
        super().stop()

    def handle(self, asked: Asked, http: BaseHTTPRequestHandler) -> None:
        if self.clock_ahead_s:
            told = formatdate(time.time() + self.clock_ahead_s, usegmt=True)
            http.date_time_string = lambda timestamp=None: told  # type: ignore[method-assign]
        fault = self._fault_for(asked)
        if fault is None:
            super().handle(asked, http)
        elif fault.write is not None:
            fault.write(http)
            http.close_connection = True
        else:
            self._released.wait(60)
            http.close_connection = True

    def answer(self, asked: Asked) -> Reply:
        if self.token is not None and asked.headers.get("authorization") != f"Bearer {self.token}":
            return api_status(401, "Unauthorized", "Unauthorized")
        for parts, fault in self._faults.items():
            if fault.reply is not None and _is_meant(parts, asked) and self._use(parts, fault):
                return fault.reply
        return super().answer(asked)

    def _fault_for(self, asked: Asked) -> Fault | None:
        """The fault that is no proper answer: it hangs, or writes to the connection itself."""
        for parts, fault in self._faults.items():
            if fault.reply is None and _is_meant(parts, asked) and self._use(parts, fault):
                return fault
        return None

    def _use(self, parts: tuple[str, ...], fault: Fault) -> bool:
        self._used[parts] += 1
        return fault.times is None or self._used[parts] <= fault.times


def _is_meant(parts: tuple[str, ...], asked: Asked) -> bool:
    return parts[0] in asked.path and all(any(p in text for text in (asked.path, *asked.params.values())) for p in parts[1:])


class FakeKube(Faulty, KubeStandin):
    """Recordings behind a Kubernetes API that can be made to fail. `token`: require this bearer token. `denied`: (verb, resource) that an
    access review denies.
    """

    denied: frozenset[tuple[str, str]] = frozenset()

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "POST" and asked.parts[-1:] == ("selfsubjectaccessreviews",):
            attributes = json.loads(asked.body)["spec"]["resourceAttributes"]
            resource = "/".join(filter(None, (attributes["resource"], attributes.get("subresource"))))
            if (attributes["verb"], resource) in self.denied:
                return json_reply({"kind": "SelfSubjectAccessReview", "status": {"allowed": False}}, 201)
        return super().answer(asked)
