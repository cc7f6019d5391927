"""Situations in which a hasty reading is wrong: what the report must say, and must not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Missing
from receiver.domain.facts import Facts, LogFacts, MemoryHistory, Revision
from receiver.domain.reason import Reason, codes_of, reason
from receiver.domain.report import Report
from receiver.domain.units import GIB, MIB
from receiver.render.document import report_document
from receiver.render.wording import say_all
from tests.unit.diagnosis import hard_cases
from tests.unit.diagnosis.facts_kit import ago, codes, container, death, fact, facts, history, log, the
from tests.unit.diagnosis.golden_cases import GOLDENS

UNLIMITED = 9223372036854771712  # what a cgroup without a limit reports


def _warnings(report: Report) -> dict[str, Reason]:
    return {w.id: w.mistake for w in report.warnings}


def test_container_that_died_last_is_the_subject_and_the_other_is_named() -> None:
    """Two containers of a pod were killed: the report is about the newer death and does not hide the older one."""
    report = diagnose(hard_cases.several_died())

    assert report.subject.container == "worker"
    other = the("mistake.killed_neighbour", _warnings(report)["other_container_killed"])
    assert other["name"] == "api"
    assert other["age_s"] == pytest.approx(15 * 60)
    assert "-c worker" in report.proposal.commands[0]


def test_old_death_of_an_init_container_is_not_tonights_story() -> None:
    """Three days ago migrate died once; tonight's report does not speak of it."""
    report = diagnose(hard_cases.init_and_main())

    assert report.cause.name == "limit_too_low"
    assert "other_container_killed" not in _warnings(report)


def test_raise_of_yesterday_is_named_and_doubled_once() -> None:
    """512Mi to 768Mi twenty hours ago was not enough: twice the limit, once, and a profile after that."""
    proposal = diagnose(hard_cases.raised_yesterday()).proposal

    raised = the("advice.step_before_kill", proposal.after_raise)
    assert (raised["before_bytes"], raised["after_bytes"]) == (512 * MIB, 768 * MIB)
    assert raised["ago_s"] == pytest.approx(20 * 3600, rel=0.05)
    assert proposal.limit_bytes == 1536 * MIB
    assert "advice.raise_was_not_enough" in codes_of(*proposal.caveats)


def test_old_pod_dying_during_the_rollout_does_not_count_against_the_raise() -> None:
    """A pod that still had 512Mi died while 768Mi was rolled out: the raise was not tried yet."""
    base = hard_cases.raised_yesterday()
    assert base.pod is not None
    old = replace(base.pod.containers[0], limit_bytes=512 * MIB)
    proposal = diagnose(replace(base, pod=replace(base.pod, containers=(old,)), history=None)).proposal

    assert proposal.after_raise is None
    assert proposal.limit_bytes == 768 * MIB


def test_hpa_at_its_maximum_gets_a_higher_one() -> None:
    """Traffic peaks with all replicas in use: more replicas allowed, beside the raise."""
    report = diagnose(hard_cases.hpa_at_max())

    assert report.cause.name == "spike"
    assert report.hpa is not None
    assert yaml.safe_load(report.hpa.manifest)["spec"] == {"maxReplicas": 12}
    assert the("advice.hpa_is_full", report.hpa.why)["most"] == 6


def test_one_replica_of_twelve_is_not_likely_a_leak_of_all() -> None:
    """Eleven replicas of the same code are well: it looks like a leak, no surer, and the reason against it is said."""
    report = diagnose(hard_cases.one_of_twelve())

    assert report.cause.confidence < 0.85
    assert fact(report.cause.against, "growing.other_replicas_live", "replicas") == 11


def test_node_that_ran_out_is_not_mended_by_a_limit() -> None:
    """OOMKilled at a fifth of its limit while the kubelet saw a system OOM: the node, and no raise."""
    report = diagnose(hard_cases.node_took_it())

    assert (report.kill.kind, report.cause.name) == ("node_oom", "node_pressure")
    assert codes_of(report.proposal.none) == ("advice.node_ran_out",)


def test_job_cannot_be_patched_in_place() -> None:
    """A Job's template does not change: no command that the API would refuse, but the words."""
    proposal = diagnose(hard_cases.job_at_backoff_limit()).proposal

    assert proposal.commands == ()
    assert "patch.job_is_immutable" in codes_of(*proposal.caveats)
    assert proposal.request_bytes == proposal.limit_bytes


def test_unknown_request_of_a_deleted_pod_is_left_alone() -> None:
    """The limit is known from the metrics, the request is not: no command sets what nobody read."""
    report = diagnose(hard_cases.pod_deleted())

    assert report.proposal.request_bytes is None
    assert not any("--requests" in c for c in report.proposal.commands)
    assert "advice.request_not_known" in codes_of(*report.proposal.caveats)
    assert not report.kill.is_sure


