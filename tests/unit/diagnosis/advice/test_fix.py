"""What was changed since the kill: seen in the template first, with when and by whom; and what the verdict expects of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.change import Baseline, Known, Setup
from receiver.domain.facts import EventFact, Facts, MemorySetting, Revision, Rollout, Write
from receiver.domain.report import CauseName, CheckItem, Report, Shape
from receiver.domain.units import MIB, format_quantity
from tests.unit.diagnosis.facts_kit import FLAT, LEAK_SHAPE, ago, container, death, facts, shape

TOO_LOW = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, median_bytes=85.0 * MIB, peak_bytes=96.0 * MIB)
NAME = "orders-api"
KILLED_S = 7200.0
OLD, NEW = "orders-api-655779759d", "orders-api-7c9d8f6b54"


def revision(name: str, limit_mib: int, ago_s: float, *, image: str = "shop:1", cause: str = "") -> Revision:
    return Revision(
        name=name, revision=2 if name == NEW else 1, created_at=ago(ago_s), images={NAME: image}, limits_bytes={NAME: limit_mib * MIB},
        change_cause=cause,
    )  # fmt: skip


def killed(
    *, template_mib: int = 96, limit_mib: int = 96, baseline: Setup | None = None, **owner: object
) -> Facts:  # fmt: skip
    """Killed two hours ago at 96 MiB, in a pod of the old revision."""
    own: dict[str, object] = {
        "chain": (("Pod", f"{OLD}-jst99"), ("ReplicaSet", OLD), ("Deployment", NAME)),
        "template": {NAME: MemorySetting(limit_bytes=template_mib * MIB, limit_text=f"{template_mib}Mi")},
        "template_images": {NAME: "shop:1"},
        "revisions": (revision(OLD, 96, 400_000),),
        **owner,
    }
    known = Known(baseline=Baseline(setup=baseline, at=ago(KILLED_S))) if baseline is not None else Known()
    box = container(limit=limit_mib * MIB, dead=death(lived_s=3 * 3600, at=ago(KILLED_S)), image="shop:1")
    return facts(box, owner=own, known=known)


def report(base: Facts, seen: Shape = TOO_LOW) -> Report:
    return report_of(replace(clues_of(base), shape=seen))


def raised(limit_mib: int = 200, **more: Any) -> Facts:
    """Rolled out an hour ago."""
    return killed(template_mib=limit_mib, revisions=(revision(NEW, limit_mib, 3600), revision(OLD, 96, 400_000)), **more)


def item(found: Report, name: str) -> CheckItem:
    return next(i for i in found.checklist if i.id == name)


def test_a_raise_of_the_template_is_seen_before_any_pod_has_it() -> None:
    """The owner is the truth; the time is that of its ReplicaSet, the writer the field's manager."""
    written = (
        Write(what="limit", manager="kubectl-set", at=ago(3599), container=NAME),
        Write(what="limit", manager="kubectl-create", at=ago(400_000), container=NAME),
    )
    found = report(raised(writes=written, rollout=Rollout(updated=1, desired=3, is_complete=False)))

    assert found.fix is not None
    (change,) = found.fix.changes
    assert (change.what, change.before_bytes, change.after_bytes) == ("limit", 96 * MIB, 200 * MIB)
    assert (change.at, change.by, change.is_in_template, change.is_rolled_out) == (ago(3600), "kubectl-set", True, False)
    assert found.fix.pods is not None
    assert (found.fix.pods.code, found.fix.pods["updated"]) == ("fix.rolling_out", 1)
    assert (found.fix.is_enough, found.fix.forecast) == (True, None)


def test_a_limit_of_its_own_instead_of_a_default_is_a_raise() -> None:
    """A LimitRange gave 96 MiB, because the template had none: that is what it was killed at."""
    old = replace(revision(OLD, 96, 400_000), limits_bytes={})
    found = report(killed(template_mib=1024, revisions=(revision(NEW, 1024, 3600), old)))

    assert found.fix is not None
    (change,) = found.fix.changes
    assert (change.before_bytes, change.after_bytes, change.is_lower) == (96 * MIB, 1024 * MIB, False)
    assert (found.fix.is_enough, found.fix.forecast) == (True, None)


