"""A Slack incoming webhook: one channel, no thread, no edit, no way to look back. At least once, at best.

Its answers are words in plain text: `ok`, `invalid_payload`, `no_service`, ...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.errors import Ambiguous, SourceError
from receiver.render.compatible import text_body
from receiver.sinks.base import CannotReconcile, SinkKind, SinkSetup
from receiver.sinks.slack import check_status, transport_error
from receiver.sinks.slack_errors import HINTS, classified
from receiver.transport import Http, HttpConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackWebhookConfig:
    """`url`: the whole address, which is a secret. `is_text_only`: no blocks, for compatible receivers that drop them."""

    url: str = field(repr=False)
    timeout_s: float = 10.0
    is_text_only: bool = False


class SlackWebhookSink:
    """One incoming webhook. Safe to share between threads."""

    name = "webhook"
    has_threads = False
    can_edit = False

    def __init__(self, config: SlackWebhookConfig, *, http: Http | None = None) -> None:
        self._http = http or Http(HttpConfig(base_url=config.url, name="the Slack webhook", read_timeout_s=config.timeout_s, pool_size=4))
        self._is_text_only = config.is_text_only

    @property
    def tls_problem(self) -> str:
        """Why TLS connections cannot be made at present; empty when nothing is known against them."""
        return self._http.tls_problem

    def __repr__(self) -> str:
        return f"SlackWebhookSink({self._http.origin})"

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str | None:
        """Send the message; the channel is the webhook's own. Always None: Slack tells no ts."""
        body = text_body(body) if self._is_text_only else body
        message: dict[str, Any] = {"text": body["text"], "unfurl_links": False, "unfurl_media": False}
        if body.get("blocks"):
            message["blocks"] = body["blocks"]
        try:
            response = self._http.post(json_body=message, max_bytes=64 * 1024)
        except SourceError as exc:
            raise transport_error(exc, is_repeatable=False) from exc
        word = _word(response.body)
        if response.status == 200:
            if word == "ok":
                return None
            raise Ambiguous("the Slack webhook answered 200 with something else than ok", code="unreadable")
        if response.status >= 500 or response.status == 429 or not word:
            check_status(response, "the Slack webhook", is_repeatable=False)
        hint = HINTS.get(word, "")
        text = f"the Slack webhook refused the message: {word or response.status}" + (f" ({hint})" if hint else "")
        raise classified(word or f"http_{response.status}", text, is_repeatable=False)

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """Not possible; the sender never asks, because `can_edit` says so."""
        raise NotImplementedError("an incoming webhook cannot edit")

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        """Not possible: an incoming webhook cannot read."""
        raise CannotReconcile("an incoming webhook cannot read the channel; use a bot token", code="no_history")


def _word(body: bytes) -> str:
    text = body[:80].decode("ascii", "replace").strip()
    return text if re.fullmatch(r"[a-z0-9_]{1,60}", text) else ""


def _make(setup: SinkSetup) -> SlackWebhookSink | None:
    url = setup.values["slack_webhook_url"]
    return SlackWebhookSink(SlackWebhookConfig(url=url, is_text_only=setup.values["slack_format"] == "text")) if url else None


KIND = SinkKind(name=SlackWebhookSink.name, settings=("SLACK_WEBHOOK_URL", "SLACK_FORMAT"), make=_make)
