"""What is proposed where the template and the pod differ, or the unit is wrong."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest
import yaml

from receiver.case.vpa import vpa_of
from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.facts import MemorySetting, Vpa
from receiver.domain.reason import Reason, codes_of
from receiver.domain.report import CauseName, Proposal
from receiver.domain.units import GIB, MIB, parse_bytes
from tests.unit.diagnosis.facts_kit import FLAT, container, death, facts, shape, the


def _proposal(
    *, limit: str = "128Mi", template: MemorySetting, pod: dict[str, Any] | None = None, asked: str = "", **owner: Any
) -> Proposal:
    setting = MemorySetting(limit_bytes=parse_bytes(asked or limit), limit_text=asked or limit)
    app = container(limit=parse_bytes(limit), request=None, asked=setting, dead=death(lived_s=9000))
    base = facts(app, owner={"template": {"orders-api": template}, **owner}, pod=pod or {})
    seen = shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT)
    return report_of(replace(clues_of(base), shape=seen)).proposal


def setting(limit: str, request: str = "") -> MemorySetting:
    return MemorySetting(
        limit_bytes=parse_bytes(limit) if limit else None, limit_text=limit, request_text=request,
        request_bytes=parse_bytes(request) if request else None,
    )  # fmt: skip


def inner(proposal: Proposal, name: str) -> Reason:
    """The reason inside the one why there is none."""
    found = proposal.none[name] if proposal.none is not None else None
    assert isinstance(found, Reason)
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [("200m", 200 * MIB), ("512", 512 * MIB), ("512k", 512 * MIB), ("512Ki", 512 * MIB), ("1500m", 1500 * MIB), ("0.5", None), ("1", None)],
)
def test_a_unit_that_nothing_starts_in(written: str, meant: int | None) -> None:
    """Nothing is multiplied: what is written and what it is are said, and what was meant where a number of Mi makes sense."""
    proposal = _proposal(limit=written, template=setting(written))

    assert proposal.none is not None
    assert proposal.none.code == "advice.limit_unit"
    assert (proposal.none["written"], proposal.none["meant_bytes"]) == (written, meant)
    assert not proposal.commands


@pytest.mark.parametrize("written", ["128974848", "129e6", "128M", "0.5Gi", "64Mi"])
def test_units_that_are_meant_so(written: str) -> None:
    """Bytes, decimal units and fractions are units like others; the line to look for in Git is as written."""
    proposal = _proposal(limit=written, template=setting(written))

    assert proposal.none is None
    assert f"memory: {written}\n" in proposal.diff
    assert ("advice.decimal_unit" in codes_of(*proposal.caveats)) is (written == "128M")


def test_a_request_in_thousandths_is_told() -> None:
    """It passes unseen: the pod starts, and the scheduler counts on nothing."""
    assert the("advice.request_unit", *_proposal(template=setting("128Mi", "100m")).caveats)["written"] == "100m"


def test_a_vpa_below_the_template_is_what_to_change() -> None:
    """128Mi in force, 2Gi in the template: no command for the Deployment, and the request that gives enough in its ratio."""
    wrote = {"annotations": {"vpaUpdates": "Pod resources updated by orders-vpa: container 0: memory limit"}}
    proposal = _proposal(template=setting("2Gi", "1Gi"), pod=wrote)

    assert proposal.none is not None
    assert codes_of(proposal.none) == ("advice.vpa_set_the_limit", "advice.in_force_is_not_template", "advice.vpa_requests_only")
    assert inner(proposal, "differs")["template_bytes"] == 2 * GIB
    assert proposal.none["vpa"] == "orders-vpa"
    assert inner(proposal, "remedy")["request_bytes"] == 120 * MIB
    assert proposal.none["need_bytes"] == 240 * MIB
    assert not proposal.commands


def test_a_vpa_at_its_maximum_is_told_so() -> None:
    """minAllowed above maxAllowed is refused: the maximum is what holds it."""
    proposal = _proposal(template=setting("64Mi"), vpa=Vpa(name="v", mode="Auto", max_bytes={"*": 128 * MIB}))

    assert inner(proposal, "remedy").code == "advice.vpa_max_allowed"
    assert inner(proposal, "remedy")["most_bytes"] == 128 * MIB


def patched(proposal: Proposal, spec: dict[str, Any]) -> dict[str, Any]:
    """The VPA's spec after the command that the proposal offers."""
    words = shlex.split(proposal.commands[0])
    assert words[:6] == ["kubectl", "-n", "shop", "patch", "vpa", "orders-vpa"]
    assert words[6:8] == ["--type=json", "-p"]
    document: Any = {"spec": json.loads(json.dumps(spec))}
    for operation in json.loads(words[8]):
        *way, last = operation["path"].strip("/").split("/")
        inside = document
        for step in way:
            inside = inside[int(step)] if isinstance(inside, list) else inside[step]
        match operation["op"], inside:
            case "test", _:
                assert inside[last] == operation["value"]
            case "add", list():
                inside.append(operation["value"]) if last == "-" else inside.insert(int(last), operation["value"])
            case "add", dict():
                inside[last] = operation["value"]
    return dict(document["spec"])


