"""What every unit test leaves behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from receiver.store import sqlite


@pytest.fixture(autouse=True)
def state_files_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test may end with its stores open, as a process does that is killed; newer Pythons complain of what is collected open."""
    opened: list[sqlite3.Connection] = []
    connect = sqlite._connect

    def remembered(*args: object) -> sqlite3.Connection:
        opened.append(connect(*args))  # type: ignore[arg-type]
        return opened[-1]

    monkeypatch.setattr(sqlite, "_connect", remembered)
    yield
    for connection in opened:
        connection.close()
