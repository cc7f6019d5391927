"""The walk through the tree: which leaf, how sure, and which answer stands behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.causes import tree
from receiver.diagnosis.causes.leaf import Question
from receiver.diagnosis.causes.leaves import LEAVES
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.domain.facts import Facts, Revision, SiblingFact
from receiver.domain.reason import Reason, reason
from receiver.domain.report import CauseName, KillKind, Report, Shape
from receiver.domain.units import MIB
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, SHORT_PEAKS, ago, codes, container, death, facts, history, killing, log, shape

GROWING = tuple(f"INFO handled {n}00 requests, session cache size {n}0 MiB" for n in range(1, 5))
SPIKE = shape(CauseName.SPIKE, 0.8, SHORT_PEAKS, detail="traffic", rate_correlation=0.9)
TOO_LOW = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, refused={CauseName.LEAK: reason("memory.refused.hardly_grows")})
UNKNOWN = shape(CauseName.UNKNOWN, 0.5, reason("memory.history_too_short", history_s=720.0), detail="too_short")


def _with(base: Facts, seen: Shape | None) -> Report:
    return report_of(replace(clues_of(base), shape=seen))


def _answers(report: Report) -> dict[str, str]:
    return {s.id: s.answer for s in report.tree}


ARTICLE = ("killed_for_memory", "node", "startup", "growing", "spikes", "near_limit")
LONG = facts(container(dead=death(lived_s=3 * 3600)))


@pytest.mark.parametrize(
    ("seen", "leaf", "asked"),
    [
        pytest.param(LEAK_SHAPE, CauseName.LEAK, ["yes", "no", "no", "yes"], id="leak"),
        pytest.param(SPIKE, CauseName.SPIKE, ["yes", "no", "no", "no", "yes"], id="spike"),
        pytest.param(TOO_LOW, CauseName.LIMIT_TOO_LOW, ["yes", "no", "no", "no", "no", "yes"], id="limit too low"),
        pytest.param(UNKNOWN, CauseName.UNKNOWN, ["yes", "no", "no", "cannot_tell", "cannot_tell", "cannot_tell"], id="too early"),
        pytest.param(None, CauseName.UNKNOWN, ["yes", "no", "no", "cannot_tell", "cannot_tell", "cannot_tell"], id="no history"),
    ],
)
def test_article_order(seen: Shape | None, leaf: CauseName, asked: list[str]) -> None:
    """Growing, spikes, near the limit: asked in the article's order until one says yes, and no further."""
    report = _with(LONG, seen)

    assert report.cause.name is leaf
    assert [s.answer for s in report.tree if s.id in ARTICLE] == asked
    assert all(s.because for s in report.tree)


def test_questions_are_told_apart() -> None:
    """Each question has an id of its own, and only where the walk ends is none asked."""
    ids = [leaf.question.id for leaf in LEAVES if leaf.question is not None]

    assert len(ids) == len(set(ids)) == len(LEAVES) - 1
    assert [leaf.name for leaf in LEAVES if leaf.question is None] == [CauseName.UNKNOWN]


