"""Which lines tell of work that begins: not those that only state a bound, a setting, a total, or what is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.signatures import names_work, taken_sizes

STATED = (
    "cache capacity 90 MiB", "upload limit is 90MB", "buffering at most 90 MiB", "max upload size: 90 MiB", "cache capacity: 50000 rows", "batch size 500", "batch size: 5000 rows",
    "buffering up to 90 MiB per request", "reading no more than 90 MiB at once", "uploads: at most 90 MiB", "request body limit 90 MiB", "accepting uploads up to 90 MiB",
    "accepting files of at most 90 MiB", "import quota 90 MiB", "export quota is 5 jobs", "memory ceiling for imports is 90 MiB", "report cache ceiling 90 MiB",
    "image cache bounded to 90 MiB", "query cache is limited to 90 MiB", "queue capacity 5000 messages", "file upload threshold set to 90 MiB", "90 MiB free for uploads",
    "reports volume has 90 GiB free", "90 GiB of disk free for the file cache", "free space for archives: 90 GiB", "90 MiB available for caching", "buffering configured at 90 MiB",
    "caching enabled (90 MiB)", "buffering: at most 90 MiB", "buffering enabled, limit 90 MiB", "batching window 90 MiB", "read buffer 90 MiB", "receive buffer is 90 MiB",
    "default batch memory 90 MiB", "total files 900", "900 files in total", "total rows: 50000", "cached rows total 50000", "requests served: 900", "served 900 requests",
    "processed 900 requests in total", "messages processed: 900", "image archive is 90 MiB", "file size 90 MiB", "the largest upload was 90 MiB",
    "uploads larger than 90 MiB are rejected", "rejecting uploads over 90 MiB", "spilling sorts above 90 MiB to disk", "documents cached until 90 MiB", "cache may grow to 90 MiB",
    "imports can use 90 MiB", "sort memory: 90 MiB", "reading in chunks of 90 MiB", "rate limit 900 requests per minute", "max_upload_size=90MiB", "upload.limit=90MB",
    "cache.capacity=90MiB", 'level=info msg="cache capacity" bytes=94371840 rows=5000', '{"level":"info","msg":"upload limit","limit":"90MB"}', "waiting for jobs",
    "no messages in queue", "polling for batches", "job 17 finished in 30 s", "batch 4 done", "import of orders completed", "export finished, 90 MiB written",
    "next export in 5 min", "scheduled report at 03:00", "ready to process jobs", "will export at 03:00", "heartbeat: 0 tasks, 90 MiB free", "GC freed 90 MiB",
    "cache evicted 900 rows", "cache hit ratio 0.93 over 900 requests", "query timeout 30 s", "4 task slots, 90 MiB each", "stack size 90 MiB for query workers",
    "buffering <= 90 MiB", "buffering max. 90 MiB", "buffering not more than 90 MiB", "memory budget for the import: 90 MiB", "loading is capped at 90 MiB", "import concurrency 4",
    "90 MiB reserved for buffering", "reading is throttled to 90 MiB/s", "GET /healthz 200", 'GET /metrics HTTP/1.1" 200', "buffering disabled above 90 MiB",
    "file descriptors: 900 of 1024", "message size limit 90 MiB", "allowed upload 90 MiB", "backup retention 7 files", "upload ceiling raised to 90 MiB",
    "query memory grant 90 MiB", "report memory limited: 90 MiB", "cache holds 90 MiB", "cache 90 MiB", "import limit lowered to 50000 rows",
    "2026-11-30 12:00:01,123 INFO [main] app - cache capacity 90 MiB", "exports are kept for 90 days", "export memory allowance 90 MiB", "total of 90 MiB in 900 files on disk",
    "buffers total 90 MiB", "job queue depth 5", "max rows 50000 per import", "pool of 90 MiB for images", "images up to 90 MB are supported", "we accept files of up to 90 MB",
    "buffering as much as 90 MiB", "Cache max weight 90 MiB", "heap ceiling 90 MiB", "INFO upload-limit=90MiB", "memory for query execution: 90 MiB",
    "worker memory limit 90 MiB, 4 workers", "work_mem = 90MB", "maintenance_work_mem is 90MB", "innodb_buffer_pool_size = 90M", "max request body 90MB (client_max_body_size)",
    "spring.servlet.multipart.max-file-size=90MB", "multipart max file size 90MB", "Cache size: 90 MiB", "cache initialized with capacity 90 MiB",
    "LRU cache with capacity 50000 entries", "Buffer pool initialized, size = 90M", "page cache 90 MiB", "sort buffer 90 MiB", "join buffer size 90 MiB", "chunk size 90 MiB",
    "uploads limited to 90 MiB", "uploads above 90 MiB go to disk", "will buffer up to 90 MiB", "will buffer 90 MiB at most", "buffers at most 90 MiB",
    "batches of at most 5000 rows", "imports are batched by 5000 rows", "export batch: 5000 rows max", "request log: 900 requests, 0 errors", "stats: jobs=900 failed=0",
    "900 requests since start", "uptime 300 s, 900 requests", "cache stats: entries=5000 hits=900", "memory: 20 MiB used of 96 MiB", "memory usage 20 MiB",
    "rss 20 MiB, heap 12 MiB", "heap used 20 MiB of 90 MiB", "free memory: 70 MiB", "disk free 90 GiB", "tmp has 90 GiB left", "quota for reports: 90 MiB",
    "max import size 90 MiB", "reports bigger than 90 MiB are split", "images over 90 MB are downscaled", "the export limit is 50000 rows", "row limit for exports: 50000",
    "soft limit 90 MiB, hard limit 96 MiB", "memory high watermark 90 MiB", "vm_memory_high_watermark set to 90 MiB", "maxmemory 90mb", "maxmemory: 94371840 bytes",
    "Node heap limit 90 MB", "old space limit: 90 MB", "GOMEMLIMIT=90MiB", "container memory limit 96 MiB detected", "cgroup limit 96 MiB", "JVM max memory 90 MiB",
    "file cache: 90 MiB", "message store 90 MiB on disk", "largest message 90 KiB", "average request 90 KiB", "mean batch 900 rows", "peak queue length 900 messages",
    "tasks waiting: 0", "queue empty", "no work", "sleeping 60 s", "next batch in 60 s", "cron: next run at 04:00", "health check ok", "GET /healthz HTTP/1.1 200",
    "GET /api/health 200", "flushed 900 records to disk", "wrote report to disk", "uploaded archive to s3", "sent 900 messages", "ack 900 messages", "job 17 done in 4 s",
    "backup completed: 90 MiB", "cleanup removed 900 files", "rotated log file at 90 MiB", "connection pool: 10 connections", "thread pool size 8", "pool capacity 90 MiB",
    "object pool bounded at 90 MiB", "cache bound: 90 MiB", "buffer cap 90 MiB", "in-flight bytes capped at 90 MiB", "prefetch count 250 messages", "prefetch limit 90 MiB",
    "fetch.max.bytes = 94371840", "max.poll.records = 500", "receive window 90 MiB", "send buffer 90 MiB", "read-ahead 90 MiB", "index cache is 90 MiB",
    "bloom filters take at most 90 MiB", "buffering at 90 MiB max", "buffering, at most 90 MiB", "capacity for 50000 rows", "room for 90 MiB of images", "cache sized at 90 MiB",
    "cache sized for 50000 rows", "keeping up to 900 documents in memory", "keeps 90 MiB in memory at most", "upload_max_filesize = 90M", "post_max_size 90M",
    "limit for uploads is now 90MB", "config reloaded: upload limit 90MB", "reloaded config, import limit 50000 rows", "config: batch=500 rows", "effective cache capacity 90 MiB",
    "Setting cache capacity to 90 MiB", "allocating at most 90 MiB for caches", "loading allowed up to 90 MiB", "reserve 90 MiB for imports",
)  # fmt: skip
WORK = (
    "loading 90 MiB of rows", "loading 50000 rows", "reading 90 MiB from input.parquet", "reading 500000 rows from orders", "importing 50000 rows", "importing orders.csv",
    "importing 90 MiB", "allocating 90 MiB", "exporting 50000 rows", "exporting 90 MiB of orders", "batch export requested: buffering 90 MiB", "POST /reports started",
    "job 17 begins", "received batch of 90 MiB", "loading batch 4 into memory (90 MiB)", "POST /export begins", "starting export", "export started",
    "starting export, memory limit 90 MiB", "export started: memory limit 90 MiB", "job 17 started (limit 90 MiB)", "processing batch 17: 90 MiB of at most 100 MiB",
    "cache capacity 90 MiB, loading batch 4", "loading batch 4 with at most 90 MiB of buffer", 'Started POST "/reports" for 10.0.0.1',
    "Processing by ReportsController#create as HTML", "Task orders.export[9c1f] received", "class=ReportJob jid=4711 INFO: start", "Executing step: [loadOrders]",
    "Job: [FlowJob: [name=import]] launched with the following parameters", "consuming batch of 500 messages", "polled 500 records", "got batch of 300 rows", "running report q3",
    "generating report for 2026-11", "rendering 900 tiles", "decoding image 4711.png", "unpacking archive orders.zip", "query: SELECT * FROM orders", "building index",
    "picked up job 17", "claimed task 4711", "snapshot started", "nightly import triggered", "loaded 500000 rows", "read 500000 rows into memory",
    "fetched 50000 records from upstream", "sorting 500000 rows", "handling upload of orders.csv", "compaction begins", "backup job started", "replaying 50000 messages",
    "crawling 900 documents", "POST /export", "GET /reports/all.csv", 'level=info msg="starting export" rows=50000', '{"level":"info","msg":"processing batch","batch":17}',
    "2026-11-30 12:00:01,123 INFO [main] app - loading 90 MiB", "Background saving started by pid 27", "scheduled export starting", "executing query 4711",
    "received 5000 messages", "materializing 90 MiB of results", "aggregating 50000 rows", "parsing document of 90 MiB", "request 4711 accepted: 90 MiB body",
    "upload of 90 MiB received", "decompressing archive to 90 MiB", "batch 4/20", "job 17", "saving snapshot 4711", "running batch with 90 MiB", "import orders.csv",
    "Loading dataset of 50000 rows", "Load 90 MiB into memory", "loading orders", "Loading orders.csv (90 MiB)", "reading file orders.csv, 90 MiB", "Reading 90MB file",
    "import started: 50000 rows", "Importing products: 90 MB", "start import of 50000 rows", "allocate 90 MiB buffer", "allocated 90 MiB for sort", "exporting all orders to xlsx",
    "Export of 50000 rows started", "building report for customer 4711", "report requested: 90 MiB of orders", "received job export-orders", "[worker-1] INFO processing job 4711",
    "processing 5000 messages", "Handling message 4711 (90 MiB)", "generating PDF, 900 pages", "rendering page 1 of 900", "starting nightly aggregation",
    "nightly aggregation started", "recomputing indexes", "running full table scan", "GET /export?from=2020", "POST /api/v1/bulk HTTP/1.1", '"POST /upload HTTP/1.1"',
    "bulk insert of 50000 rows started", "compacting 90 MiB of segments", "merging 12 segments", "vacuum started", "decoding 90 MiB image", "resizing image 8000x8000",
    "training model on 50000 rows", "computing statistics over 50000 rows", "expanding archive orders.zip", "parsing XML document (90 MiB)", "query received: SELECT * FROM orders",
    "Executing query: SELECT * FROM orders", "SELECT * FROM orders", "job=export-orders status=started", "event=job_started job=export-orders", "JobStarted id=4711",
    "scheduler: starting job nightly", "Triggering nightly report", "consumer got 5000 records", "collecting 50000 events", "caching 50000 rows", "buffering 50000 rows",
    "fetching 50000 rows from db", "warming cache with 50000 entries", "restoring 90 MiB snapshot", "replay of 50000 events started", "queued 50000 tasks",
    "deserializing 90 MiB payload", "loading 90 MiB, cache capacity 96 MiB", "cache full, loading 90 MiB more", "upload limit is 90MB, received upload of 80MB",
    "memory before: 20 MiB, importing 50000 rows", "allocating buffer: 90 MiB", "preparing export of 50000 rows", "materializing view orders_by_day", "crawl of 900 pages begins",
)  # fmt: skip


@pytest.mark.parametrize("line", STATED)
def test_what_is_only_stated_is_no_work(line: str) -> None:
    """Neither begun nor taken into memory."""
    assert not names_work(line)
    assert taken_sizes(line) == ()


@pytest.mark.parametrize("line", WORK)
def test_work_that_begins(line: str) -> None:
    """With or without a number, by verb, name or request."""
    assert names_work(line)


@given(st.sampled_from(STATED), st.sampled_from(["INFO ", "2026-11-30 12:00:01,123 [main] WARN app - ", "[app] ", "level=info msg="]))
def test_whatever_the_logger_puts_before_it(line: str, head: str) -> None:
    """A logger's prefix makes no statement work."""
    assert not names_work(head + line)


@given(st.text(max_size=400))
def test_any_line_is_read(line: str) -> None:
    """No text makes it fail."""
    assert names_work(line) in (True, False)
