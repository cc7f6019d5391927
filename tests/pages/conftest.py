"""The browser, and a receiver whose pages it opens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pages.browser import LAUNCHER, Browser
from tests.pages.serving import ADMIN, READER, served
from tests.unit.web.incident.kit import Site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process."""
    if not LAUNCHER.exists():
        pytest.skip("no browser: `make pages` fetches one")
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On loopback; its Alertmanager is away."""
    site = Site(tmp_path_factory.mktemp("site"), ALERTMANAGER_URL="http://127.0.0.1:9")
    with served(site):
        yield site
    site.close()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One with tokens: ADMIN and READER."""
    site = Site(tmp_path_factory.mktemp("guarded"), ADMIN_TOKEN=ADMIN, READ_TOKEN=READER)
    with served(site):
        yield site
    site.close()