def test_question_that_does_not_arise_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leaf for a rare case does not make the tree of all others longer."""
    asked = [step.id for step in _with(LONG, None).tree]
    rare = replace(LEAVES[1], question=Question(id="rare", text=reason("leaf.leak.question"), ask=lambda clues, kill: None))
    monkeypatch.setattr(tree, "LEAVES", (rare, *LEAVES))

    assert [s.id for s in _with(LONG, None).tree] == asked


def test_probe_kill_ends_the_walk_at_once() -> None:
    """A liveness kill is not memory, whatever the shape of memory looks like."""
    report = _with(
        facts(container(dead=death("Error")), events=(killing("Container x failed liveness probe, will be restarted"),)), LEAK_SHAPE
    )

    assert report.cause.name is CauseName.NOT_MEMORY
    assert len(report.tree) == 1
    assert report.cause.confidence >= 0.85


def test_unexplained_sigkill_is_not_said_as_surely() -> None:
    """137 far below the limit and no word of who sent it: not memory, but at most a possibility."""
    report = diagnose(facts(container(dead=death("Error", lived_s=600)), history=history(0.3, 0.3, 0.3), alerts=()))

    assert report.cause.name is CauseName.NOT_MEMORY
    assert report.cause.confidence <= 0.5


def test_log_that_ends_while_loading_is_startup() -> None:
    """`loaded 100/200 MiB` as the last line of a life under a second: it died of loading, though Prometheus saw nothing."""
    model = container("model-server", limit=128 * MIB, dead=death(lived_s=0))
    report = diagnose(
        facts(model, log=log("INFO loading model weights into memory (200 MiB)", "INFO loaded 100/200 MiB", container="model-server"))
    )

    assert report.cause.name is CauseName.STARTUP
    assert report.cause.detail == "loading"
    assert report.cause.confidence >= 0.85
    assert reason("startup.does_not_fit", announced_bytes=200 * MIB, limit_bytes=128 * MIB) in report.cause.because


def test_log_that_went_on_serving_did_not_die_of_loading() -> None:
    """A warm-up line followed by served requests is a start-up that was over."""
    lines = ("INFO working set warmed: 88 MiB; serving", *(f"INFO GET /healthz 200 ({n})" for n in range(2)))
    report = diagnose(facts(container(dead=death(lived_s=40)), log=log(*lines)))

    assert report.cause.name is CauseName.UNKNOWN


def test_work_after_the_loading_line_ends_the_loading() -> None:
    """Lines of other work after the last line of loading: whatever it died of, it was not that."""
    lines = ("INFO loading index into memory (60 MiB)", *(f"INFO order {n} priced" for n in ("a", "b", "c", "d")))
    report = diagnose(facts(container(dead=death(lived_s=40)), log=log(*lines)))

    assert report.cause.name is CauseName.UNKNOWN


def test_long_life_that_ends_loading_is_not_startup() -> None:
    """An import after three hours of service is no start-up."""
    report = diagnose(facts(container(dead=death(lived_s=3 * 3600)), log=log("INFO loading nightly export into memory (80 MiB)")))

    assert report.cause.name is not CauseName.STARTUP


@pytest.mark.parametrize(
    ("lived_s", "restarts", "leaf"), [(1, 11, CauseName.STARTUP), (1, 1, CauseName.UNKNOWN), (13, 6, CauseName.UNKNOWN)]
)
def test_lives_of_seconds(lived_s: float, restarts: int, leaf: CauseName) -> None:
    """Dying at once again and again is start-up; once is an accident, and 13 seconds cannot be told from fast growth."""
    report = diagnose(facts(container(dead=death(lived_s=lived_s), restart_count=restarts)))

    assert report.cause.name is leaf
    assert report.cause.settle_by or leaf is CauseName.STARTUP


def test_plain_init_container_dies_at_startup() -> None:
    """An init container has no other time to die."""
    init = container("load-index", kind="init", limit=80 * MIB, dead=death(lived_s=0))
    report = diagnose(facts(init, workload="catalog"))

    assert (report.cause.name, report.cause.detail) == (CauseName.STARTUP, "init_container")


def test_native_sidecar_is_not_taken_for_an_init_container() -> None:
    """A restartable init container lives as long as the pod: thirteen seconds with a growing log look like a leak."""
    sidecar = container("mesh-proxy", kind="sidecar", limit=48 * MIB, dead=death(lived_s=13))
    report = diagnose(facts(sidecar, log=log(*GROWING, container="mesh-proxy")))

    assert report.cause.name is CauseName.LEAK


def test_counters_in_the_log_show_growth_that_no_scrape_saw() -> None:
    """A life of 13 s is invisible to Prometheus; a cache size that rises in every line until the kill is not. Worded `looks like`."""
    report = diagnose(facts(container(dead=death(lived_s=13)), log=log(*GROWING)))

    assert report.cause.name is CauseName.LEAK
    assert 0.6 <= report.cause.confidence < 0.85
    rise = report.cause.because[0]
    assert isinstance(rise, Reason)
    assert (rise.code, rise["log"], rise["first"], rise["last"]) == (
        "growing.counter_rises_by", reason("growing.log_to_the_kill"), "10 MiB", "40 MiB",
    )  # fmt: skip
    assert codes(report.cause.against) == ("growing.short_life",)


def test_job_that_grows_may_just_need_it() -> None:
    """A Job never gets to its end, so growth in its log is only a possibility of a leak."""
    report = diagnose(facts(container(dead=death(lived_s=3)), kind="Job", log=log(*GROWING)))

    assert report.cause.confidence <= 0.5


def test_last_line_that_names_a_burst() -> None:
    """`buffering 90 MiB` as the last line under a limit of 96 MiB, after a quiet minute: looks like a spike."""
    report = diagnose(
        facts(container(dead=death(lived_s=60)), log=log("INFO idle at 20 MiB", "WARN batch export requested: buffering 90 MiB"))
    )

    assert (report.cause.name, report.cause.detail) == (CauseName.SPIKE, "burst")
    assert report.hpa is None


def test_levels_between_lives_of_seconds_are_not_believed() -> None:
    """A shape that calls gaps between 13-second lives `peaks` is overruled."""
    report = _with(facts(container(dead=death(lived_s=13))), SPIKE)

    assert report.cause.name is CauseName.UNKNOWN
    assert codes(report.cause.because) == ("unknown.lives_too_short",)


@pytest.mark.parametrize(
    ("lived_s", "leaf", "most"),
    [(13, CauseName.UNKNOWN, 0.5), (60, CauseName.STARTUP, 0.84), (300, CauseName.STARTUP, 0.95)],
)
def test_startup_by_the_clock_alone(lived_s: float, leaf: CauseName, most: float) -> None:
    """Kills soon after each start: at 13 s nobody can tell them from fast growth, at a minute it looks like start-up, at five it is likely."""
    seen = shape(CauseName.STARTUP, 0.9, reason("memory.killed_at_start", kills_early=6, kills=6, longest_life_s=lived_s), detail="startup")
    report = _with(facts(container(dead=death(lived_s=lived_s))), seen)

    assert report.cause.name is leaf
    assert report.cause.confidence <= most


def _leaking(**owner: object) -> Report:
    changed = replace(LEAK_SHAPE, detail="after_change", change_at_s=ago(7200).timestamp())
    return _with(facts(container(dead=death(lived_s=10800)), owner=owner), changed)


def test_leak_that_began_with_a_rollout_names_it() -> None:
    """A rise that began twelve minutes after a rollout is told with that rollout and its image; another day's is not."""
    rollouts = tuple(
        Revision(name=f"orders-api-{n}", revision=n, created_at=ago(seconds), images={"orders-api": f"orders:1.4.{n}"})
        for n, seconds in ((3, 7200 + 720), (2, 90000))
    )

    began = reason("growing.since_rollout_of", rollout="orders-api-3", image="orders:1.4.3")
    assert began in _leaking(revisions=rollouts).cause.because
    assert began.code not in codes(_leaking(revisions=rollouts[1:]).cause.because)


