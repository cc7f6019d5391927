"""What a storm of alerts about one workload costs the API server and Prometheus, through the whole receiver."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

from receiver.demo.standins import PodRecording
from receiver.evidence.look import COLD_BUDGET, WARM_BUDGET
from tests.e2e.inside import is_idle, post, receiver_inside
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload, wait_until

INCIDENT = "a-leak-crashloop"
SUFFIXES = ["".join(letters) for letters in itertools.islice(itertools.product("bcdfgh", repeat=5), 1000)]


def test_a_thousand_alerts_of_one_deployment_cost_a_few_looks(tmp_path: Path) -> None:
    """1,000 replicas die: one incident that is looked at a few times, not one request an alert."""
    recordings = recorded(INCIDENT, now=datetime.now(UTC))
    first = recordings.incidents[0].pods[0]
    stem = first.pod["metadata"]["name"].rpartition("-")[0]
    for owner in recordings.objects:
        if owner.get("kind") == "Deployment":
            owner["spec"]["replicas"] = owner["status"]["replicas"] = 1000
    for i, suffix in enumerate(SUFFIXES):
        metadata = {**first.pod["metadata"], "name": f"{stem}-{suffix}", "uid": f"uid-{i}"}
        spec = {**first.pod["spec"], "nodeName": f"node-{i // 10}"}
        copy = PodRecording(pod={**first.pod, "metadata": metadata, "spec": spec}, logs=first.logs, metrics=first.metrics)
        recordings.pods["shop", metadata["name"]] = copy
    ahead = [0.0]
    with (
        FakeSlack() as slack,
        FakeKube(recordings) as kube,
        FakePrometheus(recordings.series) as prometheus,
        receiver_inside(
            tmp_path, slack, clock=lambda: time.time() + ahead[0], KUBE_API_URL=kube.url, PROMETHEUS_URL=prometheus.url
        ) as application,
    ):
        for n in range(0, 1000, 100):
            if n == 500:
                wait_until(lambda: len(slack.channel().roots) == 1 and is_idle(application), what="the first look is told")
                first_look = len(kube.asked), len(prometheus.asked)
            every = [alert(pod=f"{stem}-{s}", started=datetime.now(UTC).timestamp()) for s in SUFFIXES[n : n + 100]]
            assert post(application, payload(*every)) == 202
        ahead[0] = 11.0  # an incident that goes on is looked at again after ten seconds at the earliest
        application.worker.wake()
        wait_until(lambda: len(kube.asked) > first_look[0] and is_idle(application), what="the second look is told")
        roots = slack.channel().roots
        asked = len(kube.asked), len(prometheus.asked)

    looks = sum(n for path, n in kube.paths().items() if path.endswith("/log"))
    assert len(roots) == 1
    assert "orders-api: OOMKilled" in roots[0].message.shown().splitlines()[0]
    assert 2 <= looks <= 5  # the first, one for what came meanwhile, and after ten seconds again
    assert asked[0] <= COLD_BUDGET + (looks - 1) * WARM_BUDGET
    assert asked[1] == 3 * looks + 1  # the rules once
    assert [a.params.get("limit") for a in kube.asked if a.path.endswith("/shop/pods")] == ["100"] * looks
