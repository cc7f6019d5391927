"""Real fixes beside a higher limit: how to find what fills the memory, per runtime, and the habits that usually do."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.diagnosis.log.runtimes.table import RUNTIMES
from receiver.domain.reason import reason
from receiver.domain.report import LongTerm
from receiver.domain.units import MIB

# Of the limit: the heap, as the rows of ceilings/table.py have it.
JVM_HEAP_RATIO = 0.75
NODE_HEAP_RATIO = 0.75
GO_SOFT_RATIO = 0.90

HABITS: Mapping[str, LongTerm] = {
    entry.id: entry
    for entry in (
        LongTerm(id="stream_data", advice=reason("fix.stream_data")),
        LongTerm(id="paginate", advice=reason("fix.paginate")),
        LongTerm(id="clean_up", advice=reason("fix.clean_up")),
        LongTerm(id="bound_caches", advice=reason("fix.bound_caches")),
    )
}


def profiling_advice(runtime: str, limit_bytes: int | None) -> tuple[LongTerm, ...]:
    """How to profile this runtime and set its heap beside the limit: exact flags and commands, sized by the limit where it is known.

    `POD` and `CONTAINER` in a command are for the reader to fill in. An unknown runtime gets the general advice only.
    """
    match next((r.like for r in RUNTIMES if r.name == runtime and r.like), runtime):
        case "python":
            return _PYTHON
        case "jvm":
            return _jvm(limit_bytes)
        case "node":
            return _node(limit_bytes)
        case "go":
            return _go(limit_bytes)
        case name:
            return _FIXED.get(name, _UNKNOWN)


_PYTHON = (
    LongTerm(
        id="python_memray",
        advice=reason("fix.python_memray"),
        commands=(
            "pip install memray",
            "memray run -o /tmp/app.bin app.py",
            "kubectl exec POD -c CONTAINER -- memray attach --duration 60 -o /tmp/app.bin 1   # needs gdb or lldb and CAP_SYS_PTRACE",
            "memray flamegraph /tmp/app.bin   # add --leaks for what was never freed (run with PYTHONMALLOC=malloc)",
        ),
    ),
    LongTerm(
        id="python_tracemalloc",
        advice=reason("fix.python_tracemalloc"),
        commands=(
            "PYTHONTRACEMALLOC=10 python app.py",
            "python -c 'import tracemalloc; ...'   # in the program: tracemalloc.take_snapshot().compare_to(before, \"lineno\")[:10]",
        ),
    ),
    LongTerm(
        id="python_memory_profiler",
        advice=reason("fix.python_memory_profiler"),
        commands=("pip install memory-profiler", "python -m memory_profiler app.py", "mprof run app.py && mprof plot"),
    ),
    LongTerm(
        id="python_recycle",
        advice=reason("fix.python_recycle"),
        commands=("gunicorn --max-requests 1000 --max-requests-jitter 100 ...", "env: MALLOC_ARENA_MAX=2"),
    ),
)


def _jvm(limit_bytes: int | None) -> tuple[LongTerm, ...]:
    heap = f"-Xmx{max(1, int(limit_bytes * JVM_HEAP_RATIO) // MIB)}m" if limit_bytes else "-Xmx at 75 % of the limit"
    return (
        LongTerm(
            id="jvm_heap_dump",
            advice=reason("fix.jvm_heap_dump"),
            commands=(
                "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps/heapdump.hprof -XX:+ExitOnOutOfMemoryError",
                "kubectl exec POD -c CONTAINER -- jcmd 1 GC.heap_dump /dumps/now.hprof",
                "kubectl exec POD -c CONTAINER -- jcmd 1 GC.class_histogram | head -30",
            ),
        ),
        LongTerm(
            id="jvm_native_memory",
            advice=reason("fix.jvm_native_memory"),
            commands=(
                "-XX:NativeMemoryTracking=summary",
                "kubectl exec POD -c CONTAINER -- jcmd 1 VM.native_memory baseline",
                "kubectl exec POD -c CONTAINER -- jcmd 1 VM.native_memory summary.diff",
            ),
        ),
        LongTerm(
            id="jvm_heap_and_limit",
            advice=reason("fix.jvm_heap_and_limit", heap=heap, limit_bytes=limit_bytes),
            commands=(
                f"{heap}   # or -XX:MaxRAMPercentage=75, which follows the limit",
                "-XX:MaxDirectMemorySize=64m -XX:MaxMetaspaceSize=256m",
            ),
        ),
    )


def _node(limit_bytes: int | None) -> tuple[LongTerm, ...]:
    old_space = f"--max-old-space-size={max(1, int(limit_bytes * NODE_HEAP_RATIO) // MIB)}" if limit_bytes else "--max-old-space-size=MIB"
    return (
        LongTerm(
            id="node_heap_snapshot",
            advice=reason("fix.node_heap_snapshot"),
            commands=(
                "NODE_OPTIONS='--heapsnapshot-near-heap-limit=2 --diagnostic-dir=/dumps'",
                "node --heapsnapshot-signal=SIGUSR2 app.js   # then: kubectl exec POD -c CONTAINER -- kill -USR2 1",
            ),
        ),
        LongTerm(
            id="node_heap_and_limit",
            advice=reason("fix.node_heap_and_limit", old_space=old_space),
            commands=(f"NODE_OPTIONS='{old_space}'", "node --trace-gc app.js   # heap after each collection: does it come back down?"),
        ),
    )


def _go(limit_bytes: int | None) -> tuple[LongTerm, ...]:
    soft = f"GOMEMLIMIT={max(1, int(limit_bytes * GO_SOFT_RATIO) // MIB)}MiB" if limit_bytes else "GOMEMLIMIT at 90 % of the limit"
    return (
        LongTerm(
            id="go_pprof",
            advice=reason("fix.go_pprof"),
            commands=(
                'import _ "net/http/pprof"   # and serve http.DefaultServeMux on localhost:6060',
                "kubectl port-forward POD 6060:6060",
                "go tool pprof -inuse_space http://localhost:6060/debug/pprof/heap   # then: top, list FUNCTION",
                "go tool pprof -base old.pb.gz new.pb.gz",
                "curl -s 'http://localhost:6060/debug/pprof/goroutine?debug=1' | head -30",
            ),
        ),
        LongTerm(
            id="go_memlimit",
            advice=reason("fix.go_memlimit"),
            commands=(soft,),
        ),
    )


_RUST_AND_C = (
    LongTerm(
        id="native_heaptrack",
        advice=reason("fix.native_heaptrack"),
        commands=(
            "heaptrack ./app",
            "kubectl exec POD -c CONTAINER -- heaptrack --pid 1   # needs CAP_SYS_PTRACE",
            "heaptrack_print heaptrack.app.*.zst | less",
        ),
    ),
    LongTerm(
        id="native_jemalloc",
        advice=reason("fix.native_jemalloc"),
        commands=(
            "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
            "MALLOC_CONF=prof:true,lg_prof_interval:30,prof_prefix:/dumps/jeprof   # a build with --enable-prof",
            "jeprof --text ./app /dumps/jeprof.*.heap",
        ),
    ),
)

_FIXED: dict[str, tuple[LongTerm, ...]] = {
    "dotnet": (
        LongTerm(
            id="dotnet_gcdump",
            advice=reason("fix.dotnet_gcdump"),
            commands=(
                "kubectl exec POD -c CONTAINER -- dotnet-counters monitor -p 1 --counters System.Runtime",
                "kubectl exec POD -c CONTAINER -- dotnet-gcdump collect -p 1 -o /tmp/app.gcdump",
                "dotnet-gcdump report /tmp/app.gcdump | head -30",
            ),
        ),
        LongTerm(
            id="dotnet_heap_and_limit",
            advice=reason("fix.dotnet_heap_and_limit"),
            commands=("DOTNET_gcServer=0", "DOTNET_GCConserveMemory=5", "DOTNET_GCHeapHardLimitPercent=0x4B   # hexadecimal: 75 %"),
        ),
    ),
    "ruby": (
        LongTerm(
            id="ruby_memory_profiler",
            advice=reason("fix.ruby_memory_profiler"),
            commands=(
                "gem install memory_profiler",
                "ruby -r memory_profiler -e 'MemoryProfiler.report { require \"./app\" }.pretty_print'",
                'ruby -r objspace -e \'ObjectSpace.trace_object_allocations_start; ...; ObjectSpace.dump_all(output: File.open("/tmp/heap.json", "w"))\'',
            ),
        ),
        LongTerm(
            id="ruby_malloc",
            advice=reason("fix.ruby_malloc"),
            commands=("env: MALLOC_ARENA_MAX=2", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"),
        ),
    ),
    "php": (
        LongTerm(
            id="php_memory",
            advice=reason("fix.php_memory"),
            commands=("pm.max_children = 8", "pm.max_requests = 500", "php -d memory_limit=256M -r 'echo memory_get_peak_usage(true);'"),
        ),
        LongTerm(
            id="php_profile",
            advice=reason("fix.php_profile"),
            commands=("pecl install memprof", "MEMPROF_PROFILE=1 php script.php   # memprof_dump_pprof(fopen('/tmp/profile.heap', 'w'))"),
        ),
    ),
    "rust": _RUST_AND_C,
    "postgres": (
        LongTerm(
            id="postgres_memory",
            advice=reason("fix.postgres_memory"),
            commands=(
                "SHOW shared_buffers; SHOW work_mem; SHOW max_connections;",
                "SELECT pid, state, left(query, 80) FROM pg_stat_activity WHERE state <> 'idle';",
                "SELECT pg_log_backend_memory_contexts(PID);",
            ),
        ),
    ),
    "mysql": (
        LongTerm(
            id="mysql_memory",
            advice=reason("fix.mysql_memory"),
            commands=(
                "SELECT event_name, current_alloc FROM sys.memory_global_by_current_bytes LIMIT 10;",
                "SHOW VARIABLES LIKE 'innodb_buffer_pool_size';",
            ),
        ),
    ),
    "redis": (
        LongTerm(
            id="redis_memory",
            advice=reason("fix.redis_memory"),
            commands=(
                "redis-cli --bigkeys",
                "redis-cli INFO memory",
                "redis-cli CONFIG SET maxmemory-policy allkeys-lru",
                "redis-cli MEMORY DOCTOR",
            ),
        ),
    ),
    "mongodb": (
        LongTerm(
            id="mongodb_memory",
            advice=reason("fix.mongodb_memory"),
            commands=("mongod --wiredTigerCacheSizeGB 0.5", "db.serverStatus().wiredTiger.cache"),
        ),
    ),
    "clickhouse": (
        LongTerm(
            id="clickhouse_memory",
            advice=reason("fix.clickhouse_memory"),
            commands=(
                "max_server_memory_usage_to_ram_ratio = 0.8",
                "SET max_bytes_before_external_group_by = 1000000000",
                "SELECT query, formatReadableSize(memory_usage) FROM system.processes ORDER BY memory_usage DESC",
            ),
        ),
    ),
    "nginx": (
        LongTerm(
            id="nginx_memory",
            advice=reason("fix.nginx_memory"),
            commands=("worker_processes 2;", "proxy_buffers 8 8k;", "keys_zone=static:10m"),
        ),
    ),
    "erlang": (
        LongTerm(
            id="erlang_memory",
            advice=reason("fix.erlang_memory"),
            commands=("recon:proc_count(memory, 5).", "rabbitmq-diagnostics memory_breakdown", "vm_memory_high_watermark.relative = 0.6"),
        ),
    ),
    "r": (
        LongTerm(
            id="r_memory",
            advice=reason("fix.r_memory"),
            commands=(
                "profvis::profvis({ source('app.R') })",
                "sort(sapply(ls(), function(x) object.size(get(x))), decreasing = TRUE)",
                "data.table::fread(path, select = c('id', 'value'))   # instead of read.csv",
            ),
        ),
    ),
    "perl": (
        LongTerm(
            id="perl_memory",
            advice=reason("fix.perl_memory"),
            commands=("perl -MDevel::Size=total_size -e 'print total_size(\\%cache)'",),
        ),
    ),
}

_UNKNOWN = (
    LongTerm(
        id="find_what_grows",
        advice=reason("fix.find_what_grows"),
        commands=(
            "kubectl exec POD -c CONTAINER -- sh -c 'grep -H VmRSS /proc/[0-9]*/status'",
            "kubectl exec POD -c CONTAINER -- cat /sys/fs/cgroup/memory.stat   # anon: the processes; file: cache; shmem: tmpfs",
        ),
    ),
)
