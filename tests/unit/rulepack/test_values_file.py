"""values.yaml, its schema for editors and its page in the docs say the same, and every key does something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.rulepack import read_pack, render_rules, rules_dir, values_schema
from receiver.rulepack.validate import validate
from tests.golden import Golden

PACK = read_pack(rules_dir())
SCHEMA = values_schema(PACK)
CONFIG = rules_dir() / "config"

# One change for each top-level key, to see that it reaches the rules.
SAMPLES: dict[str, Any] = {
    "runbook_base": "https://oom.example/",
    "interval": "45s",
    "group_intervals": {"kubernetes-memory.oom": "45s"},
    "labels": {"team": "platform"},
    "annotations": {"dashboard": "x"},
    "label_names": {"uid": "pod_uid"},
    "selectors": {"kubelet": 'job="kubelet"'},
    "exclude_namespaces": ["dev"],
    "parameters": {"freshness": "2m"},
    "alerts": {"OOMKilled": {"severity": "info"}},
    "overrides": [{"namespace": "dev", "threshold": 0.5}],
    "prometheusrule": {"name": "mine"},
}


def nodes(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    for below in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(below, Mapping):
            yield from nodes(below)


def test_the_schema_beside_the_values_is_that_of_the_rules(golden: Golden) -> None:
    """Editors show what the renderer takes. --update-golden writes the file, and so does `oomtriage rules schema`."""
    golden("../../rules/config/values.schema.json", json.dumps(SCHEMA, indent=2, ensure_ascii=False))

    assert (CONFIG / "values.yaml").read_text().startswith("# yaml-language-server: $schema=values.schema.json\n")


def test_the_reader_knows_every_keyword_of_the_schema() -> None:
    """An editor and the renderer refuse the same values: no keyword is passed over."""
    known = {
        "type", "title", "description", "properties", "additionalProperties", "propertyNames", "items", "enum", "pattern", "required",
        "minProperties", "exclusiveMinimum", "maximum", "$schema",
    }  # fmt: skip

    assert {key for node in nodes(SCHEMA) for key in node} <= known
    assert all("title" in node or "$schema" in node for node in nodes(SCHEMA))


def test_the_shipped_values_fit_their_schema() -> None:
    """The file that people copy from is right."""
    validate(yaml.safe_load((CONFIG / "values.yaml").read_text()), SCHEMA)


def test_every_key_is_in_the_values_and_reaches_the_rules() -> None:
    """No key is accepted and ignored, and none has to be guessed."""
    assert set(SAMPLES) == set(SCHEMA["properties"]) == set(yaml.safe_load((CONFIG / "values.yaml").read_text()))

    usual = render_rules(rules_dir(), output_format="prometheusrule")
    unchanged = [
        key for key, value in SAMPLES.items() if render_rules(rules_dir(), output_format="prometheusrule", values={key: value}) == usual
    ]

    assert unchanged == []


def test_null_leaves_things_as_they_are() -> None:
    """An emptied key is no error and no change."""
    nothing = dict.fromkeys(SAMPLES) | {"alerts": {"OOMKilled": None, "HighMemoryUsage": {"threshold": None}}}

    assert render_rules(rules_dir(), output_format="plain", values=nothing) == render_rules(rules_dir(), output_format="plain")


PAGE = """# Values

What a values file for `oomtriage rules render --values FILE` may hold, and what the rules carry without one. How to use it:
[README.md](README.md). This page is written by `pytest --update-golden tests/unit/rulepack/test_values_file.py`.

| value | without it | meaning |
|---|---|---|
{values}

Numbers in the rules:

| value | without it | in |
|---|---|---|
{parameters}

Alerts:

| alert | severity | for | keep_firing_for |
|---|---|---|---|
{alerts}
"""


def rows(schema: Mapping[str, Any], given: Any, path: str = "") -> Iterator[str]:
    """A row for every value but the parameters; alerts, groups, labels and sources stand for one another."""
    for key, below in schema.get("properties", {}).items():
        here = f"{path}.{key}" if path else key
        value = given.get(key) if isinstance(given, Mapping) else None
        if path == "parameters" or (path.startswith("alerts") and below["description"].startswith("The number marked")):
            continue
        if path in ("alerts", "group_intervals", "label_names"):
            yield from rows(below, None, f"{path}.NAME") if path == "alerts" else ()
            if path == "alerts":
                return
            continue
        shown = f"`{value}`" if value not in (None, {}, []) and not isinstance(value, Mapping) else "–"
        yield f"| `{here}` | {shown} | {below['description']} |"
        yield from rows(below.get("items", below), value, f"{here}[]" if "items" in below else here)


def test_the_page_of_values_is_complete(golden: Golden) -> None:
    """docs/rules/values.md has a row for every value, parameter and alert, with what the rules carry."""
    given = yaml.safe_load((CONFIG / "values.yaml").read_text())
    parameters = [
        f"| `{parameter.key}` | `{parameter.value}` | {', '.join(dict.fromkeys(rule.name for rule, _ in parameter.places))} |"
        for parameter in PACK.parameters.values()
    ]
    alerts = [
        f"| {name} | {rule.labels['severity']} | {rule.body.get('for', '–')} | {rule.body.get('keep_firing_for', '–')} |"
        for name, rule in PACK.alerts.items()
    ]
    page = PAGE.format(values="\n".join(rows(SCHEMA, given)), parameters="\n".join(parameters), alerts="\n".join(alerts))

    golden("../../docs/rules/values.md", page)


@pytest.mark.parametrize("value", ['x"} or up{a="', "x\\", "a`b", "a\nb", "{{ . }}"])
def test_a_value_cannot_leave_its_place(value: str, tmp_path: Path) -> None:
    """Labels and annotations are text whatever they hold; the expressions do not change."""
    usual = yaml.safe_load(render_rules(rules_dir(), output_format="plain"))
    changed = yaml.safe_load(render_rules(rules_dir(), output_format="plain", values={"labels": {"team": value}}))

    assert {rule["labels"]["team"] for group in changed["groups"] for rule in group["rules"] if "alert" in rule} == {value}
    assert [rule["expr"] for group in changed["groups"] for rule in group["rules"]] == [
        rule["expr"] for group in usual["groups"] for rule in group["rules"]
    ]
