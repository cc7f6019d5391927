"""A metrics endpoint whose samples a test sets: what a kubelet's cAdvisor and kube-state-metrics would say.

`/cadvisor` stamps its samples as cAdvisor does, `/ksm` does not. A container that is no longer set disappears from both.

The API server knows a pod before the kubelet runs it, and until after it is gone: so does `/ksm` here. A pod that only cAdvisor
knows looks like one with a limit of its own, and would be taken for that for ten minutes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container as the two exporters would describe it.

    `limit_bytes` 0: none. `limit_from`: which exporters tell it, `cadvisor` or `ksm` or both. `last_reason` and
    `last_finished_at` (Unix seconds): how it ended before; `dead_reason`: it is dead now, for this reason.
    """

    namespace: str = "shop"
    pod: str
    container: str
    cluster: str = ""
    uid: str = "00000000-0000-4000-8000-000000000001"
    instance_id: str = "1"
    working_set_bytes: int | None = 100 * MIB
    active_file_bytes: int = 0
    limit_bytes: int = 256 * MIB
    limit_from: tuple[str, ...] = ("cadvisor", "ksm")
    is_init: bool = False
    restarts: int = 0
    last_reason: str = ""
    last_finished_at: float = 0.0
    dead_reason: str = ""
    oom_events: int = 0
    pod_started_at: float = 0.0

    def cadvisor(self, now_ms: int) -> Iterator[str]:
        """What the kubelet exports of it; nothing while it is not running."""
        if self.working_set_bytes is None:
            return
        inside = self._labels(
            container=self.container,
            id=f"/kubepods/burstable/pod{self.uid}/{self.instance_id}",
            image="registry.example/app:1",
            name=self.instance_id,
        )
        above = self._labels(container="", id=f"/kubepods/burstable/pod{self.uid}", image="", name="")
        for labels in (inside, above):
            yield f"container_memory_working_set_bytes{labels} {self.working_set_bytes} {now_ms}"
            yield f"container_memory_total_active_file_bytes{labels} {self.active_file_bytes} {now_ms}"
            yield f"container_oom_events_total{labels} {self.oom_events} {now_ms}"
            if "cadvisor" in self.limit_from:
                yield f"container_spec_memory_limit_bytes{labels} {self.limit_bytes}"

    def ksm(self) -> Iterator[str]:
        """What kube-state-metrics exports of it and of its pod."""
        kind = "kube_pod_init_container" if self.is_init else "kube_pod_container"
        own = {"container": self.container, "uid": self.uid}
        if self.limit_bytes and "ksm" in self.limit_from:
            labels = self._labels(**own, node="node-1", resource="memory", unit="byte")
            yield f"{kind}_resource_limits{labels} {self.limit_bytes}"
        yield f"{kind}_status_restarts_total{self._labels(**own)} {self.restarts}"
        yield f"kube_pod_start_time{self._labels(uid=self.uid)} {self.pod_started_at}"
        if self.last_reason:
            yield f"{kind}_status_last_terminated_reason{self._labels(**own, reason=self.last_reason)} 1"
            yield f"{kind}_status_last_terminated_timestamp{self._labels(**own)} {self.last_finished_at}"
        if self.dead_reason:
            yield f"{kind}_status_terminated_reason{self._labels(**own, reason=self.dead_reason)} 1"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Which container it is, whatever is told of it."""
        return self.cluster, self.namespace, self.pod, self.container

    def _labels(self, **more: str) -> str:
        labels = {"cluster": self.cluster, "namespace": self.namespace, "pod": self.pod, **more}
        return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "cluster" or value) + "}"


SCRAPES = 2  # the second scrape of an endpoint begins when what the first one read is stored


class Exposition:
    """The endpoint, as a context manager. `set` replaces what it says."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._containers: tuple[Container, ...] = ()
        self._ending: tuple[Container, ...] = ()  # not set any more; told by /ksm until /cadvisor was read without them
        self._scrapes: Counter[tuple[str, str, str, str]] = Counter()  # of /ksm with, or of /cadvisor without a container
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """host:port, as a scrape target is written."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def set(self, *containers: Container) -> None:
        """From the next scrapes on, exactly these containers exist."""
        with self._lock:
            kept, before = {c.place for c in containers}, {c.place for c in self._containers}
            self._ending = tuple(c for c in (*self._ending, *self._containers) if c.place not in kept)
            self._containers = containers
            for place in kept ^ before:
                del self._scrapes[place]

    def text(self, path: str) -> str | None:
        """The exposition below `path`, None where there is none. A sample that two containers of a pod share is told once."""
        now_ms = int(time.time() * 1000)
        with self._lock:
            if path == "/cadvisor":
                self._scrapes.update(c.place for c in self._ending)
                lines = [line for c in self._containers if self._scrapes[c.place] >= SCRAPES for line in c.cadvisor(now_ms)]
            elif path == "/ksm":
                self._scrapes.update(c.place for c in self._containers)
                self._ending = tuple(c for c in self._ending if self._scrapes[c.place] < SCRAPES)
                lines = [line for c in (*self._containers, *self._ending) for line in c.ksm()]
            else:
                return None
        first = {line.rpartition("}")[0]: line for line in reversed(lines)}
        return "\n".join(sorted(first.values())) + "\n"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(exposition: Exposition) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = exposition.text(self.path)
            self.send_response(404 if text is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, format: str, *arguments: object) -> None:
            return

    return Handler