def test_a_revision_of_which_nothing_was_read_is_no_template_without_a_limit() -> None:
    """Its ReplicaSet came without a template: the owner's own says what was in force."""
    found = report(killed(template_mib=96, revisions=(Revision(name=OLD, revision=1, created_at=ago(400_000)),)))

    assert found.fix is None


def test_checklist_and_patch_say_what_the_root_says() -> None:
    """One state: done, watched, and nothing raised a second time; Git gets the value that is in force."""
    found = report(raised())

    assert item(found, "apply_fix").state == "done"
    assert item(found, "monitor_48h").result is not None
    assert (found.proposal.role, found.proposal.limit_before_bytes, found.proposal.limit_bytes) == ("keep", 96 * MIB, 200 * MIB)
    assert found.proposal.commands == ()
    assert "-       memory: 96Mi\n+       memory: 200Mi" in found.proposal.diff


@pytest.mark.parametrize("manager", ["argocd-controller", "helm", "kubectl-client-side-apply"])
def test_what_came_from_git_needs_no_lines_for_git(manager: str) -> None:
    """There is nothing left to do but to watch."""
    found = report(raised(writes=(Write(what="limit", manager=manager, at=ago(3590), container=NAME),)))

    assert found.proposal.none is not None
    assert (found.proposal.none.code, found.proposal.none["by"]) == ("advice.fix_is_in_files", manager)
    assert found.proposal.diff == ""


def test_a_rollback_is_dated_by_its_writer() -> None:
    """It takes up a ReplicaSet that is older than the kill."""
    again = killed(
        template_mib=200, revisions=(revision(NEW, 200, 500_000), revision(OLD, 96, 400_000)),
        writes=(Write(what="limit", manager="kubectl-rollout", at=ago(600), container=NAME),),
    )  # fmt: skip
    found = report(again)

    assert found.fix is not None
    assert found.fix.at == ago(600)


def test_a_resize_in_place_is_three_values() -> None:
    """Pod, template and Git: the diff starts at the template's, the time is the resize's, and the next rollout undoes it."""
    pod = f"{OLD}-jst99"
    base = killed(limit_mib=256, template_mib=96, baseline=Setup(limit_bytes=96 * MIB, template_bytes=96 * MIB, has_template=True))
    told = EventFact(object_kind="Pod", object_name=pod, reason="ResizeStarted", at=ago(5400))
    found = report(replace(base, events=(told,)))

    assert found.fix is not None
    (change,) = found.fix.changes
    assert (change.what, change.before_bytes, change.after_bytes, change.is_in_template) == ("resize", 96 * MIB, 256 * MIB, False)
    assert change.at == ago(5400)
    assert item(found, "apply_fix").state == "todo"
    assert "-       memory: 96Mi\n+       memory: 256Mi" in found.proposal.diff
    assert "advice.only_this_pod_was_resized" in {c.code for c in found.proposal.caveats}
    assert not any("--subresource=resize" in c for c in found.proposal.commands)


def test_the_api_servers_note_of_a_resize_goes_before_the_event() -> None:
    """managedFields of the pod's `resize` subresource."""
    base = killed(limit_mib=256, baseline=Setup(limit_bytes=96 * MIB, template_bytes=96 * MIB, has_template=True))
    assert base.pod is not None
    written = Write(what="limit", manager="kubectl-patch", at=ago(5401), container=NAME, subresource="resize")
    found = report(replace(base, pod=replace(base.pod, writes=(written,))))

    assert found.fix is not None
    assert (found.fix.at, found.fix.changes[0].by) == (ago(5401), "kubectl-patch")


