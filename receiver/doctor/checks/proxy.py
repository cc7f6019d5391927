"""Variables that other programs take for a proxy: this one goes to its services directly, so where only a proxy leads out, it does not."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok
from receiver.domain.reason import reason


def environment(site: Site) -> Iterator[Finding]:
    """What is set of them. Whether a proxy stands in the way is seen where a service is asked."""
    if not site.own.proxies:
        yield ok(reason("doctor.proxy.none"))
        return
    told = tuple(f"{name}={value}" for name, value in sorted(site.own.proxies.items()))
    yield advice(reason("doctor.proxy.unused", variables=told), reason("doctor.do.direct"))
