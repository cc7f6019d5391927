"""Prometheus' HTTP API as this program asks it: instant and range queries, and its rules.

Works with what speaks the same API (Thanos, Mimir, VictoriaMetrics); what they need beside it is headers and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from receiver.domain.units import MIB
from receiver.errors import Rejected, Unreadable
from receiver.transport import Deadline, Http, HttpConfig

MAX_POINTS = 11_000  # more per series is answered 400 "exceeded maximum resolution"

# Ignored by Prometheus. Thanos: one series of a replica pair, and an error instead of silent holes. VictoriaMetrics: no re-aligned range.
_COMPATIBLE = {"dedup": "true", "partial_response": "false", "nocache": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusConfig:
    """Where Prometheus is, and how its labels are called.

    `url` may hold a path prefix. `params`: extra query parameters. `matchers`: PromQL matchers added to every selector,
    such as `cluster="prod"`. `state_label_prefix`: `exported_` where kube-state-metrics is scraped without honor_labels.
    `request_rate_query`: PromQL with $namespace, $workload, $pod; empty: found by what it exports.
    """

    url: str = field(repr=False)  # may hold a password
    token: str = field(default="", repr=False)
    token_path: str = ""
    ca_path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    matchers: str = ""
    namespace_label: str = "namespace"
    pod_label: str = "pod"
    container_label: str = "container"
    state_label_prefix: str = ""
    request_rate_query: str = ""

    def as_others_reach_it(self) -> dict[str, Any]:
        """Where another program in the cluster may ask it, and whether it has to log in for that. No secret; empty: only from here."""
        parts = urlsplit(self.url)
        is_here = (parts.hostname or "localhost") in ("localhost", "127.0.0.1", "::1")
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        host = name + (f":{parts.port}" if parts.port else "")
        has_login = bool(self.token or self.token_path or self.headers or parts.username)
        return {"address": "" if is_here else f"{parts.scheme}://{host}{parts.path.rstrip('/')}", "needs_login": has_login}

    @property
    def also(self) -> str:
        """`matchers`, to be put behind others: with a comma before them, or empty."""
        extra = self.matchers.strip().strip(",")
        return f",{extra}" if extra else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A query's result: series as Prometheus writes them, and what it warned of (partial data)."""

    series: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...] = ()


class Prometheus:
    """A reader of Prometheus."""

    def __init__(self, config: PrometheusConfig, *, count: Callable[[str], None] = lambda answer: None) -> None:
        """`count`: told how each question ended (`transport.ANSWERS`)."""
        self.config = config
        self.http = Http(
            HttpConfig(
                base_url=config.url,
                name="Prometheus",
                token=config.token,
                token_path=config.token_path,
                ca_path=config.ca_path,
                headers=config.headers,
            ),
            count=count,
        )

    def instant(self, query: str, at_s: float, *, deadline: Deadline | None = None) -> Answer:
        """A query at one moment (seconds since 1970). A range selector answers raw samples."""
        return self._query("api/v1/query", {"query": query, "time": f"{at_s:.3f}"}, deadline)

    def range(self, query: str, *, start_s: float, end_s: float, step_s: int, deadline: Deadline | None = None) -> Answer:
        """A query over time. Start and end are moved to multiples of the step, so that answers can be cached by proxies."""
        start, end = start_s // step_s * step_s, end_s // step_s * step_s
        if (end - start) / step_s > MAX_POINTS:
            raise Rejected(f"a range of {(end - start) / step_s:.0f} points is more than Prometheus answers ({MAX_POINTS})")
        form = {"query": query, "start": f"{start:.0f}", "end": f"{end:.0f}", "step": str(step_s)}
        return self._query("api/v1/query_range", form, deadline)

    def rules(self, *, deadline: Deadline | None = None) -> tuple[Mapping[str, Any], ...]:
        """The rule groups that Prometheus evaluates now."""
        data = _data(self.http.get_json("api/v1/rules", dict(self.config.params), deadline=deadline))
        groups = data.get("groups") if isinstance(data, Mapping) else None
        if not isinstance(groups, list):
            raise Unreadable("Prometheus answered its rules without groups")
        return tuple(g for g in groups if isinstance(g, Mapping))

    def _query(self, path: str, form: dict[str, str], deadline: Deadline | None) -> Answer:
        if deadline is not None:
            form["timeout"] = f"{max(1, int(deadline.left_s()))}s"  # whole seconds: a fraction is answered 400
        document = self.http.post_form_json(path, {**_COMPATIBLE, **self.config.params, **form}, deadline=deadline, max_bytes=16 * MIB)
        data = _data(document)
        result = data.get("result") if isinstance(data, Mapping) else None
        if not isinstance(result, list):
            raise Unreadable("Prometheus answered a query without a result")
        warnings = document.get("warnings") or ()
        return Answer(
            series=tuple(s for s in result if isinstance(s, Mapping)),
            warnings=tuple(str(w)[:200] for w in warnings) if isinstance(warnings, (list, tuple)) else (),
        )


def _data(document: Any) -> Any:
    if not isinstance(document, Mapping) or document.get("status") != "success":
        raise Unreadable("this is not the answer of a Prometheus API (no status: success); is the address right?")
    return document.get("data")
