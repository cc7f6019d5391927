"""Every row of the witnesses' tables: what it must recognise, what it must not, and that somebody can check it."""

from __future__ import annotations

import re

import pytest

from receiver.diagnosis.death.witnesses import TABLES, ExitWitness, Measure, Said, Says, Witness, witness_of
from receiver.diagnosis.death.witnesses.log_lines import LAST_WORDS, LOG_LINES
from receiver.diagnosis.log.announcements import ANNOUNCEMENTS
from receiver.diagnosis.log.signatures import match_line
from receiver.domain.report import Sender
from tests.checks.doc_tables import DOCS, WITNESS_TABLES, filled

ROWS = [(name, row) for name, rows in TABLES.items() for row in rows]
EACH = pytest.mark.parametrize(("table", "row"), [pytest.param(name, row, id=f"{name}-{row.id}") for name, row in ROWS])
SIDE_BY_SIDE = frozenset({"metrics"})  # its numbers have units of their own: the first that matches does not speak for all
NAMES_A_SENDER = frozenset({Says.SENT_BY, Says.CHECK_FAILED, Says.ASKED_TO_STOP})


@EACH
def test_example_is_recognised_and_near_miss_is_not(table: str, row: Witness | ExitWitness | Measure) -> None:
    """By this row, and not by another above it that would speak first."""
    first = next((r for r in TABLES[table] if r.matches(row.example)), None)  # type: ignore[arg-type]

    assert row.matches(row.example)  # type: ignore[arg-type]
    assert not row.matches(row.near_miss)  # type: ignore[arg-type]
    assert table in SIDE_BY_SIDE or first is row, f"{first.id if first else None} speaks before {row.id}"


@EACH
def test_row_can_be_checked(table: str, row: Witness | ExitWitness | Measure) -> None:
    """It has an id that speaks and says where its fact comes from."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.id)
    assert len(row.source) >= 10


def test_ids_are_unique() -> None:
    """Docs and tests refer to them."""
    assert len({row.id for _, row in ROWS}) == len(ROWS)


def test_who_ended_it_has_a_name() -> None:
    """A row that says who ended it names the sender; every sender but the unknown one has a witness."""
    named = [row for _, row in ROWS if isinstance(row, Witness) and row.says in NAMES_A_SENDER]

    assert [row.id for row in named if row.sender is None] == []
    assert {row.sender for row in named} | {row.sender for row in ANNOUNCEMENTS} == set(Sender) - {Sender.UNKNOWN}


def test_nothing_is_said_that_no_witness_says() -> None:
    """The words of the tables and the rows agree."""
    assert {row.says for _, row in ROWS} == set(Says)


@pytest.mark.parametrize("said", [said for row in LOG_LINES for said in (row.example, row.near_miss)], ids=lambda s: s.message[:40])
def test_kind_of_a_log_line_is_its_signatures(said: Said) -> None:
    """The catalogue of signatures gives the line the kind that the row asks for."""
    found = match_line(said.message)

    assert (found.kind if found is not None else "") == said.reason


def test_page_lists_the_witnesses() -> None:
    """docs/how-we-know.md is what `python -m tests.checks.doc_tables` would write."""
    page = (DOCS / "how-we-know.md").read_text()

    for mark, table in WITNESS_TABLES:
        assert filled(page, mark, table()) == page


# fmt: off
ASKED = (
    "[2026-11-24 09:25:59 +0000] [1] [INFO] Handling signal: term",
    "[mpm_event:notice] [pid 1:tid 1] AH00169: caught SIGTERM, shutting down",
    "1:signal-handler (1700) Received SIGTERM scheduling shutdown...",
    "SIGTERM received - shutting down",
    "2026-11-24 10:11:12,345 WARN received SIGTERM indicating exit request",
    'level=warn msg="Received an OS signal, exiting gracefully..." signal=terminated',
    "Caught signal: terminated",
    '{"t":{},"s":"I","c":"CONTROL","id":23377,"msg":"Received signal","attr":{"signal":15,"error":"Terminated"}}',
    "LOG:  received fast shutdown request",
    "- Gracefully shutting down workers...",
)
NOT_ASKED = (
    "Worker (pid:7) was sent SIGTERM!",
    "exited: worker (terminated by SIGTERM; expected)",
    "sending SIGTERM to worker 3",
    "graceful shutdown timeout is 30 s",
    "received request for /term",
    "got 15 signals",
)
# fmt: on


@pytest.mark.parametrize("line", ASKED + NOT_ASKED)
def test_who_was_asked_to_stop(line: str) -> None:
    """The program itself in its own words; not a child of it, and not a setting."""
    assert (witness_of(LAST_WORDS, "", line) is not None) is (line in ASKED)
