"""A page as a response: the template rendered, and headers that let nothing on it run but our own script."""

from __future__ import annotations

import jinja2
from flask import Response, g, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)


def page(environment: jinja2.Environment, template: str, *, status: int = 200, **context: object) -> Response:
    """The template as a response. `environment` escapes HTML by itself, and knows the `frame`. Who looks at it is `visitor`, if known."""
    html = environment.get_template(template).render(visitor=g.get("visitor"), path=request.path, **context)
    response = Response(html, status, mimetype="text/html")
    # Pages show logs and labels: nothing in them may run, be framed, or leak where we are.
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
