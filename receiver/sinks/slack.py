"""Slack through a bot token: threads, edits, and looking for a message whose answer was lost.

Needs the scope chat:write, and channels:history (groups:history for private channels) to reconcile. Sends each request
once: who decides about a second time is the sender, because chat.postMessage is not idempotent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, RetryLater, SinkMisconfigured, SourceError, Unavailable, Unreadable
from receiver.render import mentions
from receiver.render.compatible import text_body
from receiver.sinks.base import CannotReconcile, SinkKind, SinkSetup
from receiver.sinks.slack_errors import refusal
from receiver.transport import Deadline, Http, HttpConfig, Response

EVENT_TYPE = "oomtriage"
PAGE_SIZE = 200
PAGES_S = 30.0  # for all pages together
MAX_PAGES = 10  # 2,000 messages since the doubtful post: a busier channel cannot be searched in reasonable time
NEEDED_SCOPES = ("chat:write",)
WANTED_SCOPES = ("channels:history",)
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_SLACKS_HOST = re.compile(r"(?:[a-z0-9-]+\.)*slack(?:-gov)?\.com")  # files.slack.com; GovSlack's has its own


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfig:
    """`token`: the bot token, `xoxb-...`. `timeout_s` must stay below the sender's grace (15 s). `is_text_only`: no blocks,
    for receivers that speak Slack's API and drop them.
    """

    token: str = field(repr=False)
    api_url: str = "https://slack.com/api/"
    timeout_s: float = 10.0
    is_text_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackIdentity:
    """Who the token is. `scopes` is empty when Slack did not say; `url`: of the workspace, for people, empty when it is none of Slack's."""

    team: str
    user: str
    scopes: tuple[str, ...] = ()
    url: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """Scopes that are needed or wanted and not there; empty when Slack did not say."""
        return tuple(s for s in (*NEEDED_SCOPES, *WANTED_SCOPES) if self.scopes and s not in self.scopes)


def looks_like_id(channel: str) -> bool:
    """Whether a channel is named by its ID (`C0123456789`), which needs no look-up."""
    return len(channel) >= 2 and channel[0] in "CGD" and channel.isalnum() and channel.isupper()


