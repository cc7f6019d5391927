"""GET /api/v1/doctor: what `oomtriage doctor` says, found out by the running receiver. Takes seconds; the same ones ask once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from receiver.web.auth import AdminGate


def doctor_routes(gate: AdminGate, examine: Callable[[], Mapping[str, Any]]) -> Blueprint:
    """The blueprint with /api/v1/doctor: 200 with the document, whatever was found. `examine` makes it."""
    routes = Blueprint("doctor", __name__, url_prefix="/api/v1")

    @routes.get("/doctor")
    def doctor() -> tuple[Response, int]:
        if (refused := gate.refusal(request)) is not None:
            return jsonify(error=refused[0]), refused[1]
        return jsonify(examine()), 200

    return routes
