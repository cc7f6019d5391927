"""What a workload exports: one question for all metrics that any reader here knows, asked along with the week's peaks.

`branches` are the question, `read` its answer. A reader adds its names to `ON_POD_NAMES`; what comes back is by metric and container,
with the sum of its newest values, so that a counter which never counted is told from one that did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.evidence import heaps
from receiver.evidence.counters import COUNTERS, PLACES, Counter
from receiver.evidence.kube import is_kube_name
from receiver.evidence.prometheus import PrometheusConfig
from receiver.promql.quoting import quoted

WINDOW = "1h"  # a container that waits for its restart exports nothing
_BRANCH = "exports:"
# A Service has the workload's name, or that name and one of these words.
_SERVICE = "-(svc|service|http|web|api|server)"

# Of what is on the pod itself, in one selector.
ON_POD_NAMES: tuple[str, ...] = tuple(dict.fromkeys((*(c.metric for c in COUNTERS if c.place == "pod"), *heaps.NAMES)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A metric that the workload had in the last hour: at which place (`counters.PLACES`), of which container (empty: not said)."""

    metric: str
    place: str
    container: str
    total: float

    def document(self) -> dict[str, Any]:
        """As a case keeps it."""
        return asdict(self)


def branches(config: PrometheusConfig, subject: Subject, pods: str) -> tuple[tuple[str, str], ...]:
    """The branches of a union. `pods`: a regular expression of the workload's pods."""
    found = []
    for place in PLACES:
        on_pod = place == "pod"
        names = ON_POD_NAMES if on_pod else tuple(dict.fromkeys(c.metric for c in COUNTERS if c.place == place))
        without = tuple(dict.fromkeys(w for c in COUNTERS if c.place == place for w in c.without))
        where = f'__name__=~"{"|".join(names)}",{matchers(place, config, subject, pods, without)}'
        by = f"__name__,{config.container_label}" if on_pod else "__name__"
        found.append((f"{_BRANCH}{place}", f"sum by ({by}) (last_over_time({{{where}}}[{WINDOW}] @ end()))"))
    return tuple(found)


def read(series: Iterable[Mapping[str, Any]], config: PrometheusConfig) -> tuple[Exported, ...]:
    """The answer, of a union that may have other branches too."""
    found = []
    for entry in series:
        metric = entry.get("metric") or {}
        branch = str(metric.get("q") or "")
        point = entry.get("value") or (entry.get("values") or [None])[-1]
        if branch.startswith(_BRANCH) and point:
            found.append(
                Exported(
                    metric=str(metric.get("__name__") or ""),
                    place=branch.removeprefix(_BRANCH),
                    container=str(metric.get(config.container_label) or ""),
                    total=float(point[1]),
                )
            )
    return tuple(found)


def choose(exported: Iterable[Exported], container: str) -> tuple[Counter, Exported] | None:
    """The counter that tells the load of this container best; None where nothing was counted.

    The first of the table that counted anything; what only another container exports (an exporter, some sidecar) comes after all else.
    """
    counted = (e for e in exported if e.total > 0)
    # Whose it is cannot be told where it is not known which container this is about: then all of the pod count together.
    known = {(e.metric, e.place, e.container): e for e in (counted if container else (replace(e, container="") for e in counted))}
    found = []
    for i, counter in enumerate(COUNTERS):
        for (metric, place, of), one in known.items():
            if (metric, place) == (counter.metric, counter.place):
                is_strange = bool(container and of and of != container and not counter.is_proxy)
                found.append((is_strange, i, of != container, of, counter, one))
    return min(found, key=lambda f: f[:4])[4:] if found else None


def matchers(place: str, config: PrometheusConfig, subject: Subject, pods: str, without: Iterable[tuple[str, str]] = ()) -> str:
    """The label matchers of a place for this workload, with `without` left out."""
    where = PLACES[place].format_map(_names(config, subject, pods))
    return where + "".join(f",{label}!~{quoted(pattern)}" for label, pattern in without) + config.also


def _names(config: PrometheusConfig, subject: Subject, pods: str) -> dict[str, str]:
    """What stands for a place's names. Labels of an alert are untrusted: none but a Kubernetes name gets here, quoted all the same."""
    guessed = workload_from_pod_name(subject.pod)
    names = [w.name for w in (subject.workload, guessed) if w is not None and is_kube_name(w.name)]
    name = names[0] if names else subject.pod
    service = f"{re.escape(name)}({_SERVICE})?".replace("\\-", "-")
    namespace = re.escape(subject.namespace).replace("\\-", "-")
    return {
        "on_pod": f"{config.namespace_label}={quoted(subject.namespace)},{config.pod_label}=~{quoted(pods)}",
        "namespace": quoted(subject.namespace),
        "workload": quoted(name),
        "services": quoted(service),
        "celery": quoted(f"([^@]*@)?{pods}"),  # its exporter leaves out the node before the @, Flower does not
        "traefik": quoted(f"{namespace}-{service}-[a-z0-9]+@kubernetes.*"),  # namespace, Service, port
    }