class SlackBotSink:
    """One workspace. Safe to share between threads."""

    name = "slack"
    has_threads = True
    can_edit = True

    def __init__(self, config: SlackConfig, *, http: Http | None = None) -> None:
        self._http = http or Http(
            HttpConfig(base_url=config.api_url, name="Slack", token=config.token, read_timeout_s=config.timeout_s, pool_size=4)
        )
        self._token = config.token
        self._ids: dict[str, str] = {}
        self._is_text_only = config.is_text_only
        self._workspace_url = ""

    @property
    def tls_problem(self) -> str:
        """Why TLS connections cannot be made at present; empty when nothing is known against them."""
        return self._http.tls_problem

    def __repr__(self) -> str:
        return f"SlackBotSink({self._http.origin})"

    def _id_of(self, channel: str) -> str:
        """The channel's ID: a name is looked up once, when it is first needed, so that Slack may be away at our start."""
        if looks_like_id(channel):
            return channel
        if channel not in self._ids:
            self._ids[channel] = self.resolve_channel(channel)
        return self._ids[channel]

    def post(
        self, channel: str, body: Mapping[str, Any], *, thread_ts: str | None = None, broadcast: bool = False, delivery_id: str
    ) -> str | None:
        """chat.postMessage; returns the message's ts."""
        body = text_body(body) if self._is_text_only else body
        message: dict[str, Any] = {
            "channel": self._id_of(channel),
            "text": body["text"],
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": delivery_id}},
        }
        if body.get("blocks"):
            message["blocks"] = body["blocks"]
        if thread_ts is not None:
            message["thread_ts"] = thread_ts
            message["reply_broadcast"] = broadcast
        ts = self._call("chat.postMessage", json_body=message, is_repeatable=False).get("ts")
        if not isinstance(ts, str):
            raise Ambiguous("Slack answered chat.postMessage without a ts", code="no_ts")
        return ts

    def update(self, channel: str, ts: str, body: Mapping[str, Any]) -> None:
        """chat.update, without mentions. An empty list of blocks is sent, or Slack would keep the old ones."""
        silent = mentions.without(text_body(body) if self._is_text_only else body)
        message = {"channel": self._id_of(channel), "ts": ts, "text": silent["text"], "blocks": silent["blocks"]}
        self._call("chat.update", json_body=message, is_repeatable=True)

    def find(self, channel: str, delivery_id: str, *, thread_ts: str | None = None, oldest: float) -> str | None:
        """Look through the channel, newest first, or the thread for our metadata, back to `oldest` by Slack's clock. None: it is not there."""
        method = "conversations.replies" if thread_ts else "conversations.history"
        form: dict[str, Any] = {
            "channel": self._id_of(channel),
            **({"oldest": f"{oldest:.6f}"} if oldest > 0 else {}),
            "inclusive": "true",
            "include_all_metadata": "true",
        }
        if thread_ts:
            form["ts"] = thread_ts
        try:
            for message in self._pages(method, form, "messages"):
                if _delivery_id(message) == delivery_id:
                    return str(message["ts"])
        except SinkMisconfigured as exc:
            if exc.code in ("missing_scope", "not_in_channel", "channel_not_found", "no_permission", "not_allowed_token_type"):
                raise CannotReconcile(f"{exc}; without it a lost answer cannot be cleared up", code=exc.code) from exc
            raise
        except Gone:
            return None  # the whole thread is not there
        return None

    def upload(self, png: bytes, filename: str, title: str) -> str:
        """Store a picture with Slack, shared nowhere, and return its file id for an image block's `slack_file`.

        Needs the scope files:write. Repeating it is harmless: it leaves a file that nobody sees. No refusal of it says anything
        about messages, so none is about the whole sink. Slack may take a moment until a message can use the file
        (`invalid_blocks` till then).
        """
        try:
            asked = self._call("files.getUploadURLExternal", form={"filename": filename, "length": len(png)}, is_repeatable=True)
            file_id, url = asked.get("file_id"), asked.get("upload_url")
            if not isinstance(file_id, str) or not isinstance(url, str):
                raise RetryLater("Slack answered files.getUploadURLExternal without an address", code="unreadable")
            self._send_file(url, png)
            done = {"files": [{"id": file_id, "title": title}]}
            self._call("files.completeUploadExternal", json_body=done, is_repeatable=True)
        except SinkMisconfigured as exc:
            raise SinkMisconfigured(str(exc), code=exc.code, is_whole_sink=False) from exc
        return file_id

    def _send_file(self, url: str, content: bytes) -> None:
        """To the address that Slack named. Its host is another one than the API's, so the token does not go there."""
        if not (url.startswith(f"{self._http.origin}/") or is_slacks(url)):
            raise RetryLater("Slack named an upload address that is not its own", code="address")
        try:
            place = Http(replace(self._http.config, base_url=url, name="Slack's file upload", token="", headers={}, pool_size=1))
        except ValueError as exc:
            raise RetryLater("Slack named an upload address that is none", code="address") from exc
        try:
            response = place.post(data=content, headers={"Content-Type": "application/octet-stream"})
        except SourceError as exc:
            raise transport_error(exc, is_repeatable=True) from exc
        finally:
            place.close()
        check_status(response, "Slack's file upload", is_repeatable=True)
        if response.status != 200:
            raise BadMessage(f"Slack's file upload answered {response.status}", code=f"http_{response.status}")

    def check(self) -> SlackIdentity:
        """auth.test: who the token is and what it may do. DeliveryError when it does not work."""
        answer, response = ask_slack(self._http, "auth.test", form={}, is_repeatable=True)
        scopes = tuple(s.strip() for s in response.headers.get("x-oauth-scopes", "").split(",") if s.strip())
        url = str(answer.get("url") or "")
        self._workspace_url = f"https://{urlsplit(url).hostname}" if is_slacks(url) else ""
        return SlackIdentity(team=str(answer.get("team", "")), user=str(answer.get("user", "")), scopes=scopes, url=self._workspace_url)

    def link_to(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        """Where people open a message, in the form that Slack's own "Copy link" has. Empty until the workspace's address is known."""
        place = channel if looks_like_id(channel) else self._ids.get(channel, "")
        if not (self._workspace_url and place and _TS.fullmatch(ts)):
            return ""
        thread = f"?thread_ts={thread_ts}&cid={place}" if thread_ts and thread_ts != ts and _TS.fullmatch(thread_ts) else ""
        return f"{self._workspace_url}/archives/{place}/p{ts.replace('.', '')}{thread}"

    def check_settings(self) -> None:
        """SinkMisconfigured when the token does not work, or may not post."""
        lacks = [scope for scope in self.check().lacks if scope in NEEDED_SCOPES]
        if lacks:
            raise SinkMisconfigured(
                f"Slack: the bot token lacks the scope {', '.join(lacks)}; add it to the app and install it again", code="missing_scope"
            )

    def resolve_channel(self, name: str) -> str:
        """The ID of a channel by its name; an ID is taken as it is. SinkMisconfigured says what to set instead when it cannot be found."""
        if looks_like_id(name):
            return name
        wanted = name.lstrip("#").strip()
        form = {"types": "public_channel,private_channel", "exclude_archived": "true"}
        for channel in self._pages("conversations.list", form, "channels"):
            if channel.get("name") == wanted and isinstance(channel.get("id"), str):
                return str(channel["id"])
        raise SinkMisconfigured(
            f"no channel #{wanted} that this bot can see: set the channel's ID (channel details, at the bottom), and invite the bot if it is private",
            code="channel_not_found",
            is_whole_sink=False,
        )

    def _pages(self, method: str, form: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
        cursor, deadline = "", Deadline(PAGES_S)
        for _ in range(MAX_PAGES):
            if deadline.is_over:
                raise RetryLater(f"Slack is too slow to look through {method}", code="no_answer")
            asked = {**form, "limit": PAGE_SIZE, **({"cursor": cursor} if cursor else {})}
            page = self._call(method, form=asked, is_repeatable=True, timeout_s=deadline.left_s())
            entries = page.get(key)
            if not isinstance(entries, list):
                raise RetryLater(f"Slack answered {method} without {key}", code="unreadable")
            yield from (e for e in entries if isinstance(e, dict))
            metadata = page.get("response_metadata")
            cursor = str(metadata.get("next_cursor") or "") if isinstance(metadata, dict) else ""
            if not cursor:
                return
        raise CannotReconcile(f"more than {MAX_PAGES * PAGE_SIZE} entries in {method}: too many to look through", code="too_many")

    def _call(
        self, method: str, *, json_body: Any = None, form: Mapping[str, Any] | None = None, is_repeatable: bool, timeout_s: float | None = None
    ) -> Mapping[str, Any]:  # fmt: skip
        return ask_slack(self._http, method, json_body=json_body, form=form, is_repeatable=is_repeatable, timeout_s=timeout_s)[0]


def is_slacks(url: str, *, scheme: str = "https") -> bool:
    """Whether an address that an answer named is one of Slack's: nothing is sent to others, whoever names them."""
    try:
        parts = urlsplit(url)
        return parts.scheme == scheme and bool(_SLACKS_HOST.fullmatch(parts.hostname or "")) and parts.port in (None, 443)
    except ValueError:
        return False


def ask_slack(
    http: Http,
    method: str,
    *,
    json_body: Any = None,
    form: Mapping[str, Any] | None = None,
    is_repeatable: bool,
    timeout_s: float | None = None,
) -> tuple[Mapping[str, Any], Response]:
    """One call of a method of Slack's Web API: what it says, and the whole answer. A DeliveryError for whatever else comes."""
    headers = {"Content-Type": "application/json; charset=utf-8"} if json_body is not None else {}
    try:
        response = http.post(method, json_body=json_body, form=form, headers=headers, timeout_s=timeout_s, max_bytes=8 * 1024**2)
    except SourceError as exc:
        raise transport_error(exc, is_repeatable=is_repeatable) from exc
    check_status(response, f"Slack's {method}", is_repeatable=is_repeatable)
    try:
        answer = response.json()
    except Unreadable as exc:
        raise _doubt("Slack's answer is not JSON", "unreadable", is_repeatable=is_repeatable) from exc
    if not isinstance(answer, dict):
        raise _doubt("Slack's answer is not a JSON object", "unreadable", is_repeatable=is_repeatable)
    if answer.get("ok") is not True:
        raise refusal(method, answer, is_repeatable=is_repeatable)
    return answer, response


def transport_error(exc: SourceError, *, is_repeatable: bool) -> DeliveryError:
    """A fault below HTTP. Only one that surely never reached the sink may simply be sent again."""
    if isinstance(exc, Unreadable):
        return _doubt(str(exc), "unreadable", is_repeatable=is_repeatable)
    if not isinstance(exc, Unavailable):
        return SinkMisconfigured(str(exc), code="address")
    if getattr(exc, "maybe_received", True):
        return _doubt(str(exc), "no_answer", is_repeatable=is_repeatable)
    return RetryLater(str(exc), code="unreachable")


def check_status(response: Response, what: str, *, is_repeatable: bool) -> None:
    """Raise for a status that says all by itself; Slack's own refusals come as 200 and are told by their body."""
    status = response.status
    if status == 429:
        raise RetryLater(f"{what}: too many requests", code="ratelimited", retry_after_s=response.retry_after_s or 1.0)
    if status >= 500 or status == 408:
        raise _doubt(f"{what} answered {status}", f"http_{status}", is_repeatable=is_repeatable)
    if status == 413:
        raise BadMessage(f"{what} answered 413: the message is too large", code="http_413")
    if 300 <= status < 400 or (status in (401, 403, 404, 405, 407) and not response.body.lstrip().startswith(b"{")):
        raise SinkMisconfigured(f"{what} answered {status}: the address is wrong, or a proxy stands in the way", code=f"http_{status}")


def _doubt(message: str, code: str, *, is_repeatable: bool) -> DeliveryError:
    return RetryLater(message, code=code) if is_repeatable else Ambiguous(message, code=code)


def _delivery_id(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return ""
    payload = metadata.get("event_payload")
    return str(payload.get("delivery_id", "")) if isinstance(payload, dict) else ""


def _make(setup: SinkSetup) -> SlackBotSink | None:
    token = setup.values["slack_bot_token"]
    is_text_only = setup.values["slack_format"] == "text"
    return SlackBotSink(SlackConfig(token=token, api_url=setup.values["slack_api_url"], is_text_only=is_text_only)) if token else None


KIND = SinkKind(name=SlackBotSink.name, settings=("SLACK_BOT_TOKEN", "SLACK_API_URL", "SLACK_FORMAT"), make=_make, has_buttons=True)
