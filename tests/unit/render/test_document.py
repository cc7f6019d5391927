"""The report document: its public shape, and whole reports of known incidents, read by eye before they were kept."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from receiver.domain.units import parse_bytes
from receiver.render.document import report_document
from tests.golden import Golden
from tests.unit.diagnosis.golden_cases import GOLDENS, golden_text

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
TOP = {"schema", "subject", "kill", "cause", "tree", "checklist", "proposal", "hpa", "long_term", "warnings", "missing", "evidence"}


@pytest.mark.parametrize("name", GOLDENS)
def test_whole_report(name: str, golden: Golden) -> None:
    """The report of a known incident says exactly what was reviewed."""
    golden(f"reports/{name}.json", golden_text(GOLDENS[name]()))


@pytest.mark.parametrize("name", GOLDENS)
def test_public_shape(name: str) -> None:
    """Every key that the public interface names is there, with its type, and nothing but plain JSON."""
    document = report_document(GOLDENS[name]())

    assert document == json.loads(json.dumps(document))
    assert document["schema"] == "oomtriage.report/v1"
    assert set(document) >= TOP
    assert set(document["subject"]) >= {"cluster", "namespace", "pod", "container", "node", "workload"}
    assert set(document["kill"]) >= {"kind", "reason", "exit_code", "at", "restarts", "sure", "because"}
    assert set(document["cause"]) >= {"name", "confidence", "because", "settle_by"}
    assert all({"question", "answer", "because"} <= set(step) for step in document["tree"])
    assert {step["answer"] for step in document["tree"]} <= {"yes", "no", "cannot_tell"}
    assert len(document["checklist"]) == 9
    assert {item["state"] for item in document["checklist"]} <= {"done", "todo", "could_not_check", "not_applicable"}
    assert 0 <= document["cause"]["confidence"] <= 1
    if "none" in document["proposal"]:
        assert document["proposal"]["none"]
    else:
        assert set(document["proposal"]) >= {"role", "memory_limit", "memory_request", "buys_h", "patch", "commands", "why", "caveats"}
        assert document["proposal"]["role"] in ("fix", "stop_gap")
        assert parse_bytes(document["proposal"]["memory_limit"]) == document["proposal"]["limit_bytes"]
        assert parse_bytes(document["proposal"]["memory_request"]) <= document["proposal"]["limit_bytes"]


@pytest.mark.parametrize("name", GOLDENS)
def test_units_are_in_the_names(name: str) -> None:
    """Bytes are integers called *_bytes, times RFC 3339 in UTC, ratios between 0 and 1."""
    for path, value in _leaves(report_document(GOLDENS[name]())):
        key = path[-1]
        if value is None:
            continue
        if key.endswith("_bytes"):
            assert type(value) is int, path
        if key.endswith("_ratio"):
            assert 0 <= value <= 1, path
        if key == "at" or key.endswith("_at"):
            assert RFC3339.fullmatch(value), path


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in _leaves(v, (*path, k))]
    if isinstance(value, list):
        return [leaf for v in value for leaf in _leaves(v, path)]
    return [(path, value)] if path else []


def test_article_quick_fix_first_real_fix_second() -> None:
    """The article's case: start-up, 4Gi to 7Gi now (its option A), and reading in pieces as the real fix (its option B)."""
    document = report_document(GOLDENS["article"]())

    assert document["cause"]["name"] == "startup"
    assert document["proposal"]["memory_limit"] == "7Gi"
    assert document["proposal"]["memory_request"] == "4Gi"
    assert "at least 4 GiB" in document["proposal"]["why"]
    assert document["long_term"][0]["id"] == "stream_data"


def test_no_number_is_invented_for_the_evicted_bystander() -> None:
    """The evicted bystander gets no patch, and the message says whose decision it was."""
    document = report_document(GOLDENS["evicted"]())

    assert document["kill"]["kind"] == "eviction"
    assert "node's decision" in document["proposal"]["none"]
