"""The shipped rules, judged by promtool: their unit tests pass, and would not without the parts that make them right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from receiver.rulepack import check_rules, render_rules, rules_dir
from receiver.rulepack.files import TEST_FILES, Rule, read_rule_files, read_yaml
from tests.e2e.binaries import NEW, OLD, binary
from tests.places import REPO
from tests.rules.kit import what_promtool_says_of

RULES = rules_dir()
ALERTS = [rule for file in read_rule_files(RULES) for rule in file.rules() if rule.alert]

INIT = {name: f"|kube_pod_init_container_status_{name}" for name in ("last_terminated_reason", "terminated_reason", "restarts_total")}

# What goes wrong, the test file that must notice, and what it takes: (old text, new text). Every occurrence is replaced.
MUTATIONS = {
    "lower threshold": ("usage", "ratio > 0.80", "ratio > 0.75"),
    "fires on exactly 80 %": ("usage", "ratio > 0.80", "ratio >= 0.80"),
    "shorter for": ("usage", "for: 5m\n        keep_firing_for: 5m", "for: 4m\n        keep_firing_for: 5m"),
    "flaps": ("usage", "        keep_firing_for: 5m\n", ""),
    "dead containers count": ("usage", "[3m]", "[10m]"),
    "replaced instances count": ("usage", "container_start_time_seconds{", "no_such_metric{"),
    "the start is forgotten with a failed scrape": ("usage", 'last_over_time(container_start_time_seconds{container!="", container!="POD"}[3m])', 'container_start_time_seconds{container!="", container!="POD"}'),
    "what waits for its restart counts": ("usage", "kube_pod_container_status_waiting_reason > 0", "no_such_metric"),
    "what has ended counts": ("usage", "kube_pod_container_status_terminated_reason > 0", "no_such_metric"),
    "containers without a limit": ("usage", 'container_spec_memory_limit_bytes{container!="", container!="POD"} > 0', 'container_spec_memory_limit_bytes{container!="", container!="POD"}'),
    "pod slices and pause containers": ("usage", 'container!="", container!="POD"', 'namespace!="x"'),
    "pause containers of CRI-O": ("usage", ', container!="POD"', ""),
    "page cache": ("usage", "container_memory_total_active_file_bytes{", "0 * container_memory_total_active_file_bytes{"),
    "older kubelets": ("usage", "          or\n          namespace_pod_container:memory_working_set_bytes:max\n", ""),
    "cAdvisor's limit dropped": ("usage", "kube_pod_container_resource_limits", "no_such_metric"),
    "native sidecars' limits": ("usage", "kube_pod_init_container_resource_limits", "no_such_metric"),
    "clusters merged": ("usage", "cluster, namespace", "namespace"),
    "sums instead of maxima": ("usage", "max by", "sum by"),
    "OOM: clusters merged": ("oom", "max by (cluster, namespace", "max by (namespace"),
    "OOM: sticky reason": ("oom", "time() - 600", "time() - 1e9"),
    "OOM: window shorter than the back-off": ("oom", "time() - 600", "time() - 300"),
    "OOM: restarts not compared": ("oom", "# kill_window\n            > 0", "# kill_window\n            >= 0"),
    "OOM: init containers' reason": ("oom", INIT["last_terminated_reason"], ""),
    "OOM: init containers' restarts": ("oom", INIT["restarts_total"], ""),
    "OOM: dead init containers": ("oom", INIT["terminated_reason"], ""),
    "OOM: first restart before the first scrape": ("oom", "kube_pod_start_time", "no_such_metric"),
    "OOM: finished Jobs again after a gap": ("oom_finished", "kube_pod_completion_time", "no_such_metric"),
    "OOM: dead ones for ever": ("oom_finished", "[1h] offset 10m", "[1h] offset 10d"),
    "OOM: uid ignored": ("oom_finished", ", uid)", ")"),
    "OOM: other reasons": ("oom", ', reason="OOMKilled"', ""),
    "OOM: finished for other reasons": ("oom_finished", ', reason="OOMKilled"', ""),
    "child: whole containers too": ("oom", "          unless\n          namespace_pod_container:container_oom_kill:recent == 1\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("suite", [OLD, NEW], ids=["the machine's own", "the newest"])
def test_the_pack_is_right(suite: str) -> None:
    """Lint, promtool's syntax check and every promtool unit test find nothing, with Prometheus 2 and with Prometheus 3."""
    assert [str(problem) for problem in check_rules(RULES, promtool=binary("promtool", suite))] == []


@pytest.mark.parametrize("path", sorted(RULES.glob(TEST_FILES)), ids=lambda path: path.name)
def test_the_order_of_groups_is_fixed(path: Path) -> None:
    """promtool evaluates several groups in random order: a test file that loads more than one says in which."""
    test = read_yaml(path)
    loaded = [group["name"] for file in test["rule_files"] for group in read_yaml(path.parent / file)["groups"]]

    assert len(loaded) == 1 or sorted(test.get("group_eval_order", [])) == sorted(loaded)


@pytest.mark.parametrize("name", MUTATIONS)
def test_promtool_tests_notice(name: str, tmp_path: Path) -> None:
    """Each thing that makes a rule right has a unit test that fails without it."""
    tests, old, new = MUTATIONS[name]

    said = what_promtool_says_of(RULES, tests.partition("_")[0], tests, old, new, tmp_path)

    assert "FAILED" in said


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule.alert)
def test_every_alert_has_a_runbook(rule: Rule) -> None:
    """The page that runbook_url names exists and says what it means, costs, how to look and what to do."""
    name = rule.alert
    page = (REPO / "docs" / "runbooks" / f"{name}.md").read_text()

    assert page.startswith(f"# {name}\n")
    assert [heading in page for heading in ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation")] == [True] * 4


def test_rendered_rules_pass_promtool(tmp_path: Path) -> None:
    """What `rules render` writes is a rule file that promtool accepts, with and without changed values."""
    for number, values in enumerate((None, {"interval": "1m", "labels": {"team": "a"}, "alerts": {"OOMKilled": {"enabled": False}}})):
        (tmp_path / f"{number}.yaml").write_text(render_rules(RULES, output_format="plain", values=values))

    done = subprocess.run(
        [binary("promtool"), "check", "rules", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
