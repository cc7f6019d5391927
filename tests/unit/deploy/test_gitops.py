"""deploy/gitops/: an example repository that works as it stands, and CI that may do no more than it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.places import REPO

FOLDER = REPO / "deploy" / "gitops"
GITHUB = FOLDER / "github" / "memory-alerts.yaml"
GITLAB = FOLDER / "gitlab" / "memory-alerts.gitlab-ci.yml"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    """The example's folder in a place of its own, rendered by its own script with this very oomtriage."""
    shutil.copytree(FOLDER / "alerts", tmp_path / "alerts")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run([str(tmp_path / "alerts" / "render.sh")], check=True, env={"PATH": path}, cwd=tmp_path, timeout=60)
    return tmp_path / "alerts"


def test_the_example_renders_what_its_kustomization_loads(alerts: Path) -> None:
    """Every resource is a PrometheusRule with a name of its own and the label that the operator selects by."""
    resources = [load(alerts / name) for name in load(alerts / "kustomization.yaml")["resources"]]

    assert {one["kind"] for one in resources} == {"PrometheusRule"}
    assert len({one["metadata"]["name"] for one in resources}) == len(resources)
    assert {one["metadata"]["labels"]["release"] for one in resources} == {"kube-prometheus-stack"}


def test_the_example_changes_what_it_says(alerts: Path) -> None:
    """The threshold, the label and the disabled alert of values.yaml are in the rendered rules."""
    rules = [rule for group in load(alerts / "rendered" / "oomtriage.yaml")["spec"]["groups"] for rule in group["rules"]]
    by_name = {rule["alert"]: rule for rule in rules if "alert" in rule}

    assert "> 0.9" in by_name["HighMemoryUsage"]["expr"]
    assert by_name["HighMemoryUsage"]["labels"]["team"] == "platform"
    assert by_name["HighMemoryUsage"]["annotations"]["runbook_url"] == "https://oomtriage.example.com/runbooks/HighMemoryUsage"
    assert "MemoryRequestTooLow" not in by_name


def test_the_hook_is_there_for_other_repositories() -> None:
    """Its id is the documented one, and the example asks for a hook that exists."""
    (hook,) = load(REPO / ".pre-commit-hooks.yaml")
    example = load(FOLDER / "pre-commit-config.yaml")["repos"]

    assert hook["id"] == "oomtriage-rules-check"
    assert hook["language"] == "python"
    assert [one["id"] for one in example[0]["hooks"]] == [hook["id"]]


def test_github_takes_no_permission_it_does_not_need() -> None:
    """Nothing by default, reading for the check, comments for the backtest, and no secret for a fork."""
    workflow = load(GITHUB)
    jobs = workflow["jobs"]

    assert workflow["permissions"] == {}
    assert jobs["check"]["permissions"] == {"contents": "read"}
    assert jobs["backtest"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in jobs["backtest"]["if"]
    assert list(workflow[True]) == ["pull_request"]  # YAML 1.1 reads `on` as true; GitHub does not
    assert {step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step} == {
        "actions/checkout@v4",
        "actions/setup-python@v5",
    }


def test_github_puts_no_text_of_others_into_a_shell() -> None:
    """`${{ }}` stands in `env` and `if` only, never inside a script."""
    scripts = [step["run"] for job in load(GITHUB)["jobs"].values() for step in job["steps"] if "run" in step]

    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_gitlab_runs_for_merge_requests_and_shows_no_token() -> None:
    """The jobs exist, the backtest is for branches of the project itself, and the token comes from a variable."""
    text = GITLAB.read_text()
    jobs = load(GITLAB)

    assert set(jobs) == {".memory-alerts", "memory-alerts-check", "memory-alerts-promtool", "memory-alerts-backtest"}
    assert "CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in jobs["memory-alerts-backtest"]["rules"][0]["if"]
    assert re.findall(r"PRIVATE-TOKEN: (\S+)\"", text) == ["$COMMENT_TOKEN"]


def test_both_ask_for_the_same_backtest() -> None:
    """GitHub and GitLab run one command; only where the address comes from differs."""
    commands = [
        re.sub(r"\$PROMETHEUS\w*", "URL", line.strip(" -"))
        for path in (GITHUB, GITLAB)
        for line in path.read_text().splitlines()
        if "rules backtest" in line
    ]

    assert len(commands) == 2
    assert len(set(commands)) == 1
