"""One pod, looked at now: what `oomtriage triage` prints, in whichever process it is done."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.domain.report import Report
from receiver.evidence import Evidence
from receiver.render.document import report_document
from receiver.render.renderer import Renderer, standalone_view

NOTHING_KNOWN = 1
WAIT_S = 15.0  # for another that is being done: one at a time, so that commands never cost the receiver its memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One pod, and how it is printed (`text`, `json`, `slack`)."""

    namespace: str
    pod: str
    container: str = ""
    output: str = "text"
    is_verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`report` None: nothing is known of the pod, and `why`."""

    case: Case
    report: Report | None
    why: str = ""


def look(evidence: Evidence, wanted: Wanted, *, cluster_name: str) -> Found:
    """Gather and judge."""
    subject = Subject(
        cluster=cluster_name, namespace=wanted.namespace, pod=wanted.pod, container=wanted.container,
        workload=workload_from_pod_name(wanted.pod),
    )  # fmt: skip
    case = evidence.gather(subject, (), datetime.now(UTC))
    facts = facts_of(case)
    if facts.pod is None and facts.history is None and not facts.events:
        why = "; ".join(dict.fromkeys(m.why for m in case.missing if m.source in ("pod", "history"))) or "no source is configured"
        return Found(case=case, report=None, why=f"nothing is known of pod {wanted.namespace}/{wanted.pod}: {why}")
    return Found(case=case, report=diagnose(facts))


def printed(report: Report, renderer: Renderer, *, output: str, is_verbose: bool) -> str:
    """A report for stdout: text for people, the document, or the Slack messages as JSON lines."""
    if output == "json":
        return json.dumps(report_document(report), ensure_ascii=False, indent=2)
    if output == "text":
        return renderer.report_text(report, is_verbose)
    lines = renderer.slack_lines(renderer.incident(standalone_view(report), report))
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


class TriageDesk:
    """Does it for commands that ask the running receiver: what they need is loaded here already."""

    def __init__(self, evidence: Evidence, renderer: Renderer, *, cluster_name: str) -> None:
        self._evidence = evidence
        self._renderer = renderer
        self._cluster_name = cluster_name
        self._lock = threading.Lock()

    def answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a command prints and returns, and the case when it was asked for; None while others are being answered for too long."""
        wanted = Wanted(
            namespace=str(asked.get("namespace", "")), pod=str(asked.get("pod", "")), container=str(asked.get("container", "")),
            output=str(asked.get("output", "text")), is_verbose=bool(asked.get("verbose")),
        )  # fmt: skip
        if not self._lock.acquire(timeout=WAIT_S):
            return None
        try:
            found = look(self._evidence, wanted, cluster_name=self._cluster_name)
            kept = {"case": found.case.to_json()} if asked.get("case") else {}
            if found.report is None:
                return {"code": NOTHING_KNOWN, "why": found.why, **kept}
            text = printed(found.report, self._renderer, output=wanted.output, is_verbose=wanted.is_verbose)
            return {"code": 0, "text": text, **kept}
        finally:
            self._lock.release()
