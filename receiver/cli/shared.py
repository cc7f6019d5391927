"""What several commands need: settings, and the running receiver."""

from __future__ import annotations

import argparse

from receiver.errors import ConfigError
from receiver.settings import Settings, load_settings
from receiver.settings.parsing import without_password
from receiver.telemetry import configure_logging
from receiver.transport import Http, HttpConfig


def settings_for(arguments: argparse.Namespace, *, log_level: str = "", needs_slack_token: bool = True) -> Settings:
    """Settings for a command at a terminal; logs go to stderr. `needs_slack_token`: see `load_settings`."""
    settings = load_settings(config_path=arguments.config, needs_slack_token=needs_slack_token)
    configure_logging(log_level or settings.log_level, is_terminal=True)
    return settings


def receiver_http(settings: Settings, url: str | None, *, read_timeout_s: float = 10.0, token: str | None = None) -> Http:
    """The running receiver at `--url`, else where LISTEN says. `token`: instead of ADMIN_TOKEN. ConfigError for what is no address."""
    address = url or f"http://{settings.listen}"
    if not address.startswith(("http://", "https://")):
        raise ConfigError(f"--url {without_password(address)!r}: expected a URL that starts with http:// or https://")
    return Http(
        HttpConfig(
            base_url=address,
            name="the receiver",
            token=settings.admin_token.reveal() if token is None else token,
            read_timeout_s=read_timeout_s,
        )
    )
