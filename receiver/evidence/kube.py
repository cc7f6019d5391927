"""The Kubernetes API as this program asks it: GETs of single objects, lists and logs, and nothing else.

Plain HTTP over `transport`; three ways in: the service account of a pod, an address given explicitly, or a
`kubectl proxy` child (`kubectl_proxy`), which is the user's own kubeconfig with whatever login it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.kube_names import is_name
from receiver.domain.units import MIB
from receiver.errors import Rejected, Unreadable
from receiver.transport import Deadline, Http, HttpConfig, Tail


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeConfig:
    """Where the API server is. An http:// address without token or CA is a `kubectl proxy` or a stand-in."""

    api_url: str = field(repr=False)  # may hold a password
    token_path: str = ""
    ca_path: str = ""


# Lists may come from the API server's watch cache, which costs it far less than a read of etcd; seconds of age do not matter.
# The cache does not page: it answers a `limit` with everything.
FROM_CACHE = {"resourceVersion": "0"}


def is_kube_name(name: str) -> bool:
    """Whether a text can be the name of an object (and may stand in a path or a query)."""
    return is_name(name) and ".." not in name


def object_path(api: str, resource: str, *, namespace: str = "", name: str = "", sub: str = "") -> str:
    """The path of a collection or an object; `api` is `api/v1` or `apis/GROUP/VERSION`. Rejected for impossible names."""
    for part in (namespace, name):
        if part and not is_kube_name(part):
            raise Rejected(f"{part[:80]!r} cannot be a Kubernetes name")
    parts = (api, *(("namespaces", namespace) if namespace else ()), resource, *((name,) if name else ()), *((sub,) if sub else ()))
    return "/".join(parts)


class Kube:
    """A reader of the Kubernetes API."""

    def __init__(self, config: KubeConfig, *, count: Callable[[str], None] = lambda answer: None) -> None:
        """`count`: told how each question ended (`transport.ANSWERS`)."""
        self.http = Http(
            HttpConfig(
                base_url=config.api_url,
                name="the Kubernetes API",
                token_path=config.token_path,
                ca_path=config.ca_path,
                pool_size=128,
                has_objects=True,
            ),
            count=count,
        )

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, deadline: Deadline | None = None, max_bytes: int = 8 * MIB
    ) -> dict[str, Any]:
        """One object or list. A SourceError as `transport` classifies it."""
        answer = self.http.get_json(path, params, deadline=deadline, max_bytes=max_bytes)
        if not isinstance(answer, dict):
            raise Unreadable("the Kubernetes API answered JSON that is no object")
        return answer

    def log(self, path: str, params: Mapping[str, Any], *, keep_bytes: int, max_bytes: int, deadline: Deadline | None = None) -> Tail:
        """The end of a container's log, as bytes (logs need not be UTF-8)."""
        return self.http.get_tail(path, params, keep_bytes=keep_bytes, max_bytes=max_bytes, deadline=deadline)
