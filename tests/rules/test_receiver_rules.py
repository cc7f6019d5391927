"""The rules about the receiver and the fallback: they read what the receiver exports, and their promtool tests notice what breaks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.evidence.gather import SOURCES
from receiver.promql.selectors import selectors
from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from receiver.telemetry import Metrics
from tests.places import REPO
from tests.rules.kit import what_promtool_says_of

FALLBACK = REPO / "deploy" / "alertmanager" / "fallback"

# What goes wrong, the pack, its test file, and what it takes: (old text, new text).
MUTATIONS = {
    "down: for ever": (rules_dir(), "receiver", "present_over_time(oomtriage_alerts_received_total[1d])", "present_over_time(oomtriage_alerts_received_total[30d])"),
    "down: not there now": (rules_dir(), "receiver", "count_over_time(group by (cluster, namespace, job) (oomtriage_alerts_received_total)[5m:1m]) > 2", "group by (cluster, namespace, job) (oomtriage_alerts_received_total)"),
    "down: by pod": (rules_dir(), "receiver", "group by (cluster, namespace, job)", "group by (cluster, namespace, job, pod)"),
    "down: during a rollout": (rules_dir(), "receiver", "for: 5m\n        labels:\n          severity: critical", "labels:\n          severity: critical"),
    "failing: dead letters": (rules_dir(), "receiver", "(oomtriage_dead_letters)", "(no_such)"),
    "failing: a refusing sink": (rules_dir(), "receiver", 'result="misconfigured"', 'result="x"'),
    "failing: Slack asks for patience": (rules_dir(), "receiver", '{result="misconfigured"}', ""),
    "failing: refused bodies": (rules_dir(), "receiver", "oomtriage_webhook_rejected_total", "no_such"),
    "failing: once is enough": (rules_dir(), "receiver", "oomtriage_webhook_rejected_total[5m]", "oomtriage_webhook_rejected_total[20m]"),
    "failing: any integration": (rules_dir(), "receiver", 'integration="webhook"', 'integration!="webhook"'),
    "failing: another webhook": (rules_dir(), "receiver", "[10m])) == 0", "[10m])) >= 0"),
    "failing: no room": (rules_dir(), "receiver", "(oomtriage_store_ready)", "(no_such)"),
    "failing: a store that is well": (rules_dir(), "receiver", '"store", "", "") == 0', '"store", "", "")'),
    "failing: at once": (rules_dir(), "receiver", "for: 10m", "for: 1m"),
    "failing: clusters merged": (rules_dir(), "receiver", "by (cluster, namespace, job) (oomtriage_dead", "by (namespace, job) (oomtriage_dead"),
    "backlog: shorter": (rules_dir(), "receiver", "> 300", "> 200"),
    "backlog: at once": (rules_dir(), "receiver", "for: 5m\n        labels:\n          severity: warning", "labels:\n          severity: warning"),
    "backlog: messages only": (rules_dir(), "receiver", "oomtriage_jobs_oldest_seconds", "no_such"),
    "backlog: alerts in no incident": (rules_dir(), "receiver", "oomtriage_alerts_oldest_seconds", "no_such"),
    "evidence: one permission too few": (rules_dir(), "receiver", "> 0.5", "> 0.25"),
    "evidence: nothing at all only": (rules_dir(), "receiver", "> 0.5", "> 0.99"),
    "evidence: refusals are answers": (rules_dir(), "receiver", '{result!="ok"}', '{result="failed"}'),
    "evidence: a restart of Prometheus": (rules_dir(), "receiver", "for: 15m", "for: 9m"),
    "evidence: sources merged": (rules_dir(), "receiver", "job, source)", "job)"),
    "evidence: by pod": (rules_dir(), "receiver", "job, source)", "job, source, pod)"),
    "volume: later": (rules_dir(), "receiver", "< 104857600", "< 10485760"),
    "volume: not measured": (rules_dir(), "receiver", "and\n          max by (cluster, namespace, job) (oomtriage_store_bytes) > 0\n", ""),
    "volume: at once": (rules_dir(), "receiver", "for: 10m\n        labels:\n          severity: warning", "labels:\n          severity: warning"),
    "memory: without a limit": (rules_dir(), "receiver", "(oomtriage_memory_limit_bytes > 0)", "oomtriage_memory_limit_bytes"),
    "memory: later": (rules_dir(), "receiver", "> 0.9 # threshold", "> 0.95 # threshold"),
    "watchdog: posted": (rules_dir(), "receiver", "severity: none", "severity: info"),
    "meta through the receiver": (rules_dir(), "receiver", "incident: meta", "incident: memory"),
    "fallback: always": (FALLBACK, "fallback", "unless on ()\n          present_over_time(oomtriage_alerts_received_total[3m])", ""),
    "fallback: during a rollout": (FALLBACK, "fallback", "present_over_time(oomtriage_alerts_received_total[3m])", "oomtriage_alerts_received_total"),
    "fallback: pending alerts": (FALLBACK, "fallback", 'alertstate="firing", ', ""),
    "fallback: alerts about the receiver": (FALLBACK, "fallback", 'incident="memory", severity', "severity"),
    "fallback: info and the heartbeat": (FALLBACK, "fallback", ', severity=~"critical|warning"', ""),
    "fallback: names lost": (FALLBACK, "fallback", '"alertname", "(.+)"', '"job", "(.+)"'),
    "fallback: severities kept apart": (FALLBACK, "fallback", "          severity: warning\n", '          severity: "{{ $labels.fallback_for }}"\n'),
    "fallback: a message for every loop": (FALLBACK, "fallback", "        keep_firing_for: 15m\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_promtool_tests_notice(name: str, tmp_path: Path) -> None:
    """Each thing that makes a rule right has a unit test that fails without it."""
    pack, tests, old, new = MUTATIONS[name]

    said = what_promtool_says_of(pack, tests, tests, old, new, tmp_path)

    assert "FAILED" in said


def test_the_rules_read_what_the_receiver_exports_from_its_start() -> None:
    """Every series they ask for is there and 0 before anything happened, so that increase() sees the first time."""
    exposition = Metrics(sinks=["slack"], sources=SOURCES).exposition().decode().splitlines()
    files = [file for pack in (rules_dir(), FALLBACK) for file in read_rule_files(pack)]
    asked = {
        (one.names[0], tuple(m.text for m in one.matchers))
        for file in files
        for rule in file.rules()
        for one in selectors(rule.expr)
        if one.names
    }
    own = {(name, matchers) for name, matchers in asked if name.startswith("oomtriage_")}

    def value(name: str, matchers: tuple[str, ...]) -> list[str]:
        lines = (line for line in exposition if line.partition("{")[0].partition(" ")[0] == name)
        return [line.rpartition(" ")[2] for line in lines if all(fits(line, matcher) for matcher in matchers)]

    def fits(line: str, matcher: str) -> bool:
        return matcher.replace("!=", "=") not in line if "!=" in matcher else matcher in line

    assert len(own) >= 12
    assert {one: set(value(*one)) for one in own} == {one: {"0.0"} for one in own}


def test_the_public_metrics_are_there() -> None:
    """The names that other people's dashboards and rules use (docs and the interface) do not change."""
    names = {
        line.split()[2]
        for line in Metrics(sinks=["slack"], sources=SOURCES).exposition().decode().splitlines()
        if line.startswith("# TYPE")
    }

    assert {
        "oomtriage_alerts_received_total", "oomtriage_alerts_duplicate_total", "oomtriage_deliveries_total", "oomtriage_outbox_oldest_seconds",
        "oomtriage_dead_letters", "oomtriage_enrichment_seconds", "oomtriage_missing_total", "oomtriage_quarantined_rows",
    } <= names  # fmt: skip
