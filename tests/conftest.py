"""Options and fixtures for every test."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.e2e.binaries import SUITE_VARIABLE
from tests.golden import Golden, compare
from tests.places import REPO

collect_ignore = [] if SUITE_VARIABLE in os.environ else ["compat"]  # its servers are fetched by `make compat` alone
AGAIN = REPO / "tests" / "postgres" / "again"
READ_BY_PEOPLE = {REPO / "tests" / "unit" / "render", REPO / "tests" / "stories"}  # all of them assert what a person reads


# `make test` finds the same as yesterday; `make fuzz` looks further, elsewhere each time (--hypothesis-profile=fuzz).
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=20_000, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing with them")
    parser.addoption("--bare-codes", action="store_true", help="say every reason by its code: what still passes depends on no sentence")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("fixed")
    config.addinivalue_line("markers", "state_file: about a state file; left out where tests run again in PostgreSQL")
    config.addinivalue_line("markers", "wording: asserts what a person reads; left out under --bare-codes")
    if config.getoption("--bare-codes"):
        module = importlib.import_module("receiver.render.wording.say")  # the package has a function of that name
        module.SENTENCES = {code: code for code in module.SENTENCES}  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """What a command of ours sets up for its own process ends with its test: else the next one's warnings are nobody's."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        return (yield)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not (item.get_closest_marker("state_file") and AGAIN in item.path.parents)]
    if config.getoption("--bare-codes"):
        for item in items:
            if item.get_closest_marker("wording") or READ_BY_PEOPLE & set(item.path.parents):
                item.add_marker(pytest.mark.skip(reason="asserts a sentence"))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(path, text)`: compare with tests/golden/PATH, or write it under --update-golden."""
    if request.config.getoption("--bare-codes"):
        return lambda path, text: None  # what a person reads is what the codes stand for
    update = bool(request.config.getoption("--update-golden"))
    return lambda path, text: compare(path, text, update=update)
