"""A page as a response: the template rendered, and headers that let nothing on it run."""

from __future__ import annotations

import jinja2
from flask import Response


def page(environment: jinja2.Environment, template: str, *, status: int = 200, **context: object) -> Response:
    """The template as a response. `environment` escapes HTML by itself."""
    response = Response(environment.get_template(template).render(**context), status, mimetype="text/html")
    # Pages show logs and labels: nothing in them may run, be framed, or leak where we are.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
