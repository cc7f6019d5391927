"""The Kubernetes API as this program asks it: a handful of GETs."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.transport import Http, HttpConfig

SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeConfig:
    """Where the API server is. http:// without token or CA is a `kubectl proxy`, or a stand-in."""

    api_url: str
    token_path: str = ""
    ca_path: str = ""


class Kube:
    """A reader of the Kubernetes API."""

    def __init__(self, config: KubeConfig) -> None:
        self.http = Http(
            HttpConfig(base_url=config.api_url, name="the Kubernetes API", token_path=config.token_path, ca_path=config.ca_path)
        )
