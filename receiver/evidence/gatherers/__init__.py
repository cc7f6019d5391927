"""The gatherers: each asks for one piece of evidence. `ALL` names them, in the order in which reports list what is missing.

A gatherer is a function `(look, clean) -> answer`: plain JSON fit for a case, or None where the question does not apply.
It raises a SourceError for a failed request or a Gap for everything else it could not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from receiver.evidence.clean import Cleaner
from receiver.evidence.gatherers import coverage, events, history, log, metrics, node, owners, pod, policies, scaling, siblings
from receiver.evidence.look import ALERTMANAGER, KUBERNETES, PROMETHEUS, Look
from receiver.evidence.rbac import Permission, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatherer:
    """One piece of evidence: where its answer stands in a case, who is asked, what must be in before, what it may do.

    `only_with`: a source without whose answer the question does not apply; then it is neither asked nor missing.
    """

    source: str
    asks: str
    ask: Callable[[Look, Cleaner], Any]
    after: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    only_with: str = ""


ALL: tuple[Gatherer, ...] = (
    Gatherer(source="pod", asks=KUBERNETES, ask=pod.ask, permissions=(may("get", "pods"),)),
    Gatherer(source="log", asks=KUBERNETES, ask=log.ask, after=("pod",), permissions=(may("get", "pods/log"),)),
    Gatherer(source="events", asks=KUBERNETES, ask=events.ask, after=("pod",), permissions=(may("list", "events"),)),
    Gatherer(source="owners", asks=KUBERNETES, ask=owners.ask, after=("pod",), permissions=owners.PERMISSIONS),
    Gatherer(
        source="replicasets",
        asks=KUBERNETES,
        ask=owners.ask_revisions,
        after=("owners",),
        permissions=(may("list", "replicasets", "apps"), may("list", "controllerrevisions", "apps")),
    ),
    Gatherer(source="siblings", asks=KUBERNETES, ask=siblings.ask, after=("owners",), permissions=(may("list", "pods"),)),
    Gatherer(source="node", asks=KUBERNETES, ask=node.ask, after=("pod",), permissions=(may("get", "nodes"),)),
    Gatherer(source="nodeevents", asks=KUBERNETES, ask=node.ask_events, after=("pod",), permissions=(may("list", "events"),)),
    Gatherer(source="metrics", asks=KUBERNETES, ask=metrics.ask, after=("pod",), permissions=(may("get", "pods", "metrics.k8s.io"),)),
    Gatherer(
        source="hpa",
        asks=KUBERNETES,
        ask=policies.ask_hpa,
        after=("owners",),
        permissions=(may("list", "horizontalpodautoscalers", "autoscaling"),),
    ),
    Gatherer(source="limitrange", asks=KUBERNETES, ask=policies.ask_limitrange, permissions=(may("list", "limitranges"),)),
    Gatherer(source="resourcequota", asks=KUBERNETES, ask=policies.ask_resourcequota, permissions=(may("list", "resourcequotas"),)),
    # The last three are asked only when what one incident may cost leaves room for them.
    Gatherer(
        source="vpa",
        asks=KUBERNETES,
        ask=policies.ask_vpa,
        after=("log", "events", "replicasets", "siblings", "node", "nodeevents", "metrics", "hpa", "limitrange", "resourcequota"),
        permissions=(may("list", "verticalpodautoscalers", "autoscaling.k8s.io"),),
    ),
    Gatherer(source="nodepods", asks=KUBERNETES, ask=node.ask_pods, after=("vpa",), permissions=(may("list", "pods"),)),
    Gatherer(
        source="scaling",
        asks=KUBERNETES,
        ask=scaling.ask,
        after=("traffic", "nodepods"),
        only_with="traffic",
        permissions=(may("list", "scaledobjects", "keda.sh"),),
    ),
    Gatherer(source="history", asks=PROMETHEUS, ask=history.ask),
    Gatherer(source="recent", asks=PROMETHEUS, ask=history.ask_recent),
    Gatherer(source="peaks", asks=PROMETHEUS, ask=history.ask_peaks),
    Gatherer(source="traffic", asks=PROMETHEUS, ask=history.ask_traffic, after=("peaks",)),
    Gatherer(source="heap", asks=PROMETHEUS, ask=history.ask_heap, after=("traffic",)),
    Gatherer(source="since", asks=PROMETHEUS, ask=history.ask_since),
    Gatherer(source="rules", asks=PROMETHEUS, ask=coverage.ask_rules),
    Gatherer(source="silences", asks=ALERTMANAGER, ask=coverage.ask_silences),
)