OTHERS = {"containerName": "istio-proxy", "mode": "Off"}
EVERY = {"containerName": "*", "minAllowed": {"cpu": "50m"}, "controlledResources": ["cpu", "memory"]}


@pytest.mark.parametrize(
    ("policies", "template", "wanted"),
    [
        pytest.param([], "2Gi", {"controlledValues": "RequestsOnly"}, id="no policy at all"),
        pytest.param([OTHERS], "2Gi", {"controlledValues": "RequestsOnly"}, id="a policy of another container"),
        pytest.param([OTHERS, {"containerName": "orders-api", "maxAllowed": {"memory": "128Mi"}}], "2Gi", {"maxAllowed": {"memory": "128Mi"}, "controlledValues": "RequestsOnly"}, id="its own policy"),
        pytest.param([OTHERS, {"containerName": "orders-api", "maxAllowed": {"cpu": "1", "memory": "128Mi"}}], "64Mi", {"maxAllowed": {"cpu": "1", "memory": "240Mi"}, "minAllowed": {"memory": "240Mi"}}, id="its maximum holds it"),
        pytest.param([EVERY], "64Mi", {"minAllowed": {"cpu": "50m", "memory": "240Mi"}, "controlledResources": ["cpu", "memory"]}, id="the policy for all is kept for the others"),
        pytest.param([{"containerName": "orders-api", "minAllowed": {"memory": "32Mi"}}], "64Mi", {"minAllowed": {"memory": "240Mi"}}, id="its minimum is raised"),
    ],
)  # fmt: skip
def test_the_vpa_gets_a_command_and_lines_for_git(policies: list[dict[str, Any]], template: str, wanted: dict[str, Any]) -> None:
    """Only this container's policy changes. It never ends below what the template asks for."""
    spec = {"targetRef": {"name": "orders-api"}, **({"resourcePolicy": {"containerPolicies": policies}} if policies else {})}
    vpa = vpa_of(({"metadata": {"name": "orders-vpa"}, "spec": spec},))
    proposal = _proposal(template=setting(template), vpa=vpa)

    after = patched(proposal, spec)["resourcePolicy"]["containerPolicies"]
    assert [p for p in after if p["containerName"] != "orders-api"] == [p for p in policies if p["containerName"] != "orders-api"]
    assert [p for p in after if p["containerName"] == "orders-api"] == [{"containerName": "orders-api", **wanted}]
    assert proposal.commands[1:] == ("kubectl -n shop rollout restart deploy/orders-api",)
    kept = "\n".join(line[2:] for line in proposal.diff.splitlines() if not line.startswith("-"))
    assert yaml.safe_load(kept)["resourcePolicy"]["containerPolicies"][0]["containerName"] == "orders-api"


def test_a_vpa_of_a_hostile_name_gets_no_command() -> None:
    """What Kubernetes would not allow as a name is not put into a shell."""
    proposal = _proposal(template=setting("2Gi"), vpa=Vpa(name="v; rm -rf /", mode="Auto"))

    assert proposal.none is not None
    assert not proposal.commands


def test_a_vpa_that_was_switched_off_no_longer_decides() -> None:
    """The pod still has what it set; the next one gets the template's."""
    wrote = {"annotations": {"vpaUpdates": "Pod resources updated by orders-vpa: container 0: memory limit"}}
    proposal = _proposal(template=setting("2Gi"), pod=wrote, vpa=Vpa(name="orders-vpa", mode="Off"))

    assert codes_of(proposal.none) == ("advice.template_gives_it", "advice.in_force_is_not_template")


