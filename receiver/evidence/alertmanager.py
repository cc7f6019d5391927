"""Alertmanager's API v2 as this program asks it: what it holds about a subject's alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.errors import Unreadable
from receiver.promql.quoting import quoted
from receiver.transport import Deadline, Http, HttpConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerConfig:
    """Where Alertmanager is; `url` may hold a path prefix."""

    url: str = field(repr=False)  # may hold a password
    token: str = field(default="", repr=False)
    token_path: str = ""
    ca_path: str = ""


class Alertmanager:
    """A reader of Alertmanager."""

    def __init__(self, config: AlertmanagerConfig, *, count: Callable[[str], None] = lambda answer: None) -> None:
        """`count`: told how each question ended (`transport.ANSWERS`)."""
        self.http = Http(
            HttpConfig(
                base_url=config.url, name="Alertmanager", token=config.token, token_path=config.token_path, ca_path=config.ca_path
            ),
            count=count,
        )  # fmt: skip

    def alerts(self, labels: Mapping[str, str], *, deadline: Deadline | None = None) -> tuple[Mapping[str, Any], ...]:
        """The alerts with these labels, silenced and inhibited ones too."""
        filters = [f"{name}={quoted(value)}" for name, value in labels.items()]
        answer = self.http.get_json(
            "api/v2/alerts", {"filter": filters, "active": "true", "silenced": "true", "inhibited": "true"}, deadline=deadline
        )
        if not isinstance(answer, list):
            raise Unreadable("Alertmanager answered its alerts not as a list; is the address right?")
        return tuple(a for a in answer if isinstance(a, Mapping))
