"""Runs the checks in parallel, each as soon as what it builds on is in, all under one deadline."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable, Sequence

from receiver.doctor.check import Check
from receiver.doctor.site import Site
from receiver.domain.finding import Checked, Finding, State, unknown
from receiver.domain.reason import reason
from receiver.errors import ReceiverError

log = logging.getLogger(__name__)

LIMIT_S = 30.0  # of all checks together: for as long as somebody waits at a terminal


def examine(site: Site, checks: Sequence[Check]) -> tuple[Checked, ...]:
    """What all checks found, in their order. Never raises for one that fails; what was not done in time says so."""
    done: queue.Queue[tuple[str, tuple[Finding, ...]]] = queue.Queue()
    found: dict[str, tuple[Finding, ...]] = {}
    waiting = {check.id: check for check in checks}
    known, running = frozenset(waiting), set[str]()
    while waiting or running:
        for check in [c for c in waiting.values() if all(name in found or name not in known for name in (*c.after, *c.awaits))]:
            del waiting[check.id]
            refused = next((name for name in check.after if not _was_reached(found.get(name, ()))), "")
            if refused:
                found[check.id] = (unknown(reason("doctor.not_asked", after=refused)),)
            else:
                running.add(check.id)
                threading.Thread(
                    target=lambda c=check: done.put((c.id, _findings(c, site))), name=f"doctor-{check.id}", daemon=True
                ).start()
        if not running:
            continue
        try:
            name, findings = done.get(timeout=max(0.001, site.deadline.left_s()))
        except queue.Empty:
            break
        found[name] = findings
        running.discard(name)
    late = (unknown(reason("doctor.no_time", limit_s=LIMIT_S)),)
    return tuple(Checked(check=c.id, finding=f) for c in checks for f in found.get(c.id, late))


def _was_reached(findings: Iterable[Finding]) -> bool:
    """Whether a service answered. One that is not configured, or was not asked, did not; advice about it is no obstacle elsewhere."""
    return any(f.state is State.OK for f in findings)


def _findings(check: Check, site: Site) -> tuple[Finding, ...]:
    try:
        return tuple(check.ask(site))
    except ReceiverError as exc:
        return (unknown(reason("doctor.failed", error=str(exc))),)
    except Exception as exc:
        log.exception("a check failed", extra={"check": check.id})
        return (unknown(reason("doctor.broken", error=type(exc).__name__)),)
