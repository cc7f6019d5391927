"""Sentences that only the page of an incident says: what happened when, what a source told, what another incident is like."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import format_quantity
from receiver.render.wording.forms import Facts, Sentence

_SLOTS = {"root": "the message", "evidence": "the evidence", "checklist": "the checklist", "patch": "the patch"}


def _message(facts: Facts) -> str:
    slot = str(facts["slot"]).partition(":")[0]
    if facts["is_storm"]:
        return f"newest version of a storm's message sent to {facts['where']}"
    return f"newest version of {_SLOTS[slot]} sent to {facts['where']}" if slot in _SLOTS else f"reply sent to {facts['where']}"


def _limit(facts: Facts) -> str:
    before, after = (format_quantity(n) if n is not None else "none" for n in (facts["before_bytes"], facts["after_bytes"]))
    return f"limit {before} to {after}"


def _image(facts: Facts) -> str:
    return f"image {facts['before']} to {facts['after']}" if facts["before"] else f"image {facts['after']}"


def _flags(facts: Facts) -> str:
    gone, come = facts["gone"], facts["come"]
    assert isinstance(gone, tuple)
    assert isinstance(come, tuple)
    said = [f"without {' '.join(map(str, gone))}" if gone else "", f"with {' '.join(map(str, come))}" if come else ""]
    return f"flags: {', '.join(s for s in said if s) or 'in another order'}"


SENTENCES: Mapping[str, Sentence] = {
    "page.note.not_looked_at": "Not looked at yet: its evidence is still to be gathered. This page changes when it is.",
    "page.note.no_evidence": "No evidence could be gathered so far: this is what the alert says.",
    "page.note.evidence_gone": "The evidence itself is no longer kept: the report is shown as it was written, without chart and rollouts.",
    "page.note.not_judged_again": "The stored evidence could not be judged again ({error}): the report is shown as it was written.",
    "page.state.silenced": "silenced until {until}",
    "page.stage.firing": "firing",
    "page.stage.not_fixed": "resolved, not fixed",
    "page.stage.acknowledged": "acknowledged",
    "page.stage.silenced": "silenced",
    "page.stage.fix_watched": "fix watched",
    "page.stage.closed": "closed",
    "page.list.not_judged": "not looked at yet",
    "page.list.kills_by_hour": "{count:count:kill} in the last 24 hours, most in one hour: {most}",
    "page.found.objects": "{count:count:object}",
    "page.found.lines": "{count:count:line}",
    "page.found.samples": "{count:count:sample} of {series:count:series/series}",
    "page.revision.image": _image,
    "page.revision.limit": _limit,
    "page.revision.flags": _flags,
    "page.revision.restart": "a restart; nothing was changed",
    "page.revision.other": "nothing about this container's image, limit or flags",
    "page.revision.before_kill": "{before_s:span} before the first kill",
    "page.moment.alert_fires": "alert {name} fires",
    "page.moment.alert_ends": "alert {name} is over",
    "page.moment.kill": "killed",
    "page.moment.looked": "looked at: the evidence on this page",
    "page.moment.will_look": "will be looked at again",
    "page.moment.will_follow_up": "the fix will be looked at",
    "page.moment.message": _message,
    "page.alike.workload": "same workload",
    "page.alike.signature": "same error in its log",
    "page.alike.image": "same image",
    "page.alike.node": "same node",
    "page.ended.firing": "still firing",
    "page.ended.fix_failed": "{because:reason}",
    "page.ended.fix_held": "{what:reason}: {because:reason}",
    "page.ended.fixed": "{what:reason}, and not killed since",
    "page.ended.said_fixed": "fix applied{by:by}, and not killed since",
    "page.ended.not_fixed": "the alert resolved; no fix was seen",
}
