"""Real fixes beside a higher limit: how to find what fills the memory, per runtime, and the habits that usually do."""

from __future__ import annotations

from receiver.diagnosis.log.runtimes.heap import GO_SOFT_RATIO, JVM_HEAP_RATIO, NODE_HEAP_RATIO
from receiver.diagnosis.log.runtimes.table import RUNTIMES
from receiver.domain.report import LongTerm
from receiver.domain.units import MIB, human_bytes


def profiling_advice(runtime: str, limit_bytes: int | None) -> tuple[LongTerm, ...]:
    """How to profile this runtime (exact flags and commands, sized by the limit where it is known), then `COMMON_ISSUES`.

    `POD` and `CONTAINER` in a command are for the reader to fill in. An unknown runtime gets the general advice only.
    """
    return (*_profilers(runtime, limit_bytes), *COMMON_ISSUES)


COMMON_ISSUES: tuple[LongTerm, ...] = (
    LongTerm(
        id="stream_data",
        text="Loads a whole data set into memory? Read it in pieces, and give each piece back before the next.",
    ),
    LongTerm(
        id="paginate",
        text="Queries without a bound? Page through them (LIMIT and a key, a server-side cursor), and cap the page size that clients may ask for.",
    ),
    LongTerm(
        id="clean_up",
        text="Work that holds on to memory? Close files, sessions and subscriptions; drop references to large results before the next job.",
    ),
    LongTerm(
        id="bound_caches",
        text="A cache without eviction? Give it a maximal size and a time to live; a dictionary that only grows is a leak.",
    ),
)


def _profilers(runtime: str, limit_bytes: int | None) -> tuple[LongTerm, ...]:
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
        text="memray records every allocation, native ones too, and draws who holds the peak. Start the program under it, or attach to the running one.",
        commands=(
            "pip install memray",
            "memray run -o /tmp/app.bin app.py",
            "kubectl exec POD -c CONTAINER -- memray attach --duration 60 -o /tmp/app.bin 1   # needs gdb or lldb and CAP_SYS_PTRACE",
            "memray flamegraph /tmp/app.bin   # add --leaks for what was never freed (run with PYTHONMALLOC=malloc)",
        ),
    ),
    LongTerm(
        id="python_tracemalloc",
        text="tracemalloc is in the standard library: compare two snapshots some minutes apart, the line that grew is the leak.",
        commands=(
            "PYTHONTRACEMALLOC=10 python app.py",
            "python -c 'import tracemalloc; ...'   # in the program: tracemalloc.take_snapshot().compare_to(before, \"lineno\")[:10]",
        ),
    ),
    LongTerm(
        id="python_memory_profiler",
        text="memory-profiler gives memory line by line for functions marked with @profile, and a curve over time.",
        commands=("pip install memory-profiler", "python -m memory_profiler app.py", "mprof run app.py && mprof plot"),
    ),
    LongTerm(
        id="python_recycle",
        text="While you look: recycle workers, and keep glibc from holding freed memory.",
        commands=("gunicorn --max-requests 1000 --max-requests-jitter 100 ...", "env: MALLOC_ARENA_MAX=2"),
    ),
)


