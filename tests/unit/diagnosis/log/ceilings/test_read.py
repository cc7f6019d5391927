"""Settings that bound a program's memory: where they are found, which one is in force, and what they mean beside the limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.ceilings import LOG, ROWS, Row, Setting, allowance_of, settings_of
from receiver.diagnosis.log.ceilings.advice import ceiling_advice
from receiver.domain.facts import ContainerFacts, LogFacts
from receiver.render.wording import say

MIB = 1024**2


def settings(command: str = "", **env: str) -> tuple[Setting, ...]:
    """The ceilings of a container; `|` separates the items of the command."""
    return settings_of(ContainerFacts(name="app", command=tuple(command.split("|")) if command else (), env=env), None, "")


def short(found: tuple[Setting, ...]) -> tuple[str, str, int | float | None] | None:
    """Flag, source and value of the first, for comparing."""
    return next(((s.flag, s.source, s.max_bytes if s.max_bytes is not None else s.max_ratio) for s in found), None)


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
        (settings(PHP_MEMORY_LIMIT="128M"), ("PHP_MEMORY_LIMIT=128M", "PHP_MEMORY_LIMIT", 128 * MIB)),
        (settings("redis-server|--maxmemory|100mb"), ("--maxmemory 100mb", "command", 100 * MIB)),
        (settings(JAVA_MAX_MEM_RATIO="50"), ("JAVA_MAX_MEM_RATIO=50", "JAVA_MAX_MEM_RATIO", 0.5)),
        (settings(MAX_HEAP_SIZE="512M", HEAP_NEWSIZE="100M"), ("MAX_HEAP_SIZE=512M", "MAX_HEAP_SIZE", 512 * MIB)),
        (settings("sh|-c|GOMEMLIMIT=700MiB exec ./app"), ("GOMEMLIMIT=700MiB", "GOMEMLIMIT", 700 * MIB)),
        (settings("env|GOMEMLIMIT=700MiB|./app", GOMEMLIMIT="1GiB"), ("GOMEMLIMIT=700MiB", "GOMEMLIMIT", 700 * MIB)),
        (settings("sh|-c|export JAVA_OPTS=\"-Xms64m -Xmx512m\"; java $JAVA_OPTS -jar a.jar"), ("-Xmx512m", "command", 512 * MIB)),
        (settings("sh|-c|node --max-old-space-size=\"700\" a.js"), ("--max-old-space-size=700", "command", 700 * MIB)),
        (settings("java|-mx512m|A"), ("-mx512m", "command", 512 * MIB)),
        (settings("java|-Xmx75%|A"), None),
        (settings("sh|-c|java -Xmx${HEAP:-512m} -jar a.jar"), None),
        (settings("java|-Xmx$(HEAP)|A"), None),
        (settings(), None),
        (settings("java|-jar|app.jar"), None),
        (settings("/bin/app|--Xmx=4|-Xmxfoo"), None),
        (settings(GOMEMLIMIT="off"), None),
        (settings(DOTNET_GCHeapHardLimit="none"), None),
        (settings("redis-server|--maxmemory|0"), None),
    ],
)  # fmt: skip
def test_settings(found: tuple[Setting, ...], expected: tuple[str, str, int | float] | None) -> None:
    """The flag in force is found in command, arguments and environment, in bytes or as a share, with where it stands."""
    assert short(found) == expected


@pytest.mark.parametrize(
    ("found", "limit_mib", "codes", "fitting"),
    [
        (settings("java|-Xmx48m"), 256, ("heap.is_fixed", "heap.raise_flag_if"), "-Xmx192m"),
        (settings("java|-Xmx192m"), 256, ("heap.is_fixed",), None),
        (settings("java|-Xmx512m"), 256, ("ceiling.above", "heap.set_to_about"), "-Xmx192m"),
        (settings("java|-Xmx250m"), 256, ("heap.leaves_no_room",), "-Xmx192m"),
        (settings("java|-XX:MaxRAMPercentage=75"), 256, ("heap.follows_limit",), None),
        (settings("java|-XX:MaxRAMPercentage=95"), 256, ("heap.leaves_no_room",), "-XX:MaxRAMPercentage=75"),
        (settings("node|--max-old-space-size=4096"), 512, ("ceiling.above", "heap.set_to_about"), "--max-old-space-size=384"),
        (settings("redis-server|--maxmemory|250mb"), 256, ("heap.leaves_no_room",), "--maxmemory 192mb"),
        (settings(DOTNET_GCHeapHardLimit="FA00000"), 256, ("heap.leaves_no_room",), "DOTNET_GCHeapHardLimit=0xC000000"),
        (settings(GOMEMLIMIT="90MiB"), 100, ("heap.soft", "heap.raise_soft_with_limit"), None),
        (settings(GOMEMLIMIT="1GiB"), 100, ("heap.soft_too_near",), "GOMEMLIMIT=90MiB"),
        (settings("java|-Xmx1g"), None, ("heap.only_bound",), None),
        (settings("java|-XX:MaxRAMPercentage=75"), None, ("heap.share_of_node",), None),
        ((), 256, (), None),
    ],
)
def test_advice(found: tuple[Setting, ...], limit_mib: int | None, codes: tuple[str, ...], fitting: str | None) -> None:
    """The advice says whether a higher limit helps, and whether the flag itself is what gets the container killed."""
    advice = ceiling_advice(found, limit_mib * MIB if limit_mib else None)

    assert tuple(a.code for a in advice) == codes
    assert next((a["fitting"] for a in advice if "fitting" in a.by_name), None) == fitting


@given(st.text(max_size=300), st.text(max_size=60), st.one_of(st.none(), st.integers(min_value=1, max_value=2**50)))
def test_any_command_is_read(command: str, value: str, limit_bytes: int | None) -> None:
    """No command line and no variable makes it fail, and no flag gives a negative size or more than all of the limit."""
    env = dict.fromkeys(
        ("JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "GOMEMLIMIT", "DOTNET_GCHeapHardLimit", "PHP_MEMORY_LIMIT", "REDIS_ARGS"), value
    )
    found = settings_of(ContainerFacts(name="app", command=(command,), env=env), None, "")

    assert all(say(line) for line in ceiling_advice(found, limit_bytes))
    assert all((s.max_bytes or 0) >= 0 for s in found)
    assert all(s.max_ratio is None or 0 <= s.max_ratio <= 1 for s in found)


def of_example(row: Row) -> tuple[Setting, ...]:
    """What is read from the row's own example: a variable, a line of the log, or a command."""
    example = row.example
    name, is_there, value = example.partition("=")
    if is_there and " " not in example and not example.startswith("-"):
        return settings_of(ContainerFacts(name="app", env={name: value}), None, "")
    if row.option is None and row.variable is None:
        return settings_of(ContainerFacts(name="app"), LogFacts(container="app", lines=(example,)), "")
    return settings_of(ContainerFacts(name="app", command=tuple(example.split())), None, "")


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_each_row_reads_its_example(row: Row) -> None:
    """And what it would be set to under a quarter of that is read as smaller, so that the change that is proposed is one."""
    found = next(s for s in of_example(row) if s.row is row)
    limit = (found.bytes_of(512 * MIB) or 0) // 4
    assert limit

    allowed = allowance_of((found,), limit)
    assert allowed is not None
    assert allowed.fit.is_bad
    for change in allowed.changes:
        env = {change.source: change.after.partition("=")[2]} if change.after.startswith(f"{change.source}=") else {}
        lines = row.example.replace(change.before, change.after).split() if not env else []
        again = settings_of(ContainerFacts(name="app", command=tuple(lines), env=env), None, "")
        smaller = next((s for s in again if s.row.runtime == row.runtime and s.row.part == row.part), None)
        assert smaller is None or (smaller.bytes_of(limit) or 0) < (found.bytes_of(limit) or 0)
        assert smaller is not None or found.source == LOG


