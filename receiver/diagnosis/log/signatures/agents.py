"""Memory errors of collectors, shippers and proxies: limits that they set themselves."""

from __future__ import annotations

import re

from receiver.diagnosis.log.signatures.model import EXACT, GENERIC, OWN_LIMIT, REFUSED, RUNTIME, LogPattern

PATTERNS: tuple[LogPattern, ...] = (
    LogPattern(
        id="otel-memory-limiter",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="memory usage",
        regex=re.compile(r"Memory usage is above (?:soft|hard) limit|(?<!desc = )data (?:refused|dropped) due to high memory usage"),
        meaning="the OpenTelemetry Collector refuses data at its own memory_limiter",
        advice="Raise limit_mib (or limit_percentage) together with the container's limit, or send less: smaller batches, more replicas.",
        example="2023-12-05T09:50:45.501Z warn memorylimiterprocessor@v0.90.1/memorylimiter.go:302 Memory usage is above soft limit. Refusing data. "
        '{"kind": "processor", "name": "memory_limiter", "pipeline": "traces", "cur_mem_mib": 250}',
        near_miss="2023-12-05T09:50:47.501Z info memorylimiterprocessor@v0.90.1/memorylimiter.go:289 Memory usage back within limits. Resuming normal "
        'operation. {"kind": "processor", "name": "memory_limiter", "cur_mem_mib": 180}',
        source="OpenTelemetry Collector, internal/memorylimiter/memorylimiter.go",
    ),
    LogPattern(
        id="fluentbit-mem-buf",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="buf overlimit",
        regex=re.compile(r"paused \((?:mem|storage) buf overlimit"),
        meaning="a Fluent Bit input paused at its own Mem_Buf_Limit",
        advice="Its outputs are too slow: see their errors; storage.type filesystem, or a higher Mem_Buf_Limit together with the limit.",
        example="[2024/05/02 10:11:12] [ warn] [input] tail.0 paused (mem buf overlimit)",
        near_miss="[2024/05/02 10:11:13] [ info] [input] tail.0 resume (mem buf overlimit)",
        source="fluent/fluent-bit, src/flb_input_chunk.c: flb_input_chunk_protect; docs, administration/backpressure",
    ),
    LogPattern(
        id="envoy-overload",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=GENERIC,
        hint="overload action",
        regex=re.compile(r"Overload action envoy\.overload_actions\.\w{1,60} became (?:active|saturated)"),
        meaning="Envoy's overload manager acts: its heap is near max_heap_size_bytes",
        advice="Look at open connections and buffers; max_heap_size_bytes at about 90 % of the container's limit.",
        example="[2024-05-02 10:11:12.345][1][info][main] Overload action envoy.overload_actions.stop_accepting_requests became active",
        near_miss="[2024-05-02 10:11:12.345][1][info][main] Overload action envoy.overload_actions.stop_accepting_requests became inactive",
        source="envoyproxy/envoy, source/server/overload_manager_impl.cc: active and inactive at info, since 1.15 saturated and scaling at debug",
    ),
    LogPattern(
        id="prometheus-mmap",
        runtime="agents",
        kind=REFUSED,
        rank=EXACT,
        hint="cannot allocate memory",
        regex=re.compile(r"(?:mmap(?: files)?|mmap, size \d{1,20}|open mmap|MADV_\w{1,20}): (?:[^\n]{0,60}: )?cannot allocate memory"),
        meaning="the time series database could not map its block files",
        advice="Most often vm.max_map_count or a ulimit of the node is reached: fewer blocks and queriers, or raise it there.",
        example='level=error err="opening storage failed: mmap files: mmap, size 134217728: cannot allocate memory"',
        near_miss='level=info component=tsdb msg="Replaying on-disk memory mappable chunks if any"',
        source="Prometheus, tsdb/fileutil/mmap.go; Thanos, Loki, Mimir and Tempo use the same",
    ),
    LogPattern(
        id="prometheus-max-samples",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=RUNTIME,
        hint="too many samples into memory",
        regex=re.compile(r"query processing would load too many samples into memory\b"),
        meaning="a query was refused at --query.max-samples, before it took the memory",
        advice="Fewer series or a larger step in the query; recording rules. The container's limit plays no part.",
        example='{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}',
        near_miss='level=info msg="query.max-samples is 50000000"',
        source="prometheus/prometheus, promql/engine.go: ErrTooManySamples; Thanos, Mimir and Cortex use the same engine",
    ),
    LogPattern(
        id="mimir-query-memory",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="err-mimir-max-estimated-memory-consumption-per-query",
        regex=re.compile(r"err-mimir-max-estimated-memory-consumption-per-query\)"),
        meaning="Mimir refused a query at its own estimate of the memory it takes",
        advice="Fewer series or a larger step; -querier.max-estimated-memory-consumption-per-query together with the querier's limit.",
        example="the query exceeded the maximum allowed estimated amount of memory consumed by a single query (limit: 1073741824 bytes) "
        "(err-mimir-max-estimated-memory-consumption-per-query)",
        near_miss="-querier.max-estimated-memory-consumption-per-query is 0",
        source="grafana/mimir, pkg/querier/querier_limits and pkg/util/limiter: memory_consumption.go",
    ),
    LogPattern(
        id="victoriametrics-query-memory",
        runtime="agents",
        kind=OWN_LIMIT,
        rank=EXACT,
        hint="not enough memory for processing",
        regex=re.compile(r"not enough memory for processing (?:\S{1,40} )?\S{1,40}[^\n]{0,200}?(?:data points|memory limit|-search\.max)"),
        meaning="VictoriaMetrics refused a query at its own memory limit",
        advice="Fewer series or a larger step in the query; -memory.allowedPercent (60 by default) of the container's limit bounds it.",
        example="cannot execute query: not enough memory for processing 87381 data points across 3120 time series with 28 points in each time series "
        "according to -search.maxMemoryPerQuery; total available memory for concurrent requests: 67108864 bytes",
        near_miss="info lib/memory/memory.go:42 limiting caches to 644245094 bytes, leaving 429496730 bytes to the OS according to -memory.allowedPercent=60",
        source="VictoriaMetrics, app/vmselect/promql/eval.go",
    ),
)