def _jvm(limit_bytes: int | None) -> tuple[LongTerm, ...]:
    heap = f"-Xmx{max(1, int(limit_bytes * JVM_HEAP_RATIO) // MIB)}m" if limit_bytes else "-Xmx at 75 % of the limit"
    return (
        LongTerm(
            id="jvm_heap_dump",
            text="Let the JVM write a heap dump when the heap is full, to a volume that outlives the container and is not memory; open it in Eclipse MAT.",
            commands=(
                "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps/heapdump.hprof -XX:+ExitOnOutOfMemoryError",
                "kubectl exec POD -c CONTAINER -- jcmd 1 GC.heap_dump /dumps/now.hprof",
                "kubectl exec POD -c CONTAINER -- jcmd 1 GC.class_histogram | head -30",
            ),
        ),
        LongTerm(
            id="jvm_native_memory",
            text="A kill by the kernel with a heap that is not full is memory outside the heap: Native Memory Tracking says whose (about 5 % slower).",
            commands=(
                "-XX:NativeMemoryTracking=summary",
                "kubectl exec POD -c CONTAINER -- jcmd 1 VM.native_memory baseline",
                "kubectl exec POD -c CONTAINER -- jcmd 1 VM.native_memory summary.diff",
            ),
        ),
        LongTerm(
            id="jvm_heap_and_limit",
            text=f"Heap and limit move together: the heap is about 75 % of the limit, the rest is metaspace, threads, code and direct buffers. "
            f"{'At ' + human_bytes(limit_bytes) + ' that is ' + heap + '. ' if limit_bytes else ''}Without a flag the JVM takes 25 % only.",
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
            text="Let Node write a heap snapshot just before the heap is full, and compare two of them in Chrome DevTools. Writing one needs about as much memory again.",
            commands=(
                "NODE_OPTIONS='--heapsnapshot-near-heap-limit=2 --diagnostic-dir=/dumps'",
                "node --heapsnapshot-signal=SIGUSR2 app.js   # then: kubectl exec POD -c CONTAINER -- kill -USR2 1",
            ),
        ),
        LongTerm(
            id="node_heap_and_limit",
            text=f"Heap and limit move together: {old_space} (MiB) is about 75 % of the limit. Above the limit the kernel kills without a word; "
            "far below it Node ends itself with 'JavaScript heap out of memory'. Buffers are outside this heap.",
            commands=(f"NODE_OPTIONS='{old_space}'", "node --trace-gc app.js   # heap after each collection: does it come back down?"),
        ),
    )


def _go(limit_bytes: int | None) -> tuple[LongTerm, ...]:
    soft = f"GOMEMLIMIT={max(1, int(limit_bytes * GO_SOFT_RATIO) // MIB)}MiB" if limit_bytes else "GOMEMLIMIT at 90 % of the limit"
    return (
        LongTerm(
            id="go_pprof",
            text="A heap profile says which code holds the memory; two of them some minutes apart say what leaks. Goroutines that never end leak their stacks.",
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
            text="Tell the collector of the limit, else the heap may double between two collections (GOGC=100). It is soft: a real leak still ends in a kill.",
            commands=(soft,),
        ),
    )


