"""What the store needs of a database: transactions that take `:name` parameters and return rows as mappings.

The SQL of this package keeps to what SQLite >= 3.35 and PostgreSQL >= 13 both understand (RETURNING, ON CONFLICT,
partial indexes); where they differ, the schema asks the `Dialect`. Times are seconds since 1970 as the caller's clock
tells them, booleans are 0 and 1, JSON is text.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Row = Mapping[str, Any]

LATEST_S = 32_503_680_000.0  # the year 3000: what is due later, or at no number at all, is never due
VOLUME_SHARE = 0.8
_PACKED = "z:"  # no JSON begins so


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The few words that the two backends spell differently."""

    serial_key: str
    blob: str
    real: str


SQLITE = Dialect(serial_key="INTEGER PRIMARY KEY", blob="BLOB", real="REAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How large the store is: `used_bytes` of rows and indexes, `store_bytes` on the volume, and what is `free_bytes` there."""

    used_bytes: int
    store_bytes: int
    free_bytes: int

    @property
    def most_bytes(self) -> int:
        """What the volume allows it to use: a part stays free, for the journal and for what a storm brings between two tidyings."""
        return int((self.store_bytes + self.free_bytes) * VOLUME_SHARE)

    def is_over(self, max_bytes: int) -> bool:
        """Whether it is larger than it may be: by the setting (0: none), or by the volume."""
        return self.used_bytes > min(max_bytes or self.most_bytes, self.most_bytes)


class Tx(Protocol):
    """An open transaction."""

    def run(self, sql: str, /, **params: Any) -> list[Row]:
        """Execute one statement; its rows (RETURNING or SELECT), else an empty list."""


class Database(Protocol):
    """One durable database. Every error that is not a bug comes out as a StoreError."""

    dialect: Dialect

    def transaction(self, *, is_urgent: bool = False) -> AbstractContextManager[Tx]:
        """A read-write transaction: committed at the end of the block, rolled back when it raises. `is_urgent`: before others that wait."""

    def room(self) -> Room:
        """How large it is, and how much larger it can become."""

    def reclaim(self, pages: int = 500) -> None:
        """Give freed pages back to the volume, a few at a time."""

    def close(self) -> None:
        """Leave the database in order (checkpoint) and let go of it."""


def packed(text: str) -> str:
    """A stored text, compressed: still a text, which both backends keep alike. What is packed already stays."""
    return text if text.startswith(_PACKED) else _PACKED + base64.b85encode(zlib.compress(text.encode())).decode()


def json_object(text: str) -> dict[str, Any]:
    """A stored JSON object, packed or not. ValueError or zlib.error when it is none."""
    if text.startswith(_PACKED):
        text = zlib.decompress(base64.b85decode(text.removeprefix(_PACKED))).decode()
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError(f"a JSON {type(document).__name__} where an object belongs")
    return document
