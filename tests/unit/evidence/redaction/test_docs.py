"""The page about redaction lists the kinds, and what it says is so."""

from __future__ import annotations

import re

import yaml

from receiver.app.build import make_redactor
from receiver.evidence.redaction import Redactor
from tests.checks.doc_tables import DOCS, filled, redaction_table

PAGE = (DOCS / "redaction.md").read_text()


def test_page_lists_the_kinds() -> None:
    """docs/redaction.md is what `python -m tests.checks.doc_tables` would write."""
    assert filled(PAGE, "kinds", redaction_table()) == PAGE


def test_examples_of_the_page_are_so() -> None:
    """Each `hunter2` of the page is taken out, and each name said to be kept is kept."""
    section = PAGE.partition("### By name")[2].partition("### In other")[0]
    examples = re.findall(r"`([^`]*hunter2[^`]*)`", section)
    kept = ["token_count", "secretName", "password_reset_sent", "tokenExpirationSeconds", "passwordFile"]
    harmless = ["${DB_PASSWORD}", "$(TOKEN)", "{{ .Values.password }}", "/run/secrets/db", "***", "expired", "null", "true"]

    assert len(examples) >= 15
    assert [e for e in examples if "hunter2" in Redactor().redact(e)[0]] == []
    assert all(f"`{name}`" in section and Redactor().redact(f"{name}=hunter2")[1] == {} for name in kept)
    assert all(f"`{value}`" in section and Redactor().redact(f"password={value}")[1] == {} for value in harmless)


def test_options_of_the_page_work() -> None:
    """The YAML of the page is taken as it stands."""
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    redactor = make_redactor(yaml.safe_load(block)["redaction"])

    text, counts = redactor.redact("ORD-123456 customer=ines bob@example.com 4111111111111111 doc_Zk39vQ7xLpW2mN8rT4yBc6")

    assert (
        text == "[redacted order number] customer=[redacted customer] [redacted e-mail] [redacted card number] doc_Zk39vQ7xLpW2mN8rT4yBc6"
    )
    assert counts == {"order number": 1, "customer": 1, "e-mail": 1, "card number": 1}
