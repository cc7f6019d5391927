"""Profiling advice: the tools of the article and more, sized by the limit."""

from __future__ import annotations

import pytest

from receiver.diagnosis.log.runtimes import RUNTIMES, profiling_advice
from receiver.diagnosis.log.signatures import SIGNATURES
from receiver.render.wording import say

MIB = 1024**2


def text(runtime: str, limit_mib: int | None = 512) -> str:
    """All advice for a runtime as one text."""
    advice = profiling_advice(runtime, limit_mib * MIB if limit_mib else None)
    return "\n".join(line for a in advice for line in (say(a.advice), *a.commands))


@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        ("python", ["memray", "tracemalloc", "memory-profiler", "@profile"]),
        (
            "jvm",
            [
                "-XX:+HeapDumpOnOutOfMemoryError",
                "-XX:HeapDumpPath=",
                "NativeMemoryTracking",
                "jcmd 1 GC.heap_dump",
                "-Xmx384m",
                "MaxRAMPercentage",
            ],
        ),
        ("node", ["--heapsnapshot-near-heap-limit", "--max-old-space-size=384"]),
        ("go", ["go tool pprof", "GOMEMLIMIT=460MiB"]),
        ("dotnet", ["dotnet-gcdump", "dotnet-counters"]),
        ("ruby", ["memory_profiler", "MALLOC_ARENA_MAX"]),
        ("php", ["pm.max_children", "memory_limit"]),
        ("rust", ["heaptrack", "jemalloc"]),
        ("postgres", ["work_mem", "shared_buffers"]),
        ("redis", ["maxmemory-policy", "--bigkeys"]),
        ("elasticsearch", ["-XX:+HeapDumpOnOutOfMemoryError"]),
        ("", ["VmRSS"]),
    ],
)
@pytest.mark.wording
def test_tools_are_named(runtime: str, words: list[str]) -> None:
    """Each runtime's advice has its exact flags and commands, with sizes from the limit."""
    shown = text(runtime)

    assert [w for w in words if w not in shown] == []


@pytest.mark.parametrize("runtime", ["", "cpp", "unheard-of", *(r.name for r in RUNTIMES)])
@pytest.mark.parametrize("limit_mib", [None, 1, 96, 4096])
def test_every_runtime_gets_advice(runtime: str, limit_mib: int | None) -> None:
    """Every runtime, known or not, gets something to run, with unique ids."""
    advice = profiling_advice(runtime, limit_mib * MIB if limit_mib else None)

    assert any(a.commands for a in advice)
    assert len({a.id for a in advice}) == len(advice)
    assert "None" not in text(runtime, limit_mib)


def test_every_signatures_runtime_has_advice_of_its_own() -> None:
    """A log that names a language or a database leads to that program's tools, not to the general ones."""
    general = profiling_advice("", None)
    named = {p.runtime for p in SIGNATURES}

    lacking = [r.name for r in RUNTIMES if r.name in named and (r.is_detected or r.like) and profiling_advice(r.name, None) == general]
    assert lacking == [], "give it profilers, or a row `like` another runtime in receiver/diagnosis/log/runtimes/table.py"
