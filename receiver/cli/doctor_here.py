"""`oomtriage doctor` in a process of its own: where no receiver runs beside it, or one with other settings."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from typing import Any

from receiver.app.doctor import Here, diagnose
from receiver.cli.shared import receiver_http
from receiver.errors import ConfigError, SourceError
from receiver.evidence.kubectl_proxy import KubectlProxy
from receiver.settings import Settings
from receiver.telemetry import configure_logging


def doctor_here(
    settings: Settings, problems: Sequence[ConfigError], *, context: str, url: str, receiver_pid: int, differing: tuple[str, ...]
) -> dict[str, Any]:
    """The document."""
    configure_logging("ERROR", is_terminal=True)
    kube_api_url, error = _way_into_kubernetes(settings, context)
    here = Here(
        problems=problems, kube_api_url=kube_api_url, kubernetes_error=error, receiver_url=receiver_http(settings, url or None).config.base_url,
        receiver_pid=receiver_pid, differing_settings=tuple(name.upper() for name in differing),
    )  # fmt: skip
    return diagnose(settings, here)


def _way_into_kubernetes(settings: Settings, context: str) -> tuple[str, str]:
    """The address of a `kubectl proxy` started now, or why there is none; both empty where the settings name the API."""
    if settings.kube_api_url:
        return "", ""
    try:
        proxy = KubectlProxy.start(flags=[f"--context={context}"] if context else ())
    except SourceError as exc:
        return "", str(exc)
    atexit.register(proxy.stop)
    return proxy.url, ""