def test_a_leak_is_told_how_long_the_new_limit_lasts() -> None:
    """Measured from the limit that it died at: (256 - 22) / 20.7 hours, and not twice that."""
    base = killed(limit_mib=256, baseline=Setup(limit_bytes=96 * MIB, template_bytes=96 * MIB, has_template=True))
    found = report(base, LEAK_SHAPE)

    assert found.fix is not None
    assert found.fix.forecast is not None
    assert found.fix.forecast.code == "fix.forecast.delays"
    assert found.fix.lasts_s == pytest.approx((256 - 22) / 20.7 * 3600, rel=0.01)
    assert found.proposal.limit_bytes == 256 * MIB


@pytest.mark.parametrize(
    ("base", "seen", "code"),
    [
        pytest.param(raised(64), TOO_LOW, "fix.forecast.lowered", id="lowered"),
        pytest.param(raised(104), TOO_LOW, "fix.forecast.below_need", id="below what it needs"),
        pytest.param(killed(hpa_line="1-4, memory 80", baseline=Setup(limit_bytes=96 * MIB, template_bytes=96 * MIB, has_template=True, hpa="")), LEAK_SHAPE, "fix.forecast.replicas_of_a_leak", id="autoscaler for a leak"),
    ],
)  # fmt: skip
def test_what_cannot_help_is_said_at_once(base: Facts, seen: Shape, code: str) -> None:
    """And then the proposal stands, made from the new truth."""
    found = report(base, seen)

    assert found.fix is not None
    assert found.fix.forecast is not None
    assert (found.fix.forecast.code, found.fix.is_enough) == (code, False)
    assert item(found, "apply_fix").state == "todo"
    assert found.proposal.role != "keep"


def test_a_heap_that_may_grow_beyond_the_new_limit_cannot_help() -> None:
    """The flag was left as it was."""
    base = raised(200)
    assert base.pod is not None
    box = replace(base.pod.containers[0], command=("java", "-Xmx512m", "-jar", "app.jar"))
    found = report(replace(base, pod=replace(base.pod, containers=(box,))))

    assert found.fix is not None
    assert found.fix.forecast is not None
    assert (found.fix.forecast.code, found.fix.is_enough) == ("fix.forecast.heap_above", False)


def test_an_image_is_a_change_and_a_leak_may_be_mended_by_it() -> None:
    """Nothing more is proposed while that is seen."""
    base = killed(
        template_images={NAME: "shop:2"},
        revisions=(revision(NEW, 96, 900, image="shop:2", cause="fix the cache"), revision(OLD, 96, 400_000)),
    )
    found = report(base, LEAK_SHAPE)

    assert found.fix is not None
    assert [(c.what, c.before, c.after, c.cause) for c in found.fix.changes] == [("image", "shop:1", "shop:2", "fix the cache")]
    assert found.proposal.none is not None
    assert found.proposal.none.code == "advice.fix_is_watched"


def test_an_autoscaler_that_could_not_be_read_before_is_none_that_was_added() -> None:
    """What was not known then is not compared."""
    base = killed(vpa_line="Auto", baseline=Setup(limit_bytes=96 * MIB, template_bytes=96 * MIB, has_template=True))

    assert report(base).fix is None


def test_a_kill_with_the_change_in_force_leaves_no_fix() -> None:
    """What is in force at the newest kill is what the next change is compared with."""
    known = Baseline(setup=Setup(limit_bytes=64 * MIB, template_bytes=64 * MIB, has_template=True), at=ago(KILLED_S + 3600))
    base = replace(killed(), known=Known(baseline=known))
    found = report(base)

    assert found.fix is None
    assert found.baseline is not None
    assert (found.baseline.at, format_quantity(found.baseline.setup.limit_bytes or 0)) == (ago(KILLED_S), "96Mi")


def test_what_is_not_read_is_not_changed() -> None:
    """No owner, no pod's limit: nothing is concluded."""
    base = killed(template=None, revisions=(), template_images={})

    assert report(base).fix is None
    assert report(replace(base, now=base.now + timedelta(days=2))).fix is None
