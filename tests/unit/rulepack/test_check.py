"""What `rules check` finds in rule files that somebody has edited, and in a Prometheus."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from receiver.errors import ConfigError
from receiver.rulepack import FORMATS, Level, check_rules, render_rules, rules_dir


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
    "name of a record": ("record: namespace_pod_container:memory_limit_usage:ratio\n", "record: memory_ratio\n", "level:metric:operations"),
    "for not the values'": ("for: 5m", "for: 6m", "alerts.HighMemoryUsage.for is 5m, and the rule carries 6m"),
    "one word, two values": ("[3m]) # freshness", "[4m]) # freshness", "`# freshness` is 3m here and 4m in"),
    "page of a runbook": ("runbooks/MemoryLimitImminent", "runbooks/nowhere/MemoryLimitImminent", "no page nowhere/MemoryLimitImminent.md"),
    "unlisted metric": ("container_memory_total_active_file_bytes", "container_memory_cache", "container_memory_cache is not listed"),
    "two groups of one name": ("kubernetes-memory.usage", "kubernetes-memory.oom", "is there 2 times"),
    "two alerts of one name": ("alert: HighMemoryUsage", "alert: MemoryLimitImminent", "is defined 2 times"),
    "no severity": ("          severity: warning\n", "", "no severity label"),
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


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("> 1.5", "alerts.MemoryRequestTooLow.threshold: no such value"),
        ("> 2.5 # threshold", "alerts.MemoryRequestTooLow.threshold is 1.5, and the rule carries 2.5"),
        ("> 1.5 # threshold\n            and vector(2) # more", "alerts.MemoryRequestTooLow.more is missing"),
        ("> 1.5 # severity", "`# severity`: no parameter may be called so"),
    ],
)
def test_values_and_marks_that_do_not_agree(pack: Path, promtool: str, new: str, expected: str) -> None:
    """Whoever reads the values knows the rules: identical, none missing, none unknown."""
    edit(pack, "> 1.5 # threshold", new, file="hygiene.rules.yaml")

    found = [problem.text for problem in check_rules(pack, promtool=promtool)]

    assert any(text.startswith(expected) for text in found), found


def test_values_for_an_alert_that_is_gone_are_named(pack: Path, promtool: str) -> None:
    """A renamed alert leaves its values behind, and they would silently do nothing."""
    edit(pack, "HighMemoryUsage:", "HighMemoryUse:", file="config/values.yaml")

    assert [str(problem) for problem in check_rules(pack, promtool=promtool)] == [
        "error: config/values.yaml: alerts.HighMemoryUse: no such value; did you mean HighMemoryUsage?"
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
    with pytest.raises(ConfigError, match="no rule files"):
        check_rules(tmp_path)


OWN = """
groups:
  - name: team
    rules:
      - alert: CartSlow
        expr: {expr}
        labels: {{severity: warning, incident: memory}}
        annotations:
          summary: The cart is slow.
          description: It is slow.
          runbook_url: https://wiki.example/cart
"""


def own(folder: Path, expr: str, name: str = "team.yml") -> Path:
    path = folder / name
    path.write_text(OWN.format(expr=f"'{expr}'"))
    return path


def texts(path: Path, promtool: str) -> list[str]:
    return [problem.text for problem in check_rules(path, promtool=promtool)]


def test_rules_of_ones_own_are_checked_in_any_yaml_file(tmp_path: Path, promtool: str) -> None:
    """A folder of one's own needs no config and no file names of ours; other YAML in it is not looked at."""
    folder = tmp_path / "mine"
    folder.mkdir()
    path = own(folder, "sum by (cluster, namespace) (cart_seconds) > 1")
    (folder / "kustomization.yaml").write_text("resources: [team.yml]")

    assert check_rules(folder, promtool=promtool) == check_rules(path, promtool=promtool) == []


def test_a_prometheusrule_is_read_too(tmp_path: Path, promtool: str) -> None:
    """What lies in a GitOps repository is often the operator's resource."""
    path = tmp_path / "rule.yaml"
    indented = OWN.format(expr="'container_memory_rss > 1'").replace("\n", "\n  ")
    path.write_text(f"kind: PrometheusRule\nspec:{indented}")

    assert len(texts(path, promtool)) == 1
    assert texts(path, promtool)[0].startswith('container_memory_rss without container!="", container!="POD"')


