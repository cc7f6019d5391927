"""Three values of one limit: the template's, the one in force, the one that waits. A change starts from the first."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.diagnosis.advice.starting_point import SetBy, Start, start_of
from receiver.diagnosis.clues import clues_of
from receiver.domain.facts import EventFact, Facts, MemorySetting, Revision, Vpa
from receiver.domain.units import GIB, MIB
from tests.unit.diagnosis.facts_kit import ago, container, death, facts, history

VPA_WROTE = {"vpaUpdates": "Pod resources updated by orders-vpa: container 0: memory request, memory limit"}


def _facts(*, limit: int | None = 128 * MIB, template: int | None = 2 * GIB, owner: dict[str, Any] | None = None, **more: Any) -> Facts:
    app = container(limit=limit, asked=MemorySetting(limit_bytes=more.pop("asked", limit)), dead=death())
    known = {"orders-api": MemorySetting(limit_bytes=template)}
    return facts(app, owner={"template": known, **(owner or {})}, **more)


def _start(**more: Any) -> Start:
    return start_of(clues_of(_facts(**more)))


def test_the_template_in_force_is_the_usual_case() -> None:
    """Nothing to say then."""
    start = _start(template=128 * MIB)

    assert (start.set_by, start.waiting_bytes, start.at_least_bytes) == (None, None, 128 * MIB)


def test_a_page_is_no_difference() -> None:
    """The kernel rounds 100M down to whole pages."""
    assert _start(limit=99_999_744, template=100_000_000).set_by is None


@pytest.mark.parametrize(
    ("annotations", "is_vpa"),
    [
        (VPA_WROTE, True),
        ({"vpaUpdates": "Pod resources updated by orders-vpa: container 1: memory request, memory limit"}, False),
        ({"vpaUpdates": "Pod resources updated by orders-vpa: container 0: memory request"}, False),
        ({"vpaUpdates": "Pod resources updated by orders-vpa: container 1: cpu limit; container 0: cpu request, memory limit"}, True),
        ({"vpaInPlaceUpdated": "true"}, True),
        ({"vpaUpdates": "hello"}, False),
        ({}, False),
    ],
)
def test_a_vpa_signs_what_it_sets(annotations: dict[str, str], is_vpa: bool) -> None:
    """Its admission webhook names the containers by their place, and what of them it changed."""
    assert (_start(pod={"annotations": annotations}).set_by is SetBy.VPA) is is_vpa


def test_the_name_of_the_vpa_comes_from_its_signature() -> None:
    """Also where the VPA itself could not be read."""
    assert _start(pod={"annotations": VPA_WROTE}).vpa == "orders-vpa"


@pytest.mark.parametrize(
    ("vpa", "is_vpa"),
    [
        (Vpa(name="v", mode="InPlaceOrRecreate"), True),
        (Vpa(name="v", mode="Initial"), True),
        (Vpa(name="v", mode="Off"), False),
        (Vpa(name="v", mode="Auto", requests_only=frozenset({"*"})), False),
        (Vpa(name="v", mode="Auto", left_alone=frozenset({"orders-api"})), False),
        (Vpa(name="v", mode="Auto", left_alone=frozenset({"*"}), min_bytes={"orders-api": MIB}), True),
    ],
)
def test_a_vpa_that_acts_on_limits_is_the_likeliest(vpa: Vpa, is_vpa: bool) -> None:
    """Without a signature, the VPA that holds this container's limit; not one that only recommends or leaves limits alone."""
    assert (_start(owner={"vpa": vpa}).set_by is SetBy.VPA) is is_vpa


@pytest.mark.parametrize(
    ("said", "set_by"),
    [
        ("LimitRanger plugin set: cpu, memory limit for container orders-api", SetBy.LIMIT_RANGE),
        (
            "LimitRanger plugin set: cpu, memory request for container orders-api; cpu, memory limit for container orders-api",
            SetBy.LIMIT_RANGE,
        ),
        ("LimitRanger plugin set: memory request for container orders-api", SetBy.UNKNOWN),
        ("LimitRanger plugin set: memory limit for container proxy", SetBy.UNKNOWN),
    ],
)
def test_a_limit_of_the_namespace(said: str, set_by: SetBy) -> None:
    """The template sets none, and the LimitRange's default is in force."""
    assert _start(template=None, pod={"annotations": {"kubernetes.io/limit-ranger": said}}).set_by is set_by


def test_a_pod_of_before_the_rollout() -> None:
    """Its own revision says what it has: the template was changed since."""
    revisions = (
        Revision(name="orders-api-new", revision=2, created_at=ago(60), limits_bytes={"orders-api": 2 * GIB}),
        Revision(name="orders-api-old", revision=1, created_at=ago(9000), limits_bytes={"orders-api": 128 * MIB}),
    )
    chain = (("Pod", "x"), ("ReplicaSet", "orders-api-old"), ("Deployment", "orders-api"))

    assert _start(owner={"revisions": revisions, "chain": chain}).set_by is SetBy.OLDER_REVISION


def test_a_pod_resized_in_place_by_the_events() -> None:
    """The kubelet writes an event for each resize since Kubernetes 1.34."""
    pod = "orders-api-655779759d-jst99"
    resized = EventFact(object_kind="Pod", object_name=pod, reason="ResizeCompleted", at=ago(300), first_at=ago(300))

    assert _start(limit=256 * MIB, template=128 * MIB, events=(resized,)).set_by is SetBy.RESIZE


def test_a_pod_resized_in_place_by_its_history() -> None:
    """One pod's limit changed between two scrapes: no rollout does that."""
    before, after = history(0.5, 0.6, limit=128 * MIB, until=ago(400)), history(0.5, 0.6, limit=256 * MIB, until=ago(100))
    both = type(before)(samples=before.samples + after.samples, step_s=60.0)

    assert _start(limit=256 * MIB, template=128 * MIB, history=both).set_by is SetBy.RESIZE


def test_a_pod_that_differs_without_a_trace() -> None:
    """A webhook, or a resize of long ago: not known, and not guessed."""
    assert _start(limit=256 * MIB, template=128 * MIB).set_by is SetBy.UNKNOWN


@pytest.mark.parametrize("resize", ["deferred", "infeasible", "in_progress"])
def test_a_resize_that_waits(resize: str) -> None:
    """The spec asks for more than is in force; what is proposed is never below it."""
    start = _start(template=128 * MIB, asked=512 * MIB, pod={"resize": resize})

    assert (start.set_by, start.waiting_bytes, start.resize, start.at_least_bytes) == (None, 512 * MIB, resize, 512 * MIB)


def test_a_container_that_the_template_lacks_was_injected() -> None:
    """A mesh's proxy is in no template."""
    assert start_of(clues_of(facts(container("istio-proxy"), owner={"template": {"orders-api": MemorySetting()}}))).is_injected


def test_a_template_that_was_not_read_says_nothing() -> None:
    """Then the pod's own spec is all there is."""
    assert start_of(clues_of(facts(container(dead=death())))) == Start()
