"""Nothing is lost while nobody listens: real Prometheus, real Alertmanager, and a receiver that was away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

from werkzeug.serving import make_server

from receiver.app.build import Application
from tests.e2e.exposition import MIB, Container, Exposition
from tests.e2e.inside import is_idle, receiver_inside
from tests.e2e.servers import Alertmanager, Prometheus, fast_rules
from tests.fakes.slack import FakeSlack
from tests.support import wait_until

# A half hour passes in seconds: the receiver that dies lives half an hour ago, and the one that comes back a little ahead, so that
# what happened in the seconds between is long enough ago to be late.
BEFORE_S, AFTER_S = -1800.0, 100.0
HASH = "655779759d-jst99"


def dying(name: str, **more: object) -> Container:
    """A container of a Deployment of that name; nothing but its death is worth an alert."""
    made = Container(pod=f"{name}-{HASH}", container=name, working_set_bytes=20 * MIB, limit_bytes=96 * MIB, uid=f"uid-{name}")
    return replace(made, **more)  # type: ignore[arg-type]


def killed(name: str) -> Container:
    """It was OOM-killed just now."""
    return dying(name, restarts=1, last_reason="OOMKilled", last_finished_at=time.time())


@contextmanager
def serving(application: Application, port: int) -> Iterator[None]:
    """Its web application on a port, for Alertmanager."""
    server = make_server("127.0.0.1", port, application.web, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Installation:
    """Prometheus, Alertmanager and a receiver that come and go."""

    def __init__(self, folder: Path, stack: ExitStack, **options: int) -> None:
        self._folder = folder
        self.slack = stack.enter_context(FakeSlack())
        self.metrics = stack.enter_context(Exposition())
        self._probe = make_server("127.0.0.1", 0, lambda *_: [])
        self._port = self._probe.server_port
        self._probe.server_close()
        self.alertmanager = Alertmanager(folder / "am", webhook_url=f"http://127.0.0.1:{self._port}/alerts", **options)  # type: ignore[arg-type]
        self.alertmanager.start()
        stack.callback(self.alertmanager.stop)
        self.prometheus = stack.enter_context(
            Prometheus(
                folder / "prom", rules=fast_rules(), metrics=self.metrics.address, alertmanager=self.alertmanager.address,
                external_labels={"cluster": "lab"}, resend_delay="2s",
            )
        )  # fmt: skip

    @contextmanager
    def receiver(self, ahead_s: float = 0.0) -> Iterator[Application]:
        """A receiver whose clock is so much ahead, over the one state file."""
        with (
            receiver_inside(
                self._folder / "receiver", self.slack, clock=lambda: time.time() + ahead_s, KUBE_API_URL="http://127.0.0.1:9",
                PROMETHEUS_URL=self.prometheus.url, ALERTMANAGER_URL=self.alertmanager.url, ENRICH_DEADLINE="5s",
            ) as application,
            serving(application, self._port),
        ):  # fmt: skip
            yield application

    def see(self, *containers: Container) -> None:
        """These exist, and their rules fire or do not as they should."""
        self.metrics.set(*containers)
        dead = {(c.container, c.pod) for c in containers if c.last_reason}
        wait_until(
            lambda: {(c, p) for _, p in self.prometheus.firing() for c in [p.rpartition(f"-{HASH}")[0]]} == dead, what=f"alerts of {dead}"
        )

    def roots(self) -> list[str]:
        """The first lines of all roots."""
        return [r.message.shown().splitlines()[0] for r in self.slack.channel("C1").roots]

    def of(self, name: str) -> str:
        """The root of a workload."""
        (root,) = [r.message.shown() for r in self.slack.channel("C1").roots if f"{name}:" in r.message.shown().splitlines()[0]]
        return root


def test_half_an_hour_without_alertmanager_and_receiver(tmp_path: Path) -> None:
    """Both are down. One kill was told before and ends meanwhile; one happens and ends; one happens and goes on. Each is told once."""
    with ExitStack() as stack:
        here = Installation(tmp_path, stack)
        told, missed, lasting = "orders-api", "cart", "checkout"
        here.see(dying(told), dying(missed), dying(lasting))
        known = killed(told)
        with here.receiver(BEFORE_S):
            here.see(known, dying(missed), dying(lasting))
            here.slack.wait_for(lambda: len(here.roots()) == 1, timeout_s=60)
            before = here.of(told)
        here.alertmanager.stop()

        here.see(known, killed(missed), dying(lasting))
        for_a_while = f'count_over_time(ALERTS{{container="{missed}", alertstate="firing"}}[1m]) >= 8'  # a second each
        wait_until(lambda: bool(here.prometheus.query(for_a_while)), what="it has fired for a while")
        here.see(dying(lasting))  # their pods are gone
        still = killed(lasting)
        here.see(still)
        here.alertmanager.start()
        with here.receiver(AFTER_S) as application:
            here.slack.wait_for(lambda: len(here.roots()) == 3 and "resolved" in here.of(told), timeout_s=90)
            wait_until(lambda: is_idle(application), what="the receiver is idle", timeout_s=60)
            after = {name: here.of(name) for name in (told, missed, lasting)}

    assert "Seen late" not in before
    assert after[told].splitlines()[0].startswith("⏸️")
    assert "Seen late: the receiver was away from" in after[missed]
    assert after[missed].splitlines()[0].startswith("⏸️")
    assert "Seen late: the receiver was away from" in after[lasting]
    assert after[lasting].splitlines()[0].startswith("🔴")
    assert here.slack.complaints == []


def test_what_max_alerts_cuts_off_is_read_at_alertmanager(tmp_path: Path) -> None:
    """Four die, and each webhook body holds two: all four are told, once, and nothing of it is late."""
    names = ("orders-api", "cart", "checkout", "search")
    with ExitStack() as stack:
        here = Installation(tmp_path, stack, max_alerts=2)
        here.see(*map(dying, names))
        with here.receiver() as application:
            here.see(*map(killed, names))
            here.slack.wait_for(lambda: len(here.roots()) == 4, timeout_s=60)
            wait_until(lambda: is_idle(application), what="the receiver is idle", timeout_s=60)
            shown = [here.of(name) for name in names]

    assert all("Seen late" not in text for text in shown)
    assert here.slack.complaints == []
