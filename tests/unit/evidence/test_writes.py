"""managedFields, boiled down to who wrote what decides about memory."""

from __future__ import annotations

from typing import Any

from receiver.case.pod import writes
from receiver.evidence.clean import Cleaner
from receiver.evidence.writes import writes_of

LIMIT: dict[str, Any] = {"f:resources": {"f:limits": {"f:memory": {}}}}


def entry(manager: str, fields: Any, *, at: str = "2026-11-30T15:10:54Z", **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": at, "fieldsType": "FieldsV1", "fieldsV1": fields, **more}


def template(*path: str, containers: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"f:containers": containers}
    for key in reversed(path):
        fields = {key: fields}
    return fields


def test_of_a_template_and_of_a_resized_pod() -> None:
    """Which container's limit, by whom, when; `resize` is a subresource."""
    deployment = {
        "managedFields": [entry("kubectl-set", template("f:spec", "f:template", "f:spec", containers={'k:{"name":"app"}': LIMIT}))]
    }
    pod = {"managedFields": [entry("kubectl-patch", template("f:spec", containers={'k:{"name":"app"}': LIMIT}), subresource="resize")]}

    assert [w for w in writes_of(deployment) if w["what"] == "limit"] == [
        {"what": "limit", "container": "app", "manager": "kubectl-set", "time": "2026-11-30T15:10:54Z"}
    ]
    assert [w["subresource"] for w in writes_of(pod) if w["what"] == "limit"] == ["resize"]


def test_the_status_and_what_cannot_be_read_are_passed_over() -> None:
    """A controller writes the status each minute; a manager of tomorrow may write fields of another form."""
    odd = [
        entry("kube-controller-manager", {"f:status": {}}, subresource="status"), entry("x", None), entry("y", {"f:spec": "?"}), "nonsense",
        entry("z", template("f:spec", "f:template", "f:spec", containers={"k:{": LIMIT, "v:1": LIMIT})),
    ]  # fmt: skip

    assert [w["what"] for w in writes_of({"managedFields": odd})] == ["spec"]


def test_a_case_holds_the_short_form_only() -> None:
    """And the long one never: it names every field, and is most of an object."""
    obj = {
        "metadata": {
            "name": "app",
            "managedFields": [
                entry("argocd-controller", template("f:spec", "f:template", "f:spec", containers={'k:{"name":"app"}': {"f:image": {}}}))
            ],
        }
    }
    kept = Cleaner(lambda text: (text, {})).object(obj)

    assert "managedFields" not in str(kept)
    assert [(w.what, w.container, w.manager) for w in writes(kept) if w.container] == [("image", "app", "argocd-controller")]