def test_one_replica_of_many_is_not_likely_a_leak() -> None:
    """Every replica runs the same code: when eleven of twelve are untouched, a hot shard looks the same and is said."""
    quiet = tuple(SiblingFact(pod=f"p{n}", is_ready=True) for n in range(11))
    report = _leaking(siblings=quiet)

    assert 0.6 <= report.cause.confidence < 0.85
    assert report.cause.against[0] == reason("growing.other_replicas_live", replicas=11)
    assert _leaking(siblings=(*quiet, SiblingFact(pod="q", restart_count=3, last_reason="OOMKilled"))).cause.confidence >= 0.85


@pytest.mark.parametrize(("restarts", "cause"), [(1, CauseName.LIMIT_TOO_LOW), (6, CauseName.LEAK)])
def test_full_heap_once_is_a_small_heap_and_again_a_leak(restarts: int, cause: CauseName) -> None:
    """Java's own heap limit: no kill. Once, nobody can say whether the heap is small or leaks; in each of several lives it looks like a leak."""
    one = container(dead=death("Error", 3, lived_s=400), restart_count=restarts)
    report = diagnose(facts(one, log=log("Terminating due to java.lang.OutOfMemoryError: Java heap space"), alerts=()))

    assert (report.cause.name, report.cause.detail) == (cause, "runtime_limit")
    assert report.cause.confidence <= 0.6
    assert report.cause.settle_by
    assert report.proposal.none


def test_full_memory_volume() -> None:
    """A memory-backed emptyDir that is full: dies before it starts, and the way out is the pod, not the limit."""
    dead = death("StartError", 128, lived_s=None, message="container init was OOM-killed (memory limit too low?)")
    report = diagnose(facts(container(dead=dead), pod={"memory_volumes": ("scratch",)}))

    assert (report.cause.name, report.cause.detail) == (CauseName.STARTUP, "memory_volume")
    assert report.proposal.role == "stop_gap"
    assert any("delete pod" in command for entry in report.long_term for command in entry.commands)


def test_node_alert_without_a_pod() -> None:
    """Memory pressure of a node is answered at the node question, and no container item is claimed."""
    report = diagnose(facts(alerts=("NodeMemoryPressure",), subject=replace(LONG.subject, pod="", namespace="", container="", node="n1")))

    assert report.cause.name is CauseName.NODE_PRESSURE
    assert {i.state for i in report.checklist[:5]} == {"not_applicable"}


