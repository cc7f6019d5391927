"""`oomtriage config`: the effective settings, secrets masked, each with its source; where an alert with given labels is told."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from receiver.app.build import make_label_names
from receiver.app.serve import check_settings
from receiver.cli.arguments import add_config
from receiver.cli.shared import settings_for
from receiver.domain.alerts import FIRING, Alert
from receiver.domain.identity import subject_of
from receiver.domain.incident import Destination
from receiver.domain.incident_memory import Owner
from receiver.domain.units import format_time, parse_time
from receiver.errors import ConfigError
from receiver.pipeline.routing import CRITICAL, Route, Router
from receiver.settings import Settings
from receiver.settings.explain import conditions, mismatch, period
from receiver.settings.load import effective

SILENT_SEVERITIES = {"info": "severity info is shown on the page only", "none": "severity none is a heartbeat, which is never posted"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--route", metavar="k=v,...", help="say where an alert with these labels is told, and why")
    parser.add_argument("--workload-labels", metavar="k=v,...", default="", help="with --route: labels of the pod's workload")
    parser.add_argument("--workload-annotations", metavar="k=v,...", default="", help="with --route: annotations of the pod's workload")
    parser.add_argument(
        "--at", metavar="TIME", default="", help="with --route: the moment asked about, such as 2026-11-23T03:14:00Z (default: now)"
    )
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING", needs_slack_token=arguments.route is None)
    check_settings(settings)
    if arguments.route is not None:
        owner = Owner(
            labels=_pairs(arguments.workload_labels, "--workload-labels"),
            annotations=_pairs(arguments.workload_annotations, "--workload-annotations"),
        )
        labels = _pairs(arguments.route, "--route")
        for line in _explain(settings, labels, owner, _moment(arguments.at)):
            print(line)
        if settings.routes and not settings.slack_bot_token:
            print("oomtriage: explained as with a bot token; `serve` needs SLACK_BOT_TOKEN for these routes", file=sys.stderr)
        return 0
    rows = effective(settings)
    width = max(len(name) for name, _, _ in rows)
    for name, value, source in rows:
        print(f"{name:<{width}}  {value or '-'}  ({source})")
    return 0


def _pairs(text: str, option: str) -> dict[str, str]:
    """`k=v,...`, with or without braces and quotes; a comma inside a value stays in it."""
    pairs = {}
    for part in re.split(r",(?=[^,=]+=)", text.strip().removeprefix("{").removesuffix("}")) if text.strip() else ():
        name, separator, value = part.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"{option} {text!r}: expected pairs such as namespace=shop,severity=critical")
        pairs[name.strip()] = value.strip().strip('"')
    return pairs


def _moment(text: str) -> datetime:
    at = parse_time(text) if text else datetime.now(UTC)
    if at is None:
        raise ConfigError(f"--at {text!r}: expected a time such as 2026-11-23T03:14:00Z")
    return at


def _explain(settings: Settings, labels: dict[str, str], owner: Owner, at: datetime) -> Iterator[str]:
    """The places first, one a line with the reasons under it; then the routes that were passed over, and why."""
    alert = Alert(status=FIRING, labels=labels, annotations={}, starts_at=at, ends_at=None, fingerprint="")
    namespace = subject_of(labels, make_label_names(settings)).namespace
    router = Router(sink="", default=Destination(sink="", channel=settings.slack_channel), routes=settings.routes)
    if alert.severity in SILENT_SEVERITIES:
        yield f"not posted: {SILENT_SEVERITIES[alert.severity]}"
        return
    taken = router.taken(alert, namespace, owner)
    for index, route in taken:
        mention = route.mention_for(alert.severity, is_quiet=route.quiet_until(alert.severity, at) is not None)
        yield f"routes[{index}]: channel {route.channel}{f', mention {mention}' if mention else ''}"
        yield f"    because: {conditions(route)}"
        yield from (f"    {line}" for line in _quiet_words(route, alert.severity, at))
        if route.is_critical:
            yield "    keeps a root of its own during a storm"
        if route.goes_on:
            yield "    continue: the routes after it are asked too"
    if not taken:
        yield f"no route matches: {_default(settings)}"
    last = taken[-1][0] if taken and not taken[-1][1].goes_on else len(settings.routes)
    chosen = {index for index, _ in taken}
    for index, route in enumerate(settings.routes[:last]):
        if index not in chosen and (why := route.mismatch(alert, namespace, owner)):
            yield f"routes[{index}] passed over: {mismatch(why)}"


def _quiet_words(route: Route, severity: str, at: datetime) -> Iterator[str]:
    if not route.quiet:
        return
    periods = "; ".join(period(q) for q in route.quiet)
    if severity == CRITICAL:
        yield f"quiet hours ({periods}) do not hold for critical alerts"
        return
    end = route.quiet_until(severity, at)
    if end is None:
        yield f"quiet hours ({periods}): not now"
        return
    local = end.astimezone(route.quiet[0].zone)
    then = "it is told then, if it still fires" if route.holds else "it is posted, but nobody is called and later news stays in the thread"
    yield f"quiet hours ({periods}): now, until {local:%a %H:%M} ({format_time(end)}): {then}"


def _default(settings: Settings) -> str:
    if settings.slack_channel:
        return f"the default channel {settings.slack_channel}"
    if settings.routes:
        return "the default channel, SLACK_CHANNEL, which is not set here"
    return "the incoming webhook" if settings.slack_webhook_url else "the console"
