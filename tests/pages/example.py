"""A month of five workloads, as docs/pages.md shows it."""

from __future__ import annotations

from receiver.domain.change import Change
from receiver.domain.incident_memory import FollowUp, GivenVerdict, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, WorkloadName, day_of
from receiver.store import workloads
from tests.unit.web.incident.kit import Site

MIB = 1024**2
# namespace, name, verdict, days between kills, kills at a time, what came of its fix (None: no fix), limit before and now, highest use, proposed
ROWS = (
    ("shop", "orders-api", "leak", 1, 3, "only_delayed", 80, 160, 160, 320),
    ("cart", "log-shipper", "unknown", 3, 4, None, 48, 48, 48, None),
    ("batch", "nightly-report", "spike", 7, 1, "held", 256, 512, 301, None),
    ("shop", "session-store", "limit_too_low", 9, 1, "", 96, 200, 131, None),
    ("search", "indexer", "startup", 30, 6, "held", 200, 400, 262, None),
)


def fill(site: Site) -> str:
    """Into the store of a site; the id of the first."""
    store = site.application.store
    now = store.now()
    with store.write() as tx:
        for i, (namespace, name, cause, every, kills, outcome, before, limit, peak, wanted) in enumerate(ROWS):
            workload = WorkloadName(cluster="lab", namespace=namespace, kind="Deployment", name=name)
            fixed_at = now - 8 * DAY_S
            raised = Change(what="limit", at=from_epoch(fixed_at), before_bytes=before * MIB, after_bytes=limit * MIB)
            judged = FollowUp(after_s=DAY_S, at=from_epoch(fixed_at + DAY_S), outcome=outcome or "", because=reason("fix.said"))
            ended = judged if outcome == "only_delayed" else None
            fix = WatchedFix(
                number=1, since=from_epoch(fixed_at), changes=(raised,), done=(judged,) if outcome == "held" else (), ended=ended
            )
            last = 0 if ended is not None or outcome is None else 9
            days = {day_of(now) - ago: kills + ago % 2 for ago in range(last, 26 - i, every)}
            past = PastIncident(
                id=f"inc_{i}", workload=workload, container=name, opened_at=now - 25 * DAY_S, seen_at=now - last * DAY_S,
                state="firing" if not last else "resolved", kills=sum(days.values()), verdict=GivenVerdict(cause=cause, confidence=0.9),
                fixes=(fix,) if outcome is not None else (),
            )  # fmt: skip
            workloads.save(tx, past)
            workloads.add_kills(tx, past.id, days)
            for since, n_bytes, most in ((now - 25 * DAY_S, before, before), (fixed_at, limit, peak)):
                seen = SeenLimit(
                    container=name, since=since, seen_at=min(since + 17 * DAY_S, now), limit_bytes=n_bytes * MIB, peak_bytes=most * MIB,
                    wanted_bytes=wanted * MIB if wanted is not None and since == fixed_at else None,
                )  # fmt: skip
                workloads.note_limit(tx, workload.id, seen)
    return WorkloadName(cluster="lab", namespace=ROWS[0][0], kind="Deployment", name=ROWS[0][1]).id
