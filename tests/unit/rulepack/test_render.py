"""Rule files with values applied."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.errors import ConfigError
from receiver.rulepack import render_rules, rules_dir
from receiver.rulepack.files import read_rule_files
from receiver.rulepack.overrides import POD_SUFFIX, RATIO, THRESHOLD


def rendered(values: dict[str, Any] | None = None, output_format: str = "plain") -> Any:
    return yaml.safe_load(render_rules(rules_dir(), output_format=output_format, values=values))


def alert(document: Any, name: str) -> Any:
    return next(rule for group in document["groups"] for rule in group["rules"] if rule.get("alert") == name)


def test_the_shipped_values_change_nothing() -> None:
    """config/values.yaml says what the rule files say; whoever reads one of them knows the other."""
    assert rendered()["groups"] == [group for file in read_rule_files(rules_dir()) for group in file.groups]


def test_one_value_changes_one_thing() -> None:
    """A user's file holds only what they change."""
    usual, changed = rendered(), rendered({"alerts": {"HighMemoryUsage": {"threshold": 0.9}}})

    assert alert(changed, "HighMemoryUsage") == {
        **alert(usual, "HighMemoryUsage"),
        "expr": alert(usual, "HighMemoryUsage")["expr"].replace("ratio > 0.80 # threshold", "ratio > 0.9 # threshold"),
    }
    assert alert(changed, "OOMKilled") == alert(usual, "OOMKilled")


def test_durations_severity_labels_links_and_interval() -> None:
    """Everything values.yaml lists reaches the rules."""
    document = rendered(
        {
            "runbook_base": "https://oom.corp.example/runbooks",
            "interval": "1m",
            "labels": {"team": "platform"},
            "alerts": {
                "HighMemoryUsage": {"for": "15m", "keep_firing_for": "0s", "severity": "info"},
                "ChildProcessOOMKilled": {"enabled": False},
            },
        }
    )

    high = alert(document, "HighMemoryUsage")
    assert (high["for"], high.get("keep_firing_for")) == ("15m", None)
    assert high["labels"] == {"severity": "info", "incident": "memory", "team": "platform"}
    assert high["annotations"]["runbook_url"] == "https://oom.corp.example/runbooks/HighMemoryUsage"
    assert {group["interval"] for group in document["groups"]} == {"1m"}
    assert "ChildProcessOOMKilled" not in str(document)


def test_prometheusrule_is_the_same_groups_for_the_operator() -> None:
    """The labels that make the operator load it come from the values."""
    document = rendered({"prometheusrule": {"namespace": "monitoring", "labels": {"release": "kps"}}}, "prometheusrule")

    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert document["metadata"] == {
        "name": "oomtriage",
        "namespace": "monitoring",
        "labels": {"app.kubernetes.io/name": "oomtriage", "release": "kps"},
    }
    assert document["spec"]["groups"] == rendered()["groups"]


def test_rendered_text_is_readable_and_stable() -> None:
    """Expressions stay blocks of lines as people write them, so that a diff shows one changed line."""
    text = render_rules(rules_dir(), output_format="plain")

    assert "        expr: |\n          (\n            namespace_pod_container:memory_limit_usage:ratio > 0.80 # threshold\n" in text
    assert text == render_rules(rules_dir(), output_format="plain")


def record(document: Any, name: str) -> str:
    return str(next(rule for group in document["groups"] for rule in group["rules"] if rule.get("record") == name)["expr"])


def own(folder: Path, expr: str, **rule: Any) -> Path:
    path = folder / "own.rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [{"alert": "Mine", "expr": expr, **rule}]}]}))
    return path


def own_rendered(folder: Path, expr: str, values: dict[str, Any], **rule: Any) -> Any:
    text = render_rules(own(folder, expr, **rule), output_format="plain", values=values)
    return yaml.safe_load(text)["groups"][0]["rules"][0]


def test_every_place_with_the_word_takes_the_value(tmp_path: Path) -> None:
    """The comment names the last number of its line; other numbers and other comments stay."""
    expr = "x[5m] > 3 # seen by 2 people\nand y > 3 # at_least\nor (time() - z offset 15m > 3) # at_least\nand w offset 1h # past\n"

    rendered_expr = own_rendered(tmp_path, expr, {"alerts": {"Mine": {"at_least": 0.25, "past": "1h30m"}}})["expr"]

    assert rendered_expr == (
        "x[5m] > 3 # seen by 2 people\nand y > 0.25 # at_least\nor (time() - z offset 15m > 0.25) # at_least\nand w offset 1h30m # past\n"
    )


