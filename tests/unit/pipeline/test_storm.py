"""Many incidents at once are one root and pages that name them all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from receiver.domain.alerts import RESOLVED, Alert
from receiver.domain.conversation_memory import BaseShare
from receiver.domain.incident import DigestView
from receiver.domain.units import from_epoch
from receiver.errors import Unavailable
from receiver.pipeline import kinds
from receiver.pipeline.digest import Digests
from receiver.pipeline.digest_view import DigestConfig
from receiver.pipeline.routing import Route
from receiver.pipeline.storm_shares import ShareWork
from receiver.store import incident_lists, jobs
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers, pod


class TestStorm:
    """Many incidents at once are one root and pages that name them all."""

    def test_every_workload_of_a_storm_is_named_exactly_once(self, desk: Desk) -> None:
        """300 workloads while Slack is slow: what has no root yet is told in one digest; nobody is named twice."""
        for i in range(300):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
            desk.clock.advance(0.1)
            if i < 3:
                desk.send_one()
        desk.clock.advance(60)
        desk.work()
        (digest,) = [r for r in desk.roots() if r.startswith("storm")]
        own = {r.split()[0] for r in desk.roots() if not r.startswith("storm")}
        (page,) = [m.partition(": ")[2].split() for m in desk.messages() if "digest-page" in m]

        assert digest == "storm of 300"
        assert len(own) == 3
        assert sorted([*own, *page]) == sorted(f"svc{i}" for i in range(300))

    def test_critical_routes_keep_their_own_roots(self, tmp_path: Path) -> None:
        """What somebody marked as critical is not folded away."""
        desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", match={"tier": "gold"}, is_critical=True),))
        for i in range(30):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app", tier="gold" if i % 10 == 5 else "tin"))
        desk.clock.advance(60)
        desk.work()
        roots = desk.roots()
        desk.store.close()

        assert {"svc5", "svc15", "svc25"} <= {r.split()[0] for r in roots}

    def test_roots_that_wait_for_a_slow_channel_move_into_the_digest(self, desk: Desk) -> None:
        """Said nowhere yet, so said once, in the digest; what was already sent keeps its root."""
        for i in range(5):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        sent = desk.send_one().split()[0]
        for i in range(5, 15):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        desk.clock.advance(60)
        desk.work()

        assert sorted(r.split()[0] for r in desk.roots()) == ["storm", sent]

    def test_a_storm_sounds_again_only_when_it_has_doubled(self, desk: Desk) -> None:
        """An edit is silent: twice as many workloads are said aloud in its thread, one more is not."""
        sizes = (12, 13, 23, 24, 40, 48)
        heard: list[list[str]] = []
        for first, last in zip((0, *sizes), sizes, strict=False):
            desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app") for i in range(first, last)))
            desk.clock.advance(60)
            desk.work()
            heard.append([m.partition("/")[2] for m in desk.messages() if "/grown" in m])

        assert [len(h) for h in heard] == [0, 0, 0, 1, 1, 2]
        assert heard[-1] == ["grown:24: storm of 24 by now", "grown:48: storm of 48 by now"]

    def test_a_slow_trickle_is_no_storm(self, desk: Desk) -> None:
        """Twelve incidents over an hour have roots of their own."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
            desk.clock.advance(300)

        assert len(desk.roots()) == 12

    def test_a_member_that_fires_again_after_the_storm_gets_its_own_root(self, desk: Desk) -> None:
        """The digest is over and long scrolled away: what dies again is told anew."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()))
        for _ in range(40):
            desk.clock.advance(60)
            desk.work()
        desk.evidence = lambda s: {}
        desk.missing = ()
        desk.take(alert(pod=pod(11, "svc11"), container="app", started=desk.clock.now()))

        assert "svc11" in {r.split()[0] for r in desk.roots()}

    def test_resolves_are_seen_in_the_digest(self, desk: Desk) -> None:
        """A storm that calms down says so, without waiting for its end."""
        members = [alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(12)]
        desk.take(*members)
        desk.clock.advance(60)
        desk.work()
        desk.take(*(replace(m, status=RESOLVED) for m in members))
        due_s = desk.next_job_in_s()

        assert due_s is not None
        assert due_s <= 30

    def test_a_storm_ends_and_the_next_incident_has_its_own_root(self, desk: Desk) -> None:
        """A quarter of an hour after the last newcomer the storm is over."""
        for i in range(12):
            desk.take(alert(pod=pod(i, f"svc{i}"), container="app"))
        for _ in range(40):
            desk.clock.advance(60)
            desk.work()
        desk.take(alert(pod=pod(99, "late"), container="app", started=desk.clock.now()))

        assert "late" in {r.split()[0] for r in desk.roots()}


class TestStormsThatGrow:
    """A storm's root is edited in silence; that it doubled is said aloud."""

    def test_doubled_is_said_once_a_doubling(self, desk: Desk) -> None:
        """Twelve, then thirty, then forty: one broadcast."""
        for begin, end in ((0, 12), (12, 30), (30, 40)):
            desk.take(*(alert(pod=pod(i, f"svc{i:02d}"), container=f"svc{i:02d}") for i in range(begin, end)))
            desk.clock.advance(90)
            desk.work()

        assert [m.partition(":")[0] for m in desk.messages() if "grown" in m] == ["C1/grown"]

    def test_within_a_minute_nothing_sounds_again(self, desk: Desk) -> None:
        """A storm gathers in its first minute: its root counts on, silently."""
        for begin, end in ((0, 12), (12, 40)):
            desk.take(*(alert(pod=pod(i, f"svc{i:02d}"), container=f"svc{i:02d}") for i in range(begin, end)))
            desk.clock.advance(10)
            desk.work()

        assert [m for m in desk.messages() if "grown" in m] == []


