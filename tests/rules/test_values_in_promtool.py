"""Overrides, excluded namespaces and renamed labels, judged by promtool: who is told, who is left alone."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from receiver.rulepack import render_rules, rules_dir
from tests.e2e.binaries import binary

# (namespace, pod, container): share of the limit, in percent
USES = {
    ("shop", "checkout-7d4b9c5f66-x2x4z", "app"): 85,
    ("shop", "checkout-7d4b9c5f66-fz8kq", "app"): 96,
    ("shop", "checkout-7d4b9c5f66-x2x4z", "proxy"): 85,
    ("shop", "checkout-api-7d4b9c5f66-x2x4z", "app"): 85,
    ("batch", "reindex-0", "main"): 60,
    ("batch", "reindex-api-0", "main"): 60,
    ("dev", "toy-0", "app"): 99,
    ("kube-system", "etcd-0", "etcd"): 99,
}
VALUES = {
    "overrides": [
        {"namespace": "shop", "workload": "checkout", "container": "app", "threshold": 0.95},
        {"namespace": "batch", "workload": "reindex", "threshold": 0.5},
        {"namespace": "batch", "threshold": 0.7},
    ],
    "exclude_namespaces": ["dev", "kube-.*"],
}


def firing(folder: Path, values: Mapping[str, Any], expected: set[tuple[str, str, str]], namespace: str = "namespace") -> str:
    """What promtool says of the expectation that exactly these containers' HighMemoryUsage fires; empty when it is met."""
    (folder / "rules.yaml").write_text(render_rules(rules_dir(), output_format="plain", values=values))
    series = []
    for (where, pod, container), percent in USES.items():
        labels = f'{namespace}="{where}", pod="{pod}", container="{container}"'
        series.append({"series": f"container_memory_working_set_bytes{{{labels}}}", "values": f"{percent}+0x20"})
        series.append({"series": f'kube_pod_container_resource_limits{{{labels}, resource="memory"}}', "values": "100+0x20"})
    found = [
        {"labels": f'{{{namespace}="{where}", pod="{pod}", container="{container}"}}', "value": 1} for where, pod, container in expected
    ]
    expr = f'count by ({namespace}, pod, container) (ALERTS{{alertname="HighMemoryUsage", alertstate="firing"}})'
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [{"expr": expr, "eval_time": "15m", "exp_samples": found}]}
    (folder / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([binary("promtool"), "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


TOLD = {
    ("shop", "checkout-7d4b9c5f66-fz8kq", "app"),
    ("shop", "checkout-7d4b9c5f66-x2x4z", "proxy"),
    ("shop", "checkout-api-7d4b9c5f66-x2x4z", "app"),
    ("batch", "reindex-0", "main"),
}


def test_without_values_everybody_above_80_percent_is_told(tmp_path: Path) -> None:
    """The starting point that the values below change."""
    assert firing(tmp_path, {}, {who for who, percent in USES.items() if percent > 80}) == ""


def test_overrides_and_excluded_namespaces(tmp_path: Path) -> None:
    """A workload's own threshold, up or down, the first that fits; its namesake and its sidecar keep the usual one; excluded ones are quiet."""
    assert firing(tmp_path, VALUES, TOLD) == ""


def test_they_hold_under_other_label_names(tmp_path: Path) -> None:
    """Values speak of the pack's labels, whatever these are called in the user's Prometheus."""
    assert firing(tmp_path, {**VALUES, "label_names": {"namespace": "kubernetes_namespace"}}, TOLD, "kubernetes_namespace") == ""
