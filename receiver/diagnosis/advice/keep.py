"""A fix that was applied, made to last: what must still be written where, so that the next deploy or rollout does not undo it."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice.elsewhere import about_start
from receiver.diagnosis.advice.fix import limit_change
from receiver.diagnosis.advice.patch import change_of, commands_of, diff_of, notes_of, patch_of
from receiver.diagnosis.advice.starting_point import Start
from receiver.diagnosis.clues import Clues
from receiver.domain.change import Change, What
from receiver.domain.facts import MemorySetting
from receiver.domain.reason import reason
from receiver.domain.report import Fix, Proposal
from receiver.domain.units import format_quantity

KEEP = "keep"
# Field managers that write what stands in Git or in a chart; every other one is somebody's hand.
FROM_FILES = frozenset(
    (
        "argocd-controller", "argocd-application-controller", "argocd-server", "kustomize-controller", "helm-controller", "helm", "Helm",
        "pulumi", "terraform", "Terraform", "HashiCorp", "fluxcd", "flux", "fleetagent", "rancher-fleet", "kapp",
    )
)  # fmt: skip
_FROM_APPLIED_FILES = frozenset(("kubectl-client-side-apply", "kubectl", "before-first-apply"))  # kubectl apply of a file


def is_from_files(change: Change) -> bool:
    """Whether the change came from Git, a chart or a file, so that the next deploy has it too."""
    return change.by in FROM_FILES or change.by in _FROM_APPLIED_FILES


def kept(clues: Clues, fix: Fix, start: Start) -> Proposal:
    """What is left to do about a fix that is watched."""
    change = limit_change(fix.changes)
    if change is None or change.after_bytes is None:
        return Proposal(none=reason("advice.fix_is_watched", what=fix.changes[0].as_reason()))
    if change.what == What.RESIZE:
        return _of_one_pod(clues, fix, change, start)
    if is_from_files(change):
        return Proposal(none=reason("advice.fix_is_in_files", what=change.as_reason(), by=change.by))
    # Git cannot be read; what the template had before is what Git has as long as no tool of Git's wrote the change.
    was = MemorySetting(limit_bytes=change.before_bytes, limit_text=format_quantity(change.before_bytes) if change.before_bytes else "")
    plain = change_of(clues, replace(start, template=was), limit_bytes=change.after_bytes, request_bytes=None)
    return Proposal(
        role=KEEP, limit_before_bytes=change.before_bytes, limit_bytes=change.after_bytes, patch=patch_of(plain), diff=diff_of(plain),
        why=reason("advice.keep_in_git", limit_bytes=change.after_bytes), caveats=notes_of(plain), buys_h=_hours(fix),
    )  # fmt: skip


def _of_one_pod(clues: Clues, fix: Fix, change: Change, start: Start) -> Proposal:
    """The pod has it and the template has not: write it there."""
    limit = change.after_bytes or 0
    plain = replace(change_of(clues, start, limit_bytes=limit, request_bytes=None), is_running=False)  # it has it already
    commands, notes = commands_of(plain)
    return Proposal(
        role=KEEP, limit_before_bytes=plain.limit_before_bytes, limit_bytes=limit, patch=patch_of(plain), diff=diff_of(plain),
        commands=commands, why=reason("advice.keep_in_template", limit_bytes=limit), caveats=(*about_start(clues, start), *notes),
        buys_h=_hours(fix),
    )  # fmt: skip


def _hours(fix: Fix) -> float | None:
    return round(fix.lasts_s / 3600, 4) if fix.lasts_s is not None else None
