"""The proposed limit and request: enough, not too much, honest about what it cannot know."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.domain.change import Change, Known, What
from receiver.domain.facts import Facts, MemoryHistory, NodeFacts, Revision, Sample, Vpa
from receiver.domain.reason import codes_of, reason
from receiver.domain.report import CauseName, Proposal, Report, Shape
from receiver.domain.tidy import tidy_down, tidy_up
from receiver.domain.units import GIB, MIB, format_quantity, parse_bytes
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, SHORT_PEAKS, ago, container, death, facts, history, killing, log, shape, the

TOO_LOW = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, median_bytes=85.0 * MIB, peak_bytes=96.0 * MIB)


def _of(base: Facts, seen: Shape | None = None) -> Proposal:
    return _report(base, seen).proposal


def _report(base: Facts, seen: Shape | None) -> Report:
    return report_of(replace(clues_of(base), shape=seen))


def _killed(**more: object) -> Facts:
    extra = {k: more.pop(k) for k in ("limit", "request", "restart_count", "env", "command") if k in more}
    return facts(container(dead=death(lived_s=3 * 3600), **extra), **more)  # type: ignore[arg-type]


# --- how much -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [("96Mi", "200Mi"), ("512Mi", "768Mi"), ("1Gi", "1536Mi"), ("4Gi", "6Gi"), ("32Mi", "144Mi")],
)
def test_raise_after_a_kill(limit: str, wanted: str) -> None:
    """Half as much again, at least 100 MiB more, in a size a person would write."""
    proposal = _of(_killed(limit=parse_bytes(limit), request=None, node=None), TOO_LOW)

    assert format_quantity(proposal.limit_bytes or 0) == wanted
    assert proposal.role == "fix"
    assert proposal.why is not None
    assert proposal.why.code == "advice.demand_at_least"


def test_leak_gets_a_stop_gap_with_its_hours() -> None:
    """80Mi to 160Mi at 20.7 MiB an hour from 22 MiB on: six hours and forty minutes a life, and the request stays."""
    proposal = _of(_killed(limit=80 * MIB, request=64 * MIB), LEAK_SHAPE)

    assert (proposal.role, proposal.limit_bytes, proposal.request_bytes) == ("stop_gap", 160 * MIB, None)
    assert proposal.buys_h == pytest.approx(6.67, abs=0.01)
    assert codes_of(proposal.why) == ("advice.leak_fills_any_limit",)


def test_stop_gap_of_seconds_says_that_it_is_hardly_worth_it() -> None:
    """A leak that fills 96 MiB in 13 s fills 192 MiB in 26: no reason for a rollout at night."""
    growing = tuple(f"INFO session cache size {n}0 MiB" for n in range(1, 8))
    proposal = _of(facts(container(dead=death(lived_s=13)), log=log(*growing)))

    assert proposal.role == "stop_gap"
    assert proposal.why is not None
    assert proposal.why.code == "advice.not_worth_a_rollout"
    assert proposal.why["limit_bytes"] == 192 * MIB
    assert proposal.why["lasts_s"] == pytest.approx(26)


def test_unknown_cause_gets_a_stop_gap_that_says_so() -> None:
    """The service can be brought up while nobody knows the cause; the proposal does not pretend to be the fix."""
    proposal = _of(_killed(), None)

    assert proposal.role == "stop_gap"
    assert proposal.caveats[0].code == "advice.only_delays_to"
    assert proposal.buys_h is None


def test_progress_in_the_log_sizes_a_startup() -> None:
    """128 MiB held 100 of 200 MiB: the rest and a little more is 256Mi."""
    lines = ("INFO loading model weights into memory (200 MiB)", "INFO loaded 100/200 MiB")
    proposal = _of(facts(container(limit=128 * MIB, request=64 * MIB, dead=death(lived_s=0)), log=log(*lines)))

    assert (proposal.role, proposal.limit_bytes, proposal.request_bytes) == ("fix", 256 * MIB, 128 * MIB)


def test_announced_size_beats_the_usual_factor() -> None:
    """The article's case: 5 GB to load under 4Gi; half as much again would not do, 7Gi does (and did)."""
    lines = ("Loading full training dataset into memory... (5GB)", "Building model...")
    proposal = _of(facts(container(limit=4 * GIB, request=None, dead=death(lived_s=40)), log=log(*lines), node=None))

    assert (proposal.limit_bytes, proposal.request_bytes) == (7 * GIB, 4 * GIB)


