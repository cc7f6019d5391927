"""`oomtriage config`: the effective settings, secrets masked, each with its source; which route labels would take."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime

from receiver.app.build import make_label_names
from receiver.app.serve import check_settings
from receiver.cli.shared import add_config, settings_for
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.identity import subject_of
from receiver.errors import ConfigError
from receiver.pipeline.routing import Route
from receiver.settings import Settings
from receiver.settings.load import effective


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--route", metavar="k=v,...", help="say which route an alert with these labels would take")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    check_settings(settings)
    if arguments.route is not None:
        print(_explain(settings, _labels(arguments.route)))
        return 0
    rows = effective(settings)
    width = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        print(f"{name:<{width}}  {value or '-'}  ({source})")
    return 0


def _labels(text: str) -> dict[str, str]:
    labels = {}
    for part in re.split(r",(?=[^,=]+=)", text.strip().strip("{}")):
        name, separator, value = part.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"--route {text!r}: expected labels such as namespace=shop,severity=critical")
        labels[name.strip()] = value.strip().strip('"')
    return labels


def _explain(settings: Settings, labels: dict[str, str]) -> str:
    alert = Alert(status=FIRING, labels=labels, annotations={}, starts_at=datetime.now(UTC), ends_at=None, fingerprint="")
    namespace = subject_of(labels, make_label_names(settings)).namespace
    for i, entry in enumerate(settings.routes):
        route = Route(
            channel=entry["channel"],
            match=entry["match"],
            namespaces=entry["namespaces"],
            mention=entry["mention"],
            is_critical=entry["critical"],
        )
        if route.matches(alert, namespace):
            mention = f", mention {route.mention}" if route.mention and alert.severity == "critical" else ""
            return f"routes[{i}]: channel {route.channel}{mention}"
    if settings.slack_bot_token:
        return f"no route matches: the default channel {settings.slack_channel}"
    return "no route matches: the incoming webhook" if settings.slack_webhook_url else "no route matches: the console"
