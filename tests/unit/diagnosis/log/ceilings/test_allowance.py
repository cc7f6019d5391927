"""Ceilings beside a limit: alone, in sum, with too little room, and what fits instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.ceilings import Allowance, Fit, allowance_of, settings_of
from receiver.domain.facts import ContainerFacts
from receiver.domain.units import MIB


def allowed(command: str, limit_mib: int, **env: str) -> Allowance:
    """How the settings of a command stand to a limit."""
    found = allowance_of(settings_of(ContainerFacts(name="app", command=tuple(command.split()), env=env), None, ""), limit_mib * MIB)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("command", "limit_mib", "fit"),
    [
        ("java -Xmx512m", 128, Fit.ABOVE),
        ("java -Xmx512m", 512, Fit.ABOVE),
        ("java -Xmx480m", 512, Fit.NO_ROOM),
        ("java -Xmx384m", 512, Fit.FITS),
        ("java -Xmx128m", 512, Fit.FAR_BELOW),
        ("java -Xmx300m -XX:MaxDirectMemorySize=300m", 512, Fit.TOGETHER),
        ("java -Xmx300m -XX:MaxDirectMemorySize=64m -XX:MaxMetaspaceSize=128m -XX:ReservedCodeCacheSize=64m", 512, Fit.WITH_BESIDE),
        ("java -Xmx256m -XX:MaxDirectMemorySize=64m -XX:MaxMetaspaceSize=96m", 512, Fit.FITS),
        ("java -Xmx15g", 16384, Fit.NO_ROOM if 16384 - 15360 < 1024 else Fit.FITS),
        ("celery -A a worker -c 4 --max-memory-per-child=200000", 512, Fit.SOFT),
        ("celery -A a worker -c 2 --max-memory-per-child=200000", 512, Fit.FITS),
    ],
)
def test_fit(command: str, limit_mib: int, fit: Fit) -> None:
    """Both sides of each edge."""
    assert allowed(command, limit_mib).fit is fit


def test_sum_names_what_is_to_change() -> None:
    """Heap and direct buffers share what there is by their sizes, and the limit that covers both has room beside."""
    found = allowed("java -Xmx512m -XX:MaxDirectMemorySize=512m", 128)

    assert [(c.before, c.after) for c in found.changes] == [
        ("-Xmx512m", "-Xmx48m"),
        ("-XX:MaxDirectMemorySize=512m", "-XX:MaxDirectMemorySize=48m"),
    ]
    assert found.covering_bytes is not None
    assert found.covering_bytes > 1.2 * 1024 * MIB


def test_initial_heap_follows_the_maximum() -> None:
    """An -Xms above the new -Xmx would keep the JVM from starting; one below stays."""
    assert [c.after for c in allowed("java -Xms2g -Xmx2g", 1024).changes] == ["-Xmx768m", "-Xms768m"]
    assert [c.after for c in allowed("java -Xms64m -Xmx2g", 1024).changes] == ["-Xmx768m"]


def test_share_of_the_limit_is_covered_by_none() -> None:
    """It follows whatever limit is set."""
    assert allowed("java -XX:MaxRAMPercentage=100", 512).covering_bytes is None


def test_fewer_processes_where_one_fits() -> None:
    """Else each of them is made smaller."""
    assert [c.after for c in allowed("php-fpm", 1024, PHP_MEMORY_LIMIT="128M", PHP_FPM_PM_MAX_CHILDREN="30").changes] == [
        "PHP_FPM_PM_MAX_CHILDREN=6"
    ]
    assert [c.after for c in allowed("php-fpm", 100, PHP_MEMORY_LIMIT="128M", PHP_FPM_PM_MAX_CHILDREN="30").changes] == [
        "PHP_MEMORY_LIMIT=2M"
    ]


@pytest.mark.parametrize(
    ("command", "limit_mib", "after"),
    [
        ("java -XX:MaxHeapSize=512M -jar a.jar", 128, "-XX:MaxHeapSize=96M"),
        ("java -mx1G a.jar", 512, "-mx384M"),
        ("java -Xmx536870912 -jar a.jar", 128, "-Xmx96m"),
        ("java -XX:MaxRAMPercentage=95.0 -jar a.jar", 512, "-XX:MaxRAMPercentage=75.0"),
        ("java -XX:MaxRAMFraction=1 -jar a.jar", 512, "-XX:MaxRAMPercentage=75"),
        ("node --max-old-space-size 1024 a.js", 160, "--max-old-space-size 120"),
        ("node --max_old_space_size=1024 a.js", 160, "--max_old_space_size=120"),
        ("redis-server --maxmemory 1GB", 512, "--maxmemory 384MB"),
        ("mysqld --innodb_buffer_pool_size=2G", 1024, "--innodb_buffer_pool_size=614M"),
        ("mongod --wiredTigerCacheSizeGB=4", 2048, "--wiredTigerCacheSizeGB=1"),
        ("pm2-runtime start a.js -i 4 --node-args --max-old-space-size=512", 1024, "-i 1"),
    ],
)
def test_setting_keeps_its_name_and_form(command: str, limit_mib: int, after: str) -> None:
    """What is to be changed can be found and put in its place; an option that is out of date is replaced."""
    assert [c.after for c in allowed(command, limit_mib).changes] == [after]


def test_variable_keeps_its_unit() -> None:
    """Of two variables each as it was written."""
    sizes = {"NEO4J_server_memory_heap_max__size": "1g", "NEO4J_server_memory_pagecache_size": "1G"}
    assert [c.after.partition("=")[2] for c in allowed("neo4j console", 1536, **sizes).changes] == ["576m", "576M"]


@given(st.integers(16, 70_000), st.integers(0, 70_000), st.integers(32, 70_000))
def test_what_is_proposed_fits(heap_mib: int, direct_mib: int, limit_mib: int) -> None:
    """Whatever is set: with the values proposed the ceilings let the program stop itself, and so they do under the covering limit."""
    found = allowed(f"java -Xmx{heap_mib}m" + (f" -XX:MaxDirectMemorySize={direct_mib}m" if direct_mib else ""), limit_mib)
    if not found.fit.is_bad:
        return
    after = allowed("java " + " ".join({c.before: c.after for c in found.changes}.values()), limit_mib)
    unchanged = [s.flag for s in found.settings if s not in found.decides]

    assert unchanged or not after.fit.is_bad
    assert found.covering_bytes is not None
    again = allowance_of(found.settings, found.covering_bytes)
    assert again is not None
    assert not again.fit.is_bad
