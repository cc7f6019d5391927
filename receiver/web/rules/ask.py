"""What Prometheus and Alertmanager say of the rules now: asked when somebody opens the page, under one short deadline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.case.access import mapping, text
from receiver.doctor import routing_tree
from receiver.doctor.routing_tree import Configuration
from receiver.errors import SourceError
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.prometheus import Prometheus
from receiver.promql.quoting import quoted
from receiver.transport import Deadline

ASK_S = 3.0  # for all of it: somebody waits for the page
LAST_FIRING = 'max by (alertname) (max_over_time(timestamp(ALERTS{{alertstate="firing",alertname=~{names}{also}}})[7d:10m]))'
STATUS_MAX_BYTES = 4 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesNow:
    """`groups`: of the rules API; None where it does not tell, and `why_not` why. `last_fired`: by alert, seconds since 1970; None: not
    known. `tree`: Alertmanager's routes; None: not known.
    """

    groups: Sequence[Mapping[str, Any]] | None = None
    why_not: str = ""
    last_fired: Mapping[str, float] | None = None
    tree: Configuration | None = None
    tree_why_not: str = ""
    is_configured: bool = True


def ask(prometheus: Prometheus | None, alertmanager: Alertmanager | None, names: Sequence[str], *, now: float) -> RulesNow:
    """As it is now. Never raises for one that does not answer."""
    deadline = Deadline(ASK_S)
    tree, tree_why_not = _tree(alertmanager, deadline)
    if prometheus is None:
        return RulesNow(is_configured=False, tree=tree, tree_why_not=tree_why_not)
    try:
        groups = prometheus.rules(deadline=deadline)
    except SourceError as exc:
        return RulesNow(why_not=str(exc), tree=tree, tree_why_not=tree_why_not)
    return RulesNow(groups=groups, last_fired=_last_fired(prometheus, names, now, deadline), tree=tree, tree_why_not=tree_why_not)


def _last_fired(prometheus: Prometheus, names: Sequence[str], now: float, deadline: Deadline) -> Mapping[str, float] | None:
    query = LAST_FIRING.format(names=quoted("|".join(names)), also=prometheus.config.also)
    try:
        answer = prometheus.instant(query, now, deadline=deadline)
        return {text(series, "metric", "alertname"): float(series["value"][1]) for series in answer.series}
    except (SourceError, KeyError, IndexError, TypeError, ValueError):
        return None


def _tree(alertmanager: Alertmanager | None, deadline: Deadline) -> tuple[Configuration | None, str]:
    if alertmanager is None:
        return None, ""
    try:
        status = alertmanager.http.get("api/v2/status", timeout_s=max(deadline.left_s() / 2, 0.1), max_bytes=STATUS_MAX_BYTES).json()
        return routing_tree.read(text(mapping(status, "config"), "original")), ""
    except SourceError as exc:
        return None, str(exc)
