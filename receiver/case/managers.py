"""Who writes the workload: an operator that owns it, a GitOps tool, Helm. A change by hand is undone by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from receiver.case.access import controller_of, string_map, text
from receiver.domain.facts import Manager

# API groups whose kinds Kubernetes itself reconciles; an owner of any other group is an operator's custom resource.
_BUILT_IN = ("", "apps", "batch", "policy", "extensions")
_ROLLOUT = "argoproj.io"  # an Argo Rollout is edited like a Deployment
_MANAGED_BY = "app.kubernetes.io/managed-by"


def manager_of(owners: tuple[Mapping[str, Any], ...], pod: object) -> Manager | None:
    """The one whose object decides, the operator before the tool that deployed it; None where nothing says so."""
    top: object = owners[-1] if owners else pod
    if (operator := _operator(top)) is not None:
        return operator
    return next(_stated(top), None)


def _operator(top: object) -> Manager | None:
    reference = controller_of(top)
    kind, (group, slash, _) = text(reference, "kind"), text(reference, "apiVersion").partition("/")
    if not kind or (group if slash else "") in _BUILT_IN or (group, kind) == (_ROLLOUT, "Rollout"):
        return None
    namespace = text(top, "metadata", "namespace")
    return Manager(tool="operator", name=f"{kind} {_in(namespace, text(reference, 'name'))}")


def _stated(top: object) -> Iterator[Manager]:
    """What labels and annotations say, the nearest to Git first."""
    labels, notes = string_map(top, "metadata", "labels"), string_map(top, "metadata", "annotations")
    tracking = notes.get("argocd.argoproj.io/tracking-id", "").partition(":")[0]
    if app := tracking or labels.get("argocd.argoproj.io/instance", "") or notes.get("argocd.argoproj.io/instance", ""):
        yield Manager(tool="argo_cd", name=f"Argo CD app {app}")
    flux = (("helm", "flux_helm_release", "Flux HelmRelease"), ("kustomize", "flux_kustomization", "Flux Kustomization"))
    for prefix, tool, said in flux:
        if name := labels.get(f"{prefix}.toolkit.fluxcd.io/name", ""):
            yield Manager(tool=tool, name=f"{said} {_in(labels.get(f'{prefix}.toolkit.fluxcd.io/namespace', ''), name)}")
    if olm := labels.get("olm.owner", ""):
        yield Manager(tool="operator", name=f"{labels.get('olm.owner.kind') or 'ClusterServiceVersion'} {olm}")
    if release := notes.get("meta.helm.sh/release-name", ""):
        yield Manager(tool="helm", name=f"Helm release {_in(notes.get('meta.helm.sh/release-namespace', ''), release)}")
    if stated := labels.get(_MANAGED_BY, ""):
        yield _by_label(stated, labels.get("app.kubernetes.io/instance", ""))
    if "config.kubernetes.io/origin" in notes:
        yield Manager(tool="kustomize", name="Kustomize")


def _by_label(stated: str, instance: str) -> Manager:
    """The recommended label alone names a tool, not always the object."""
    lowered = stated.lower()
    if lowered in ("helm", "tiller"):
        return Manager(tool="helm", name=f"Helm release {instance}" if instance else "Helm")
    if lowered.startswith("kustomize"):
        return Manager(tool="kustomize", name="Kustomize")
    return Manager(tool="operator" if "operator" in lowered else "other", name=stated)


def _in(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name
