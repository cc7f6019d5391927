"""Ends of which nothing says what they were: silence is no evidence, neither for memory nor against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.app.files import slack_loader
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.facts import EventFact, Facts, MemoryHistory
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName, KillKind, Report, Sender
from receiver.domain.units import MIB
from receiver.render.environment import slack_environment
from receiver.render.kinds import kind_of
from receiver.render.renderer import Renderer
from tests.unit.diagnosis.facts_kit import ago, container, death, facts, history, killing, log

LOOPING = ("KubePodCrashLooping",)
WORKER = "[2026-11-23 00:51:14,045] [1] [ERROR] Worker (pid:21) was sent SIGKILL! Perhaps out of memory?"
INIT_P = "OCI runtime create failed: read init-p: connection reset by peer: unknown"
FORBIDS = frozenset({"advice.not_an_oom", "advice.probably_not_an_oom", "advice.nothing_killed"})


def ended(
    reason: str = "Error",
    code: int | None = 1,
    *,
    lines: tuple[str, ...] | None = ("INFO listening", "INFO bye"),
    message: str = "",
    events: tuple[EventFact, ...] = (),
    history: MemoryHistory | None = None,
) -> Facts:
    """A container in a crash loop that ended so; `lines` None: its log could not be read."""
    dead = container(dead=death(reason, code, lived_s=600, message=message))
    return facts(dead, alerts=LOOPING, log=log(*lines) if lines is not None else None, events=events, history=history)


def text_of(report: Report) -> str:
    """The report as a terminal shows it, in one line."""
    return " ".join(Renderer(slack_environment(slack_loader())).report_text(report).split())


SILENT = [
    pytest.param(ended(), id="exit 1, silent log"),
    pytest.param(ended(lines=None), id="exit 1, log not read"),
    pytest.param(ended(lines=()), id="exit 1, empty log"),
    pytest.param(ended(code=2), id="exit 2"),
    pytest.param(ended(code=255), id="exit 255"),
    pytest.param(ended(code=134), id="aborted"),
    pytest.param(ended(code=139), id="crashed"),
    pytest.param(ended("Unknown", 255), id="gone after a reboot"),
    pytest.param(ended("ContainerStatusUnknown", 137), id="placeholder"),
    pytest.param(ended("StartError", 128, message=INIT_P), id="cut short while it was set up"),
    pytest.param(ended(lines=(WORKER, "INFO bye")), id="a bare line about a child"),
]


@pytest.mark.parametrize("case", SILENT)
def test_silence_is_no_evidence(case: Facts) -> None:
    """The cause is open, it is said what would settle it, and nothing forbids a raise."""
    report = diagnose(case)

    assert (report.kill.kind, report.kill.is_sure) == (KillKind.NONE, False)
    assert (report.cause.name, report.cause.detail) == (CauseName.UNKNOWN, "open_end")
    assert report.cause.confidence <= 0.5
    assert report.cause.settle_by is not None
    assert report.tree[0].answer == "cannot_tell"
    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.memory_not_excluded"
    assert kind_of(report, is_memory_alert=False) == "ended"


@pytest.mark.wording
@pytest.mark.parametrize("case", SILENT)
def test_message_of_an_open_end_neither_claims_nor_forbids(case: Facts) -> None:
    """No sure no, and no advice against a limit that may be too low."""
    text = text_of(diagnose(case)).lower()

    assert "do not raise" not in text
    assert "not an oom" not in text
    assert "not memory" not in text
    assert "is not known" in text


def test_empty_last_state_forbids_nothing() -> None:
    """Five restarts, and how they ended is no longer kept: that nothing was killed is not known."""
    report = diagnose(facts(container(restart_count=5), alerts=LOOPING))

    assert not report.kill.is_sure
    assert report.proposal.none is not None
    assert report.proposal.none.code not in FORBIDS


@pytest.mark.parametrize(
    ("case", "code"),
    [
        pytest.param(ended(history=history(*[0.3] * 6)), "death.memory_was_far", id="memory was far from the limit"),
        pytest.param(ended(code=143), "death.asked_by_signal", id="SIGTERM"),
        pytest.param(ended(code=130), "death.asked_by_signal", id="SIGINT"),
        pytest.param(
            ended("StartError", 128, message='exec: "/app": no such file or directory'), "death.runtime_says", id="the runtime's word"
        ),
        pytest.param(ended("ContainerCannotRun", 127, message="exec: not found"), "death.runtime_says", id="the same of Docker"),
    ],
)
def test_what_was_seen_says_not_memory(case: Facts, code: str) -> None:
    """Positive evidence, and it is what is told."""
    report = diagnose(case)

    assert (report.cause.name, report.cause.detail) == (CauseName.NOT_MEMORY, "other_exit")
    assert code in codes_of(*report.cause.because)
    assert report.cause.confidence >= 0.7


REBOOTED = EventFact(
    object_kind="Node", object_name="lab-node-1", reason="Rebooted", message="Node lab-node-1 has been rebooted, boot id: 2a9a3704", at=ago(60), first_at=ago(60)
)  # fmt: skip


def test_255_beside_a_reboot_is_the_reboots() -> None:
    """The runtime found it gone when it came up again; without the node's event it stays open."""
    report = diagnose(ended(code=255, events=(REBOOTED,)))

    assert (report.cause.name, report.cause.detail) == (CauseName.NOT_MEMORY, "other_exit")
    assert "death.node_rebooted" in codes_of(*report.cause.because)


