"""Recorded logs, as the reading of a case hands them to the diagnosis."""

from __future__ import annotations

from receiver.case.log import log_facts
from receiver.domain.facts import LogFacts
from tests.places import FIXTURES


def recorded_log(name: str) -> LogFacts:
    """The log in tests/fixtures/logs of that name, its lines without the kubelet's stamps."""
    facts = log_facts({"container": "app", "text": (FIXTURES / "logs" / f"{name}.txt").read_text()})
    assert facts is not None
    return facts
