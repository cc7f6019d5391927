"""All that a check may ask: clients of the services, facts of the settings, and the questions that several checks share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from receiver.doctor.at_once import at_once
from receiver.domain.kube_names import is_name
from receiver.errors import Forbidden, SourceError, Unavailable
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.kube import Kube
from receiver.evidence.prometheus import Prometheus
from receiver.forge import Forge
from receiver.rulepack.ask import Source
from receiver.rulepack.live import Lack, lacks
from receiver.rulepack.pack import Pack
from receiver.sinks.base import NamesChannels
from receiver.transport import Deadline, Http, Response

QUESTION_S = 8.0  # of one question: a source that is slower than that is slower than an incident waits for
PODS = 100

T = TypeVar("T")
Labelled = tuple[Mapping[str, str], float]


class Kept(Generic[T]):
    """An answer that several checks need: asked once, by the first of them. What went wrong is raised for each."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: tuple[T] | None = None
        self._error: SourceError | None = None

    def get(self) -> T:
        """The answer."""
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._answer is None:
                try:
                    self._answer = (self._ask(),)
                except SourceError as exc:
                    self._error = exc
                    raise
            return self._answer[0]


class Database(Protocol):
    """What a look at the database of STORE_URL told (receiver/store/look.py)."""

    @property
    def place(self) -> str:
        """Where it is, without user and password."""

    @property
    def version(self) -> str:
        """Of the server."""

    @property
    def is_too_old(self) -> bool:
        """Whether the server is."""

    @property
    def is_read_only(self) -> bool:
        """Whether it takes no writes: a standby of a cluster of databases."""

    @property
    def is_newer_schema(self) -> bool:
        """Whether a newer release has been here."""

    @property
    def may_make_tables(self) -> bool:
        """Whether the user may."""

    @property
    def leads(self) -> bool:
        """Whether a receiver dispatches now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What the settings say, as far as checks need it. No secret is among it.

    `problems`: settings that would stop `serve`, as it would say so. `proxies`: HTTP_PROXY and the like, of the environment, without
    passwords. `addresses`: `host:port` by which others may call the receiver. `known_as`: Alertmanager's names for us, as far as alerts
    have come. `store_is_ours`: this process is the receiver that has the state file open.
    """

    version: str = ""
    python: str = ""
    problems: tuple[str, ...] = ()
    listen: str = ""
    addresses: tuple[str, ...] = ()
    public_url: str = ""
    has_webhook_token: bool = False
    has_admin_token: bool = False
    is_loopback: bool = True
    has_signing_secret: bool = False
    channels: tuple[str, ...] = ()
    known_as: tuple[str, ...] = ()
    request_rate_query: str = ""
    proxies: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""
    pod: str = ""
    store_path: Path | None = Path("var/oomtriage.db")  # None: STORE_URL names no file
    database: Callable[[], Database] | None = None  # a look at the one of STORE_URL, StoreError; None: the state is in a file
    store_is_ours: bool = False
    receiver_pid: int = 0  # of a receiver that left a note where this user's commands find it; 0: none did
    mounts: str = ""  # /proc/mounts
    kubernetes_error: str = ""  # why there is no way into the API


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One examination. A client is None where nothing is configured. `ready`: what /readyz of the running receiver says, and where
    that is; None when none runs here.

    `notes`: what a check that reaches a service learned on the way, for those after it.
    """

    own: Own
    deadline: Deadline
    now: Callable[[], float]
    pack: Pack
    kube: Kube | None = None
    prometheus: Prometheus | None = None
    alertmanager: Alertmanager | None = None
    repositories: Mapping[str, Forge] = field(default_factory=dict)  # of `gitops`, by what they are called
    slack: Http | None = None
    slack_app: Http | None = None
    slack_webhook: Http | None = None
    channel_names: NamesChannels | None = None
    receiver: Http | None = None
    ready: Mapping[str, Any] | None = None
    differing_settings: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    _kept: dict[str, Kept[Any]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def question_s(self) -> float:
        """Seconds that the next question may take."""
        return min(QUESTION_S, self.deadline.left_s())

    def ahead_s(self, clock: datetime | None) -> float | None:
        """How far another clock, which has just told its time, is ahead of ours."""
        return clock.timestamp() - self.now() if clock is not None else None

    def query(self, expression: str) -> list[Labelled]:
        """A query at Prometheus' own present: (labels, value) of each series. A SourceError."""
        return self._source().query(expression)[0]

    def at_once(self, asks: Sequence[Callable[[], T]]) -> list[T]:
        """The answers to several questions, a few at a time, in their order. The first SourceError."""
        return at_once(asks)

    def review(self, body: Mapping[str, Any]) -> Response:
        """An access review of our own account."""
        assert self.kube is not None
        return self.kube.http.post("apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json_body=body, timeout_s=self.question_s)

    def pods(self) -> Sequence[Mapping[str, Any]]:
        """Some pods of the cluster; of our own namespace only, where no others may be listed. A SourceError."""
        return self._once("pods", self._list_pods)

    def lacks(self) -> tuple[Lack, ...]:
        """What Prometheus has not of what the rules read. A SourceError."""
        return self._once("lacks", lambda: tuple(lacks(self.pack, self._source(), at_once=self.at_once)))

    def _list_pods(self) -> Sequence[Mapping[str, Any]]:
        kube = self.kube
        if kube is None:
            return ()
        try:
            answer = kube.get("api/v1/pods", {"limit": PODS}, deadline=self._question())
        except Forbidden:
            if not is_name(self.own.namespace):
                raise
            answer = kube.get(f"api/v1/namespaces/{self.own.namespace}/pods", {"limit": PODS}, deadline=self._question())
        items = answer.get("items")
        return [p for p in items if isinstance(p, Mapping)] if isinstance(items, list) else ()

    def _source(self) -> Source:
        prometheus = self.prometheus
        if prometheus is None:
            raise Unavailable("no Prometheus is configured")
        params = prometheus.config.params

        def ask(path: str, form: Mapping[str, Any]) -> Any:
            return prometheus.http.post_form_json(path, {**params, **form}, deadline=self._question())

        return Source(ask, prometheus.config.matchers)

    def _question(self) -> Deadline:
        return Deadline(self.question_s)

    def _once(self, name: str, ask: Callable[[], T]) -> T:
        with self._lock:
            kept: Kept[T] = self._kept.setdefault(name, Kept(ask))
        return kept.get()

    def close(self) -> None:
        """Let go of the connections."""
        clients: Iterable[Http | None] = (
            *(c.http for c in (self.kube, self.prometheus, self.alertmanager) if c is not None), self.slack, self.slack_app, self.slack_webhook, self.receiver,
        )  # fmt: skip
        for client in clients:
            if client is not None:
                client.close()
