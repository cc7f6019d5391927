"""The alert rules, as Prometheus evaluates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.case.access import objects, text
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.errors import NotFound, Unreadable
from receiver.render.text import clean_line
from receiver.transport import Deadline

# Without these no death is ever told.
NEEDED = frozenset({"OOMKilled", "HighMemoryUsage"})


def loaded(site: Site) -> Iterator[Finding]:
    """Which of the pack's rules there are, and whether each could be evaluated the last time."""
    assert site.prometheus is not None
    try:
        groups = site.prometheus.rules(deadline=Deadline(site.question_s))
    except (NotFound, Unreadable):  # VictoriaMetrics evaluates no rules itself
        yield unknown(reason("doctor.rules.not_told"), reason("doctor.do.vmalert"))
        return
    ours = {rule.name for rule in site.pack.rules}
    there = {text(r, "name"): r for group in groups for r in objects(group, "rules") if text(r, "name") in ours}
    names = set(site.pack.alerts)
    if not names & set(there):
        yield problem(
            reason("doctor.rules.none", n=len(names), others=sum(len(objects(g, "rules")) for g in groups)), reason("doctor.do.rules")
        )
        return
    for name, rule in sorted(there.items()):
        if text(rule, "health") == "err":
            yield problem(_failing(name, rule), reason("doctor.do.rule_error"), part=name)
    gone = tuple(sorted(names - set(there)))
    if NEEDED & set(gone):
        yield problem(reason("doctor.rules.some_gone", names=gone), reason("doctor.do.rules"), part="missing")
    elif gone:
        yield advice(reason("doctor.rules.some_gone", names=gone), reason("doctor.do.rules_on_purpose"), part="missing")
    healthy = [name for name, rule in there.items() if text(rule, "health") != "err"]
    if healthy:
        yield ok(reason("doctor.rules.ok", alerts=len(names & set(healthy)), of=len(names)))


def _failing(name: str, rule: Mapping[str, Any]) -> Any:
    return reason("doctor.rules.failing", name=name, error=clean_line(text(rule, "lastError"), 200))
