"""The chart: rendered by Helm itself, the same objects as the manifests, and values that cannot be misspelt."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import errors
from helm_python.chart import lint

from receiver.cli.main import main
from receiver.settings import load_settings
from receiver.settings.model import KEYS
from tests.checks.chart_schema import DECIDED_BY_THE_CHART, chart_schema
from tests.deploy.kit import CHART, DEPLOY, Object, charted, faults, kustomized, notes, one
from tests.golden import Golden
from tests.places import REPO

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
HELM_LABELS = ("app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart")
OPERATOR = {
    "serviceMonitor": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "kube-prometheus-stack"}},
    "alertmanagerConfig": {"enabled": True},
    "grafanaDashboard": {"enabled": True},
}
SHARED: Object = {"replicas": 2, "secretKeys": {"store_url": "store-url"}}
EVERYTHING: Object = {
    **OPERATOR,
    "image": {"repository": "registry.example/oomtriage", "digest": "sha256:" + "0" * 64, "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "caBundle": {"configMap": "company-ca"},
    "persistence": {"storageClass": "fast", "size": "2Gi", "accessMode": "ReadWriteOncePod"},
    "ingress": {"enabled": True, "className": "nginx", "host": "oom.example.com", "tlsSecret": "oom-tls", "annotations": {"a": "b"}},
    "networkPolicy": {"extraEgress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 3128, "protocol": "TCP"}]}]},
    "serviceAccount": {"name": "watcher", "annotations": {"a": "b"}},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "platform"},
    "extraEnv": [{"name": "LOG_LEVEL", "value": "DEBUG"}],
    "extraVolumes": [{"name": "templates", "configMap": {"name": "templates"}}],
    "extraVolumeMounts": [{"name": "templates", "mountPath": "/templates"}],
}


def as_installed_by_kubectl(objects: tuple[Object, ...]) -> dict[str, Object]:
    """Without what Helm and kustomize each add of their own: labels, and how a changed ConfigMap reaches the pod."""
    found = {}
    for each in copy.deepcopy(objects):
        name = each["metadata"]["name"]
        if each["kind"] == "ConfigMap" and "config.yaml" in each["data"]:
            name = each["metadata"]["name"] = "oomtriage"
            each["data"]["config.yaml"] = yaml.safe_load(each["data"]["config.yaml"])
        if each["kind"] == "Deployment":
            pod = each["spec"]["template"]
            pod["metadata"]["annotations"].pop("checksum/config", None)
            next(v for v in pod["spec"]["volumes"] if v["name"] == "config")["configMap"]["name"] = "oomtriage"
            pod["spec"]["containers"][0].pop("imagePullPolicy", None)
        if each["kind"] in ("Role", "ClusterRole"):
            each["rules"] = sorted(
                ({"apiGroups": r["apiGroups"], "resources": [x], "verbs": r["verbs"]} for r in each["rules"] for x in r["resources"]),
                key=str,
            )
        _without(each, HELM_LABELS)
        if not each["metadata"].get("labels", True) or each["metadata"].get("labels") == {"app.kubernetes.io/name": "oomtriage"}:
            del each["metadata"]["labels"]
        found[f"{each['kind']} {each['metadata'].get('namespace', '')}/{name}"] = each
    return found


def _without(node: Any, names: tuple[str, ...]) -> None:
    if isinstance(node, dict):
        for name in names:
            node.pop(name, None)
        for below in node.values():
            _without(below, names)
    elif isinstance(node, list):
        for below in node:
            _without(below, names)


@pytest.mark.parametrize(
    ("overlay", "values", "only_there"),
    [
        ("single", {}, {"Namespace"}),
        ("ha", SHARED, {"Namespace"}),
        ("no-volume", {"persistence": {"enabled": False}}, {"Namespace"}),
        ("namespaced", {"rbac": {"namespaces": ["shop"]}}, {"Namespace"}),
        ("kube-prometheus-stack", OPERATOR, {"Namespace"}),
    ],
)
def test_the_chart_makes_what_the_overlay_makes(overlay: str, values: Object, only_there: set[str]) -> None:
    """Object by object. The namespace is Helm's own to create."""
    ours = as_installed_by_kubectl(charted(values))
    theirs = as_installed_by_kubectl(kustomized(f"overlays/{overlay}"))

    assert {name.split()[0] for name in theirs.keys() - ours.keys()} == only_there
    assert ours.keys() <= theirs.keys()
    for name, each in ours.items():
        assert each == theirs[name], name


