"""SIGTERM and SIGSTOP in the middle of each step: every accepted alert is told once, and the end does not take longer than its grace.

A step is made slow from outside (a source or Slack that does not answer), so that the signal meets it for sure. `stop`: SIGSTOP, a while,
SIGCONT, as when a node is suspended or a debugger looks. `term`: SIGTERM, and another process over the same state file.

    python -m bench stops
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from receiver.demo.standins import KubeStandin, Recordings
from tests.e2e.receiver import Receiver
from tests.e2e.test_faults import body_of, named
from tests.fakes.slack import FakeSlack, Fault

STOPPED_S = 12.0  # longer than an exchange may take
GRACE_S = 45.0  # terminationGracePeriodSeconds of the manifest
SETTLE_S = 120.0
WITH_SLACK = {  # step: what Slack does then
    "post": Fault(kind="hang", method="chat.postMessage"),
    "post, stored": Fault(kind="lost_hang", method="chat.postMessage"),
    "post, dripping": Fault(kind="lost_drip", method="chat.postMessage"),
    "after the reply, before the note": Fault(kind="lost", method="chat.postMessage"),
    "edit": Fault(kind="hang", method="chat.update"),
}
STEPS = ("accept", "look", *WITH_SLACK)


class _SlowKube(KubeStandin):
    """Says nothing until it is released."""

    def __init__(self) -> None:
        super().__init__(Recordings())
        self.asked_once, self.released = threading.Event(), threading.Event()

    def handle(self, asked: Any, http: Any) -> None:
        self.asked_once.set()
        self.released.wait(30)
        super().handle(asked, http)


def one(step: str, what: str) -> tuple[str, str, int, int, float]:
    """Step, signal, places that name the alert, messages beyond the first of a delivery id, seconds until the process ended."""
    with FakeSlack() as slack, _SlowKube() as kube, tempfile.TemporaryDirectory() as folder:
        receiver = Receiver(
            Path(folder), SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1", SLACK_API_URL=slack.api_url, KUBE_API_URL=kube.url,
            ENRICH_DEADLINE="3s",
        )  # fmt: skip
        receiver.start()
        try:
            took_s = _meet(receiver, slack, kube, step, what)
            deadline = time.monotonic() + SETTLE_S
            while named(slack)["svc001x"] < 1 and time.monotonic() < deadline:
                time.sleep(0.2)
            time.sleep(20.0)  # a second message would come by now: the grace of a doubtful one is 15 s
            ids = Counter(m.delivery_id for m in slack.channel("C1").messages)
            return step, what, named(slack)["svc001x"], sum(n - 1 for n in ids.values()), took_s
        finally:
            kube.released.set()
            receiver.kill()


def _meet(receiver: Receiver, slack: FakeSlack, kube: _SlowKube, step: str, what: str) -> float:
    if step in WITH_SLACK:
        fault = WITH_SLACK[step]
        slack.fail(Fault(kind=fault.kind, method=fault.method))
        if step != "edit":  # which follows when a look comes back after its alert was told
            kube.released.set()
    before = slack.calls[WITH_SLACK[step].method] if step in WITH_SLACK else 0
    poster = threading.Thread(target=_post_until_taken, args=(receiver,), daemon=True)
    poster.start()
    if step == "look":
        kube.asked_once.wait(30)
    elif step in WITH_SLACK:
        if step == "edit":
            slack.wait_for(lambda: bool(slack.channel("C1").roots), timeout_s=60)
            kube.released.set()
        slack.wait_for(lambda: slack.calls[WITH_SLACK[step].method] > before, timeout_s=60)
    took_s = _signal(receiver, what)
    poster.join(60)
    kube.released.set()
    return took_s


def _post_until_taken(receiver: Receiver) -> None:
    while receiver.post(body_of(1)) != 202:
        time.sleep(0.05)


def _signal(receiver: Receiver, what: str) -> float:
    if what == "term":
        took_s = receiver.stop()
        receiver.start()
        return took_s
    process = receiver._process
    assert process is not None
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.killpg(process.pid, signal.SIGCONT)
    return 0.0


def main(options: Sequence[str] = ()) -> None:
    """All of them, two at a time. Exit status 1 when one is not told exactly once, or an end takes too long."""
    cases = [(step, what) for step in STEPS for what in ("stop", "term")]
    print(f"{'in the middle of':<34} {'signal':<6} {'told':>4} {'twice':>5} {'end s':>6}")
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for step, what, told, twice, took_s in pool.map(lambda case: one(*case), cases):
            failed += told != 1 or twice != 0 or took_s > GRACE_S
            print(f"{step:<34} {what:<6} {told:>4} {twice:>5} {took_s:>6.1f}", flush=True)
    sys.exit(1 if failed else 0)
