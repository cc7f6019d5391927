"""Pages for whoever installs: their tables are the code's, and what they quote is really said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml

from receiver.domain.alerts import parse_notification
from receiver.evidence.gatherers import ALL
from tests.checks.doc_tables import DOCS, filled
from tests.checks.operator_tables import WITHOUT, alert_table, permission_table, refusal_table
from tests.places import REPO

TROUBLE = (DOCS / "troubleshooting.md").read_text()
SOURCE = "\n".join(path.read_text() for path in sorted((REPO / "receiver").rglob("*.py")))


@pytest.mark.parametrize(
    ("page", "mark", "table"),
    [
        ("permissions.md", "permissions", permission_table),
        ("troubleshooting.md", "refusals", refusal_table),
        ("README.md", "alerts", alert_table),
    ],
)
def test_a_table_is_what_the_code_says(page: str, mark: str, table: Callable[[], str]) -> None:
    """`python -m tests.checks.doc_tables` writes it."""
    text = (DOCS / page).read_text()

    assert filled(text, mark, table()) == text


def test_every_evidence_that_needs_a_permission_says_what_is_lost() -> None:
    assert {gatherer.source for gatherer in ALL if gatherer.permissions} == set(WITHOUT)


def hints() -> list[str]:
    """What is said, as the page quotes it: the first column of the messages' table, with `…` for what differs, and what stands in quotes."""
    section = TROUBLE.split("## The message says that something is missing\n", 1)[1].split("\n## ", 1)[0]
    symptoms = [line.split(" | ")[0] for line in TROUBLE.splitlines() if line.startswith("| ")]
    return [*re.findall(r"^\| `([^`]+)`", section, re.MULTILINE), *(said for s in symptoms for said in re.findall(r'"([^"`]{9,})"', s))]


@pytest.mark.parametrize("hint", hints())
def test_a_hint_that_is_quoted_is_really_said(hint: str) -> None:
    """Each piece of it stands in the receiver's source: a hint that is rewritten is rewritten here as well."""
    pieces = [piece.strip() for piece in hint.split("…") if len(piece.strip()) > 1]

    assert pieces
    assert [piece for piece in pieces if piece not in SOURCE] == []


def test_each_scope_of_the_slack_app_says_what_it_is_for() -> None:
    """The page's table and the manifest have the same."""
    manifest = yaml.safe_load((REPO / "deploy" / "slack" / "manifest.yaml").read_text())
    table = (DOCS / "slack.md").read_text().split("| scope | without it |\n", 1)[1].split("\n\n", 1)[0]
    told = [scope for row in table.splitlines() for scope in re.findall(r"`([a-z]+:[a-z.]+)`", row.split("|")[1])]

    assert sorted(told) == sorted(manifest["oauth_config"]["scopes"]["bot"])


def test_the_webhook_of_the_quick_start_is_taken() -> None:
    """Who tries the way with curl gets a 202."""
    page = (DOCS / "quick-start.md").read_text()
    (body,) = re.findall(r"-d '(\{.*?\})'\n", page, re.DOTALL)
    (alert,) = parse_notification(json.loads(body)).alerts

    assert (alert.status, alert.name, alert.severity) == ("firing", "OOMKilled", "critical")
