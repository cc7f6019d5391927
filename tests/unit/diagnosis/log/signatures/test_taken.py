"""Which sizes of a log line are a demand: only those that a verb takes into memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.signatures import taken_sizes

MIB = 1024**2

TAKES = (
    "allocating {}", "allocated a buffer of {}", "preallocating {} for the arena", "loading {} of rows", "loaded {}", "loading model weights into memory ({})",
    "Loading full training dataset into memory... ({})", "reading {} from input.parquet", "read {} into memory", "buffering {}", "buffered {} so far", "batch export requested: buffering {}",
    "caching {} of thumbnails", "cached {} of orders", "decompressing archive to {}", "decoding image, {} raw", "parsing document of {}", "deserializing {}", "materializing {} of results",
    "sorting {} in memory", "joining 2 tables, {}", "merging segments: {}", "importing {} from dump.csv", "ingesting {}", "restoring snapshot, {}", "warming the index: {}", "processing upload of {}",
    "received a message of {}", "accepted upload: {}", "exporting report with {}", "rendering {} of tiles", "copying {} of state", "queued {} for later", "fetching {} from upstream", "{} buffered",
    "{} loaded into memory", "collecting results: {}", "accumulated {} of events", "generating a report ({})",
)  # fmt: skip
NO_DEMAND = (
    "OrderService started, max heap {}", "maximum heap size: {}", "Max memory: {}", "heap size [{}]", "heap limit {}", "limit is {}", "limited to {}", "memory limit set to {}", "cache capacity {}",
    "building cache with max size {}", "loading with at most {}", "reading up to {}", "buffer pool size = {}", "buffer limit {}, buffering enabled", "loading config: maxHeap={}", "-XX:MaxHeapSize={}",
    "started with --cache-size={}", "{} free", "{} available", "free memory {}", "{} of free memory left while loading", "{} left", "remaining {}", "freed {}", "released {} of cache", "evicted {}", "flushed {}",
    "wrote {}", "writing {} to disk", "written {}", "sent {}", "uploaded {}", "uploading {} to s3", "downloading {}", "deleted {}", "reclaimed {} by gc", "saved snapshot of {}", "compacted {}", "rotated log at {}",
    "spilled {}", "purged {}", "dropped {}", "streaming {}", "mapped {} from index.bin", "skipped {}", "rejected a body of {}", "disk {}", "volume size {}", "swap {}", "rss {}", "resident {}", "memory usage {}",
    "usage is {}", "used {} so far", "uses {}", "working set {}", "reading in chunks of {}", "block size {}, reading", "quota {}", "threshold {} reached", "watermark {}", "budget {}", "ceiling {}",
    "capped at {}", "under {}", "below {}", "request took 3 s, response {}", "GET /blob 200 {}", "file is {}", "version {}", "found {}", "{} per second", "{} each", "heap dump file created [{}]", "GC pause, {} heap",
    "Xmx {}", "JVM running with {}", "listening, body limit {}", "configured {} for shared_buffers", "detected {} of RAM", "page size {}", "segment of {} closed",
    "block cache size {}", "Image size {} pulled", "pulled image {}", "pulling layer of {}", "loaded 3 plugins, cache dir {}", "restoring from backup of {} to /data",
)  # fmt: skip


@pytest.mark.parametrize("line", TAKES)
def test_a_verb_takes_it(line: str) -> None:
    """The size is the whole demand that the line names."""
    assert max(taken_sizes(line.format("90 MiB")), default=0) == 90 * MIB


@pytest.mark.parametrize("line", NO_DEMAND)
def test_a_number_alone_is_no_demand(line: str) -> None:
    """Bounds, rests, uses, what is given back and what goes elsewhere."""
    assert taken_sizes(line.format("90 MiB")) == ()


@given(
    st.sampled_from(NO_DEMAND), st.integers(1, 4000), st.sampled_from(["MiB", "MB", "GiB", "KiB", "M", "Gi"]), st.sampled_from(["", " ", "INFO ", "2026-11-30 12:00:01,123 [main] WARN app - "])
)  # fmt: skip
def test_whatever_the_number_and_the_logger(line: str, number: int, unit: str, head: str) -> None:
    """Neither the size nor the logger's prefix makes one of them a demand."""
    assert taken_sizes(head + line.format(f"{number} {unit}")) == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loaded 100/200 MiB", 200 * MIB),
        ("loading 1.5 GiB", 1536 * MIB),
        ("loading 5GB", 5 * 10**9),
        ("loading 200MiB, cache limit 400 MiB", 200 * MIB),
        ("max heap 494 MiB, loading 90 MiB", 90 * MIB),
        ("freed 300 MiB, loading 90 MiB", 90 * MIB),
        ("loading 90 MiB at 300 MiB/s", 90 * MIB),
        ("loading took 5m", 0),
        ("reading 10k rows", 0),
        ("loading 3 models", 0),
    ],
)
def test_the_size_that_is_taken_among_others(line: str, expected: int) -> None:
    """Each size has the verb nearest to it."""
    assert max(taken_sizes(line), default=0) == expected


@given(st.text(max_size=400))
def test_any_line_is_read(line: str) -> None:
    """No text makes it fail, and no size is negative."""
    assert all(size >= 0 for size in taken_sizes(line))
