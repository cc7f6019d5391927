"""Backtests of a small rule pack over a week in a real Prometheus, of which every kill is known (tests/rules/weeks.py)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.cli.main import main
from receiver.rulepack import rules_dir
from receiver.rulepack.backtest import (
    Asker,
    Backtest,
    Limits,
    Load,
    Range,
    RuleSet,
    Runner,
    backtest_document,
    backtest_markdown,
    backtest_text,
    compare,
    comparison_markdown,
    comparison_text,
    read_rule_set,
)
from receiver.rulepack.backtest.judge import How, Outcome
from receiver.rulepack.backtest.plan import AlertRule
from receiver.transport import Http, HttpConfig
from tests.e2e.binaries import binary
from tests.e2e.servers import Prometheus
from tests.golden import Golden
from tests.lab.history import HOUR_S
from tests.rules.weeks import END_S, JOB, LEAKS, SERVER, SPIKES, START_S, write_week

OLD = Path(__file__).parent / "versions" / "old"
NEW = Path(__file__).parent / "versions" / "new"
WEEK = Range(start_s=START_S, end_s=END_S)
A_LOAD = Load(queries=34, seconds=1.8, samples=1_600_000, bytes=500_000)  # goldens cannot hold measured ones


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("week")
    write_week(folder)
    with Prometheus(folder, rules="groups: []") as running:
        yield running


def asker(prometheus: Prometheus) -> Asker:
    return Asker(Http(HttpConfig(base_url=prometheus.url, name="Prometheus", read_timeout_s=70, tries=1)), limits=Limits())


@pytest.fixture(scope="module")
def both(prometheus: Prometheus) -> tuple[Backtest, Backtest]:
    runner = Runner(asker(prometheus), WEEK)
    return runner.run(read_rule_set(OLD, step_s=60)), runner.run(read_rule_set(NEW, step_s=60))


@pytest.fixture(scope="module")
def old(both: tuple[Backtest, Backtest]) -> Backtest:
    return both[0]


def outcome(backtest: Backtest, alert: str) -> Outcome:
    return next(one for one in backtest.outcomes if one.rule.name == alert)


def test_every_kill_of_the_week_is_found_once(old: Backtest) -> None:
    """Restarts with and without a time of death, a dead Job and killed workers: each once, at its time, and nothing else."""
    happened = sorted(
        (program.pod, START_S + at_s)
        for program in (*LEAKS, SPIKES, JOB, SERVER)
        for at_s in (*program.kills_s, *program.process_kills_s, *([program.dies_s] if program.dies_s else ()))
    )
    found = sorted((kill.pod, kill.at_s) for kill in old.kills)

    assert [pod for pod, _ in found] == [pod for pod, _ in happened]
    assert all(abs(seen_s - real_s) <= 120 for (_, seen_s), (_, real_s) in zip(found, happened, strict=True))
    assert {kill.at_s - START_S for kill in old.kills if kill.is_exact} == set(LEAKS[0].kills_s)
    assert {kill.pod for kill in old.kills if kill.is_process} == {SERVER.pod}


def test_a_warning_is_counted_to_the_minute(old: Backtest) -> None:
    """Two leaking replicas and one full container: nine firings, at the minute that follows from the shape, and how long ahead."""
    high = outcome(old, "HighMemoryUsage")
    leaks = [firing for firing in high.firings if firing.place[2] == LEAKS[0].pod]
    (full,) = [firing for firing in high.firings if firing.place[2] == "search-0"]

    # Over 0.8 after 5/7 of 36 h, so first seen 92,580 s in; 5 minutes of `for`, and 5 of keep_firing_for after the last.
    assert [firing.span.from_s - START_S for firing in leaks] == [36 * HOUR_S * k + 92_580 + 300 for k in range(4)]
    assert [firing.span.until_s - START_S for firing in leaks] == [36 * HOUR_S * k + 300 for k in (1, 2, 3, 4)]
    assert (full.span.from_s - START_S, full.span.until_s - START_S) == (30 * HOUR_S + 300, 32 * HOUR_S + 300)
    assert (len(high.firings), high.workloads) == (9, frozenset({"shop/orders-api (orders-api)", "shop/search (search)"}))
    assert (high.followed, high.without_kill, high.undecided) == (8, 1, 0)
    assert high.median_of(How.BEFORE) == 36 * HOUR_S - 20 - 92_880


def test_an_alert_about_kills_is_judged_by_how_soon_it_speaks(old: Backtest) -> None:
    """It speaks of the dated kills at the next evaluation, and misses those that only a restart shows."""
    killed = outcome(old, "OOMKilled")

    assert (len(killed.firings), len(killed.caught), len(killed.missed)) == (8, 8, 5)
    assert killed.median_of(How.AFTER) == 20
    assert {firing.span.length_s for firing in killed.firings} == {15 * 60}
    assert {kill.pod for kill in old.missed} == {SPIKES.pod, JOB.pod, SERVER.pod}


def test_threads_are_what_slack_would_have_shown(old: Backtest) -> None:
    """Both alerts of both replicas are one thread a leak, a new one after a day of quiet; the full container is one more."""
    assert old.incidents == 5


def test_a_slow_group_is_evaluated_at_its_own_interval(old: Backtest) -> None:
    """Every five minutes, with a record of a record of another group written out in it, also three hours ago."""
    rising = outcome(old, "Rising")

    assert len(rising.firings) == 11
    assert {firing.span.from_s % 300 for firing in rising.firings} == {0}


def test_what_cannot_be_evaluated_is_said(old: Backtest) -> None:
    """An alert on metrics that nobody exports, and one on the receiver before there is one, are not silent zeros."""
    node, receiver = outcome(old, "NodeFull"), outcome(old, "ReceiverDown")

    assert not node.was_asked
    assert "node_memory_MemAvailable_bytes" in node.missing
    assert not receiver.was_asked
    assert "not running" in receiver.missing


def test_a_history_that_begins_later_is_said(prometheus: Prometheus) -> None:
    """Asked for more than Prometheus keeps: nothing fired before there was one, neither a heartbeat nor a missing metric."""
    longer = Range(start_s=START_S - 48 * HOUR_S, end_s=START_S + 24 * HOUR_S)
    missing = AlertRule(
        name="MetricsMissing", severity="critical", expr="absent(container_memory_working_set_bytes)", interval_s=300, for_s=600, keep_s=300,
        labels={"severity": "critical"},
    )  # fmt: skip
    watchdog = next(alert for alert in read_rule_set(OLD, step_s=60).alerts if alert.name == "Watchdog")
    result = Runner(asker(prometheus), longer).run(RuleSet(alerts=(missing, watchdog), records=()))

    assert result.range.start_s == START_S
    assert [text for text in result.missing if "before" in text] == [
        "Prometheus holds nothing from before 2024-11-03T00:00:00Z: the 2 days before it are not judged"
    ]
    assert outcome(result, "MetricsMissing").firings == ()
    assert [firing.span.from_s for firing in outcome(result, "Watchdog").firings] == [START_S]


def test_matchers_that_fit_nothing_find_nothing_and_say_so(prometheus: Prometheus) -> None:
    """A wrong cluster or namespace is no quiet week: no kill can be seen, no alert is evaluated but the heartbeat."""
    result = Runner(asker(prometheus), WEEK, matchers='namespace="nobody"').run(read_rule_set(OLD, step_s=60))

    assert result.kills == ()
    assert [one.rule.name for one in result.outcomes if one.was_asked] == ["Watchdog"]
    assert any("no kube-state-metrics" in text for text in result.blind)


def test_a_change_of_the_rules_is_told_by_what_it_does(both: tuple[Backtest, Backtest]) -> None:
    """A higher threshold loses one firing and shortens eight; counting restarts wins two kills; nothing is lost."""
    comparison = compare(*both)
    changes = {change.name: change for change in comparison.changes}

    assert [firing.place[2] for firing in changes["HighMemoryUsage"].gone] == ["search-0"]
    assert len(changes["HighMemoryUsage"].shorter) == 8
    assert [firing.place[2] for firing in changes["OOMKilled"].new] == [SPIKES.pod, SPIKES.pod]
    assert not changes["Rising"].is_any
    assert (len(comparison.newly_missed), len(comparison.newly_caught)) == (0, 2)
    assert [kill.pod for kill in compare(both[1], both[0]).newly_missed] == [SPIKES.pod, SPIKES.pod]


def test_two_versions_share_what_is_the_same(prometheus: Prometheus) -> None:
    """Kills and unchanged expressions are asked once: the same version again costs next to nothing."""
    asked = asker(prometheus)
    runner = Runner(asked, WEEK)
    rules = read_rule_set(OLD, step_s=60)
    first = runner.run(rules).load.queries

    assert runner.run(rules).load.queries - first <= 3


@pytest.mark.parametrize("directory", [OLD, rules_dir()], ids=["small", "shipped"])
def test_looking_first_changes_nothing_but_the_cost(prometheus: Prometheus, directory: Path) -> None:
    """Seldom and then for the pods that were found, or for everything at every step: the same firings."""
    rules = read_rule_set(directory, step_s=60)
    half_day = Range(start_s=START_S + 24 * HOUR_S, end_s=START_S + 37 * HOUR_S)
    cheap, dear = (Runner(asker(prometheus), half_day, look_first=first).run(rules) for first in (True, False))

    assert [one.firings for one in cheap.outcomes] == [one.firings for one in dear.outcomes]
    assert {"HighMemoryUsage"} <= {one.rule.name for one in cheap.outcomes if one.firings}
    assert (cheap.load.samples or 0) < (dear.load.samples or 0)


def test_what_people_read(both: tuple[Backtest, Backtest], golden: Golden) -> None:
    """Text, markdown and JSON, of one version and of a change."""
    before, after = (replace(one, load=A_LOAD) for one in both)
    comparison = compare(before, after)

    golden("backtest/one.txt", backtest_text(before))
    golden("backtest/one.md", backtest_markdown(before))
    golden("backtest/change.txt", comparison_text(comparison))
    golden("backtest/change.md", comparison_markdown(comparison))

    def one_alert(backtest: Backtest) -> Backtest:
        return replace(backtest, outcomes=(outcome(backtest, "OOMKilled"),))

    few = compare(one_alert(before), one_alert(after))
    golden("backtest/change.json", json.dumps(backtest_document(few.after, few), indent=1))


def test_the_shipped_rules_catch_every_kill(prometheus: Prometheus) -> None:
    """All thirteen, by alerts that reach somebody, and no alert is left out but those whose metrics this week lacks."""
    day = Range(start_s=START_S + 96 * HOUR_S, end_s=START_S + 123 * HOUR_S)
    result = Runner(asker(prometheus), day).run(read_rule_set(rules_dir(), step_s=60))

    assert {kill.pod for kill in result.kills} == {LEAKS[0].pod, LEAKS[1].pod, JOB.pod, SERVER.pod}
    assert result.missed == ()
    assert {kill.pod for kill in (one.kill for one in outcome(result, "ChildProcessOOMKilled").caught)} == {SERVER.pod}
    assert all("is there" in one.missing or "receiver" in one.missing for one in result.outcomes if not one.was_asked)


def command(capsys: pytest.CaptureFixture[str], prometheus: Prometheus, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command over one day, the one in which only the spikes are killed."""
    day = ("--until", "2024-11-05T12:00:00Z", "--since", "1d", "--alert", "OOMKilled")
    with pytest.raises(SystemExit) as ended:
        main(["rules", "backtest", "--prometheus", prometheus.url, *day, *arguments])
    return int(ended.value.code or 0), *capsys.readouterr()


