"""What the real promtool and amtool make of rules that we render, print in the documentation or ship as examples."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from receiver.errors import ConfigError
from receiver.promql.quoting import quoted
from receiver.rulepack import Level, check_rules, read_pack, render_rules, rules_dir, values_schema
from receiver.rulepack.values import read_values
from tests.e2e.binaries import binary
from tests.places import FIXTURES, REPO

PACK = read_pack(rules_dir())
SCHEMA = values_schema(PACK)
EXAMPLES = (REPO / "deploy" / "alertmanager" / "fallback", REPO / "deploy" / "gitops" / "alerts" / "own")
RESOURCE = """
kind: ConfigMap
---
kind: PrometheusRule
spec:
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


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_the_shipped_examples_are_right(folder: Path) -> None:
    """Lint, promtool's syntax check and unit tests find nothing in rules that people copy."""
    assert [str(problem) for problem in check_rules(folder, promtool=binary("promtool"))] == []


@pytest.mark.parametrize(("expr", "errors"), [("'sum(x) > 1'", []), ("'sum(x) bye (y)'", ["promtool check rules"])])
def test_promtool_sees_the_rules_inside_a_prometheusrule(tmp_path: Path, expr: str, errors: list[str]) -> None:
    """A typo in PromQL is found there too, before the operator drops the resource."""
    path = tmp_path / "rule.yaml"
    path.write_text(RESOURCE.format(expr=expr))

    assert [problem.where for problem in check_rules(path, promtool=binary("promtool")) if problem.level is Level.ERROR] == errors


def test_the_examples_in_the_documentation_are_right(tmp_path: Path) -> None:
    """What people copy from docs/rules/README.md is taken as it stands."""
    page = (REPO / "docs" / "rules" / "README.md").read_text()
    blocks = [yaml.safe_load(block.partition("```")[0]) for block in page.split("```yaml\n")[1:]]
    rules = [block for block in blocks if "groups" in block]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules[0]))

    assert len(rules) == 1
    assert check_rules(tmp_path, promtool=binary("promtool")) == []
    for block in blocks:
        if block not in rules:
            render_rules(rules_dir(), output_format="plain", values=block)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
DURATIONS = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from(["s", "m", "h", "d"]))
NAMES = st.sampled_from(["shop", "team-.*", "(a|b)-[0-9]+", "x.y"])


def of_schema(schema: Mapping[str, Any], key: str = "") -> st.SearchStrategy[Any]:
    """Values that fit a schema; durations and patterns from lists of ours."""
    kinds = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if kinds == "boolean":
        return st.booleans()
    if kinds == "number":
        return (
            st.floats(0, 1, exclude_min=True) if "maximum" in schema else st.floats(allow_nan=False, allow_infinity=False) | st.integers()
        )
    if kinds == "array":
        return st.lists(of_schema(schema["items"], key), max_size=3)
    if kinds == "object" and "properties" in schema:
        parts = {name: of_schema(below, name) for name, below in schema["properties"].items()}
        required = {name: parts.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional=parts)
    if kinds == "object":
        return st.dictionaries(st.sampled_from(["team", "tier", "a_b"]), TEXT if key != "labels" else NAMES, max_size=2)
    if "duration" in schema["title"]:
        return DURATIONS
    if "matchers" in schema["title"]:
        return st.sampled_from(['job="x"', 'a!~\'b|c\', d="e\\"}"'])
    return NAMES


def values() -> st.SearchStrategy[dict[str, Any]]:
    parts = {name: of_schema(below, name) for name, below in SCHEMA["properties"].items()}
    parts["runbook_base"] = st.just("https://oom.example/")
    parts["prometheusrule"] = st.none()
    parts["label_names"] = st.sets(st.sampled_from(PACK.labels), max_size=4).map(lambda some: {label: f"new_{label}" for label in some})
    subject = st.fixed_dictionaries({"threshold": st.floats(0.01, 1), "namespace": NAMES}, optional={"cluster": NAMES, "container": NAMES})
    parts["overrides"] = st.lists(st.builds(dict.__or__, subject, st.sampled_from([{}, {"workload": "x.y"}, {"pod": "p-.*"}])), max_size=3)
    return st.fixed_dictionaries({}, optional=parts)


def test_any_values_give_rules_that_promtool_accepts(tmp_path: Path) -> None:
    """Whatever fits the schema renders to valid rules."""
    count = 0

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,), database=None)
    @given(values())
    def render(some: dict[str, Any]) -> None:
        nonlocal count
        text = render_rules(rules_dir(), output_format="plain", values=some)
        (tmp_path / f"{count}.yaml").write_text(text)
        count += 1

    render()
    done = subprocess.run(
        [binary("promtool"), "check", "rules", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )

    assert count >= 25
    assert done.returncode == 0, done.stderr


def test_patterns_that_pass_are_patterns_for_prometheus(tmp_path: Path) -> None:
    """What is accepted here is never refused there: Python's and RE2's regular expressions differ."""
    patterns: set[str] = set()

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,), database=None)
    @given(st.text(r"ab1.*+?|()[]{},^$\-_2dDbsw", min_size=1, max_size=9))
    def collect(pattern: str) -> None:
        try:
            read_values(PACK, {"overrides": [{"namespace": pattern, "threshold": 0.5}]})
        except ConfigError:
            return
        patterns.add(pattern)

    collect()
    rules = [{"record": "l:m:o", "labels": {"n": str(n)}, "expr": f"x{{namespace=~{quoted(p)}}}"} for n, p in enumerate(sorted(patterns))]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]}))
    done = subprocess.run([binary("promtool"), "check", "rules", str(tmp_path / "rules.yaml")], capture_output=True, text=True, check=False)

    assert len(patterns) > 20
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("output_format", ["plain", "prometheusrule"])
def test_a_chart_renders_to_the_same_text(output_format: str) -> None:
    """With --helm the text is a Go template that renders to what it is without (amtool has the engine that Helm has)."""
    plain = render_rules(rules_dir(), output_format=output_format)
    escaped = render_rules(rules_dir(), output_format=output_format, is_helm=True)

    done = subprocess.run(
        [binary("amtool"), "template", "render", f"--template.glob={FIXTURES / 'no_template.tmpl'}", f"--template.text={escaped}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert "{{ $labels" in plain
    assert "{{ $labels" not in escaped
    assert done.stdout.rstrip() == plain.rstrip()
