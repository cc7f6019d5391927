"""A week of a simulated cluster as a Prometheus data folder, with OOM kills whose times are known.

`write_history(folder, programs, ...)` writes OpenMetrics text and has promtool make blocks of it. Each program is one
container; what it did is in its fields, so a test can say what a backtest must find.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1024**2
HOUR_S = 3600
FILE_S = 12 * HOUR_S  # promtool reads a whole file once for each block of two hours in it
SCRAPE_S = 60


@dataclass(frozen=True, kw_only=True)
class Program:
    """One container. `ratio(t_s)` is its memory over its limit, t_s from the start of the history.

    `kills_s`: when the whole container was OOMKilled and started again; `process_kills_s`: when only a process in it was.
    `dies_s`: it was OOMKilled then and stays dead (a Job). `has_times`: kube-state-metrics tells times of death.
    `has_spec_limit`: cAdvisor tells the limit, else kube-state-metrics does.
    """

    namespace: str
    pod: str
    container: str
    ratio: Callable[[float], float]
    limit_bytes: int = 512 * MIB
    kills_s: tuple[float, ...] = ()
    process_kills_s: tuple[float, ...] = ()
    dies_s: float | None = None
    has_times: bool = True
    has_spec_limit: bool = True
    cluster: str = ""

    @property
    def labels(self) -> str:
        """As they stand between the braces."""
        cluster = f'cluster="{self.cluster}",' if self.cluster else ""
        return f'{cluster}namespace="{self.namespace}",pod="{self.pod}",container="{self.container}"'

    def kubelet(self, t_s: float) -> Iterator[tuple[str, str, float]]:
        """cAdvisor's series at one scrape: name, labels, value."""
        if self.dies_s is not None and t_s >= self.dies_s:
            return
        yield "container_memory_working_set_bytes", self.labels, round(self.ratio(t_s) * self.limit_bytes)
        if self.has_spec_limit:
            yield "container_spec_memory_limit_bytes", self.labels, self.limit_bytes
        if self.process_kills_s:
            yield "container_oom_events_total", self.labels, sum(at <= t_s for at in self.process_kills_s)

    def state(self, t_s: float, start_s: float) -> Iterator[tuple[str, str, float]]:
        """kube-state-metrics' series at one scrape."""
        labels = f'{self.labels},uid="uid-{self.pod}"'
        dead = [at for at in self.kills_s if at <= t_s]
        if not self.has_spec_limit:
            yield "kube_pod_container_resource_limits", f'{labels},resource="memory"', self.limit_bytes
        yield "kube_pod_container_status_restarts_total", labels, len(dead)
        if dead:
            yield "kube_pod_container_status_last_terminated_reason", f'{labels},reason="OOMKilled"', 1
            if self.has_times:
                yield "kube_pod_container_status_last_terminated_timestamp", labels, start_s + dead[-1]
        if self.dies_s is not None and t_s >= self.dies_s:
            yield "kube_pod_container_status_terminated_reason", f'{labels},reason="OOMKilled"', 1


def write_history(
    folder: Path, programs: Sequence[Program], *, start_s: int, length_s: int, promtool: str, state_scrape_s: int = SCRAPE_S
) -> int:
    """Write `folder`/data. Returns the number of samples. kube-state-metrics may be scraped less often, to save time."""
    data = folder / "data"
    data.mkdir(parents=True)
    count = 0
    for first_s in range(0, length_s, FILE_S):
        lines: dict[str, list[str]] = {}
        for t_s in range(first_s, min(first_s + FILE_S, length_s + 1), SCRAPE_S):
            at_s = start_s + t_s
            for program in programs:
                for name, labels, value in program.kubelet(t_s):
                    lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at_s}\n")
                if t_s % state_scrape_s == 0:
                    for name, labels, value in program.state(t_s, start_s):
                        lines.setdefault(name, []).append(f"{name}{{{labels}}} {value} {at_s}\n")
        count += sum(map(len, lines.values()))
        _blocks(folder, lines, promtool)
    return count


def _blocks(folder: Path, lines: dict[str, list[str]], promtool: str) -> None:
    text = folder / "samples.txt"
    with text.open("w") as file:
        for name in sorted(lines):
            file.writelines(lines[name])
        file.write("# EOF\n")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", text.name, "blocks", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for block in (folder / "blocks").iterdir():
        if block.is_dir() and len(block.name) == 26:
            shutil.move(block, folder / "data" / block.name)
    shutil.rmtree(folder / "blocks")
    text.unlink()


def ramp(period_s: float, *, low: float = 0.3, high: float = 1.0, shift_s: float = 0.0) -> Callable[[float], float]:
    """A leak that is killed each period: from low to high, again and again."""
    return lambda t_s: low + (high - low) * ((t_s + shift_s) % period_s) / period_s


def level(ratio: float, *, bump: float = 0.0, from_s: float = 0.0, until_s: float = 0.0) -> Callable[[float], float]:
    """A flat line, with one stretch that is `bump` higher."""
    return lambda t_s: ratio + (bump if from_s <= t_s < until_s else 0.0)
