"""What the watch keeps true between notifications, through whole receivers: counts, fixes that fail, sources that are away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from receiver.demo.standins import Reply
from receiver.domain.units import MIB
from receiver.pipeline.watch import Watch
from tests.fakes.prometheus import series
from tests.stories import cast
from tests.stories.cluster import Cluster, Life, Pod, Workload, kill, ramp
from tests.stories.story import DAY, Crash, Story

INTERVAL_S, SCRAPE_S, PACE_S = 120.0, 60.0, 11.0  # WATCH_INTERVAL, the stand-in's scrapes, and of edits
BEGIN = DAY + timedelta(hours=1, minutes=58)


def shown(story: Story) -> int:
    """How often the first root says that it was killed."""
    text = story.slack.channel().roots[0].message.text
    found = re.search(r" x(\d+)| (\d+) processes", text)
    return int(found[1] or found[2]) if found else 1


def kills(lives: Sequence[Life], at: float) -> int:
    """How often it really was, until then."""
    return sum(life.end is not None and life.end <= at for life in lives)


def test_a_crash_loop_that_nobody_tells_about_is_counted_in_time(tmp_path: Path) -> None:
    """Its alert fires without a break: at each moment the root is at most an interval, a scrape and an edit's pace behind."""
    cluster, lives = cast.endless_loop(hours=2)
    behind = []
    with Story(tmp_path / "receiver", cluster, begin=BEGIN) as story:
        story.until("02:01")
        story.fires("OOMKilled", cast.LEDGER, "ledger")
        story.later(minutes=5)
        for _ in range(60):
            story.later(seconds=97)
            now = story.clock.now()
            behind.append(kills(lives, now - INTERVAL_S - SCRAPE_S - PACE_S) - shown(story))
            assert shown(story) <= kills(lives, now)

    assert max(behind) <= 0


def test_kills_while_prometheus_is_away_are_counted_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For twenty minutes: the pod itself is asked instead, and nobody hears of the outage in the thread."""
    cluster, lives = cast.endless_loop(hours=2)
    with Story(tmp_path / "receiver", cluster, begin=BEGIN) as story:
        story.until("02:01")
        story.fires("OOMKilled", cast.LEDGER, "ledger")
        story.until("02:20")
        monkeypatch.setattr(cluster.prometheus, "answer", lambda asked: Reply(status=503, body=b"starting"))
        story.until("02:40")
        away = (shown(story), kills(lives, story.clock.now() - INTERVAL_S - SCRAPE_S - PACE_S))
        assert story.receiver is not None
        detail = story.receiver.web.test_client().get("/readyz").get_json()["watch"]
        posts = [h for h in story.slack.happened if h.kind == "post"]

    assert away[0] >= away[1]
    assert "prometheus" in detail["problems"]
    assert len(posts) == 1


def test_a_receiver_that_dies_in_the_middle_of_a_round_goes_on_watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by kill -9; it is away for half an hour, and counts what died meanwhile."""
    cluster, lives = cast.endless_loop(hours=2)
    with Story(tmp_path / "receiver", cluster, begin=BEGIN) as story:
        story.until("02:01")
        story.fires("OOMKilled", cast.LEDGER, "ledger")
        story.until("02:20")
        with monkeypatch.context() as patch:
            patch.setattr(Watch, "_round", _die)
            story.later(seconds=61)
            story.stop_receiver()
        story.clock.advance(1800)
        cluster.at(story.clock.now())
        story.start_receiver()
        story.later(seconds=INTERVAL_S + SCRAPE_S + PACE_S)
        after = (shown(story), kills(lives, story.clock.now() - INTERVAL_S - SCRAPE_S - PACE_S))
        posts = [h for h in story.slack.happened if h.kind == "post"]

    assert after[0] >= after[1] > 5
    assert len(posts) == 1


def test_processes_killed_in_a_container_that_lives_on_are_counted(tmp_path: Path) -> None:
    """A prefork master whose workers are killed every 12.5 s: told at 13, and kept true."""
    start = (DAY + timedelta(hours=2)).timestamp()
    pod = "checkout-655779759d-jst99"
    life = Life(start=start, end=None, points=ramp(2, 40, 50))
    cluster = Cluster([Workload(namespace="shop", name="checkout", pods=[Pod(name=pod, lives=[life])])])
    labels = {"namespace": "shop", "pod": pod, "container": "checkout", "id": f"/kubepods/burstable/pod{pod}/{0:064x}"}
    counted = [(start + t * 15, float(int(t * 15 / 12.5))) for t in range(480)]
    cluster.prometheus.add([series("container_oom_events_total", counted, **labels)])
    with Story(tmp_path / "receiver", cluster, begin=BEGIN) as story:
        story.until("02:03")
        story.fires("ChildProcessOOMKilled", pod, "checkout")
        story.later(seconds=30)
        first = shown(story)
        story.until("02:20")
        later = (
            shown(story),
            int((story.clock.now() - INTERVAL_S - SCRAPE_S - PACE_S - start) / 12.5),
            int((story.clock.now() - start) / 12.5),
        )

    assert 13 <= first <= 15
    assert later[1] <= later[0] <= later[2]


def test_a_limit_changed_in_place_is_seen_while_the_alert_fires(tmp_path: Path) -> None:
    """No notification tells it: the thread says so within two rounds."""
    start = (DAY + timedelta(hours=1)).timestamp()
    at = (DAY + timedelta(hours=2, minutes=30)).timestamp()
    lives = [
        kill(start, start + 3600, ramp(1, 20, 78)),
        Life(start=start + 3610, end=None, points=ramp(2, 20, 40), resized=(at, 160 * MIB)),
    ]
    cluster = Cluster([Workload(namespace="shop", name="ledger", pods=[Pod(name=cast.LEDGER, lives=lives)])])
    with Story(tmp_path / "receiver", cluster, begin=BEGIN) as story:
        story.until("02:01")
        story.fires("OOMKilled", cast.LEDGER, "ledger")
        story.until("02:29")
        before = len(story.slack.happened)
        story.until("02:34")
        said = " ".join(h.text for h in story.slack.happened[before:])

    assert "160Mi" in said


def _die(*_: object, **__: object) -> None:
    raise Crash
