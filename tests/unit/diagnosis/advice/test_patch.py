"""The patch and the commands, tried on the objects of a real cluster: they must change the memory of that container and nothing else."""

from __future__ import annotations

import copy
import json
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.advice.patch import Change, commands_of, diff_of, patch_of
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.facts import Manager
from receiver.domain.identity import Workload
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName
from receiver.domain.units import MIB, parse_bytes
from tests.places import FIXTURES
from tests.unit.diagnosis.facts_kit import FLAT, container, death, facts, shape

OWNERS = FIXTURES / "owners"


def _owner(name: str) -> Any:
    return json.loads((OWNERS / f"{name}.json").read_text())


def _cron_job() -> Any:
    job = _owner("f-job")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"jobTemplate": {"spec": {"template": job["spec"]["template"]}}},
    }


def _daemon_set() -> Any:
    return {**_owner("a-leak"), "kind": "DaemonSet"}


def strategic_merge(target: Any, patch: Any) -> Any:
    """What the API server makes of a strategic-merge patch, as far as these patches go: maps merge, containers merge by name."""
    if isinstance(target, dict) and isinstance(patch, dict):
        merged = dict(target)
        for key, value in patch.items():
            if key in ("containers", "initContainers"):
                merged[key] = _merge_named(merged.get(key, []), value)
            else:
                merged[key] = strategic_merge(merged.get(key), value)
        return merged
    return patch


def _merge_named(target: list[Any], patch: list[Any]) -> list[Any]:
    by_name = {entry["name"]: entry for entry in patch}
    merged = [strategic_merge(entry, by_name.pop(entry["name"], {})) for entry in target]
    return merged + list(by_name.values())


