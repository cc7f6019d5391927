"""Questions to a Prometheus that does not answer as hoped, and which labels the series of a selector need."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.errors import Forbidden, Rejected, Unavailable
from receiver.rulepack import Level, Pack, check_data, measure, read_pack, rules_dir
from receiver.rulepack.metrics import metric_names
from receiver.rulepack.needs import needs

PACK = read_pack(rules_dir())
EMPTY: dict[str, Any] = {"status": "success", "data": {"resultType": "vector", "result": []}}


def raising(exc: Exception) -> Any:
    def ask(path: str, form: Mapping[str, Any]) -> Any:
        raise exc

    return ask


@pytest.mark.parametrize("exc", [Unavailable("Prometheus refused the connection"), Forbidden("Prometheus: 401")], ids=["away", "forbidden"])
def test_a_prometheus_that_does_not_answer_is_one_problem(exc: Exception) -> None:
    """Not one for each selector and each rule."""
    found = [*check_data(PACK, raising(exc)), *measure(PACK, raising(exc)).problems]

    assert [(problem.where, problem.text) for problem in found] == [("Prometheus", str(exc))] * 2
    assert measure(PACK, raising(exc)).rules == ()


@pytest.mark.parametrize(
    "answer", [["no"], {"status": "success"}, {"status": "error", "error": "x"}, {"status": "success", "data": {"result": [3]}}]
)
def test_nonsense_is_one_problem(answer: Any) -> None:
    """A proxy's login page, or somebody else's API."""
    assert [problem.where for problem in check_data(PACK, lambda path, form: answer)] == ["Prometheus"]
    assert [problem.where for problem in measure(PACK, lambda path, form: answer).problems] == ["Prometheus"]


def test_a_server_without_statistics_says_so() -> None:
    """Costs are not guessed where stats=all is not understood."""
    problems = measure(PACK, lambda path, form: EMPTY).problems

    assert any("no statistics" in problem.text for problem in problems)


def test_a_rule_that_is_refused_does_not_hide_the_others() -> None:
    """One broken rule is a problem of that rule; the rest is measured."""

    def ask(path: str, form: Mapping[str, Any]) -> Any:
        if "container_oom_events_total" in form["query"]:
            raise Rejected("422: found duplicate series")
        stats = {"timings": {"evalTotalTime": 0.25}, "samples": {"totalQueryableSamples": 7}}
        return {"status": "success", "data": {"result": [{"metric": {}, "value": [0, "3"]}], "stats": stats}}

    costs = measure(PACK, ask)

    assert [(problem.level, problem.where.rpartition(": ")[2]) for problem in costs.problems] == [
        (Level.ERROR, "namespace_pod_container:container_oom_events:increase10m")
    ]
    assert len(costs.rules) > 20
    assert {(cost.eval_s, cost.samples, cost.results) for cost in costs.rules} == {(0.25, 7, 3)}


def own(folder: Path, *rules: Mapping[str, Any]) -> Pack:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": list(rules)}]}))
    return read_pack(path)


def needed(folder: Path, expr: str, description: str = "") -> dict[str, set[str]]:
    rule = {"alert": "A", "expr": expr, "annotations": {"description": description}}
    return {need.text: set(need.labels) for need in needs(own(folder, rule).rules)}


NEEDS = {
    "nothing": ("a > 1", {"a": set()}),
    "joined": ("a and on (namespace, uid, cluster) b", {"a": {"namespace", "uid"}, "b": {"namespace", "uid"}}),
    "brought by the join": ("a * on (uid) group_left (node) b", {"a": {"uid"}, "b": {"uid", "node"}}),
    "hidden by an aggregation": ("sum(a) > on () group_left () b", {"a": set(), "b": set()}),
    "made by a function": ('label_replace(a, "pod", "$1", "pod_name", "(.*)") and on (pod) b', {"a": {"pod_name"}, "b": {"pod"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDS)
def test_labels_that_a_join_needs(tmp_path: Path, name: str) -> None:
    """Labels of on (...) and those that group_left brings; what an aggregation hides is not needed below."""
    expr, expected = NEEDS[name]

    assert needed(tmp_path, expr) == expected


def test_labels_that_the_text_names_are_needed_unless_it_asks_first(tmp_path: Path) -> None:
    """`{{ with $labels.node }}` says itself that the label may be missing."""
    text = "{{ $labels.pod }} on {{ with $labels.node }}{{ . }}{{ end }}"

    assert needed(tmp_path, "max by (pod, node) (a)", text) == {"a": {"pod"}}


def test_needs_reach_through_records(tmp_path: Path) -> None:
    """What an alert names must be on the series that its record is made of."""
    record = {"record": "l:a:max", "expr": "max by (pod, container) (a)"}
    alert = {"alert": "A", "expr": "l:a:max > 1", "annotations": {"description": "{{ $labels.pod }}"}}

    assert [(need.text, set(need.labels), need.rules) for need in needs(own(tmp_path, record, alert).rules)] == [
        ("a", {"pod"}, ("l:a:max",))
    ]


def test_every_metric_of_the_rules_is_listed() -> None:
    """The list of metrics is complete, and names nothing that no rule reads."""
    read = frozenset().union(*(metric_names(rule.expr) for rule in PACK.rules))

    assert {metric.name for metric in PACK.metrics.listed} - read == set()
    assert read - {metric.name for metric in PACK.metrics.listed} - {"up"} == set()
    assert metric_names('sum by (container_id) (kube_a{node_x="1"} / on (node_y) container_b)') == {"kube_a", "container_b"}
    assert metric_names("namespace_pod_container:container_oom_kill:recent") == frozenset()


def test_selectors_are_asked_several_at_a_time_and_progress_is_told() -> None:
    """A Prometheus far away does not take half a minute; who waits sees what for, in order."""
    together = threading.Barrier(3, timeout=5)
    left = itertools.count()

    def ask(path: str, form: Mapping[str, Any]) -> Any:
        if next(left) < 3:
            together.wait()  # breaks unless three are under way at once
        return EMPTY

    said: list[str] = []
    problems = list(check_data(PACK, ask, progress=said.append))

    assert problems
    assert len(said) == len(needs(PACK.rules))
    assert said[0].endswith(f": 1 of {len(said)}")
