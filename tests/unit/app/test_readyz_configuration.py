"""/readyz gathers what only configuration can mend, so that no thread has to tell it."""

from __future__ import annotations

from pathlib import Path

from receiver.app.build import build
from receiver.settings import load_settings
from tests.support import alert, payload, wait_until


def test_a_setting_that_lacks_is_named_after_the_first_look(tmp_path: Path) -> None:
    """Ready it is all the same; which sources lack for want of it, and how often, is said once for the installation."""
    environment = {"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"}
    with (tmp_path / "console").open("w") as console:
        running = build(load_settings(environment), console=console)
        client = running.web.test_client()
        before = client.get("/readyz").get_json()["configuration"]
        running.start()
        try:
            client.post("/alerts", json=payload(alert()))
            wait_until(lambda: bool(client.get("/readyz").get_json()["configuration"]), what="the look's gaps")
            answer = client.get("/readyz")
        finally:
            running.close()

    found = {gap["hint"]: gap for gap in answer.get_json()["configuration"]}
    assert before == []
    assert answer.status_code == 200
    assert found["set PROMETHEUS_URL"]["sources"] == ["history", "peaks", "recent", "rules", "traffic"]
    assert found["set PROMETHEUS_URL"]["seen"] == 1
    assert found["set ALERTMANAGER_URL"]["sources"] == ["silences"]
