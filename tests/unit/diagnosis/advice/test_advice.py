"""What stands beside the patch: autoscaler, long-term fixes, and the article's mistakes as warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import diagnose, report_of
from receiver.domain.facts import Facts
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName, Report, Shape
from receiver.domain.units import GIB, MIB
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, SHORT_PEAKS, container, death, facts, killing, log, shape, the

TRAFFIC = shape(CauseName.SPIKE, 0.9, SHORT_PEAKS, detail="traffic", rate_correlation=0.92)
PEAKS = shape(CauseName.SPIKE, 0.7, SHORT_PEAKS, detail="batch")
BATCH = replace(PEAKS, rate_correlation=0.1)
TOO_LOW = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, median_bytes=85.0 * MIB)


def _report(seen: Shape | None, *, owner: dict[str, object] | None = None, kind: str = "Deployment", **more: Any) -> Report:
    base = facts(container(dead=death(lived_s=7200), **more), owner=owner or {}, kind=kind)
    return report_of(replace(clues_of(base), shape=seen))


def _ids(report: Report) -> list[str]:
    return [w.id for w in report.warnings]


def _fixes(report: Report) -> list[str]:
    return [e.id for e in report.long_term]


# --- HPA --------------------------------------------------------------------------------------------------------------------


def test_traffic_spike_gets_an_hpa_on_cpu() -> None:
    """A traffic spike of a Deployment: autoscaling/v2, on CPU, for that Deployment, with room above the present replicas."""
    report = _report(TRAFFIC)
    assert report.hpa is not None
    manifest = yaml.safe_load(report.hpa.manifest)

    assert manifest["apiVersion"] == "autoscaling/v2"
    assert manifest["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders-api"}
    assert [m["resource"]["name"] for m in manifest["spec"]["metrics"]] == ["cpu"]
    assert manifest["spec"]["minReplicas"] < manifest["spec"]["maxReplicas"]
    assert "memory" not in report.hpa.manifest
    assert report.proposal.role == "fix"
    assert "no_hpa" in _ids(report)


def test_hpa_at_its_end_gets_a_higher_maximum() -> None:
    """Where an HPA exists and is at its maximum, the maximum is what changes."""
    hpa = _report(TRAFFIC, owner={"hpa": {"name": "orders", "min": 2, "max": 4, "current": 4, "metrics": ["cpu"]}}).hpa
    assert hpa is not None

    assert yaml.safe_load(hpa.manifest)["spec"] == {"maxReplicas": 8}
    assert yaml.safe_load(hpa.manifest)["metadata"]["name"] == "orders"
    assert the("advice.hpa_is_full", hpa.why)["most"] == 4


def test_hpa_with_room_is_left_alone() -> None:
    """Two of four replicas at the kill: more maximum would change nothing, and no warning says that there is no HPA."""
    report = _report(TRAFFIC, owner={"hpa": {"name": "orders", "min": 2, "max": 4, "current": 2, "metrics": ["cpu"]}})

    assert report.hpa is None
    assert "no_hpa" not in _ids(report)


def test_spikes_without_a_rate_get_a_conditional_hpa() -> None:
    """Peaks of unknown origin: the manifest is offered, and says that it is for traffic only."""
    hpa = _report(PEAKS).hpa

    assert hpa is not None
    assert "advice.only_if_traffic" in codes_of(hpa.why)


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (BATCH, "Deployment"),
        (TRAFFIC, "DaemonSet"),
        (TRAFFIC, "Job"),
        (LEAK_SHAPE, "Deployment"),
        (TOO_LOW, "Deployment"),
        (replace(TRAFFIC, confidence=0.4), "Deployment"),
    ],
)
def test_no_hpa_where_replicas_do_not_help(seen: Shape, kind: str) -> None:
    """Batch work, kinds that do not scale, other causes and mere possibilities get no autoscaler."""
    assert _report(seen, kind=kind).hpa is None


def test_hpa_needs_a_cpu_request() -> None:
    """Utilisation is a share of the CPU request; without one the manifest would do nothing, and that is said."""
    hpa = _report(TRAFFIC, cpu_request=None).hpa

    assert hpa is not None
    assert "advice.hpa_needs_cpu_request" in codes_of(hpa.why)


# --- the real fix ------------------------------------------------------------------------------------------------------------


def test_leak_is_profiled_first_and_its_likeliest_habit_is_named() -> None:
    """A leak without a witness: how to find what grows in this runtime, where it usually is, then the rest; with this pod's names."""
    report = _report(LEAK_SHAPE, command=("/usr/bin/python3", "/app/leak.py"))
    ids = _fixes(report)

    assert ids[:2] == ["python_memray", "bound_caches"]
    assert ids[-3:] == ["clean_up", "paginate", "stream_data"]
    assert not any("exec POD" in c for e in report.long_term for c in e.commands)
    assert any("kubectl -n shop exec orders-api-655779759d-jst99 -c orders-api" in c for e in report.long_term for c in e.commands)


@pytest.mark.parametrize(("line", "habit"), [("INFO session cache size {} MiB", "bound_caches"), ("INFO open connections={}", "clean_up")])
def test_counter_that_rises_names_its_habit_first(line: str, habit: str) -> None:
    """What the log counts up to the kill is a witness; a profiler comes after it."""
    lines = log(*(line.format(10 * n) for n in range(1, 8)))
    report = diagnose(facts(container(dead=death(lived_s=13), command=("python3", "x.py")), log=lines))

    assert report.cause.name is CauseName.LEAK
    assert _fixes(report)[:2] == [habit, "python_memray"]
    assert len(set(_fixes(report))) == len(_fixes(report))