def test_guaranteed_pod_stays_guaranteed() -> None:
    """Limit and request were equal and are equal in the patch."""
    patch = yaml.safe_load(diagnose(hard_cases.guaranteed()).proposal.patch)
    resources = patch["spec"]["template"]["spec"]["containers"][0]["resources"]

    assert resources["limits"] == resources["requests"]


def test_limit_of_the_pod_is_called_so() -> None:
    """Neither container has a limit of its own; the one that was hit is the pod's, and is patched there."""
    report = diagnose(hard_cases.pod_level())

    assert "node.killed_at_pod_limit" in codes(s.because for s in report.tree if s.id == "node")
    assert "containers" not in yaml.safe_load(report.proposal.patch)["spec"]["template"]["spec"]


def test_heap_that_filled_the_limit_is_not_raised_with_it() -> None:
    """-Xmx900m under 1Gi left no room beside the heap: the raise is for that, the flag stays."""
    caveats = diagnose(hard_cases.jvm_near_limit()).proposal.caveats

    assert the("heap.leave_flag", *caveats)["flag"] == "-Xmx900m"
    assert the("heap.of_limit", *caveats)["heap_bytes"] == 900 * MIB


@pytest.mark.parametrize("name", hard_cases.HARD)
def test_raised_or_refused_with_words(name: str) -> None:
    """Whatever the case: a higher limit with its commands or words, or why there is none; and the same twice."""
    first, second = diagnose(hard_cases.HARD[name]()), diagnose(hard_cases.HARD[name]())

    assert first == second
    if first.proposal.none:
        assert not first.proposal.patch
    else:
        assert (first.proposal.limit_bytes or 0) > (first.proposal.limit_before_bytes or 0)


# --- start-up and the kubelet's clock ---------------------------------------------------------------------------------------


def test_life_of_hours_is_not_a_start_whatever_the_scrapes_say() -> None:
    """A sample at the very second of the kill looks like a life of its own; the status says that it ran for hours."""
    base = hard_cases.guaranteed()
    assert base.history is not None
    at = base.history.samples[-1].t_s
    report = diagnose(replace(base, history=replace(base.history, kill_times_s=(at,))))

    assert report.cause.name != "startup"


def test_single_short_life_is_told_as_what_it_was() -> None:
    """One known life is no "or less"."""
    report = diagnose(facts(container(dead=death(lived_s=2), restart_count=11)))

    assert report.cause.because[0] == reason("startup.last_life", life_s=2.0, restarts=11)


# --- no limit that is one -----------------------------------------------------------------------------------------------------


def _unlimited(limit: int) -> tuple[Facts, ...]:
    samples = history(0.5, 0.7, 0.9).samples
    seen = MemoryHistory(samples=tuple(replace(s, limit_bytes=float(limit)) for s in samples), step_s=60.0)
    return (
        facts(container(limit=limit, request=None, dead=death(lived_s=7200)), history=seen),
        facts(container(limit=None, request=None, dead=death(lived_s=7200)), history=seen, pod={"pod_limit_bytes": limit}),
        facts(workload="api", killed="api", history=replace(seen, kill_times_s=(samples[-1].t_s + 5,)), node=None),
    )


@pytest.mark.parametrize("limit", [UNLIMITED, 2**60, 2**63])
def test_limit_of_a_cgroup_without_one_is_none(limit: int) -> None:
    """9.2e18 bytes is how a cgroup says "none": no share of it, no raise of it, no number with it anywhere."""
    for base in _unlimited(limit):
        report = diagnose(base)

        assert report.proposal.none
        words = (report.proposal.none, *report.cause.because, *report.kill.because, *report.numbers, *(s.because for s in report.tree))
        said = " ".join(say_all(words))
        assert "TiB" not in said
        assert "of its limit" not in said


def test_raise_from_unlimited_is_no_raise() -> None:
    """A rollout that set the first limit did not raise one."""
    revisions = (
        Revision(name="r2", revision=2, created_at=ago(7200), limits_bytes={"orders-api": 512 * MIB}),
        Revision(name="r1", revision=1, created_at=ago(72000), limits_bytes={"orders-api": UNLIMITED}),
    )
    report = diagnose(facts(container(limit=512 * MIB, dead=death(lived_s=3600)), owner={"revisions": revisions}))

    assert report.proposal.after_raise is None


# --- file cache -----------------------------------------------------------------------------------------------------------------