def test_the_command_prints_the_answer_alone_and_progress_beside(prometheus: Prometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """stdout is one JSON document; stderr tells which alert is asked for and how far."""
    code, out, err = command(capsys, prometheus, str(OLD), "-o", "json")

    document = json.loads(out)
    assert (code, document["schema"], [one["alert"] for one in document["alerts"]]) == (0, "oomtriage.backtest/v1", ["OOMKilled"])
    assert "[1/1] OOMKilled: 100%" in err


def test_a_change_that_loses_kills_can_fail_a_build(prometheus: Prometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 with --fail-on-missed when the new version is silent about kills that the old one told of, and 0 without it."""
    worse, better = (str(OLD), "--against", str(NEW), "-q"), (str(NEW), "--against", str(OLD), "-q")
    code, out, err = command(capsys, prometheus, *worse, "--fail-on-missed")

    assert (code, err) == (1, "")
    assert "2 kills missed that were caught before" in out
    assert command(capsys, prometheus, *worse)[0] == 0
    assert command(capsys, prometheus, *better, "--fail-on-missed")[0] == 0


def test_records_that_are_there_are_read_and_mean_the_same(prometheus: Prometheus, tmp_path: Path) -> None:
    """Where the history holds a record, of the same expression, it is read, and every alert fires as with it written out."""
    rules = read_rule_set(OLD, step_s=60)
    day = Range(start_s=START_S + 144 * HOUR_S, end_s=START_S + 152 * HOUR_S)
    blocks = tmp_path / "blocks"
    backfill = [binary("promtool"), "tsdb", "create-blocks-from", "rules", f"--start={day.start_s - 6 * HOUR_S}", f"--end={day.end_s}"]
    subprocess.run(
        [*backfill, f"--url={prometheus.url}", f"--output-dir={blocks}", "--eval-interval=1m", str(OLD / "small.rules.yaml")],
        cwd=tmp_path, check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    with Prometheus(tmp_path / "recorded", rules=(OLD / "small.rules.yaml").read_text()) as recorded:
        recorded.stop()
        data = tmp_path / "recorded" / "data"
        for block in (*blocks.iterdir(), *(prometheus.folder / "data").iterdir()):
            if len(block.name) == 26:
                shutil.copytree(block, data / block.name, copy_function=os.link)
        recorded.start()
        read = Runner(asker(recorded), day).run(rules)
        written = Runner(asker(recorded), day, read_recorded=False).run(rules)

    assert read.recorded == ("ns_pod_container:memory_limit:bytes",)  # promtool backfills no record of a record
    assert written.recorded == ()
    spans = [
        {(one.rule.name, firing.labels): firing.span for one in result.outcomes for firing in one.firings} for result in (read, written)
    ]
    assert spans[0] == spans[1] != {}
