"""A report as one JSON document, `oomtriage.report/v1` (docs: the public interface).

Bytes are integers named `*_bytes`, times RFC 3339 in UTC, ratios 0-1; Kubernetes quantities are strings as Kubernetes
writes them. Fields may be added; none is renamed or removed. `codes` names the reasons behind the texts: texts get better,
codes stay, so a program compares those.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.domain.case import subject_to_json
from receiver.domain.facts import ContainerFacts, Facts, Termination
from receiver.domain.incident import IncidentView
from receiver.domain.reason import Reason, codes_of
from receiver.domain.report import REPORT_SCHEMA, Cause, CheckItem, Fix, Hpa, Kill, Proposal, Report, Shape, Signature
from receiver.domain.units import format_quantity, format_time, from_epoch
from receiver.render.wording import CHECKLIST, phrase, say, say_all
from receiver.render.wording.death import detail_words, sender_words


def report_document(report: Report) -> dict[str, Any]:
    """The whole report. Plain JSON values only."""
    return {
        "schema": REPORT_SCHEMA,
        "generated_at": format_time(report.facts.now),
        "subject": subject_to_json(report.subject),
        "kill": _kill(report.kill),
        "cause": _cause(report.cause),
        "tree": [
            {
                "id": s.id,
                "question": say(s.question),
                "answer": s.answer,
                "because": phrase(s.because),
                **({"leads_to": s.leads_to} if s.leads_to else {}),
            }
            for s in report.tree
        ],
        "checklist": [_check_item(item) for item in report.checklist],
        "proposal": _proposal(report.proposal),
        **({"fix": _fix(report.fix)} if report.fix is not None else {}),
        "hpa": _hpa(report.hpa),
        "long_term": [{"id": e.id, "text": say(e.advice), "commands": list(e.commands)} for e in report.long_term],
        "warnings": [{"id": w.id, "text": say(w.mistake)} for w in report.warnings],
        "missing": [m.to_json() for m in report.missing],
        "signature": _signature(report.signature),
        "runtime": report.runtime,
        "shape": _shape(report.shape),
        "numbers": list(say_all(report.numbers)),
        "codes": _codes(report),
        "evidence": _evidence(report.facts, report.subject.container),
    }


def event_document(view: IncidentView, report: Mapping[str, Any] | None, event: str) -> dict[str, Any]:
    """An event of an incident: the report document with three more keys, `event` (opened, updated, resolved), `incident` and
    `alerts`. An alert that cannot be diagnosed has these, `schema` and `subject` only. Plain JSON values only.
    """
    return {
        "schema": REPORT_SCHEMA,
        "event": event,
        "incident": {
            "id": view.id,
            "state": view.state,
            "severity": view.severity,
            "opened_at": format_time(view.opened_at),
            "resolved_at": _time(view.resolved_at),
            "kill_count": view.kill_count,
            "last_kill_at": _time(view.last_kill_at),
            "pods": list(view.pods),
            "page_url": view.page_url,
            "previous_id": view.previous_id,
            "settings_changed": say(view.settings_change),
            "note": " ".join(say_all(view.notes)),
        },
        "alerts": [alert.to_json() for alert in view.alerts],
        **(report or {"subject": subject_to_json(view.subject)}),
    }


def event_line(view: IncidentView, event: str) -> str:
    """The same as one line."""
    name = view.alerts[-1].name if view.alerts else "alert"
    return f"{event}: {name} of {view.subject.namespace or view.subject.node or 'an unknown place'} ({view.id})"


def _codes(report: Report) -> dict[str, Any]:
    """The code of every reason, in the order of their texts, those of reasons inside reasons behind each."""
    kill, cause, proposal, shape = report.kill, report.cause, report.proposal, report.shape
    return {
        "kill": _coded(*kill.because),
        "cause": _coded(*cause.because),
        "against": _coded(*cause.against),
        "settle_by": _coded(cause.settle_by),
        "tree": {s.id: _coded(s.because) for s in report.tree},
        "checklist": {item.id: _coded(item.result) for item in report.checklist},
        "proposal": _coded(proposal.none, proposal.why, *proposal.caveats, *proposal.checks, proposal.after_raise),
        "hpa": _coded(report.hpa.why) if report.hpa is not None else [],
        "long_term": {e.id: _coded(e.advice) for e in report.long_term},
        "warnings": {w.id: _coded(w.mistake) for w in report.warnings},
        "shape": _coded(*shape.because, *shape.against) if shape is not None else [],
    }


def _coded(*said: Reason | None) -> list[str]:
    return list(codes_of(*said))


def _check_item(item: CheckItem) -> dict[str, Any]:
    ticked = {"ticked": {"by": item.tick.by, "at": format_time(item.tick.at)}} if item.tick else {}
    return {"id": item.id, "text": CHECKLIST.get(item.id, item.id), "state": item.state, "result": say(item.result), **ticked}


def _kill(kill: Kill) -> dict[str, Any]:
    return {
        "kind": kill.kind.value, "reason": kill.reason, "exit_code": kill.exit_code, "signal": kill.signal, "at": _time(kill.at),
        "started_at": _time(kill.started_at), "restarts": kill.restarts, "trigger": sender_words(kill.sender),
        "sender": kill.sender.value if kill.sender else None, "sure": kill.is_sure, "because": [phrase(b) for b in kill.because],
    }  # fmt: skip


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "name": cause.name.value, "confidence": round(cause.confidence, 3), "because": [phrase(b) for b in cause.because], "against": [phrase(a) for a in cause.against],
        "settle_by": say(cause.settle_by), "detail": detail_words(cause), **({"remedy": say(cause.remedy)} if cause.remedy is not None else {}),
    }  # fmt: skip


def _proposal(proposal: Proposal) -> dict[str, Any]:
    if proposal.none is not None:
        instead = {"diff": proposal.diff, "commands": list(proposal.commands)} if proposal.commands or proposal.diff else {}
        return {"none": say(proposal.none), **instead}
    request = proposal.request_bytes if proposal.request_bytes is not None else proposal.request_before_bytes
    return {
        "role": proposal.role, "memory_limit": _quantity(proposal.limit_bytes), "memory_request": _quantity(request), "buys_h": proposal.buys_h,
        "patch": proposal.patch, "diff": proposal.diff, "commands": list(proposal.commands), "why": say(proposal.why),
        "caveats": list(say_all(proposal.caveats)), "checks": list(say_all(proposal.checks)), "after_raise": say(proposal.after_raise), "limit_before_bytes": proposal.limit_before_bytes,
        "limit_bytes": proposal.limit_bytes, "request_before_bytes": proposal.request_before_bytes, "request_bytes": request,
    }  # fmt: skip


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "at": format_time(fix.at), "enough": fix.is_enough, "forecast": say(fix.forecast), "codes": _coded(fix.forecast),
        "changes": [
            {
                "what": c.what, "text": say(c.as_reason()), "at": format_time(c.at), "at_known": c.is_time_known, "by": c.by, "cause": c.cause,
                "before_bytes": c.before_bytes, "after_bytes": c.after_bytes, "before": c.before, "after": c.after,
                "in_template": c.is_in_template, "rolled_out": c.is_rolled_out,
            }
            for c in fix.changes
        ],
    }  # fmt: skip


def _hpa(hpa: Hpa | None) -> dict[str, str] | None:
    return {"manifest": hpa.manifest, "why": say(hpa.why)} if hpa is not None else None


def _signature(signature: Signature | None) -> dict[str, Any] | None:
    if signature is None:
        return None
    return {
        "id": signature.id, "runtime": signature.runtime, "kind": signature.kind, "meaning": signature.meaning, "advice": signature.advice,
        "line": signature.line, "count": signature.count,
    }  # fmt: skip


def _shape(shape: Shape | None) -> dict[str, Any] | None:
    if shape is None:
        return None
    return {
        "cause": shape.cause.value, "confidence": round(shape.confidence, 3), "detail": shape.detail, "because": list(say_all(shape.because)), "against": list(say_all(shape.against)),
        "history_s": _number(shape.history_s), "missing_s": _number(shape.missing_s), "limit_bytes": _bytes(shape.limit_bytes),
        "peak_bytes": _bytes(shape.peak_bytes), "median_bytes": _bytes(shape.median_bytes), "current_bytes": _bytes(shape.current_bytes),
        "growth_bytes_per_h": _bytes(shape.growth_bytes_per_h), "time_to_limit_s": _number(shape.time_to_limit_s),
        "change_at": _epoch(shape.change_at_s), "kills": [_epoch(k) for k in shape.kills], "cache_ratio": _number(shape.cache_share),
        "rate_correlation": _number(shape.rate_correlation), "near_limit_ratio": _number(shape.near_limit_share),
        "lives": [
            {"start": _epoch(life.start_s), "end": _epoch(life.end_s), "killed": life.is_killed, "peak_bytes": _bytes(life.peak_bytes),
             "floor_start_bytes": _bytes(life.floor_start_bytes), "floor_end_bytes": _bytes(life.floor_end_bytes),
             "growth_bytes_per_h": _bytes(life.growth_bytes_per_h), "ramp": life.is_ramp}
            for life in shape.lives
        ],
        "evidence": list(say_all(shape.evidence)),
        "numbers": {k: _bytes(v) if k.endswith("_bytes") else _number(v) for k, v in sorted(shape.numbers.items())},
    }  # fmt: skip


def _evidence(facts: Facts, container_name: str) -> dict[str, Any]:
    pod = facts.pod
    container = pod.container(container_name) if pod else None
    history = facts.history
    return {
        "alerts": [{"name": a.name, "status": a.status, "severity": a.severity, "starts_at": format_time(a.starts_at)} for a in facts.alerts],
        "pod": {"phase": pod.phase, "reason": pod.reason, "message": pod.message, "qos_class": pod.qos_class, "node": pod.node,
                "limit_bytes": pod.pod_limit_bytes, "request_bytes": pod.pod_request_bytes, "memory_volumes": list(pod.memory_volumes)} if pod else None,
        "container": _container(container) if container else None,
        "events": [{"reason": e.reason, "type": e.type, "message": e.message, "count": e.count, "at": _time(e.at), "object": f"{e.object_kind}/{e.object_name}"}
                   for e in facts.events],
        "log": {"container": facts.log.container, "previous": facts.log.is_previous, "current": facts.log.is_current, "lines": list(facts.log.lines[-20:])}
               if facts.log else None,
        "usage_bytes": facts.usage_bytes,
        "child_kills": facts.child_kills,
        "history": {"samples": len(history.samples), "step_s": _number(history.step_s), "peak_long_bytes": _bytes(history.peak_bytes_long)} if history else None,
        "node": {"name": facts.node.name, "allocatable_bytes": facts.node.allocatable_bytes, "memory_pressure": facts.node.has_memory_pressure,
                 "other_oom_kills": list(facts.node.other_oom_kills)} if facts.node else None,
        "redactions": dict(facts.redactions),
    }  # fmt: skip


def _container(container: ContainerFacts) -> dict[str, Any]:
    return {
        "name": container.name, "kind": container.kind, "image": container.image, "limit_bytes": container.limit_bytes,
        "request_bytes": container.request_bytes, "state": container.state, "state_reason": container.state_reason,
        "restarts": container.restart_count, "ready": container.is_ready,
        "terminated": _termination(container.terminated), "last_terminated": _termination(container.last_terminated),
    }  # fmt: skip


def _termination(termination: Termination | None) -> Mapping[str, Any] | None:
    if termination is None:
        return None
    return {
        "reason": termination.reason, "exit_code": termination.exit_code, "started_at": _time(termination.started_at),
        "finished_at": _time(termination.finished_at), "message": termination.message,
    }  # fmt: skip


def _time(at: datetime | None) -> str | None:
    return format_time(at) if at is not None else None


def _epoch(seconds: float | None) -> str | None:
    return format_time(from_epoch(round(seconds))) if seconds is not None else None


def _quantity(n_bytes: int | None) -> str | None:
    return format_quantity(n_bytes) if n_bytes is not None else None


def _bytes(value: float | None) -> int | None:
    return round(value) if value is not None else None


def _number(value: float | None) -> float | None:
    return round(value, 6) if value is not None else None
