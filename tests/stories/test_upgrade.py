"""A state file of an older release, in the middle of a night: the new one takes over, loses nothing and says nothing twice.

The file was written by commit 30e880f; tests/fixtures/upgrade/README.md tells what stands in it and how it was made. Slack and
Alertmanager begin with what they held at that moment.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from receiver.domain.incident_memory import LogEntry
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.render.wording import say
from receiver.render.wording.forms import upper_first
from receiver.store import incident_lists, incidents, jobs, outbox, quarantine
from tests.fakes.json_receiver import JsonReceiver
from tests.fakes.slack import Posted, Root, StoredFile
from tests.stories import cast
from tests.stories.cluster import Cluster
from tests.stories.silences import AlertmanagerStandin
from tests.stories.story import CALL, SECRET, Story
from tests.support import shown_as

FIXTURE = Path(__file__).parents[1] / "fixtures" / "upgrade"
CONFIG = f"""
routes:
  - {{channel: C1, namespaces: [shop], mention: "{CALL}", critical: true, workload_labels: {{app.kubernetes.io/name: ".*"}}}}
  - {{channel: C1, mention: "{CALL}"}}
"""
LEGACY = "incident.log.legacy"
STORM = [f"svc{i:03d}" for i in range(1, 10)]  # svc000 has a root of its own


class Night:
    """The rest of the night. `before`: what had happened when the old release ended."""

    def __init__(self, story: Story, hook: JsonReceiver, alertmanager: AlertmanagerStandin, before: dict[str, Any]) -> None:
        self.story = story
        self.hook = hook
        self.alertmanager = alertmanager
        self.before = before

    def root_of(self, name: str) -> Root:
        """The one root that is about a workload."""
        (root,) = (r for r in self.story.slack.channel().roots if f"{name} " in r.message.text and "workloads with" not in r.message.text)
        return root

    @property
    def digest(self) -> str:
        """The storm's root."""
        (shown,) = (r.message.shown() for r in self.story.slack.channel().roots if any("of this storm" in m.text for m in r.replies))
        return shown

    def reply(self, name: str, text: str) -> Posted:
        """A reply under it."""
        return next(m for m in self.root_of(name).replies if text in m.text)

    def log(self, incident_id: str) -> tuple[LogEntry, ...]:
        """The history of an incident."""
        assert self.story.receiver is not None
        with self.story.receiver.store.read() as tx:
            found = incidents.load(tx, incident_id)
        assert found is not None
        return found.memory.log

    def page(self, incident_id: str) -> str:
        """The page of an incident."""
        assert self.story.receiver is not None
        answer = self.story.receiver.web.test_client().get(f"/incidents/{incident_id}")
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """A new receiver over the old state file, a minute and a half later."""
    with _night(tmp_path / "receiver") as made:
        made.story.later(seconds=90)
        yield made


@contextmanager
def _night(folder: Path) -> Iterator[Night]:
    folder.mkdir()
    (folder / "state.db").write_bytes(gzip.decompress((FIXTURE / "state.db.gz").read_bytes()))
    before: dict[str, Any] = json.loads(gzip.decompress((FIXTURE / "around.json.gz").read_bytes()))
    parts = [cast.raised(2, raised_after_s=1800)[0], cast.warning(), cast.fast_leak(), cast.probe_kill(), cast.replicas(3), cast.storm(10)]
    cluster = Cluster([w for part in parts for w in part.workloads])
    with AlertmanagerStandin(began=cast.EVENING) as alertmanager, JsonReceiver() as hook:
        alertmanager.silences.update(before["silences"])
        story = Story(
            folder, cluster, begin=from_epoch(before["now"] + 5), config=CONFIG, SLACK_SIGNING_SECRET=SECRET, ALERTMANAGER_URL=alertmanager.url,
            JSON_WEBHOOK_URL=hook.url,
        )  # fmt: skip
        story.slack.hold("C1", [Posted(**m) for m in before["slack"]["C1"]])
        story.slack.files.update({k: StoredFile(**{**f, "content": b""}) for k, f in before["files"].items()})
        with story:
            yield Night(story, hook, alertmanager, before)