def _changes(before: Any, after: Any, path: str = "") -> dict[str, Any]:
    """Every leaf that differs, by its path; list entries by their name."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = {**before, **after}
        return {p: v for k in keys for p, v in _changes(before.get(k), after.get(k), f"{path}/{k}").items()}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        if all(isinstance(e, dict) and "name" in e for e in (*before, *after)):  # kustomize puts the patched one first
            before, after = sorted(before, key=lambda e: str(e["name"])), sorted(after, key=lambda e: str(e["name"]))
        return {
            p: v
            for b, a in zip(before, after, strict=True)
            for p, v in _changes(b, a, f"{path}/{b['name'] if isinstance(b, dict) else b}").items()
        }
    return {} if before == after else {path: after}


def _change(owner: Any, container_name: str, kind: str = "regular", **more: Any) -> Change:
    fields: dict[str, Any] = {
        "workload": Workload(kind=owner["kind"], name=owner["metadata"]["name"]), "namespace": "shop", "pod": "some-pod-1", "container": container_name,
        "container_kind": kind, "is_pod_level": False, "limit_before_bytes": 96 * MIB, "limit_bytes": 200 * MIB, "request_before_bytes": 64 * MIB,
        "request_bytes": 128 * MIB, "is_running": True,
    }  # fmt: skip
    return Change(**{**fields, **more})


POD = "/spec/template/spec"
ROWS = [
    ("Deployment", _owner("a-leak"), "orders-api", "regular", False, f"{POD}/containers/orders-api/resources"),
    ("sidecar among two", _owner("b-sidecar"), "log-shipper", "regular", False, f"{POD}/containers/log-shipper/resources"),
    ("init container", _owner("c-init"), "load-index", "init", False, f"{POD}/initContainers/load-index/resources"),
    ("native sidecar", _owner("p-native-sidecar"), "mesh-proxy", "sidecar", False, f"{POD}/initContainers/mesh-proxy/resources"),
    ("pod-level limits", _owner("q-pod-level"), "app-x", "regular", True, f"{POD}/resources"),
    ("limit and cpu", _owner("h-guaranteed"), "ledger", "regular", False, f"{POD}/containers/ledger/resources"),
    ("StatefulSet", _owner("s-statefulset"), "kafka", "regular", False, f"{POD}/containers/kafka/resources"),
    ("DaemonSet", _daemon_set(), "orders-api", "regular", False, f"{POD}/containers/orders-api/resources"),
    ("CronJob", _cron_job(), "export", "regular", False, "/spec/jobTemplate/spec/template/spec/containers/export/resources"),
    ("Job", _owner("f-job"), "export", "regular", False, f"{POD}/containers/export/resources"),
]  # fmt: skip
PARAMS = [pytest.param(*row[1:], id=row[0]) for row in ROWS]


@pytest.mark.parametrize(("owner", "name", "kind", "pod_level", "where"), PARAMS)
def test_patch_changes_this_memory_and_nothing_else(owner: Any, name: str, kind: str, pod_level: bool, where: str) -> None:
    """Applied to the recorded object, limit and request of memory differ, and no other field."""
    patch = yaml.safe_load(patch_of(_change(owner, name, kind, is_pod_level=pod_level)))
    after = strategic_merge(copy.deepcopy(owner), patch)

    assert _changes(owner, after) == {f"{where}/limits/memory": "200Mi", f"{where}/requests/memory": "128Mi"}


@pytest.mark.parametrize(("owner", "name", "kind", "pod_level", "where"), PARAMS)
def test_first_command_does_what_the_patch_does(owner: Any, name: str, kind: str, pod_level: bool, where: str) -> None:
    """What kubectl would do with the first command is what the patch does; a Job has no command, because it cannot be patched."""
    commands, notes = commands_of(_change(owner, name, kind, is_pod_level=pod_level))
    if owner["kind"] == "Job":
        assert not commands
        assert "patch.job_is_immutable" in codes_of(*notes)
        return

    after = _kubectl(copy.deepcopy(owner), shlex.split(commands[0]))

    assert _changes(owner, after) == {f"{where}/limits/memory": "200Mi", f"{where}/requests/memory": "128Mi"}


def _kubectl(owner: Any, words: list[str]) -> Any:
    """`kubectl set resources` and `kubectl patch -p` on one object. set resources reaches regular containers only."""
    assert words[:3] == ["kubectl", "-n", "shop"]
    if words[3] == "patch":
        return strategic_merge(owner, json.loads(words[words.index("-p") + 1]))
    assert words[3:5] == ["set", "resources"]
    wanted = words[words.index("-c") + 1]
    found = [c for c in owner["spec"]["template"]["spec"]["containers"] if c["name"] == wanted]
    for flag in words:
        for option, field in (("--limits=", "limits"), ("--requests=", "requests")):
            if flag.startswith(option):
                resource, _, value = flag.removeprefix(option).partition("=")
                for entry in found:
                    entry["resources"].setdefault(field, {})[resource] = value
    return owner


def test_diff_is_the_change_of_the_manifest() -> None:
    """The lines for Git, without their signs and the removed ones, are YAML that holds the new values under the right keys."""
    diff = diff_of(_change(_owner("a-leak"), "orders-api"))
    after = "\n".join(line[2:] for line in diff.splitlines() if not line.startswith("-"))
    before = "\n".join(line[2:] for line in diff.splitlines() if not line.startswith("+"))

    assert yaml.safe_load(after) == [{"name": "orders-api", "resources": {"limits": {"memory": "200Mi"}, "requests": {"memory": "128Mi"}}}]
    assert yaml.safe_load(before) == [{"name": "orders-api", "resources": {"limits": {"memory": "96Mi"}, "requests": {"memory": "64Mi"}}}]


def test_diff_of_a_request_that_did_not_exist() -> None:
    """A new request is all plus lines, its key too."""
    diff = diff_of(_change(_owner("a-leak"), "orders-api", request_before_bytes=None))

    assert "+     requests:\n+       memory: 128Mi" in diff


def test_running_pod_can_be_resized_in_place() -> None:
    """The last command raises the running pod without a restart, as the cluster of the recordings did from 96Mi to 160Mi."""
    commands, _ = commands_of(_change(_owner("a-leak"), "orders-api"))
    words = shlex.split(commands[-1], comments=True)

    assert "--subresource=resize" in words
    assert json.loads(words[words.index("-p") + 1]) == {
        "spec": {"containers": [{"name": "orders-api", "resources": {"limits": {"memory": "200Mi"}, "requests": {"memory": "128Mi"}}}]}
    }


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Job", "patch.job_is_immutable"),
        ("Pod", "patch.bare_pod"),
        ("Rollout", "patch.unknown_kind"),
        ("?", "patch.unknown_kind"),
        ("CronJob", "patch.next_run_takes_it"),
    ],
)
def test_kinds_that_need_words(kind: str, code: str) -> None:
    """Where kubectl alone does not do it, what is possible is said."""
    commands, notes = commands_of(_change({"kind": kind, "metadata": {"name": "x"}}, "app"))

    assert code in codes_of(*notes)
    assert all("set resources" not in c for c in commands)


@pytest.mark.parametrize(
    ("tool", "code"),
    [
        ("helm", "patch.managed_by_helm"),
        ("argo_cd", "patch.managed_by_gitops"),
        ("flux_kustomization", "patch.managed_by_gitops"),
        ("flux_helm_release", "patch.managed_by_helm_release"),
        ("kustomize", "patch.managed_by_kustomize"),
        ("operator", "patch.managed_by_operator"),
        ("other", "patch.managed_elsewhere"),
    ],
)
def test_says_where_the_change_belongs(tool: str, code: str) -> None:
    """A change by hand is undone by what manages the object: the note names it."""
    _, notes = commands_of(_change(_owner("a-leak"), "orders-api", managed_by=Manager(tool=tool, name="that one")))

    assert (notes[0].code, notes[0]["manager"]) == (code, "that one")


def test_no_command_for_what_an_operator_puts_back() -> None:
    """It would be undone within seconds, and the pods restarted twice."""
    commands, _ = commands_of(_change(_owner("a-leak"), "orders-api", managed_by=Manager(tool="operator", name="Kafka shop/events")))

    assert commands == ()


@pytest.mark.parametrize("more", [{"is_running": False}, {"is_resizing": True}])
def test_no_resize_of_a_container_that_is_down_or_is_being_resized(more: dict[str, bool]) -> None:
    """Its pod's cgroup would keep the old limit (kubernetes/kubernetes#138760); one that waits already is not helped by another."""
    commands, notes = commands_of(_change(_owner("a-leak"), "orders-api", **dict[str, Any](more)))

    assert not any("--subresource=resize" in c for c in commands)
    assert "patch.resizes_in_place" not in codes_of(*notes)


