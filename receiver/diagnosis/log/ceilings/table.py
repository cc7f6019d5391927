"""The settings by which programs bound their own memory, one row each. docs/ceilings.md is made from them.

Every expression is linear: no unbounded repeat stands beside another that could take the same characters.
"""

from __future__ import annotations

import re

from receiver.diagnosis.log.ceilings import amounts
from receiver.diagnosis.log.ceilings.model import Count, Row
from receiver.domain.units import GIB, KIB, MIB

_END = r"(?![\w.%])"
_IS = r"(?:=|\s{1,4})"
_SIZE = re.compile(r"\s*(?P<n>\d{1,15}(?:\.\d{1,6})?)\s?(?P<u>[A-Za-z]{0,5})\s*")
_HEX = re.compile(r"\s*(?:0[xX])?(?P<n>[0-9a-fA-F]{1,16})(?P<u>)\s*")
_KMG = rf"(?P<n>\d{{1,15}})(?P<u>[kKmMgGtT]?){_END}"

THREADS = Count(
    id="threads", noun="threads", fits="-Dserver.tomcat.threads.max={n}",
    option=re.compile(rf"-Dserver\.tomcat\.(?:threads\.max|max-threads)=(?P<n>\d{{1,6}}){_END}"),
    variable=re.compile(r"SERVER_TOMCAT_(?:THREADS_MAX|MAX_THREADS)|BPL_JVM_THREAD_COUNT"),
)  # fmt: skip
PM2 = Count(id="pm2", fits="-i {n}", option=re.compile(rf"\bpm2(?:-runtime)?\b.{{0,200}}?\s(?:-i|--instances){_IS}(?P<n>\d{{1,4}}){_END}"))
CELERY = Count(
    id="celery", is_heavy=True, fits="--concurrency={n}", noun="child processes",
    option=re.compile(rf"\bcelery\b.{{0,300}}?\s(?:-c\s{{0,2}}|--concurrency{_IS}|--autoscale{_IS})(?P<n>\d{{1,4}})(?![\w.])"),
    variable=re.compile(r"CELERYD?(?:_WORKER)?_CONCURRENCY"),
)  # fmt: skip
UWSGI = Count(
    id="uwsgi", is_heavy=True, fits="--processes={n}", noun="workers", variable=re.compile(r"UWSGI_(?:PROCESSES|WORKERS)"),
    option=re.compile(rf"\buwsgi\b.{{0,300}}?\s(?:-p\s{{0,2}}|--(?:processes|workers){_IS})(?P<n>\d{{1,4}}){_END}"),
)  # fmt: skip
FPM = Count(
    id="php-fpm", fits="pm.max_children = {n}", noun="children", option=re.compile(rf"\bpm\.max_children\s{{0,2}}=\s{{0,2}}(?P<n>\d{{1,4}}){_END}"),
    variable=re.compile(r"(?:PHP_)?(?:FPM_)?PM_MAX_CHILDREN|PHP_FPM_MAX_CHILDREN"),
)  # fmt: skip
GUNICORN = Count(
    id="gunicorn", is_heavy=True, fits="--workers {n}", noun="workers", variable=re.compile(r"WEB_CONCURRENCY|GUNICORN_WORKERS|PUMA_WORKERS|UVICORN_WORKERS"),
    option=re.compile(rf"\b(?:gunicorn|uvicorn|hypercorn|fastapi|puma|granian)\b.{{0,300}}?\s(?:-w\s{{0,2}}|--workers{_IS})(?P<n>\d{{1,4}}){_END}"),
)  # fmt: skip
# Of processes that are all alike, for which only what one of them held is known.
WORKERS = (GUNICORN, CELERY, UWSGI, FPM, PM2)
COUNTS = (*WORKERS, THREADS)

