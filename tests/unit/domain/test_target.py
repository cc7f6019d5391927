"""What a person names on the command line."""

from __future__ import annotations

import pytest

from receiver.domain.kube_names import Workload
from receiver.domain.target import Target, target_from_json, target_of


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (["orders-api-1"], Target(namespace="shop", pod="orders-api-1")),
        (["pod/orders-api-1"], Target(namespace="shop", pod="orders-api-1")),
        (["deploy/orders-api"], Target(namespace="shop", workload=Workload(kind="Deployment", name="orders-api"))),
        (["deployments.apps/orders-api"], Target(namespace="shop", workload=Workload(kind="Deployment", name="orders-api"))),
        (["sts", "kafka"], Target(namespace="shop", workload=Workload(kind="StatefulSet", name="kafka"))),
        (["DS/agent"], Target(namespace="shop", workload=Workload(kind="DaemonSet", name="agent"))),
        (["cj/nightly"], Target(namespace="shop", workload=Workload(kind="CronJob", name="nightly"))),
        (["job/nightly-1"], Target(namespace="shop", workload=Workload(kind="Job", name="nightly-1"))),
        ([], Target(namespace="shop")),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else None,
)
def test_every_form_is_understood_and_crosses_a_process(words: list[str], target: Target) -> None:
    """As kubectl takes them: one word with a slash, or two."""
    assert target_of(words, namespace="shop") == target
    assert target_from_json(target.to_json()) == target
    assert target.is_everything == (not words)


@pytest.mark.parametrize("words", [["svc/x"], ["deploy/"], ["a", "b", "c"], ["deploy/x", "y"], ["../../x"], ["\x1b[2J"], ["deploy/..x.."]])
def test_what_names_nothing_says_what_was_expected(words: list[str]) -> None:
    """Nothing of it gets into a request, and none of it moves a cursor."""
    with pytest.raises(ValueError, match="expected") as refused:
        target_of(words)

    assert "\x1b" not in str(refused.value)


def test_a_selector_stands_alone() -> None:
    """Beside a name it could mean two things."""
    assert target_of([], selector="app=web").selector == "app=web"
    with pytest.raises(ValueError, match="one of them"):
        target_of(["x"], selector="app=web")