def test_one_file_of_the_pack_is_checked_alone(promtool: str) -> None:
    """A pre-commit hook names the files that changed; the values beside it speak of the others too."""
    assert [check_rules(path, promtool=promtool) for path in sorted(rules_dir().glob("*.rules.yaml"))] == [
        [] for _ in rules_dir().glob("*.rules.yaml")
    ]


FAULTS = {
    "no filter": ("container_memory_rss > 1", 'container_memory_rss without container!="", container!="POD"'),
    "pause of CRI-O": ('container_memory_rss{container!=""} > 1', 'container_memory_rss without container!="POD"'),
    "dropped": (
        'max by (pod, namespace) (container_spec_memory_limit_bytes{container!="", container!="POD"}) > 1',
        "container_spec_memory_limit_bytes is dropped by kube-prometheus-stack",
    ),
    "dropped scope": (
        'rate(container_memory_failures_total{container!~"|POD", scope="hierarchy"}[5m]) > 1',
        "container_memory_failures_total is dropped by kube-prometheus-stack",
    ),
    "too new": ("limitk(3, up) > 1", "limitk() is not in Prometheus 2.42"),
    "many-to-many limit": (
        'container_memory_rss{container!~"|POD"} / on (namespace, pod, container) kube_pod_container_resource_limits',
        "the right side of `/ on (container, namespace, pod)` can hold several series for one match: it is not aggregated at all",
    ),
    "many-to-many info": (
        "kube_pod_status_ready * on (namespace, pod) group_left (node) kube_pod_info",
        "the right side of `* on (namespace, pod)` can hold several series for one match: it is not aggregated at all",
    ),
    "pod without namespace": (
        "kube_pod_status_ready * on (pod) group_left (node) max by (pod, node) (kube_pod_info)",
        "`* on (pod)` takes a pod of the same name elsewhere for this one",
    ),
    "one label too many": (
        "kube_pod_status_ready * on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info)",
        "the right side of `* on (namespace, pod)` can hold several series for one match: it keeps namespace, node, pod",
    ),
    "two exporters": ('container_memory_rss{container!~"|POD"} / kube_pod_container_resource_limits', "`/` without on (...) can match nothing"),
    "aggregated and not": (
        'container_memory_rss{container!~"|POD"} > max by (namespace, pod) (kube_pod_info)',
        "`>` without on (...) can match nothing: series with all their labels, and with namespace, pod only",
    ),
    "different labels": ("sum by (a) (x) / sum by (b) (y)", "`/` without on (...) can match nothing: a on the left and b on the right"),
    "ignoring": ("x / ignoring (code) group_left y", "the right side of `/ ignoring (code)` can hold several series"),
    "a shipped record": (
        "namespace_pod_container:memory_limit_usage:ratio > on (namespace, pod) namespace_pod:memory_limit_usage:ratio",
        "the left side of `> on (namespace, pod)` can hold several series for one match: it keeps cluster, container, namespace, pod",
    ),
    "no PromQL": ("sum by (a (x)", "not PromQL"),
    "a stray word": ("x > bool y # threshold", "`# threshold` marks nothing"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_promtool_does_not_see(tmp_path: Path, promtool: str, name: str) -> None:
    """Each fault is one line, and nothing else is found in the rule."""
    expr, expected = FAULTS[name]

    found = texts(own(tmp_path, expr), promtool)

    assert any(text.startswith(expected) for text in found), found


SOUND = (
    "sum by (namespace, pod) (x) / on (namespace, pod) max by (namespace, pod) (kube_pod_info)",
    "kube_pod_status_ready * on (namespace, pod) group_left (node) topk by (namespace, pod) (1, max by (namespace, pod, node) (kube_pod_info))",
    "sum by (job, code) (x) / ignoring (code) group_left sum by (job) (x)",
    'container_memory_rss{container!~"|POD"} / container_memory_cache{container!~"|POD"} > 0.5',
    'container_memory_rss{container=""} > 1',
    'container_memory_working_set_bytes{id="/kubepods.slice"} > 1',
    "a:b:c / on (namespace, pod) d:e:f",
    "kube_pod_status_ready and on (namespace, pod, uid) kube_pod_info",
    "sum(x) / count(x) > scalar(sum(y))",
    "node_load1 * on (cluster, instance) group_left (nodename) node_uname_info",
    "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 5 and node_filesystem_readonly == 0",
    "kube_deployment_spec_replicas > kube_deployment_status_replicas_available and changes(kube_deployment_status_replicas_updated[10m]) == 0",
    "count by (node) ((kube_pod_status_phase == 1) * on (namespace, pod) group_left (node) topk by (namespace, pod) (1, kube_pod_info))",
    "sum(a:b:c{}) by (cluster) - (sum(kube_node_status_allocatable) by (cluster) - max(kube_node_status_allocatable) by (cluster)) > 0",
    'absent(up{job="kubelet"} == 1)',
    "histogram_quantile(0.99, sum by (cluster, instance, le) (rate(x_bucket[5m])) * on (cluster, instance) group_left (node) kubelet_node_name) > 1",
    'label_replace(absent(up{job="x"}), "missing", "up", "", "") or vector(1)',
)  # fmt: skip


@pytest.mark.parametrize("expr", SOUND)
def test_sound_rules_are_left_alone(tmp_path: Path, promtool: str, expr: str) -> None:
    """A check that complains of what works is soon switched off."""
    assert texts(own(tmp_path, expr.replace("'", "''")), promtool) == []


def test_an_image_filter_is_a_warning(tmp_path: Path, promtool: str) -> None:
    """kubernetes-mixin's own filter lets some pause containers through; that is worth a line, and no failed pipeline."""
    found = check_rules(own(tmp_path, 'container_memory_rss{image!=""} > 1'), promtool=promtool)

    assert [problem.level for problem in found] == [Level.WARNING]


def test_rules_that_read_too_late(tmp_path: Path, promtool: str) -> None:
    """The record after its reader, of another group, and of a group too slow to be read at all."""
    path = tmp_path / "r.yaml"
    alert = "labels: {severity: info, incident: memory}, annotations: {summary: S., description: D, runbook_url: https://w/A}"
    path.write_text(f"""
groups:
  - name: reader
    rules:
      - {{alert: Alpha, expr: "l:early:x > 0 and l:late:x > 0 and l:slow:x > 0", {alert}}}
      - {{alert: Beta, expr: "l:other:x > 0", {alert}}}
      - {{alert: Gamma, expr: "l:other:x > 0 and last_over_time(l:slow:x[1h]) > 0", for: 5m, {alert}}}
      - {{record: "l:late:x", expr: "sum(x)"}}
  - name: other
    rules: [{{record: "l:early:x", expr: "sum(x)"}}, {{record: "l:other:x", expr: "sum(x)"}}]
  - name: slow
    interval: 10m
    rules: [{{record: "l:slow:x", expr: "sum(x)"}}]
""")

    found = {
        (problem.level, problem.where.rpartition(": ")[2], problem.text.partition(",")[0])
        for problem in check_rules(path, promtool=promtool)
    }

    assert found == {
        (Level.ERROR, "Alpha", "reads l:late:x"),
        (Level.ERROR, "Alpha", "reads l:slow:x of slow"),
        (
            Level.WARNING,
            "Alpha",
            "reads l:early:x of another group (other) and has no `for` as long as its interval: it may see a value of before",
        ),
        (
            Level.WARNING,
            "Beta",
            "reads l:other:x of another group (other) and has no `for` as long as its interval: it may see a value of before",
        ),
    }


def test_alerts_of_one_name_with_other_labels_are_two(tmp_path: Path, promtool: str) -> None:
    """Warning and critical of one name is a usual pair; two that write the same series is not."""
    text = OWN.format(expr="up == 0")
    second = text.partition("rules:\n")[2]
    (tmp_path / "pair.yaml").write_text(text + second.replace("severity: warning", "severity: critical"))
    (tmp_path / "twice.yaml").write_text(text + second)

    assert texts(tmp_path / "pair.yaml", promtool) == []
    assert texts(tmp_path / "twice.yaml", promtool) == ["CartSlow is defined 2 times with the same labels"]


@pytest.mark.parametrize("output_format", FORMATS)
def test_what_render_writes_is_clean(tmp_path: Path, promtool: str, output_format: str) -> None:
    """The rendered file is what lies in people's repositories, and what their pipeline checks."""
    path = tmp_path / "rendered.yaml"
    path.write_text(render_rules(rules_dir(), output_format=output_format))

    assert check_rules(path, promtool=promtool) == []