_JAVA = "java(1), HotSpot"
ROWS: tuple[Row, ...] = (
    Row(
        id="jvm-xmx", runtime="jvm", title="JVM", part="heap", read=amounts.binary(), fills=True, fits="-Xmx{mib}m",
        option=re.compile(rf"(?<![\w-])-(?:X?mx|XX:MaxHeapSize=|R:MaxHeapSize=){_KMG}"), follower=re.compile(rf"-(?:Xms|XX:InitialHeapSize=){_KMG}"),
        variable=re.compile(r"MAX_HEAP_SIZE|SOLR_HEAP|JVM_MAXIMUM_MEMORY|NEO4J_(?:server|dbms)_memory_heap_max__size"), value=_SIZE,
        echo=re.compile(
            r"\b[Mm]ax(?:imum)?[ -]?[Hh]eap(?: ?[Ss]ize)?(?: is| set to|:|=)? {0,2}(?P<n>\d{1,9}(?:\.\d{1,3})?) ?(?P<u>[KMGkmg]i?[Bb]?)\b"
            r"|\bHeap Max Capacity: (?P<n2>\d{1,9})(?P<u2>[KMG])|\bheap size \[(?P<n3>\d{1,9}(?:\.\d{1,3})?)(?P<u3>[kmg]b)\]"
        ),
        is_said_by_others=True, example="java -Xmx512m -jar app.jar", source=f"{_JAVA}; OpenJ9 and native images read -Xmx as well; HotSpot's gc,init log; Elasticsearch's NodeEnvironment",
    ),
    Row(
        id="jvm-ram-percentage", runtime="jvm", title="JVM", part="heap", read=amounts.percent, fills=True, fits="-XX:MaxRAMPercentage={percent}", value_fits="{percent}",
        option=re.compile(rf"-XX:MaxRAMPercentage=(?P<n>\d{{1,3}}(?:\.\d{{1,6}})?)(?P<u>){_END}"),
        variable=re.compile(r"JAVA_MAX_MEM_RATIO"), value=re.compile(r"\s*(?P<n>[1-9]\d?|100)(?P<u>)\s*"),
        example="java -XX:MaxRAMPercentage=95 -jar app.jar", source=f"{_JAVA} (default 25); run-java.sh of Fabric8 and OpenShift images",
    ),
    Row(
        id="jvm-ram-fraction", runtime="jvm", title="JVM", part="heap", read=amounts.fraction, fills=True, fits="-XX:MaxRAMPercentage={percent}", is_other_than_fits=True,
        option=re.compile(rf"-XX:MaxRAMFraction=(?P<n>\d{{1,4}})(?P<u>){_END}"), example="java -XX:MaxRAMFraction=1 -jar app.jar", source=f"{_JAVA}, deprecated",
    ),
    Row(
        id="jvm-direct", runtime="jvm", title="JVM", part="direct", read=amounts.binary(), fits="-XX:MaxDirectMemorySize={mib}m",
        option=re.compile(rf"-XX:MaxDirectMemorySize={_KMG}"), example="java -XX:MaxDirectMemorySize=512m -jar app.jar",
        source=f"{_JAVA} (default: as much as the heap)",
    ),
    Row(
        id="neo4j-pagecache", runtime="jvm", title="Neo4j", part="page_cache", read=amounts.binary(), fills=True, value_fits="{mib}m",
        variable=re.compile(r"NEO4J_(?:server|dbms)_memory_pagecache_size"), value=_SIZE, example="NEO4J_server_memory_pagecache_size=2g",
        source="Neo4j, memory configuration: beside the heap",
    ),
    Row(
        id="jvm-metaspace", runtime="jvm", title="JVM", part="metaspace", read=amounts.binary(), is_beside=True, fits="-XX:MaxMetaspaceSize={mib}m",
        option=re.compile(rf"-XX:MaxMetaspaceSize={_KMG}"), example="java -XX:MaxMetaspaceSize=256m -jar app.jar", source=_JAVA,
    ),
    Row(
        id="jvm-code-cache", runtime="jvm", title="JVM", part="code", read=amounts.binary(), is_beside=True, fits="-XX:ReservedCodeCacheSize={mib}m",
        option=re.compile(rf"-XX:ReservedCodeCacheSize={_KMG}"), example="java -XX:ReservedCodeCacheSize=240m -jar app.jar", source=_JAVA,
    ),
    Row(
        id="jvm-stacks", runtime="jvm", title="JVM", part="stacks", read=amounts.binary(), is_beside=True, per=THREADS, fits="-Xss{mib}m",
        option=re.compile(rf"-Xss{_KMG}"), example="java -Xss2m -Dserver.tomcat.threads.max=200 -jar app.jar", source=f"{_JAVA}; times the threads, where they are set",
    ),
    Row(
        id="node-old-space-percentage", runtime="node", title="Node.js, Deno", part="heap", read=amounts.percent, fits="--max-old-space-size-percentage={percent}",
        option=re.compile(rf"--max[-_]old[-_]space[-_]size[-_]percentage{_IS}(?P<n>\d{{1,3}}(?:\.\d{{1,6}})?)(?P<u>){_END}"), per=PM2,
        example="node --max-old-space-size-percentage=95 server.js", source="Node.js, command-line options",
    ),
    Row(
        id="node-old-space", runtime="node", title="Node.js, Deno", part="heap", read=amounts.binary(plain=MIB), fits="--max-old-space-size={mib}", per=PM2,
        option=re.compile(rf"--max[-_](?:old[-_]space|heap)[-_]size{_IS}(?P<n>\d{{1,9}})(?P<u>){_END}"),
        example="node --max-old-space-size=1024 server.js", source="V8 and Node.js, command-line options: MiB",
    ),
    Row(
        id="node-pm2-restart", runtime="node", title="PM2", part="heap", read=amounts.binary(), is_soft=True, acts="replace", per=PM2, fits="--max-memory-restart {mib}M",
        option=re.compile(rf"--max-memory-restart{_IS}(?P<n>\d{{1,9}})(?P<u>[KMG]?){_END}"),
        example="pm2-runtime app.js -i 4 --max-memory-restart 300M", source="PM2, memory limit auto-reload: looked at every 30 s",
    ),
    Row(
        id="bun-ram-size", runtime="node", title="Bun", part="heap", read=amounts.binary(), is_soft=True, value_fits="{bytes}",
        variable=re.compile(r"BUN_JSC_forceRAMSize"), value=_SIZE, example="BUN_JSC_forceRAMSize=1073741824",
        source="oven-sh/bun#6548: a hint to the collector; --max-old-space-size is ignored (#34917)",
    ),
    Row(
        id="dotnet-hard-limit", runtime="dotnet", title=".NET", part="heap", read=amounts.hexadecimal, value_fits="0x{hex}",
        variable=re.compile(r"(?:DOTNET|COMPlus)_GCHeapHardLimit"), value=_HEX, example="DOTNET_GCHeapHardLimit=0x20000000", source=".NET, GC settings: hexadecimal",
    ),
    Row(
        id="dotnet-hard-limit-percent", runtime="dotnet", title=".NET", part="heap", read=amounts.hexadecimal_percent, value_fits="0x{hex_percent}",
        variable=re.compile(r"(?:DOTNET|COMPlus)_GCHeapHardLimitPercent"), value=_HEX, example="DOTNET_GCHeapHardLimitPercent=0x5F",
        source=".NET, GC settings: hexadecimal, default 75 % of the limit",
    ),
    Row(
        id="go-memlimit", runtime="go", title="Go", part="heap", read=amounts.binary(), is_soft=True, share=0.9, value_fits="{mib}MiB",
        variable=re.compile(r"GOMEMLIMIT"), value=re.compile(r"\s*(?P<n>\d{1,15})(?P<u>B|[KMGT]iB)?\s*"), example="GOMEMLIMIT=1GiB", source="Go, package runtime",
    ),
    Row(
        id="php-memory-limit", runtime="php", title="PHP", part="heap", read=amounts.binary(), per=FPM, fits="memory_limit = {mib}M",
        option=re.compile(rf"(?<![\w.])memory_limit\s{{0,2}}=\s{{0,2}}(?P<n>\d{{1,15}})(?P<u>[kKmMgG]?){_END}"),
        variable=re.compile(r"PHP_MEMORY_LIMIT"), value=_SIZE, example="php -d memory_limit=512M worker.php", source="php.ini; times pm.max_children, where it is set",
    ),
    Row(
        id="celery-max-memory", runtime="python", title="Celery", part="heap", read=amounts.binary(plain=KIB), is_soft=True, acts="replace", per=CELERY,
        option=re.compile(rf"--max-memory-per-child{_IS}(?P<n>\d{{1,12}})(?P<u>){_END}"), fits="--max-memory-per-child={kib}",
        example="celery -A app worker --concurrency=8 --max-memory-per-child=200000", source="Celery, workers: KiB, looked at after each task",
    ),
    Row(
        id="uwsgi-reload-on-rss", runtime="python", title="uWSGI", part="heap", read=amounts.binary(plain=MIB), is_soft=True, acts="replace", per=UWSGI,
        option=re.compile(rf"--(?:evil-)?reload-on-rss{_IS}(?P<n>\d{{1,9}})(?P<u>){_END}"), variable=re.compile(r"UWSGI_(?:EVIL_)?RELOAD_ON_RSS"), value=_SIZE,
        fits="--reload-on-rss={mib}", value_fits="{mib}", example="uwsgi --processes 8 --reload-on-rss 300", source="uWSGI, options: MiB, looked at after each request",
    ),
    Row(
        id="redis-maxmemory", runtime="redis", title="Redis, Valkey", part="data", read=amounts.in_units(amounts.REDIS), fills=True, fits="--maxmemory {mib}mb",
        option=re.compile(rf"--maxmemory{_IS}(?P<n>\d{{1,15}})(?P<u>[a-zA-Z]{{0,2}}){_END}"), example="redis-server --maxmemory 512mb", source="redis.conf",
    ),
    Row(
        id="memcached-memory", runtime="memcached", title="Memcached", part="data", read=amounts.binary(plain=MIB), fills=True, fits="-m {mib}",
        option=re.compile(rf"\bmemcached\b.{{0,200}}?\s(?:-m\s{{0,2}}|--memory-limit{_IS})(?P<n>\d{{1,9}})(?P<u>[mMgG]?){_END}"),
        example="memcached -m 1024", source="memcached(1): MiB",
    ),
    Row(
        id="varnish-malloc", runtime="varnish", title="Varnish", part="cache", read=amounts.binary(), fills=True, fits="-s malloc,{mib}M",
        option=re.compile(rf"\bmalloc,(?P<n>\d{{1,9}})(?P<u>[kKmMgGtT]?){_END}"), variable=re.compile(r"VARNISH_SIZE"), value=_SIZE,
        example="varnishd -s malloc,1G", source="varnishd(1); the official image's VARNISH_SIZE",
    ),
    Row(
        id="postgres-shared-buffers", runtime="postgres", title="PostgreSQL", part="cache", read=amounts.binary(plain=8 * KIB), fills=True, share=0.25,
        option=re.compile(rf"\bshared_buffers\s{{0,2}}=\s{{0,2}}'?(?P<n>\d{{1,12}})(?P<u>kB|MB|GB|TB)?{_END}"),
        variable=re.compile(r"POSTGRES(?:QL)?_SHARED_BUFFERS"), value=_SIZE, fits="shared_buffers={mib}MB", value_fits="{mib}MB", example="postgres -c shared_buffers=1GB",
        source="PostgreSQL, resource consumption: 25 % is usual",
    ),
    Row(
        id="innodb-buffer-pool", runtime="mysql", title="MySQL, MariaDB", part="cache", read=amounts.binary(), fills=True, share=0.6,
        option=re.compile(rf"--innodb[-_]buffer[-_]pool[-_]size{_IS}(?P<n>\d{{1,15}})(?P<u>[kKmMgG]?){_END}"),
        variable=re.compile(r"(?:MYSQL|MARIADB)_INNODB_BUFFER_POOL_SIZE"), value=_SIZE, fits="--innodb-buffer-pool-size={mib}M",
        echo=re.compile(r"InnoDB: Initializing buffer pool, total size = (?P<n>\d{1,9}(?:\.\d{1,9})?)(?P<u>[KMG])"),
        example="mysqld --innodb-buffer-pool-size=1G", source="MySQL and MariaDB, InnoDB; storage/innobase/srv/srv0start.cc",
    ),
    Row(
        id="wiredtiger-cache", runtime="mongodb", title="MongoDB", part="cache", read=amounts.binary(plain=GIB), fills=True, share=0.5,
        option=re.compile(rf"--wiredTigerCacheSizeGB{_IS}(?P<n>\d{{1,6}}(?:\.\d{{1,6}})?)(?P<u>){_END}"), fits="--wiredTigerCacheSizeGB {gib}",
        echo=re.compile(r"(?:wiredtiger_open|Opening WiredTiger).{0,80}?\bcache_size=(?P<n>\d{1,9})(?P<u>[MG])"),
        example="mongod --wiredTigerCacheSizeGB 2", source="mongod: GiB, default half of the memory minus 1 GiB",
    ),
    Row(
        id="clickhouse-server-memory", runtime="clickhouse", title="ClickHouse", part="heap", read=amounts.binary(), share=0.8,
        echo=re.compile(r"max_server_memory_usage (?:was )?set to (?P<n>\d{1,9}(?:\.\d{1,3})?) (?P<u>[KMGT]iB)"),
        fits="max_server_memory_usage={bytes}", example="Setting max_server_memory_usage was set to 27.91 GiB (31.01 GiB available * 0.90 max_server_memory_usage_to_ram_ratio)",
        source="ClickHouse, programs/server/Server.cpp",
    ),
    Row(
        id="rabbitmq-watermark", runtime="erlang", title="RabbitMQ", part="heap", read=amounts.binary(), is_soft=True, acts="block", share=0.6,
        echo=re.compile(r"\bMemory (?:high watermark|limit) set to (?P<n>\d{1,9}) ?(?P<u>Mi?B)\b"), fits="vm_memory_high_watermark.absolute = {mib}MiB",
        example="Memory high watermark set to 12646 MiB (13260750848 bytes) of 31616 MiB (33151877120 bytes) total", source="RabbitMQ, vm_memory_monitor",
    ),
    Row(
        id="erlang-super-carrier", runtime="erlang", title="Erlang", part="heap", read=amounts.binary(plain=MIB), fits="+MMscs {mib}",
        option=re.compile(rf"\+MMscs\s{{1,3}}(?P<n>\d{{1,9}})(?P<u>){_END}"), example="erl +MMscs 1024", source="erts_alloc(3): MiB",
    ),
    Row(
        id="victoriametrics-allowed", runtime="victoriametrics", title="VictoriaMetrics", part="cache", read=amounts.in_units(amounts.SI), share=0.6,
        option=re.compile(rf"-memory\.allowedBytes=(?P<n>\d{{1,15}}(?:\.\d{{1,3}})?)(?P<u>[KMGT]i?B)?{_END}"), fits="-memory.allowedBytes={mib}MiB",
        example="/victoria-metrics-prod -memory.allowedBytes=4GiB", source="VictoriaMetrics, lib/memory",
    ),
    Row(
        id="cockroach-cache", runtime="cockroach", title="CockroachDB", part="cache", read=amounts.percent_or_size, fills=True, share=0.35,
        option=re.compile(r"\bcockroach\b.{0,300}?\s--cache(?:=|\s{1,4})(?P<n>\d{0,9}\.?\d{1,9})(?P<u>%|[KMGT]i?B)?(?![\w.])"), fits="--cache={mib}MiB",
        example="cockroach start --cache=2GiB --max-sql-memory=2GiB", source="CockroachDB, cockroach start: cache and SQL memory add up",
    ),
    Row(
        id="cockroach-sql-memory", runtime="cockroach", title="CockroachDB", part="sql", read=amounts.percent_or_size, share=0.35,
        option=re.compile(r"--max-sql-memory(?:=|\s{1,4})(?P<n>\d{0,9}\.?\d{1,9})(?P<u>%|[KMGT]i?B)?(?![\w.])"), fits="--max-sql-memory={mib}MiB",
        example="cockroach start --max-sql-memory=.95", source="CockroachDB, cockroach start",
    ),
    Row(
        id="r-max-vsize", runtime="r", title="R", part="heap", read=amounts.binary(),
        variable=re.compile(r"R_MAX_VSIZE"), value=_SIZE, example="R_MAX_VSIZE=16Gb", source="R, ?Memory",
    ),
    Row(
        id="ghc-max-heap", runtime="haskell", title="Haskell (GHC)", part="heap", read=amounts.binary(), fits="-M{mib}m",
        option=re.compile(rf"\+RTS\b.{{0,100}}?\s-M(?P<n>\d{{1,12}})(?P<u>[kKmMgG]?){_END}"), example="/app/server +RTS -M2g -RTS", source="GHC, runtime system options",
    ),
    Row(
        id="julia-heap-hint", runtime="julia", title="Julia", part="heap", read=amounts.binary(), is_soft=True, fits="--heap-size-hint={mib}M",
        option=re.compile(rf"--heap-size-hint{_IS}(?P<n>\d{{1,12}})(?P<u>[KMGT]?){_END}"), example="julia --heap-size-hint=4G app.jl", source="julia(1)",
    ),
)  # fmt: skip
