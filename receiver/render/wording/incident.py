"""Sentences about the life of an incident: history, news, people, silences, storms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from receiver.diagnosis.causes.leaves import leaf_of
from receiver.domain.away import ALERTMANAGER
from receiver.domain.reason import Fact
from receiver.render.wording import causes
from receiver.render.wording.checklist import ITEMS
from receiver.render.wording.forms import Facts, Sentence, by, clock

DOING = {
    "acknowledge": "acknowledge",
    "fixed": "say that it is fixed",
    "not_fixed": "take back a fix",
    "wrong": "mark the verdict as wrong",
    "quiet": "silence",
    "loud": "undo a silence",
    "tick": "tick the checklist",
    "untick": "take back a tick",
    "request": "open a pull request",
}


def _verdict(facts: Facts) -> str:
    """`likely leak`, `looks like a leak`, `could be a leak`: as its leaf says it."""
    said = leaf_of(facts["cause"]).said(facts["confidence"], facts["detail"])
    return str(causes.SENTENCES[said.code])


def _item(facts: Facts) -> str:
    return ITEMS.get(str(facts["item"]), str(facts["item"]))


def _refused(facts: Facts) -> str:
    doing = DOING.get(str(facts["what"]), str(facts["what"]))
    return f"refused: {facts['by'] or 'somebody'} may not {doing} (slack_users in the settings)"


def _no_heartbeat(facts: Facts) -> str:
    silent_s = facts["silent_s"]
    minutes = int(silent_s / 60) if isinstance(silent_s, float) else 0
    return f"no heartbeat from Alertmanager for {minutes} min: alerts may not reach this channel. Check Prometheus and Alertmanager"


def _quarantined(facts: Facts) -> str:
    kinds, counts = facts["kinds"], facts["counts"]
    assert isinstance(kinds, tuple)
    assert isinstance(counts, tuple)
    what = ", ".join(f"{n} {kind}{'s' if n != 1 and kind != 'evidence' else ''}" for kind, n in zip(kinds, counts, strict=True))
    return (
        f"what is stored of {what} cannot be read and was put aside; everything else goes on. "
        f"The log names each. First: {facts['first_kind']} {facts['first_id']}: {facts['why']}"
    )


def _state_damaged(facts: Facts) -> str:
    taken = _taken_over(facts)
    went_on = f"with what could be read of it: {taken}" if taken else "with an empty one, because nothing of it could be read"
    return (
        f"the state file was damaged. It is kept as {facts['kept']}, and the receiver went on {went_on}. What is missing and still "
        "fires comes again, in new threads. What to do: docs/operations.md"
    )


def _state_replaced(facts: Facts) -> str:
    taken = _taken_over(facts)
    return (
        "the state file was replaced while the receiver ran. It goes on with the new one; the state it had is kept as "
        f"{facts['kept']}{f', and taken over from it are {taken}' if taken else ''}. What to do: docs/operations.md"
    )


def _taken_over(facts: Facts) -> str:
    """`3 alerts that wait, 1 open incident`; empty for nothing."""
    taken = ", ".join(
        f"{n} {one if n == 1 else many}"
        for fact, one, many in (
            ("alerts", "alert that waits", "alerts that wait"), ("incidents", "open incident", "open incidents"),
            ("planned", "planned look", "planned looks"),
        )
        if isinstance(n := facts[fact], int) and n
    )  # fmt: skip
    return f"{taken} (there was more than it may take)" if taken and facts["is_cut"] else taken


def _clock_of(fact: Fact) -> str:
    assert isinstance(fact, datetime)
    return clock(fact)


def _away(facts: Facts) -> str:
    span = f"from {_clock_of(facts['since']).removesuffix(' UTC')} to {_clock_of(facts['until'])}"
    return f"nothing came from Alertmanager {span}" if facts["whose"] == ALERTMANAGER else f"the receiver was away {span}"


SENTENCES: Mapping[str, Sentence] = {
    "incident.verdict": _verdict,
    # history
    "incident.log.legacy": "{text}",  # of a release that kept sentences
    "incident.log.resolved": "alert resolved",
    "incident.log.firing_again": "firing again",
    "incident.log.verdict_changed": "was '{before:reason}', now '{now:reason}'",
    "incident.log.limit_raised": "limit raised to {limit_bytes:quantity}",
    "incident.log.limit_lowered": "limit lowered to {limit_bytes:quantity}",
    "incident.log.image_changed": "image changed",
    "incident.log.acknowledged": "acknowledged{by:by}",
    "incident.log.fix_applied": "fix applied{by:by}",
    "incident.log.fix_taken_back": "fix taken back{by:by}",
    "incident.log.ticked": lambda facts: f"{_item(facts)}: ticked{by(facts['by'])}",
    "incident.log.tick_taken_back": lambda facts: f"{_item(facts)}: tick taken back{by(facts['by'])}",
    "incident.log.verdict_marked_wrong": "verdict marked as wrong{by:by}",
    "incident.log.silenced": "silenced until {until:clock}{by:by}",
    "incident.log.silence_undone": "silence undone{by:by}",
    "incident.log.silence_not_set": "silence not set: {why:reason}",
    "incident.log.silence_not_undone": "silence not undone: {why:reason}",
    "incident.log.refused": _refused,
    "incident.log.end_not_seen": "Alertmanager no longer lists the alert: its end was not seen",
    "incident.log.seen_late": lambda facts: f"seen late: {_away(facts)}",
    # a silence at Alertmanager, and why there is none
    "silence.comment": "{incident}: asked for{by:by} in the incident's Slack message",
    "silence.refused": "{error}",
    "silence.no_alertmanager": "ALERTMANAGER_URL is not set",
    "silence.too_late": "its time was over before Alertmanager could be asked",
    "silence.no_matchers": "no labels tell this workload's alerts from others",
    # what is said beside the edit of a root
    "incident.news.became_kill": "It was a warning until now. This is its first kill.",
    "incident.news.became_critical": "It was a warning when it was first told. It is critical now.",
    "incident.news.refired": "Firing again, {quiet_s:span} after the alert resolved.",
    "incident.news.every_replica": "Every replica has been killed by now.",
    "incident.news.never_up": "It has not come up for {down_s:span}.",
    "incident.news.still_dying": "Killed {kills} times by now, and still dying.",
    "incident.news.verdict_was": "The verdict was '{verdict:reason}'.",
    "incident.news.killed_unseen": lambda facts: (
        f"Killed at {_clock_of(facts['at'])} after the alert had resolved. Seen late: {_away(facts)}."
    ),
    # why a message is less than it should be
    "incident.note.failed_twice": "Gathering evidence failed twice; this is what the alert says.",
    "incident.note.failed": "Gathering evidence failed ({error}); this is what the alert says.",
    "incident.note.still_looking": "Still being looked at: it takes longer than a first message may wait. This message will change.",
    "incident.note.not_looked_at": "Not looked at yet: many incidents at once. This message will change.",
    "incident.note.seen_late": lambda facts: f"Seen late: {_away(facts)}.",
    "incident.note.template_broken": "Template {name} is broken ({why}); the built-in one was used",
    "incident.note.template_unusable": "template {name}: {why}",
    "incident.note.report_not_shown": "the report could not be shown ({error})",
    # what the command line answers
    "action.no_such_incident": "there is no such incident here (any more)",
    "action.no_such_storm": "there is no such storm here (any more)",
    "action.closed": "the incident is closed",
    "action.asked_for": "asked for",
    "action.not_allowed": "not allowed",
    "action.done_already": "done already",
    "action.already_done": "already done{by:by}",
    "action.nothing_to_do": "nothing to do",
    "action.no_checklist": "the incident has no such item in its checklist: it has no checklist (yet)",
    "action.no_such_item": "the incident has no such item in its checklist: known are {known:list}",
    "action.item_not_applicable": "does not apply: {result}",
    "action.item_done": "done already: {result}",
    # to the default channel
    "notice.body_too_large": "the body is larger than MAX_BODY ({limit_bytes} bytes); these alerts were not taken",
    "notice.body_unreadable": "a webhook body could not be read: {error}",
    "notice.no_heartbeat": _no_heartbeat,
    "notice.heartbeat_back": (
        "the heartbeat from Alertmanager is back. Nothing came from {since:clock} to {until:clock}: what fired and ended meanwhile is looked "
        "up in Prometheus"
    ),
    "notice.truncated": (
        "Alertmanager left {left_out} alerts out of a webhook body, the same ones each time. Set max_alerts: 0 in its webhook_config, or "
        "ALERTMANAGER_URL here, so that they can be read there"
    ),
    "notice.quarantined": _quarantined,
    "notice.state_damaged": _state_damaged,
    "notice.journal_gone": (
        "the state file's journal was missing at the start, although the receiver had not ended in order. Unless another program has opened "
        "the file meanwhile, the newest alerts, messages and acts of people are lost: alerts that still fire come again, and some threads may be "
        "opened a second time"
    ),
    "notice.state_restored": (
        "the receiver goes on from a backup of {at:%Y-%m-%d %H:%M} UTC. What it told and what people did since then it does not know: some threads "
        "may be opened a second time"
    ),
    "notice.state_saved": "the state file was deleted while the receiver ran. It was written anew at {at:%Y-%m-%d %H:%M} UTC; nothing is lost",
    "notice.state_replaced": _state_replaced,
    "notice.test_alert": "Asked for at {at:clock} by `oomtriage test-alert`, to see that alerts reach this channel. It counts nowhere",
    # in a storm's digest
    "storm.workers_killed": "{kills} workers killed, pod Running",
    "storm.kills": "{kills:count:kill}, {verdict:reason}",
}