def _day_of_traffic(limit: int) -> MemoryHistory:
    """A day at one sample a minute: 60 MiB and 1 MiB a request; from 400 a second on the limit cuts memory off. Peak 500."""
    samples = []
    for minute in range(1440):
        rate = 250 + 250 * math.sin(minute / 229)
        used = min(60 + rate, limit / MIB) * MIB
        samples.append(
            Sample(t_s=minute * 60.0, working_set_bytes=used, rss_bytes=used, limit_bytes=float(limit), request_rate=rate, restarts=0.0)
        )
    return MemoryHistory(samples=tuple(samples), step_s=60.0)


def test_rate_model_sees_above_the_limit() -> None:
    """Memory was cut off at 300 MiB, the request rate was not: at its peak 560 MiB are needed, and a margin on top is asked for."""
    seen = shape(CauseName.SPIKE, 0.9, SHORT_PEAKS, rate_correlation=0.9)
    proposal = _of(_killed(limit=300 * MIB, history=_day_of_traffic(300 * MIB)), seen)

    wanted = 560 * MIB * policy.RATE_MODEL_MARGIN
    assert tidy_up(wanted) <= (proposal.limit_bytes or 0) <= tidy_up(1.1 * wanted)
    assert "advice.peak_rate_needs" in codes_of(proposal.why)


def test_rate_that_explains_nothing_is_not_modelled() -> None:
    """Where memory does not follow the rate there is no line to extend."""
    seen = shape(CauseName.SPIKE, 0.9, SHORT_PEAKS, rate_correlation=0.2)
    proposal = _of(_killed(limit=300 * MIB, history=_day_of_traffic(300 * MIB)), seen)

    assert proposal.limit_bytes == tidy_up(450 * MIB)


def test_no_kill_and_near_the_limit_is_sized_by_the_peak() -> None:
    """Nothing was killed, so the peak is true demand: that and a fifth, not half as much again."""
    seen = replace(TOO_LOW, peak_bytes=900.0 * MIB, median_bytes=850.0 * MIB)
    base = facts(container(limit=960 * MIB, request=512 * MIB), alerts=("HighMemoryUsage",))
    proposal = _of(base, seen)

    assert proposal.limit_bytes == tidy_up(900 * MIB * 1.2)
    assert proposal.request_bytes == tidy_up(850 * MIB * 1.1)


def test_equal_request_and_limit_stay_equal() -> None:
    """A pod that asked for limit = request keeps its place in the order of eviction."""
    proposal = _of(_killed(limit=96 * MIB, request=96 * MIB), TOO_LOW)

    assert proposal.request_bytes == proposal.limit_bytes
    assert "advice.request_stays_equal" in codes_of(*proposal.caveats)


# --- raised before --------------------------------------------------------------------------------------------------------


def _revisions(*limits: tuple[int, float]) -> dict[str, object]:
    """Newest first: (MiB, age in hours)."""
    return {
        "revisions": tuple(
            Revision(name=f"r{i}", revision=len(limits) - i, created_at=ago(h * 3600), limits_bytes={"orders-api": mib * MIB})
            for i, (mib, h) in enumerate(limits)
        )
    }


def test_second_kill_after_a_raise_doubles_once() -> None:
    """Raised yesterday and killed again: twice the limit now, and a profile next time."""
    proposal = _of(_killed(limit=1024 * MIB, owner=_revisions((1024, 20), (768, 400))), TOO_LOW)

    assert proposal.limit_bytes == 2 * GIB
    assert "advice.raise_was_not_enough" in codes_of(*proposal.caveats)


def test_raise_in_place_counts_as_a_raise() -> None:
    """A limit raised in the running pod leaves no rollout; the history of the limit tells."""
    low, high = history(0.5, 0.9, limit=512 * MIB, until=ago(4000)), history(0.5, 0.9, limit=1024 * MIB)
    both = replace(high, samples=(*low.samples, *high.samples))
    proposal = _of(_killed(limit=1024 * MIB, history=both), TOO_LOW)

    assert proposal.limit_bytes == 2 * GIB
    assert "advice.raise_was_not_enough" in codes_of(*proposal.caveats)


