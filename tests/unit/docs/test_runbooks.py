"""docs/runbooks/: one page an alert, all built alike, and no link that leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from receiver.rulepack import rules_dir
from receiver.rulepack.files import Rule, read_rule_files
from tests.places import REPO

FOLDER = REPO / "docs" / "runbooks"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "When the alert is wrong or silent"]
PACKS = (rules_dir(), REPO / "deploy" / "alertmanager" / "fallback")
RULES = {rule.alert: rule for pack in PACKS for file in read_rule_files(pack) for rule in file.rules() if rule.alert}
PAGES = sorted(FOLDER.glob("*.md"), key=lambda path: path.stem)


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_alerts_and_pages_are_the_same() -> None:
    """No alert without a page, no page of an alert that is gone."""
    assert [path.stem for path in PAGES] == sorted(RULES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_built_like_the_others(path: Path) -> None:
    """Who is woken finds each thing where it stands on every page, and nothing empty."""
    text = path.read_text()

    assert text.startswith(f"# {path.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert all(section(text, heading).strip() for heading in HEADINGS)
    assert [name for name in re.findall(r"\]\((\w+)\.md\)", text) if name not in RULES] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.alert)
def test_a_page_says_what_is_done_already(rule: Rule) -> None:
    """Nobody does twice what the message did: Diagnosis begins with what it tells, or says that there is none."""
    diagnosis = section((FOLDER / f"{rule.alert}.md").read_text(), "Diagnosis").strip().splitlines()[0]

    is_silent = rule.body["labels"]["severity"] == "info"
    if rule.body["labels"]["incident"] == "meta":
        assert re.search(r"\b(?:No|none)\b", diagnosis)
    else:
        assert re.match(r"There is no Slack message for it" if is_silent else r"The (?:Slack message|notice) already tells: ", diagnosis)