def test_parts_of_a_jvm_are_all_found() -> None:
    """Heap, direct buffers, metaspace, code cache, and stacks for as many threads as are set."""
    found = settings(
        "java|-Xmx1g|-XX:MaxDirectMemorySize=256m|-XX:MaxMetaspaceSize=128m|-XX:ReservedCodeCacheSize=64m|-Xss2m",
        SERVER_TOMCAT_THREADS_MAX="100",
    )

    assert {s.row.part: s.bytes_of(None) for s in found} == {
        "heap": 1024 * MIB, "direct": 256 * MIB, "metaspace": 128 * MIB, "code": 64 * MIB, "stacks": 200 * MIB,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "env", "expected"),
    [
        ("sh|-c|exec java $JAVA_OPTS -jar a.jar", {"JAVA_OPTS": "-Xmx2g"}, ("-Xmx2g", "JAVA_OPTS")),
        ("java|$(HEAP)|-jar|a.jar", {"HEAP": "-Xmx2g"}, ("-Xmx2g", "HEAP")),
        ("sh|-c|java -Xmx${SIZE} -jar a.jar", {"SIZE": "2g"}, ("-Xmx2g", "command")),
        ("java|-jar|a.jar", {"SOMETHING_JAVA_OPTS": "-Xmx2g"}, ("-Xmx2g", "SOMETHING_JAVA_OPTS")),
        ("java|-jar|a.jar", {"INSTALL4J_ADD_VM_PARAMS": "-Xms1g -Xmx2g"}, ("-Xmx2g", "INSTALL4J_ADD_VM_PARAMS")),
        ("java|-jar|a.jar", {"SPARK_EXECUTOR_EXTRA_OPTS": "-Xmx8g"}, None),
        ("java|-jar|a.jar", {"JENKINS_AGENT_JAVA_OPTS": "-Xmx8g"}, None),
        ("java|-jar|a.jar", {"NOTE": "was killed with -Xmx8g"}, None),
        ("bun|run|start", {"NODE_OPTIONS": "--max-old-space-size=4096"}, None),
    ],
)
def test_origin_of_a_setting(command: str, env: dict[str, str], expected: tuple[str, str] | None) -> None:
    """The variable that the command refers to is named, and what is for somebody else is left alone."""
    found = settings(command, **env)

    assert next(((s.flag, s.source) for s in found), None) == expected