def test_a_resize_that_restarts_says_so() -> None:
    """The resizePolicy of memory may be RestartContainer."""
    _, notes = commands_of(_change(_owner("a-leak"), "orders-api", restarts_on_resize=True))

    assert "patch.resizes_with_restart" in codes_of(*notes)


def test_diff_takes_away_what_is_written() -> None:
    """512M is not 500000Ki to whoever looks for the line."""
    diff = diff_of(_change(_owner("a-leak"), "orders-api", limit_before_bytes=512_000_000, limit_before_text="512M"))

    assert "-       memory: 512M\n+       memory: 200Mi" in diff


def test_inferred_owner_is_marked() -> None:
    """An owner read off the pod's name is not pasted blindly."""
    _, notes = commands_of(
        _change(_owner("a-leak"), "orders-api", workload=Workload(kind="Deployment", name="orders-api", is_inferred=True))
    )

    assert "patch.owner_is_inferred" in codes_of(*notes)


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "$(reboot)",
            "a; rm -rf /",
            "`id`",
            "-o",
            "--all",
            "on",
            "123",
            "null",
            "x\n- name: y",
            "a: b",
            "'",
            '"',
            "<!channel>",
            "..",
            "A",
            "\x85",
            "\u2028",
        ]
    ),
)


@settings(max_examples=80, deadline=None)
@given(namespace=HOSTILE, name=HOSTILE, container_name=HOSTILE, pod=HOSTILE)
def test_hostile_names_stay_words(namespace: str, name: str, container_name: str, pod: str) -> None:
    """Whatever a name holds: the YAML reads back as that very name, and a command exists only for real names, each one word."""
    change = _change(_owner("a-leak"), container_name, namespace=namespace, pod=pod, workload=Workload(kind="Deployment", name=name))
    patch = yaml.safe_load(patch_of(change))
    commands, _ = commands_of(change)

    assert patch["spec"]["template"]["spec"]["containers"][0]["name"] == container_name
    for command in commands:
        words = shlex.split(command, comments=True)
        assert words[:3] == ["kubectl", "-n", namespace]
        assert not set(command) & set("`$;<>|&\n")
        assert container_name in command or "rollout" in command
    diff = diff_of(change).splitlines()
    assert len(diff) == 8
    assert yaml.safe_load(diff[0][2:]) == [{"name": container_name}]


