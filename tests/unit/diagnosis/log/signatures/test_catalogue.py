"""Every entry of the catalogue: the line that matches, the line that must not, and words that fit a message."""

from __future__ import annotations

import re
import time

import pytest

from receiver.case.log import split_stamp
from receiver.diagnosis.log.runtimes import RUNTIMES
from receiver.diagnosis.log.signatures import SIGNATURES, LogPattern, find_signature, match_line
from receiver.diagnosis.log.signatures.model import CHILD_KILLED, GPU, KERNEL, OTHER_MEMORY, OWN_LIMIT, REFUSED, REMOTE
from receiver.evidence.redaction import RedactionConfig, Redactor

EACH = pytest.mark.parametrize("pattern", SIGNATURES, ids=lambda p: p.id)


@EACH
def test_example_is_recognised(pattern: LogPattern) -> None:
    """The real line of each entry is recognised as just this entry, with and without Kubernetes' timestamp."""
    plain = find_signature((pattern.example,))
    _, text = split_stamp("2026-11-23T01:03:02.224460743Z " + pattern.example)

    assert plain is not None
    assert plain.id == pattern.id
    assert find_signature((text,)) == plain
    assert plain.line == pattern.example


@EACH
def test_near_miss_is_no_memory_error(pattern: LogPattern) -> None:
    """The line that only looks alike names no memory error at all, of this entry or another."""
    assert match_line(pattern.near_miss) is None


@EACH
def test_words_fit_a_message(pattern: LogPattern) -> None:
    """Meaning is a phrase and advice are sentences, both short enough for the thread, with runtime and kind from closed lists."""
    assert 10 <= len(pattern.meaning) <= 100
    assert not pattern.meaning.endswith(".")
    assert 20 <= len(pattern.advice) <= 165
    assert pattern.kind in {OWN_LIMIT, REFUSED, CHILD_KILLED, KERNEL, GPU, REMOTE, OTHER_MEMORY}
    assert pattern.hint == pattern.hint.lower()
    assert len(pattern.source) > 10, "where the program prints it"


@EACH
def test_redaction_leaves_the_error_readable(pattern: LogPattern) -> None:
    """Redaction takes nothing out of a line that names a memory error."""
    text, counts = Redactor(RedactionConfig(emails=True, cards=True)).redact(pattern.example)

    assert text == pattern.example
    assert counts == {}


def test_ids_are_unique_and_speak() -> None:
    """Ids are unique, lower case words; reports and docs refer to them."""
    ids = [p.id for p in SIGNATURES]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i) for i in ids)


