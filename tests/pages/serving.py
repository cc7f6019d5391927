"""Pages served over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.unit.web.incident.kit import Site

ADMIN, READER = "admin-" * 4, "reader-" * 4  # tokens of a site that has some


class Silent(WSGIRequestHandler):
    """Serves, and says nothing."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Not even that."""


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """The site's pages at `site.url`, as long as the block lasts."""
    server = make_server("127.0.0.1", 0, site.application.web, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
