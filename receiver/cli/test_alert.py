"""`oomtriage test-alert`: a marked alert through the running receiver's own door into the channel, and how long each hop took.

Exit 1 when it does not arrive, with one line that says where it stopped and what to do.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from receiver.app import local_pass
from receiver.cli import beside
from receiver.cli.arguments import add_config
from receiver.cli.shared import receiver_http, settings_for
from receiver.domain import drill
from receiver.errors import ConfigError, Forbidden, NotFound, PayloadError, SourceError
from receiver.settings import Settings, load_settings
from receiver.transport import Http

ARRIVES_S = 30.0  # a channel may wait for its turn, a first message for ENRICH_DEADLINE
LOOK_EVERY_S = 0.1
HOPS = ("folded", "looked", "posted")
STOPPED = {
    "folded": "it was accepted and is in no incident: the receiver makes no progress; see /healthz and its log",
    "looked": "nothing has been made of it: all threads are at work, or hang; see /healthz and its log",
    "posted": "it waits to be posted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receiver:
    """The running receiver: `admin` with ADMIN_TOKEN or as a command beside it, `door` as Alertmanager comes."""

    admin: Http
    door: Http


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--channel", default="", metavar="C", help="one of the configured channels (default: SLACK_CHANNEL)")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    receiver = _receiver(settings, arguments.url)
    channel = _channel(receiver.admin, arguments.channel.removeprefix("#"))
    drill_id, began = secrets.token_hex(8), datetime.now(UTC)
    _accept(receiver, drill.body(drill_id, channel, began=began))
    stops = _follow(receiver.admin, drill_id)
    if not stops.get("posted"):
        why = _stopped(receiver.admin, stops)
        receiver.admin.post(f"/admin/tests/{drill_id}/drop")
        print(f"oomtriage: the test alert did not arrive: {why}", file=sys.stderr)
        return 1
    _accept(receiver, drill.body(drill_id, channel, began=began, is_over=True), is_told=False)
    where = f"{stops['sink']} {stops['channel']}".strip()
    print(f"arrived in {where} after {_span(stops['posted'] - stops['accepted'])}; its message says in a moment that it is over")
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    """As for any command; in the receiver's pod, which has the tokens in the receiver's file, as that was started."""
    settings = settings_for(arguments, log_level="ERROR", needs_slack_token=False)
    local = beside.on_port_of(settings) if not arguments.url and not arguments.config else None
    return load_settings(config_path=local.config, needs_slack_token=False) if local is not None and local.config else settings


def _receiver(settings: Settings, url: str | None) -> _Receiver:
    admin = receiver_http(settings, url)
    local = beside.on_port_of(settings) if not url and not settings.admin_token else None
    if local is not None:
        as_neighbour = {**admin.config.headers, local_pass.HEADER: local.word}
        admin = Http(replace(admin.config, base_url=f"http://127.0.0.1:{local.port}", headers=as_neighbour))
    return _Receiver(admin=admin, door=receiver_http(settings, url, token=settings.webhook_token.reveal()))


def _channel(admin: Http, wanted: str) -> str:
    """The channel to name in the alert. ConfigError for one that is not configured in that receiver."""
    try:
        places = admin.get_json("/admin/tests")
    except NotFound:
        raise PayloadError("the receiver knows no test alerts: it is an older release") from None
    except Forbidden as exc:
        raise PayloadError(f"{exc}; set ADMIN_TOKEN here as the receiver has it") from None
    channels = [str(c) for c in places.get("channels", ())] if isinstance(places, dict) else []
    if wanted and wanted not in channels:
        known = ", ".join(channels) or f"none: its sink is {places.get('sink')}"
        raise ConfigError(f"--channel {wanted!r} is not configured in the receiver; its channels: {known}")
    return wanted


def _accept(receiver: _Receiver, body: Mapping[str, Any], *, is_told: bool = True) -> None:
    """Post it as Alertmanager does. PayloadError when it is not taken."""
    began = time.monotonic()
    response = receiver.door.post("/alerts", json_body=body)
    took_s = time.monotonic() - began
    if response.status == 401:
        raise PayloadError("the receiver refused the alert (401): set WEBHOOK_TOKEN here as the receiver has it")
    if response.status != 202:
        said = " ".join(response.body[:200].decode("utf-8", "replace").split())
        raise PayloadError(f"the receiver did not take the alert ({response.status}): {said}; see /readyz")
    if is_told:
        print(f"{'accepted':<9}{_span(took_s):>9}  202 from {receiver.door.origin}/alerts", flush=True)


def _follow(admin: Http, drill_id: str) -> Mapping[str, Any]:
    """How far it came, a line for each hop as soon as it is there."""
    end, stops, told = time.monotonic() + ARRIVES_S, {}, 0
    while time.monotonic() < end:
        try:
            stops = admin.get_json(f"/admin/tests/{drill_id}")
        except NotFound:
            stops = {}
        while told < len(HOPS) and stops.get(HOPS[told]):
            _tell(stops, told)
            told += 1
        if told == len(HOPS) or stops.get("is_dead"):
            break
        time.sleep(LOOK_EVERY_S)
    return stops


def _tell(stops: Mapping[str, Any], number: int) -> None:
    hop, before = HOPS[number], ("accepted", *HOPS)[number]
    more = {
        "folded": "into an incident of its own, which counts nowhere",
        "looked": "at nothing: it names no pod",
        "posted": f"in {stops.get('sink')} {stops.get('channel')}".strip(),
    }[hop]
    print(f"{hop:<9}{'+' + _span(stops[hop] - stops[before]):>9}  {more}", flush=True)


def _span(seconds: float) -> str:
    return f"{max(0.0, seconds) * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _stopped(admin: Http, stops: Mapping[str, Any]) -> str:
    """Where it stopped, and why, as far as the receiver knows."""
    hop = next((hop for hop in HOPS if not stops.get(hop)), "posted")
    if hop != "posted":
        return STOPPED[hop]
    said = str(stops.get("error") or "") or _of_the_sink(admin, str(stops.get("sink")), str(stops.get("channel")))
    return f"{said or STOPPED['posted']}; `oomtriage doctor` says more"


def _of_the_sink(admin: Http, sink: str, channel: str) -> str:
    """What /readyz has against the channel, or else the sink."""
    try:
        ready = admin.get("readyz").json()
    except SourceError:
        return ""
    if not isinstance(ready, dict):
        return ""
    of_channel = (ready.get("channel") or {}).get(channel)
    of_sink = (ready.get("sink") or {}).get(sink)
    return str(of_channel or (of_sink if of_sink != "ok" else "") or "")
