"""One SQL text for both backends."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import psycopg

from receiver.store.postgres import _translated
from tests.unit.store.test_plans import asked

__all__ = ["asked"]


def test_every_statement_is_one_for_postgres_too(
    asked: tuple[Mapping[str, Mapping[str, Any]], sqlite3.Connection], database_url: str
) -> None:
    """One text for both: PostgreSQL parses and plans it, with its own idea of which types its parameters have."""
    statements, _ = asked
    refused = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        for n, sql in enumerate(statements):
            if not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) or "pragma" in sql.lower():
                continue
            names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", _translated(sql).decode())))
            text = _translated(sql).decode().replace("%%", "%")
            for i, name in enumerate(names, start=1):
                text = text.replace(f"%({name})s", f"${i}")
            try:
                connection.execute(f"PREPARE s{n} AS {text}".encode())
            except psycopg.Error as exc:
                refused.append((str(exc).splitlines()[0], " ".join(sql.split())[:160]))

    assert len(statements) > 60
    assert refused == []
