"""Alertmanager's API v2 as this program asks it: what it holds about a subject's alerts."""

from __future__ import annotations

from dataclasses import dataclass, field

from receiver.transport import Http, HttpConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerConfig:
    """Where Alertmanager is; `url` may hold a path prefix."""

    url: str
    token: str = field(default="", repr=False)
    token_path: str = ""
    ca_path: str = ""


class Alertmanager:
    """A reader of Alertmanager."""

    def __init__(self, config: AlertmanagerConfig) -> None:
        self.http = Http(
            HttpConfig(
                base_url=config.url,
                name="Alertmanager",
                token=config.token,
                token_path=config.token_path,
                ca_path=config.ca_path,
            )
        )