def test_third_time_asks_for_a_profile() -> None:
    """Two raises in a week did not help: no third number, a profile."""
    proposal = _of(_killed(limit=1024 * MIB, owner=_revisions((1024, 20), (768, 60), (512, 400))), TOO_LOW)

    often = the("advice.raised_often", proposal.none)
    assert often["steps"] == tuple(reason("advice.step", before_bytes=a * MIB, after_bytes=b * MIB) for a, b in ((512, 768), (768, 1024)))


def test_raises_that_the_incident_remembers_count() -> None:
    """The cluster keeps no revisions of them: the thread does."""
    made = tuple(
        Change(what=What.LIMIT, at=ago(h * 3600), before_bytes=a * MIB, after_bytes=b * MIB)
        for h, a, b in ((60, 512, 768), (20, 768, 1024))
    )
    once, twice = (replace(_killed(limit=1024 * MIB), known=Known(raises=raises)) for raises in (made[1:], made))

    assert _of(once, TOO_LOW).limit_bytes == 2 * GIB
    assert the("advice.raised_often", _of(twice, TOO_LOW).none)["count"] == 2


def test_leak_that_was_raised_before_is_not_raised_again() -> None:
    """The raise only delayed it: stop raising."""
    report = _report(_killed(limit=160 * MIB, owner=_revisions((160, 20), (80, 400))), LEAK_SHAPE)

    assert codes_of(report.proposal.none) == ("advice.raised_before", "advice.step")
    assert report.warnings[0].id == "only_raising_limits"


def test_raise_after_the_kill_is_the_fix_that_was_applied() -> None:
    """A rollout after the kill that raised the limit ticks item 7 off and does not count as a raise that failed."""
    report = _report(_killed(limit=160 * MIB, owner=_revisions((160, 0.01), (80, 400))), TOO_LOW)

    assert next(i for i in report.checklist if i.id == "apply_fix").state == "done"
    assert "advice.raised_often" not in codes_of(report.proposal.none)


# --- no proposal -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "seen", "code"),
    [
        pytest.param(facts(container(dead=death("Error")), events=(killing("Container x failed liveness probe, will be restarted"),)), None, "advice.not_an_oom", id="probe"),
        pytest.param(facts(container(), pod={"reason": "Evicted", "message": "The node was low on resource: memory."}), None, "advice.eviction_not_prevented", id="evicted"),
        pytest.param(facts(container(limit=None, request=None, dead=death())), None, "advice.node_took_unlimited", id="no limit, killed by the node"),
        pytest.param(facts(container(limit=None, request=None), child_kills=2), None, "advice.no_limit_to_raise", id="no limit"),
        pytest.param(facts(container(), alerts=("HighMemoryUsage",)), shape(CauseName.UNKNOWN, 0.7, reason("memory.file_cache", cache_bytes=60.0 * MIB), detail="page_cache"), "advice.mostly_file_cache", id="cache"),
        pytest.param(facts(container(), alerts=("HighMemoryUsage",)), LEAK_SHAPE, "advice.leak_not_stopped", id="warning of a leak"),
        pytest.param(facts(alerts=("OOMKilled",)), None, "advice.limit_not_known", id="nothing readable"),
        pytest.param(facts(container(dead=death("Error", 1)), log=log("MemoryError"), alerts=()), None, "advice.allocation_refused", id="refused allocation"),
    ],
)  # fmt: skip
def test_no_proposal_says_why(base: Facts, seen: Shape | None, code: str) -> None:
    """Where a raise would not help or cannot be sized there is none, and the reason stands in its place."""
    proposal = _of(base, seen)

    assert codes_of(proposal.none) == (code,)
    assert not proposal.commands
    assert not proposal.patch


# --- room -------------------------------------------------------------------------------------------------------------------


def test_capped_by_the_node() -> None:
    """A node of 7.5 GiB cannot give 9: as much as fits, and said."""
    proposal = _of(_killed(limit=6 * GIB, node=NodeFacts(name="n", allocatable_bytes=int(7.5 * GIB))), TOO_LOW)

    assert proposal.limit_bytes == 7 * GIB
    assert the("advice.node_gives_in_all", *proposal.caveats)["allocatable_bytes"] == 7.5 * GIB


