"""What people apply to a cluster agrees with what the code expects."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from receiver.settings import load_settings
from tests.places import REPO

BASE = REPO / "deploy" / "base"
CONFIG = BASE / "config.yaml"


def _documents() -> list[dict[str, Any]]:
    return [d for path in sorted(BASE.glob("*.yaml")) if path != CONFIG for d in yaml.safe_load_all(path.read_text()) if d]


def _one(kind: str) -> dict[str, Any]:
    (found,) = [d for d in _documents() if d["kind"] == kind]
    return found


def test_the_kustomization_names_every_file() -> None:
    """A file that is not listed is not applied."""
    kustomization = _one("Kustomization")
    listed = [*kustomization["resources"], *(file for one in kustomization["configMapGenerator"] for file in one["files"])]

    assert sorted(listed) == sorted(p.name for p in BASE.glob("*.yaml") if p.name != "kustomization.yaml")


def test_the_shipped_settings_are_valid(tmp_path: Path) -> None:
    """The receiver starts with the settings as they are, once its secrets are there."""
    text = CONFIG.read_text().replace("/etc/oomtriage/secret", str(tmp_path))
    for name in ("webhook-token", "slack-bot-token", "admin-token"):
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
    settings = yaml.safe_load(CONFIG.read_text())

    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate")
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert settings["store_url"] == f"sqlite:///{mounts['state']}/state.db"
    assert container["args"] == ["serve"]
    assert container["env"] == [{"name": "OOMTRIAGE_CONFIG", "value": f"{mounts['config']}/config.yaml"}]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["serviceAccountName"] == _one("ServiceAccount")["metadata"]["name"]
    assert _one("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]  # also for volumes that are not CSI


def test_the_pod_may_do_nothing_that_it_need_not() -> None:
    """What Kubernetes' "restricted" asks for, and beyond: files that cannot be written, no addresses of other services, a token for this
    pod alone, secrets for its own group alone.
    """
    pod = _one("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    account = _one("ServiceAccount")

    assert _one("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "privileged": False, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert (account["automountServiceAccountToken"], pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, True, False)
    assert all(m.get("readOnly") for m in container["volumeMounts"] if m["name"] in ("config", "secret"))
    assert next(v for v in pod["volumes"] if v["name"] == "secret")["secret"]["defaultMode"] == 0o440
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def _reaches(policy: dict[str, Any], *, namespace: str = "", address: str = "") -> set[int]:
    """The ports that the policy lets the receiver reach in a namespace, or at an address outside."""
    ports: set[int] = set()
    for rule in policy["spec"]["egress"]:
        for to in rule["to"]:
            labels = to.get("namespaceSelector", {}).get("matchLabels", {})
            is_namespace = namespace and "namespaceSelector" in to and labels.get("kubernetes.io/metadata.name", namespace) == namespace
            block = to.get("ipBlock") if address else None
            ip = ip_address(address) if address else None
            is_block = block is not None and ip in ip_network(block["cidr"]) and not any(ip in ip_network(e) for e in block["except"])
            if is_namespace or is_block:
                ports |= {p["port"] for p in rule["ports"]}
    return ports


def test_the_network_policy_lets_the_receiver_reach_what_is_configured_and_no_more() -> None:
    """Prometheus and Alertmanager where config.yaml says, names, Slack and the API server; not the nodes' credentials."""
    policy, settings = _one("NetworkPolicy"), yaml.safe_load(CONFIG.read_text())
    urls = [urlsplit(settings[key]) for key in ("prometheus_url", "alertmanager_url")]

    for url in urls:
        assert url.port in _reaches(policy, namespace=str(url.hostname).split(".")[1])
    assert _reaches(policy, namespace="shop") == {53}
    assert _reaches(policy, address="3.68.124.1") == {443, 6443}
    for address in ("169.254.169.254", "fd00:ec2::254", "fe80::1"):
        assert _reaches(policy, address=address) == set()


def test_the_network_policy_is_the_receivers() -> None:
    """It selects the pod, bounds both directions, and lets in what the service forwards."""
    policy, deployment, service = _one("NetworkPolicy")["spec"], _one("Deployment"), _one("Service")["spec"]
    (ingress,) = policy["ingress"]

    assert policy["podSelector"]["matchLabels"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert [p["port"] for p in ingress["ports"]] == [p["targetPort"] for p in service["ports"]]


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


def test_the_slack_app_for_socket_mode_differs_in_its_buttons_alone() -> None:
    """Switched on, and without an address that nobody would call."""
    plain, socket_mode = (
        yaml.safe_load((REPO / "deploy" / "slack" / f"{n}.yaml").read_text()) for n in ("manifest", "manifest-socket-mode")
    )
    settings = socket_mode.pop("settings")

    assert settings == {**plain.pop("settings"), "socket_mode_enabled": True, "interactivity": {"is_enabled": True}}
    assert socket_mode == plain
