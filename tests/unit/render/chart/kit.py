"""Reports around recorded memory series, and what is needed to look into SVG and PNG.

The numbers of a verdict are written here and not asked of the diagnosis, so that a golden chart changes only when the
chart does.
"""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

from receiver.diagnosis.memory.csv_series import history_of_csv
from receiver.domain.facts import ContainerFacts, Facts, MemoryHistory, PodFacts, Revision, Sample, WorkloadFacts
from receiver.domain.identity import Subject, Workload
from receiver.domain.report import Cause, CauseName, Kill, KillKind, Life, Proposal, Report, Shape
from receiver.domain.units import MIB, from_epoch
from receiver.render.chart.textwidth import width_px
from tests.places import FIXTURES

TRACES = FIXTURES / "traces"
START_S = datetime(2026, 11, 22, 16, 0, tzinfo=UTC).timestamp()


def trace(name: str, *, until_s: float | None = None) -> MemoryHistory:
    """A recorded series, moved to the afternoon of a day."""
    with gzip.open(TRACES / f"{name}.csv.gz", "rt") as file:
        history = history_of_csv(file.read(), until_s=until_s)
    return replace(history, samples=tuple(replace(s, t_s=s.t_s + START_S) for s in history.samples))


def line(
    levels_mib: Sequence[float], *, step_s: float = 30.0, limit_mib: float | None = 128, start_s: float = START_S, **more: Any
) -> MemoryHistory:
    """One sample a step."""
    limit = limit_mib * MIB if limit_mib else None
    samples = tuple(
        Sample(t_s=start_s + i * step_s, working_set_bytes=v * MIB, limit_bytes=limit, **more) for i, v in enumerate(levels_mib)
    )
    return MemoryHistory(samples=samples, step_s=step_s)


def kills_of(history: MemoryHistory) -> tuple[float, ...]:
    """Between the scrapes where the kill counter moved."""
    pairs = pairwise(history.samples)
    return tuple(b.t_s - (b.t_s - a.t_s) / 2 for a, b in pairs if (b.oom_kills or 0) > (a.oom_kills or 0))


