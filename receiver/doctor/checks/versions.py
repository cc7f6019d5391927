"""Which versions meet here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.doctor.checks import alertmanager, kubernetes, prometheus
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok
from receiver.domain.reason import reason
from receiver.rulepack.checks.sources import OLDEST

OLDEST_ALERTMANAGER = "0.25"  # that the tests run on


def known(site: Site) -> Iterator[Finding]:
    """Ours and the others', as far as they were told."""
    others = {
        "Kubernetes": site.notes.get(kubernetes.VERSION), "Prometheus": site.notes.get(prometheus.VERSION),
        "Alertmanager": site.notes.get(alertmanager.VERSION),
    }  # fmt: skip
    told = tuple(f"{name} {version}" for name, version in others.items() if version)
    yield ok(reason("doctor.versions.known", version=site.own.version, python=site.own.python, others=told))
    for name, oldest in (("Prometheus", OLDEST), ("Alertmanager", OLDEST_ALERTMANAGER)):
        version = str(others[name] or "")
        if version and _number(version) < _number(oldest):
            yield advice(
                reason("doctor.versions.old", service=name, version=version, oldest=oldest),
                reason("doctor.do.upgrade", service=name),
                part=name,
            )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2])
