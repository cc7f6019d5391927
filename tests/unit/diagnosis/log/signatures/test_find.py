"""Which memory error of a log is meant, and which lines are quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.diagnosis.log.signatures import SIGNATURES, excerpt, find_signature
from receiver.diagnosis.log.signatures.match import ELLIPSIS, EXCERPT_LINES
from tests.unit.diagnosis.log.kit import recorded_log


def log(name: str) -> tuple[str, ...]:
    """The lines of a recorded log."""
    return recorded_log(name).lines


def quoted(lines: tuple[str, ...]) -> list[str]:
    """The excerpt, as a reader sees it."""
    return list(excerpt(lines, find_signature(lines)))


@pytest.mark.parametrize(
    ("name", "expected", "count"),
    [
        ("gunicorn-child-oom", "gunicorn-sigkill", 15),
        ("child-oom-exit0", "gunicorn-sigkill", 1),
        ("child-oom-exit137", "master-signal-9", 1),
        ("python-memoryerror", "python-memoryerror", 1),
        ("java-exitonoom", "jvm-heap", 1),
        ("java-caused-by", "jvm-heap", 1),
        ("java-metaspace", "jvm-metaspace", 1),
        ("node-heap", "node-heap", 1),
        ("leak-python", None, 0),
        ("leak-sidecar", None, 0),
        ("startup-loading", None, 0),
        ("init-loading", None, 0),
        ("steady", None, 0),
        ("spike", None, 0),
        ("liveness", None, 0),
        ("page-cache", None, 0),
    ],
)
def test_recorded_logs(name: str, expected: str | None, count: int) -> None:
    """Logs of real kills name the error when the program could write it, and none where the kernel killed without a word."""
    found = find_signature(log(name))

    assert (found.id if found else None) == expected
    assert (found.count if found else 0) == count


def test_the_special_error_wins_over_the_shells_word() -> None:
    """Of one crash the line that says most is taken: Metaspace, not the shell's "Killed" after it."""
    lines = (
        "starting",
        "java.lang.OutOfMemoryError: Metaspace",
        "\tat a.b(C.java:1)",
        "/run.sh: line 3:    25 Killed                  java -jar app.jar",
    )

    found = find_signature(lines)

    assert found is not None
    assert found.id == "jvm-metaspace"
    assert found.line_index == 1


def test_an_old_error_does_not_hide_the_newest() -> None:
    """A MemoryError that was survived long before is not what the log's end speaks of."""
    lines = ("MemoryError", *["INFO GET /orders 200"] * 80, "[2026] [1] [ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?")

    found = find_signature(lines)

    assert found is not None
    assert found.id == "gunicorn-sigkill"


def test_of_equal_errors_the_newest_is_quoted() -> None:
    """When the same error stands there many times, the last one is quoted and all are counted."""
    lines = tuple(
        line
        for pid in range(7, 12)
        for line in (f"Booting worker with pid: {pid}", f"Worker (pid:{pid}) was sent SIGKILL! Perhaps out of memory?")
    )

    found = find_signature(lines)

    assert found is not None
    assert "pid:11" in found.line
    assert found.count == 5


def test_python_trace_stays_with_its_error() -> None:
    """A long Python trace keeps its first line, the innermost frames and the error."""
    assert quoted(log("python-memoryerror")) == [
        "Traceback (most recent call last):",
        '  File "/app/leak.py", line 22, in <module>',
        "    main()",
        '  File "/app/leak.py", line 18, in main',
        "    handle_request(n)",
        '  File "/app/leak.py", line 7, in handle_request',
        "    cache.append(bytearray(int(a * (1 << 20))))",
        "MemoryError",
    ]


def test_java_cause_keeps_its_own_frames() -> None:
    """For a Java cause the outer error's first line and the cause's frames are quoted, not the outer frames between."""
    assert quoted(log("java-caused-by")) == [
        "java.lang.IllegalStateException: request 7 failed",
        ELLIPSIS,
        "Caused by: java.lang.OutOfMemoryError: Java heap space",
        *["\tat C.fill(C.java:4)"] * 5,
    ]


def test_node_abort_without_addresses() -> None:
    """Node's abort is quoted with its collections and without the addresses of its C++ frames."""
    text = quoted(log("node-heap"))

    assert [line[:40] for line in text] == [
        "2026-11-23T01:01:52.496Z info: listening",
        "<--- Last few GCs --->",
        "e [1:0x3e83e2c0]     1799 ms: Mark-Compa",
        "<--- JS stacktrace --->",
        "FATAL ERROR: Ineffective mark-compacts n",
    ]


def test_a_line_of_its_own_is_quoted_with_what_was_before_and_after() -> None:
    """Around an error of one line stand the lines before it and at least two after it."""
    error = "[ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?"
    lines = (*[f"INFO step {i}" for i in range(20)], error, *[f"INFO after {i}" for i in range(9)])

    text = quoted(lines)

    assert text[0] == "INFO step 15"
    assert text[-2:] == ["INFO after 0", "INFO after 1"]
    assert len(text) == EXCERPT_LINES


def test_without_an_error_the_last_four_lines() -> None:
    """A log without a memory error is quoted by its last four lines that are not blank."""
    lines = ("a", "b", "c", "", "d", "  ", "e")

    assert excerpt(lines, None) == ("b", "c", "d", "e")
    assert excerpt((), None) == ()


LINE = st.one_of(
    st.sampled_from([p.example for p in SIGNATURES]),
    st.sampled_from(
        [
            "",
            "\tat a.B.c(D.java:1)",
            "Traceback (most recent call last):",
            '  File "x.py", line 1',
            "Caused by: x",
            "INFO ok",
            " 1: 0xb78db3 node::x",
        ]
    ),
    st.text(max_size=60),
)


@given(st.lists(LINE, max_size=90).map(tuple))
def test_excerpt_holds_the_error_and_at_most_eight_lines(lines: tuple[str, ...]) -> None:
    """Whatever the log, at most eight lines are quoted, in order, all from the log, the error among them."""
    signature = find_signature(lines)
    shown = excerpt(lines, signature)

    assert len(shown) <= EXCERPT_LINES
    rest = iter(lines)
    assert all(any(line == other for other in rest) for line in shown if line != ELLIPSIS)
    if signature is not None:
        assert lines[signature.line_index] in shown
        assert lines[signature.line_index][:4096] == signature.line
