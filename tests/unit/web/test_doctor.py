"""GET /api/v1/doctor: the document, for who may see the pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from receiver.app.build import Application, build
from receiver.settings import load_settings


@pytest.fixture
def application(tmp_path: Path) -> Callable[..., Application]:
    def make(**environ: str) -> Application:
        return build(load_settings({"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"} | environ))

    return make


def test_only_with_the_token(application: Callable[..., Application]) -> None:
    """It names addresses and channels: as the pages, it is not for strangers."""
    running = application(LISTEN="0.0.0.0:8080", WEBHOOK_TOKEN="w", ADMIN_TOKEN="admin-planted")
    client = running.web.test_client()
    try:
        without = client.get("/api/v1/doctor")
        answer = client.get("/api/v1/doctor", headers={"Authorization": "Bearer admin-planted"})
        again = client.get("/api/v1/doctor", headers={"Authorization": "Bearer admin-planted"})
    finally:
        running.close()

    assert (without.status_code, answer.status_code) == (401, 200)
    assert answer.get_json()["schema"] == "oomtriage.doctor/v1"
    assert again.get_json() == answer.get_json()
    states = {check["id"]: check["state"] for check in answer.get_json()["checks"]}
    assert (states["receiver"], states["store.lock"], states["kubernetes"]) == ("ok", "ok", "problem")
    assert "planted" not in answer.get_data(as_text=True)


def test_without_a_token_elsewhere_nobody(application: Callable[..., Application]) -> None:
    running = application(LISTEN="0.0.0.0:8080", WEBHOOK_TOKEN="w")
    try:
        assert running.web.test_client().get("/api/v1/doctor").status_code == 403
    finally:
        running.close()