class Cluster:
    """Counts the cluster as a test says, or cannot be asked."""

    def __init__(self, **shares: BaseShare) -> None:
        self.of = shares
        self.asked: list[Mapping[str, str]] = []
        self.is_away = False

    def shares(self, wanted: Mapping[str, str], *, now: float) -> Mapping[str, BaseShare]:
        self.asked.append(dict(wanted))
        if self.is_away:
            raise Unavailable("Prometheus does not answer")
        return {kind: share for kind, share in self.of.items() if kind in wanted}


class TestWhatIsShared:
    """All pods of the desk run on node-1, in namespace shop."""

    def storm(self, desk: Desk, cluster: Cluster, seconds: int) -> list[DigestView]:
        desk.digests = Digests(store=desk.store, rendering=desk.words, config=DigestConfig(can_ask_shares=True))
        desk.runs[kinds.SHARES] = ShareWork(store=desk.store, source=cluster, digests=desk.digests).run
        desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(12)))
        for _ in range(seconds):
            desk.clock.advance(1)
            desk.work()
        return desk.words.storms

    def test_the_first_text_knows(self, desk: Desk) -> None:
        """A phone shows it for ever: it waits some seconds for the answer."""
        first = self.storm(desk, Cluster(node=BaseShare(share=0.1, values=10)), 10)[0]

        assert first.common is not None
        assert (first.common.kind, first.common.name, first.common.count) == ("node", "node-1", 12)

    def test_one_query_in_five_minutes(self, desk: Desk) -> None:
        """Whatever is shared is asked for together, and its answer kept, however often the digest is edited."""
        cluster = Cluster(node=BaseShare(share=1.0, values=1))
        self.storm(desk, cluster, 10)
        with desk.store.read() as tx:
            digest = next(r["id"] for r in tx.run("SELECT id FROM conversation WHERE kind = 'digest'"))
        for _ in range(19):
            desk.clock.advance(30)
            with desk.store.write() as tx:
                jobs.schedule(tx, kinds.DIGEST, digest, now=desk.clock.now())
            desk.work()

        assert cluster.asked == [{"node": "node-1", "image": "shop:1", "namespace": "shop"}] * 2

    def test_without_an_answer_nothing_is_blamed(self, desk: Desk) -> None:
        """And the storm is told in time."""
        cluster = Cluster()
        cluster.is_away = True
        views = self.storm(desk, cluster, 60)

        assert views
        assert all(v.common is None and not v.is_common_known for v in views)


