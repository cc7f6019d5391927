"""Who died, by the status of pods alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from receiver.case.deaths import deaths_of
from tests.fakes.kube import recorded

NOW = datetime.fromisoformat("2026-11-23T01:07:30Z")
PODS = [one.pod for (namespace, _), one in sorted(recorded("a-leak-crashloop", moment="t3").pods.items()) if namespace != "batch"]


def test_what_says_memory_comes_first_then_the_newest() -> None:
    """An exit code 1 of a minute ago is not what somebody asks for who asks what died of memory."""
    found = deaths_of(PODS, now=NOW, since=None)
    kinds = [(d.is_memory, d.may_be_memory) for d in found]

    assert kinds == sorted(kinds, reverse=True)
    assert {d.reason for d in found} >= {"OOMKilled", "Error", "Evicted"}


def test_a_death_has_what_a_line_needs() -> None:
    """When, how, how long it lived, what it may use, and who owns it."""
    (death,) = (d for d in deaths_of(PODS, now=NOW, since=None) if d.pod == "orders-api-655779759d-jst99")

    assert (death.reason, death.exit_code, death.lived_s, death.restarts, death.limit_bytes) == ("OOMKilled", 137, 13.0, 11, 96 * 1024**2)
    assert death.workload is not None
    assert (death.workload.kind, death.workload.name) == ("Deployment", "orders-api")


def test_what_died_before_is_left_out() -> None:
    """In the last four minutes only what ended in them."""
    found = deaths_of(PODS, now=NOW, since=timedelta(minutes=4))

    assert found
    assert all(d.at is not None and NOW - d.at <= timedelta(minutes=4) for d in found)
    assert len(found) < len(deaths_of(PODS, now=NOW, since=None))


def test_a_normal_end_is_no_death_and_garbage_is_no_pod() -> None:
    """An init container that is done has ended too."""
    done = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-23T01:04:00Z"}}
    pod = {
        "metadata": {"name": "x", "namespace": "shop"}, "spec": {"initContainers": [{"name": "init"}]},
        "status": {"initContainerStatuses": [{"name": "init", "state": done}]},
    }  # fmt: skip

    assert deaths_of([pod, None, [], {"metadata": {}}], now=NOW, since=None) == ()
