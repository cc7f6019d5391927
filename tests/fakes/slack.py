"""A Slack that behaves: channels with threads, edits and metadata, over real HTTP on 127.0.0.1.

    with FakeSlack() as slack:
        sink = SlackBotSink(SlackConfig(token=slack.token, api_url=slack.api_url))
        ...
        slack.wait_for(lambda: len(slack.channel("C1").roots) == 1)
        print(slack.text("C1"))

It answers as Slack does: errors as 200 with a word, 429 with Retry-After, 5xx, silence. It runs every body through
`tests.checks.slack_limits`: what Slack would refuse is refused, what we forbid ourselves is kept in `complaints`, and a `with`
block that ends with complaints fails its test. `happened` keeps what reached the channels in the order of time.
`python -m tests.fakes.slack --port 0` runs it as a process of its own and prints the port; `RemoteFakeSlack` talks to it.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import threading
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from receiver.render import blocks as block_text
from receiver.render.text import unescape_mrkdwn
from tests.checks.slack_limits import MENTION, MENTION_TYPES, budget_problems, problems, slack_error
from tests.fakes.slack_socket import APP_TOKEN, LINK_PATH, SocketModeServer

TOKEN = "xoxb-fake-0123456789"
WEBHOOK_PATH = "/services/T0FAKE/B0FAKE/webhook-secret"
WEBHOOK_CHANNEL = "C0WEBHOOK"
UPLOAD_PATH = "/upload/v1/"
DRIP: tuple[int, dict[str, str], bytes] = (0, {}, b"drip")
DRIP_EVERY_S = 0.1
HANG_S = 60.0  # a hung answer ends at the latest then, or when the fake stops


@dataclass
class Posted:
    """One message as the channel shows it now."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    thread_ts: str = ""
    is_broadcast: bool = False
    edits: int = 0
    edited_at: float = 0.0

    @property
    def posted_at(self) -> float:
        """Seconds since 1970."""
        return float(self.ts)

    @property
    def is_loud(self) -> bool:
        """Whether a phone makes a sound for it: what stands in the channel does when it is posted, a reply or an edit does not."""
        return not self.thread_ts or self.is_broadcast

    @property
    def delivery_id(self) -> str:
        """What we marked it with."""
        return str(self.metadata.get("event_payload", {}).get("delivery_id", ""))

    @property
    def actions(self) -> list[str]:
        """What its buttons do, menus left out."""
        return [str(e["action_id"]) for b in self.blocks if b["type"] == "actions" for e in b["elements"]]

    def shown(self) -> str:
        """As a person reads it."""
        return block_text.as_text(self.blocks) if self.blocks else unescape_mrkdwn(self.text)


@dataclass(frozen=True)
class Happening:
    """A message that was posted or edited. `ts` of the message; `pings`: who was called by it."""

    at: float
    kind: str  # "post", "reply", "broadcast", "edit"
    channel: str
    ts: str
    text: str
    pings: tuple[str, ...] = ()

    @property
    def is_loud(self) -> bool:
        """Whether a phone makes a sound."""
        return self.kind in ("post", "broadcast")


@dataclass
class Root:
    """A message of the channel with its thread."""

    message: Posted
    replies: list[Posted] = field(default_factory=list)


@dataclass
class ChannelState:
    """A channel at the end: roots in order of posting, replies in order under each."""

    id: str
    roots: list[Root]

    @property
    def messages(self) -> list[Posted]:
        """Every message, roots before their replies."""
        return [m for r in self.roots for m in (r.message, *r.replies)]


@dataclass
class Fault:
    """What goes wrong with the next calls of a method.

    kinds: `status` (with `status`), `error` (with `word`), `ratelimited` (with `retry_after_s`), `garbage` (200 and no JSON),
    `close` (connection closed, nothing stored), `hang` (no answer, nothing stored), `lost` (stored, connection closed),
    `lost_hang` (stored, no answer), `lost_status` (stored, answered with `status`), `drip` and `lost_drip` (the same as `hang` and
    `lost_hang`, only that a byte of an answer comes now and then).
    """

    kind: str
    method: str = "*"
    times: int = 1
    status: int = 500
    word: str = "internal_error"
    retry_after_s: float = 1.0


