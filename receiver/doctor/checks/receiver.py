"""The receiver that runs here, as its /readyz tells: what it knows already is not found out again."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.case.access import mapping, objects, text, texts, whole
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.render.text import clean_line

READY, FINE, STUCK = "ready", "ok", "stuck"  # its words


def state(site: Site) -> Iterator[Finding]:
    """Ready, and every sink and channel fine; else what it says of each that is not."""
    ready, where = site.ready, site.receiver.origin if site.receiver is not None else ""
    if ready is None:
        yield advice(reason("doctor.receiver.none", where=where or site.own.listen), reason("doctor.do.serve"))
        return
    is_fine = True
    if text(ready, "status") != READY:
        is_fine = False
        yield problem(reason("doctor.receiver.not_ready", error=clean_line(text(ready, "store"), 200)), reason("doctor.do.not_ready"))
    if text(ready, "dispatcher") == STUCK:
        is_fine = False
        yield problem(reason("doctor.receiver.stuck"), reason("doctor.do.restart"), part="dispatcher")
    for kind in ("sink", "channel"):
        for name, said in sorted(mapping(ready, kind).items()):
            if said != FINE:
                is_fine = False
                yield problem(
                    reason("doctor.receiver.cannot_tell", where=str(name), error=clean_line(str(said), 300)), part=f"{kind} {name}"
                )
    quarantined = sum(n for n in mapping(ready, "quarantined").values() if isinstance(n, int))
    if quarantined:
        yield advice(reason("doctor.receiver.quarantined", n=quarantined), reason("doctor.do.quarantine"), part="quarantined")
    if site.differing_settings:
        yield advice(reason("doctor.receiver.differs", names=site.differing_settings), reason("doctor.do.restart"), part="settings")
    if is_fine:
        yield ok(reason("doctor.receiver.ok", where=where or site.own.listen))


def hints(site: Site) -> Iterator[Finding]:
    """What looks lacked that only a setting, a permission or a metric would have given them, the most often lacking first."""
    if site.ready is None:
        yield unknown(reason("doctor.hints.no_receiver"))
        return
    found = objects(site.ready, "configuration")
    for entry in found:
        sources = texts(entry, "sources")
        what = reason("doctor.hints.hint", sources=sources, seen=whole(entry, "seen") or 0)
        yield advice(what, reason("doctor.do.hint", hint=clean_line(text(entry, "hint"), 300)), part=",".join(sources))
    if not found:
        yield ok(reason("doctor.hints.none"))