@pytest.mark.parametrize(
    "case", [ended("Unknown", 255, events=(REBOOTED,)), ended(code=1, events=(REBOOTED,))], ids=["placeholder", "exit 1"]
)
def test_reboot_beside_another_end_decides_nothing(case: Facts) -> None:
    """Nobody saw the one, and the other ended by itself before."""
    report = diagnose(case)

    assert report.cause.detail == "open_end"
    assert not report.kill.is_sure


def test_far_memory_does_not_outweigh_the_next_allocation() -> None:
    """A fast allocation between two scrapes stays possible: probably, and no order."""
    report = diagnose(ended(history=history(*[0.3] * 6)))

    assert not report.kill.is_sure
    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.probably_not_an_oom"


def test_one_early_scrape_is_no_memory_history() -> None:
    """A life of twelve seconds has no known peak: it is as open as without Prometheus."""
    dead = container(dead=death("Error", 1, lived_s=12))
    report = diagnose(facts(dead, alerts=LOOPING, log=log("INFO bye"), history=history(0.1, step_s=15)))

    assert report.cause.name is CauseName.UNKNOWN


def test_memory_near_the_limit_may_get_a_raise() -> None:
    """It lives close under its limit: a raise is offered, although no kill was seen."""
    report = diagnose(ended(history=history(*[0.97] * 120)))

    assert report.cause.name is CauseName.LIMIT_TOO_LOW
    assert report.proposal.limit_bytes is not None


@pytest.mark.parametrize(
    ("ratios", "code"),
    [((), "advice.memory_not_excluded"), ([0.97] * 6, "advice.near_limit_as_well"), ([0.2] * 6, "advice.probably_not_an_oom")],
    ids=["not known", "full", "far"],
)
def test_own_exit_with_137_is_not_sure(ratios: tuple[float, ...], code: str) -> None:
    """A wrapper may pass on the end of a child: what its memory was decides how much is said against a raise."""
    seen = history(*ratios) if ratios else None
    report = diagnose(ended(code=137, lines=("ERROR exiting with 137",), history=seen))

    assert (report.kill.sender, report.kill.is_sure) == (Sender.ITSELF, False)
    assert report.proposal.none is not None
    assert report.proposal.none.code == code


def test_failed_probe_of_a_full_container_forbids_no_raise() -> None:
    """What thrashes at its limit fails its probe."""
    unhealthy = killing("Liveness probe failed: timeout", reason="Unhealthy")
    report = diagnose(ended(code=137, events=(unhealthy,), history=history(*[0.97] * 6)))

    assert report.kill.sender is Sender.LIVENESS_PROBE
    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.near_limit_as_well"


@pytest.mark.wording
def test_kill_that_its_sender_announced_forbids_no_raise_of_a_full_container() -> None:
    """Who sent it is sure. That more memory would not have helped is not: memory was full, and what thrashes fails its probe."""
    said = killing("Container orders-api failed liveness probe, will be restarted")
    report = diagnose(ended(code=137, events=(said,), history=history(*[0.97] * 6)))

    assert report.kill.is_sure
    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.near_limit_as_well"
    assert "do not raise" not in text_of(report).lower()


