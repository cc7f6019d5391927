"""A setting of the program's own decides: above the limit whatever filled it, below the limit where the program filled it itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from receiver.diagnosis.causes.settings import FILLED
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.diagnosis.log.signatures import SIGNATURES
from receiver.domain.facts import Facts
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName, KillKind, Report, Shape
from receiver.domain.units import GIB, MIB
from receiver.render.context.build import build
from receiver.render.kinds import kind_of
from receiver.render.samples import view_of
from receiver.render.wording.say import say
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, container, death, facts, history, log

RISING = ("session cache size 40 MiB", "session cache size 80 MiB", "session cache size 120 MiB")
HEAP_FULL = "Terminating due to java.lang.OutOfMemoryError: Java heap space"


def killed(
    command: str = "",
    *,
    limit: int = 512 * MIB,
    lived_s: float = 7200,
    lines: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    **more: Any,
) -> Facts:
    """A container of that command, OOMKilled at its limit after two hours, four restarts."""
    one = container(limit=limit, dead=death(lived_s=lived_s), restart_count=4, command=tuple(command.split()), env=env or {})
    return facts(one, log=log(*lines) if lines else None, **more)


def seen(base: Facts, shape: Shape | None) -> Report:
    """The report with that shape of memory."""
    return report_of(replace(clues_of(base), shape=shape))


FLAT_SHAPE = Shape(cause=CauseName.LIMIT_TOO_LOW, confidence=0.9, because=(FLAT,))
SPIKES = Shape(cause=CauseName.SPIKE, confidence=0.9)
EARLY = Shape(cause=CauseName.STARTUP, confidence=0.9)


@pytest.mark.parametrize("shape", [None, LEAK_SHAPE, FLAT_SHAPE, SPIKES, EARLY], ids=lambda s: s.cause.value if s else "none")
def test_heap_above_the_limit_decides_whatever_memory_shows(shape: Shape | None) -> None:
    """A JVM that may take four times its limit: the setting comes first, and no raise that it fills as well is offered."""
    report = seen(killed("java -Xmx2g -jar a.jar"), shape)

    assert (report.cause.name, report.cause.detail) == (CauseName.LIMIT_TOO_LOW, "ceiling")
    assert report.cause.confidence >= 0.85
    assert codes_of(report.cause.remedy) == ("ceiling.lower",)
    assert codes_of(report.proposal.none) == ("advice.setting_defeats_raise",)
    assert report.proposal.diff == "- -Xmx2g\n+ -Xmx384m"
    assert next(s for s in report.tree if s.id == "settings").leads_to == "limit_too_low"
    assert kind_of(report, is_memory_alert=True) == "ceiling"


def test_growth_of_a_heap_that_grows_by_itself_is_said_against_it() -> None:
    """A leak is still possible, and what would tell is said."""
    cause = seen(killed("java -Xmx2g -jar a.jar"), LEAK_SHAPE).cause

    assert codes_of(*cause.against) == ("ceiling.growth_says_little",)
    assert codes_of(cause.settle_by) == ("ceiling.below_it_settles",)


@pytest.mark.parametrize(
    ("command", "shape", "lines"), [("node --max-old-space-size=1024 a.js", LEAK_SHAPE, ()), ("java -Xmx2g -jar a.jar", None, RISING)]
)
def test_use_that_only_grows_is_a_leak_under_its_ceiling(command: str, shape: Shape | None, lines: tuple[str, ...]) -> None:
    """A heap that follows use, or a counter in the log: the leaf is the leak, the setting is said first all the same, and no raise is offered."""
    report = seen(killed(command, limit=160 * MIB, lived_s=600, lines=lines), shape)

    assert (report.cause.name, report.cause.detail) == (CauseName.LEAK, "ceiling")
    assert report.cause.because[0].code == "ceiling.above"
    assert len(report.cause.because) > 1
    assert codes_of(report.proposal.none) == ("advice.setting_defeats_raise",)
    assert kind_of(report, is_memory_alert=True) == "ceiling"


@pytest.mark.parametrize("shape", [LEAK_SHAPE, FLAT_SHAPE], ids=["leak", "flat"])
def test_soft_ceiling_gives_way_to_a_leak_and_defeats_no_raise(shape: Shape) -> None:
    """GOMEMLIMIT above the limit is as good as none: a leak stays one, and anything else gets the setting and the usual raise."""
    report = seen(killed(env={"GOMEMLIMIT": "1GiB"}), shape)

    assert (report.cause.detail == "ceiling") is (shape is FLAT_SHAPE)
    assert (report.proposal.limit_bytes or 0) >= 768 * MIB


def test_bounds_of_what_is_beside_the_heap_give_way_to_a_leak() -> None:
    """A metaspace that may grow to half the limit seldom does: what was seen to grow says more."""
    command = "java -Xmx300m -XX:MaxMetaspaceSize=256m -jar a.jar"

    assert seen(killed(command), LEAK_SHAPE).cause.detail != "ceiling"
    assert seen(killed(command), FLAT_SHAPE).cause.detail == "ceiling"


def test_raise_within_reach_covers_everything_that_is_set() -> None:
    """-Xmx600m in 512Mi: a limit that holds the heap and what is beside it, and the other way is a command."""
    report = seen(killed("sh -c exec java $JAVA_OPTS -jar a.jar", env={"JAVA_OPTS": "-Xms600m -Xmx600m"}), FLAT_SHAPE)

    assert report.proposal.role == "fix"
    assert (report.proposal.limit_bytes or 0) >= 800 * MIB
    other = next(t for t in report.long_term if t.id == "change_setting")
    assert other.commands == ("kubectl -n shop set env deploy/orders-api -c orders-api 'JAVA_OPTS=-Xms384m -Xmx384m'",)


def test_raise_that_covers_it_and_does_not_fit_the_node_is_not_cut_down() -> None:
    """Half of it would be filled as well."""
    report = seen(killed("java -Xmx3g -jar a.jar", limit=2 * GIB, node=replace(facts().node, allocatable_bytes=3 * GIB)), FLAT_SHAPE)  # type: ignore[type-var]

    assert codes_of(report.proposal.none)[0] == "advice.no_room"


@pytest.mark.parametrize(("heap", "is_said"), [("-Xmx100m", True), ("-Xmx400m", False)])
def test_small_heap_in_a_killed_container_points_outside_it(heap: str, is_said: bool) -> None:
    """The kernel killed it at 512 MiB: with a heap of 100 MiB at most, most of that is not heap."""
    report = seen(killed(f"java {heap} -jar a.jar"), None)

    assert ("outside_the_heap" in [w.id for w in report.warnings]) is is_said


@pytest.mark.parametrize(
    ("command", "variable", "is_doubted"),
    [
        ("java -jar a.jar", "JAVA_OPTS", True),
        ("sh -c exec java $JAVA_OPTS -jar a.jar", "JAVA_OPTS", False),
        ("java -jar a.jar", "JAVA_TOOL_OPTIONS", False),
        ("", "CATALINA_OPTS", False),
    ],
)
def test_variable_that_java_does_not_read(command: str, variable: str, is_doubted: bool) -> None:
    """Without a script nothing passes JAVA_OPTS on: it may be that the heap is not what is written there."""
    cause = seen(killed(command, env={variable: "-Xmx2g"}), None).cause

    assert cause.detail == "ceiling"
    assert ("ceiling.needs_script" in codes_of(*cause.against)) is is_doubted
    assert (cause.confidence < 0.85) is is_doubted


@pytest.mark.parametrize("command", ["java -Xmx300m -jar a.jar", "java -jar a.jar", "python app.py"])
def test_ceiling_that_fits_is_not_asked_about(command: str) -> None:
    """A rare question makes no message longer."""
    report = seen(killed(command), LEAK_SHAPE)

    assert "settings" not in [s.id for s in report.tree]
    assert report.cause.remedy is None


def test_load_that_does_not_fit_is_the_starts() -> None:
    """A log that names more than the limit: no setting makes that smaller, and the raise that is offered covers the setting as well."""
    report = diagnose(
        killed("java -Xmx512m -jar a.jar", limit=128 * MIB, lived_s=6, lines=("loading model weights into memory (300 MiB)",))
    )

    assert (report.cause.name, report.cause.detail) == (CauseName.STARTUP, "loading")
    assert (report.proposal.limit_bytes or 0) >= 512 * MIB


@pytest.mark.parametrize("reason", ["StartError", "RunContainerError"])
def test_what_was_full_before_the_program_is_not_its_settings(reason: str) -> None:
    """It was killed before it had read any."""
    said = "container init was OOM-killed (memory limit too low?)"
    dead = death(reason, 128, lived_s=None, message=said)
    report = diagnose(facts(container(limit=128 * MIB, dead=dead, state="waiting", state_reason=reason, command=("java", "-Xmx512m"))))

    assert report.cause.detail != "ceiling"


def test_child_process_gets_the_same_advice() -> None:
    """The container lives on; which process died does not matter to what they may take."""
    one = container(limit=GIB, env={"PHP_MEMORY_LIMIT": "256M", "PHP_FPM_PM_MAX_CHILDREN": "20"}, command=("php-fpm",))
    report = diagnose(facts(one, child_kills=7, alerts=("ChildProcessOOMKilled",)))

    assert report.kill.kind is KillKind.CHILD_PROCESS_OOM
    assert report.cause.detail == "ceiling"
    assert report.proposal.commands == ("kubectl -n shop set env deploy/orders-api -c orders-api PHP_FPM_PM_MAX_CHILDREN=3",)


@pytest.mark.parametrize(("share", "decides"), [(0.9, True), (0.5, False)])
def test_warning_says_it_before_the_kill(share: float, decides: bool) -> None:
    """A living container close under its limit, with a heap that may go far above: that is to be changed before the kernel comes."""
    one = container(limit=512 * MIB, command=("java", "-Xmx2g"))
    report = diagnose(facts(one, alerts=("HighMemoryUsage",), history=history(*(share,) * 120, limit=512 * MIB)))

    assert (report.cause.detail == "ceiling") is decides
    if decides:
        assert kind_of(report, is_memory_alert=True) == "warning"
        assert build(view_of(report), report).cause.remedy


def test_command_never_shows_what_was_redacted() -> None:
    """A variable that held a secret is not written out again."""
    env = {"JAVA_OPTS": "-Dpassword=[redacted password] -Xmx2g"}
    report = seen(killed("sh -c exec java $JAVA_OPTS", env=env), None)

    assert report.cause.detail == "ceiling"
    assert not report.proposal.commands


def test_names_that_are_none_get_no_command() -> None:
    """The namespace and the container come from labels."""
    base = killed(env={"NODE_OPTIONS": "--max-old-space-size=4096"})
    hostile = replace(base, subject=replace(base.subject, namespace="shop; rm -rf"))

    assert diagnose(base).proposal.commands
    assert not diagnose(hostile).proposal.commands


# --- a ceiling that the program filled itself -------------------------------------------------------------------------------


def full(
    *,
    restarts: int,
    lived_s: float = 400,
    lines: tuple[str, ...] = (HEAP_FULL,),
    command: str = "java -Xmx48m -jar a.jar",
    kind: str = "Deployment",
) -> Report:
    """A JVM that ended itself with its heap full."""
    one = container(limit=256 * MIB, dead=death("Error", 3, lived_s=lived_s), restart_count=restarts, command=tuple(command.split()))
    return diagnose(facts(one, kind=kind, log=log(*lines), alerts=("KubePodCrashLooping",)))


@pytest.mark.parametrize(
    ("report", "cause"),
    [
        (full(restarts=1), CauseName.LIMIT_TOO_LOW),
        (full(restarts=5), CauseName.LEAK),
        (full(restarts=1, lines=("cached 10 MiB", "cached 20 MiB", "cached 30 MiB", HEAP_FULL)), CauseName.LEAK),
        (full(restarts=9, lived_s=3), CauseName.LIMIT_TOO_LOW),
        (full(restarts=9, lived_s=3, lines=("info: listening on :3000", HEAP_FULL)), CauseName.LEAK),
        (full(restarts=5, kind="Job"), CauseName.LIMIT_TOO_LOW),
    ],
    ids=["once", "again", "grows", "at once", "at once, serving", "job"],
)
def test_full_heap(report: Report, cause: CauseName) -> None:
    """Once it may be too small; again and again it leaks, unless it is full as soon as it starts, or only a job needs that much."""
    assert (report.cause.name, report.cause.detail) == (cause, "runtime_limit")
    assert report.cause.confidence <= 0.6
    assert report.cause.remedy is not None
    assert codes_of(report.cause.remedy) == ("ceiling.raise_own",)
    assert bool(report.cause.remedy["is_leak"]) is (cause is CauseName.LEAK)
    assert report.proposal.none is not None
    assert bool(report.proposal.diff) is (cause is not CauseName.LEAK)
    assert kind_of(report, is_memory_alert=True) == "own_limit"


@pytest.mark.parametrize(("restarts", "cause"), [(1, CauseName.LIMIT_TOO_LOW), (5, CauseName.LEAK)])
def test_killed_by_its_own_handler_for_a_full_heap(restarts: int, cause: CauseName) -> None:
    """OnOutOfMemoryError="kill -9 %p" sends a SIGKILL, and what asked for it is the heap: its size is to be looked at, not who sent the signal."""
    lines = (
        "java.lang.OutOfMemoryError: Java heap space",
        '# -XX:OnOutOfMemoryError="kill -9 %p"',
        '#   Executing /bin/sh -c "kill -9 7"...',
    )
    one = container(
        limit=2 * GIB, dead=death("Error", 137, lived_s=400), restart_count=restarts, command=("java", "-Xmx512m", "-jar", "a.jar")
    )
    report = diagnose(facts(one, log=log(*lines), alerts=("KubePodCrashLooping",)))

    assert report.kill.kind is KillKind.SIGKILL_NOT_OOM
    assert (report.cause.name, report.cause.detail) == (cause, "runtime_limit")
    assert codes_of(report.cause.remedy) == ("ceiling.raise_own",)
    assert codes_of(report.proposal.none) == ("advice.stopped_at_own_limit",)
    assert kind_of(report, is_memory_alert=True) == "own_limit"


def test_heap_without_room_above_it() -> None:
    """-Xmx240m in 256Mi: nothing is to be had from the setting alone."""
    remedy = full(restarts=1, command="java -Xmx240m -jar a.jar").cause.remedy

    assert remedy is not None
    assert not remedy["has_room"]


def test_each_error_of_a_full_pool_is_in_the_catalogue() -> None:
    """Else a row that was renamed would be forgotten here."""
    assert FILLED.keys() <= {p.id for p in SIGNATURES}


@pytest.mark.wording
@pytest.mark.parametrize(
    ("command", "do"),
    [
        ("", "the log tells of a heap maximum of 494 MiB: set it to about 72 MiB, or raise"),
        ("java -jar a.jar", "the log tells of a heap maximum of 494 MiB: set it to about 72 MiB (-Xmx72m), or raise"),
        ("java -XX:MaxDirectMemorySize=512M -jar a.jar", "lower -XX:MaxDirectMemorySize=512M in its command and the heap maximum of 494 MiB that its log tells of to about"),
    ],
)  # fmt: skip
def test_maximum_of_which_only_the_log_tells(command: str, do: str) -> None:
    """It is no option to be lowered: its size is said, and an option only where the runtime that reads it is known."""
    cause = seen(killed(command, limit=96 * MIB, lines=("INFO: OrderService started, max heap 494 MiB",)), None).cause

    assert cause.detail == "ceiling"
    assert cause.remedy is not None
    assert say(cause.remedy).startswith(do)
    assert cause.headline is not None
    assert len(say(cause.headline)) <= 62


def test_heap_that_leaks_is_not_told_to_be_raised() -> None:
    """With the heap dump first, and neither a larger heap nor a warning about raises among what is to be done."""
    full = container(
        limit=256 * MIB, dead=death(reason="Error", code=3, lived_s=700), restart_count=9, command=("java", "-Xmx48m", "-jar", "a.jar")
    )
    report = diagnose(facts(full, log=log("cached 10 MiB", "cached 20 MiB", "cached 30 MiB", HEAP_FULL)))

    assert (report.cause.name, report.cause.detail) == (CauseName.LEAK, "runtime_limit")
    assert "jvm_heap_and_limit" not in [fix.id for fix in report.long_term]
    assert "only_raising_limits" not in [w.id for w in report.warnings]
