"""From an incident and its report to the words that templates see (`context.Context`). One function a part."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from receiver.diagnosis.advice.elsewhere import ELSEWHERE
from receiver.diagnosis.advice.limits_policy import is_futile
from receiver.diagnosis.advice.refusal import NOT_AN_OOM, RAISED_IN_VAIN
from receiver.diagnosis.causes.common import is_regression
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.log.signatures.model import REFUSED
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.case import Missing
from receiver.domain.confidence import LIKELY, PLAUSIBLE
from receiver.domain.facts import Facts
from receiver.domain.identity import UNKNOWN_KIND, Subject
from receiver.domain.incident import IncidentView
from receiver.domain.incident_memory import STANDING, LogEntry
from receiver.domain.reason import Reason
from receiver.domain.report import Cause, CauseName, Report
from receiver.domain.runs import Runs, runs_of
from receiver.domain.units import format_quantity, from_epoch, human_bytes
from receiver.render import words
from receiver.render.context.fix import fix_words
from receiver.render.context.kill import kill_words, limit_at_kill, replica_words
from receiver.render.context.memory import container_of, growth_words, memory_words
from receiver.render.context.model import (
    AlertWords,
    CauseWords,
    ChangeWords,
    CheckWords,
    Context,
    EntryWords,
    MissingWords,
    StateWords,
)
from receiver.render.inline import when
from receiver.render.text import clean_line, clean_phrase, sentence
from receiver.render.wording import remark, say, settling, speaks_for, tells_of_replicas, witnesses
from receiver.render.wording.death import detail_words

# Without these a verdict says less than it could, whatever the reason: the root names them.
DECISIVE = frozenset({"cluster", "pod", "events", "log", "history"})
RECENT_ROLLOUT_S = 7_200.0  # a kill later than this after a rollout is no longer named in one breath with it
NEVER_UP_S = 60.0
WORTHWHILE_H = 0.5  # a stop-gap that buys less per life is not worth a rollout: the thread has it, the root does not name it

JOBS = ("Job", "CronJob")  # what ends by itself
_SEVERITIES = ("critical", "error", "warning", "info", "none")
_OOM_NAMES = ("oom", "memory")


def build(view: IncidentView, report: Report | None, *, patch_place: str = "in the thread") -> Context:
    """The whole context. `now` is when the evidence was gathered: nothing here depends on when it is rendered."""
    now = now_of(view, report)
    facts = report.facts if report else None
    subject = report.subject if report else view.subject
    shape = report.shape if report else None
    return Context(
        **_names(view, subject),
        **_node(subject, facts),
        **_runs(subject, facts),
        **_signature(report),
        page=view.page_url,
        alert=_alert(view, now),
        kill=kill_words(view, report, now),
        replicas=replica_words(view, facts),
        memory=memory_words(facts, shape, subject.container, killed_at_bytes=limit_at_kill(report)),
        growth=growth_words(report, now),
        cause=_cause(view, report),
        change=_change(report),
        state=_state(facts, subject.container, report),
        checks=_checks(report),
        missing=tuple(_missing(m) for m in (report.missing if report else ()) if not m.is_normal),
        has_pod=facts is not None and facts.pod is not None,
        neighbours=_neighbours(facts, subject.container),
        rollout=_rollout(view, report),
        previous=when(view.previous_opened_at, now) if view.previous_opened_at else None,
        looks=tuple(when(at, now) for at in view.looks_at),
        log=tuple(_entry(e, now) for e in view.log),
        news=tuple(_entry(e, now) for e in _news(view)),
        acknowledged=clean_line(say(view.acknowledged), 60),
        fix_noted=clean_line(say(view.fix_noted), 60),
        silenced_until=when(view.silenced_until, now) if view.silenced_until and view.silenced_until > now else None,
        request_page=view.request.url if view.request is not None else "",
        silence_page=view.silence_url,
        is_resolved=view.state != FIRING,
        settings_changed=clean_line(say(view.settings_change)),
        fix=fix_words(view, report, now),
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


class _Names(TypedDict):
    subject: str
    workload: str
    kind: str
    is_job: bool
    container: str
    namespace: str
    cluster: str
    pod: str
    where: str
    place: str


def _names(view: IncidentView, subject: Subject) -> _Names:
    """What it is called, and where it is."""
    workload = subject.workload
    name = (workload.name if workload else "") or subject.pod or subject.node
    container = subject.container if subject.container != name else ""
    of_alert = clean_line(alert_of(view.alerts).name) if view.alerts else ""
    return _Names(
        subject=clean_line(_joined(name, container)) or of_alert or "an alert",
        workload=clean_line(name),
        kind=clean_line(workload.kind) if workload and workload.kind != UNKNOWN_KIND else "",
        is_job=workload is not None and workload.kind in JOBS,
        container=clean_line(container),
        namespace=clean_line(subject.namespace),
        cluster=clean_line(subject.cluster),
        pod=clean_line(subject.pod),
        where=clean_line(_joined(subject.namespace, subject.cluster)),
        place=clean_line(_joined(subject.namespace, name)),
    )


def _joined(*names: str) -> str:
    return "/".join(n for n in names if n)


class _Node(TypedDict):
    node: str
    node_memory: str
    others_killed: tuple[str, ...]


def _node(subject: Subject, facts: Facts | None) -> _Node:
    """Its node, as far as it was read."""
    node = facts.node if facts else None
    if node is None:
        of_pod = facts.pod.node if facts and facts.pod else ""
        return _Node(node=clean_line(of_pod or subject.node), node_memory="", others_killed=())
    memory = human_bytes(node.allocatable_bytes) if node.allocatable_bytes else ""
    return _Node(node=clean_line(node.name), node_memory=memory, others_killed=node.other_oom_kills)


class _RunWords(TypedDict):
    runs: str
    schedule: str
    is_suspended: bool
    job_failure: str


def _runs(subject: Subject, facts: Facts | None) -> _RunWords:
    """How it runs, and what its Job or CronJob says of that."""
    workload = facts.workload if facts else None
    return _RunWords(
        runs=runs_of(subject.workload, facts.pod if facts else None).value,
        schedule=clean_line(workload.schedule, 60) if workload else "",
        is_suspended=workload is not None and workload.is_suspended,
        job_failure=clean_line(workload.job_failure, 60) if workload else "",
    )


class _SignatureWords(TypedDict):
    signature: str
    is_allocation_refused: bool
    advice: str


def _signature(report: Report | None) -> _SignatureWords:
    """The memory error that its log names."""
    found = report.signature if report else None
    if found is None:
        return _SignatureWords(signature="", advice="", is_allocation_refused=False)
    return _SignatureWords(
        signature=clean_line(found.meaning, 120), advice=clean_line(found.advice, 240), is_allocation_refused=found.kind == REFUSED
    )


def _cause(view: IncidentView, report: Report | None) -> CauseWords:
    if report is None:
        return CauseWords(
            name=CauseName.UNKNOWN.value,
            is_likely=False,
            is_plausible=False,
            because=(),
            against=(),
            first_against_is_refusal=False,
            tells_of_replicas=False,
            witnessed=(),
            is_regression=False,
            settle_by="",
            headlines=(),
            remedy="",
            detail="",
            follows_traffic=False,
            known_as="",
            could_be="",
            page="",
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
        tells_of_replicas=any(tells_of_replicas(r) for r in (*cause.because, *against[:1])),
        witnessed=tuple(clean_phrase(remark(b)) for b in cause.because if b.code in witnesses.TOLD),
        is_regression=is_regression(cause.because),
        settle_by=clean_line(settling(cause.settle_by), 300),
        headlines=_headlines(cause),
        remedy=clean_line(say(cause.remedy), 300),
        detail=detail_words(cause),
        follows_traffic=cause.detail == "traffic" or bool(shape and (shape.rate_correlation or 0.0) >= 0.5),
        known_as=say(leaf.known_as),
        could_be=say((leaf.unclear_in_job if is_job else None) or leaf.unclear),
        page=f"{view.causes_url}/{cause.name.value}" if view.causes_url else "",
    )


def _headlines(cause: Cause) -> tuple[str, ...]:
    if cause.headline is None:
        return ()
    shorter = (cause.headline.by_name.get(name) for name in ("medium", "short"))
    return tuple(clean_line(say(h), 120) for h in (cause.headline, *shorter) if isinstance(h, Reason))


def _change(report: Report | None) -> ChangeWords:
    proposal = report.proposal if report else None
    if proposal is None or proposal.none is not None or not proposal.limit_bytes:
        return ChangeWords(
            role="",
            none=clean_line(say(proposal.none), 400) if proposal else "",
            forbids_raise=proposal is not None and proposal.none is not None and proposal.none.code == NOT_AN_OOM,
            says_what_to_do=proposal is not None and proposal.none is not None and proposal.none.code in (*RAISED_IN_VAIN, *ELSEWHERE),
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
        forbids_raise=False,
        says_what_to_do=False,
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


def _state(facts: Facts | None, container_name: str, report: Report | None) -> StateWords:
    container = container_of(facts, container_name)
    if container is None:
        return StateWords(name="unknown", reason="", is_looping=False, is_never_up=False, restarts=None)
    is_looping = container.state_reason == "CrashLoopBackOff"
    newest = container.newest_termination
    lived_s = (newest.finished_at - newest.started_at).total_seconds() if newest and newest.finished_at and newest.started_at else None
    lives = report.shape.lives if report is not None and report.shape is not None else ()
    return StateWords(
        name=container.state,
        reason=clean_line(container.state_reason, 60),
        is_looping=is_looping,
        is_never_up=container.state in ("waiting", "terminated")
        and container.restart_count >= 3
        and report is not None
        and report.has_come_up is False
        and runs_of(report.subject.workload, facts.pod if facts else None) is Runs.FOR_EVER
        and lived_s is not None
        and lived_s < NEVER_UP_S
        and all(life.end_s - life.start_s <= NEVER_UP_S for life in lives),
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
    return MissingWords(
        what=words.source(entry.source), why=words.shortened(clean_line(entry.why)), hint=clean_line(entry.hint_for_reader, 160),
        is_normal=entry.is_normal, is_standing=entry.is_configuration and entry.source not in DECISIVE,
    )  # fmt: skip


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
