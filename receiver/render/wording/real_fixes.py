"""Sentences about real fixes: the program's habits, the runtime's profiler, its heap flag beside the limit."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import human_bytes
from receiver.render.wording.forms import Facts, Sentence


# What a process needs beside its heap.
def _jvm_heap_and_limit(facts: Facts) -> str:
    limit = facts["limit_bytes"]
    sized = f"At {human_bytes(limit)} that is {facts['heap']}. " if limit else ""
    return (
        "Heap and limit move together: the heap is about 75 % of the limit, the rest is metaspace, threads, code and direct buffers. "
        f"{sized}Without a flag the JVM takes 25 % only."
    )


SENTENCES: Mapping[str, Sentence] = {
    # What only this incident asks for.
    "fix.bound_memory_volume": "Give the in-memory emptyDir ({volumes:list}) a sizeLimit below the container's limit, clean it up, or use a disk. Until then a new pod starts with an empty one.",
    "fix.fewer_workers": "Fewer workers share the limit: each gets more. Profile one worker to learn what it needs.",
    "fix.bound_concurrency": "Limit what runs at once: a queue or a limit on concurrent requests turns a peak into a wait.",
    "fix.smaller_batches": "Work in smaller batches, or write the result out as it is made instead of buffering it.",
    "fix.find_hot_replica": "Only this replica grows: look for what it alone holds or serves (a shard, a partition, a tenant, sticky sessions, a leader's work) and spread that before raising every replica's limit.",
    "fix.native_memory": "The heap is flat, so look outside it: direct buffers, native libraries, thread stacks, or memory that the allocator keeps.",
    "fix.bound_heap": "Give the heap a maximum that leaves room for the rest: what it holds is mostly garbage that it has no reason to collect.",
    "fix.goroutine_leak": "Find what the goroutines wait for: a channel nobody reads or closes, a request without a timeout, a context that is never cancelled.",
    "fix.uncollectable": "Objects pile up that the garbage collector cannot free: look at gc.garbage and at extension types in reference cycles.",
    "fix.compare_revisions": "Roll back, then compare the two releases: only the pods of the new one grow.",
    "fix.look_at_the_change": "It began with a change: compare that release with the one before, or roll back.",
    "fix.load_in_pieces": "Load the data in chunks at start-up, or map it, or load it on first use: then the need does not grow with the data.",
    "fix.mend_probe": "Check what the probe calls and why it fails or is slow; give it a longer timeout, or a startup probe if starting is what is slow.",
    "fix.handle_sigterm": "It does not stop when asked: handle SIGTERM (a shell as PID 1 does not pass it on), or give it a longer terminationGracePeriodSeconds.",
    "fix.set_limit": "Give it a memory limit and a request: then it is stopped at its limit, before the node runs out.",
    "fix.honest_request": "Set its request to what it really uses: pods that use more than they request are evicted first. Its limit plays no part in this.",
    "fix.lower_limit": "Give it a limit near what it needs, and a request near its limit: one that is far above its request can take the node.",
    "fix.request_to_be_admitted": "Give it a memory request: under memory pressure a node refuses only pods without one (BestEffort).",
    "fix.fit_request": "Set its requests to what it really uses, and keep room on the nodes: a pod bound to a full node is refused, and its controller tries again.",
    "fix.find_the_hungry": "Find what filled the node: pods without a limit, or far above their request.",
    # The four usual suspects.
    "fix.stream_data": "Loads a whole data set into memory? Read it in chunks, and free each chunk before reading the next.",
    "fix.paginate": "Unbounded queries? Paginate them (LIMIT and a key, a server-side cursor), and cap the page size that clients may ask for.",
    "fix.clean_up": "Work that holds on to memory? Close files, sessions and subscriptions; drop references to large results before the next job.",
    "fix.bound_caches": "A cache without eviction? Give it a maximum size and a time to live; a dictionary that only grows is a leak.",
    # How to find what fills the memory, by runtime.
    "fix.python_memray": "memray records every allocation, native ones too, and draws who holds the peak. Start the program under it, or attach to the running one.",
    "fix.python_tracemalloc": "tracemalloc is in the standard library: compare two snapshots some minutes apart, the line that grew is the leak.",
    "fix.python_memory_profiler": "memory-profiler gives memory line by line for functions marked with @profile, and a curve over time.",
    "fix.python_recycle": "While you look: recycle workers, and keep glibc from holding freed memory.",
    "fix.native_heaptrack": "heaptrack records every allocation with its stack, and names the peak and what was never freed.",
    "fix.native_jemalloc": "jemalloc gives memory back sooner than glibc and can profile in production.",
    "fix.find_what_grows": "The runtime is not known. See first whether one process grows or several, and whether it is the process or file cache.",
    "fix.jvm_heap_dump": "Let the JVM write a heap dump when the heap is full, to a volume that outlives the container and is not memory; open it in Eclipse MAT.",
    "fix.jvm_native_memory": "A kill by the kernel with a heap that is not full is memory outside the heap: Native Memory Tracking says whose (about 5 % slower).",
    "fix.jvm_heap_and_limit": _jvm_heap_and_limit,
    "fix.node_heap_snapshot": "Let Node write a heap snapshot just before the heap is full, and compare two of them in Chrome DevTools. Writing one needs about as much memory again.",
    "fix.node_heap_and_limit": "Heap and limit move together: {old_space} (MiB) is about 75 % of the limit. Above the limit the kernel kills without a log line; far below it Node ends itself with 'JavaScript heap out of memory'. Buffers are outside this heap.",
    "fix.go_pprof": "A heap profile says which code holds the memory; two of them some minutes apart say what leaks. Goroutines that never end leak their stacks.",
    "fix.go_memlimit": "Tell the garbage collector about the limit, otherwise the heap may double between two collections (GOGC=100). It is soft: a real leak still ends in a kill.",
    "fix.dotnet_gcdump": "dotnet-gcdump says which types fill the heap, dotnet-counters whether it comes back down after a collection.",
    "fix.dotnet_heap_and_limit": "The heap stops at 75 % of the container's limit by itself. Server GC keeps a heap per core: with a small limit use the workstation one.",
    "fix.ruby_memory_profiler": "memory_profiler names the lines and gems that allocate and keep objects; ObjectSpace dumps the heap of a live process.",
    "fix.ruby_malloc": "Much of Ruby's growth is fragmentation: fewer malloc arenas or jemalloc take it away without a change of code.",
    "fix.php_memory": "php-fpm holds up to pm.max_children times memory_limit: that product must fit the limit. Children that end after some requests give leaks back.",
    "fix.php_profile": "php-memory-profiler (the extension memprof) or SPX names the functions that hold memory.",
    "fix.postgres_memory": "shared_buffers at 25 % of the limit; work_mem counts once per sort or hash and per connection, so work_mem times busy connections must fit the rest.",
    "fix.mysql_memory": "innodb_buffer_pool_size at about 60 % of the limit; each connection takes sort, join and read buffers on top.",
    "fix.redis_memory": "maxmemory at about 75 % of the limit (half of it with RDB or AOF: a fork copies pages that change), and a policy that evicts.",
    "fix.mongodb_memory": "WiredTiger's cache is half of the memory minus 1 GiB by default; set it below the limit on purpose.",
    "fix.clickhouse_memory": "Bound the server and each query below the limit, and let large sorts and groups spill to disk.",
    "fix.nginx_memory": "worker_processes auto counts the node's cores, not the container's: set a number. Buffers count per connection, zones once.",
    "fix.erlang_memory": "Find the process whose mailbox or heap grows; RabbitMQ needs its watermark below the container's limit.",
    "fix.r_memory": "R copies on change: a data frame may stand in memory several times. Profile with profvis, read in pieces, and free what is done with.",
    "fix.perl_memory": "Devel::Size measures a structure, Devel::Leak::Object counts objects that were never freed. Read files line by line.",
    "fix.change_setting": "Instead of the higher limit: {remedy:reason}.",
}