def test_a_value_that_says_the_same_leaves_the_text() -> None:
    """0.80 and 0.8, 60m and 1h are no change, so that a diff shows none."""
    assert rendered({"alerts": {"HighMemoryUsage": {"threshold": 0.8}}, "parameters": {"freshness": "180s"}}) == rendered()


def test_one_parameter_reaches_every_recording_rule() -> None:
    """A shared window changes everywhere at once."""
    document = rendered({"parameters": {"kill_window_s": 1200}})

    for name in ("dated", "dead"):
        expr = record(document, f"namespace_pod_container:container_oom_kill:{name}")
        assert re.search(r"\b1200\)? # kill_window_s", expr)
        assert "600" not in expr


def test_matchers_of_a_source_reach_its_metrics_only() -> None:
    """cAdvisor's job goes to container_*, not to kube_* and not to records."""
    document = rendered({"selectors": {"cadvisor": 'job="kubelet", metrics_path="/metrics/cadvisor"'}})
    limits = record(document, "namespace_pod_container:memory_limit_bytes:max")

    assert '{container!="", container!="POD", job="kubelet", metrics_path="/metrics/cadvisor"} > 0' in limits
    assert 'kube_pod_container_resource_limits{resource="memory"} > 0' in limits
    assert record(document, "namespace_pod_container:memory_limit_usage:ratio") == record(
        rendered(), "namespace_pod_container:memory_limit_usage:ratio"
    )


def test_labels_are_renamed_everywhere(tmp_path: Path) -> None:
    """Matchers, clauses, functions that take a label's name, and templates; not values, not metrics."""
    expr = 'sum by (pod, node) (pod{pod="pod"}) * on (pod) group_left (node) label_replace(y, "node", "$1", "pod", "(.*)")'
    names = {"label_names": {"pod": "pod_name", "node": "host"}}

    rule = own_rendered(tmp_path, expr, names, annotations={"description": "{{ $labels.pod }} on {{ .Labels.node }}, a pod"})

    assert rule["expr"] == (
        'sum by (pod_name, host) (pod{pod_name="pod"}) * on (pod_name) group_left (host) label_replace(y, "host", "$1", "pod_name", "(.*)")'
    )
    assert rule["annotations"]["description"] == "{{ $labels.pod_name }} on {{ .Labels.host }}, a pod"


