from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.transport.kit import FaultyEcho


@pytest.fixture
def server() -> Iterator[FaultyEcho]:
    with FaultyEcho() as running:
        yield running
