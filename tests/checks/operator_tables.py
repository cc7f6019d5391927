"""The tables of docs/ for whoever installs: permissions, Slack's refusals, alerts. tests/checks/doc_tables.py writes them into their pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from receiver.errors import DeliveryError, Gone, NotEditable
from receiver.evidence.gatherers import ALL
from receiver.evidence.rbac import Permission
from receiver.render.markdown import first_sentence
from receiver.render.words import source as word_of
from receiver.sinks.slack_errors import HINTS, ONE_CHANNEL, classified

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"

# Source of evidence -> what a message lacks without it.
WITHOUT: Mapping[str, str] = {
    "pod": "nearly everything: exit code, reason, limit, restarts, whose pod it is. What the alert and Prometheus say is left",
    "log": "memory errors and settings that the log names, and kills that a manager announces there",
    "events": "failed probes, evictions, drains: a probe's kill with reason Error can be told from an OOM only by memory",
    "owners": "the patch against the template, fixes that are seen by themselves, routes by a workload's labels; the name is read off the pod's",
    "replicasets": "which release brought it, and when a change was made",
    "siblings": "how many replicas died; what their memory says; what the pods of a replaced rollout did",
    "node": "whether the node ran out, and whether a proposed size fits any node",
    "nodeevents": "the kernel's own word that the node ran out (SystemOOM)",
    "metrics": "the line that `kubectl top` would print",
    "hpa": "whether an autoscaler works against the proposal",
    "limitrange": "whether the proposal will be admitted",
    "resourcequota": "whether the proposal fits the namespace's quota",
    "vpa": "whether a VPA will overwrite the proposal",
    "nodepods": "what else fills the node",
    "scaling": "whether KEDA or a metrics adapter could scale on requests",
}


def permission_table() -> str:
    """One row for all permissions that serve the same evidence; the widest first, as ALL has it."""
    sources: dict[Permission, tuple[str, ...]] = {}
    for gatherer in ALL:
        for permission in gatherer.permissions:
            sources[permission] = (*sources.get(permission, ()), gatherer.source)
    rows: dict[tuple[str, ...], list[str]] = {}
    for permission, served in sources.items():
        rows.setdefault(served, []).append(f"`{permission}`")
    lines = [
        f"| {', '.join(permissions)} | {', '.join(word_of(s) for s in served)} | {'; '.join(WITHOUT[s] for s in served)} |"
        for served, permissions in rows.items()
    ]
    return "\n".join(["| may | reads | what messages lack without it |", "|---|---|---|", *lines])


def refusal_table() -> str:
    """Slack's words that a person can do something about: what becomes of the message, and what helps."""
    rows = [f"| `{word}` | {_becomes(word, classified(word, word, is_repeatable=False))} | {hint} |" for word, hint in HINTS.items()]
    return "\n".join(["| Slack says | what becomes of the message | what helps |", "|---|---|---|", *rows])


def _becomes(word: str, error: DeliveryError) -> str:
    if isinstance(error, NotEditable):
        return "stands as it is"
    if isinstance(error, Gone):
        return "posted anew"
    return "a dead letter; other channels go on" if word in ONE_CHANNEL else "waits, like every other; asked again every 30 s"


def alert_table() -> str:
    """Every alert's runbook with the first sentence of what it means."""
    rows = [f"| [{path.stem}](runbooks/{path.name}) | {first_sentence(path.read_text())} |" for path in sorted(RUNBOOKS.glob("*.md"))]
    return "\n".join(["| alert | means |", "|---|---|", *rows])
