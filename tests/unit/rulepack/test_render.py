"""Rule files with values applied."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from receiver.errors import ConfigError
from receiver.rulepack import render_rules, rules_dir
from receiver.rulepack.files import read_rule_files


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
        "expr": "namespace_pod_container:memory_limit_usage:ratio > 0.9\n",
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

    assert "        expr: |\n          namespace_pod_container:memory_limit_usage:ratio > 0.80\n" in text
    assert text == render_rules(rules_dir(), output_format="plain")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"treshold": 1}, "treshold: no such value"),
        ({"alerts": {"HighMemory": {"for": "1m"}}}, "alerts.HighMemory: no such alert"),
        ({"alerts": {"HighMemoryUsage": {"for": "5 min"}}}, "alerts.HighMemoryUsage.for: expected a duration"),
        ({"alerts": {"HighMemoryUsage": {"for": 5}}}, "alerts.HighMemoryUsage.for: expected text"),
        ({"alerts": {"HighMemoryUsage": {"threshold": "80%"}}}, "alerts.HighMemoryUsage.threshold: expected a number"),
        ({"alerts": {"HighMemoryUsage": {"enabled": "no"}}}, "alerts.HighMemoryUsage.enabled: expected true or false"),
        ({"alerts": {"HighMemoryUsage": {"severity": "page"}}}, "alerts.HighMemoryUsage.severity: expected one of critical"),
        ({"alerts": {"HighMemoryUsage": 0.9}}, "alerts.HighMemoryUsage: expected keys and values"),
        ({"alerts": {"ChildProcessOOMKilled": {"threshold": 1}}}, "does not end in a comparison"),
        ({"labels": {"tier": 1}}, "labels.tier: expected text"),
        ({"prometheusrule": {"label": {}}}, "prometheusrule.label: no such value"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: dict[str, Any], message: str) -> None:
    """A mistyped key must not be a threshold that silently stays what it was."""
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        rendered(values)


def test_an_unknown_format_is_refused() -> None:
    """The message names the formats there are."""
    with pytest.raises(ConfigError, match="plain or prometheusrule"):
        rendered(output_format="helm")
