"""Saved cases of a real cluster (tests/fixtures/cases), as they are told."""

from __future__ import annotations

import json

import pytest

from receiver.app.files import slack_loader
from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import case_from_json
from receiver.domain.report import Report
from receiver.render.environment import slack_environment
from receiver.render.renderer import Renderer
from tests.golden import Golden
from tests.places import REPO

CASES = REPO / "tests" / "fixtures" / "cases"


def report_of(name: str) -> Report:
    """The report of a saved case."""
    return diagnose(facts_of(case_from_json(json.loads((CASES / f"{name}.json").read_text()))))


@pytest.mark.parametrize(
    ("name", "kind", "cause", "detail"),
    [
        ("java-cache", "container_oom", "limit_too_low", "ceiling"),
        ("java-pricing", "none", "leak", "runtime_limit"),
        ("exporter", "container_oom", "spike", "burst"),
    ],
)
def test_verdict(name: str, kind: str, cause: str, detail: str) -> None:
    """What the programs were written to do."""
    report = report_of(name)

    assert (report.kill.kind, report.cause.name, report.cause.detail) == (kind, cause, detail)


@pytest.mark.parametrize("name", sorted(p.stem for p in CASES.glob("*.json")))
@pytest.mark.wording
def test_as_it_is_told(name: str, golden: Golden) -> None:
    """The whole text, as `oomtriage diagnose` prints it."""
    golden(f"cases/{name}.txt", Renderer(slack_environment(slack_loader())).report_text(report_of(name)))