def test_no_room_on_the_node() -> None:
    """A node with nothing left for it: no number, but what is missing."""
    proposal = _of(_killed(limit=6 * GIB, node=NodeFacts(name="n", allocatable_bytes=6 * GIB)), TOO_LOW)

    assert codes_of(proposal.none) == ("advice.no_room", "advice.node_gives_in_all")
    assert the("advice.no_room", proposal.none)["limit_bytes"] == tidy_up(9 * GIB)


def test_limit_range_and_quota_bound_it() -> None:
    """The LimitRange's maximum and what the quota leaves for all replicas are kept."""
    ranged = _of(_killed(limit=512 * MIB, quota_max_limit_bytes=640 * MIB), TOO_LOW)
    quota = _of(_killed(limit=512 * MIB, quota_free_limit_bytes=384 * MIB, owner={}), TOO_LOW)

    assert ranged.limit_bytes == 640 * MIB
    assert "advice.limit_range_allows" in codes_of(*ranged.caveats)
    assert quota.limit_bytes == 768 * MIB


def test_quota_is_shared_by_all_replicas() -> None:
    """384 MiB left for three replicas are 128 MiB each."""
    base = _killed(limit=512 * MIB, quota_free_limit_bytes=384 * MIB)
    assert base.workload is not None
    proposal = _of(replace(base, workload=replace(base.workload, replicas_desired=3)), TOO_LOW)

    assert proposal.limit_bytes == 640 * MIB
    assert the("advice.quota_leaves_limits", *proposal.caveats)["replicas"] == 3


def test_request_that_the_quota_refuses_is_left() -> None:
    """The limit may grow while the quota has no requests left: the request stays, and why is said."""
    proposal = _of(_killed(limit=512 * MIB, request=256 * MIB, quota_free_request_bytes=0), replace(TOO_LOW, median_bytes=400.0 * MIB))

    assert proposal.request_bytes is None
    assert "advice.quota_leaves_requests" in codes_of(*proposal.caveats)


def test_unchecked_room_is_said() -> None:
    """Without the node the proposal stands, and says that room was not checked."""
    assert "advice.node_not_checked" in codes_of(*_of(_killed(node=None), TOO_LOW).checks)


def test_heap_flag_is_named() -> None:
    """A fixed -Xmx makes a higher limit useless for the heap: said beside the patch."""
    proposal = _of(_killed(limit=512 * MIB, command=("java", "-Xmx256m", "-jar", "app.jar")), TOO_LOW)

    assert the("heap.is_fixed", *proposal.caveats)["flag"] == "-Xmx256m"


def test_autoscalers_are_named() -> None:
    """A VPA in Auto mode would undo the change, an HPA on memory would react to it."""
    owner = {"vpa": Vpa(name="orders", mode="Auto"), "hpa": {"name": "orders", "min": 1, "max": 3, "current": 3, "metrics": ["memory"]}}
    caveats = _of(_killed(owner=owner), TOO_LOW).caveats

    assert the("advice.vpa_undoes_it", *caveats)["name"] == "orders"
    assert "advice.hpa_scales_later" in codes_of(*caveats)


# --- properties ---------------------------------------------------------------------------------------------------------------


@given(st.floats(1, 2**44, allow_nan=False))
def test_tidy_sizes_are_near_and_on_the_right_side(n_bytes: float) -> None:
    """Rounding goes the way it says, by less than an eighth below 1Gi and a quarter above (small sizes: 8Mi)."""
    up, down = tidy_up(n_bytes), tidy_down(n_bytes)

    assert down <= n_bytes <= up
    assert up - n_bytes <= max(8 * MIB, n_bytes / (8 if n_bytes < GIB else 4))
    assert up % MIB == 0


_MIB = st.integers(8, 65536)


