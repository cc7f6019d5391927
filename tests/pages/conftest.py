"""The browser, and pages served over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.pages.browser import LAUNCHER, Browser
from tests.unit.web.incident.kit import Site


class Silent(WSGIRequestHandler):
    """Serves, and says nothing."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Not even that."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process."""
    if not LAUNCHER.exists():
        pytest.skip("no browser: `make pages` fetches one")
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A receiver on loopback whose Alertmanager is away, and its pages at `site.url`."""
    site = Site(tmp_path_factory.mktemp("site"), ALERTMANAGER_URL="http://127.0.0.1:9")
    server = make_server("127.0.0.1", 0, site.application.web, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()
    site.close()
