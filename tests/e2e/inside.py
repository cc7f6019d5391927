"""A whole receiver in this process, as `serve` builds it: its web application, its worker, its store; and made-up incidents."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from receiver.app.build import Application, build
from receiver.demo.standins import Incident, PodRecording, Recordings
from receiver.settings import load_settings
from receiver.store import alerts, incident_lists, jobs
from tests.fakes.slack import FakeSlack


@contextmanager
def receiver_inside(
    folder: Path,
    slack: FakeSlack,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    **settings: str,
) -> Iterator[Application]:
    """A running receiver. Every incident keeps a root of its own, however many come at once."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text("routes: [{channel: C1, critical: true}]\n")
    environ = {
        "STORE_URL": f"sqlite:///{folder}/state.db", "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "C1", "SLACK_API_URL": slack.api_url,
        "SLACK_MIN_INTERVAL": "0", **settings,
    }  # fmt: skip
    application = build(load_settings(environ, str(config)), clock=clock, monotonic=monotonic)
    application.start()
    try:
        yield application
    finally:
        application.close()


def post(application: Application, body: dict[str, Any]) -> int:
    """A webhook body to it; the status."""
    return application.web.test_client().post("/alerts", json=body).status_code


def reports(application: Application) -> dict[str, dict[str, Any]]:
    """The newest report of every incident, by namespace."""
    with application.store.read() as tx:
        return {i.subject.namespace: dict(i.report) for i in incident_lists.newest(tx, 1000) if i.report is not None}


def renamed(recordings: Recordings, name: str, words: dict[str, str]) -> Incident:
    """A copy of a recorded incident in which words are replaced everywhere: another namespace, workload and node."""
    one = recordings.incident(name)

    def copy(value: Any) -> Any:
        text = json.dumps(value)
        for old, new in words.items():
            text = text.replace(old, new)
        return json.loads(text)

    pods = [
        PodRecording(pod=copy(p.pod), logs=dict(p.logs), metrics=(p.metrics[0], copy(p.metrics[1])), events=copy(p.events))
        for p in one.pods
    ]
    nodes = [o for o in recordings.objects if o.get("kind") == "Node" and o["metadata"]["name"] == one.pods[0].pod["spec"]["nodeName"]]
    return Incident(
        name=name, moment=one.moment, taken_at=one.taken_at, pods=pods, objects=copy([*one.objects, *nodes]), events=copy(one.events),
        series=copy(one.series),
    )  # fmt: skip


def is_idle(application: Application) -> bool:
    """Whether everything accepted is folded, and looked at as far as it is due."""
    with application.store.read() as tx:
        due = jobs.next_due(tx)
        is_folded = not alerts.unfolded(tx, 1)
    return is_folded and application.worker.dispatcher.running == 0 and (due is None or due > application.store.now())