def _reader(*, rss_rises: bool = False, in_memory: bool = False) -> Facts:
    """25 minutes of a container whose file cache rises to 84 % of 96 MiB over 10 MiB of its own."""
    end = ago(0).timestamp()
    plain = history(*(0.3 + 0.54 * i / 24 for i in range(25)), until=ago(0)).samples
    own = [(10 + (2.4 * i if rss_rises else 0)) * MIB for i in range(25)]
    samples = tuple(replace(s, rss_bytes=r, cache_bytes=s.working_set_bytes - r) for s, r in zip(plain, own, strict=True))
    seen = MemoryHistory(samples=samples, step_s=60.0, ends_s=end)
    pod = {"memory_volumes": ("scratch",)} if in_memory else {}
    return facts(container("reader"), workload="reader", history=seen, alerts=("HighMemoryUsage",), pod=pod)


def test_rising_file_cache_is_explained_before_there_is_a_shape() -> None:
    """A warning about 84 % of which most is file cache says so at once, and proposes nothing."""
    report = diagnose(_reader())

    assert report.cause.detail == "page_cache"
    assert codes(report.cause.because) == ("file_cache.mostly_of_limit", "unknown.cache_is_taken_back")
    assert codes_of(report.proposal.none) == ("advice.mostly_file_cache",)
    assert next(i for i in report.checklist if i.id == "root_cause").result == reason("leaf.unknown.page_cache")


@pytest.mark.parametrize("base", [_reader(rss_rises=True), _reader(in_memory=True)], ids=["process grows", "files in memory"])
def test_file_cache_is_not_blamed_for_what_stays(base: Facts) -> None:
    """Where the process grows as well, or the files live in memory, nothing is waved through."""
    assert diagnose(base).cause.detail != "page_cache"


# --- words ------------------------------------------------------------------------------------------------------------------------


def test_reason_that_repeats_is_told_once() -> None:
    """Without Prometheus three questions lack the same: the first says why, the others that it is the same."""
    gap = Missing(source="history", why="no Prometheus is configured", hint="set PROMETHEUS_URL")
    tree = diagnose(facts(container(dead=death(lived_s=7200)), missing=(gap,))).tree
    reasons = [s.because for s in tree if s.id in ("growing", "spikes", "near_limit")]

    why = reason("tree.no_history_because", why="no Prometheus is configured; set PROMETHEUS_URL")
    assert reasons == [why, reason("tree.same_reason"), reason("tree.same_reason")]


@pytest.mark.parametrize("name", [*hard_cases.HARD, *GOLDENS])
def test_reasons_are_phrases(name: str) -> None:
    """Reasons stand in sentences of others: no full stop behind them."""
    report = diagnose(hard_cases.HARD[name]()) if name in hard_cases.HARD else GOLDENS[name]()
    told = report_document(report)
    reasons = [*told["kill"]["because"], *told["cause"]["because"], *told["cause"]["against"], *(s["because"] for s in told["tree"])]

    assert reasons
    assert not [r for r in reasons if r != r.strip() or (r.endswith(".") and not r.endswith("..."))]


def test_stop_gap_that_does_not_last_is_no_advice() -> None:
    """A leak that fills twice the limit in seconds as well: the checklist does not send anybody to the patch."""
    lines: LogFacts = log(*(f"INFO session cache size {n}0 MiB" for n in range(1, 8)))
    report = diagnose(facts(container(dead=death(lived_s=13)), log=lines))

    assert (report.proposal.buys_h or 1) * 60 < 1
    assert codes_of(next(i for i in report.checklist if i.id == "apply_fix").result) == ("check.fix_code_raise_is_futile",)


def test_job_that_may_need_this_much_gets_room_to_try() -> None:
    """A job ends: growth until its kill may be its work, so more room is offered without calling it a cure."""
    lines = log(*(f"INFO session cache size {n}0 MiB" for n in range(1, 8)), container="export")
    dead = death(lived_s=300)
    report = diagnose(facts(container("export", state="terminated", terminated=dead), kind="Job", workload="export", log=lines))

    assert (report.proposal.role, report.proposal.buys_h) == ("stop_gap", None)
    assert report.proposal.caveats[0].code == "advice.job_may_need_it"


def test_every_number_behind_the_verdict_is_kept() -> None:
    """What -v prints: the limit, the node's room, lives, raises, the factors and what the quota left."""
    base = replace(hard_cases.raised_yesterday(), quota_free_limit_bytes=3 * GIB)
    numbers = diagnose(base).numbers

    for code, n_bytes in (("numbers.limit", 768 * MIB), ("numbers.node_gives", 4 * GIB), ("numbers.quota_limits", 3 * GIB)):
        assert the(code, *numbers)["n_bytes"] == n_bytes
    assert the("numbers.raised", *numbers)["after_bytes"] == 768 * MIB
    assert {"numbers.factors", "numbers.lives_by_status"} <= set(codes_of(*numbers))
