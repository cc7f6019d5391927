"""What a sink is: a place where messages go, behind five calls.

A sink sends one message and classifies what came back; it never retries, waits or remembers. The sender above it owns
pace, order and retries, the store owns state. Every refusal is one of the DeliveryError classes of receiver.errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO, runtime_checkable

from receiver.errors import DeliveryError


class CannotReconcile(DeliveryError):
    """The sink cannot tell whether a message was stored: no way to read back, or the permission for it is missing."""


class Sink(Protocol):
    """A place where messages go. `body` is `receiver.domain.incident.Message.body()`: text, blocks, full_text."""

    @property
    def name(self) -> str:
        """The word for it in settings, the store and metric labels."""
        ...

    @property
    def has_threads(self) -> bool:
        """Whether a reply can be put under a root. False: one message per incident (`Renderer.single`)."""
        ...

    @property
    def can_edit(self) -> bool:
        """Whether a posted message can be changed. False: a later state is a new, short message (`Renderer.later`)."""
        ...

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str | None:
        """Send a new message; returns its ts, or None where the sink has none. DeliveryError says what became of it.

        `delivery_id` is stored with the message where the sink can, so that `find` recognises it after a lost answer.
        """
        ...

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """Change a message that was posted before. Gone when it is not there (any more). Repeating it is harmless."""
        ...

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        """The ts of the message with this delivery id; None: it is not there. Which messages it looks at does not depend on our clock.

        `oldest`: it came after this, in the sink's own time (seconds since 1970, as its ts are); 0 when nothing is known.

        CannotReconcile when the sink cannot read back; the other DeliveryErrors when it could not be asked now.
        """
        ...


@runtime_checkable
class ChecksItself(Protocol):
    """A sink that can tell, before the first message, whether its settings work."""

    def check_settings(self) -> None:
        """SinkMisconfigured says what is wrong with them; another DeliveryError that it could not be asked now."""


@runtime_checkable
class SpeaksHttp(Protocol):
    """A sink at the other end of HTTP, over TLS as a rule."""

    @property
    def tls_problem(self) -> str:
        """Why its TLS connections cannot be made at present; empty when nothing is known against them."""


@runtime_checkable
class NamesChannels(Protocol):
    """A sink whose channels have IDs, and names that can be looked up."""

    def resolve_channel(self, name: str) -> str:
        """The ID of the channel with this name or ID. SinkMisconfigured when there is none."""


@runtime_checkable
class LinksMessages(Protocol):
    """A sink whose messages people can open at an address of their own."""

    def link_to(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        """That address; empty where it is not known."""
        ...


@runtime_checkable
class TakesPictures(Protocol):
    """A sink that can show pictures inside its messages."""

    def upload(self, png: bytes, filename: str, title: str) -> str:
        """Store a picture; returns the file id for an image block. DeliveryError when it cannot be stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSetup:
    """What a sink may read of the settings: values by key in lower case (empty: not set), and the files that secrets came from.

    `stream`: where the console prints; None is stdout.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_paths: Mapping[str, str] = field(default_factory=dict)
    stream: TextIO | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkKind:
    """All that the rest of the receiver knows of a sink. One record beside its class, listed in `receiver.sinks.SINKS`.

    `settings`: the keys that it reads, rows of docs/settings.md. `make`: the sink, or None where the settings do not ask for it.
    `is_beside`: stands beside the one that the settings choose, and is told of every incident. `is_for_programs`: gets the
    report document of each event instead of messages. `is_paced`: waits SLACK_MIN_INTERVAL between two messages in a channel.
    """

    name: str
    settings: tuple[str, ...]
    make: Callable[[SinkSetup], Sink | None]
    is_beside: bool = False
    is_for_programs: bool = False
    is_paced: bool = True
    has_buttons: bool = False
