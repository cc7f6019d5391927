"""What `rules check` finds in rule files that somebody has edited, and in a Prometheus."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.errors import ConfigError, Unavailable
from receiver.rulepack import Level, check_rules, rules_dir
from receiver.rulepack.files import read_rule_files
from receiver.rulepack.metrics import check_metrics, metric_names, read_metrics


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the shipped rules to break."""
    return Path(shutil.copytree(rules_dir(), tmp_path / "rules"))


@pytest.fixture
def promtool(tmp_path: Path) -> str:
    """A promtool that finds nothing."""
    return script(tmp_path / "promtool", "exit 0")


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def edit(pack: Path, old: str, new: str, file: str = "usage.rules.yaml") -> None:
    text = (pack / file).read_text()
    assert old in text
    (pack / file).write_text(text.replace(old, new, 1))


def test_the_shipped_pack_is_clean(pack: Path, promtool: str) -> None:
    """Nobody is told of problems in what they did not change."""
    assert check_rules(pack, promtool=promtool) == []


BROKEN = {
    "summary with a variable": ("summary: A container is close", "summary: A container of {{ $labels.pod }} is close", "one fixed sentence"),
    "no runbook": ("https://oomtriage.example/runbooks/HighMemoryUsage", "TODO", "runbook_url"),
    "unknown severity": ("severity: warning", "severity: urgent", "severity is none of"),
    "value in a label": ("severity: warning", 'severity: warning\n          used: "{{ $value }}"', "label used is a template"),
    "not routed to the receiver": ("          incident: memory\n", "", "no incident label"),
    "bad duration": ("for: 5m", "for: 5 minutes", "no duration"),
    "name of a record": ("namespace_pod_container:memory_limit_usage:ratio\n", "memory_ratio\n", "level:metric:operations"),
    "threshold moved away": ("ratio > 0.80", "ratio * 100 > 80 and vector(1)", "does not end in one"),
    "unlisted metric": ("container_memory_total_active_file_bytes", "container_memory_cache", "container_memory_cache is not listed"),
    "two groups of one name": ("kubernetes-memory.usage", "kubernetes-memory.oom", "is there 2 times"),
    "two alerts of one name": ("alert: HighMemoryUsage", "alert: OOMKilled", "is defined 2 times"),
    "empty expression": ("expr: |\n          namespace_pod_container:memory_limit_usage:ratio > 0.80", "expr: ''", "no expr"),
    "no YAML": ("groups:", "groups: [", "not YAML"),
    "no groups": ("groups:", "group:", "expected `groups:`"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_an_edit_that_breaks_a_convention_is_named(pack: Path, promtool: str, name: str) -> None:
    """One line says where and what, and it counts as an error."""
    old, new, expected = BROKEN[name]
    edit(pack, old, new)

    problems = check_rules(pack, promtool=promtool)

    assert any(expected in problem.text and problem.level is Level.ERROR for problem in problems), [str(problem) for problem in problems]


def test_values_for_an_alert_that_is_gone_are_named(pack: Path, promtool: str) -> None:
    """A renamed alert leaves its values behind, and they would silently do nothing."""
    edit(pack, "HighMemoryUsage:", "MemoryHigh:", file="config/values.yaml")

    assert [str(problem) for problem in check_rules(pack, promtool=promtool)] == [
        "error: config/values.yaml: alerts.MemoryHigh: no such alert"
    ]


def test_what_promtool_says_is_passed_on(pack: Path, tmp_path: Path) -> None:
    """promtool's own words reach the reader, and its failure fails the check."""
    failing = script(tmp_path / "promtool", 'echo "$1 $2 says no"; exit 1')

    assert [(p.where, p.text) for p in check_rules(pack, promtool=failing)] == [
        ("promtool check rules", "check rules says no"),
        ("promtool test rules", "test rules says no"),
    ]


def test_without_promtool_the_rest_is_checked_and_that_is_said(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing promtool is a warning, not a pass in silence."""
    monkeypatch.setenv("PATH", "/nonexistent")

    assert [(problem.level, problem.where) for problem in check_rules(pack)] == [(Level.WARNING, "promtool")]


def test_a_folder_without_rules_is_a_usage_error(tmp_path: Path) -> None:
    """A mistyped DIR must not look like a clean pack."""
    with pytest.raises(ConfigError, match=r"no \*\.rules\.yaml"):
        check_rules(tmp_path)


class FakePrometheus:
    """Answers count(SELECTOR) for selectors that begin with a name it has."""

    def __init__(self, *has: str) -> None:
        self.has = has

    def __call__(self, path: str, form: Mapping[str, Any]) -> Any:
        assert path == "/api/v1/query"
        selector = form["query"].removeprefix("count(").removesuffix(")")
        found = selector in self.has or selector.partition("{")[0] in self.has
        return {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "3"]}] if found else []}}


EVERYTHING = tuple(metric.name for metric in read_metrics(rules_dir()))


def found_by(ask: Any) -> list[tuple[str, str]]:
    return [(str(problem.level), problem.where) for problem in check_metrics(read_metrics(rules_dir()), ask)]


def without(*names: str) -> FakePrometheus:
    return FakePrometheus(*(name for name in EVERYTHING if name not in names))


def test_a_prometheus_with_everything_has_no_problem() -> None:
    """All sources scraped: nothing to say."""
    assert found_by(without()) == []


def test_one_source_of_limits_is_enough_and_none_is_an_error() -> None:
    """kube-prometheus-stack drops cAdvisor's limits; only when kube-state-metrics' are missing too is the alert dead."""
    cadvisors, ksms = "container_spec_memory_limit_bytes", "kube_pod_container_resource_limits"

    assert found_by(without(cadvisors)) == []
    assert found_by(without(ksms)) == []
    assert found_by(without(cadvisors, ksms)) == [("error", cadvisors), ("error", ksms)]


def test_what_the_rules_can_do_without_is_a_warning_and_what_has_not_happened_is_nothing() -> None:
    """A cluster where nothing was ever killed is not told that OOM metrics are missing."""
    assert found_by(without("container_memory_total_active_file_bytes")) == [("warning", "container_memory_total_active_file_bytes")]
    assert found_by(without("kube_pod_container_status_last_terminated_reason")) == []


def test_a_metric_with_other_labels_is_told_from_a_missing_one() -> None:
    """Old kubelets call the label container_name: the metric is there, and the rules do not see it."""

    class OtherLabels(FakePrometheus):
        def __call__(self, path: str, form: Mapping[str, Any]) -> Any:
            if form["query"].startswith("count(container_memory_working_set_bytes{"):
                return {"status": "success", "data": {"result": []}}
            return super().__call__(path, form)

    problems = list(check_metrics(read_metrics(rules_dir()), OtherLabels(*EVERYTHING)))

    assert [problem.text for problem in problems] == ['there, but none with container!="", container!="POD"']


def test_exported_labels_are_an_error() -> None:
    """Without honor_labels the rules would name the pod of kube-state-metrics itself."""
    assert found_by(FakePrometheus(*EVERYTHING, 'kube_pod_info{exported_pod!=""}')) == [("error", "kube-state-metrics")]


def test_a_prometheus_that_does_not_answer_is_a_problem_not_a_crash(pack: Path, promtool: str) -> None:
    """Refused connections and nonsense are reported in one line."""

    def refuses(path: str, form: Mapping[str, Any]) -> Any:
        raise Unavailable("Prometheus refused the connection")

    assert [problem.where for problem in check_rules(pack, refuses, promtool=promtool)] == ["Prometheus"]
    assert [problem.where for problem in check_rules(pack, lambda path, form: ["no"], promtool=promtool)] == ["Prometheus"]


def test_every_metric_in_the_rules_is_found_by_the_scanner() -> None:
    """The list is only as good as the scan of the expressions: it sees plain names and alternations, and no labels."""
    rules = [rule for file in read_rule_files(rules_dir()) for rule in file.rules()]

    assert frozenset().union(*(metric_names(rule.expr) for rule in rules)) == frozenset(EVERYTHING)
    assert metric_names('sum by (container_id) (kube_a{node_x="1"} / on (node_y) container_b)') == {"kube_a", "container_b"}
    assert metric_names("namespace_pod_container:container_oom_kill:recent") == frozenset()
