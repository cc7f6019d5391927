"""Heap flags of a container, and what they mean beside its memory limit.

A runtime with its own limit does two things that surprise: it stops at that limit however high the container's is,
and it grows to it although the container's is lower. Sources: the JVM's java(1) page and its container support
(default MaxRAMPercentage 25), Node's --max-old-space-size (MiB), Go's GOMEMLIMIT (soft), .NET's GC settings
(DOTNET_GCHeapHardLimit is hexadecimal; default 75 % of the limit), PHP's memory_limit, Redis' maxmemory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from receiver.domain.facts import ContainerFacts
from receiver.domain.reason import Reason, reason
from receiver.domain.units import GIB, KIB, MIB

JVM_HEAP_RATIO = 0.75  # of the limit: heap; the rest is metaspace, code, threads, direct buffers, the collector
NODE_HEAP_RATIO = 0.75  # of the limit: old space; buffers, code and stacks come on top
GO_SOFT_RATIO = 0.90  # of the limit: GOMEMLIMIT; it does not count cgo and kernel memory
NEAR_LIMIT_RATIO = 0.90  # a heap above this share of the limit leaves no room for what is outside the heap
SOFT_TOO_NEAR_RATIO = 0.95  # a soft limit above this share cannot make the collector work before the kernel does
FAR_BELOW_RATIO = 0.50  # a heap below this share leaves memory that nobody uses


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapSettings:
    """A heap limit that the container's command or environment sets. Either bytes or a ratio of the limit (0-1).

    `flag` is as it was written, `source` where ("command" or the variable's name). `is_soft`: aimed at, not enforced.
    """

    runtime: str
    flag: str
    source: str
    max_bytes: int | None = None
    max_ratio: float | None = None
    is_soft: bool = False

    def bytes_of(self, limit_bytes: int | None) -> int | None:
        """The heap limit in bytes, at this container limit; None when a ratio has no limit to refer to."""
        if self.max_bytes is not None:
            return self.max_bytes
        if self.max_ratio is not None and limit_bytes is not None:
            return int(self.max_ratio * limit_bytes)
        return None


_JVM_UNIT = {"": 1, "k": KIB, "m": MIB, "g": GIB, "t": 1024 * GIB}
_GO_UNIT = {"": 1, "B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": 1024 * GIB}
_REDIS_UNIT = {"": 1, "b": 1, "k": 1000, "kb": KIB, "m": 10**6, "mb": MIB, "g": 10**9, "gb": GIB}

_XMX = re.compile(r"-(?:Xmx|XX:MaxHeapSize=)(\d{1,15})([kKmMgGtT]?)(?![\w.])")
_MAX_RAM = re.compile(r"-XX:MaxRAMPercentage=(\d{1,3}(?:\.\d{1,6})?)(?![\w.])")
_OLD_SPACE = re.compile(r"--max[-_]old[-_]space[-_]size(?:=|\s{1,4})(\d{1,9})(?![\w.])")
_OLD_SPACE_PERCENT = re.compile(r"--max[-_]old[-_]space[-_]size[-_]percentage(?:=|\s{1,4})(\d{1,3}(?:\.\d{1,6})?)(?![\w.])")
_PHP_LIMIT = re.compile(r"(?<![\w.])memory_limit\s{0,2}=\s{0,2}(\d{1,15})([kKmMgG]?)(?![\w.])")
_REDIS_MAX = re.compile(r"--maxmemory(?:=|\s{1,4})(\d{1,15})([a-zA-Z]{0,2})(?![\w.])")
_GO_LIMIT = re.compile(r"(\d{1,15})(B|[KMGT]iB)?")

# Variables whose text is taken as command-line options. The later ones win over the earlier, as the programs read them.
_JVM_ENV = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "JVM_OPTS", "JAVA_OPTIONS", "CATALINA_OPTS", "KAFKA_HEAP_OPTS", "ES_JAVA_OPTS",
            "OPENSEARCH_JAVA_OPTS", "LS_JAVA_OPTS", "MAVEN_OPTS", "GRADLE_OPTS", "SBT_OPTS", "JAVA_OPTS_APPEND")  # fmt: skip
_NODE_ENV = ("NODE_OPTIONS",)
_REDIS_ENV = ("REDIS_EXTRA_FLAGS", "REDIS_ARGS")


def heap_settings(container: ContainerFacts) -> HeapSettings | None:
    """The heap limit that is in force by command, arguments or environment, or None where none is set there.

    Files in the image (jvm.options, php.ini, redis.conf) are not seen. `_JAVA_OPTIONS` beats the command line, which
    beats all other variables; an absolute size beats a percentage.
    """
    command = " ".join(container.command)
    env = container.env
    jvm = [("_JAVA_OPTIONS", env.get("_JAVA_OPTIONS", "")), ("command", command), *_texts(env, reversed(_JVM_ENV))]
    node = [("command", command), *_texts(env, _NODE_ENV)]
    return (
        _last_jvm(jvm)
        or _jvm_variables(env)
        or _last_node(node)
        or _dotnet(env)
        or _go(env)
        or _php([("command", command), ("PHP_MEMORY_LIMIT", _php_variable(env))])
        or _redis([("command", command), *_texts(env, _REDIS_ENV)])
    )


def _texts(env: Mapping[str, str], names: Iterator[str] | tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, env[name]) for name in names if env.get(name)]


def _last_jvm(texts: list[tuple[str, str]]) -> HeapSettings | None:
    for source, text in texts:  # -Xmx anywhere makes the JVM ignore MaxRAMPercentage everywhere
        if sizes := list(_XMX.finditer(text)):
            found = sizes[-1]  # of several in one place the last wins
            size = int(found[1]) * _JVM_UNIT[found[2].lower()]
            return HeapSettings(runtime="jvm", flag=found[0], source=source, max_bytes=size)
    for source, text in texts:
        if shares := list(_MAX_RAM.finditer(text)):
            found = shares[-1]
            return HeapSettings(runtime="jvm", flag=found[0], source=source, max_ratio=min(float(found[1]), 100.0) / 100)
    return None


def _jvm_variables(env: Mapping[str, str]) -> HeapSettings | None:
    """Variables that start scripts turn into -Xmx: run-java.sh's share of the limit, Cassandra's size."""
    ratio, size = env.get("JAVA_MAX_MEM_RATIO", "").strip(), env.get("MAX_HEAP_SIZE", "").strip()
    if re.fullmatch(r"[1-9]\d?|100", ratio):
        return HeapSettings(runtime="jvm", flag=f"JAVA_MAX_MEM_RATIO={ratio}", source="JAVA_MAX_MEM_RATIO", max_ratio=int(ratio) / 100)
    if found := re.fullmatch(r"(\d{1,15})([kKmMgG]?)", size):
        max_bytes = int(found[1]) * _JVM_UNIT[found[2].lower()]
        return HeapSettings(runtime="jvm", flag=f"MAX_HEAP_SIZE={size}", source="MAX_HEAP_SIZE", max_bytes=max_bytes)
    return None


def _last_node(texts: list[tuple[str, str]]) -> HeapSettings | None:
    for source, text in texts:
        if shares := list(_OLD_SPACE_PERCENT.finditer(text)):
            found = shares[-1]
            return HeapSettings(runtime="node", flag=found[0], source=source, max_ratio=min(float(found[1]), 100.0) / 100)
        if sizes := list(_OLD_SPACE.finditer(text)):
            found = sizes[-1]
            return HeapSettings(runtime="node", flag=found[0], source=source, max_bytes=int(found[1]) * MIB)
    return None


def _dotnet(env: Mapping[str, str]) -> HeapSettings | None:
    for name in ("DOTNET_GCHeapHardLimit", "COMPlus_GCHeapHardLimit", "DOTNET_GCHeapHardLimitPercent", "COMPlus_GCHeapHardLimitPercent"):
        value = env.get(name, "").strip()
        if not re.fullmatch(r"(?:0[xX])?[0-9a-fA-F]{1,16}", value):
            continue
        number = int(value, 16)  # the runtime reads both as hexadecimal: C8 is 200, 0x4B is 75
        if name.endswith("Percent"):
            return HeapSettings(runtime="dotnet", flag=f"{name}={value}", source=name, max_ratio=min(number, 100) / 100)
        return HeapSettings(runtime="dotnet", flag=f"{name}={value}", source=name, max_bytes=number)
    return None


def _go(env: Mapping[str, str]) -> HeapSettings | None:
    found = _GO_LIMIT.fullmatch(env.get("GOMEMLIMIT", "").strip())
    if found is None:
        return None
    return HeapSettings(
        runtime="go", flag=f"GOMEMLIMIT={found[0]}", source="GOMEMLIMIT", max_bytes=int(found[1]) * _GO_UNIT[found[2] or ""], is_soft=True
    )


def _php_variable(env: Mapping[str, str]) -> str:
    value = env.get("PHP_MEMORY_LIMIT", "").strip()
    return f"memory_limit={value}" if value else ""


def _php(texts: list[tuple[str, str]]) -> HeapSettings | None:
    for source, text in texts:
        if found := _PHP_LIMIT.search(text):
            return HeapSettings(runtime="php", flag=found[0], source=source, max_bytes=int(found[1]) * _JVM_UNIT[found[2].lower()])
    return None


def _redis(texts: list[tuple[str, str]]) -> HeapSettings | None:
    for source, text in texts:
        found = _REDIS_MAX.search(text)
        if found and found[2].lower() in _REDIS_UNIT and int(found[1]):
            return HeapSettings(runtime="redis", flag=found[0], source=source, max_bytes=int(found[1]) * _REDIS_UNIT[found[2].lower()])
    return None


def heap_advice(settings: HeapSettings | None, limit_bytes: int | None) -> tuple[Reason, ...]:
    """What the heap flag means for this limit, most important first; empty where there is nothing to say."""
    if settings is None:
        return ()
    heap = settings.bytes_of(limit_bytes)
    if limit_bytes is None:
        return (reason("heap.share_of_node", flag=settings.flag) if heap is None else reason("heap.only_bound", flag=settings.flag),)
    if heap is None:
        return ()
    return _soft(settings, heap, limit_bytes) if settings.is_soft else _hard(settings, heap, limit_bytes)


def _hard(settings: HeapSettings, heap: int, limit: int) -> tuple[Reason, ...]:
    """A heap that ends at the flag."""
    flag, use, fitting = settings.flag, share_of_limit(heap, limit), fitting_flag(settings, limit)
    ratio = heap / limit
    if ratio >= 1:
        above = reason("heap.above_limit", flag=flag, heap_bytes=heap, limit_bytes=limit)
        return (above, reason("heap.set_to_about", fitting=fitting))
    if ratio > NEAR_LIMIT_RATIO:
        outside = reason("heap.outside", runtime=settings.runtime)
        return (reason("heap.leaves_no_room", flag=flag, use=use, outside=outside, fitting=fitting),)
    if settings.max_ratio is not None:
        return (reason("heap.follows_limit", flag=flag, use=use),)
    fixed = reason("heap.is_fixed", flag=flag, use=use)
    return (fixed,) if ratio >= FAR_BELOW_RATIO else (fixed, reason("heap.raise_flag_if", fitting=fitting))


def _soft(settings: HeapSettings, heap: int, limit: int) -> tuple[Reason, ...]:
    """A size that the collector aims at: memory that is in use goes above it."""
    flag, use = settings.flag, share_of_limit(heap, limit)
    if heap / limit > SOFT_TOO_NEAR_RATIO:
        return (reason("heap.soft_too_near", flag=flag, use=use, fitting=fitting_flag(settings, limit)),)
    return (reason("heap.soft", flag=flag, use=use), reason("heap.raise_soft_with_limit"))


def share_of_limit(heap_bytes: int, limit_bytes: int) -> Reason:
    """How much of the limit the heap may take."""
    return reason("heap.of_limit", heap_bytes=heap_bytes, limit_bytes=limit_bytes, ratio=heap_bytes / limit_bytes)


def fitting_flag(settings: HeapSettings, limit_bytes: int) -> str:
    """The flag with a value that leaves room beside the heap, as it would be written."""
    jvm_mib = max(1, int(limit_bytes * JVM_HEAP_RATIO) // MIB)
    match settings.runtime:
        case "jvm":
            return f"-Xmx{jvm_mib}m" if settings.max_bytes is not None else f"-XX:MaxRAMPercentage={JVM_HEAP_RATIO * 100:.0f}"
        case "node":
            return f"--max-old-space-size={max(1, int(limit_bytes * NODE_HEAP_RATIO) // MIB)}"
        case "go":
            return f"GOMEMLIMIT={max(1, int(limit_bytes * GO_SOFT_RATIO) // MIB)}MiB"
        case "dotnet":
            return f"{settings.source.removesuffix('Percent').removesuffix('HardLimit')}HardLimitPercent=0x4B"
        case "redis":
            return f"--maxmemory {jvm_mib}mb"
        case _:
            return f"{jvm_mib} MiB"
