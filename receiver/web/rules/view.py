"""The alerts of the pack as their page shows them: what Prometheus runs of each, and what the pack ships. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from receiver.case.access import objects, text
from receiver.domain.units import from_epoch, human_duration, parse_time
from receiver.errors import ConfigError
from receiver.pipeline.routing import Router
from receiver.promql.tokens import Kind, words
from receiver.render.text import clean_line
from receiver.rulepack.files import Rule
from receiver.rulepack.marks import marks
from receiver.rulepack.pack import Pack
from receiver.web.rules.ask import RulesNow
from receiver.web.rules.calls import META, Call, Reached, calls, reached

FIRING, PENDING, INACTIVE, MISSING, UNKNOWN = "firing", "pending", "inactive", "missing", "unknown"  # states of a row
BEATING = "beating"  # an alert that always fires, so that its silence is noticed
ORDER = (FIRING, PENDING, MISSING, INACTIVE, UNKNOWN, BEATING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A number that may be changed. `live`: as Prometheus runs it; empty: not known. `shipped`: as the pack has it."""

    word: str
    live: str
    shipped: str

    @property
    def is_changed(self) -> bool:
        """Whether it is another one here."""
        return bool(self.live) and self.live != self.shipped


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert. `count`: series that fire, or wait. `error`: why Prometheus cannot evaluate it. `runbook`: an address, or empty."""

    name: str
    severity: str
    state: str
    count: int = 0
    since: datetime | None = None
    last_fired: datetime | None = None
    holds_for: str = ""
    thresholds: tuple[Threshold, ...] = ()
    error: str = ""
    runbook: str = ""
    is_past_us: bool = False
    calls: tuple[Call, ...] = ()
    reached: tuple[Reached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPage:
    """All of them, what asks for somebody first. `others`: memory alerts of other rules that fire now are not counted here."""

    rows: tuple[AlertRow, ...]
    now: RulesNow

    @property
    def firing(self) -> int:
        """How many alerts of the pack fire."""
        return sum(row.state == FIRING for row in self.rows)

    @property
    def missing(self) -> int:
        """How many Prometheus does not have."""
        return sum(row.state == MISSING for row in self.rows)


def rules_page(pack: Pack, now: RulesNow, router: Router, runbooks: Iterable[str]) -> RulesPage:
    """The page. `runbooks`: alerts that have one here."""
    live = _live(now.groups) if now.groups is not None else None
    known = frozenset(runbooks)
    rows = [_row(rule, live, now, router, known) for rule in pack.alerts.values()]
    return RulesPage(rows=tuple(sorted(rows, key=lambda row: (ORDER.index(row.state), row.name))), now=now)


def _live(groups: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The alerting rules by name."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for group in groups:
        for rule in objects(group, "rules"):
            if rule.get("type") == "alerting":
                found.setdefault(text(rule, "name"), []).append(rule)
    return found


def _row(
    rule: Rule, live: Mapping[str, Sequence[Mapping[str, Any]]] | None, now: RulesNow, router: Router, runbooks: frozenset[str]
) -> AlertRow:  # fmt: skip
    mine = live.get(rule.alert, ()) if live is not None else ()
    alerts = [alert for one in mine for alert in objects(one, "alerts")]
    firing = [alert for alert in alerts if alert.get("state") == FIRING]
    state = UNKNOWN if live is None else MISSING if not mine else FIRING if firing else PENDING if alerts else INACTIVE
    shown = firing or alerts
    started = [at for alert in shown if (at := parse_time(alert.get("activeAt"))) is not None]
    labels = {**rule.labels, "alertname": rule.alert}
    severity = labels.get("severity", "")
    if severity == "none" and state == FIRING:
        state = BEATING
    last = (now.last_fired or {}).get(rule.alert)
    annotations = rule.body.get("annotations")
    address = str(annotations.get("runbook_url", "")) if isinstance(annotations, dict) else ""
    return AlertRow(
        name=rule.alert, severity=severity, state=state, count=len(shown), since=min(started, default=None),
        last_fired=from_epoch(last) if last is not None else None,
        holds_for=_span(mine[0].get("duration") if mine else rule.body.get("for")), thresholds=tuple(_thresholds(rule, mine)),
        error=clean_line(next((text(one, "lastError") for one in mine if text(one, "lastError")), ""), 300),
        runbook=f"/runbooks/{rule.alert}" if rule.alert in runbooks else address if address.startswith(("https://", "http://")) else "",
        is_past_us=labels.get("incident") == META,
        calls=() if labels.get("incident") == META or severity in ("info", "none") else calls(router, labels, severity),
        reached=reached(now.tree, labels),
    )  # fmt: skip


def _thresholds(rule: Rule, live: Sequence[Mapping[str, Any]]) -> Iterable[Threshold]:
    """The marked numbers, each once, and what stands in their place in what Prometheus runs: it keeps the order of numbers and drops the
    marks.
    """
    shipped = _numbers(rule.expr)
    running = _numbers(text(live[0], "query")) if live else []
    places = {token.start: i for i, token in enumerate(shipped)}
    known: set[str] = set()
    for mark in marks(rule.expr):
        if mark.word in known:
            continue
        known.add(mark.word)
        place = places.get(mark.token.start)
        is_aligned = place is not None and len(running) == len(shipped)
        yield Threshold(
            word=mark.word, shipped=_plain(mark.token.text), live=_plain(running[place].text) if is_aligned and place is not None else ""
        )


def _numbers(expr: str) -> list[Any]:
    try:
        return [word for word in words(expr) if word.kind in (Kind.NUMBER, Kind.DURATION)]
    except ConfigError:
        return []


def _plain(text_: str) -> str:
    """`0.80` and `0.8` are the same number."""
    try:
        return f"{float(text_):,.12g}"
    except ValueError:
        return text_


def _span(value: object) -> str:
    if isinstance(value, int | float):
        return human_duration(value) if value else ""
    return str(value or "")
