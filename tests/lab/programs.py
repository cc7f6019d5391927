"""Programs with settings of their own under a container's limit, and what is said of each: runtime x setting x limit.

docs/ceilings.md is made from them, and tests hold them: each row names what must be said first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from receiver.app.files import slack_loader
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.facts import EventFact, Facts
from receiver.domain.report import Report
from receiver.domain.units import MIB
from receiver.render.environment import slack_environment
from receiver.render.renderer import Renderer
from tests.unit.diagnosis.facts_kit import container, death, facts, killing, log

KILLED = "killed"
EXITED = "exits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program under one limit. `says`: what stands in the thing to do; `proposes_mib`: the limit that is offered, 0 for none."""

    id: str
    command: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    limit_mib: int
    end: str = KILLED
    lives: int = 4
    lived_s: float = 900.0
    victim_mib: int = 0
    cause: str = "limit_too_low"
    says: tuple[str, ...]
    proposes_mib: int = 0

    @property
    def setting(self) -> str:
        """The command and the variables, as a table shows them."""
        words = [f"{name}={value}" for name, value in self.env.items()] + ([self.command] if self.command else [])
        return " ".join(words) if words else f"(log) {self.lines[0]}"


_HEAP = "java.lang.OutOfMemoryError: Java heap space"
PROGRAMS: tuple[Program, ...] = (
    Program(id="jvm-heap", command="java -Xmx512m -jar app.jar", limit_mib=128, says=("-Xmx512m", "-Xmx96m", "704Mi")),
    Program(
        id="jvm-heap-and-direct", command="java -Xmx512m -XX:MaxDirectMemorySize=512m -jar app.jar", limit_mib=128, lived_s=6, lives=12,
        lines=("INFO: OrderService started, max heap 494 MiB",), says=("-Xmx512m", "-XX:MaxDirectMemorySize=512m", "-Xmx48m", "1536Mi"),
    ),
    Program(
        id="jvm-sum", command="java -Xmx384m -XX:MaxMetaspaceSize=256m -XX:ReservedCodeCacheSize=128m -jar app.jar", limit_mib=512,
        says=("-Xmx384m", "-Xmx294m", "768Mi"), proposes_mib=768,
    ),
    Program(id="jvm-near", command="java -Xmx1000m -jar app.jar", limit_mib=1024, says=("-Xmx768m", "1536Mi"), proposes_mib=1536),
    Program(id="jvm-percentage", env={"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=95"}, limit_mib=512, says=("in JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75", "follows the limit")),
    Program(id="jvm-fraction", command="java -XX:MaxRAMFraction=1 -jar app.jar", limit_mib=512, says=("-XX:MaxRAMFraction=1", "-XX:MaxRAMPercentage=75")),
    Program(id="jvm-override", command="java -Xmx256m -jar app.jar", env={"_JAVA_OPTIONS": "-Xmx2g"}, limit_mib=1024, says=("-Xmx2g in _JAVA_OPTIONS", "-Xmx768m")),
    Program(id="jvm-shell", command="sh -c exec java $JAVA_OPTS -jar app.jar", env={"JAVA_OPTS": "-Xms512m -Xmx3g"}, limit_mib=2048, says=("-Xmx3g in JAVA_OPTS", "-Xmx1536m", "4Gi"), proposes_mib=4096),
    Program(id="jvm-jdk-options", command="java -jar app.jar", env={"JDK_JAVA_OPTIONS": "'-XX:MaxRAMPercentage=90.0'"}, limit_mib=512, says=("in JDK_JAVA_OPTIONS", "-XX:MaxRAMPercentage=75")),
    Program(id="jvm-last-wins", command="java -Xmx256m -Xmx1G -jar app.jar", limit_mib=512, says=("-Xmx1G", "-Xmx384M")),
    Program(id="jvm-reference", command="java -Xmx$(HEAP) -jar app.jar", env={"HEAP": "1g"}, limit_mib=512, says=("-Xmx1g", "-Xmx384m")),
    Program(id="jvm-unknown-reference", command="java -Xmx$(FROM_A_CONFIG_MAP) -jar app.jar", limit_mib=512, cause="unknown", says=("roll back",), proposes_mib=768),
    Program(id="kafka", env={"KAFKA_HEAP_OPTS": "-Xmx4G -Xms4G"}, limit_mib=2048, says=("-Xmx4G and -Xms4G in KAFKA_HEAP_OPTS", "-Xmx1536M", "-Xms1536M")),
    Program(id="elasticsearch", env={"ES_JAVA_OPTS": "-Xms2g -Xmx2g"}, limit_mib=2048, says=("-Xmx2g and -Xms2g in ES_JAVA_OPTS", "-Xms1536m", "3Gi"), proposes_mib=3072),
    Program(id="jvm-log", lines=("Picked up JAVA_TOOL_OPTIONS: -Xmx2g",), limit_mib=1024, says=("-Xmx2g", "its log tells of", "-Xmx768m")),
    Program(id="jvm-log-says-it", lines=("INFO Starting on jdk 21, maximum heap size: 2048 MiB",), limit_mib=1024, says=("log tells of a heap maximum of 2 GiB", "768 MiB")),
    Program(id="node-options", env={"NODE_OPTIONS": "--max-old-space-size=1024"}, limit_mib=160, says=("--max-old-space-size=1024 in NODE_OPTIONS", "--max-old-space-size=120")),
    Program(id="node-argument", command="node --max-old-space-size=4096 server.js", limit_mib=2048, says=("--max-old-space-size=1536",)),
    Program(
        id="node-leak", command="node --max-old-space-size=1024 server.js", limit_mib=160, cause="leak",
        lines=("session cache size 40 MiB", "session cache size 80 MiB", "session cache size 120 MiB"), says=("--max-old-space-size=120", "leak"),
    ),
    Program(id="pm2", command="pm2-runtime start app.js -i 4 --node-args --max-old-space-size=512", limit_mib=1024, says=("-i 4", "-i 1"), proposes_mib=0),
    Program(id="deno", command="deno run --v8-flags=--max-old-space-size=2048 main.ts", limit_mib=512, says=("--max-old-space-size=384",)),
    Program(id="bun", command="bun run start", env={"BUN_JSC_forceRAMSize": "1073741824"}, limit_mib=512, says=("BUN_JSC_forceRAMSize=402653184",), proposes_mib=768),
    Program(id="go", env={"GOMEMLIMIT": "1GiB"}, limit_mib=512, says=("GOMEMLIMIT=1GiB", "GOMEMLIMIT=460MiB"), proposes_mib=768),
    Program(id="go-in-a-shell", command="sh -c GOMEMLIMIT=1GiB exec ./app", limit_mib=512, says=("GOMEMLIMIT=460MiB",), proposes_mib=768),
    Program(id="dotnet", env={"DOTNET_GCHeapHardLimit": "0x40000000"}, limit_mib=512, says=("DOTNET_GCHeapHardLimit=0x18000000",)),
    Program(id="dotnet-percent", env={"DOTNET_GCHeapHardLimitPercent": "0x64"}, limit_mib=512, says=("DOTNET_GCHeapHardLimitPercent=0x4B", "follows the limit")),
    Program(id="php-fpm", env={"PHP_MEMORY_LIMIT": "256M", "PHP_FPM_PM_MAX_CHILDREN": "20"}, limit_mib=1024, says=("PHP_FPM_PM_MAX_CHILDREN=3",)),
    Program(id="celery", command="celery -A app worker --concurrency=8 --max-memory-per-child=400000", limit_mib=1024, says=("--concurrency=8", "--concurrency=1"), proposes_mib=1536),
    Program(id="gunicorn", command="gunicorn app:app --workers 8", limit_mib=512, victim_mib=110, says=("--workers 8", "--workers 4", "1Gi"), proposes_mib=1024),
    Program(id="gunicorn-args", command="gunicorn app:app", env={"GUNICORN_CMD_ARGS": "--workers 8 --threads 2"}, limit_mib=512, victim_mib=110, says=("--workers 4", "1Gi"), proposes_mib=1024),
    Program(id="puma", command="bundle exec puma", env={"WEB_CONCURRENCY": "6"}, limit_mib=1024, victim_mib=300, says=("WEB_CONCURRENCY=6", "WEB_CONCURRENCY=3", "2Gi"), proposes_mib=2048),
    Program(id="workers-by-share", command="gunicorn app:app -w 16", limit_mib=512, says=("-w 16", "-w 5"), proposes_mib=0),
    Program(id="redis", command="redis-server --maxmemory 1gb", limit_mib=512, says=("--maxmemory 384mb",)),
    Program(id="postgres", command="postgres -c shared_buffers=1GB", limit_mib=1024, says=("shared_buffers=256MB", "2Gi"), proposes_mib=2048),
    Program(id="mysql", command="mysqld --innodb-buffer-pool-size=2G", limit_mib=1024, says=("--innodb-buffer-pool-size=614M",)),
    Program(id="mysql-log", lines=("2026-11-30 [Note] [MY-012955] [InnoDB] InnoDB: Initializing buffer pool, total size = 2.000000G, instances = 1",), limit_mib=1024, says=("log tells of a buffer pool of 2 GiB", "614M")),
    Program(id="mongodb", command="mongod --wiredTigerCacheSizeGB 4", limit_mib=2048, says=("--wiredTigerCacheSizeGB 1",)),
    Program(id="neo4j", env={"NEO4J_server_memory_heap_max__size": "1g", "NEO4J_server_memory_pagecache_size": "1g"}, limit_mib=1536, says=("NEO4J_server_memory_heap_max__size=576", "NEO4J_server_memory_pagecache_size=576m"), proposes_mib=3072),
    Program(id="jvm-heap-full-once", command="java -Xmx48m -jar app.jar", lines=(_HEAP,), limit_mib=256, end=EXITED, lives=1, says=("Raise -Xmx48m", "-Xmx192m", "leave the limit")),
    Program(id="jvm-heap-full-again", command="java -Xmx48m -jar app.jar", lines=(_HEAP,), limit_mib=256, end=EXITED, cause="leak", says=("heap dump", "-Xmx192m", "only buys time")),
    Program(id="jvm-default-heap-full", command="java -jar app.jar", lines=(_HEAP,), limit_mib=1024, end=EXITED, lives=1, says=("-XX:MaxRAMPercentage=75", "a quarter")),
    Program(id="node-heap-full-once", command="node --max-old-space-size=64 server.js", lines=("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",), limit_mib=512, end=EXITED, lives=1, says=("--max-old-space-size=384", "leave the limit")),
    Program(id="jvm-fits", command="java -Xmx700m -jar app.jar", limit_mib=1024, cause="unknown", says=("roll back",), proposes_mib=1536),
)  # fmt: skip


