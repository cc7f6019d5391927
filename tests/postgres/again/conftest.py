"""Whatever opens a state file here opens a database."""

from __future__ import annotations

import pytest

from receiver.store.store import Store
from tests.postgres.stores import Stores


@pytest.fixture(autouse=True)
def in_postgres(postgres_stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "open_sqlite", postgres_stores.open)