def test_every_asked_for_runtime_is_there() -> None:
    """The families that the catalogue promises have entries."""
    families = {p.runtime for p in SIGNATURES}

    assert families >= {
        "python", "jvm", "node", "go", "dotnet", "ruby", "php", "rust", "cpp", "postgres", "mysql", "redis", "elasticsearch", "nginx",
        "kernel", "runtime", "shell", "supervisord",
    }  # fmt: skip
    assert families <= {r.name for r in RUNTIMES}, "a signature's runtime needs a row in receiver/diagnosis/log/runtimes/table.py"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("numpy.core._exceptions.MemoryError: Unable to allocate 1. GiB for an array with shape (9,)", "python-numpy-array"),
        ('{"level":"error","exc":"Traceback (most recent call last):\\n  File \\"x.py\\", line 1, in f\\nMemoryError"}', "python-memoryerror"),
        ("MemoryError: Unable to allocate internal buffer.", "python-memoryerror"),
        ('Exception in thread "main" java.lang.OutOfMemoryError: Cannot reserve 1048576 bytes of direct buffer memory (allocated: 8388608)', "jvm-direct"),
        ("Could not allocate compressed class space: 1073741824 bytes", "jvm-heap-reserve"),
        ("Initial heap size set to a larger value than the maximum heap size", "jvm-heap-reserve"),
        ("java.lang.OutOfMemoryError: unable to create new native thread", "jvm-native-thread"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "node-heap"),
        ("FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory", "node-heap"),
        ("  what():  std::bad_alloc", "cpp-bad-alloc"),
        ("memory allocation of 384 bytes failed", "rust-alloc"),
        ("runtime: out of memory: cannot allocate 4194304-byte block (268435456 in use)", "go-oom"),
        ("PHP Fatal error:  Out of memory (allocated 58720256 bytes) (tried to allocate 12288 bytes) in x.php", "php-out-of-memory"),
        ("2024-05-02 10:11:12 UTC [71] FATAL:  out of memory", "postgres-oom"),
        ("Killed", "shell-killed"),
        ("make: *** [/tmp/Makefile:2: all] Killed", "shell-killed"),
        ("/tmp/k.sh: line 5:  2653 Killed                  sleep 50", "shell-killed"),
        ("2026-11-23T01:01:41.247Z ERROR child pid 7 killed by signal 9", "master-signal-9"),
        ("command terminated with exit code 137", "exit-137"),
        ("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/kubepods", "kernel-node-oom"),
        ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/kubepods", "kernel-oom-killer"),
        ("[Mon Nov 23 01:03:02 2026] Memory cgroup out of memory: Kill process 12 (java) score 1974 or sacrifice child", "kernel-memcg-oom"),
        ("ERROR app ran out of memory", "out-of-memory"),
        ("torch.distributed.elastic.multiprocessing.api: failed (exitcode: -9) local_rank: 0 (pid: 13) of binary: /usr/bin/python3", "exit-137"),
        ("Signal 9 (SIGKILL) received by PID 13", "master-signal-9"),
        ("Child process received unhandled signal pid 12 SIGKILL (signal 9)", "master-sigkill"),
        ("RuntimeError: std::bad_alloc", "cpp-bad-alloc"),
        ("Aborting due to java.lang.OutOfMemoryError: Java heap space", "jvm-heap"),
    ],
)  # fmt: skip
def test_further_wordings(line: str, expected: str) -> None:
    """Other versions' wordings of the same errors are known as well."""
    found = match_line(line)

    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(
    "line",
    [
        "", "INFO serving", "GET /memory/137 200", "memory usage 97 %", "    raise MemoryError('x')", "except (MemoryError, OSError):",
        "0 MemoryErrors so far", "killed 3 idle connections", "Segmentation fault", "worker exited with code 1", "exit status 13", "Error 1370",
        "OOMKilled: false", "skills=9 signal=9", "OutOfMemoryErrorHandler installed", "-XX:+CrashOnOutOfMemoryError", "heap 45 MB of 64 MB",
    ],
)  # fmt: skip
def test_ordinary_lines(line: str) -> None:
    """Lines of ordinary life name no memory error."""
    assert match_line(line) is None


HOSTILE = (
    "a" * 100_000, "Killed  " * 20_000, "MemoryError" * 9_000, "a.MemoryError." * 8_000, "FATAL ERROR: " * 9_000, "(" * 100_000, " " * 100_000,
    "exit " * 20_000, "Error 137" * 10_000, "out of memory" * 8_000, "/x: line 1: " * 9_000, "malloc(" * 15_000, "terminated by SIGKILL" * 5_000,
    "DataLoader worker (pid " + "1, " * 40_000, "Out of memory (allocated " * 4_000, "[gc][1] overhead, spent [" * 4_000, "x_alloc: Cannot allocate " * 4_000,
)  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE, ids=lambda text: text[:12].strip() or "blanks")
def test_hostile_line_is_quick(line: str) -> None:
    """One line of 100,000 characters made to slow matching down costs less than a tenth of a second of CPU time."""
    started = time.process_time()
    find_signature((line,))

    assert time.process_time() - started < 0.1


def test_every_runtime_has_a_signature() -> None:
    """A runtime that we tell apart, and whose memory errors we do not know, is half known."""
    lacking = [r.name for r in RUNTIMES if r.name not in {p.runtime for p in SIGNATURES}]
    assert lacking == [], "write its memory error in receiver/diagnosis/log/signatures/"