def facts_of(program: Program) -> Facts:
    """The facts of its last end."""
    one = container(
        "app", limit=program.limit_mib * MIB, request=None, dead=death("Error", 3, lived_s=program.lived_s) if program.end == EXITED else death(lived_s=program.lived_s),
        restart_count=program.lives, command=tuple(program.command.split()), env=dict(program.env),
    )  # fmt: skip
    events: tuple[EventFact, ...] = ()
    if program.victim_mib:
        kb = program.victim_mib * 1024
        said = f"Memory cgroup out of memory: Killed process 4711 (worker) total-vm:{2 * kb}kB, anon-rss:{kb}kB, file-rss:0kB, shmem-rss:0kB, UID:0"
        path = "/kubepods/burstable/pod8e4a2a3e-5b0e-4d3c-9d5e-0a1b2c3d4e5f/app"
        events = (
            replace(
                killing(f"oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg={path} {said}", reason="OOMKilling", container=""),
                object_kind="Node",
            ),
        )
    alerts = ("KubePodCrashLooping",) if program.end == EXITED else ("OOMKilled",)
    pod = {"uid": "8e4a2a3e-5b0e-4d3c-9d5e-0a1b2c3d4e5f"}
    return facts(
        one, workload="app", log=log(*program.lines, container="app") if program.lines else None, alerts=alerts, events=events, pod=pod
    )


def report_of(program: Program) -> Report:
    """What the diagnosis makes of it."""
    return diagnose(facts_of(program))


def told(program: Program) -> tuple[str, str]:
    """The header and the thing to do, as people read them."""
    lines = Renderer(slack_environment(slack_loader())).report_text(report_of(program), False).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Do "))
    end = next(i for i, line in enumerate(lines) if i > at and not line.startswith(" "))
    return lines[0], " ".join(" ".join(lines[at:end]).split()).removeprefix("Do ")
