"""The Grafana dashboard: a document that Grafana takes, made of metrics that there are, whose questions a real Prometheus answers."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.promql.tokens import Kind, words
from receiver.rulepack import read_pack, rules_dir
from receiver.telemetry import Metrics
from tests.e2e.backfilled import RealPrometheus
from tests.places import REPO

FILE = REPO / "deploy" / "monitoring" / "grafana-dashboard.json"
DASHBOARD = json.loads(FILE.read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUESTIONS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
KINDS = {"stat", "timeseries", "table"}
VARIABLES = {"$datasource", "$cluster", "$namespace"}
MACROS = {"$__rate_interval": "5m", "$__range": "1h", "$cluster": ".*", "$namespace": ".*"}
STEP_S, POINTS = 30, 240


def _asked(expr: str) -> str:
    """As Grafana sends it."""
    for macro, text in MACROS.items():
        expr = expr.replace(macro, text)
    return expr


def _metrics(expr: str) -> set[str]:
    """The names in it that stand where a metric may: before a brace, a bracket, or an end."""
    found, tokens = set(), words(_asked(expr))
    for i, token in enumerate(tokens):
        if token.kind is Kind.NAME and re.match(r"(oomtriage_|process_|namespace_|ALERTS$)", token.text):
            is_label = (
                i > 0
                and tokens[i - 1].text in ("(", ",")
                and tokens[i + 1].text in (",", ")", "=", "=~", "!=", "!~")
                and ":" not in token.text
            )
            if not is_label or token.text.startswith(("oomtriage_", "process_")):
                found.add(token.text)
    return found


def _known() -> set[str]:
    """What the receiver exports, what the rules record, and what Prometheus itself writes of alerts."""
    exported = set()
    for family in Metrics(sinks=["slack"], sources=["log"], version="1").registry.collect():
        exported |= {sample.name for sample in family.samples} | {family.name}
        exported |= {f"{family.name}{end}" for end in ("_total", "_bucket", "_sum", "_count")}
    return exported | {str(rule.body["record"]) for rule in read_pack(rules_dir()).rules if "record" in rule.body} | {"ALERTS"}


def test_every_metric_is_there() -> None:
    """Renamed in the receiver or the rules, it would be an empty panel."""
    used = set().union(*(_metrics(expr) for _, expr in QUESTIONS))

    assert used - _known() == set()
    assert {
        "oomtriage_deliveries_total",
        "oomtriage_enrichment_seconds_bucket",
        "namespace_pod_container:container_oom_kill:recent",
    } <= used


def test_the_document_is_as_grafana_takes_it() -> None:
    """Ids once each, panels side by side on its grid of 24, every question to the chosen data source, and nothing of one installation."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    sources = [p["datasource"] for p in PANELS] + [t["datasource"] for p in PANELS for t in p["targets"]]
    cells: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in cells, (panel["title"], cells.get((x, y)))
                cells[x, y] = panel["title"]

    assert len(ids) == len(set(ids))
    assert {panel["type"] for panel in PANELS} == KINDS
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    assert {f"${v['name']}" for v in DASHBOARD["templating"]["list"]} == VARIABLES
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    assert all(len({t["refId"] for t in panel["targets"]}) == len(panel["targets"]) for panel in PANELS)
    assert "id" not in DASHBOARD  # Grafana gives it one
    assert DASHBOARD["schemaVersion"] >= 36


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """Two hours of every metric that the dashboard asks for, rising."""
    end = time.time() // STEP_S * STEP_S
    begin = end - (POINTS - 1) * STEP_S
    recorded = [_series(name, begin) for name in sorted(set().union(*(_metrics(expr) for _, expr in QUESTIONS)))]
    recorded.append(_series("oomtriage_enrichment_seconds_bucket", begin, le="+Inf"))
    with RealPrometheus(tmp_path_factory.mktemp("dashboard"), recorded) as server:
        yield server


def _series(name: str, begin: float, **more: str) -> Mapping[str, Any]:
    labels = {
        "cluster": "lab", "namespace": "shop", "pod": "p", "container": "c", "instance": "i", "job": "j", "sink": "slack", "result": "failed",
        "source": "log", "reason": "auth", "cause": "leak", "kind": "death", "version": "1",
    }  # fmt: skip
    if name == "ALERTS":
        labels |= {"alertname": "OOMKilled", "alertstate": "firing", "incident": "memory", "severity": "warning"}
    if name.endswith("_bucket"):
        labels["le"] = "1"
    points = [(begin + i * STEP_S, i + 1) for i in range(POINTS)]
    return {"metric": {"__name__": name, **labels, **more}, "values": points}


@pytest.mark.parametrize(("title", "expr"), QUESTIONS, ids=[f"{title}-{i}" for i, (title, _) in enumerate(QUESTIONS)])
def test_a_real_prometheus_answers_it(prometheus: RealPrometheus, title: str, expr: str) -> None:
    """With a number."""
    form = urllib.parse.urlencode({"query": _asked(expr), "time": time.time() - 2 * STEP_S}).encode()
    with urllib.request.urlopen(f"{prometheus.url}/api/v1/query", data=form, timeout=10) as answer:
        document = json.load(answer)

    assert document["status"] == "success"
    assert document["data"]["result"], title


def test_the_variables_are_questions_too(prometheus: RealPrometheus) -> None:
    """Of labels that the metric has."""
    for variable in DASHBOARD["templating"]["list"][1:]:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"])
        assert found is not None
        query = urllib.parse.urlencode({"match[]": _asked(found[1])})
        with urllib.request.urlopen(f"{prometheus.url}/api/v1/label/{found[2]}/values?{query}", timeout=10) as answer:
            assert json.load(answer)["data"], variable["name"]


def test_the_file_is_what_the_config_map_holds() -> None:
    """The sidecar of Grafana finds it by its label."""
    text = (FILE.parent / "kustomization.yaml").read_text()

    assert f"oomtriage.json={FILE.name}" in text
    assert 'grafana_dashboard: "1"' in text
    assert len(FILE.read_bytes()) < 256 * 1024  # what the annotation of `kubectl apply` may hold
    assert Path(FILE).read_text().endswith("}\n")