@pytest.mark.parametrize(
    "values", [{}, EVERYTHING, {**EVERYTHING, **SHARED}, {"persistence": {"enabled": False}}, {"rbac": {"namespaces": ["a", "b"]}}], ids=str
)
def test_kubernetes_takes_every_object(values: Object) -> None:
    """By the schema of the API itself, where an unknown field is an error, and Helm's own linter has nothing to say."""
    assert faults(charted(values, name="eu", namespace="ops")) == []

    report = lint(CHART, values, strict=True)
    assert [m for m in report["messages"] if m["severity"] > 1] == []


def test_every_value_reaches_the_manifests() -> None:
    """A value that nothing reads would be a promise without code."""
    text = yaml.safe_dump_all(charted(EVERYTHING, name="eu"))

    for wanted in (
        "registry.example/oomtriage@sha256:", "name: registry", "name: company-ca", "storageClassName: fast", "storage: 2Gi", "ReadWriteOncePod",
        "oom.example.com", "oom-tls", "10.0.0.0/8", "name: watcher", "system-cluster-critical", "kubernetes.io/os: linux", "key: infra",
        "nodeAffinity", "topologyKey", "team: platform", "LOG_LEVEL", "mountPath: /templates", "release: kube-prometheus-stack",
        "grafana_dashboard: '1'", "prometheus_ca_path: /etc/oomtriage/ca/ca.crt", "name: eu-oomtriage",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_the_receiver_starts_with_the_charts_settings(tmp_path: Path) -> None:
    """And with every setting of the documentation set through it, once its secrets are there."""
    config = {"cluster_name": "prod", "followups": "24h", "routes": [{"channel": "C0AAAAAAAAA", "namespaces": ["shop"]}]}
    secret_keys = {key.name.lower(): key.name.lower() for key in KEYS if key.is_secret and key.name.lower() not in DECIDED_BY_THE_CHART}
    secret_keys = {name: name for name in secret_keys if not name.endswith(("_url", "_headers"))}
    text = one(charted({"config": config, "secretKeys": secret_keys}), "ConfigMap")["data"]["config.yaml"]
    (tmp_path / "config.yaml").write_text(text.replace("/etc/oomtriage/secret", str(tmp_path)))
    for name in {**VALUES["secretKeys"], **secret_keys}.values():
        (tmp_path / name).write_text(f"xoxb-secret-{name}\n")
    settings = load_settings({}, str(tmp_path / "config.yaml"))

    assert (settings.cluster_name, settings.listen) == ("prod", "0.0.0.0:8080")
    assert settings.admin_token.reveal() == f"xoxb-secret-{secret_keys['admin_token']}"
    assert [route.channel for route in settings.routes] == ["C0AAAAAAAAA"]


def test_other_settings_are_another_pod() -> None:
    """The pod's template names the settings' checksum."""
    before, after = (one(charted({"config": {"cluster_name": name}}), "Deployment") for name in ("a", "b"))

    assert before["spec"]["template"] != after["spec"]["template"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "replicas: 1 is the most"),
        ({"replica": 1}, "replica"),
        ({"config": {"slack_chanel": "C0123456789"}}, "slack_chanel"),
        ({"config": {"slack_bot_token": "xoxb-1"}}, "slack_bot_token"),
        ({"secretKeys": {"slack_channel": "x"}}, "slack_channel"),
        ({"ingress": {"enabled": True}}, "ingress.host"),
        ({"image": {"digest": "latest"}}, "image.digest"),
        ({"persistence": {"accessMode": "ReadWriteMany"}}, "accessMode"),
        ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
        ({"existingSecret": ""}, "existingSecret"),
    ],
    ids=str,
)
def test_wrong_values_are_refused_with_their_name(values: Object, said: str) -> None:
    """A misspelt key, a secret among the settings, a second replica on one state file."""
    with pytest.raises((errors.HelmValuesError, errors.HelmRenderError), match=said):
        charted(values)


def test_the_schema_is_that_of_the_values_and_settings(golden: Golden) -> None:
    """--update-golden writes it."""
    golden("../../deploy/helm/oomtriage/values.schema.json", json.dumps(chart_schema(VALUES), indent=2))


