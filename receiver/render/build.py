"""From an incident and its report to the words that templates see (`context.Context`). One function a part."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from receiver.diagnosis.advice.limits_policy import is_futile
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Missing
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.facts import Facts
from receiver.domain.identity import UNKNOWN_KIND, Subject
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import STANDING, LogEntry
from receiver.domain.reason import Reason, Words
from receiver.domain.report import CauseName, KillKind, Report, Shape
from receiver.domain.units import format_quantity, from_epoch, human_bytes, human_duration
from receiver.render import words
from receiver.render.context import (
    AlertWords,
    CauseWords,
    ChangeWords,
    CheckWords,
    Context,
    EntryWords,
    KillWords,
    MissingWords,
    ReplicaWords,
    StateWords,
)
from receiver.render.inline import when
from receiver.render.memory import container_of, growth_words, memory_words
from receiver.render.text import clean_line, clean_phrase, cut, sentence
from receiver.render.wording import phrase, remark, say, settling, speaks_for, tells_of_replicas
from receiver.render.wording.death import detail_words, sender_words

RECENT_ROLLOUT_S = 7_200.0  # a kill later than this after a rollout is no longer named in one breath with it
NEVER_UP_S = 60.0
WORTHWHILE_H = 0.5  # a stop-gap that buys less per life is not worth a rollout: the thread has it, the root does not name it

JOBS = ("Job", "CronJob")  # what ends by itself
_SEVERITIES = ("critical", "error", "warning", "info", "none")
_OOM_NAMES = ("oom", "memory")
_IN_SERIES = (KillKind.CONTAINER_OOM, KillKind.SUSPECTED_OOM, KillKind.NODE_OOM)


def build(view: IncidentView, report: Report | None, *, patch_place: str = "in the thread") -> Context:
    """The whole context. `now` is when the evidence was gathered: nothing here depends on when it is rendered."""
    now = now_of(view, report)
    facts = report.facts if report else None
    subject = report.subject if report else view.subject
    shape = report.shape if report else None
    workload = subject.workload
    name = (workload.name if workload else "") or subject.pod or subject.node
    container = subject.container if subject.container and subject.container != name else ""
    return Context(
        subject=clean_line("/".join(p for p in (name, container) if p)) or clean_line(alert_of(view.alerts).name if view.alerts else "") or "an alert",
        workload=clean_line(name),
        kind=clean_line(workload.kind) if workload and workload.kind != UNKNOWN_KIND else "",
        is_job=workload is not None and workload.kind in JOBS,
        container=clean_line(container),
        namespace=clean_line(subject.namespace),
        cluster=clean_line(subject.cluster),
        pod=clean_line(subject.pod),
        node=clean_line(_node_name(subject, facts)),
        node_memory=human_bytes(facts.node.allocatable_bytes) if facts and facts.node and facts.node.allocatable_bytes else "",
        where=clean_line("/".join(p for p in (subject.namespace, subject.cluster) if p)),
        place=clean_line("/".join(p for p in (subject.namespace, name) if p)),
        page=view.page_url,
        alert=_alert(view, now),
        kill=_kill(view, report, now),
        replicas=_replicas(view, facts),
        memory=memory_words(facts, shape, subject.container),
        growth=growth_words(report, now),
        cause=_cause(report),
        change=_change(report),
        state=_state(facts, subject.container, shape),
        checks=_checks(report),
        missing=tuple(_missing(m) for m in (report.missing if report else ()) if not m.is_normal),
        signature=clean_line(report.signature.meaning, 120) if report and report.signature else "",
        advice=clean_line(report.signature.advice, 240) if report and report.signature else "",
        has_pod=facts is not None and facts.pod is not None,
        others_killed=facts.node.other_oom_kills if facts and facts.node else (),
        neighbours=_neighbours(facts, subject.container),
        rollout=_rollout(view, report),
        previous=when(view.previous_opened_at, now) if view.previous_opened_at else None,
        looks=tuple(when(at, now) for at in view.looks_at),
        log=tuple(_entry(e, now) for e in view.log),
        news=tuple(_entry(e, now) for e in _news(view)),
        acknowledged=clean_line(say(view.acknowledged), 60),
        fix_noted=clean_line(say(view.fix_noted), 60),
        silenced_until=when(view.silenced_until, now) if view.silenced_until and view.silenced_until > now else None,
        silence_page=view.silence_url,
        is_resolved=view.state != FIRING,
        settings_changed=clean_line(say(view.settings_change)),
        patch_place=patch_place,
        note=note_of(view),
    )  # fmt: skip


def now_of(view: IncidentView, report: Report | None) -> datetime:
    """The moment a message speaks of: when the evidence was gathered, or the newest thing that is known to have happened."""
    if report is not None:
        return report.facts.now
    known = [view.opened_at, *(e.at for e in view.log), *(t for a in view.alerts for t in (a.starts_at, a.ends_at) if t)]
    return max(known)


def alert_of(alerts: Iterable[Alert]) -> Alert:
    """The alert that speaks for an incident: firing before resolved, the most severe, the newest. ValueError for none."""

    def rank(alert: Alert) -> tuple[bool, int, float, str]:
        severity = _SEVERITIES.index(alert.severity) if alert.severity in _SEVERITIES else 2
        return (alert.status != FIRING, severity, -alert.starts_at.timestamp(), alert.fingerprint)

    return min(alerts, key=rank)


def _alert(view: IncidentView, now: datetime) -> AlertWords:
    if not view.alerts:
        return AlertWords(name="", severity=view.severity, state=view.state, since=when(view.opened_at, now), has_oom_name=False)
    alert = alert_of(view.alerts)
    return AlertWords(
        name=clean_line(alert.name, 80) or "an alert without a name",
        severity=clean_line(alert.severity, 20),
        state=alert.status,
        since=when(alert.starts_at, now),
        has_oom_name=any(part in alert.name.lower() for part in _OOM_NAMES),
    )


def _node_name(subject: Subject, facts: Facts | None) -> str:
    if facts and facts.node:
        return facts.node.name
    return facts.pod.node if facts and facts.pod and facts.pod.node else subject.node


def _kill(view: IncidentView, report: Report | None, now: datetime) -> KillWords:
    kill = report.kill if report else None
    kind = kill.kind if kill else KillKind.NONE
    facts = report.facts if report else None
    shape = report.shape if report else None
    restarts = kill.restarts if kill else None
    # Every source counts a part: kills seen by the incident, kills in the series. None of them can count too many.
    count = max(view.kill_count, len(shape.kills) if shape and kind in _IN_SERIES else 0, 1 if kind is not KillKind.NONE else 0)
    at = max((t for t in (view.last_kill_at, kill.at if kill else None) if t), default=None)
    firsts = [t for t in (view.first_kill_at, from_epoch(shape.kills[0]) if shape and shape.kills and kind in _IN_SERIES else None) if t]
    span_s = (at - min(firsts)).total_seconds() if at and firsts else 0.0
    span = words.roughly(span_s) if span_s >= 60 and count > 1 else ""
    life_s = (kill.at - kill.started_at).total_seconds() if kill and kill.at and kill.started_at else None
    is_reported = kill is not None and not kill.reason and kill.exit_code is None
    word = _word(kind, is_reported=is_reported)
    return KillWords(
        kind=kind.value,
        reason=clean_line(kill.reason, 60) if kill else "",
        exit_code=kill.exit_code if kill else None,
        trigger=sender_words(kill.sender) if kill else "",
        sender=kill.sender.value if kill and kill.sender else "",
        is_probe=bool(kill and kill.sender and kill.sender.is_probe),
        is_sure=bool(kill and kill.is_sure),
        count=count,
        phrases=_phrases(
            word, count, span, restarts, _replicas(view, facts), is_exit_137=kind is KillKind.SUSPECTED_OOM and not is_reported
        ),
        short=f"{word} x{count}" if count > 1 else word,
        at=when(at, now) if at else None,
        span=span,
        life=human_duration(life_s) if life_s is not None and life_s >= 0 else "",
        because=tuple(phrase(b) for b in kill.because) if kill else (),
        processes=facts.child_kills if facts else None,
    )


def _word(kind: KillKind, *, is_reported: bool = False) -> str:
    words_of = {
        KillKind.CONTAINER_OOM: "OOMKilled",
        KillKind.SUSPECTED_OOM: "reported OOMKilled" if is_reported else "probably OOM",
        KillKind.NODE_OOM: "OOM-killed by its node",
        KillKind.EVICTION: "evicted",
        KillKind.CHILD_PROCESS_OOM: "processes OOM-killed",
    }
    return words_of.get(kind, "killed")


def _phrases(word: str, count: int, span: str, restarts: int | None, replicas: ReplicaWords, *, is_exit_137: bool) -> tuple[str, ...]:
    """`OOMKilled 4 times in 8 h`, then shorter ones. A count of 1 with restarts says those: other kills may be among them.

    `is_exit_137`: that an OOM was the reason is concluded from a SIGKILL, and what was seen is said first.
    """
    base: tuple[str, ...]
    if is_exit_137:
        times = f" {words.times(count)}" if count > 1 else ""
        base = (f"killed{times} (exit 137), probably OOM", f"{word} x{count}" if count > 1 else word)
    elif count <= 1:
        base = (f"{word}, {restarts} restarts", word) if restarts and restarts > 1 else (word,)
    else:
        times = words.times(count)
        base = tuple(dict.fromkeys((f"{word} {times} in {span}" if span else f"{word} {times}", f"{word} {times}")))
    if replicas.phrase:
        shorter = (f"{word} x{count} on {replicas.phrase}",) if count > 1 else ()
        return (f"{base[-1]} on {replicas.phrase}", *shorter, *base)
    return base


def _replicas(view: IncidentView, facts: Facts | None) -> ReplicaWords:
    workload = facts.workload if facts else None
    desired = workload.replicas_desired if workload else None
    hit = {p for p in view.pods if p}
    if facts and facts.subject.pod:
        hit.add(facts.subject.pod)
    if workload:
        hit |= {s.pod for s in workload.siblings if s.last_reason == "OOMKilled"}
    count = len(hit)
    if desired is not None and desired > 1:
        shown = min(count, desired)  # pods are replaced: their names may outnumber the replicas
        all_of = "both replicas" if desired == 2 else f"all {desired} replicas"
        phrase = all_of if shown == desired else f"{shown} of {desired} replicas"
        return ReplicaWords(hit=shown, desired=desired, is_one_of_many=shown == 1, is_all=shown == desired, phrase=phrase)
    hit_now = count if desired is None else 1
    phrase = words.counted(hit_now, "replica") if hit_now > 1 else ""
    return ReplicaWords(hit=hit_now, desired=None, is_one_of_many=False, is_all=False, phrase=phrase)


def _cause(report: Report | None) -> CauseWords:
    if report is None:
        return CauseWords(
            name=CauseName.UNKNOWN.value,
            is_likely=False,
            is_plausible=False,
            because=(),
            against=(),
            first_against_is_refusal=False,
            first_against_is_replicas=False,
            settle_by="",
            detail="",
            follows_traffic=False,
            known_as="",
            could_be="",
        )
    cause, shape, leaf = report.cause, report.shape, leaf_of(report.cause.name)
    is_job = report.subject.workload is not None and report.subject.workload.kind in JOBS
    against = sorted(cause.against, key=speaks_for)  # what speaks against it comes first, then which others were refused
    return CauseWords(
        name=cause.name.value,
        is_likely=cause.confidence >= LIKELY,
        is_plausible=cause.confidence >= PLAUSIBLE,
        because=tuple(clean_phrase(remark(b)) for b in cause.because),
        against=tuple(clean_phrase(remark(a)) for a in against),
        first_against_is_refusal=bool(against) and speaks_for(against[0]),
        first_against_is_replicas=bool(against) and tells_of_replicas(against[0]),
        settle_by=_settling(cause.settle_by),
        detail=detail_words(cause),
        follows_traffic=cause.detail == "traffic" or bool(shape and (shape.rate_correlation or 0.0) >= 0.5),
        known_as=say(leaf.known_as),
        could_be=say((leaf.unclear_in_job if is_job else None) or leaf.unclear),
    )


def _settling(settle_by: Words) -> str:
    words_of = clean_line(settling(settle_by), 300)
    if isinstance(settle_by, Reason) or not words_of:
        return words_of
    return words_of if "settle" in words_of or "could be" in words_of.lower() else f"to settle it: {words_of}"


def _change(report: Report | None) -> ChangeWords:
    proposal = report.proposal if report else None
    if proposal is None or proposal.none or not proposal.limit_bytes:
        return ChangeWords(
            role="",
            none=clean_line(say(proposal.none)) if proposal else "",
            limit_before="",
            limit="",
            request_before="",
            request="",
            buys="",
            why="",
            is_worthwhile=False,
            is_futile=False,
            after_raise="",
            lasts="",
        )
    return ChangeWords(
        role=proposal.role,
        none="",
        limit_before=_quantity(proposal.limit_before_bytes),
        limit=_quantity(proposal.limit_bytes),
        request_before=_quantity(proposal.request_before_bytes),
        request=_quantity(proposal.request_bytes),
        buys=words.about(proposal.buys_h * 3600) if proposal.buys_h else "",
        is_worthwhile=proposal.buys_h is None or proposal.buys_h >= WORTHWHILE_H,
        is_futile=is_futile(proposal),
        after_raise=clean_line(say(proposal.after_raise)),
        lasts=_lasts(proposal.buys_h),
        why=clean_line(say(proposal.why), 300),
    )


def _lasts(buys_h: float | None) -> str:
    if buys_h is None:
        return ""
    return words.about(buys_h * 3600) if buys_h * 60 >= 1 else "under a minute"


def _quantity(n_bytes: int | None) -> str:
    return format_quantity(n_bytes) if n_bytes else ""


def _state(facts: Facts | None, container_name: str, shape: Shape | None) -> StateWords:
    container = container_of(facts, container_name)
    if container is None:
        return StateWords(name="unknown", reason="", is_looping=False, is_never_up=False, restarts=None)
    is_looping = container.state_reason == "CrashLoopBackOff"
    newest = container.newest_termination
    lived_s = (newest.finished_at - newest.started_at).total_seconds() if newest and newest.finished_at and newest.started_at else None
    has_longer_life = any(life.end_s - life.start_s > NEVER_UP_S for life in shape.lives) if shape else False
    return StateWords(
        name=container.state,
        reason=clean_line(container.state_reason, 60),
        is_looping=is_looping,
        is_never_up=container.state in ("waiting", "terminated")
        and container.restart_count >= 3
        and lived_s is not None
        and lived_s < NEVER_UP_S
        and not has_longer_life,
        restarts=container.restart_count,
    )


def _checks(report: Report | None) -> CheckWords:
    states = [item.state for item in report.checklist] if report else []
    does_not_apply = states.count("not_applicable")
    return CheckWords(
        total=len(states),
        done=states.count("done"),
        todo=states.count("todo"),
        could_not=states.count("could_not_check"),
        does_not_apply=does_not_apply,
    )


def _missing(entry: Missing) -> MissingWords:
    what = words.source(entry.source)
    why = clean_line(entry.why).removeprefix(f"no {what}").removeprefix(what).strip(" :")
    return MissingWords(what=what, why=cut(_first_clause(why), 90), hint=clean_line(entry.hint, 160), is_normal=entry.is_normal)


def _first_clause(text: str) -> str:
    """`no request rate: none of the usual counters ...` -> `no request rate`; a bare code keeps what follows it."""
    for mark in (": ", "; "):
        head, _, rest = text.partition(mark)
        if rest and len(head) >= 8:
            text = head
    return text


def _neighbours(facts: Facts | None, container_name: str) -> tuple[str, ...]:
    if facts is None or facts.pod is None:
        return ()
    others = (c for c in facts.pod.containers if c.name != container_name and c.kind in ("regular", "sidecar"))
    return tuple(clean_line(c.name, 63) for c in others if c.state == "running" and c.restart_count == 0)


def _rollout(view: IncidentView, report: Report | None) -> str:
    workload = report.facts.workload if report else None
    if report is None or workload is None or not workload.revisions:
        return ""
    rolled_out = workload.revisions[0].created_at
    shape_first = from_epoch(report.shape.kills[0]) if report.shape and report.shape.kills else None
    first = min((t for t in (view.first_kill_at, shape_first, report.kill.at) if t), default=None)
    if rolled_out is None or first is None or not 0 <= (first - rolled_out).total_seconds() <= RECENT_ROLLOUT_S:
        return ""
    return words.about((first - rolled_out).total_seconds())


def _news(view: IncidentView) -> list[LogEntry]:
    since = view.last_kill_at
    return [e for e in view.log if (since is None or e.at > since) and e.shown != STANDING]


def _entry(entry: LogEntry, now: datetime) -> EntryWords:
    return EntryWords(at=when(entry.at, now), text=clean_line(say(entry.what)))


def note_of(view: IncidentView) -> str:
    """Why the message is less than it should be; empty when it is not."""
    notes = [say(note) for note in view.notes]
    return clean_line(" ".join(sentence(n) for n in notes) if len(notes) > 1 else "".join(notes))
