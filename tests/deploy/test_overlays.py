"""The overlays, built by kustomize itself: what Kubernetes takes, and what each of them changes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.rulepack.files import read_yaml
from tests.deploy.kit import DEPLOY, OVERLAYS, Object, faults, kustomized, one
from tests.e2e.binaries import binary

FOLDERS = ("base", *(f"overlays/{overlay}" for overlay in OVERLAYS))


def volume(objects: tuple[Object, ...], name: str) -> Object:
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    return dict(next(v for v in pod["volumes"] if v["name"] == name))


@pytest.mark.parametrize("folder", FOLDERS)
def test_kubernetes_takes_every_object(folder: str) -> None:
    """By the schema of the API itself, where an unknown field is an error; kustomize has no warning."""
    assert faults(kustomized(folder)) == []


def test_the_schema_finds_what_the_api_would_drop() -> None:
    """A misspelt field, a wrong type, a missing one."""
    (good,) = [o for o in kustomized("base") if o["kind"] == "PersistentVolumeClaim"]
    misspelt = {**good, "spec": {**good["spec"], "storageClass": "fast"}}
    wrong = {**good, "spec": {**good["spec"], "accessModes": "ReadWriteOnce"}}
    (deployment,) = [o for o in kustomized("base") if o["kind"] == "Deployment"]
    lacking = {**deployment, "spec": {k: v for k, v in deployment["spec"].items() if k != "selector"}}

    unreadable = {**good, "spec": {**good["spec"], "resources": {"requests": {"storage": "1gib"}}}}

    assert [len(faults([one_])) for one_ in (good, misspelt, wrong, lacking, unreadable)] == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_in_a_namespace_that_it_names(folder: str) -> None:
    """Nothing lands in whatever namespace the person's kubeconfig happens to be in."""
    of_the_cluster = {"Namespace", "ClusterRole", "ClusterRoleBinding"}

    assert [o["kind"] for o in kustomized(folder) if o["kind"] not in of_the_cluster and "namespace" not in o["metadata"]] == []


def test_the_one_receiver_is_the_base() -> None:
    """With settings of its own to edit, which are the base's until then."""
    assert kustomized("overlays/single") == kustomized("base")


def test_without_a_volume_nothing_asks_for_one() -> None:
    """A folder of the pod's own instead, and no claim that would stay pending."""
    objects = kustomized("overlays/no-volume")

    assert volume(objects, "state") == {"name": "state", "emptyDir": {"sizeLimit": "1Gi"}}
    assert [o for o in objects if o["kind"] == "PersistentVolumeClaim"] == []


def test_namespaced_grants_the_same_but_nodes_and_nowhere_else() -> None:
    """One Role, in the namespace that was named, for the receiver's account in its own."""
    objects = kustomized("overlays/namespaced")
    role, binding = one(objects, "Role"), one(objects, "RoleBinding")

    def granted(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
        return {(group, resource, verb) for r in rules for group in r["apiGroups"] for resource in r["resources"] for verb in r["verbs"]}

    everywhere = granted(one(kustomized("base"), "ClusterRole")["rules"])
    assert granted(role["rules"]) == everywhere - {("", "nodes", "get")}
    assert (role["metadata"]["namespace"], binding["metadata"]["namespace"]) == ("shop", "shop")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "oomtriage", "namespace": "oomtriage"}]
    assert [o["kind"] for o in objects if o["kind"].startswith("Cluster")] == []


def test_beside_kube_prometheus_stack_everything_is_selected() -> None:
    """Its Prometheus takes what carries the release's label; Alertmanager's routes are in Alertmanager's namespace."""
    objects = kustomized("overlays/kube-prometheus-stack")
    selected = [o["kind"] for o in objects if o["metadata"].get("labels", {}).get("release") == "kube-prometheus-stack"]

    assert sorted(selected) == ["PrometheusRule", "ServiceMonitor"]
    assert one(objects, "AlertmanagerConfig")["metadata"]["namespace"] == "monitoring"
    assert len(one(objects, "PrometheusRule")["spec"]["groups"]) > 5


def test_other_settings_are_another_pod(tmp_path: Path) -> None:
    """The ConfigMap's name holds a hash of the settings, and the Deployment names it."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    config = tmp_path / "deploy" / "overlays" / "single" / "config.yaml"
    names = []
    for channel in ("C0000000001", "C0000000002"):
        config.write_text(config.read_text().replace(yaml.safe_load(config.read_text())["slack_channel"], channel))
        built = subprocess.run(
            [binary("kustomize", "trixie"), "build", str(config.parent)], capture_output=True, text=True, check=True
        )  # fmt: skip
        objects = tuple(yaml.safe_load_all(built.stdout))
        names.append(one(objects, "ConfigMap")["metadata"]["name"])
        assert volume(objects, "config")["configMap"]["name"] == names[-1]

    assert names[0] != names[1]


def test_every_manifest_is_part_of_something() -> None:
    """A file below deploy/ that no kustomization names would be applied by nobody."""
    named: set[Path] = set()
    for path in DEPLOY.rglob("kustomization.yaml"):
        content = read_yaml(path)
        listed = [*content.get("resources", ()), *(f for g in content.get("configMapGenerator", ()) for f in g.get("files", ()))]
        named |= {(path.parent / file).resolve() for file in listed}
    below = [DEPLOY / "base", DEPLOY / "overlays", DEPLOY / "monitoring"]
    files = {path.resolve() for folder in below for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml"}

    assert files - named == set()
