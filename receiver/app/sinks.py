"""Which sinks the settings ask for, where they are told by default, and what sends to each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TextIO

from receiver.domain.incident import Destination
from receiver.errors import ConfigError, DeliveryError, SinkMisconfigured
from receiver.pipeline.routing import Router
from receiver.render.renderer import plain_body
from receiver.settings import Secret, Settings
from receiver.sinks import SINKS, Sink, SinkKind, SinkSetup, png
from receiver.sinks.base import ChecksItself, LinksMessages, NamesChannels
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.worker.sender import Sender, SenderConfig

log = logging.getLogger(__name__)


def make_sinks(settings: Settings, *, console: TextIO | None = None) -> tuple[Sink, ...]:
    """The chosen sink first (the first of `SINKS` that the settings ask for), then those beside it, which are told of every incident."""
    values = {name.lower(): _plain(getattr(settings, name.lower())) for kind in SINKS for name in kind.settings}
    setup = SinkSetup(values=values, secret_paths=settings.secret_paths, stream=console)
    chosen = next(sink for kind in SINKS if not kind.is_beside and (sink := kind.make(setup)) is not None)
    return (chosen, *(sink for kind in SINKS if kind.is_beside and (sink := kind.make(setup)) is not None))


def _plain(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def kind_of(sink: Sink) -> SinkKind:
    """The record of a sink."""
    return next(kind for kind in SINKS if kind.name == sink.name)


def threaded(sinks: Iterable[Sink]) -> frozenset[str]:
    """The names of those that thread and edit."""
    return frozenset(s.name for s in sinks if s.has_threads and s.can_edit)


def for_programs(sinks: Iterable[Sink]) -> frozenset[str]:
    """The names of those that get documents instead of messages."""
    return frozenset(s.name for s in sinks if kind_of(s).is_for_programs)


def is_text_only(settings: Settings) -> bool:
    """Whether Slack messages go without blocks."""
    return settings.slack_format == "text"


def link_of(sinks: Iterable[Sink]) -> Callable[[str, str, str, str | None], str]:
    """Where people open a message of one of the sinks: its sink's name, channel, ts, and the ts of its thread's root. Empty for nowhere."""
    linking = {sink.name: sink for sink in sinks if isinstance(sink, LinksMessages)}

    def link(sink: str, channel: str, ts: str, thread_ts: str | None) -> str:
        found = linking.get(sink)
        return found.link_to(channel, ts, thread_ts) if found is not None else ""

    return link


def make_router(settings: Settings, sink: Sink, *others: Sink) -> Router:
    """The routes before the default place of `sink`; the `others` are told of everything."""
    default = Destination(sink=sink.name, channel=settings.slack_channel if sink.has_threads else "")
    return Router(
        sink=sink.name, default=default, routes=settings.routes, beside=tuple(Destination(sink=s.name, channel="") for s in others)
    )


def check_channels(settings: Settings, sink: Sink) -> None:
    """Look up channels that are given by name. ConfigError when Slack says that it cannot be: set the ID.

    When Slack cannot be asked now, the start goes on: alerts must be taken all the same, and the sink looks the name up later.
    """
    if not isinstance(sink, NamesChannels):
        return
    for channel in dict.fromkeys([settings.slack_channel, *(r.channel for r in settings.routes)]):
        try:
            sink.resolve_channel(channel)
        except SinkMisconfigured as exc:
            if exc.code in ("channel_not_found", "missing_scope"):
                raise ConfigError(f"channel {channel!r} cannot be looked up by its name ({exc}): set its ID, such as C0123456789") from exc
            log.warning("the channel's name cannot be looked up now", extra={"channel": channel, "error": str(exc)})
        except DeliveryError as exc:
            log.warning("the channel's name cannot be looked up now", extra={"channel": channel, "error": str(exc)})


def make_senders(
    settings: Settings, sinks: tuple[Sink, ...], *, store: Store, metrics: Metrics, monotonic: Callable[[], float]
) -> list[Sender]:
    """A sender a sink, so that one which hangs does not hold up the others.

    That of the chosen one also puts aside what was meant for sinks that are gone.
    """
    chosen, *beside = sinks
    served = frozenset(s.name for s in beside)
    others = {s.name: frozenset(k.name for k in SINKS if k.name != s.name) for s in beside}
    return [
        Sender(
            store=store, sinks={sink.name: sink}, metrics=metrics, monotonic=monotonic,
            config=SenderConfig(
                min_interval_s=settings.slack_min_interval if kind_of(sink).is_paced else 0.0, retry_max_age_s=settings.retry_max_age,
                on_ambiguous=settings.on_ambiguous, elsewhere=others.get(sink.name, served),
            ),
            plain_body=plain_body, png_of=png.png_of,
            checks={sink.name: sink.check_settings} if isinstance(sink, ChecksItself) else {}, is_threaded=True,
        )
        for sink in (chosen, *beside)
    ]  # fmt: skip
