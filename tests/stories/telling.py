"""A channel at the end of a story, for a person to read: counts, what happened in time, and how the channel stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from receiver.domain.units import from_epoch
from receiver.render.text import unescape_mrkdwn
from tests.checks.slack_limits import MENTION
from tests.fakes.slack import FakeSlack, Happening, Posted, Root

SHOWN_ROOTS = 12


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a channel cost its readers."""

    roots: int
    replies: int
    broadcasts: int
    edits: int
    sounds: int
    calls: int

    @property
    def messages(self) -> int:
        """Everything posted."""
        return self.roots + self.replies + self.broadcasts


def counts(slack: FakeSlack, channel: str = "C1") -> Counts:
    """Of a whole channel."""
    seen = [h for h in slack.happened if h.channel == channel]
    kinds = Counter(h.kind for h in seen)
    return Counts(
        roots=kinds["post"], replies=kinds["reply"], broadcasts=kinds["broadcast"], edits=kinds["edit"],
        sounds=sum(h.is_loud for h in seen), calls=sum(len(set(h.pings)) > 0 for h in seen),
    )  # fmt: skip


def told(slack: FakeSlack, *, accepted: int, channel: str = "C1") -> str:
    """The golden of a story."""
    state = slack.channel(channel)
    lines = [_summary(counts(slack, channel), accepted), "", "In time (UTC)"]
    lines += [f"  {line}" for line in _timeline(slack, channel)]
    lines += ["", f"#{channel} at the end"]
    for root in state.roots[:SHOWN_ROOTS]:
        lines += ["", *_thread(root)]
    if len(state.roots) > SHOWN_ROOTS:
        lines += ["", f"... and {len(state.roots) - SHOWN_ROOTS} more messages like these"]
    return "\n".join(lines)


def _summary(found: Counts, accepted: int) -> str:
    return (
        f"{accepted} alerts: {_counted(found.messages, 'message')} ({_counted(found.roots, 'root')}, {found.replies} replies, "
        f"{_counted(found.broadcasts, 'broadcast')}), {_counted(found.edits, 'edit')}. "
        f"Sounds {_counted(found.sounds, 'time')}, calls somebody {_counted(found.calls, 'time')}."
    )


def _counted(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def _timeline(slack: FakeSlack, channel: str) -> Iterator[str]:
    """One line a post; edits of the same minute together."""
    seen = [h for h in slack.happened if h.channel == channel]
    roots = {m.ts for m in (r.message for r in slack.channel(channel).roots)}
    first = from_epoch(seen[0].at) if seen else None
    for (minute, kind), group in groupby(seen, key=lambda h: (_minute(h.at, first), "edit" if h.kind == "edit" else h.ts)):
        together = list(group)
        if kind != "edit":
            yield f"{minute}  {_posted(together[0])}"
            continue
        of_roots, of_replies = Counter(h.ts in roots for h in together)[True], Counter(h.ts in roots for h in together)[False]
        newest = next((h.text for h in reversed(together) if h.ts in roots), "")
        parts = [f"edit of the root: {unescape_mrkdwn(newest)}"] if of_roots == 1 else [f"{of_roots} edits of roots"] if of_roots else []
        parts += [_counted(of_replies, "edit") + " in threads"] if of_replies else []
        yield f"{minute}  {'; '.join(parts)}"


def _posted(one: Happening) -> str:
    what = {"post": "POST", "reply": "reply", "broadcast": "BROADCAST"}[one.kind]
    call = " (calls the on-call)" if one.pings else ""
    return f"{what}{call}: {unescape_mrkdwn(MENTION.sub('', one.text)).rstrip()}"


def _minute(at: float, first: datetime | None) -> str:
    moment = from_epoch(at)
    days = (moment.date() - first.date()) // timedelta(days=1) if first else 0
    return f"{moment:%H:%M}" + (f" +{days}d" if days else "")


def _thread(root: Root) -> Iterator[str]:
    yield from _message(root.message)
    for reply in root.replies:
        yield ""
        yield from (f"    {line}".rstrip() for line in _message(reply))


def _message(message: Posted) -> Iterator[str]:
    what = "broadcast reply" if message.is_broadcast else "reply" if message.thread_ts else "message"
    notes = [f"{from_epoch(message.posted_at):%H:%M} {what}", "sounds" if message.is_loud else "silent"]
    if message.edits:
        notes.append(f"edited {_counted(message.edits, 'time')}, last {from_epoch(message.edited_at):%H:%M}")
    yield f"--- {', '.join(notes)}"
    yield f"[{unescape_mrkdwn(MENTION.sub(lambda m: '@call', message.text))}]"
    yield from message.shown().splitlines()
    buttons = [_label(e) for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    if buttons:
        yield " ".join(f"[{label}]" for label in buttons)


def _label(element: dict[str, object]) -> str:
    text = element.get("text")
    return str(text["text"]) if isinstance(text, dict) else "..."
