"""The repositories of `gitops`: whether a change could be proposed in each."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, unknown
from receiver.domain.reason import reason
from receiver.errors import SourceError


def repositories(site: Site) -> Iterator[Finding]:
    """Each is asked for its base and for what the token may do. Nothing is written. Advice only: alerts do not depend on it."""
    if not site.repositories:
        yield ok(reason("doctor.gitops.off"))
    for name, forge in site.repositories.items():
        try:
            access = forge.access()
        except SourceError as exc:
            yield advice(reason("doctor.gitops.refused", repository=name, error=str(exc)), reason("doctor.do.gitops"))
            continue
        if not access.has_base:
            yield advice(reason("doctor.gitops.no_base", repository=name), reason("doctor.do.gitops_base"))
        elif access.may_write is None:
            yield unknown(reason("doctor.gitops.not_told", repository=name))
        elif not access.may_write:
            yield advice(reason("doctor.gitops.reads_only", repository=name), reason("doctor.do.gitops"))
        else:
            yield ok(reason("doctor.gitops.ok", repository=name))