def test_the_routes_are_those_of_the_manifest(golden: Golden) -> None:
    """A chart reads nothing outside its folder: a copy. --update-golden writes it."""
    golden("../../deploy/helm/oomtriage/files/alertmanagerconfig.yaml", (DEPLOY / "alertmanager" / "alertmanagerconfig.yaml").read_text())


def test_the_dashboard_is_that_of_grafana(golden: Golden) -> None:
    """The same copy. --update-golden writes it."""
    golden("../../deploy/helm/oomtriage/files/grafana-dashboard.json", (DEPLOY / "monitoring" / "grafana-dashboard.json").read_text())


def test_the_routes_lead_to_this_release() -> None:
    """Its service, Alertmanager's namespace, and the secret and channel that were named."""
    values = {"enabled": True, "namespace": "ops", "existingSecret": "mine", "slackChannel": "#sre"}
    found = one(charted({"alertmanagerConfig": values, "service": {"port": 80}}, name="eu", namespace="obs"), "AlertmanagerConfig")
    first = found["spec"]["receivers"][0]["webhookConfigs"][0]
    text = str(found["spec"])

    assert first["url"] == "http://eu-oomtriage.obs:80/alerts"
    assert first["httpConfig"]["authorization"]["credentials"]["name"] == "mine"
    assert (found["metadata"]["namespace"], "#sre" in text, "#alerts" in text, "oomtriage-alertmanager" in text) == (
        "ops",
        True,
        False,
        False,
    )


def test_alerts_link_to_the_pages_where_there_are_any() -> None:
    """public_url is where the runbooks are served too; the pack's own address is a stand-in."""
    rule = one(charted({**OPERATOR, "config": {"public_url": "https://oom.example.com/"}}), "PrometheusRule")

    assert "https://oom.example.com/runbooks/OOMKilled'" in str(rule)
    assert "https://oomtriage.example/" not in str(rule)


@pytest.mark.parametrize("copy_", ["overlays/kube-prometheus-stack", "helm/oomtriage/files"])
def test_the_shipped_alerts_are_the_rules(copy_: str, golden: Golden, capsys: pytest.CaptureFixture[str]) -> None:
    """What `oomtriage rules render --format prometheusrule` writes. --update-golden writes them."""
    with pytest.raises(SystemExit, match="0"):
        main(["rules", "render", "--format", "prometheusrule", str(REPO / "rules")])
    golden(f"../../deploy/{copy_}/prometheusrule.yaml", capsys.readouterr().out)


def test_the_chart_is_of_this_version() -> None:
    """Chart, image and package are released together."""
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (REPO / "pyproject.toml").read_text()

    assert f'version = "{about["version"]}"' in project
    assert about["appVersion"] == about["version"]
    assert f"newTag: {about['version']}" in (DEPLOY / "base" / "kustomization.yaml").read_text()


def test_the_notes_say_what_is_left_to_do() -> None:
    """Secret, Alertmanager's address, doctor; and what this choice of values costs."""
    plain, bare = notes(), notes({"persistence": {"enabled": False}, "rbac": {"namespaces": ["shop"]}})

    assert "create secret generic oomtriage" in plain
    assert "http://oomtriage.oomtriage:8080/alerts" in plain
    assert "oomtriage doctor" in plain
    assert "gone with the pod" not in plain
    assert "still the example's" in plain
    assert "stays Pending" in plain
    assert "stays Pending" not in bare
    assert "still the example's" not in notes({"config": {"slack_channel": None}})
    assert "stays Pending" not in notes({"persistence": {"storageClass": "gp3"}})
    assert "gone with the pod" in bare
    assert "It reads shop only" in bare


@pytest.mark.parametrize("example", ["argocd", "flux"])
def test_the_examples_for_gitops_use_values_that_exist(example: str) -> None:
    """Argo CD and Flux: the chart's path, and values that Helm takes."""
    (release,) = [
        d
        for d in yaml.safe_load_all((DEPLOY / "gitops" / example / "oomtriage.yaml").read_text())
        if d["kind"] in ("Application", "HelmRelease")
    ]
    spec = release["spec"]
    path, values = (
        (spec["source"]["path"], spec["source"]["helm"]["valuesObject"])
        if example == "argocd"
        else (spec["chart"]["spec"]["chart"], spec["values"])
    )

    assert REPO / path == CHART
    assert faults(yaml.safe_load_all((DEPLOY / "gitops" / example / "oomtriage.yaml").read_text())) == []
    assert faults(charted(values)) == []
