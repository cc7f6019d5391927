"""The rules and the receiver speak of the same things: numbers, names, labels and windows cannot drift apart."""

from __future__ import annotations

import re

import pytest

from receiver.diagnosis.advice import mistakes as warnings_
from receiver.diagnosis.death import alert_names
from receiver.diagnosis.death.witnesses.metrics import NEAR_LIMIT
from receiver.diagnosis.memory import thresholds
from receiver.domain.identity import LabelNames
from receiver.pipeline.news import REFIRED_IS_NEWS_S
from receiver.promql.selectors import clause_labels
from receiver.rulepack import rules_dir
from receiver.rulepack.files import Rule, read_rule_files
from receiver.rulepack.marks import marks

RULES = [rule for file in read_rule_files(rules_dir()) for rule in file.rules()]
ALERTS = {rule.alert: rule for rule in RULES if rule.alert}
KILLS = alert_names.OOM_ALERTS | alert_names.CHILD_ALERTS | alert_names.SUSPECT_ALERTS
OTHERS = alert_names.NODE_OOM_ALERTS | alert_names.NODE_PRESSURE_ALERTS | alert_names.EVICTION_ALERTS | alert_names.WARNING_ALERTS
ABOUT_US = {"MemoryMetricsMissing", "OomtriageWatchdog", "OomtriageDown", "OomtriageDeliveryFailing", "OomtriageBacklog", "OomtriageEvidenceMissing", "OomtriageVolumeFilling", "OomtriageMemoryHigh"}  # fmt: skip


def values_of(name: str) -> dict[str, set[str]]:
    """The marked numbers of a rule: word to all of its values."""
    found: dict[str, set[str]] = {}
    for rule in RULES:
        for mark in marks(rule.expr) if rule.name == name else ():
            found.setdefault(mark.word, set()).add(mark.token.text)
    return found


@pytest.mark.parametrize(
    ("alert", "word", "number"),
    [
        ("HighMemoryUsage", "threshold", thresholds.HIGH_RATIO),
        ("MemoryRequestTooLow", "threshold", warnings_.REQUEST_FAR_BELOW),
        ("SigkilledNearMemoryLimit", "threshold", NEAR_LIMIT.at_least),
    ],
)
def test_a_number_that_both_use_is_one_number(alert: str, word: str, number: float) -> None:
    """Close to the limit means the same in an alert and in the message about it."""
    assert {float(value) for value in values_of(alert)[word]} == {number}


def test_every_alert_of_the_pack_is_known_to_the_diagnosis() -> None:
    """A kill, a warning, a node, an eviction: no name of ours reads as an alert nobody knows."""
    assert ALERTS.keys() - KILLS - OTHERS == ABOUT_US


def test_a_kill_is_news_again_when_its_alert_has_ended_for_that_long() -> None:
    """OOMKilled lasts window + keep_firing_for after a kill; a crash loop that fires again within that time is no news."""
    window_s = float(*values_of("namespace_pod_container:container_oom_kill:dated")["kill_window_s"])
    keep_s = 60 * float(str(ALERTS["OOMKilled"].body["keep_firing_for"]).removesuffix("m"))

    assert window_s + keep_s == REFIRED_IS_NEWS_S


@pytest.mark.parametrize("rule", ALERTS.values(), ids=ALERTS)
def test_no_text_holds_a_number_that_a_value_changes(rule: Rule) -> None:
    """The summary and description of a changed rule stay true."""
    text = " ".join(str(text) for text in rule.body["annotations"].values()).replace("{{", " {{")
    numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?=\s?%| minutes)", text))

    changeable = {value.rstrip("smhd") for values in values_of(rule.alert).values() for value in values}
    changeable |= {f"{float(value) * 100:g}" for value in changeable if re.fullmatch(r"0?\.\d+", value)}
    assert numbers & changeable == set()


@pytest.mark.parametrize("rule", [rule for rule in ALERTS.values() if rule.alert not in ABOUT_US], ids=lambda rule: rule.alert)
def test_alerts_are_labelled_as_the_receiver_reads_labels(rule: Rule) -> None:
    """What tells subjects apart is a label by a name that the receiver knows."""
    names = LabelNames()
    known = {*names.cluster, *names.namespace, *names.pod, *names.container, *names.node, "instance", "job", "uid"}

    assert {token.text for token in clause_labels(rule.expr)} <= known
