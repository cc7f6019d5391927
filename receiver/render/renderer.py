"""The way from an incident and its report to messages. Pure: no clock, no files, no network.

`Renderer` is what the rest of the program sees of this package.
"""

from __future__ import annotations

from typing import Any

import jinja2

from receiver.domain.incident import DigestView, IncidentView, Message
from receiver.domain.report import Report


class Renderer:
    """Turns incidents into messages. `environment` comes from `slack_environment`; a template of it that fails falls
    back to the same one of `builtin`, with a visible note: an alert is never lost to a template.
    """

    def __init__(self, environment: jinja2.Environment, builtin: jinja2.Environment | None = None) -> None:
        self._environment = environment
        self._builtin = builtin

    def incident(self, view: IncidentView, report: Report | None) -> tuple[Message, ...]:
        """Everything the conversation of an incident should hold now: the root, then its replies in thread order."""
        raise NotImplementedError

    def single(self, view: IncidentView, report: Report | None) -> Message:
        """The whole incident in one message, for sinks without threads."""
        raise NotImplementedError

    def later(self, view: IncidentView, report: Report | None) -> Message:
        """What changed since, as a short new message that names the incident, for sinks that cannot edit."""
        raise NotImplementedError

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        """A storm: one root, then pages (`digest-page:1`, ...) that name every workload, at most 90 lines each."""
        raise NotImplementedError

    def plain(self, message: Message) -> Message:
        """The same message without blocks, for when a sink refused them."""
        raise NotImplementedError

    def console(self, message: Message) -> str:
        """A message as text for a terminal."""
        raise NotImplementedError

    def report_text(self, report: Report, verbose: bool = False) -> str:
        """A whole report for a terminal (`-o text`); `verbose` adds the numbers behind the verdict."""
        raise NotImplementedError

    def slack_lines(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """chat.postMessage bodies in posting order (`-o slack`), with the extra keys `slot` and `thread`."""
        raise NotImplementedError
