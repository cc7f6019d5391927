"""Heap flags: where they are found, which one is in force, and what they mean beside the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.runtimes import HeapSettings, heap_advice, heap_settings
from receiver.domain.facts import ContainerFacts
from receiver.render.wording import say

MIB = 1024**2


def settings(command: str = "", **env: str) -> HeapSettings | None:
    """The heap settings of a container; `|` separates the items of the command."""
    return heap_settings(ContainerFacts(name="app", command=tuple(command.split("|")) if command else (), env=env))


def short(found: HeapSettings | None) -> tuple[str, str, int | float | None] | None:
    """Flag, source and value, for comparing."""
    return (found.flag, found.source, found.max_bytes if found.max_bytes is not None else found.max_ratio) if found else None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (settings("/opt/jre/bin/java|-Xmx48m|-cp|/app|Leak"), ("-Xmx48m", "command", 48 * MIB)),
        (settings("sh|-c|exec java -Xmx2g -jar a.jar"), ("-Xmx2g", "command", 2048 * MIB)),
        (settings("java|-Xmx1048576|A"), ("-Xmx1048576", "command", MIB)),
        (settings("java|-XX:MaxHeapSize=64M|A"), ("-XX:MaxHeapSize=64M", "command", 64 * MIB)),
        (settings(JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75.0 -XX:+UseG1GC"), ("-XX:MaxRAMPercentage=75.0", "JAVA_TOOL_OPTIONS", 0.75)),
        (settings("java|-Xmx1g|A", JAVA_TOOL_OPTIONS="-Xmx2g"), ("-Xmx1g", "command", 1024 * MIB)),
        (settings("java|-Xmx1g|A", _JAVA_OPTIONS="-Xmx3g"), ("-Xmx3g", "_JAVA_OPTIONS", 3072 * MIB)),
        (settings("java|-XX:MaxRAMPercentage=50|A", JAVA_OPTS="-Xmx64m"), ("-Xmx64m", "JAVA_OPTS", 64 * MIB)),
        (settings("java|-Xmx1g|-Xmx2g|A"), ("-Xmx2g", "command", 2048 * MIB)),
        (settings(ES_JAVA_OPTS="-Xms512m -Xmx512m"), ("-Xmx512m", "ES_JAVA_OPTS", 512 * MIB)),
        (settings("node|--max-old-space-size=64|/app/leak.js"), ("--max-old-space-size=64", "command", 64 * MIB)),
        (settings("node|--max_old_space_size|128|x.js"), ("--max_old_space_size 128", "command", 128 * MIB)),
        (settings("node|x.js", NODE_OPTIONS="--max-old-space-size=300"), ("--max-old-space-size=300", "NODE_OPTIONS", 300 * MIB)),
        (settings(GOMEMLIMIT="90MiB"), ("GOMEMLIMIT=90MiB", "GOMEMLIMIT", 90 * MIB)),
        (settings(DOTNET_GCHeapHardLimit="C800000"), ("DOTNET_GCHeapHardLimit=C800000", "DOTNET_GCHeapHardLimit", 200 * MIB)),
        (settings(DOTNET_GCHeapHardLimitPercent="0x4B"), ("DOTNET_GCHeapHardLimitPercent=0x4B", "DOTNET_GCHeapHardLimitPercent", 0.75)),
        (settings("php|-d|memory_limit=256M|x.php"), ("memory_limit=256M", "command", 256 * MIB)),
        (settings(PHP_MEMORY_LIMIT="128M"), ("memory_limit=128M", "PHP_MEMORY_LIMIT", 128 * MIB)),
        (settings("redis-server|--maxmemory|100mb"), ("--maxmemory 100mb", "command", 100 * MIB)),
        (settings(JAVA_MAX_MEM_RATIO="50"), ("JAVA_MAX_MEM_RATIO=50", "JAVA_MAX_MEM_RATIO", 0.5)),
        (settings(MAX_HEAP_SIZE="512M", HEAP_NEWSIZE="100M"), ("MAX_HEAP_SIZE=512M", "MAX_HEAP_SIZE", 512 * MIB)),
        (settings(), None),
        (settings("java|-jar|app.jar"), None),
        (settings("/bin/app|--Xmx=4|-Xmxfoo"), None),
        (settings(GOMEMLIMIT="off"), None),
        (settings(DOTNET_GCHeapHardLimit="none"), None),
        (settings("redis-server|--maxmemory|0"), None),
    ],
)  # fmt: skip
def test_heap_settings(found: HeapSettings | None, expected: tuple[str, str, int | float] | None) -> None:
    """The flag in force is found in command, arguments and environment, in bytes or as a share, with where it stands."""
    assert short(found) == expected


@pytest.mark.parametrize(
    ("found", "limit_mib", "codes", "fitting"),
    [
        (settings("java|-Xmx48m"), 256, ("heap.is_fixed", "heap.raise_flag_if"), "-Xmx192m"),
        (settings("java|-Xmx192m"), 256, ("heap.is_fixed",), None),
        (settings("java|-Xmx512m"), 256, ("heap.above_limit", "heap.set_to_about"), "-Xmx192m"),
        (settings("java|-Xmx250m"), 256, ("heap.leaves_no_room",), "-Xmx192m"),
        (settings("java|-XX:MaxRAMPercentage=75"), 256, ("heap.follows_limit",), None),
        (settings("java|-XX:MaxRAMPercentage=95"), 256, ("heap.leaves_no_room",), "-XX:MaxRAMPercentage=75"),
        (settings("node|--max-old-space-size=4096"), 512, ("heap.above_limit", "heap.set_to_about"), "--max-old-space-size=384"),
        (settings("redis-server|--maxmemory|250mb"), 256, ("heap.leaves_no_room",), "--maxmemory 192mb"),
        (settings(DOTNET_GCHeapHardLimit="FA00000"), 256, ("heap.leaves_no_room",), "DOTNET_GCHeapHardLimitPercent=0x4B"),
        (settings(GOMEMLIMIT="90MiB"), 100, ("heap.soft", "heap.raise_soft_with_limit"), None),
        (settings(GOMEMLIMIT="1GiB"), 100, ("heap.soft_too_near",), "GOMEMLIMIT=90MiB"),
        (settings("java|-Xmx1g"), None, ("heap.only_bound",), None),
        (settings("java|-XX:MaxRAMPercentage=75"), None, ("heap.share_of_node",), None),
        (None, 256, (), None),
    ],
)
def test_heap_advice(found: HeapSettings | None, limit_mib: int | None, codes: tuple[str, ...], fitting: str | None) -> None:
    """The advice says whether a higher limit helps, and whether the flag itself is what gets the container killed."""
    advice = heap_advice(found, limit_mib * MIB if limit_mib else None)

    assert tuple(a.code for a in advice) == codes
    assert next((a["fitting"] for a in advice if "fitting" in a.by_name), None) == fitting


@given(st.text(max_size=300), st.text(max_size=60), st.one_of(st.none(), st.integers(min_value=1, max_value=2**50)))
def test_any_command_is_read(command: str, value: str, limit_bytes: int | None) -> None:
    """No command line and no variable makes it fail, and no flag gives a negative size or more than all of the limit."""
    env = dict.fromkeys(
        ("JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "GOMEMLIMIT", "DOTNET_GCHeapHardLimit", "PHP_MEMORY_LIMIT", "REDIS_ARGS"), value
    )
    found = heap_settings(ContainerFacts(name="app", command=(command,), env=env))

    assert all(say(line) for line in heap_advice(found, limit_bytes))
    assert found is None or (found.max_bytes or 0) >= 0
    assert found is None or found.max_ratio is None or 0 <= found.max_ratio <= 1
