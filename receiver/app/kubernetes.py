"""Which Kubernetes API to ask: the configured one, the pod's own, else a `kubectl proxy` child."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Sequence

from receiver.errors import SourceError
from receiver.evidence.kubectl_proxy import KubectlProxy
from receiver.settings import Settings

log = logging.getLogger(__name__)


def kubernetes_access(settings: Settings, *, flags: Sequence[str] = (), is_needed: bool = False) -> str:
    """The URL of a `kubectl proxy` started now when no API is configured; "" when one is, or when there is none to be had.

    `flags`: of kubectl (`--context=...`). `is_needed`: that there is none to be had is raised, as Unavailable.
    """
    if settings.kube_api_url:
        return ""
    try:
        proxy = KubectlProxy.start(flags=flags)
    except SourceError as exc:
        if is_needed:
            raise
        log.warning("no Kubernetes API: incidents will lack pod, events and log", extra={"error": str(exc)})
        return ""
    atexit.register(proxy.stop)
    return proxy.url
