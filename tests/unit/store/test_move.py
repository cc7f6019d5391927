"""What is moved from one database into another is everything. That it arrives: tests/postgres/test_move.py."""

from __future__ import annotations

from pathlib import Path

from receiver.store.move import TABLES
from receiver.store.schema import migrate
from receiver.store.sqlite import SqliteDatabase

OF_ITS_PLACE = {"meta", "leader"}  # notes are moved one by one, and who leads is found out anew


def test_every_table_is_moved(tmp_path: Path) -> None:
    """A table that a newer schema brings would be left behind without a word."""
    database = SqliteDatabase.open(tmp_path / "state.db")
    migrate(database, now=0.0)
    with database.transaction() as tx:
        tables = {row["name"] for row in tx.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")}
    database.close()

    assert tables - OF_ITS_PLACE == set(TABLES)