# --- a child of a container that lives on --------------------------------------------------------------------------


@pytest.mark.wording
@pytest.mark.parametrize(
    ("ratios", "kind"),
    [
        ((), KillKind.SUSPECTED_OOM),
        ([0.8] * 6, KillKind.SUSPECTED_OOM),
        ([0.96] * 6, KillKind.CHILD_PROCESS_OOM),
        ([0.3] * 6, KillKind.SIGKILL_NOT_OOM),
    ],
    ids=["not known", "between", "full", "far"],
)
def test_bare_line_about_a_child_does_not_name_the_kernel(ratios: tuple[float, ...], kind: KillKind) -> None:
    """Who sent the signal was not seen. Memory decides how likely the kernel is."""
    seen = history(*ratios) if ratios else None
    report = diagnose(facts(container(), log=log(WORKER, current=True), alerts=("KubePodNotReady",), history=seen))

    assert (report.kill.kind, report.kill.is_sure) == (kind, False)
    assert "the kernel killed" not in text_of(report).lower()
    assert report.kill.is_of_child is (kind is not KillKind.SIGKILL_NOT_OOM)
    assert kind_of(report, is_memory_alert=False) == ("not_oom" if kind is KillKind.SIGKILL_NOT_OOM else "child")


@pytest.mark.parametrize(
    "line",
    [
        "ERROR YarnScheduler: Lost executor 5 on host7: Container killed by YARN for exceeding memory limits. 5.6 GB of 5.5 GB physical memory used.",
        "The executor with id 5 exited with exit code 137(SIGKILL, possible container OOM).",
    ],
    ids=["YARN", "Kubernetes"],
)
@pytest.mark.parametrize("code", [None, 1], ids=["driver runs", "driver ended"])
def test_lost_executor_is_no_child_of_the_driver(line: str, code: int | None) -> None:
    """It is another container with a limit of its own, as the driver's log announces."""
    driver = container(dead=death("Error", code, lived_s=600)) if code is not None else container()
    report = diagnose(facts(driver, alerts=("KubePodNotReady",), log=log("INFO stage 3", line, current=code is None)))

    assert report.kill.kind is KillKind.NONE
    assert (report.cause.name, report.cause.detail) == (CauseName.NOT_MEMORY, "executor")
    assert kind_of(report, is_memory_alert=False) == "elsewhere"


@pytest.mark.parametrize(("peak", "code"), [(None, "death.between_scrapes"), (0.31, "death.kernel_peak"), (0.99, "death.between_scrapes")])
def test_the_kernels_own_peak_excludes_a_spike_between_two_scrapes(peak: float | None, code: str) -> None:
    """It counts file cache too: near the limit it proves nothing, far below it nothing was killed at this limit."""
    seen = history(*[0.3] * 6)
    peaks = ((ago(700).timestamp(), peak * 96 * MIB),) if peak is not None else ()
    report = diagnose(ended(code=137, history=replace(seen, kernel_peaks=peaks)))

    assert (report.kill.kind, report.kill.is_sure) == (KillKind.SIGKILL_NOT_OOM, False)
    assert code in codes_of(*report.kill.because)


def test_the_peak_of_another_life_says_nothing_of_this_one() -> None:
    """The life before was small; this one began later."""
    peaks = ((ago(3000).timestamp(), 0.1 * 96 * MIB),)
    report = diagnose(ended(code=137, history=replace(history(*[0.3] * 6), kernel_peaks=peaks)))

    assert "death.kernel_peak" not in codes_of(*report.kill.because)


def test_full_memory_beside_an_eviction_for_disk_changes_nothing() -> None:
    """It was evicted for its files, however much memory it had."""
    evicted = {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage.", "phase": "Failed"}
    report = diagnose(facts(container(), pod=evicted, alerts=LOOPING, history=history(*[0.97] * 6, until=ago(10))))

    assert report.proposal.none is not None
    assert report.proposal.none.code == "advice.not_an_oom"