@dataclass
class StoredFile:
    """An uploaded file. A message can use it once it is complete."""

    name: str
    length: int
    title: str = ""
    content: bytes = b""
    is_complete: bool = False


@dataclass
class _Channel:
    name: str
    is_archived: bool = False
    is_private: bool = False
    has_bot: bool = True
    messages: list[Posted] = field(default_factory=list)


class FakeSlack:
    """See the module's docstring. `min_interval_s`: one message a channel in that time, else 429; 0 for no limit."""

    def __init__(
        self, *, port: int = 0, min_interval_s: float = 0.0, allowed_mention: str = "", clock: Callable[[], float] = time.time,
        scopes: tuple[str, ...] = ("chat:write", "channels:history", "channels:read", "files:write"),
    ) -> None:  # fmt: skip
        self.token = TOKEN
        self.clock = clock
        self.scopes = set(scopes)
        self.min_interval_s = min_interval_s
        self.allowed_mention = allowed_mention
        self.outage: int | None = None  # a status that every call is answered with
        self.complaints: list[str] = []
        self.files: dict[str, StoredFile] = {}  # by file id
        self.slow_file_posts = 0  # so many more messages with a file are refused, as if the file were not ready yet
        self.upload_tokens: list[str] = []  # tokens that were sent to the upload address: none should be
        self.pings: list[str] = []  # mentions in posts, in order: who was called
        self.happened: list[Happening] = []
        self.silent_mentions: list[str] = []  # mentions in edits: nobody is called, but it looks like it
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._channels: dict[str, _Channel] = {"C1": _Channel("incidents"), WEBHOOK_CHANNEL: _Channel("webhook")}
        self._faults: deque[Fault] = deque()
        self._next_at: dict[str, float] = {}
        self._last_ts = 0.0
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._healed = threading.Event()
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self.app_token = APP_TOKEN
        self.workspace_url = "https://fake.slack.com/"  # as auth.test tells it
        self.socket_url = ""  # what apps.connections.open answers, when it is not an address of this fake
        self.socket_mode = SocketModeServer(self._changed)

    # -- life

    def start(self) -> FakeSlack:
        """Listen; after a stop, on the same port with the same state."""
        self._ending.clear()
        fake = self

        class Handler(_Handler):
            slack = fake

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True, name="fake-slack").start()
        return self

    def stop(self) -> None:
        """Stop listening: new connections are refused."""
        self._ending.set()
        self.socket_mode.end()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> FakeSlack:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if kind is None:  # a failure of the test itself is the better news
            assert self.complaints == [], self.complaints

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def api_url(self) -> str:
        """For SLACK_API_URL."""
        return f"http://127.0.0.1:{self._port}/api/"

    @property
    def webhook_url(self) -> str:
        """For SLACK_WEBHOOK_URL; its messages stand in WEBHOOK_CHANNEL."""
        return f"http://127.0.0.1:{self._port}{WEBHOOK_PATH}"

    # -- what a test sets up and looks at

    def add_channel(self, channel_id: str, name: str, *, is_archived: bool = False, is_private: bool = False, has_bot: bool = True) -> None:
        """Another channel beside C1 (#incidents)."""
        with self._changed:
            self._channels[channel_id] = _Channel(name, is_archived=is_archived, is_private=is_private, has_bot=has_bot)

    def hold(self, channel_id: str, messages: list[Posted]) -> None:
        """Begin with messages in a channel, oldest first: what was posted before."""
        with self._changed:
            self._channels[channel_id].messages += messages

    def fail(self, fault: Fault) -> None:
        """Let the next `fault.times` calls of `fault.method` go wrong."""
        with self._changed:
            self._faults.append(fault)

    def heal(self) -> None:
        """No more faults; what drips ends."""
        with self._changed:
            self._faults.clear()
            self.outage = None
        self._healed.set()
        self._healed = threading.Event()

    def forget(self) -> None:
        """What was logged beside the channels, for runs of days."""
        with self._changed:
            self.happened.clear()
            self.pings.clear()

    def delete(self, channel: str, ts: str, *, keeps_thread: bool = False) -> None:
        """Somebody deletes a message; of a root the whole thread, or the root alone."""
        with self._changed:
            kept = [m for m in self._channels[channel].messages if ts != m.ts and (keeps_thread or ts != m.thread_ts)]
            self._channels[channel].messages = kept
            self._changed.notify_all()

    def drip(self, out: Any) -> None:
        """A 200 whose body comes a byte at a time, until the fake is healed or ends."""
        healed = self._healed
        with suppress(OSError):
            out.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n")
            while not healed.wait(DRIP_EVERY_S) and not self._ending.is_set():
                out.write(b" ")

    def channel(self, channel_id: str = "C1") -> ChannelState:
        """The channel as it stands now (copies)."""
        with self._changed:
            messages = [Posted(**asdict(m)) for m in self._channels[channel_id].messages]
        roots = {m.ts: Root(m) for m in messages if not m.thread_ts}
        for message in messages:
            if message.thread_ts in roots:
                roots[message.thread_ts].replies.append(message)
        return ChannelState(channel_id, list(roots.values()))

    def text(self, channel_id: str = "C1") -> str:
        """The channel for a golden file: as a person reads it, without times and ids."""
        return as_text(self.channel(channel_id), self._channels[channel_id].name)

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until something is true of this fake, looked at after every change. AssertionError with the channels if not."""
        with self._changed:
            if not self._changed.wait_for(predicate, timeout_s):
                shown = "\n".join(self.text(c) for c in self._channels)
                raise AssertionError(f"not true within {timeout_s} s; calls {dict(self.calls)}, refused {dict(self.refused)}\n{shown}")

    # -- the API; each returns (status, headers, body) or None for no answer at all

    def answer(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """One request."""
        is_webhook = path == WEBHOOK_PATH
        is_upload = path.startswith(UPLOAD_PATH)
        method = "webhook" if is_webhook else "upload" if is_upload else path.removeprefix("/api/")
        with self._changed:
            self.calls[method] += 1
            fault = self._fault(method)
            outage = self.outage
            self._changed.notify_all()
        if outage is not None:
            return outage, {}, b"upstream is away"
        if fault is not None and not fault.kind.startswith("lost"):
            return self._go_wrong(fault, is_webhook=is_webhook)
        with self._changed:
            if is_webhook:
                reply: tuple[int, dict[str, str], bytes] | None = self._webhook(raw)
            elif is_upload:
                reply = self._receive(path.removeprefix(UPLOAD_PATH), headers, raw)
            else:
                reply = _json(self._api(method, headers, raw))
            self._changed.notify_all()
        if fault is None:
            return reply
        if fault.kind == "lost_status":
            return fault.status, {}, b"oops"
        if fault.kind == "lost_hang":
            self._ending.wait(HANG_S)
        return DRIP if fault.kind == "lost_drip" else None

    def _fault(self, method: str) -> Fault | None:
        found = next((f for f in self._faults if f.method in ("*", method)), None)
        if found is not None:
            found.times -= 1
            if found.times <= 0:
                self._faults.remove(found)
        return found

    def _go_wrong(self, fault: Fault, *, is_webhook: bool) -> tuple[int, dict[str, str], bytes] | None:
        if fault.kind == "hang":
            self._ending.wait(HANG_S)
        if fault.kind == "drip":
            return DRIP
        if fault.kind in ("hang", "close"):
            return None
        if fault.kind == "ratelimited":
            return _limited(fault.retry_after_s)
        if fault.kind == "status":
            return fault.status, {}, b"<html>bad gateway</html>"
        if fault.kind == "garbage":
            return 200, {}, b"<html>a proxy says hello</html>"
        if is_webhook:
            return fault.status, {}, fault.word.encode()
        return _json({"ok": False, "error": fault.word})

    def _api(self, method: str, headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not given:
            return self._refuse("not_authed")
        if method == "apps.connections.open":
            return self._connect(given)
        if given != self.token:
            return self._refuse("invalid_auth")
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": lambda _: {
                "ok": True,
                "team": "Fake",
                "url": self.workspace_url,
                "user": "oomtriage",
                "bot_id": "B1",
                "_scopes": ",".join(sorted(self.scopes)),
            },
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.list": self._list,
            "conversations.info": self._info,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
        }
        if method not in handlers:
            return self._refuse("unknown_method")
        return handlers[method](_arguments(headers, raw))

    def _connect(self, token: str) -> dict[str, Any]:
        if token != self.app_token:
            return self._refuse("not_allowed_token_type" if token == self.token else "invalid_auth")
        return {"ok": True, "url": self.socket_url or f"ws://127.0.0.1:{self._port}{self.socket_mode.ticket()}"}

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        channel_id = str(body.get("channel", ""))
        if "chat:write" not in self.scopes:
            return self._refuse("missing_scope", needed="chat:write")
        channel = self._channels.get(channel_id)
        if channel is None or (channel.is_private and not channel.has_bot):
            return self._refuse("channel_not_found")
        if channel.is_archived:
            return self._refuse("is_archived")
        if not channel.has_bot:
            return self._refuse("not_in_channel")
        now = self.clock()
        if self.min_interval_s and now < self._next_at.get(channel_id, 0.0):
            self.refused["ratelimited"] += 1
            return {"_limited": self._next_at[channel_id] - now}
        thread_ts = str(body.get("thread_ts") or "")
        if error := self._check(body, is_reply=bool(thread_ts)):
            return error
        if thread_ts and not any(m.ts == thread_ts for m in channel.messages):
            return self._refuse("thread_not_found")
        if body.get("unfurl_links") is not False or body.get("unfurl_media") is not False:
            self.complaints.append("a link of this message would be unfurled: Slack would fetch it")
        self._next_at[channel_id] = now + self.min_interval_s
        message = self._store(channel_id, body, thread_ts)
        return {"ok": True, "channel": channel_id, "ts": message.ts}

    def _store(self, channel_id: str, body: Mapping[str, Any], thread_ts: str = "") -> Posted:
        self._last_ts = max(self.clock(), self._last_ts + 0.000_01)
        message = Posted(
            channel=channel_id, ts=f"{self._last_ts:.6f}", text=str(body.get("text") or ""), blocks=list(body.get("blocks") or []),
            metadata=dict(body.get("metadata") or {}), thread_ts=thread_ts, is_broadcast=bool(thread_ts and body.get("reply_broadcast")),
        )  # fmt: skip
        self._channels[channel_id].messages.append(message)
        pings = _mentions(body)
        self.pings += pings
        self._note("broadcast" if message.is_broadcast else "reply" if thread_ts else "post", message, pings)
        return message

    def _note(self, kind: str, message: Posted, pings: list[str]) -> None:
        at = message.edited_at if kind == "edit" else message.posted_at
        self.happened.append(Happening(at=at, kind=kind, channel=message.channel, ts=message.ts, text=message.text, pings=tuple(pings)))

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        channel = self._channels.get(str(body.get("channel", "")))
        if channel is None:
            return self._refuse("channel_not_found")
        message = next((m for m in channel.messages if m.ts == body.get("ts")), None)
        if message is None:
            return self._refuse("message_not_found")
        if error := self._check(body, is_reply=bool(message.thread_ts)):
            return error
        message.text = str(body.get("text") or "")
        if "blocks" in body:  # left out: the old ones stay
            message.blocks = list(body["blocks"] or [])
        message.edits += 1
        message.edited_at = self.clock()
        self._note("edit", message, [])
        self.silent_mentions += _mentions(body)
        return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text}

    def _check(self, body: Mapping[str, Any], *, is_reply: bool = False, is_counted: bool = True) -> dict[str, Any] | None:
        """A refusal. `is_counted`: the reading budgets hold; one message with everything has none but Slack's own."""
        used = [str(b["slack_file"].get("id")) for b in body.get("blocks") or () if isinstance(b.get("slack_file"), dict)]
        if used and self.slow_file_posts > 0:
            self.slow_file_posts -= 1
            return self._refuse(
                "invalid_blocks", response_metadata={"messages": ["[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"]}
            )
        if any(i not in self.files or not self.files[i].is_complete for i in used):
            return self._refuse("invalid_blocks", response_metadata={"messages": ["[ERROR] no such file"]})
        self.complaints += problems(body, allowed_mention=self.allowed_mention)
        if is_counted:
            self.complaints += [f"{p}: {body.get('text')}" for p in budget_problems(_slot_of(body, is_reply=is_reply), body)]
        word = slack_error(body)
        if word is None:
            return None
        return self._refuse(word, response_metadata={"messages": ["[ERROR] found by the checker"]})

    def _upload_url(self, form: dict[str, Any]) -> dict[str, Any]:
        if "files:write" not in self.scopes:
            return self._refuse("missing_scope", needed="files:write")
        if not form.get("filename") or int(form.get("length") or 0) <= 0:
            return self._refuse("invalid_arguments")
        file_id = f"F{len(self.files):010d}"
        self.files[file_id] = StoredFile(name=str(form["filename"]), length=int(form["length"]))
        return {"ok": True, "file_id": file_id, "upload_url": f"http://127.0.0.1:{self._port}{UPLOAD_PATH}{file_id}"}

    def _receive(self, file_id: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        if headers.get("authorization"):
            self.upload_tokens.append(headers["authorization"])
        stored = self.files.get(file_id)
        if stored is None or len(raw) != stored.length:
            return 400, {}, b"bad upload"
        stored.content = raw
        return 200, {}, f"OK - {len(raw)}".encode()

    def _complete_upload(self, body: dict[str, Any]) -> dict[str, Any]:
        for entry in body.get("files") or ():
            stored = self.files.get(str(entry.get("id")))
            if stored is None or not stored.content:
                return self._refuse("file_not_found")
            stored.title, stored.is_complete = str(entry.get("title") or ""), True
        return {"ok": True, "files": [{"id": e["id"], "title": e.get("title", "")} for e in body.get("files") or ()]}

    def _history(self, form: dict[str, Any]) -> dict[str, Any]:
        if "channels:history" not in self.scopes:
            return self._refuse("missing_scope", needed="channels:history")
        channel = self._channels.get(str(form.get("channel", "")))
        if channel is None:
            return self._refuse("channel_not_found")
        if not channel.has_bot:
            return self._refuse("not_in_channel")
        messages = [m for m in reversed(channel.messages) if not m.thread_ts or m.is_broadcast]
        return self._page(messages, form)

    def _replies(self, form: dict[str, Any]) -> dict[str, Any]:
        if "channels:history" not in self.scopes:
            return self._refuse("missing_scope", needed="channels:history")
        channel = self._channels.get(str(form.get("channel", "")))
        if channel is None:
            return self._refuse("channel_not_found")
        thread = [m for m in channel.messages if form.get("ts") in (m.ts, m.thread_ts)]
        return self._page(thread, form) if thread else self._refuse("thread_not_found")

    def _page(self, messages: list[Posted], form: Mapping[str, Any]) -> dict[str, Any]:
        oldest = float(form.get("oldest") or 0)
        found = [m for m in messages if float(m.ts) >= oldest or m.ts == form.get("ts")]
        start, limit = int(form.get("cursor") or 0), int(form.get("limit") or 100)
        has_metadata = str(form.get("include_all_metadata", "")).lower() == "true"
        shown = [
            {"type": "message", "ts": m.ts, "text": m.text, "bot_id": "B1"}
            | ({"thread_ts": m.thread_ts} if m.thread_ts else {})
            | ({"metadata": m.metadata} if has_metadata and m.metadata else {})
            for m in found[start : start + limit]
        ]
        more = start + limit < len(found)
        return {"ok": True, "messages": shown, "has_more": more, "response_metadata": {"next_cursor": str(start + limit) if more else ""}}

    def _list(self, form: dict[str, Any]) -> dict[str, Any]:
        if "channels:read" not in self.scopes:
            return self._refuse("missing_scope", needed="channels:read")
        channels = [{"id": i, "name": c.name} for i, c in self._channels.items() if not c.is_archived and (not c.is_private or c.has_bot)]
        start, limit = int(form.get("cursor") or 0), int(form.get("limit") or 100)
        more = start + limit < len(channels)
        return {
            "ok": True,
            "channels": channels[start : start + limit],
            "response_metadata": {"next_cursor": str(start + limit) if more else ""},
        }

    def _info(self, form: dict[str, Any]) -> dict[str, Any]:
        channel_id = str(form.get("channel", ""))
        channel = self._channels.get(channel_id)
        if not {"channels:read", "groups:read"} & self.scopes:
            return self._refuse("missing_scope", needed="channels:read")
        if channel is None or (channel.is_private and not channel.has_bot):
            return self._refuse("channel_not_found")
        shown = {"id": channel_id, "name": channel.name, "is_archived": channel.is_archived, "is_private": channel.is_private}
        return {"ok": True, "channel": {**shown, "is_member": channel.has_bot}}

    def _webhook(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        try:
            body = json.loads(raw)
        except ValueError:
            return 400, {}, b"invalid_payload"
        if not body.get("text") and not body.get("blocks"):
            return 400, {}, b"no_text"
        if self._channels[WEBHOOK_CHANNEL].is_archived:
            return 410, {}, b"channel_is_archived"
        now = self.clock()
        if self.min_interval_s and now < self._next_at.get(WEBHOOK_CHANNEL, 0.0):
            self.refused["ratelimited"] += 1
            return _limited(self._next_at[WEBHOOK_CHANNEL] - now)
        if error := self._check(body, is_counted=False):
            return 400, {}, str(error["error"]).encode()
        self._next_at[WEBHOOK_CHANNEL] = now + self.min_interval_s
        self._store(WEBHOOK_CHANNEL, body)
        return 200, {}, b"ok"

    def _refuse(self, word: str, **more: Any) -> dict[str, Any]:
        self.refused[word] += 1
        return {"ok": False, "error": word} | more

    # -- as a process of its own

    def control(self, path: str, raw: bytes) -> Any:
        """Requests under /_fake/ of `RemoteFakeSlack`."""
        if path == "/_fake/fail":
            self.fail(Fault(**json.loads(raw)))
        elif path == "/_fake/heal":
            self.heal()
        elif path == "/_fake/set":
            for name, value in json.loads(raw).items():
                setattr(self, name, value)
        elif path == "/_fake/state":
            with self._changed:
                return {
                    "messages": {c: [asdict(m) for m in channel.messages] for c, channel in self._channels.items()},
                    "calls": dict(self.calls), "refused": dict(self.refused), "complaints": self.complaints, "pings": self.pings,
                }  # fmt: skip
        return {}


class RemoteFakeSlack:
    """A FakeSlack in another process, by its port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.api_url = f"http://127.0.0.1:{port}/api/"
        self.webhook_url = f"http://127.0.0.1:{port}{WEBHOOK_PATH}"
        self.token = TOKEN

    def fail(self, fault: Fault) -> None:
        """As FakeSlack.fail."""
        self._ask("fail", asdict(fault))

    def heal(self) -> None:
        """As FakeSlack.heal."""
        self._ask("heal")

    def set(self, **attributes: Any) -> None:
        """Set attributes such as outage or min_interval_s."""
        self._ask("set", attributes)

    def state(self) -> dict[str, Any]:
        """messages (by channel), calls, refused, complaints, pings."""
        return dict(self._ask("state"))

    def messages(self, channel_id: str = "C1") -> list[Posted]:
        """Every message of a channel in order of posting."""
        return [Posted(**m) for m in self.state()["messages"].get(channel_id, [])]

    def _ask(self, what: str, body: Any = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_fake/{what}", data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)


def as_text(state: ChannelState, name: str) -> str:
    """A channel as a person reads it."""
    lines = [f"#{name}"]
    for root in state.roots:
        for message in (root.message, *root.replies):
            is_reply = bool(message.thread_ts)
            notes = [
                "reply" if is_reply else "message",
                *(["broadcast"] if message.is_broadcast else []),
                *(["edited"] if message.edits else []),
            ]
            indent = "    " if is_reply else ""
            lines += ["", f"{indent}--- {', '.join(notes)}: {message.text}"]
            lines += [f"{indent}{line}".rstrip() for line in message.shown().splitlines()]
    return "\n".join(lines) + "\n"


def _slot_of(body: Mapping[str, Any], *, is_reply: bool) -> str:
    """The place whose budget holds. Pages of a storm's thread are longer than other replies."""
    if not is_reply:
        return "root"
    return "digest-page" if re.match(r"All \d+ workloads of this (?:storm|inventory)", str(body.get("text") or "")) else "reply"


def _mentions(body: Mapping[str, Any]) -> list[str]:
    found = [str(m) for m in MENTION.findall(str(body.get("text") or ""))]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") in MENTION_TYPES:
                found.append(str(node.get(MENTION_TYPES[node["type"]])))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(body.get("blocks"))
    return found


def _arguments(headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    if "json" in headers.get("content-type", ""):
        return dict(json.loads(raw or b"{}"))
    return {k: v[0] for k, v in parse_qs(raw.decode()).items()}


def _json(document: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    if "_limited" in document:
        return _limited(document["_limited"])
    headers = {"X-OAuth-Scopes": document.pop("_scopes")} if "_scopes" in document else {}
    return 200, headers | {"Content-Type": "application/json"}, json.dumps(document).encode()


def _limited(seconds: float) -> tuple[int, dict[str, str], bytes]:
    return 429, {"Retry-After": str(max(1, math.ceil(seconds)))}, b'{"ok":false,"error":"ratelimited"}'


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a word."""


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path.startswith(LINK_PATH):
            self.slack.socket_mode.serve(self)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = re.sub(r"//+", "/", urlsplit(self.path).path)
        if path.startswith("/_fake/"):
            self._send(_json({"ok": True} | self.slack.control(path, raw)))
            return
        headers = {k.lower(): v for k, v in self.headers.items()}
        reply = self.slack.answer(path, headers, raw)
        if reply == DRIP:
            self.slack.drip(self.wfile)
            self.close_connection = True
            return
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    def _send(self, reply: tuple[int, dict[str, str], bytes]) -> None:
        status, headers, body = reply
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def main() -> None:
    """Run until interrupted; the first line on stdout is the port."""
    parser = argparse.ArgumentParser(description="a stateful stand-in for Slack")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--min-interval", type=float, default=0.0, help="seconds between messages of one channel, else 429")
    arguments = parser.parse_args()
    with FakeSlack(port=arguments.port, min_interval_s=arguments.min_interval) as slack:
        print(slack.port, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
