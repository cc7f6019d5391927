"""A desk and a room of the kit, each over a state file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.pipeline.kit import Desk, Room


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The pipeline over a store."""
    desk = Desk(tmp_path / "state.db")
    yield desk
    desk.store.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """The same with one incident in it, and people who act on it."""
    room = Room(tmp_path / "state.db")
    yield room
    room.desk.store.close()
