"""What `oomtriage test-alert` asks of a running receiver, under /admin/tests. The test itself comes through the webhook."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from receiver.domain import drill
from receiver.pipeline.drills import Drills
from receiver.web.admin import foreign
from receiver.web.auth import AdminGate


def drill_routes(gate: AdminGate, drills: Drills) -> Blueprint:
    """The blueprint: where a test may be told, how far one has come, and to forget one."""
    routes = Blueprint("drills", __name__, url_prefix="/admin/tests")

    @routes.before_request
    def check() -> tuple[Response, int] | None:
        if (refused := gate.refusal(request)) is not None:
            return jsonify(error=refused[0]), refused[1]
        return (jsonify(error=why), 403) if request.method == "POST" and (why := foreign(request)) else None

    @routes.get("")
    def places() -> Response:
        return jsonify(drills.places())

    @routes.get("/<drill_id>")
    def progress(drill_id: str) -> tuple[Response, int]:
        found = drills.progress(drill_id) if drill.is_id(drill_id) else {}
        return (jsonify(found), 200) if found else (jsonify(error="there is no such test here (yet, or any more)"), 404)

    @routes.post("/<drill_id>/drop")
    def drop(drill_id: str) -> Response:
        return jsonify(dropped=drill.is_id(drill_id) and drills.drop(drill_id))

    return routes
