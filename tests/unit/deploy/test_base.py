"""What people apply to a cluster agrees with what the code expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.settings import load_settings
from tests.places import REPO

BASE = REPO / "deploy" / "base"


def _documents() -> list[dict[str, Any]]:
    return [d for path in sorted(BASE.glob("*.yaml")) for d in yaml.safe_load_all(path.read_text()) if d]


def _one(kind: str) -> dict[str, Any]:
    (found,) = [d for d in _documents() if d["kind"] == kind]
    return found


def test_the_kustomization_names_every_file() -> None:
    """A file that is not listed is not applied."""
    listed = _one("Kustomization")["resources"]

    assert sorted(listed) == sorted(p.name for p in BASE.glob("*.yaml") if p.name != "kustomization.yaml")


def test_the_shipped_settings_are_valid(tmp_path: Path) -> None:
    """The receiver starts with the ConfigMap as it is, once its secrets are there."""
    text = _one("ConfigMap")["data"]["config.yaml"].replace("/etc/oomtriage/secret", str(tmp_path))
    for name in ("webhook-token", "slack-bot-token"):
        (tmp_path / name).write_text("secret\n")
    (tmp_path / "config.yaml").write_text(text)
    settings = load_settings({}, str(tmp_path / "config.yaml"))

    assert settings.webhook_token.reveal() == "secret"
    assert settings.listen == "0.0.0.0:8080"


def test_the_pod_fits_the_receiver() -> None:
    """One replica, recreated; probes on routes that exist; the state on the volume; no privileges."""
    deployment = _one("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    settings = yaml.safe_load(_one("ConfigMap")["data"]["config.yaml"])

    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate")
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert settings["store_url"] == f"sqlite:///{mounts['state']}/state.db"
    assert container["args"] == ["serve", "--config", f"{mounts['config']}/config.yaml"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["serviceAccountName"] == _one("ServiceAccount")["metadata"]["name"]
    assert _one("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_prometheus_finds_the_receiver() -> None:
    """The ServiceMonitor selects the service by its label and port, in its namespace; the annotations name the same port."""
    service, monitor = _one("Service"), yaml.safe_load((REPO / "deploy" / "monitoring" / "servicemonitor.yaml").read_text())
    (port,), (endpoint,) = service["spec"]["ports"], monitor["spec"]["endpoints"]
    annotations = service["metadata"]["annotations"]

    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["metadata"]["namespace"] == _one("Kustomization")["namespace"]
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert (annotations["prometheus.io/port"], annotations["prometheus.io/path"]) == (str(port["port"]), "/metrics")
    assert annotations["prometheus.io/scrape"] == "true"


@pytest.mark.parametrize("scope", ["chat:write", "channels:history", "groups:history"])
def test_the_slack_app_may_what_the_receiver_does(scope: str) -> None:
    """Posting, and reading back what became of a lost answer."""
    manifest = yaml.safe_load((REPO / "deploy" / "slack" / "manifest.yaml").read_text())

    assert scope in manifest["oauth_config"]["scopes"]["bot"]