def test_child_says_how_long_workers_live() -> None:
    """Workers that die seven seconds after boot, again and again: said, without claiming a leak."""
    lines, times = [], []
    for n in range(5):
        lines += [f"[1] [INFO] Booting worker with pid: {n}", f"[1] [ERROR] Worker (pid:{n}) was sent SIGKILL! Perhaps out of memory?"]
        times += [ago(100 - 12 * n), ago(93 - 12 * n)]
    said = replace(log(*lines, current=True), times=tuple(times))
    report = diagnose(facts(container(), log=said, child_kills=5, alerts=("ChildProcessOOMKilled",)))

    assert report.kill.kind is KillKind.CHILD_PROCESS_OOM
    assert report.cause.name is CauseName.UNKNOWN
    assert report.cause.because[0] == reason("unknown.workers_die_young", life_s=7.0)


@pytest.mark.parametrize("seen", [LEAK_SHAPE, TOO_LOW, SPIKE])
def test_suspicion_takes_the_certainty_out_of_every_leaf(seen: Shape) -> None:
    """Where it is not certain that memory killed it, no cause is worded `likely`."""
    base = facts(container(dead=death("Error", lived_s=7200)), history=history(0.9, 0.97), alerts=())

    assert _with(base, seen).cause.confidence < 0.85


# --- a verdict never sounds surer than its evidence ------------------------------------------------------------------

_FACTS = st.builds(
    lambda reason, code, lived, lines, restarts, alerts, kind, volumes: facts(
        container(dead=death(reason, code, lived_s=lived) if reason else None, restart_count=restarts, kind=kind),
        log=log(*lines) if lines else None,
        alerts=alerts,
        pod={"memory_volumes": volumes},
    ),
    st.sampled_from(["OOMKilled", "Error", "StartError", "Completed", ""]),
    st.sampled_from([137, 0, 1, 3, 139, 143, 128]),
    st.sampled_from([0, 1, 13, 120, 7200, None]),
    st.lists(st.sampled_from([*GROWING, "INFO loading model (200 MiB)", "MemoryError", "serving", "buffering 90 MiB"]), max_size=6),
    st.integers(0, 30),
    st.sampled_from([(), ("OOMKilled",), ("HighMemoryUsage",), ("KubePodCrashLooping",)]),
    st.sampled_from(["regular", "sidecar", "init"]),
    st.sampled_from([(), ("scratch",)]),
)


@settings(max_examples=150, deadline=None)
@given(_FACTS)
def test_less_evidence_never_makes_surer(base: Facts) -> None:
    """Taking away the log, the events and the history never makes the same verdict surer, and never the kill."""
    full, bare = diagnose(base), diagnose(replace(base, log=None, history=None, events=(), node=None))

    if bare.cause.name is full.cause.name is not CauseName.NOT_MEMORY:
        assert bare.cause.confidence <= max(full.cause.confidence, 0.5)
    if bare.kill.is_sure and full.kill.is_sure and bare.kill.kind is not full.kill.kind:
        assert KillKind.NONE in (bare.kill.kind, full.kill.kind)


@settings(max_examples=150, deadline=None)
@given(_FACTS, st.sampled_from([None, LEAK_SHAPE, SPIKE, TOO_LOW, UNKNOWN]))
def test_every_walk_ends_with_reasons(base: Facts, seen: Shape | None) -> None:
    """Whatever the facts: a cause with reasons, a confidence between 0 and 1, nine items, and a proposal or why there is none."""
    report = _with(base, seen)

    assert 0 <= report.cause.confidence <= 1
    assert report.cause.because
    assert len(report.checklist) == 9
    assert bool(report.proposal.none) != bool(report.proposal.patch)
    assert report.cause.name is not CauseName.UNKNOWN or report.cause.settle_by
    leaves = [s.leads_to for s in report.tree if s.leads_to]
    assert leaves == ([] if report.cause.name is CauseName.UNKNOWN else [report.cause.name.value])


def test_without_the_pod_and_without_metrics_nothing_is_certain() -> None:
    """Only an alert's name: no cause, no patch, and nothing said for sure."""
    report = diagnose(facts(alerts=("OOMKilled",), node=None))

    assert not report.kill.is_sure
    assert report.cause.name is CauseName.UNKNOWN
    assert report.proposal.none
    assert _answers(report)["killed_for_memory"] == "cannot_tell"
