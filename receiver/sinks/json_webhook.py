"""Any program that takes JSON by HTTP: each event of an incident is one POST of its report document.

At least once: what may have arrived is sent again under the same `Idempotency-Key`, so there is never a doubt to clear up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.errors import BadMessage, SinkMisconfigured, SourceError
from receiver.sinks.base import SinkKind, SinkSetup
from receiver.sinks.slack import check_status, transport_error
from receiver.transport import Http, HttpConfig

WHAT = "the JSON webhook"
MESSAGE_SCHEMA = "oomtriage.message/v1"
_ADDRESS_OR_TOKEN = frozenset((401, 403, 404, 405, 407, 410))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonWebhookConfig:
    """`url`: the whole address, which may hold a secret. `token`: sent as a bearer, empty for none."""

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    token_path: str = ""
    timeout_s: float = 10.0


class JsonWebhookSink:
    """One address. Safe to share between threads."""

    name = "json_webhook"
    has_threads = False
    can_edit = False

    def __init__(self, config: JsonWebhookConfig, *, http: Http | None = None) -> None:
        self._http = http or Http(
            HttpConfig(
                base_url=config.url, name=WHAT, token=config.token, token_path=config.token_path, read_timeout_s=config.timeout_s, pool_size=4
            )
        )  # fmt: skip

    @property
    def tls_problem(self) -> str:
        """Why TLS connections cannot be made at present; empty when nothing is known against them."""
        return self._http.tls_problem

    def __repr__(self) -> str:
        return f"JsonWebhookSink({self._http.origin})"

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str | None:
        """Send the body's `document`; a message that has none goes as its text. Any 2xx means taken. Always None."""
        document = body.get("document") or {"schema": MESSAGE_SCHEMA, "text": str(body.get("full_text") or body["text"])}
        try:
            response = self._http.post(json_body=document, headers={"Idempotency-Key": delivery_id}, max_bytes=64 * 1024)
        except SourceError as exc:
            raise transport_error(exc, is_repeatable=True) from exc
        if 200 <= response.status < 300:
            return None
        code = f"http_{response.status}"
        if response.status in _ADDRESS_OR_TOKEN:
            raise SinkMisconfigured(f"{WHAT} answered {response.status}: its address or token is wrong", code=code)
        check_status(response, WHAT, is_repeatable=True)
        raise BadMessage(f"{WHAT} answered {response.status}: it refuses this document", code=code)

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """Not possible; the sender never asks, because `can_edit` says so."""
        raise NotImplementedError("a JSON webhook cannot edit")

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        """Always None: sending again is harmless, the receiver knows the document by its Idempotency-Key."""
        return None


def _make(setup: SinkSetup) -> JsonWebhookSink | None:
    url = setup.values["json_webhook_url"]
    if not url:
        return None
    return JsonWebhookSink(
        JsonWebhookConfig(url=url, token=setup.values["json_webhook_token"], token_path=setup.secret_paths.get("json_webhook_token", ""))
    )


KIND = SinkKind(
    name=JsonWebhookSink.name, settings=("JSON_WEBHOOK_URL", "JSON_WEBHOOK_TOKEN"), make=_make,
    is_beside=True, is_for_programs=True, is_paced=False,
)  # fmt: skip