NAMESPACES = {
    "a record": ("l:m:o > 1", "l:m:o{X} > 1"),
    "what is compared with stays": ("a > 1 unless on (namespace) b and c", "a{X} > 1 unless on (namespace) b and c"),
    "both sides of or": ("a or b", "a{X} or b{X}"),
    "the many of a join": ("a * on (namespace) group_left (x) b", "a{X} * on (namespace) group_left (x) b"),
    "grouped by it": ("sum by (namespace) (a / b)", "sum by (namespace) (a{X} / b{X})"),
    "grouped without it": ("sum by (node) (a)", "sum by (node) (a)"),
    "nodes": ("node_memory_MemFree_bytes > 1 and kube_node_info", "node_memory_MemFree_bytes > 1 and kube_node_info"),
    "absence": ("absent(a)", "absent(a)"),
    "a range": ("max_over_time(a[5m])", "max_over_time(a{X}[5m])"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMESPACES)
def test_namespaces_are_left_out_where_the_alert_gets_its_own_from(tmp_path: Path, name: str) -> None:
    """A matcher goes where the alert's `namespace` comes from, and nowhere else."""
    before, after = NAMESPACES[name]

    rule = own_rendered(tmp_path, before, {"exclude_namespaces": ["kube-.*", "dev"]})

    assert rule["expr"] == after.replace("X", 'namespace!~"kube-.*|dev"')


def test_excluded_namespaces_do_not_hide_their_kills_from_the_node() -> None:
    """Records stay whole: an OOM kill in an excluded namespace still explains the node's counter, so that nobody is told of a riddle."""
    document, usual = rendered({"exclude_namespaces": ["dev"]}), rendered()

    assert alert(document, "UnattributedOOMKill") == alert(usual, "UnattributedOOMKill")
    assert 'recent{namespace!~"dev"} == 1' in alert(document, "OOMKilled")["expr"]
    for group, same in zip(document["groups"], usual["groups"], strict=True):
        assert [rule for rule in group["rules"] if "record" in rule] == [rule for rule in same["rules"] if "record" in rule]


def test_overrides_are_one_rule_before_the_alert() -> None:
    """Patterns are matched as patterns, names as names; the first that fits counts, as `or` has it."""
    overrides = [
        {"namespace": "shop", "pod": "checkout-.*", "container": "app", "threshold": 0.9},
        {"namespace": "team-.*", "workload": "cart.v2", "threshold": 1},
    ]
    document = rendered({"overrides": overrides, "label_names": {"pod": "pod_name"}})
    names = [rule.get("record") or rule["alert"] for group in document["groups"] for rule in group["rules"]]

    expr = record(document, THRESHOLD)

    assert names.index(RATIO) + 1 == names.index(THRESHOLD) < names.index("HighMemoryUsage")
    assert expr.splitlines() == [
        f'({RATIO}{{namespace="shop", pod_name=~"checkout-.*", container="app"}} * 0 + 0.9)',
        "or",
        f'({RATIO}{{namespace=~"team-.*", pod_name=~"cart\\\\.v2-{POD_SUFFIX}"}} * 0 + 1)',
    ]


@pytest.mark.parametrize(
    ("pod", "is_of_it"),
    [
        ("cart-0", True), ("cart-12", True), ("cart-7d4b9c5f66-x2x4z", True), ("cart-x2x4z", True), ("cart-28412345-x2x4z", True),
        ("cart-api-7d4b9c5f66-x2x4z", False), ("cart", False), ("cart-apis1", False), ("shop-cart-0", False),
    ],
)  # fmt: skip
def test_a_workloads_pods(pod: str, is_of_it: bool) -> None:
    """A workload's name finds its pods, and not those of the workload whose name merely begins the same."""
    assert bool(re.fullmatch(f"cart-{POD_SUFFIX}", pod)) is is_of_it


def test_intervals_of_groups_win_over_the_one_for_all() -> None:
    """A slow group can stay slow."""
    document = rendered({"interval": "1m", "group_intervals": {"kubernetes-memory.leak": "10m"}})

    intervals = {group["name"]: group["interval"] for group in document["groups"]}
    assert intervals.pop("kubernetes-memory.leak") == "10m"
    assert set(intervals.values()) == {"1m"}


def test_labels_and_annotations_for_all_and_for_one() -> None:
    """What is said of one alert wins."""
    values = {
        "labels": {"team": "platform"},
        "annotations": {"dashboard": "https://grafana.example/d"},
        "alerts": {"OOMKilled": {"labels": {"team": "shop"}, "annotations": {"summary": "Killed."}}},
    }
    document = rendered(values)

    assert alert(document, "OOMKilled")["labels"]["team"] == "shop"
    assert alert(document, "OOMKilled")["annotations"]["summary"] == "Killed."
    assert alert(document, "HighMemoryUsage")["labels"]["team"] == "platform"
    assert alert(document, "HighMemoryUsage")["annotations"]["dashboard"] == "https://grafana.example/d"


def test_overrides_beside_a_rule_of_ones_own_are_refused(tmp_path: Path) -> None:
    """Whoever writes the threshold rule into the files keeps all of it there."""
    folder = tmp_path / "rules"
    folder.mkdir()
    rules = [{"record": RATIO, "expr": "x / y"}, {"record": THRESHOLD, "expr": "z"}]
    (folder / "a.rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    values = {"overrides": [{"namespace": "shop", "threshold": 0.9}]}

    with pytest.raises(ConfigError, match="the rule files record"):
        render_rules(folder, output_format="plain", values=values)
    (folder / "a.rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules[:1]}]}))
    with pytest.raises(ConfigError, match="do not read"):
        render_rules(folder, output_format="plain", values=values)


def test_nothing_of_a_crd_that_the_operator_refuses(tmp_path: Path) -> None:
    """Two groups of one name, labels that Kubernetes refuses and empty durations never reach the API server."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [{"record": "x", "expr": "y"}]}]}))

    with pytest.raises(ConfigError, match="group g is there 2 times"):
        render_rules(folder, output_format="prometheusrule")
    with pytest.raises(ConfigError, match=r"prometheusrule.labels.release: 'a b' is no value"):
        rendered({"prometheusrule": {"labels": {"release": "a b"}}}, "prometheusrule")
    assert "keep_firing_for" not in own_rendered(tmp_path, "x", {}, keep_firing_for="0s", **{"for": "0s"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"treshold": 1}, "treshold: no such value"),
        ({"alerts": {"HighMemory": {"for": "1m"}}}, "alerts.HighMemory: no such value; did you mean HighMemoryUsage?"),
        ({"alerts": {"HighMemoryUsage": {"for": "5 min"}}}, "alerts.HighMemoryUsage.for: expected a duration"),
        ({"alerts": {"HighMemoryUsage": {"for": "5m1h"}}}, "alerts.HighMemoryUsage.for: expected a duration"),
        ({"alerts": {"HighMemoryUsage": {"for": 5}}}, "alerts.HighMemoryUsage.for: expected a duration"),
        ({"alerts": {"HighMemoryUsage": {"threshold": "80%"}}}, "alerts.HighMemoryUsage.threshold: expected a number"),
        ({"alerts": {"HighMemoryUsage": {"threshold": float("inf")}}}, "alerts.HighMemoryUsage.threshold: expected a number"),
        ({"alerts": {"HighMemoryUsage": {"threshold": True}}}, "alerts.HighMemoryUsage.threshold: expected a number"),
        ({"alerts": {"HighMemoryUsage": {"enabled": "no"}}}, "alerts.HighMemoryUsage.enabled: expected true or false"),
        ({"alerts": {"HighMemoryUsage": {"severity": "page"}}}, "alerts.HighMemoryUsage.severity: expected one of critical"),
        ({"alerts": {"HighMemoryUsage": 0.9}}, "alerts.HighMemoryUsage: expected keys and values"),
        ({"alerts": {"ChildProcessOOMKilled": {"threshold": 1}}}, "alerts.ChildProcessOOMKilled.threshold: no such value"),
        ({"parameters": {"kill_window": "0s"}}, "parameters.kill_window: expected a duration"),
        ({"parameters": {"kill_window": 600}}, "parameters.kill_window: expected a duration"),
        ({"labels": {"tier": 1}}, "labels.tier: expected text"),
        ({"labels": {"a-b": "x"}}, "labels.a-b: expected a label's name"),
        ({"prometheusrule": {"label": {}}}, "prometheusrule.label: no such value"),
        ({"prometheusrule": {"name": "Oomtriage"}}, "prometheusrule.name: expected a name of lower-case"),
        ({"selectors": {"cadvisor": "job=kubelet"}}, "selectors.cadvisor: expected matchers"),
        ({"selectors": {"cadvisor": 'job="a"} or up{x="b"'}}, "selectors.cadvisor: expected matchers"),
        ({"selectors": {"cadvisr": 'job="a"'}}, "selectors.cadvisr: no such value; did you mean cadvisor?"),
        ({"label_names": {"pods": "p"}}, "label_names.pods: no such value; did you mean pod?"),
        ({"label_names": {"pod": "a-b"}}, "label_names.pod: expected a label's name"),
        ({"label_names": {"pod": "x", "node": "x"}}, "node and pod would both be called x"),
        ({"label_names": {"pod": "container"}}, "container and pod would both be called container"),
        ({"exclude_namespaces": "dev"}, "exclude_namespaces: expected a list"),
        ({"exclude_namespaces": ['a"b']}, "exclude_namespaces[0]: expected a regular expression"),
        ({"exclude_namespaces": ["a("]}, "exclude_namespaces[0]: 'a(' is no regular expression"),
        ({"exclude_namespaces": ["a++"]}, "is more than RE2"),
        ({"exclude_namespaces": ["dev", ".*"]}, "exclude_namespaces[1]: '.*' is every namespace"),
        ({"overrides": [{"namespace": "a", "threshold": 90}]}, "overrides[0].threshold: expected a share of the limit"),
        ({"overrides": [{"threshold": 0.9}]}, "overrides[0]: expected what it is for"),
        ({"overrides": [{"namespace": "a"}]}, "overrides[0]: expected what it is for"),
        ({"overrides": [{"namespace": "a", "deployment": "x", "threshold": 0.9}]}, "overrides[0].deployment: no such value"),
        ({"overrides": [{"pod": "a", "workload": "x", "threshold": 0.9}]}, "overrides[0]: expected workload or pod, found both"),
        ({"overrides": [{"namespace": 'x"} or vector(1', "threshold": 0.9}]}, "overrides[0].namespace: expected a regular expression"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: dict[str, Any], message: str) -> None:
    """A mistyped key must not be a threshold that silently stays what it was."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        rendered(values)


def test_an_unknown_format_is_refused() -> None:
    """The message names the formats there are."""
    with pytest.raises(ConfigError, match="plain or prometheusrule"):
        rendered(output_format="helm")
