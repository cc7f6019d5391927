"""Are alerts in place for this container: rules that watch it, and alerts that are muted."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.case.coverage import alert_coverage, covers
from receiver.domain.identity import Subject

SUBJECT = Subject(cluster="eu", namespace="shop", pod="orders-api-1", container="orders-api")
OOM = 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1'
USE = 'max by (pod) (container_memory_working_set_bytes{container!=""}) / max by (pod) (kube_pod_container_resource_limits{resource="memory"}) > 0.8'


def rules(*entries: tuple[str, str, str], health: str = "ok") -> dict[str, Any]:
    return {"rules": {"groups": [{"name": "g", "rules": [{"name": n, "type": t, "query": q, "health": health} for n, t, q in entries]}]}}


def coverage(*entries: tuple[str, str, str], **options):
    return alert_coverage(rules(*entries, **options), SUBJECT, frozenset())


def test_both_kinds_of_rule_are_there():
    """Done: an OOM rule and a use-against-limit rule watch this container."""
    found = coverage(("OOMKilled", "alerting", OOM), ("HighMemoryUsage", "alerting", USE))

    assert (found.has_oom_rule, found.has_usage_rule) == (True, True)
    assert found.rule_names == ("OOMKilled", "HighMemoryUsage")


def test_rules_that_read_recorded_series_count():
    """Our own pack's alerts read recordings: the recording's expression is what is watched."""
    found = coverage(
        ("c:memory:ratio", "recording", USE.removesuffix(" > 0.8")),
        ("c:oom:recent", "recording", OOM),
        ("c:both", "recording", "c:oom:recent"),
        ("High", "alerting", "c:memory:ratio > 0.8"),
        ("Oom", "alerting", "c:both == 1"),
    )

    assert (found.has_oom_rule, found.has_usage_rule) == (True, True)


@pytest.mark.parametrize(
    "query",
    [
        OOM.replace("{", '{namespace="billing",'), OOM.replace("{", '{namespace!~"shop|web",'), OOM.replace("{", '{cluster="us",'),
        OOM.replace("{", '{container=~"nginx.*",'), OOM.replace("{", '{exported_namespace="billing",'),
    ],
)  # fmt: skip
def test_a_rule_for_others_does_not_count(query):
    """A rule for another namespace leaves this container unwatched."""
    assert coverage(("Oom", "alerting", query)).has_oom_rule is False


def test_a_broken_rule_does_not_count():
    """A rule whose evaluation fails never fires."""
    assert coverage(("Oom", "alerting", OOM), health="err").has_oom_rule is False


def test_a_rule_about_nodes_is_not_about_this_container():
    """Node memory is another matter."""
    found = coverage(("NodeMem", "alerting", "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1"))

    assert found.has_usage_rule is False


def test_no_answer_is_no_verdict():
    """Without the rules nothing is said about them."""
    assert alert_coverage({}, SUBJECT, frozenset()) is None
    assert alert_coverage({"silences": {"alerts": []}}, SUBJECT, frozenset()).has_oom_rule is None


@pytest.mark.parametrize(
    ("alerts", "is_silenced"),
    [
        ([], False),
        ([{"fingerprint": "f", "status": {"silencedBy": ["s"]}}], True),
        ([{"fingerprint": "f", "status": {"inhibitedBy": ["s"], "silencedBy": []}}], True),
        ([{"fingerprint": "f", "status": {"silencedBy": ["s"]}}, {"fingerprint": "other", "status": {}}], True),
        ([{"fingerprint": "f", "status": {}}, {"fingerprint": "other", "status": {"silencedBy": ["s"]}}], False),
    ],
)
def test_muted_alerts(alerts, is_silenced):
    """Only this incident's alerts count, silenced or inhibited."""
    assert alert_coverage({"silences": {"alerts": alerts}}, SUBJECT, frozenset({"f"})).is_silenced is is_silenced


def test_recordings_that_read_each_other_end():
    """A loop in somebody's rules is not ours to follow for ever; what is read on the way still counts."""
    found = coverage(("a", "recording", f"b or {OOM}"), ("b", "recording", "a"), ("Oom", "alerting", "b == 1"))

    assert found.has_oom_rule is True


def test_a_series_recorded_for_others_only_does_not_count():
    """The alert reads a series that is recorded for another namespace: it never fires for this container."""
    elsewhere = OOM.replace("{", '{namespace="billing",')

    assert coverage(("c:oom", "recording", elsewhere), ("Oom", "alerting", "c:oom == 1")).has_oom_rule is False
    assert coverage(("c:oom", "recording", elsewhere), ("c:oom", "recording", OOM), ("Oom", "alerting", "c:oom == 1")).has_oom_rule is True


@pytest.mark.parametrize(
    "query",
    [OOM.replace("{", '{namespace="billing",') + " or " + OOM, f'{OOM} unless on (pod) kube_pod_labels{{namespace="billing"}}'],
    ids=["one of two alternatives", "an exception for others"],
)
def test_a_rule_counts_by_the_part_that_concerns_this_container(query):
    """`or` adds what else is watched, `unless` takes out others."""
    assert coverage(("Oom", "alerting", query)).has_oom_rule is True


@pytest.mark.parametrize("pattern", ["(a+)+$", "[", "x" * 5000, "(?s:shop)"])
def test_patterns_that_cannot_be_judged_are_not_held_against_the_rule(pattern):
    """RE2's syntax differs, and a pattern that would take Python for ever is not tried."""
    covers(f'up{{namespace=~"{pattern}"}}', SUBJECT)
