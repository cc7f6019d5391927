"""Options and fixtures for every test."""

from __future__ import annotations

import pytest

from tests.golden import Golden, compare


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing with them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(path, text)`: compare with tests/golden/PATH, or write it under --update-golden."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda path, text: compare(path, text, update=update)
