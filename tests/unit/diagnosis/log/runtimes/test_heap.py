"""Heap flags: where they are found, which one is in force, and what they mean beside the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.runtimes import HeapSettings, heap_advice, heap_settings
from receiver.domain.facts import ContainerFacts

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
    ("found", "limit_mib", "expected"),
    [
        (
            settings("java|-Xmx48m"), 256,
            (
                "-Xmx48m is fixed at 48 MiB of 256 MiB (19 %): raising the limit without it gives the heap nothing.",
                "If the program stops at its own heap limit, raise the flag towards -Xmx192m; "
                "if the kernel kills it all the same, the memory is outside the heap.",
            ),
        ),
        (settings("java|-Xmx192m"), 256, ("-Xmx192m is fixed at 192 MiB of 256 MiB (75 %): raising the limit without it gives the heap nothing.",)),
        (
            settings("java|-Xmx512m"), 256,
            (
                "-Xmx512m lets the heap grow to 512 MiB, above the limit of 256 MiB: the kernel kills it before the heap is full.",
                "Set it to about -Xmx192m, or raise the limit with it.",
            ),
        ),
        (
            settings("java|-Xmx250m"), 256,
            ("-Xmx250m takes 250 MiB of 256 MiB (98 %): no room for metaspace, threads, code and direct buffers. About -Xmx192m fits.",),
        ),
        (
            settings("java|-XX:MaxRAMPercentage=75"), 256,
            ("-XX:MaxRAMPercentage=75 follows the limit: 192 MiB of 256 MiB (75 %). A higher limit gives the heap more as well.",),
        ),
        (
            settings("java|-XX:MaxRAMPercentage=95"), 256,
            ("-XX:MaxRAMPercentage=95 takes 243 MiB of 256 MiB (95 %): no room for metaspace, threads, code and direct buffers. "
             "About -XX:MaxRAMPercentage=75 fits.",),
        ),
        (
            settings("node|--max-old-space-size=4096"), 512,
            (
                "--max-old-space-size=4096 lets the heap grow to 4 GiB, above the limit of 512 MiB: the kernel kills it before the heap is full.",
                "Set it to about --max-old-space-size=384, or raise the limit with it.",
            ),
        ),
        (
            settings(GOMEMLIMIT="90MiB"), 100,
            (
                "GOMEMLIMIT=90MiB is 90 MiB of 100 MiB (90 %), a soft limit: the collector works harder near it, and live memory above it is still allowed.",
                "Raise it together with the limit: otherwise the new memory is spent on nothing but collecting less often.",
            ),
        ),
        (settings(GOMEMLIMIT="1GiB"), 100, ("GOMEMLIMIT=1GiB is 1 GiB of 100 MiB (1024 %): too near the limit to help. About GOMEMLIMIT=90MiB lets the collector act in time.",)),
        (settings("java|-Xmx1g"), None, ("-Xmx1g is the only bound here: the container has no memory limit.",)),
        (settings("java|-XX:MaxRAMPercentage=75"), None, ("-XX:MaxRAMPercentage=75 is a share of the container's limit, and there is none: it counts the memory of the node.",)),
        (None, 256, ()),
    ],
)  # fmt: skip
def test_heap_advice(found: HeapSettings | None, limit_mib: int | None, expected: tuple[str, ...]) -> None:
    """The advice says whether a higher limit helps, and whether the flag itself is what gets the container killed."""
    assert heap_advice(found, limit_mib * MIB if limit_mib else None) == expected


@given(st.text(max_size=300), st.text(max_size=60), st.one_of(st.none(), st.integers(min_value=1, max_value=2**50)))
def test_any_command_is_read(command: str, value: str, limit_bytes: int | None) -> None:
    """No command line and no variable makes it fail, and no flag gives a negative size or more than all of the limit."""
    env = dict.fromkeys(
        ("JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "GOMEMLIMIT", "DOTNET_GCHeapHardLimit", "PHP_MEMORY_LIMIT", "REDIS_ARGS"), value
    )
    found = heap_settings(ContainerFacts(name="app", command=(command,), env=env))

    assert all(isinstance(line, str) and line for line in heap_advice(found, limit_bytes))
    assert found is None or (found.max_bytes or 0) >= 0
    assert found is None or found.max_ratio is None or 0 <= found.max_ratio <= 1