class TestAfterStorm:
    """What still fires when a storm is over gets a root of its own: the digest has neither evidence nor patch."""

    def storm(self, desk: Desk, n: int = 12, *, severity: str = "warning") -> list[Alert]:
        """A storm of n workloads, of which the last two are quiet when it is over. Those that were killed more often are worse."""
        desk.evidence = lambda s: answers(s, restarts=1 + int(re.sub(r"\D", "", s.pod.partition("-")[0]) or 0))
        members = [alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now(), severity=severity) for i in range(n)]
        desk.take(*members)
        desk.clock.advance(60)
        desk.take(*(replace(m, status=RESOLVED) for m in members[-2:]))
        while not self.is_over(desk):
            desk.clock.advance(60)
            desk.work()
        return members

    def is_over(self, desk: Desk) -> bool:
        with desk.store.read() as tx:
            return bool(tx.run("SELECT 1 FROM conversation WHERE kind = 'digest' AND closed_at IS NOT NULL"))

    def pass_by(self, desk: Desk, seconds: float) -> None:
        for _ in range(int(seconds)):
            desk.clock.advance(1)
            desk.work()

    def test_each_that_still_fires_has_its_root_the_worst_first(self, desk: Desk) -> None:
        """Ten of twelve, by kill rate; the two that are quiet were told in the digest and need nothing."""
        self.storm(desk)
        self.pass_by(desk, 180)

        own = [r.split()[0] for r in desk.roots() if not r.startswith("storm")]
        assert own == [f"svc{i}" for i in reversed(range(10))]

    def test_no_more_than_six_a_minute(self, desk: Desk) -> None:
        """A channel takes a message a second, and each root brings three replies."""
        self.storm(desk, 30)
        self.pass_by(desk, 400)
        with desk.store.read() as tx:
            opened = [r["opened_at"] for r in tx.run("SELECT opened_at FROM conversation WHERE kind = 'after_storm' ORDER BY opened_at")]

        assert len(opened) == 28
        assert min(b - a for a, b in pairwise(opened)) >= 10

    def test_they_are_no_new_storm(self, desk: Desk) -> None:
        """Thirty roots in five minutes; and the next real incident has its own root among them."""
        self.storm(desk, 40)
        self.pass_by(desk, 120)
        desk.take(alert(pod=pod(99, "late"), container="app", started=desk.clock.now()))
        self.pass_by(desk, 300)

        assert [r for r in desk.roots() if r.startswith("storm")] == ["storm of 40"]
        assert "late" in {r.split()[0] for r in desk.roots()}

    def test_who_dies_on_waits_for_its_turn(self, desk: Desk) -> None:
        """A crash loop is killed again while the roots are given out: still one root, at its turn."""
        members = self.storm(desk)
        desk.evidence = lambda s: answers(s, restarts=90, finished="2024-11-10T09:18:00Z")
        with desk.store.write() as tx:
            for one in incident_lists.newest(tx, 50):
                jobs.schedule(tx, kinds.COLLECT, one.id, now=desk.clock.now())
        desk.work()
        at_once = [r for r in desk.roots() if not r.startswith("storm")]
        self.pass_by(desk, 180)

        assert len(at_once) == 1
        assert sorted(r.split()[0] for r in desk.roots() if not r.startswith("storm")) == sorted(f"svc{i}" for i in range(len(members) - 2))

    def test_what_resolves_before_its_turn_gets_none(self, desk: Desk) -> None:
        """It is quiet: the digest counts it."""
        members = self.storm(desk)
        desk.take(*(replace(m, status=RESOLVED) for m in members[:9]))
        self.pass_by(desk, 180)

        own = {r.split()[0] for r in desk.roots() if not r.startswith("storm")}
        assert own == {"svc9"}

    def test_nobody_is_called_twice(self, tmp_path: Path) -> None:
        """The storm's root called them; who is called by another route for its workload still is."""
        desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="@oncall "),))
        self.storm(desk, severity="critical")
        self.pass_by(desk, 180)
        roots = desk.roots()
        desk.store.close()

        assert len(roots) == 11
        assert not any("@oncall" in r for r in roots)

    def test_a_crash_between_two_steps_tells_nothing_twice(self, desk: Desk) -> None:
        """The job is done again, as after a SIGKILL: the one that was released is not released again."""
        self.storm(desk)
        with desk.store.write() as tx:
            digest = next(r["id"] for r in tx.run("SELECT id FROM conversation WHERE kind = 'digest'"))
        for _ in range(4):
            with desk.store.write() as tx:
                jobs.schedule(tx, kinds.AFTER_STORM, digest, now=desk.clock.now())
            desk.work()
        self.pass_by(desk, 180)

        own = [r.split()[0] for r in desk.roots() if not r.startswith("storm")]
        assert len(own) == len(set(own)) == 10


