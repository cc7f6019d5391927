"""Real crash loops, minute by minute: the watch counts what a root that was looked at once had stopped counting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.identity import Subject, Workload
from receiver.domain.pulse import Wanted, WatchMemory
from receiver.domain.units import parse_time
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.pipeline.changes import DEATH, PROCESSES, changes, settled, with_kills
from tests.fakes.prometheus import FakePrometheus
from tests.unit.evidence.kit import nothing_redacted

RECORDED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[2] / "fixtures" / "watch" / "cluster.json").read_text())


def every_scrape(values: list[list[Any]]) -> Iterator[list[Any]]:
    """The steps with all that was scraped between their ends."""
    for (t, value), (after, _) in pairwise([*values, [values[-1][0] + 1, ""]]):
        yield from ([t + i * 15, value] for i in range(max(1, -(-(after - t) // 15))))


def watched(name: str, *, minutes: int, known: int) -> tuple[WatchMemory, list[frozenset[str]]]:
    """The memory and the changes of a watch over the last minutes of a recording, which began when `known` kills were counted."""
    recorded = RECORDED[name]
    series = [{**s, "values": list(every_scrape(s["values"]))} for s in recorded["series"]]
    taken_at = parse_time(recorded["taken_at"])
    assert taken_at is not None
    subject = Subject(
        namespace="shop", pod=recorded["pod"], container=recorded["container"], workload=Workload(kind="Deployment", name=name)
    )
    watch, found = WatchMemory(), []
    with FakePrometheus(series) as prometheus:
        evidence = Evidence(
            EvidenceConfig(),
            kube=None,
            prometheus=Prometheus(PrometheusConfig(url=prometheus.url)),
            alertmanager=None,
            redact=nothing_redacted,
        )
        for minute in range(minutes + 1):
            now = taken_at - timedelta(minutes=minutes - minute)
            pulses = evidence.pulses.take([Wanted(id="a", subject=subject)], now=now, deadline_s=10)
            pods = settled(watch.pods, pulses.pods["a"])
            found.append(changes(watch.pods, pods, pod=subject.pod, looked_at=taken_at - timedelta(minutes=minutes)))
            watch = replace(with_kills(watch, pods, known={subject.pod: known}), pods=pods)
        evidence.close()
    return watch, found


@pytest.mark.parametrize(("name", "minutes", "known", "kills"), [("proxy-app", 12, 5, 8), ("catalog", 22, 1, 10)])
def test_kills_of_a_loop_that_nobody_tells_about(name: str, minutes: int, known: int, kills: int) -> None:
    """Said by the root for half an hour: four, and five. By then they were so many."""
    watch, found = watched(name, minutes=minutes, known=known)

    assert watch.kills == {RECORDED[name]["pod"]: kills}
    assert sum(DEATH in f for f in found) >= 2


def test_processes_of_a_prefork_master() -> None:
    """Thirteen when it was told; the counter rises in every round."""
    _, found = watched("checkout", minutes=17, known=0)

    assert all(f == {PROCESSES} for f in found[1:])
