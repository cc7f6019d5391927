"""Sentences of a proposed change: at the forge, and in the thread of its incident."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import format_quantity
from receiver.render.wording.fixes import say_short
from receiver.render.wording.forms import Facts, Sentence

_OUTCOMES = {
    "held": "It held.",
    "delays": "It delays only.",
    "too_early": "Too early to say.",
    "no_evidence": "Whether it held is not known.",
    "did_not_hold": "It did not hold.",
    "only_delayed": "It only delayed.",
    "undone": "It was undone.",
}


_STATES = {"wanted": "pull request asked for", "refused": "pull request could not be opened"}


def _role(facts: Facts) -> str:
    if facts["is_trim"]:
        return "Gives back what nobody used. No fix: the fix has held"
    if facts["role"] == "stop_gap":
        hours = f" It buys about {facts['buys_h']:.0f} h a life" if facts["buys_h"] else " It buys hours"
        return f"Stop-gap, not a fix.{hours} and cures nothing: the program has to be mended"
    return "This is meant as the fix"


def _title(facts: Facts) -> str:
    before = f" from {facts['before']}" if facts["before"] else ""
    return f"Memory limit of {facts['name']}{before} to {facts['after']}"


def _change(what: str, name: str) -> Sentence:
    def said(facts: Facts) -> str:
        before = facts["before_bytes"]
        return f"{what}: {format_quantity(before) if before else 'none'} to {format_quantity(facts[name])}"

    return said


def _result(facts: Facts) -> str:
    return f"{_OUTCOMES.get(facts['outcome'], '')} {say_short(facts['because'])}".strip()


def _opened(facts: Facts) -> str:
    what = "to lower the limit " if facts["purpose"] == "trim" else ""
    return f"pull request {facts['number']} {what}opened"


SENTENCES: Mapping[str, Sentence] = {
    # in the thread and the history
    "incident.log.request_wanted": "pull request asked for{by:by}",
    "incident.log.request_opened": _opened,
    "incident.log.request_updated": "pull request {number} updated to {limit_bytes:quantity}",
    "incident.log.request_merged": "pull request {number} merged",
    "incident.log.request_closed": "pull request {number} closed unmerged",
    "incident.log.request_withdrawn": "pull request {number} closed: {why:reason}",
    "incident.log.request_refused": "pull request not opened: {why:reason}",
    "request.state": lambda facts: _STATES.get(facts["state"], "pull request {number} is {state}").format(**facts),
    # why there is none, or no longer one
    "request.no_repository": "gitops names no repository for this cluster and namespace",
    "request.nothing_proposed": "there is no change of memory to propose",
    "request.no_base": "the branch {base} is not in {repository}",
    "request.several_places": "several places could decide this container's memory: {paths:list}",
    "request.other_value": "{path} has {there}, and {before_bytes:quantity} is in force: another place decides",
    "request.why_plain": "The one manifest of this workload below the path is {path}, and its value is the one in force",
    "request.no_place": "no place in the repository decides this container's memory for sure",
    "request.refused": "{error}",
    "request.limit_set": "the limit was set to {limit_bytes:quantity} without it, from {before_bytes:quantity}",
    "request.other_verdict": "the verdict is another one now: {verdict:reason}",
    "request.closing": "Closed by oomtriage, because {why:reason}.",
    # at the forge
    "request.title": _title,
    "request.role": _role,
    "request.commit": "{role:reason}. Verdict: {verdict:reason}, kills: {kills}. Incident {incident}.",
    "request.verdict": "Verdict: {verdict:reason}. Kills known: {kills}.",
    "request.head.because": "Why",
    "request.head.change": "The change",
    "request.head.place": "Why here",
    "request.head.tree": "The decision tree as it was walked",
    "request.head.wrong": "What would prove it wrong",
    "request.wrong_if": "a kill with the new limit in force; it is watched for that, and told here",
    "request.limit": _change("Memory limit", "limit_bytes"),
    "request.request": _change("Memory request", "request_bytes"),
    "request.chart": "Chart and evidence: {url}",
    "request.foot": "Incident `{incident}`. Nobody but you merges this. After the merge the fix is watched for 24 h and 48 h; what came of it is said here.",
    "request.result": _result,
    "request.next": "Next proposal: a limit of {limit_bytes:quantity}. {why:sentence}",
}