class TestInventory:
    """What was dying before there was a receiver is told as an inventory, and not as news."""

    def install(
        self, desk: Desk, n: int, *, killed: str = "2024-11-10T07:00:00Z", started_before_s: float = 0.0, **more: str
    ) -> list[Alert]:
        """n workloads alert within the first minute of the installation; their containers were last killed then."""
        desk.evidence = lambda s: answers(s, restarts=2 + int(re.sub(r"\D", "", s.pod.partition("-")[0]) or 0), finished=killed)
        desk.clock.advance(20)
        alerts = [alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now() - started_before_s, **more) for i in range(n)]  # type: ignore[arg-type]
        desk.take(*alerts)
        return alerts

    def pass_by(self, desk: Desk, seconds: float) -> None:
        for _ in range(int(seconds)):
            desk.clock.advance(1)
            desk.work()

    def kinds(self, desk: Desk) -> list[str]:
        with desk.store.read() as tx:
            rows = tx.run(
                "SELECT kind FROM conversation c WHERE EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = c.id) ORDER BY opened_at, id"
            )
        return [row["kind"] for row in rows]

    @pytest.mark.parametrize("n", [5, 12])
    def test_the_first_message_is_an_inventory(self, desk: Desk, n: int) -> None:
        """By the kills, which are older than the installation: the alerts began with the rules, after it. Then each its root, worst first."""
        self.install(desk, n)
        self.pass_by(desk, 30)
        first = desk.roots()
        self.pass_by(desk, 400)

        assert first == [f"storm of {n}"]
        assert [r.split()[0] for r in desk.roots()] == ["storm", *(f"svc{i}" for i in reversed(range(n)))]
        assert self.kinds(desk) == ["inventory", *["after_storm"] * n]

    def test_by_the_alerts_where_there_is_no_evidence(self, desk: Desk) -> None:
        """They have been firing for an hour."""
        self.install(desk, 5, started_before_s=3600.0, killed="2024-11-10T09:00:10Z")
        self.pass_by(desk, 30)

        assert desk.roots() == ["storm of 5"]

    def test_a_few_are_no_inventory(self, desk: Desk) -> None:
        """Each has its root at once."""
        self.install(desk, 4)

        assert self.kinds(desk) == ["incident"] * 4

    def test_what_claims_to_be_years_old_is_none(self, desk: Desk) -> None:
        """Somebody replays a recorded body."""
        self.install(desk, 6, started_before_s=400 * 86_400.0, killed="2024-11-10T09:00:10Z")

        assert self.kinds(desk) == ["incident"] * 6

    def test_what_dies_for_the_first_time_is_news(self, desk: Desk) -> None:
        """Among what was dying before: a root of its own, at once."""
        alerts = self.install(desk, 6)
        desk.evidence = lambda s: answers(s, finished=f"{from_epoch(desk.clock.now()):%Y-%m-%dT%H:%M:%SZ}")
        desk.take(alert(pod=pod(50, "fresh"), container="app", started=desk.clock.now()))

        assert len(alerts) == 6
        assert [r.split()[0] for r in desk.roots()] == ["fresh"]

    def test_one_that_was_old_among_news_has_its_own_root(self, desk: Desk) -> None:
        """The inventory is given up before it is shown."""
        desk.evidence = lambda s: answers(s, finished="2024-11-10T07:00:00Z" if "svc0" in s.pod else "2024-11-10T09:00:10Z")
        desk.clock.advance(20)
        desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app", started=desk.clock.now()) for i in range(6)))
        self.pass_by(desk, 30)

        assert sorted(r.split()[0] for r in desk.roots()) == [f"svc{i}" for i in range(6)]

    def test_later_it_is_a_storm(self, desk: Desk) -> None:
        """An hour after the installation old kills come with new alerts: somebody must hear of them as of any."""
        desk.clock.advance(3600)
        self.install(desk, 12)
        self.pass_by(desk, 30)

        assert self.kinds(desk) == ["digest"]

    def test_an_older_state_file_is_no_fresh_installation(self, desk: Desk) -> None:
        """After an upgrade nothing is an inventory."""
        with desk.store.write() as tx:
            tx.run("DELETE FROM meta WHERE k = 'installed_at'")
        self.install(desk, 12)
        self.pass_by(desk, 30)

        assert self.kinds(desk) == ["digest"]

    def test_it_calls_once(self, tmp_path: Path) -> None:
        """Whom its routes call for what dies now, and nobody again for the roots that follow."""
        desk = Desk(tmp_path / "state.db", routes=(Route(channel="C1", mention="@oncall "),))
        self.install(desk, 5, severity="critical")
        self.pass_by(desk, 400)
        roots = desk.roots()
        with desk.store.read() as tx:
            mentions = [r["mention"] for r in tx.run("SELECT mention FROM conversation ORDER BY opened_at")]
        desk.store.close()

        assert len(roots) == 6
        assert mentions == ["@oncall ", "", "", "", "", ""]
        assert not any("@oncall" in r for r in roots[1:])
