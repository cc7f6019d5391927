"""A pod, a workload, or everything in a namespace, looked at now: what `oomtriage triage` prints, in whichever process it is done."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from receiver.app.deaths import MOST_LOOKS, find_deaths, kube_of, list_pods
from receiver.app.near import near_names
from receiver.case import facts_of
from receiver.case.access import text
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.domain.report import Report
from receiver.domain.target import Target, target_from_json
from receiver.errors import NotFound, SourceError
from receiver.evidence import Evidence
from receiver.evidence.worst_pod import worst_of
from receiver.render.deaths import Deaths, deaths_document, deaths_lines, deaths_summary, next_steps, notes
from receiver.render.document import report_document
from receiver.render.renderer import Renderer, standalone_view

NOTHING_KNOWN = 1
WAIT_S = 15.0  # for another that is being done: one at a time, so that commands never cost the receiver its memory
SINCE_S = 3600.0  # "what died here in the last hour?"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked at, and how it is printed (`text`, `json`, `slack`). `since_s`, `most_looks`: for everything in a namespace.

    `width`: columns; None: as wide as it is (a table), or as wide as a report is (`render/terminal.py`). `command`: how we were called.
    """

    target: Target
    container: str = ""
    output: str = "text"
    is_verbose: bool = False
    since_s: float = SINCE_S
    most_looks: int = MOST_LOOKS
    width: int | None = None
    command: str = ""


def wanted_from_json(asked: Mapping[str, Any]) -> Wanted:
    """What a command asks for. ValueError for what names nothing that can be."""
    width = asked.get("width")
    return Wanted(
        target=target_from_json(asked), container=str(asked.get("container", "")), output=str(asked.get("output", "text")),
        is_verbose=bool(asked.get("verbose")), since_s=float(asked.get("since_s") or SINCE_S), width=int(width) if width else None,
        most_looks=int(asked.get("looks", MOST_LOOKS)),
        command=str(asked.get("command") or "oomtriage triage"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`report` None: nothing is known of the pod, and `why`."""

    case: Case
    report: Report | None
    why: str = ""


def look(evidence: Evidence, wanted: Wanted, *, cluster_name: str, progress: Progress = lambda text: None) -> Found:
    """Gather and judge one pod: the one that is named, or the worst of a workload or a selector. A SourceError when none is named."""
    target = wanted.target
    if target.selector:
        target = _worst(evidence, target, progress)
    workload = target.workload if target.workload is not None else workload_from_pod_name(target.pod)
    subject = Subject(cluster=cluster_name, namespace=target.namespace, pod=target.pod, container=wanted.container, workload=workload)
    progress(f"asking about {_named(target)}, {evidence.config.deadline_s:.0f} s at most")
    case = evidence.gather(subject, (), datetime.now(UTC))
    facts = facts_of(case)
    if facts.pod is None and facts.history is None and not any(event.object_kind == "Pod" for event in facts.events):
        why = "; ".join(dict.fromkeys(m.why for m in case.missing if m.source in ("pod", "history"))) or "no source is configured"
        near = near_names(evidence.kube, target) if evidence.kube is not None else ""
        return Found(case=case, report=None, why=f"nothing is known of {_named(target)}: {why}{near}")
    return Found(case=case, report=diagnose(facts))


def _named(target: Target) -> str:
    if target.workload is not None:
        return f"{target.workload.kind.lower()} {target.namespace}/{target.workload.name}"
    return f"pod {target.namespace}/{target.pod}"


def _worst(evidence: Evidence, target: Target, progress: Progress) -> Target:
    """Of the pods that the selector names, the one that an alert about them would be looked at by."""
    where = f"namespace {target.namespace}" if target.namespace else "all namespaces"
    worst = worst_of(list_pods(kube_of(evidence), target, where=where, progress=progress))
    if worst is None:
        raise NotFound(f"no pod in {where} has the labels {target.selector}; `kubectl get pods --show-labels` shows what they have")
    return replace(target, namespace=text(worst, "metadata", "namespace"), pod=text(worst, "metadata", "name"), selector="")


def printed(report: Report, renderer: Renderer, *, output: str, is_verbose: bool, width: int | None = None) -> str:
    """A report for stdout: text for people, the document, or the Slack messages as JSON lines."""
    if output == "json":
        return json.dumps(report_document(report), ensure_ascii=False, indent=2)
    if output == "text":
        return renderer.report_text(report, is_verbose, width=width)
    lines = renderer.slack_lines(renderer.incident(standalone_view(report), report))
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def printed_deaths(found: Deaths, wanted: Wanted) -> str:
    """A list of deaths for stdout: the table with what it means and where to go on, or the document."""
    if wanted.output == "json":
        return json.dumps(deaths_document(found), ensure_ascii=False, indent=2)
    rest = [deaths_summary(found), *notes(found), next_steps(found, wanted.command)]
    return "\n".join([*deaths_lines(found, width=wanted.width), *([""] if found.rows else []), *(line for line in rest if line)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command prints. `text` empty: nothing is known, and `why`. `case`, `report`: of one pod. `is_refused`: a source's fault."""

    text: str = ""
    why: str = ""
    case: Case | None = None
    report: Report | None = None
    is_refused: bool = False

    @property
    def code(self) -> int:
        """The exit code."""
        return 0 if not self.why else NOTHING_KNOWN

    def to_json(self, *, with_case: bool) -> dict[str, Any]:
        """For the command that prints it, in whichever process that is."""
        kept = {"case": self.case.to_json()} if with_case and self.case is not None else {}
        return {"code": self.code, **({"why": self.why} if self.why else {"text": self.text}), **kept}


def answer(
    evidence: Evidence, renderer: Renderer, wanted: Wanted, *, cluster_name: str, progress: Progress = lambda text: None
) -> Answer:  # fmt: skip
    """Look at what is wanted. Never raises for a source that fails: that is why there is no text."""
    try:
        if wanted.target.is_everything:
            found = find_deaths(
                evidence, wanted.target, since_s=wanted.since_s, cluster_name=cluster_name, progress=progress, most_looks=wanted.most_looks
            )
            return Answer(text=printed_deaths(found, wanted))
        one = look(evidence, wanted, cluster_name=cluster_name, progress=progress)
    except SourceError as exc:
        return Answer(why=str(exc), is_refused=not isinstance(exc, NotFound))
    if one.report is None:
        return Answer(why=one.why, case=one.case)
    shown = printed(one.report, renderer, output=wanted.output, is_verbose=wanted.is_verbose, width=wanted.width)
    return Answer(text=shown, case=one.case, report=one.report)


class TriageDesk:
    """Does it for commands that ask the running receiver: what they need is loaded here already."""

    def __init__(self, evidence: Evidence, renderer: Renderer, *, cluster_name: str) -> None:
        self._evidence = evidence
        self._renderer = renderer
        self._cluster_name = cluster_name
        self._lock = threading.Lock()

    def answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a command prints and returns, and the case when it was asked for; None while others are being answered for too long.

        ValueError for what names nothing that can be.
        """
        wanted = wanted_from_json(asked)
        if not self._lock.acquire(timeout=WAIT_S):
            return None
        try:
            found = answer(self._evidence, self._renderer, wanted, cluster_name=self._cluster_name)
        finally:
            self._lock.release()
        return found.to_json(with_case=bool(asked.get("case")))
