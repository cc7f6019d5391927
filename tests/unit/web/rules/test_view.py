"""The alerts of the page: what Prometheus says of each, the numbers it goes by, and whom it would call."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.app.rules import shipped_pack
from receiver.doctor import routing_tree
from receiver.domain.incident import Destination
from receiver.pipeline.routing import Route, Router
from receiver.rulepack.pack import Pack
from receiver.web.rules.ask import RulesNow
from receiver.web.rules.calls import calls, reached
from receiver.web.rules.view import AlertRow, rules_page

ROUTER = Router(
    sink="slack", default=Destination(sink="slack", channel="C1"),
    routes=(
        Route(channel="C2", match={"severity": "critical"}, mention="<!subteam^S1>", goes_on=True),
        Route(channel="C3", namespaces=("shop",), workload_labels={"team": "pay"}),
        Route(channel="C4", match={"severity": "page"}),
    ),
)  # fmt: skip
TREE = routing_tree.read(
    """
route: {receiver: other, routes: [{receiver: ours, matchers: [incident="memory"], continue: true}, {receiver: pager, matchers: [team="x"]}]}
receivers: [{name: ours, webhook_configs: [{url: "http://x/alerts"}]}, {name: pager}, {name: other}]
"""
)


@pytest.fixture(scope="module")
def pack() -> Pack:
    """As it is shipped."""
    return shipped_pack({})


def _rule(name: str, query: str, *alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "alerting", "name": name, "query": query, "duration": 300, "alerts": list(alerts), **more}


def _rows(pack: Pack, *rules: dict[str, Any], **now: Any) -> dict[str, AlertRow]:
    groups = [{"name": "g", "rules": list(rules)}]
    page = rules_page(pack, RulesNow(groups=groups, **now), ROUTER, ["OOMKilled"])
    return {row.name: row for row in page.rows}


def _as_prometheus_writes_it(pack: Pack, name: str, **numbers: str) -> str:
    """Without comments, and on one line."""
    lines = [line.partition("#")[0] for line in pack.alerts[name].expr.splitlines()]
    query = " ".join(" ".join(lines).split())
    for before, after in numbers.items():
        query = query.replace(before.removeprefix("n").replace("_", "."), after)
    return query


def test_what_fires_comes_first_and_what_is_not_loaded_says_so(pack: Pack) -> None:
    """With since when, and how many."""
    firing = {"state": "firing", "activeAt": "2026-12-01T10:00:00.123Z"}
    rules = (
        _rule("HighMemoryUsage", "x > 0.8", {"state": "pending", "activeAt": "2026-12-01T11:00:00Z"}),
        _rule("OOMKilled", "x", firing, {**firing, "activeAt": "2026-12-01T09:00:00Z"}),
        _rule("PodEvicted", "x", lastError="found duplicate series"),
        _rule("OomtriageWatchdog", "vector(1)", firing),
    )  # fmt: skip
    rows = _rows(pack, *rules)
    names = list(rows)

    assert names[:2] == ["OOMKilled", "HighMemoryUsage"]
    assert (rows["OOMKilled"].state, rows["OOMKilled"].count) == ("firing", 2)
    assert f"{rows['OOMKilled'].since:%H:%M}" == "09:00"
    assert (rows["HighMemoryUsage"].state, rows["PodEvicted"].state, rows["NodeOOMKill"].state) == ("pending", "inactive", "missing")
    assert rows["PodEvicted"].error == "found duplicate series"
    assert (rows["OomtriageWatchdog"].state, names[-1]) == ("beating", "OomtriageWatchdog")


def test_a_prometheus_that_does_not_answer_leaves_everything_unknown(pack: Pack) -> None:
    """The shipped numbers are shown, and nothing is claimed of what runs."""
    page = rules_page(pack, RulesNow(why_not="connection refused"), ROUTER, [])
    row = next(row for row in page.rows if row.name == "HighMemoryUsage")

    assert {row.state for row in page.rows} == {"unknown"}
    assert [(t.word, t.live, t.shipped) for t in row.thresholds] == [("threshold", "", "0.8")]


def test_a_threshold_is_the_one_in_force(pack: Pack) -> None:
    """Read off what Prometheus runs; where its numbers are others than ours in their order, it is not known."""
    same = _rows(pack, _rule("HighMemoryUsage", _as_prometheus_writes_it(pack, "HighMemoryUsage")))["HighMemoryUsage"]
    changed = _rows(pack, _rule("HighMemoryUsage", _as_prometheus_writes_it(pack, "HighMemoryUsage", n0_80="0.93")))["HighMemoryUsage"]
    foreign = _rows(pack, _rule("HighMemoryUsage", "mine > 1 and theirs > 2 or 3 == 4 > 5 > 6"))["HighMemoryUsage"]
    broken = _rows(pack, _rule("HighMemoryUsage", "$$$"))["HighMemoryUsage"]

    assert [(t.live, t.is_changed) for t in same.thresholds] == [("0.8", False)]
    assert [(t.live, t.shipped, t.is_changed) for t in changed.thresholds] == [("0.93", "0.8", True)]
    assert [t.live for t in (*foreign.thresholds, *broken.thresholds)] == ["", ""]


def test_every_marked_number_is_found_in_what_runs(pack: Pack) -> None:
    """Of every alert that is shipped."""
    rules = [_rule(name, _as_prometheus_writes_it(pack, name)) for name in pack.alerts]
    unknown = [row.name for row in _rows(pack, *rules).values() if any(t.live != t.shipped for t in row.thresholds)]

    assert unknown == []


def test_last_firings_and_runbooks(pack: Pack) -> None:
    """A time where one is known; a runbook of ours before an address, and no address that is none."""
    rows = _rows(pack, _rule("OOMKilled", "x"), last_fired={"OOMKilled": 1_700_000_000.0})

    assert rows["OOMKilled"].last_fired is not None
    assert rows["NodeOOMKill"].last_fired is None
    assert rows["OOMKilled"].runbook == "/runbooks/OOMKilled"
    assert all(row.runbook == "" or row.runbook.startswith(("/runbooks/", "http")) for row in rows.values())


def test_whom_an_alert_calls() -> None:
    """As far as the rule decides it; the default channel only where no route is sure."""
    critical = calls(ROUTER, {"alertname": "A", "severity": "critical"}, "critical")
    warning = calls(ROUTER, {"alertname": "A", "severity": "warning"}, "warning")

    assert [(c.channel, c.mention, c.on, c.goes_on) for c in critical] == [
        ("C2", "<!subteam^S1>", (), True), ("C3", "", ("namespace shop", "workload team=pay"), False),
    ]  # fmt: skip
    assert [(c.channel, c.on) for c in warning] == [("C3", ("namespace shop", "workload team=pay")), ("C1", ())]


def test_where_alertmanager_leads_it() -> None:
    """Its receivers, with what that depends on."""
    found = reached(TREE, {"alertname": "A", "severity": "warning", "incident": "memory"})

    assert [(one.receiver, len(one.on)) for one in found] == [("ours", 0), ("pager", 1)]
    assert reached(None, {}) == ()