def test_other_runtimes_variables_are_not_its_own() -> None:
    """Charts set them for all containers alike: a Node program does not read the JVM's."""
    env = {"JAVA_OPTS": "-Xmx4g", "NODE_OPTIONS": "--max-old-space-size=300", "GOMEMLIMIT": "1GiB"}

    assert [s.row.id for s in settings_of(ContainerFacts(name="app", env=env), None, "node")] == ["node-old-space"]
    assert [s.row.id for s in settings_of(ContainerFacts(name="app", env=env), None, "elasticsearch")] == ["jvm-xmx"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INFO: OrderService started, max heap 494 MiB", 494 * MIB),
        ("Picked up JAVA_TOOL_OPTIONS: -Xms64m -Xmx512m", 512 * MIB),
        ("NOTE: Picked up JDK_JAVA_OPTIONS: -Xmx512m", 512 * MIB),
        ("INFO [main] org.apache.catalina.startup.VersionLoggerListener.log Command line argument: -Xmx512m", 512 * MIB),
        ("[o.e.n.Node] JVM arguments [-Xshare:auto, -Xms1g, -Xmx1g, -XX:MaxDirectMemorySize=536870912]", 1024 * MIB),
        ("[o.e.e.NodeEnvironment] heap size [1gb], compressed ordinary object pointers [true]", 1024 * MIB),
        ("[0.010s][info][gc,init] Heap Max Capacity: 512M", 512 * MIB),
        ("Calculated JVM Memory Configuration: -XX:MaxDirectMemorySize=10M -Xmx388M -XX:MaxMetaspaceSize=93M", 388 * MIB),
        ("> node --max-old-space-size=1024 dist/main.js", 1024 * MIB),
        ("+ exec java -Xmx2g -jar /app.jar", 2048 * MIB),
        ("consider a larger heap, for example -Xmx4g", None),
        ("pod pricing-1 was started with -Xmx8g", None),
        ("used heap 494 MiB", None),
        ("heap dump of 494 MiB written", None),
    ],
)
def test_what_the_log_says_at_start(line: str, expected: int | None) -> None:
    """A program that repeats its options or its maximum tells what files in the image set; advice and reports of others do not."""
    found = settings_of(ContainerFacts(name="app"), LogFacts(container="app", lines=(line,)), "")

    assert next((s.max_bytes for s in found if s.row.part == "heap"), None) == expected
    assert all(s.source == LOG for s in found)
