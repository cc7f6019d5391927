"""A look at a database of STORE_URL, by somebody who does not work with it: whether a receiver could, and who does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from receiver.store.database import Lane
from receiver.store.postgres import PostgresDatabase, place_of
from receiver.store.schema import SCHEMA_VERSION, schema_version

OLDEST = 13  # of the server's versions: the SQL keeps to what it understands


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`place`: where it is, without user and password. `leads`: whether a receiver dispatches now. `schema`: 0 without our tables."""

    place: str
    version: str
    is_too_old: bool
    is_read_only: bool
    may_make_tables: bool
    schema: int
    leads: bool

    @property
    def is_newer_schema(self) -> bool:
        """Whether a newer release has been here."""
        return self.schema > SCHEMA_VERSION


def look(url: Callable[[], str]) -> Look:
    """Nothing is changed. StoreError."""
    database = PostgresDatabase(url)
    try:
        with database.transaction(lane=Lane.READ) as tx:
            row = tx.run(
                """SELECT current_setting('server_version') AS version, CAST(current_setting('server_version_num') AS INTEGER) AS number,
                   current_setting('transaction_read_only') = 'on' AS is_read_only,
                   has_schema_privilege(current_schema(), 'CREATE') AS may_make_tables, to_regclass('meta') IS NOT NULL AS has_tables"""
            )[0]
            schema = schema_version(tx) if row["has_tables"] else 0
            leads = bool(schema and tx.run("SELECT 1 FROM leader WHERE expires_at > :now", now=database.read_clock(tx)))
    finally:
        database.close()
    return Look(
        place=place_of(url()), version=str(row["version"]).split()[0], is_too_old=row["number"] < OLDEST * 10_000,
        is_read_only=bool(row["is_read_only"]), may_make_tables=bool(row["may_make_tables"]), schema=schema, leads=leads,
    )  # fmt: skip
