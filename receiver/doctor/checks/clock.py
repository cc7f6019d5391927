"""Three clocks: ours, Prometheus' and the API server's. Which of them is wrong is said where two agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from receiver.doctor.checks import kubernetes, prometheus
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, ok, problem, unknown
from receiver.domain.reason import reason

MOST_S = 30.0  # a scrape interval: more than that, and samples and deaths are ordered wrongly
PROMETHEUS, KUBERNETES = "Prometheus", "Kubernetes"


def agree(site: Site) -> Iterator[Finding]:
    """How far the others are ahead of us, in seconds."""
    ahead_s = _ahead(site)
    if not ahead_s:
        yield unknown(reason("doctor.clock.nobody"))
        return
    off = {name: seconds for name, seconds in ahead_s.items() if abs(seconds) > MOST_S}
    if not off:
        yield ok(reason("doctor.clock.ok", services=tuple(ahead_s), most_s=max(abs(s) for s in ahead_s.values())))
        return
    first = next(iter(off.values()))
    if len(ahead_s) > 1 and len(off) == len(ahead_s) and all(abs(s - first) <= MOST_S for s in off.values()):
        yield problem(
            reason("doctor.clock.ours", off_s=abs(first), direction="behind" if first > 0 else "ahead"), reason("doctor.do.own_clock")
        )
        return
    for name, seconds in off.items():
        what = reason("doctor.clock.off", service=name, off_s=abs(seconds), direction="ahead" if seconds > 0 else "behind")
        yield problem(what, reason("doctor.do.clock", service=name), part=name)


def _ahead(site: Site) -> Mapping[str, float]:
    told = {PROMETHEUS: site.notes.get(prometheus.CLOCK), KUBERNETES: site.notes.get(kubernetes.CLOCK)}
    return {name: ahead_s for name, ahead_s in told.items() if ahead_s is not None}
