"""Prometheus' HTTP API as this program asks it: instant and range queries, and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from receiver.transport import Http, HttpConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusConfig:
    """Where Prometheus (or Thanos, Mimir, VictoriaMetrics) is, and how its labels are called.

    `url` may hold a path prefix. `params`: extra query parameters. `matchers`: PromQL matchers added to every selector,
    such as `cluster="prod"`. `request_rate_query`: PromQL with $namespace, $workload, $pod; empty: common metrics are tried.
    """

    url: str
    token: str = field(default="", repr=False)
    token_path: str = ""
    ca_path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    matchers: str = ""
    namespace_label: str = "namespace"
    pod_label: str = "pod"
    container_label: str = "container"
    request_rate_query: str = ""


class Prometheus:
    """A reader of Prometheus."""

    def __init__(self, config: PrometheusConfig) -> None:
        self.config = config
        self.http = Http(
            HttpConfig(
                base_url=config.url,
                name="Prometheus",
                token=config.token,
                token_path=config.token_path,
                ca_path=config.ca_path,
                headers=config.headers,
            )
        )
