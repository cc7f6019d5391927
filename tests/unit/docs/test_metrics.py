"""docs/metrics.md describes what /metrics exports, and nobody is sent to a metric that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from receiver.telemetry import SERVICE_ANSWERS
from receiver.transport import ANSWERS
from tests.checks.doc_tables import DOCS, exported, filled, metric_table
from tests.places import REPO
from tests.unit.web.test_intake import Site

NAME = re.compile(r"\b(?:oomtriage_[a-z_]*[a-z]|process_resident_memory_bytes)\b(?![\w./:-])")
PATHS = ("docs/*.md", "docs/runbooks/*.md", "docs/rules/*.md", "README.md", "SECURITY.md", "rules/*.yaml", "deploy/**/*.yaml")


def series() -> set[str]:
    """Names of what can be queried."""
    return {re.split(r"[{ ]", line)[0] for line in exported().exposition().decode().splitlines() if not line.startswith("#")}


def test_the_table_is_what_is_exported() -> None:
    """It is what `python -m tests.checks.doc_tables` would write."""
    page = (DOCS / "metrics.md").read_text()

    assert page == filled(page, "metrics", metric_table())


def test_the_receiver_serves_every_metric_of_the_table(tmp_path: Path) -> None:
    """From the route itself, and each with a word about what it tells."""
    site = Site(tmp_path / "state.db")
    try:
        served = site.client.get("/metrics").get_data(as_text=True)
    finally:
        site.store.close()
    families = re.findall(r"^# TYPE (\S+)", served, re.MULTILINE)

    assert {f for f in families if not f.endswith("_created")} <= set(re.findall(r"^\| `(\w+)`", metric_table(), re.MULTILINE))
    assert re.findall(r"^# HELP \S+ ?$", served, re.MULTILINE) == []


def named() -> Iterator[tuple[str, str]]:
    for pattern in PATHS:
        for path in sorted(REPO.glob(pattern)):
            yield from ((path.name, found) for found in NAME.findall(path.read_text()))


def test_what_pages_and_rules_ask_for_is_exported() -> None:
    known = series() | {name.removesuffix("_bucket") for name in series()}

    assert sorted({(where, name) for where, name in named() if name not in known}) == []


def test_the_answers_of_sources_have_one_set_of_words() -> None:
    assert SERVICE_ANSWERS == ANSWERS