_RUST_AND_C = (
    LongTerm(
        id="native_heaptrack",
        text="heaptrack records every allocation with its stack, and names the peak and what was never freed.",
        commands=(
            "heaptrack ./app",
            "kubectl exec POD -c CONTAINER -- heaptrack --pid 1   # needs CAP_SYS_PTRACE",
            "heaptrack_print heaptrack.app.*.zst | less",
        ),
    ),
    LongTerm(
        id="native_jemalloc",
        text="jemalloc gives memory back sooner than glibc and can profile in production.",
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
            text="dotnet-gcdump says which types fill the heap, dotnet-counters whether it comes back down after a collection.",
            commands=(
                "kubectl exec POD -c CONTAINER -- dotnet-counters monitor -p 1 --counters System.Runtime",
                "kubectl exec POD -c CONTAINER -- dotnet-gcdump collect -p 1 -o /tmp/app.gcdump",
                "dotnet-gcdump report /tmp/app.gcdump | head -30",
            ),
        ),
        LongTerm(
            id="dotnet_heap_and_limit",
            text="The heap stops at 75 % of the container's limit by itself. Server GC keeps a heap per core: with a small limit use the workstation one.",
            commands=("DOTNET_gcServer=0", "DOTNET_GCConserveMemory=5", "DOTNET_GCHeapHardLimitPercent=0x4B   # hexadecimal: 75 %"),
        ),
    ),
    "ruby": (
        LongTerm(
            id="ruby_memory_profiler",
            text="memory_profiler names the lines and gems that allocate and keep objects; ObjectSpace dumps the heap of a live process.",
            commands=(
                "gem install memory_profiler",
                "ruby -r memory_profiler -e 'MemoryProfiler.report { require \"./app\" }.pretty_print'",
                'ruby -r objspace -e \'ObjectSpace.trace_object_allocations_start; ...; ObjectSpace.dump_all(output: File.open("/tmp/heap.json", "w"))\'',
            ),
        ),
        LongTerm(
            id="ruby_malloc",
            text="Much of Ruby's growth is fragmentation: fewer malloc arenas or jemalloc take it away without a change of code.",
            commands=("env: MALLOC_ARENA_MAX=2", "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"),
        ),
    ),
    "php": (
        LongTerm(
            id="php_memory",
            text="php-fpm holds up to pm.max_children times memory_limit: that product must fit the limit. Children that end after some requests give leaks back.",
            commands=("pm.max_children = 8", "pm.max_requests = 500", "php -d memory_limit=256M -r 'echo memory_get_peak_usage(true);'"),
        ),
        LongTerm(
            id="php_profile",
            text="php-memory-profiler (the extension memprof) or SPX names the functions that hold memory.",
            commands=("pecl install memprof", "MEMPROF_PROFILE=1 php script.php   # memprof_dump_pprof(fopen('/tmp/profile.heap', 'w'))"),
        ),
    ),
    "rust": _RUST_AND_C,
    "postgres": (
        LongTerm(
            id="postgres_memory",
            text="shared_buffers at 25 % of the limit; work_mem counts once per sort or hash and per connection, so work_mem times busy connections must fit the rest.",
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
            text="innodb_buffer_pool_size at about 60 % of the limit; each connection takes sort, join and read buffers on top.",
            commands=(
                "SELECT event_name, current_alloc FROM sys.memory_global_by_current_bytes LIMIT 10;",
                "SHOW VARIABLES LIKE 'innodb_buffer_pool_size';",
            ),
        ),
    ),
    "redis": (
        LongTerm(
            id="redis_memory",
            text="maxmemory at about 75 % of the limit (half of it with RDB or AOF: a fork copies pages that change), and a policy that evicts.",
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
            text="WiredTiger's cache is half of the memory minus 1 GiB by default; set it below the limit on purpose.",
            commands=("mongod --wiredTigerCacheSizeGB 0.5", "db.serverStatus().wiredTiger.cache"),
        ),
    ),
    "clickhouse": (
        LongTerm(
            id="clickhouse_memory",
            text="Bound the server and each query below the limit, and let large sorts and groups spill to disk.",
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
            text="worker_processes auto counts the node's cores, not the container's: set a number. Buffers count per connection, zones once.",
            commands=("worker_processes 2;", "proxy_buffers 8 8k;", "keys_zone=static:10m"),
        ),
    ),
    "erlang": (
        LongTerm(
            id="erlang_memory",
            text="Find the process whose mailbox or heap grows; RabbitMQ needs its watermark below the container's limit.",
            commands=("recon:proc_count(memory, 5).", "rabbitmq-diagnostics memory_breakdown", "vm_memory_high_watermark.relative = 0.6"),
        ),
    ),
    "r": (
        LongTerm(
            id="r_memory",
            text="R copies on change: a data frame may stand in memory several times. Profile with profvis, read in pieces, and free what is done with.",
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
            text="Devel::Size measures a structure, Devel::Leak::Object counts objects that were never freed. Read files line by line.",
            commands=("perl -MDevel::Size=total_size -e 'print total_size(\\%cache)'",),
        ),
    ),
}

_UNKNOWN = (
    LongTerm(
        id="find_what_grows",
        text="The runtime could not be told. See first whether one process grows or several, and whether it is the process or file cache.",
        commands=(
            "kubectl exec POD -c CONTAINER -- sh -c 'grep -H VmRSS /proc/[0-9]*/status'",
            "kubectl exec POD -c CONTAINER -- cat /sys/fs/cgroup/memory.stat   # anon: the processes; file: cache; shmem: tmpfs",
        ),
    ),
)