def test_report_of_a_recorded_deployment_applies() -> None:
    """End to end on the recording: the proposal's own patch raises the recorded Deployment's limit."""
    seen = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT, median_bytes=85.0 * MIB)
    report = report_of(replace(clues_of(facts(container(dead=death(lived_s=7200)))), shape=seen))
    owner = _owner("a-leak")
    after = strategic_merge(copy.deepcopy(owner), yaml.safe_load(report.proposal.patch))
    resources = after["spec"]["template"]["spec"]["containers"][0]["resources"]

    assert parse_bytes(resources["limits"]["memory"]) == report.proposal.limit_bytes == 200 * MIB
    assert parse_bytes(resources["requests"]["memory"]) == report.proposal.request_bytes
    assert resources["requests"]["cpu"] == "20m"


# --- by the tools themselves, where they are there ------------------------------------------------------------------------

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def _run_kubectl(*words: str, cwd: Path) -> str:
    return subprocess.run(["kubectl", *words], cwd=cwd, check=True, capture_output=True, text=True, timeout=30).stdout


@needs_kubectl
@pytest.mark.parametrize(("label", "owner", "name", "kind", "pod_level", "where"), ROWS, ids=[r[0] for r in ROWS])
def test_kubectl_applies_the_patch(label: str, owner: Any, name: str, kind: str, pod_level: bool, where: str, tmp_path: Path) -> None:
    """kubectl's own strategic merge of the recorded object: this container's memory changes and nothing else."""
    (tmp_path / "owner.json").write_text(json.dumps(owner))
    (tmp_path / "patch.yaml").write_text(patch_of(_change(owner, name, kind, is_pod_level=pod_level)))
    if pod_level:
        pytest.skip("kubectl 1.32 and older do not know limits of a pod")
    said = _run_kubectl(
        "patch", "--local", "-f", "owner.json", "--type=strategic", "--patch-file", "patch.yaml", "-o", "json", cwd=tmp_path
    )

    changed = {path: value for path, value in _changes(owner, json.loads(said)).items() if value is not None}
    assert changed == {f"{where}/limits/memory": "200Mi", f"{where}/requests/memory": "128Mi"}


@needs_kubectl
@pytest.mark.parametrize(("label", "owner", "name", "kind", "pod_level", "where"), ROWS[:4], ids=[r[0] for r in ROWS[:4]])
def test_kustomize_takes_the_patch(label: str, owner: Any, name: str, kind: str, pod_level: bool, where: str, tmp_path: Path) -> None:
    """The YAML named under `patches` of an overlay, as the hint says."""
    (tmp_path / "owner.yaml").write_text(yaml.safe_dump(owner))
    (tmp_path / "memory.yaml").write_text(patch_of(_change(owner, name, kind, is_pod_level=pod_level)))
    patches = [{"path": "memory.yaml", "target": {"kind": owner["kind"], "name": owner["metadata"]["name"]}}]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["owner.yaml"], "patches": patches}))
    built = yaml.safe_load(_run_kubectl("kustomize", ".", cwd=tmp_path))

    changed = {path: value for path, value in _changes(owner, built).items() if value is not None}
    assert changed == {f"{where}/limits/memory": "200Mi", f"{where}/requests/memory": "128Mi"}


@needs_kubectl
def test_kubectl_sets_what_the_first_command_says(tmp_path: Path) -> None:
    """The words of the first command, run by kubectl on the recorded object instead of a cluster."""
    owner = _owner("b-sidecar")
    (tmp_path / "owner.json").write_text(json.dumps(owner))
    command = shlex.split(commands_of(_change(owner, "log-shipper"))[0][0])
    options = [w for w in command[5:] if not w.startswith("deploy/")]
    said = json.loads(_run_kubectl("set", "resources", "--local", "-f", "owner.json", *options, "-o", "json", cwd=tmp_path))
    set_to = next(c["resources"] for c in said["spec"]["template"]["spec"]["containers"] if c["name"] == "log-shipper")

    assert (set_to["limits"]["memory"], set_to["requests"]["memory"]) == ("200Mi", "128Mi")


def test_patch_of_a_custom_kind_has_no_head() -> None:
    """Kustomize would replace the containers of a kind it does not know: that patch is not offered as one."""
    change = _change(_owner("a-leak"), "orders-api", workload=Workload(kind="Rollout", name="orders-api"))

    assert "kind" not in yaml.safe_load(patch_of(change))
    assert "patch.in_git" not in codes_of(*commands_of(change)[1])
