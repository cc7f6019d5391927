"""GET /api/v1/doctor: what `oomtriage doctor` says, found out by the running receiver. Takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from receiver.web.auth import AdminGate


def doctor_routes(gate: AdminGate, examine: Callable[[], Mapping[str, Any] | None]) -> Blueprint:
    """The blueprint with /api/v1/doctor: 200 with the document, whatever was found. `examine` makes it; None: not now."""
    routes = Blueprint("doctor", __name__, url_prefix="/api/v1")

    @routes.get("/doctor")
    def doctor() -> tuple[Response, int]:
        if (refused := gate.refusal(request)) is not None:
            return jsonify(error=refused[0]), refused[1]
        found = examine()
        if found is None:
            return jsonify(error="the installation is being examined; ask again in a moment"), 503
        return jsonify(found), 200

    return routes
