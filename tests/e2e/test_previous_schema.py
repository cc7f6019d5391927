"""A state file of the schema before ours: what waits in it is told, what sleeps in it wakes, and nothing is told twice."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from receiver.app.build import Application
from receiver.domain.units import from_epoch
from receiver.pipeline import kinds
from receiver.store import jobs, outbox, quarantine
from receiver.store.schema import SCHEMA_VERSION, schema_version
from tests.e2e.inside import is_idle, receiver_inside
from tests.fakes.slack import FakeSlack, Posted
from tests.places import FIXTURES
from tests.support import Clock, wait_until

OLD = FIXTURES / "upgrade" / "schema4"


def test_a_state_of_the_previous_schema_drains(tmp_path: Path) -> None:
    """An accepted alert, a message that waits and a follow-up that sleeps, each once; what stood in the channel stays."""
    around: dict[str, Any] = json.loads(gzip.decompress((OLD / "around.json.gz").read_bytes()))
    (tmp_path / "state.db").write_bytes(gzip.decompress((OLD / "state.db.gz").read_bytes()))
    clock = Clock(from_epoch(around["now"] + 30))
    with FakeSlack() as slack:
        slack.hold("C1", [Posted(**message) for message in around["slack"]])
        with receiver_inside(
            tmp_path, slack, clock=clock.now, monotonic=clock.monotonic, KUBE_API_URL="http://127.0.0.1:9", ENRICH_DEADLINE="2s"
        ) as application:
            slack.wait_for(lambda: names(slack) == ["alpha", "bravo", "delta"])
            wait_until(lambda: is_idle(application) and waiting(application) == 0, what="everything due is done")
            asleep = follow_up_due(application)
            clock.advance(25 * 3600)
            application.worker.wake()
            wait_until(lambda: follow_up_due(application) > clock.now(), what="the follow-up is taken, and the next is planned")
            with application.store.read() as tx:
                version = schema_version(tx)
                problems = [*outbox.dead(tx), *jobs.dead(tx)], quarantine.counts(tx)
        messages = slack.channel("C1").messages

    ids = Counter(m.delivery_id for m in messages)
    assert version == SCHEMA_VERSION
    assert asleep == pytest.approx(around["now"] + 86_400, abs=60)
    assert problems == ([], {})
    assert [i for i, n in ids.items() if n > 1] == []
    assert {m["ts"] for m in around["slack"]} <= {m.ts for m in messages}


def names(slack: FakeSlack) -> list[str]:
    """Whose roots stand in the channel."""
    return sorted(name for r in slack.channel("C1").roots for name in ("alpha", "bravo", "delta") if name in r.message.text)


def waiting(application: Application) -> int:
    """Messages that have not arrived."""
    with application.store.read() as tx:
        return outbox.backlog(tx)[0]


def follow_up_due(application: Application) -> float:
    """When the fix of alpha is looked at next; 0 when that is not planned."""
    with application.store.read() as tx:
        rows = tx.run("SELECT due_at FROM job WHERE kind = :kind AND state = 'pending'", kind=kinds.FOLLOW_UP)
    return float(rows[0]["due_at"]) if rows else 0.0
