"""The pod itself."""

from __future__ import annotations

from typing import Any

from receiver.errors import NotFound
from receiver.evidence.clean import Cleaner
from receiver.evidence.kube import object_path
from receiver.evidence.look import Gap, Look


def ask(look: Look, clean: Cleaner) -> Any:
    """The v1 Pod."""
    subject = look.subject
    if look.unfound is not None:
        raise look.unfound
    if not subject.names_a_pod:
        return None
    try:
        return clean.object(look.get(object_path("api/v1", "pods", namespace=subject.namespace, name=subject.pod)))
    except NotFound:
        raise Gap(
            f"pod {subject.pod} is gone: the API has no such pod (any more)",
            "its controller deleted or replaced it; only Prometheus and events may still know of it",
        ) from None