def report_of(
    history: MemoryHistory | None, *, kind: KillKind = KillKind.NONE, cause: CauseName = CauseName.UNKNOWN, request_mib: float | None = None,
    limit_mib: float | None = 0, kills: tuple[float, ...] | None = None, revisions: tuple[Revision, ...] = (), workload: str = "orders-api",
    container: str = "orders-api", is_ramp: bool = False, **shape: Any,
) -> Report:  # fmt: skip
    """A report of this history. `limit_mib` 0: as the newest sample says. `shape`: further fields of the Shape."""
    samples = history.samples if history else ()
    kills = kills if kills is not None else (kills_of(history) if history else ())
    limit = (int(samples[-1].limit_bytes or 0) if samples else None) if limit_mib == 0 else limit_mib and int(limit_mib * MIB)
    starts, ends = [samples[0].t_s, *kills] if samples else [], [*kills, samples[-1].t_s] if samples else []
    lives = tuple(
        Life(start_s=a, end_s=b, is_killed=b in kills, peak_bytes=max((s.working_set_bytes for s in samples if a <= s.t_s <= b), default=0.0), floor_start_bytes=22.0 * MIB, floor_end_bytes=74.0 * MIB,
             growth_bytes_per_h=20.5 * MIB if is_ramp else None, is_ramp=is_ramp)
        for a, b in zip(starts, ends, strict=True)
    )  # fmt: skip
    who = Subject(
        cluster="lab", namespace="shop", pod=f"{workload}-7d9c5b8f6d-x2x9k", container=container, node="",
        workload=Workload(kind="Deployment", name=workload),
    )  # fmt: skip
    spec = ContainerFacts(
        name=container, limit_bytes=limit or None, request_bytes=int(request_mib * MIB) if request_mib else None, state="running"
    )
    facts = Facts(
        now=from_epoch(samples[-1].t_s + 20) if samples and abs(samples[-1].t_s) < 1e11 else datetime(2026, 11, 23, tzinfo=UTC), subject=who, history=history,
        pod=PodFacts(namespace="shop", name=who.pod, containers=(spec,)), workload=WorkloadFacts(workload=who.workload, revisions=revisions) if who.workload else None,
    )  # fmt: skip
    used = [s.working_set_bytes for s in samples if s.working_set_bytes == s.working_set_bytes]
    numbers: dict[str, Any] = {
        "lives": lives, "kills": kills, "limit_bytes": float(limit) if limit else None, "peak_bytes": max(used, default=None),
        "median_bytes": sorted(used)[len(used) // 2] if used else None, "current_bytes": used[-1] if used else None,
        "history_s": samples[-1].t_s - samples[0].t_s if samples else 0.0,
    }  # fmt: skip
    return Report(
        facts=facts, subject=who, kill=Kill(kind=kind), cause=Cause(name=cause, confidence=0.9), tree=(), checklist=(), proposal=Proposal(),
        shape=Shape(cause=cause, confidence=0.9, **(numbers | shape)),
    )  # fmt: skip


def rollout(at_s: float, tag: str, revision: int) -> Revision:
    return Revision(name=f"rs-{revision}", revision=revision, created_at=from_epoch(at_s), images={"orders-api": f"registry/orders:{tag}"})


def stories() -> dict[str, Report]:
    """The charts that people see most, each from a recording."""
    leak, change = trace("leak_oom_restarts_03"), trace("leak_after_change_01")
    rollouts = (rollout(START_S + 24_060, "1.4.2", 2), rollout(START_S - 86_400, "1.4.1", 1))
    return {
        "leak": report_of(leak, kind=KillKind.CONTAINER_OOM, cause=CauseName.LEAK, request_mib=64, is_ramp=True, peak_bytes=80.0 * MIB,
                          growth_bytes_per_h=20.5 * MIB, growth_range_bytes_per_h=(20.0 * MIB, 21.2 * MIB)),
        "warning": report_of(trace("leak_oom_restarts_03", until_s=8200), cause=CauseName.LEAK, request_mib=64, is_ramp=True,
                             growth_bytes_per_h=20.5 * MIB, time_to_limit_s=2_100.0),
        "limit-too-low": report_of(trace("near_limit_oom_00"), kind=KillKind.CONTAINER_OOM, cause=CauseName.LIMIT_TOO_LOW),
        "file-cache": report_of(trace("pagecache_04"), detail="page_cache", cache_share=0.62),
        "spike": report_of(trace("spike_traffic_14"), kind=KillKind.CONTAINER_OOM, cause=CauseName.SPIKE, detail="traffic"),
        "rollout": report_of(change, cause=CauseName.LEAK, detail="after_change", request_mib=64, revisions=rollouts, is_ramp=True,
                             growth_bytes_per_h=6.1 * MIB, time_to_limit_s=16_600.0, change_at_s=START_S + 24_060),
        "limit-raised": report_of(_raised(), kind=KillKind.CONTAINER_OOM, cause=CauseName.LIMIT_TOO_LOW, kills=(START_S + 9_000, START_S + 17_990)),
    }  # fmt: skip


def _raised() -> MemoryHistory:
    history = line([50 + (i % 300) / 22 for i in range(1200)])
    return replace(history, samples=tuple(replace(s, limit_bytes=(64 if i < 600 else 128) * MIB) for i, s in enumerate(history.samples)))


# -- looking into a chart

_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def spots(svg: str) -> Iterator[tuple[float, float]]:
    """Every corner that the document draws, and both ends of every text."""
    for node in ElementTree.fromstring(svg).iter():
        name, a = node.tag.rpartition("}")[2], node.attrib
        if name == "path":
            yield from _path(a["d"])
        elif name == "rect":
            x, y = float(a["x"]), float(a["y"])
            yield from ((x, y), (x + float(a["width"]), y + float(a["height"])))
        elif name == "circle":
            x, y, r = float(a["cx"]), float(a["cy"]), float(a["r"])
            yield from ((x - r, y - r), (x + r, y + r))
        elif name == "text" and "transform" not in a:
            width = width_px(node.text or "", float(a.get("font-size", 21)))
            left = float(a["x"]) - {"start": 0.0, "middle": width / 2, "end": width}[a.get("text-anchor", "start")]
            yield from ((left, float(a["y"])), (left + width, float(a["y"])))


def _path(d: str) -> Iterator[tuple[float, float]]:
    x = y = 0.0
    for command, rest in _STEP.findall(d):
        numbers = [float(n) for n in _NUMBER.findall(rest)]
        dx, dy = (x, y) if command.islower() else (0.0, 0.0)
        if command in "Hh":
            x = dx + numbers[0]
        elif command == "V":
            y = numbers[0]
        elif command in "MLml":
            x, y = dx + numbers[0], dy + numbers[1]
            assert len(numbers) == 2, d[:80]
        else:
            assert command == "Z", command
        yield (x, y)


def texts(svg: str) -> list[str]:
    """Every text of the document, in order."""
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")]


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and the rows (RGBA) of an 8-bit PNG."""
    at, packed, width, height, channels = 8, b"", 0, 0, 4
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 6)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * channels
    rows, before = [], bytes(stride)
    for i in range(height):
        kind_of, data = raw[i * (stride + 1)], bytearray(raw[i * (stride + 1) + 1 : (i + 1) * (stride + 1)])
        for j in range(stride):
            left = data[j - channels] if j >= channels else 0
            up, corner = before[j], before[j - channels] if j >= channels else 0
            data[j] = (data[j] + _predicted(kind_of, left, up, corner)) & 255
        before = bytes(data)
        rows.append(before)
    return width, height, rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        estimate = left + up - corner
        return min((left, up, corner), key=lambda v: abs(estimate - v))
    return (0, left, up, (left + up) // 2)[kind]
