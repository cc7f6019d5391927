"""The sentences of advice: how facts are written into them, whole sentences where a table alone does not show it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from receiver.diagnosis.log.runtimes import RUNTIMES, profiling_advice
from receiver.domain.reason import Reason, reason
from receiver.domain.units import GIB, MIB
from receiver.render.wording import say

NOW = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)
STEPS = tuple(reason("advice.step", before_bytes=a * MIB, after_bytes=2 * a * MIB) for a in (256, 512))
NODE = reason("advice.node_gives_in_all", node="n-1", allocatable_bytes=int(7.5 * GIB))
USE = reason("heap.of_limit", heap_bytes=250 * MIB, limit_bytes=256 * MIB, ratio=250 / 256)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            reason("advice.no_limit_to_raise", peak_bytes=80.0 * MIB, over_s=7200.0),
            "it has no memory limit to raise: set one from what it normally uses (at most 80 MiB in 2 h), so that it cannot take the node's memory",
        ),
        (
            reason("advice.no_limit_to_raise", peak_bytes=None, over_s=0.0),
            "it has no memory limit to raise: set one from what it normally uses, so that it cannot take the node's memory",
        ),
        (
            reason("advice.raised_often", count=2, steps=STEPS),
            "the limit was raised 2 times in a week (256Mi to 512Mi, 512Mi to 1Gi) and it was killed again: take a memory profile before raising further",
        ),
        (
            reason("advice.step_before_kill", before_bytes=512 * MIB, after_bytes=768 * MIB, ago_s=20 * 3600 + 700.0),
            "512Mi to 768Mi, 20 h before",
        ),
        (reason("advice.step_before_kill", before_bytes=GIB, after_bytes=2 * GIB, ago_s=1200.0), "1Gi to 2Gi, 20 min before"),
        (
            reason("advice.demand_at_least", floor_bytes=96 * MIB, because=reason("advice.peak_was", peak_bytes=90 * MIB)),
            "real demand is at least 96 MiB; above the limit it cannot be seen. Its peak was 90 MiB",
        ),
        (reason("advice.peak_and_margin", peak_bytes=900 * MIB, margin_ratio=0.2), "its peak was 900 MiB, plus a margin of 20 %"),
        (
            reason("advice.no_room", limit_bytes=9 * GIB, because=NODE),
            "it needs about 9 GiB, and node n-1 has 7.5 GiB allocatable in total: make room there first, or reduce what it needs",
        ),
        (reason("advice.quota_leaves_limits", free_bytes=GIB, replicas=1), "the ResourceQuota leaves 1 GiB of limits for its only replica"),
        (reason("advice.quota_leaves_requests", free_bytes=GIB, replicas=3), "the ResourceQuota leaves 1 GiB of requests for 3 replicas"),
        (reason("advice.node_not_checked", why=""), "room on the node not checked: the node is not known"),
        (
            reason("heap.leaves_no_room", flag="-Xmx250m", use=USE, outside=reason("heap.outside", runtime="jvm"), fitting="-Xmx192m"),
            "-Xmx250m takes 250 MiB of 256 MiB (98 %): no room for metaspace, threads, code and direct buffers. About -Xmx192m fits.",
        ),
        (reason("heap.outside", runtime="unheard-of"), "what is outside the heap"),
        (
            reason("advice.new_hpa", because=(reason("advice.more_replicas", basis=reason("advice.follows_request_rate", correlation=0.914)),
                                             reason("advice.hpa_needs_cpu_request"))),
            "more replicas at the peak, so each holds less; memory follows the request rate (correlation 0.91); "
            "it needs a CPU request on every container of the pod first: utilisation is a share of it",
        ),
        (
            reason("advice.new_hpa", because=(
                reason("advice.rate_per_pod", rate=28.0, unit="requests", metric="http_requests_total", safe_bytes=80 * MIB, safe_ratio=0.8),
                reason("advice.served_for_pods", name="http_requests_per_second"))),
            "at 28 requests a second and pod (by http_requests_total) memory stays below 80 MiB, 80 % of the limit; "
            "http_requests_per_second is what the metrics adapter calls it",
        ),
        (
            reason("memory.rate_by_metric", metric="http_server_requests_seconds_count", maker="Micrometer (Spring Boot)", unit="requests"),
            "The request rate is read from http_server_requests_seconds_count, as exported by Micrometer (Spring Boot), in requests a second.",
        ),
        (reason("advice.no_rate_scaler", metric="x_total"), "on CPU, because neither KEDA nor a metrics adapter serves the rate of x_total here"),
        (
            reason("mistake.other_container_killed", others=(reason("mistake.killed_neighbour", name="api", age_s=900.0),), container="worker"),
            "Also OOMKilled in this pod: api (15 min ago). This report is about worker only.",
        ),
        (reason("fix.bound_memory_volume", volumes=("cache", "tmp")), "Give the in-memory emptyDir (cache, tmp) a sizeLimit below the container's limit, "
         "clean it up, or use a disk. Until then a new pod starts with an empty one."),
        (reason("check.container_state", state="running", restarts=1), "Running, 1 restart"),
        (reason("check.pod_reason", reason="Evicted", phase=""), "Evicted, phase unknown"),
        (reason("check.exit_sigkill", exit_code=137, reason=""), "137, but reason missing, not OOMKilled"),
        (reason("check.limits", limit_bytes=None, request_bytes=None, is_pod_level=False, qos_class=""), "no limit, no request"),
        (reason("check.history", span_s=39_600.0, lives=4, missing_s=1920.0), "11 h, 4 lives, 32 min missing"),
        (reason("check.history", span_s=39_600.0, lives=0, missing_s=0.0), "11 h"),
        (reason("check.log_names", meaning="the heap is full", is_current=True), "the heap is full, of the running container"),
        (reason("check.rules_watch", rules=(), is_silenced=True), "alerts on OOM kills and on usage near the limit; silenced now"),
        (reason("check.rules_watch", rules=("A", "B"), is_silenced=False), "A, B"),
        (reason("check.ticked", by="", at=NOW.replace(minute=40), now=NOW), "done, 03:40 UTC"),
        (reason("check.ticked", by="Ines", at=NOW.replace(day=22), now=NOW), "done by Ines, 2026-11-22 03:45 UTC"),
        (reason("numbers.kill", kind="container_oom", is_sure=False, exit_code=None, restarts=3), "kill container_oom, not sure, restarts 3"),
    ],
)  # fmt: skip
def test_sentence(said: Reason, sentence: str) -> None:
    """Numbers with their units, names as they are, what is not known left out."""
    assert say(said) == sentence


@pytest.mark.parametrize("runtime", ["", "cpp", "unheard-of", *(r.name for r in RUNTIMES)])
@pytest.mark.parametrize("limit_mib", [None, 1, 96, 4096])
def test_advice_on_profiling_is_clean(runtime: str, limit_mib: int | None) -> None:
    """Sentences that fit one line of a message, with no gap where a number should be."""
    for entry in profiling_advice(runtime, limit_mib * MIB if limit_mib else None):
        sentence = say(entry.advice)
        assert len(sentence) <= 300
        assert sentence.endswith((".", "?"))
        assert "  " not in sentence
        assert "None" not in sentence
