"""What `kubectl top` shows: the live use of the pod's running containers."""

from __future__ import annotations

from typing import Any

from receiver.case.pod import pod_facts
from receiver.errors import NotFound, Unavailable
from receiver.evidence.clean import Cleaner
from receiver.evidence.kube import object_path
from receiver.evidence.look import Gap, Look


def ask(look: Look, clean: Cleaner) -> Any:
    """The PodMetrics. Nothing while no container runs: that is how it is, not a fault."""
    if not look.subject.names_a_pod:
        return None
    pod = pod_facts(look.pod())
    if pod is not None and not any(c.state == "running" for c in pod.containers):
        raise Gap("kubectl top has nothing: no container of the pod is running now", is_normal=True)
    path = object_path("apis/metrics.k8s.io/v1beta1", "pods", namespace=look.subject.namespace, name=look.subject.pod)
    try:
        return clean.object(look.get(path))
    except NotFound as exc:
        if "podmetrics" in exc.said or look.subject.pod in exc.said:
            raise Gap("kubectl top has nothing yet: the container is too young, or just died", is_normal=True) from None
        raise Gap(
            "metrics-server is not installed, so kubectl top has nothing either", "install metrics-server", is_configuration=True
        ) from None
    except Unavailable as exc:
        raise Gap(f"metrics.k8s.io: {exc}", "check metrics-server and its APIService", is_retryable=True, is_configuration=True) from None
