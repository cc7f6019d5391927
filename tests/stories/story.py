"""A whole receiver driven through a story by its clock: webhook bodies in, a channel out, and no real waiting.

The receiver is the one that `serve` builds (web application, store, dispatcher, sender), over real HTTP to a stateful Slack
and to stand-ins of Kubernetes and Prometheus. Its threads are not started: the story steps them in turn, its looks are done
one by one, and the clock moves to whatever is due next, so the same story always tells the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import pytest

from receiver.app.build import Application, build
from receiver.domain.alerts import RESOLVED, Alert
from receiver.domain.units import from_epoch
from receiver.settings import load_settings
from receiver.store import jobs, outbox, sending
from receiver.worker.tasks import Tasks
from tests.fakes.slack import FakeSlack
from tests.stories.cluster import Cluster
from tests.support import Clock, alert, payload

DAY = datetime(2024, 11, 10, tzinfo=UTC)  # the day of the stories: 03:14 is in its night
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # the example of Slack's documentation
CALL = "<!subteam^S0ONCALL>"
ROUTES = f'routes: [{{channel: C1, mention: "{CALL}"}}]\n'
LOOK_S = 0.02  # how long a look takes on the story's clock
STRIDE_S = 900.0  # the longest step of the clock: what a receiver does by the way is done at least so often
FAR_FROM_DUE_S = 0.001


class Crash(BaseException):
    """The process ends here, as by kill -9."""


class OneByOne(Tasks[int]):
    """No threads: what is handed out is done at once, so no story depends on who was faster."""

    def __init__(self) -> None:
        super().__init__("story", monotonic=lambda: 0.0)
        self.done = 0

    def start(self, key: int, call: Callable[[], None], *, then: Callable[[], None] = lambda: None) -> None:
        """Do it, and count it."""
        self.done += 1
        with suppress(Crash):  # on a thread of its own nobody else hears of it
            call()
        then()


class Story:
    """See the module's docstring. `begin`: the clock at the start; `settings`: as environment variables."""

    def __init__(
        self, folder: Path, cluster: Cluster, *, begin: datetime, config: str = ROUTES, min_interval_s: float = 1.0, **settings: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(begin)
        self.cluster = cluster
        self.slack = FakeSlack(clock=self.clock.now, min_interval_s=min_interval_s, allowed_mention=f"{CALL} S0ONCALL")
        self.accepted = 0
        self._folder = folder
        self._config = folder / "config.yaml"
        self._config.write_text(config)
        self._settings = settings
        self._firing: dict[tuple[str, str], Alert] = {}
        self._pool = OneByOne()
        self._sender_due = 0.0
        self.receiver: Application | None = None

    # -- life

    def __enter__(self) -> Story:
        random.seed(0)  # the sender's jitter
        self.cluster.at(self.clock.now())
        self.cluster.__enter__()
        self.slack.start()
        self.start_receiver()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop_receiver()
        self.cluster.__exit__()
        self.slack.__exit__(kind, error, trace)

    def start_receiver(self) -> None:
        """Build it over the state file, as a start of the process does."""
        environ = {
            "STORE_URL": f"sqlite:///{self._folder}/state.db", "SLACK_BOT_TOKEN": self.slack.token, "SLACK_CHANNEL": "C1",
            "SLACK_API_URL": self.slack.api_url, "KUBE_API_URL": self.cluster.kube.url, "PROMETHEUS_URL": self.cluster.prometheus.url,
            "CLUSTER_NAME": "lab", "PUBLIC_URL": "https://oomtriage.example", "WORKERS": "1", **self._settings,
        }  # fmt: skip
        self.receiver = build(load_settings(environ, str(self._config)), clock=self.clock.now, monotonic=self.clock.monotonic)
        self.receiver.worker.dispatcher._tasks = self._pool
        for sender in self.receiver.worker.senders:
            sender._is_threaded = False
        self.receiver.begin()

    def stop_receiver(self) -> None:
        """End it; what it has not written down is lost."""
        if self.receiver is not None:
            self.receiver.close()
            self.receiver = None

    # -- what happens in it

    def fires(self, name: str, pod: str, container: str, *, namespace: str = "shop", severity: str = "warning", **labels: str) -> Alert:
        """Alertmanager tells of an alert that fires."""
        one = self._new(name, pod, container, namespace=namespace, severity=severity, **labels)
        self.tell(one)
        return one

    def fire_together(self, *which: tuple[str, str, str], namespace_of: Callable[[str], str] = lambda pod: "shop") -> None:
        """Alertmanager tells of several (name, pod, container) in one notification."""
        self.tell(*(self._new(name, pod, container, namespace=namespace_of(pod)) for name, pod, container in which))

    def resolve_all(self) -> None:
        """Everything that fires is over, in one notification."""
        over = [self._over(a) for a in self._firing.values()]
        self._firing.clear()
        self.tell(*over)

    def resolve(self, *pods: str) -> None:
        """What fires of these pods is over, in one notification."""
        ended = [key for key in self._firing if key[1] in pods]
        self.tell(*(self._over(self._firing.pop(key)) for key in ended))

    def unsent(self, name: str, pod: str, container: str, *, namespace: str) -> Alert:
        """An alert that fires from now on, which Alertmanager tells later."""
        return self._new(name, pod, container, namespace=namespace)

    def fires_unheard(self, name: str, pod: str, container: str, *, namespace: str, minutes: float) -> None:
        """An alert fires from now on for so long, and nobody is there to hear of it but Prometheus."""
        labels = {"alertname": name, "namespace": namespace, "pod": pod, "container": container, "cluster": "lab", "incident": "memory"}
        now = self.clock.now()
        self.cluster.prometheus.fired.append(({**labels, "severity": "warning"}, now, now + minutes * 60))

    def is_away(self, until: str) -> None:
        """The receiver ends, and starts again when the clock shows that."""
        self.stop_receiver()
        now = from_epoch(self.clock.now())
        hour, minute = map(int, until.split(":"))
        self._move(now.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp())
        self.start_receiver()

    def tell(self, *alerts: Alert) -> None:
        """One webhook request with these alerts."""
        assert self.receiver is not None
        answer = self.receiver.web.test_client().post("/alerts", json=payload(*alerts))
        assert answer.status_code == 202, answer.text
        self.accepted += len(alerts)

    def press(self, action: str, *, is_in_menu: bool = False) -> None:
        """Somebody presses a button of the first incident's message in Slack."""
        assert self.receiver is not None
        row = next(b for r in self.slack.channel().roots for b in r.message.blocks if b["type"] == "actions")
        incident = row["block_id"].partition(":")[2]
        one: dict[str, Any] = {"action_ts": f"{self.clock.now():.6f}", "block_id": row["block_id"]}
        if is_in_menu:
            one |= {"type": "overflow", "action_id": "more", "selected_option": {"value": f"{action}:{incident}"}}
        else:
            one |= {"type": "button", "action_id": action, "value": incident}
        person = {"id": "U1", "name": "ines", "team_id": "T1"}
        form = urlencode(
            {"payload": json.dumps({"type": "block_actions", "team": {"id": "T1"}, "user": person, "actions": [one]})}
        ).encode()
        stamp = str(int(self.clock.now()))
        signature = "v0=" + hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + form, hashlib.sha256).hexdigest()
        answer = self.receiver.web.test_client().post(
            "/slack/actions", data=form, headers={"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature},
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert answer.status_code == 200, answer.text

    def until(self, when: str | float) -> None:
        """Let the time pass: until the clock next shows `HH:MM`, or until so many seconds since 1970."""
        if isinstance(when, str):
            now = from_epoch(self.clock.now())
            hour, minute = map(int, when.split(":"))
            at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            when = (at if at > now else at + timedelta(days=1)).timestamp()
        self._run_until(when)

    def later(self, **span: float) -> None:
        """Let a span pass (`minutes=5`)."""
        self._run_until(self.clock.now() + timedelta(**span).total_seconds())

    @contextmanager
    def crash_after_post(self) -> Iterator[None]:
        """Within this block the process dies when the next post has arrived, before it is written down; then it starts again."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sending, "arrived", _die)
            with pytest.raises(Crash):
                yield
        self.stop_receiver()
        self.start_receiver()

    def _new(self, name: str, pod: str, container: str, *, namespace: str, severity: str = "warning", **labels: str) -> Alert:
        one = alert(
            name, pod=pod, container=container, namespace=namespace, severity=severity, started=self.clock.now() - 15, cluster="lab",
            annotations={"summary": "A container has a memory problem."}, **labels,
        )  # fmt: skip
        self._firing[name, pod] = one
        return one

    def _over(self, one: Alert) -> Alert:
        return Alert(
            status=RESOLVED, labels=one.labels, annotations=one.annotations, starts_at=one.starts_at, ends_at=from_epoch(self.clock.now()),
            fingerprint=one.fingerprint,
        )  # fmt: skip

    # -- time

    def _run_until(self, end: float) -> None:
        while True:
            self._settle()
            due = self._next_due()
            if due > end:
                break
            self._move(due)
        self._move(end)
        self._settle()

    def _move(self, to: float) -> None:
        self.clock.advance(max(0.0, to - self.clock.now()))
        self.cluster.at(self.clock.now())

    def _settle(self) -> None:
        """Do everything that is due now."""
        assert self.receiver is not None
        worker = self.receiver.worker
        while True:
            done = self._pool.done
            worker.dispatcher.step()
            is_work_done = self._pool.done > done
            if is_work_done:
                self.clock.advance(LOOK_S)
            wait_s = min(s.step() for s in worker.senders)
            self._sender_due = self.clock.now() + wait_s
            if not is_work_done and wait_s > 0 and not self._is_work_due():
                return

    def _is_work_due(self) -> bool:
        assert self.receiver is not None
        with self.receiver.store.read() as tx:
            due = jobs.next_due(tx)
        return due is not None and due <= self.clock.now()

    def _next_due(self) -> float:
        assert self.receiver is not None
        with self.receiver.store.read() as tx:
            job, is_quiet = jobs.next_due(tx), outbox.is_quiet(tx)
        dues = [self.clock.now() + STRIDE_S]
        dues += [job] if job is not None else []
        dues += [] if is_quiet else [max(self._sender_due, self.clock.now() + FAR_FROM_DUE_S)]
        return min(dues)


def _die(*_: object, **__: object) -> None:
    raise Crash
