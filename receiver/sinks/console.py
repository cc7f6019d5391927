"""The console: messages as text on a stream. What is used when no Slack is configured, and by the demo."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from receiver.errors import RetryLater
from receiver.render import terminal
from receiver.sinks.base import SinkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """`width`: columns at which lines are folded."""

    width: int = terminal.WIDTH


class ConsoleSink:
    """Prints each message once. `stream` is stdout unless given. Safe to share between threads."""

    name = "console"
    has_threads = False
    can_edit = False

    def __init__(self, config: ConsoleConfig | None = None, *, stream: TextIO | None = None) -> None:
        self._width = (config or ConsoleConfig()).width
        self._stream = stream
        self._lock = threading.Lock()

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str | None:
        """Print the whole message between rules."""
        text = terminal.wrap(str(body.get("full_text") or body["text"]), self._width)
        self._print(f"{'-' * self._width}\n{text}\n")
        return None

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """Print the changed first line: a terminal shows what was said before."""
        text = str(body.get("full_text") or body["text"])
        self._print(terminal.wrap(f"(changed) {text.splitlines()[0] if text else ''}", self._width))

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        """Always None: what a broken pipe swallowed was not seen by anybody."""
        return None

    def _print(self, text: str) -> None:
        stream = self._stream if self._stream is not None else sys.stdout
        encoding = getattr(stream, "encoding", None) or "utf-8"
        printable = text.encode(encoding, "replace").decode(encoding)
        with self._lock:
            try:
                stream.write(printable + "\n")
                stream.flush()
            except (OSError, ValueError) as exc:  # a closed pipe or file
                raise RetryLater(f"the console cannot be written to: {exc}", code="console") from exc


KIND = SinkKind(name=ConsoleSink.name, settings=(), make=lambda setup: ConsoleSink(stream=setup.stream), is_paced=False)
