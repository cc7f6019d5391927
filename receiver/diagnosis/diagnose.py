"""Facts in, report out. Pure: the same facts give the same report for ever, so a saved case can be replayed."""

from __future__ import annotations

from dataclasses import replace

from receiver.diagnosis.advice.changes import baseline_of
from receiver.diagnosis.advice.checklist import checklist
from receiver.diagnosis.advice.fix import fix_of
from receiver.diagnosis.advice.hpa import hpa_for
from receiver.diagnosis.advice.long_term import long_term_for
from receiver.diagnosis.advice.mistakes import warnings_for
from receiver.diagnosis.advice.proposal import propose
from receiver.diagnosis.causes.tree import walk
from receiver.diagnosis.clues import Clues, clues_of
from receiver.diagnosis.death.kill import kill_of
from receiver.diagnosis.death.up import has_come_up
from receiver.diagnosis.numbers import numbers_of
from receiver.domain.facts import Facts
from receiver.domain.identity import Subject
from receiver.domain.report import Report


def diagnose(facts: Facts) -> Report:
    """The report of these facts: what killed it, why, the walked tree, the nine items, and what to do."""
    return report_of(clues_of(facts))


def report_of(clues: Clues) -> Report:
    """The report of clues already derived."""
    facts = clues.facts
    kill = kill_of(clues)
    tree, cause = walk(clues, kill)
    baseline = baseline_of(clues, kill)
    fix = fix_of(clues, kill, cause, baseline)
    proposal = propose(clues, kill, cause, fix)
    hpa = hpa_for(clues, cause)
    return Report(
        facts=facts,
        subject=_confirmed(clues),
        kill=kill,
        cause=cause,
        shape=clues.shape,
        tree=tree,
        checklist=checklist(clues, kill, cause, proposal, fix),
        proposal=proposal,
        hpa=hpa,
        long_term=long_term_for(clues, kill, cause),
        warnings=warnings_for(clues, kill, cause, has_hpa_advice=hpa is not None),
        missing=facts.missing,
        signature=clues.signature,
        has_come_up=has_come_up(clues),
        runtime=clues.runtime,
        baseline=baseline,
        fix=fix,
        numbers=numbers_of(clues, kill, cause, proposal),
    )


def _confirmed(clues: Clues) -> Subject:
    """The subject with the container that was killed, its node, and the owner as the API tells it."""
    facts = clues.facts
    is_known = facts.workload is not None or facts.pod is not None
    return replace(
        facts.subject,
        container=clues.container_name,
        node=facts.subject.node or (facts.pod.node if facts.pod else ""),
        workload=clues.workload if is_known else facts.subject.workload,
    )