def test_nothing_is_left_undone(night: Night) -> None:
    """Every row is read, what was due is done, and what was unsent is sent."""
    assert night.story.receiver is not None
    with night.story.receiver.store.read() as tx:
        due = jobs.next_due(tx)
        known = {i.id for i in incident_lists.newest(tx, 100)}
        problems = [*outbox.dead(tx), *jobs.dead(tx)], quarantine.counts(tx)
        is_quiet = outbox.is_quiet(tx)

    assert set(night.before["ids"].values()) <= known
    assert problems == ([], {})
    assert is_quiet
    assert due is not None
    assert due > night.story.clock.now()


def test_nothing_is_said_twice(night: Night) -> None:
    """What stood there stays; only what was missing is posted: a root that was never sent, and an alert nobody had looked at."""
    posts = [h for h in night.story.slack.happened if h.kind == "post"]
    ids = Counter(m.delivery_id for m in night.story.slack.channel().messages)

    assert sorted(h.text.split()[1].rstrip(":") for h in posts) == ["billing", "search"]
    assert [h.text for h in night.story.slack.happened if h.kind == "broadcast"] == []
    assert [i for i, n in ids.items() if n > 1] == []
    assert {m["ts"] for m in night.before["slack"]["C1"]} <= {m.ts for m in night.story.slack.channel().messages}
    assert len(night.root_of("checkout").replies) == 3  # its root had arrived, and was found again


def test_what_people_did_is_still_done(night: Night) -> None:
    """Before the upgrade, and by clicks that nothing was done about yet."""
    orders, cart = night.root_of("orders-api").message.shown(), night.root_of("cart").message.shown()

    assert shown_as(reason("incident.log.acknowledged", by="ines")) in orders
    assert shown_as(reason("incident.log.fix_applied", by="Ines")) in orders
    assert shown_as(reason("incident.log.acknowledged", by="Otto")) in cart
    assert "Silenced until 03:40 UTC." in cart
    for name in ("orders-api", "session-store"):
        assert "untick:monitor_48h" in night.reply(name, "checklist").actions


def test_the_history_goes_on(night: Night) -> None:
    """Sentences of the old release, each as it was and once; the new one adds reasons behind them, and the page shows all."""
    rows = json.loads((FIXTURE / "rows.json").read_text())["incident"]
    logs = {incident_id: night.log(incident_id) for incident_id in rows}
    kept = {i: [e.what["text"] for e in log if e.what.code == LEGACY] for i, log in logs.items()}
    added = {e.what.code for log in logs.values() for e in log if e.what.code != LEGACY}

    assert kept == {incident_id: [text for _, text, *_ in row.get("log", ())] for incident_id, row in rows.items()}
    assert added == {"incident.log.silenced"}
    for incident_id, log in logs.items():
        assert all(str(escape(upper_first(say(e.what)))) in night.page(incident_id) for e in log)


def test_what_was_asked_of_a_storm_is_done(night: Night) -> None:
    """Each member has its silence, and the digest says so."""
    night.story.later(seconds=30)
    digest = night.digest
    pods = {m["value"] for s in night.alertmanager.silences.values() for m in s["matchers"] if m["name"] == "pod"}

    assert all(any(name in pod for pod in pods) for name in STORM)
    assert "Silenced until 04:05 UTC by ines." in digest
    assert shown_as(reason("incident.log.refused", by="mallory", what="quiet")) in digest


def test_programs_are_told_what_is_new_and_nothing_else(night: Night) -> None:
    """No incident is opened for them again."""
    new = [(d["event"], d["incident"]["id"]) for d in night.hook.documents]

    assert [e for e in new if e[0] == "opened" and e[1] in night.before["ids"].values()] == []
    assert [e for e, i in new if i not in night.before["ids"].values()] == ["opened"]
    assert all(d["incident"]["settings_changed"] in ("", "limit raised to 160Mi") for d in night.hook.documents)


def test_the_rest_of_the_night(night: Night) -> None:
    """Looks that were planned by the old release are taken, and the watch begins: what changes between two of them is heard once.

    The storm ends; who still fires then has a root of its own.
    """
    night.story.until("05:10")
    broadcasts = [h.text for h in night.story.slack.happened if h.kind == "broadcast"]
    digest = night.digest

    assert [t.split()[1] for t in broadcasts] == ["cart", "session-store"]  # its third kill shows a leak; a warning became a kill
    posts = [h.text.split()[1] for h in night.story.slack.happened if h.kind == "post"]
    assert len(posts) == len(set(posts)) == 2 + len(STORM)
    assert "over" in digest.splitlines()[0].lower()
    assert night.story.slack.complaints == []
