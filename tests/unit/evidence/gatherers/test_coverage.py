"""Rules and silences as they are gathered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.demo.run import _rule_groups
from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.domain.alerts import Alert
from tests.unit.evidence.kit import lab

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
INCIDENT = "cgroupv2-a-leak-crashloop"


class FakeAlertmanager(Standin):
    def __init__(self) -> None:
        super().__init__()
        self.alerts: object = []

    def answer(self, asked: Asked) -> Reply:
        return json_reply(self.alerts)


@pytest.fixture
def alertmanager() -> Iterator[FakeAlertmanager]:
    with FakeAlertmanager() as running:
        yield running


def an_alert(subject) -> Alert:
    labels = {"alertname": "OOMKilled", "namespace": subject.namespace, "exported_pod": subject.pod}
    return Alert(status="firing", labels=labels, annotations={}, starts_at=AT, ends_at=None, fingerprint="f1")


def test_a_silenced_alert_is_known_as_silenced(alertmanager):
    """The on-call reads that others will not be paged for it."""
    alertmanager.alerts = [
        {"fingerprint": "f1", "labels": {"a": "b"}, "status": {"state": "suppressed", "silencedBy": ["s1"]}, "annotations": {"x": "long"}}
    ]
    with lab(INCIDENT, alertmanager=alertmanager.url) as running:
        subject = running.subject()

        case = running.evidence.gather(subject, (an_alert(subject),), AT)

    asked = alertmanager.asked[0]
    assert facts_of(case).coverage.is_silenced is True
    assert asked.path == "/api/v2/alerts"
    assert asked.params["silenced"] == asked.params["inhibited"] == "true"
    assert asked.params["filter"] in (f'exported_pod="{subject.pod}"', f'namespace="{subject.namespace}"')
    assert "annotations" not in case.answers["silences"]["alerts"][0]


def test_a_hostile_label_name_is_no_matcher(alertmanager):
    """The name stands unquoted before the value: one that is more than a name asks about other alerts."""
    alertmanager.alerts = []
    with lab(INCIDENT, alertmanager=alertmanager.url) as running:
        subject = running.subject()
        labels = {"pod": subject.pod, 'severity=~".+",namespace': subject.namespace}
        running.evidence.gather(subject, (replace(an_alert(subject), labels=labels),), AT)

    assert alertmanager.asked[0].params["filter"] == f'pod="{subject.pod}"'


def test_an_alertmanager_that_answers_something_else(alertmanager):
    """A wrong address is a gap."""
    alertmanager.alerts = {"status": "success"}
    with lab(INCIDENT, alertmanager=alertmanager.url) as running:
        case = running.gather()

    assert any(m.source == "silences" and "not as a list" in m.why for m in case.missing)


def test_only_rules_about_memory_are_kept():
    """A cluster has hundreds of rules; a case holds the few that this is about, without their alerts."""
    groups: list[dict[str, Any]] = [
        {"name": "other", "rules": [{"name": "Latency", "type": "alerting", "query": "rate(http_errors[5m]) > 1"}]},
        {
            "name": "memory",
            "rules": [
                {"name": "HighMemoryUsage", "type": "alerting", "health": "ok", "query": "container_memory_working_set_bytes / kube_pod_container_resource_limits > 0.8",
                 "alerts": [{"labels": {"secret": "of another team"}}], "annotations": {"x": "y"}},
                {"name": "Oom", "type": "alerting", "health": "ok", "query": 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} > 0'},
            ],
        },
    ]  # fmt: skip
    with lab(INCIDENT) as running:
        running.prometheus.show_rules(groups)

        case = running.gather()

    coverage = facts_of(case).coverage
    assert (coverage.has_oom_rule, coverage.has_usage_rule) == (True, True)
    assert [g["name"] for g in case.answers["rules"]["groups"]] == ["memory"]
    assert "another team" not in json.dumps(case.answers["rules"])


def test_the_rules_that_we_ship_watch_a_container():
    """Both of our alerts read series that other rules record: loaded as they are shipped, nothing is left to do."""
    groups = _rule_groups()
    with lab(INCIDENT) as running:
        running.prometheus.show_rules(groups)

        case = running.gather()

    coverage = facts_of(case).coverage
    assert (coverage.has_oom_rule, coverage.has_usage_rule) == (True, True)
    assert {"OOMKilled", "HighMemoryUsage"} <= set(coverage.rule_names)


def test_a_recording_is_kept_when_a_rule_about_memory_reads_it():
    """Its name and expression may say nothing of memory; without it the alert could not be understood."""
    ask = "container_memory_working_set_bytes / on (pod) ns:bound:max"
    groups: list[dict[str, Any]] = [
        {"name": "a", "rules": [{"type": "alerting", "name": "Close", "query": "ns:share > 0.8"}]},
        {"name": "b", "rules": [{"type": "recording", "name": "ns:share", "query": ask}]},
        {"name": "c", "rules": [{"type": "recording", "name": "ns:bound:max", "query": "kube_pod_container_resource_limits"}]},
        {"name": "d", "rules": [{"type": "recording", "name": "ns:latency", "query": "rate(x[5m])"}]},
    ]
    with lab(INCIDENT) as running:
        running.prometheus.show_rules(groups)

        case = running.gather()

    assert [g["name"] for g in case.answers["rules"]["groups"]] == ["a", "b", "c"]
    assert facts_of(case).coverage.has_usage_rule is True