def test_heap_flag_goes_before_profilers() -> None:
    """Where the heap's own limit is set, how the two move together is what fits; without a flag it is one advice of several."""
    with_flag = _fixes(_report(LEAK_SHAPE, command=("java", "-Xmx64m", "-jar", "app.jar")))
    without = _fixes(_report(LEAK_SHAPE, command=("java", "-jar", "app.jar")))

    assert with_flag[:3] == ["jvm_heap_and_limit", "jvm_heap_dump", "bound_caches"]
    assert without[:2] == ["jvm_heap_dump", "bound_caches"]


def test_known_cause_goes_before_advice_for_any_program() -> None:
    """Without a runtime the habit behind a spike fits better than general advice; without a cause nothing fits better than that."""
    assert _fixes(_report(TRAFFIC, command=("/srv/app",)))[:3] == ["bound_concurrency", "paginate", "find_what_grows"]
    assert _fixes(_report(None, command=("/srv/app",)))[:2] == ["find_what_grows", "stream_data"]


def test_error_that_the_log_names_goes_first() -> None:
    """Its own advice fits better than anything general."""
    base = facts(container(dead=death(lived_s=7200), command=("java", "-Xmx64m")), log=log("java.lang.OutOfMemoryError: Metaspace"))
    report = report_of(replace(clues_of(base), shape=LEAK_SHAPE))

    assert report.signature is not None
    assert _fixes(report)[:2] == [f"log_{report.signature.id}", "jvm_heap_and_limit"]


def test_startup_that_loads_is_told_to_read_in_pieces() -> None:
    """The article's option B stands first beside its option A."""
    dead = container(limit=4 * GIB, dead=death(lived_s=40), command=("python", "train.py"))
    report = diagnose(facts(dead, log=log("Loading full training dataset into memory... (5GB)", "Building model..."), node=None))

    assert report.proposal.role == "fix"
    assert report.long_term[0].id == "stream_data"
    assert any("chunksize" in c for c in report.long_term[0].commands)
    assert "startup_loading" in _ids(report)


def test_probe_kill_is_told_about_the_probe() -> None:
    """Nothing about memory for what was not memory."""
    report = diagnose(facts(container(dead=death("Error")), events=(killing("Container x failed liveness probe, will be restarted"),)))

    assert [e.id for e in report.long_term] == ["mend_probe"]
    assert not report.warnings


def test_hungry_pod_without_limit_is_told_to_get_one() -> None:
    """Killed by the node for want of a limit: set one; and how to find others like it."""
    report = diagnose(facts(container(limit=None, request=None, dead=death())))

    assert [e.id for e in report.long_term] == ["set_limit", "find_the_hungry"]
    assert "no_limit" in _ids(report)


def test_names_that_are_none_are_not_filled_into_commands() -> None:
    """A hostile container name stays out of the profiler's commands."""
    base = facts(container("a; reboot", dead=death(lived_s=7200), command=("python", "x.py")))
    report = report_of(replace(clues_of(base), shape=LEAK_SHAPE))

    assert not any("reboot" in c for e in report.long_term for c in e.commands)


# --- warnings ------------------------------------------------------------------------------------------------------------------


def _facts(**more: object) -> Facts:
    return facts(container(dead=death(lived_s=7200), **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "seen", "warning"),
    [
        pytest.param(_facts(), LEAK_SHAPE, "only_raising_limits", id="only raising"),
        pytest.param(_facts(limit=None, request=None), None, "no_limit", id="no limit"),
        pytest.param(_facts(limit=96 * MIB, request=96 * MIB), None, "limit_equals_request", id="limit equals request"),
        pytest.param(_facts(request=16 * MIB), TOO_LOW, "request_too_low", id="request far below use"),
        pytest.param(facts(container(kind="init", dead=death(lived_s=0))), None, "startup_loading", id="start-up"),
        pytest.param(_facts(), TRAFFIC, "no_hpa", id="no HPA"),
        pytest.param(facts(container(dead=death()), pod={"memory_volumes": ("cache",)}), None, "memory_volume", id="files in memory"),
        pytest.param(_facts(state="waiting", state_reason="CrashLoopBackOff"), None, "crash_loop", id="crash loop"),
    ],
)
def test_mistake_is_warned_of(base: Facts, seen: Shape | None, warning: str) -> None:
    """Each of the article's mistakes is named where it is seen."""
    assert warning in _ids(report_of(replace(clues_of(base), shape=seen)))


def test_no_warning_where_nothing_is_wrong() -> None:
    """A container with a sensible limit and request that was killed once gets no sermon."""
    assert not _ids(report_of(replace(clues_of(_facts()), shape=None)))


def test_equal_limit_and_request_is_a_trade_off() -> None:
    """The article calls it bad practice; it is a choice with a price, and is worded so."""
    report = report_of(replace(clues_of(_facts(limit=96 * MIB, request=96 * MIB)), shape=None))

    assert codes_of(*(w.mistake for w in report.warnings)) == ("mistake.limit_equals_request",)
