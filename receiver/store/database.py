"""What the store needs of a database: transactions that take `:name` parameters and return rows as mappings.

The SQL of this package keeps to what SQLite >= 3.35 and PostgreSQL >= 13 both understand (RETURNING, ON CONFLICT,
partial indexes); where they differ, the schema asks the `Dialect`. Times are seconds since 1970 as the caller's clock
tells them, booleans are 0 and 1, JSON is text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Row = Mapping[str, Any]

LATEST_S = 32_503_680_000.0  # the year 3000: what is due later, or at no number at all, is never due


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The few words that the two backends spell differently."""

    serial_key: str
    blob: str
    real: str


SQLITE = Dialect(serial_key="INTEGER PRIMARY KEY", blob="BLOB", real="REAL")


class Tx(Protocol):
    """An open transaction."""

    def run(self, sql: str, /, **params: Any) -> list[Row]:
        """Execute one statement; its rows (RETURNING or SELECT), else an empty list."""


class Database(Protocol):
    """One durable database. Every error that is not a bug comes out as a StoreError."""

    dialect: Dialect

    def transaction(self) -> AbstractContextManager[Tx]:
        """A read-write transaction: committed at the end of the block, rolled back when it raises."""

    def close(self) -> None:
        """Leave the database in order (checkpoint) and let go of it."""


def json_object(text: str) -> dict[str, Any]:
    """A stored JSON object. ValueError when it is none."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError(f"a JSON {type(document).__name__} where an object belongs")
    return document