def test_never_below_a_resize_of_the_pod_itself() -> None:
    """Limits that stand at the pod are resized there: the kubelet still gives 128Mi, the spec asks for 1Gi."""
    app = container(limit=None, request=None, dead=death(lived_s=9000))
    at_pod = {"pod_limit_bytes": 128 * MIB, "asked": MemorySetting(limit_bytes=GIB, limit_text="1Gi"), "resize": "deferred"}
    base = facts(app, pod=at_pod, owner={"template": {"orders-api": MemorySetting()}, "template_pod_level": setting("128Mi")})
    proposal = report_of(replace(clues_of(base), shape=shape(CauseName.LIMIT_TOO_LOW, 0.9, FLAT))).proposal

    assert proposal.limit_bytes == GIB
    assert the("advice.resize_deferred", *proposal.caveats)["limit_bytes"] == GIB
    assert yaml.safe_load(proposal.patch)["spec"]["template"]["spec"]["resources"]["limits"]["memory"] == "1Gi"


def test_a_template_that_gives_enough_is_left_alone() -> None:
    """Never below what the next rollout gives: then a new pod is all it takes."""
    proposal = _proposal(template=setting("2Gi"))

    assert proposal.none is not None
    assert codes_of(proposal.none) == ("advice.template_gives_it", "advice.pod_is_not_its_template")


def test_the_patch_starts_from_the_template() -> None:
    """A pod resized to 256Mi, a Deployment of 128Mi: the line to take away is the Deployment's."""
    proposal = _proposal(limit="256Mi", template=setting("128Mi"))

    assert "memory: 128Mi\n+       memory: 384Mi" in proposal.diff
    assert (proposal.limit_before_bytes, proposal.limit_bytes) == (128 * MIB, 384 * MIB)
    assert the("advice.pod_is_not_its_template", *proposal.caveats)["template_bytes"] == 128 * MIB


@pytest.mark.parametrize(
    ("resize", "code"),
    [("deferred", "advice.resize_deferred"), ("infeasible", "advice.resize_infeasible"), ("in_progress", "advice.resize_in_progress")],
)
def test_never_below_a_resize_that_waits(resize: str, code: str) -> None:
    """Somebody asked for 1Gi already; the template gets as much, and no second resize is offered."""
    proposal = _proposal(template=setting("128Mi"), asked="1Gi", pod={"resize": resize})

    assert proposal.limit_bytes == GIB
    assert the(code, *proposal.caveats)["limit_bytes"] == GIB
    assert not any("--subresource=resize" in c for c in proposal.commands)


def test_a_default_of_the_namespace_is_a_new_line() -> None:
    """The template has no limit to take away."""
    said = {"annotations": {"kubernetes.io/limit-ranger": "LimitRanger plugin set: memory limit for container orders-api"}}
    proposal = _proposal(template=setting(""), pod=said)

    assert "advice.limit_range_default" in codes_of(*proposal.caveats)
    assert "\n-" not in proposal.diff
    assert yaml.safe_load(proposal.patch)["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]


def test_an_injected_container_is_not_patched() -> None:
    """The API would refuse a container without an image."""
    base = facts(container("istio-proxy", dead=death(lived_s=9000)), owner={"template": {"orders-api": MemorySetting()}})
    proposal = report_of(clues_of(base)).proposal

    assert proposal.none is not None
    assert (proposal.none.code, proposal.none["container"]) == ("advice.injected_container", "istio-proxy")


def test_a_resize_that_no_room_allows_is_told() -> None:
    """Never below it, and it cannot be: less has to be asked for first."""
    proposal = _proposal(template=setting("128Mi"), asked="64Gi", pod={"resize": "infeasible"})

    assert proposal.none is not None
    assert codes_of(proposal.none) == ("advice.resize_does_not_fit", "advice.node_gives_in_all")


def test_what_a_waiting_resize_asks_for_says_why() -> None:
    """The number is not a factor of ours."""
    proposal = _proposal(template=setting("128Mi"), asked="1Gi", pod={"resize": "deferred"})

    assert proposal.why is not None
    assert (proposal.why.code, proposal.why["limit_bytes"]) == ("advice.asked_for_already", GIB)