@settings(max_examples=300, deadline=None)
@given(
    limit=_MIB, request=st.one_of(st.none(), _MIB), peak=st.floats(0.05, 1.0), node=st.one_of(st.none(), _MIB), top=st.one_of(st.none(), _MIB),
    free=st.one_of(st.none(), st.integers(-100, 65536)), seen=st.sampled_from(["leak", "low", "spike", "startup", "unknown", "none"]), killed=st.booleans(),
    growth=st.floats(0.1, 1e5), announced=st.integers(1, 10**6),
)  # fmt: skip
def test_never_below_what_was_seen_never_above_what_there_is(
    limit: int, request: int | None, peak: float, node: int | None, top: int | None, free: int | None, seen: str, killed: bool, growth: float, announced: int,
) -> None:  # fmt: skip
    """Whatever the numbers: at least the observed peak, above the old limit, within node, LimitRange and quota, request within limit."""
    name = {"leak": CauseName.LEAK, "low": CauseName.LIMIT_TOO_LOW, "spike": CauseName.SPIKE, "startup": CauseName.STARTUP}.get(
        seen, CauseName.UNKNOWN
    )
    numbers = shape(
        name,
        0.9,
        peak_bytes=peak * limit * MIB,
        median_bytes=peak * limit * MIB / 2,
        growth_bytes_per_h=growth * MIB,
    )
    one = container(limit=limit * MIB, request=min(request, limit) * MIB if request else None, dead=death(lived_s=7200) if killed else None)
    base = facts(
        one, node=NodeFacts(name="n", allocatable_bytes=node * MIB) if node else None, history=history(peak, peak, limit=limit * MIB),
        quota_max_limit_bytes=top * MIB if top else None, quota_free_limit_bytes=free * MIB if free is not None else None,
        log=log(f"loading dataset into memory ({announced} MiB)"), alerts=("OOMKilled",) if killed else ("HighMemoryUsage",),
    )  # fmt: skip
    proposal = _of(base, None if seen == "none" else numbers)
    if proposal.none:
        return

    assert proposal.limit_bytes is not None
    assert proposal.limit_bytes > limit * MIB
    assert proposal.limit_bytes >= peak * limit * MIB
    assert node is None or proposal.limit_bytes <= node * MIB
    assert top is None or proposal.limit_bytes <= top * MIB
    assert free is None or proposal.limit_bytes - limit * MIB <= free * MIB
    assert (proposal.request_bytes or 0) <= proposal.limit_bytes
    assert seen != "leak" or proposal.role == "stop_gap"


def test_same_facts_same_report() -> None:
    """Two diagnoses of one saved case are equal: nothing in it depends on a clock or on chance."""
    base = _killed(log=log("INFO loading model (200 MiB)"), history=history(0.5, 0.9, 0.97))

    assert diagnose(base) == diagnose(base)


@pytest.mark.parametrize(
    ("line", "needs_mib"),
    [
        (
            "required memory 394176K is greater than 256M available for allocation: -XX:MaxDirectMemorySize=10M, -XX:MaxMetaspaceSize=86976K",
            385,
        ),
        ("fixed memory regions require 664570K which is greater than 256M available for allocation: -XX:MaxDirectMemorySize=10M", 649),
        (
            "insufficient memory remaining for heap. Memory available for allocation 256M is less than allocated memory 350M (-Xss1M * 50)",
            350,
        ),
        ("sqlservr: This program requires a machine with at least 2000 megabytes of memory.", 2000),
    ],
    ids=["Paketo", "its newer wording", "Cloud Foundry", "SQL Server"],
)
def test_program_that_names_its_need_gets_that_and_room_to_work(line: str, needs_mib: int) -> None:
    """It ended before it used any of it, so its own number is the only witness, and never the whole of what it needs."""
    refused = facts(container(limit=256 * MIB, request=64 * MIB, dead=death("Error", 1, lived_s=2)), log=log(line), alerts=())
    proposal = diagnose(refused).proposal

    assert proposal.role == "fix"
    assert proposal.limit_bytes is not None
    assert needs_mib * 1.2 <= proposal.limit_bytes / MIB <= needs_mib * 1.5
    assert the("advice.says_what_it_needs", proposal.why)["need_bytes"] == pytest.approx(needs_mib * MIB, rel=0.01)


def test_program_that_names_no_need_is_not_sized() -> None:
    """That it needs more is known, how much is not."""
    refused = facts(container(dead=death("Error", 1, lived_s=2)), log=log("insufficient memory remaining for heap"), alerts=())

    assert codes_of(diagnose(refused).proposal.none) == ("advice.needs_more_untold",)
