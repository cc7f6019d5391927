"""A storm shown in one root and in pages of its thread. A workload is named in one root only, and in a page: of very many, the worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.domain.incident import DigestEntry, DigestView, Message, worst_first
from receiver.domain.kube_names import is_name
from receiver.domain.report import CauseName
from receiver.render import blocks, buttons, inline, mentions
from receiver.render.blocks import Block
from receiver.render.inline import Moment, when
from receiver.render.root import Print, fit, lock_screen, shorten
from receiver.render.text import clean_line, cut_middle
from receiver.render.wording import say

KEYS = ("header", "do", "next", "causes", "worst", "grey", "text")
WORST = 5
LISTED = 500  # workloads that the pages name: 14 messages, a quarter of a minute of a channel. Of a larger storm the worst
NAME_MAX, SUMMARY_MAX = 44, 40  # characters of a line in a page: one or two lines of a phone
COMMAND_MAX = 160  # characters of a command, which is shown whole or not at all: two names of 63 fit
ROOT_MAX = 780  # characters of a root that a phone shows: beyond that the last lines go without their command, which the page has

IN_ORDER = sorted(LEAVES, key=lambda leaf: leaf.digest_rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCount:
    """How many workloads share a cause."""

    words: Annotated[str, "`suspected leak`, `limit too low`, ..."]
    count: Annotated[int, "workloads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StormWords:
    """What the digest's template sees, as `storm`."""

    total: Annotated[int, "workloads"]
    listed: Annotated[int, "of them, named in the thread: all, or the worst of very many"]
    quiet: Annotated[int, "of them, no longer firing"]
    still: Annotated[int, "of them, firing"]
    new: Annotated[int, "joined in the last 5 minutes"]
    own: Annotated[int, "have a message of their own"]
    unjudged: Annotated[int, "whose cause cannot be told yet"]
    common: Annotated[str, "the name of what more of them share than chance would have it; empty when nothing stands out"]
    common_kind: Annotated[str, "`node`, `image` or `namespace`"]
    common_count: Annotated[int, "how many share it"]
    common_expected: Annotated[int, "how many would by chance"]
    is_common_known: Annotated[bool, "what most share could be held against chance"]
    causes: Annotated[tuple[CauseCount, ...], "counts by cause"]
    cluster: Annotated[str, "the cluster, when all are in one"]
    is_over: Annotated[bool, "no new workload for a while"]
    began: Annotated[Moment, "when it began"]
    ended: Annotated[Moment | None, "when it was over"]
    waiting: Annotated[Moment | None, "when the last of those that still fire will have its own message; none when all have"]
    is_inventory: Annotated[bool, "what was dying before oomtriage was installed, and not a storm"]
    acknowledged: Annotated[str, "`acknowledged by Ines (40 of 46)`; empty while nobody looks after any"]
    silenced: Annotated[str, "`silenced until 04:13 UTC by Otto`, with how many of how many when not all are"]
    not_silenced: Annotated[str, "`2 not silenced: ALERTMANAGER_URL is not set`: asked for and not done"]
    refused: Annotated[str, "who pressed what they may not press"]


def digest(view: DigestView, show: Print) -> tuple[Message, ...]:
    """The root, then the pages."""
    storm = _words(view)
    name = "digest/inventory.j2" if view.is_inventory else "digest/root.j2"
    lines = show(name, {"storm": storm, "page": view.page_url}, KEYS)
    mention = "" if storm.is_over else view.mention
    above: list[Block | None] = [
        blocks.header(fit([inline.plain(h) for h in lines.get("header", ())], blocks.HEADER_MAX, "")),
        blocks.rich(mentions.as_section(mention)),
        blocks.rich(*(blocks.labelled(key.capitalize(), shorten(" ".join(lines.get(key, ())))) for key in ("do", "next", "causes"))),
    ]
    below = [blocks.context(" ".join(lines.get("grey", ()))), buttons.storm_row(view)]
    title = blocks.section(" ".join(lines.get("worst", ())))
    room = ROOT_MAX - len(blocks.as_text([p for p in (*above, *below) if p is not None]))
    worst = _worst(view, still=storm.still, room=room)
    middle = [blocks.rich(title, blocks.bullets(worst)) if title and worst else None]
    shown = tuple(p for p in (*above, *middle, *below) if p is not None and p.get("elements") != [])
    root = Message(
        slot="root",
        text=lock_screen(lines.get("text", ()), "") + mentions.as_mrkdwn(mention),
        blocks=shown,
        full_text=blocks.as_text(shown),
    )
    return (root, *_pages(view))


def grown(view: DigestView, show: Print) -> Message:
    """A storm that is much larger than when it last made a sound: how large, and what to do; broadcast in its thread."""
    lines = show("digest/root.j2", {"storm": _words(view), "page": view.page_url}, KEYS)
    parts: list[Block | None] = [
        blocks.header(fit([inline.plain(h) for h in lines.get("header", ())], blocks.HEADER_MAX, "")),
        blocks.rich(mentions.as_section(view.mention)),
        blocks.rich(*(blocks.labelled(key.capitalize(), shorten(" ".join(lines.get(key, ())))) for key in ("do", "next"))),
    ]
    shown = tuple(p for p in parts if p is not None and p.get("elements") != [])
    return Message(
        slot=f"grown:{len(view.entries)}",
        text=lock_screen(lines.get("text", ()), "") + mentions.as_mrkdwn(view.mention),
        blocks=shown, full_text=blocks.as_text(shown), is_reply=True, is_broadcast=True,
    )  # fmt: skip


def digest_bare(view: DigestView, problem: str) -> tuple[Message, ...]:
    """The storm without its template: the count, the pages, and what is wrong."""
    heading = f"🔴 {len(view.entries)} workloads with memory alerts"
    row = buttons.storm_row(view)
    shown = (blocks.header(heading), blocks.rich(blocks.section(clean_line(problem, 300))), *([row] if row else []))
    root = Message(slot="root", text=heading + mentions.as_mrkdwn(view.mention), blocks=shown, full_text=blocks.as_text(shown))
    return (root, *_pages(view))


def _words(view: DigestView) -> StormWords:
    quiet = sum(1 for e in view.entries if e.is_quiet)
    common = view.common
    causes = Counter(leaf_of(e.cause).name for e in view.entries)
    return StormWords(
        total=len(view.entries), listed=min(len(view.entries), LISTED), quiet=quiet, still=len(view.entries) - quiet, new=view.new_last_5_min,
        own=sum(1 for e in view.entries if e.has_own_root), unjudged=causes[CauseName.UNKNOWN],
        common=cut_middle(clean_line(common.name), 40) if common else "", common_kind=common.kind if common else "",
        common_count=common.count if common else 0, common_expected=round(common.expected) if common else 0,
        is_common_known=view.is_common_known,
        causes=tuple(CauseCount(words=say(leaf.in_digest), count=causes[leaf.name]) for leaf in IN_ORDER if causes[leaf.name]),
        cluster=clean_line(view.cluster), is_over=view.ended_at is not None, began=when(view.opened_at, view.now),
        ended=when(view.ended_at, view.now) if view.ended_at else None,
        waiting=when(view.released_by, view.now) if view.released_by else None, is_inventory=view.is_inventory,
        acknowledged=_acknowledged(view.members), silenced=_silenced(view), not_silenced=_not_silenced(view.members),
        refused=clean_line(say(view.refused), 120),
    )  # fmt: skip


def _acknowledged(entries: Sequence[DigestEntry]) -> str:
    owned = [e for e in entries if e.is_acknowledged]
    return f"acknowledged{_by(e.acknowledged_by for e in owned)}{_share(owned, entries)}" if owned else ""


def _silenced(view: DigestView) -> str:
    silent = [e for e in view.members if e.silenced_until]
    ends = [str(when(at, view.now)) for at in sorted(e.silenced_until for e in silent if e.silenced_until)]
    if not ends:
        return ""
    until = ends[0] if ends[0] == ends[-1] else f"{ends[0].removesuffix(' UTC')} to {ends[-1]}"
    return f"silenced until {until}{_by(e.silenced_by for e in silent)}{_share(silent, view.members)}"


def _not_silenced(entries: Sequence[DigestEntry]) -> str:
    reasons = [say(e.not_silenced) for e in entries if e.not_silenced and not e.silenced_until]
    return f"{len(reasons)} not silenced: {clean_line(max(sorted(set(reasons)), key=reasons.count), 120)}" if reasons else ""


def _by(names: Iterable[str]) -> str:
    """` by Ines, Otto and 2 more`, who did most first."""
    known = [name for name, _ in sorted(Counter(clean_line(n, 40) for n in names if n).items(), key=lambda n: (-n[1], n[0]))]
    more = f" and {len(known) - 2} more" if len(known) > 2 else ""
    return f" by {', '.join(known[:2])}{more}" if known else ""


def _share(part: Sequence[DigestEntry], whole: Sequence[DigestEntry]) -> str:
    return f" ({len(part)} of {len(whole)})" if len(part) < len(whole) else ""


def _name(entry: DigestEntry) -> str:
    subject = entry.subject
    workload = subject.workload.name if subject.workload else subject.pod or subject.node
    container = subject.container if subject.container and subject.container != workload else ""
    return clean_line("/".join(p for p in (subject.namespace, workload, container) if p)) or clean_line(entry.incident_id)


def _line(entry: DigestEntry) -> str:
    name, summary = cut_middle(_name(entry), NAME_MAX), cut_middle(clean_line(say(entry.summary)), SUMMARY_MAX)
    named = inline.link(entry.page_url, name) if entry.page_url else inline.code(name)
    quiet = " (quiet)" if entry.is_quiet else ""
    return f"{named} {summary}{quiet}"


def _worst(view: DigestView, *, still: int, room: int) -> list[str]:
    """The five worst of those whom the storm alone shows, in `room` characters; none when all that fire have their own root."""
    entries = sorted(view.members, key=worst_first)[:WORST]
    if still and all(e.is_quiet for e in entries):
        return []
    if not still:  # the header says that all are quiet
        entries = [replace(e, is_quiet=False) for e in entries]
    lines = [_line(e) for e in entries]
    left = room - sum(_size(line) for line in lines)
    for i, entry in enumerate(entries):
        longer = lines[i] + _command(entry)
        left -= _size(longer) - _size(lines[i])
        if left < 0:
            break
        lines[i] = longer
    return lines


def _command(entry: DigestEntry) -> str:
    """What leads further where there is no page to link: a command to copy, so only for names that are nothing else in a shell."""
    subject = entry.subject
    if entry.page_url or entry.has_own_root or not all(is_name(name) for name in (subject.pod, subject.namespace)):
        return ""
    command = f"kubectl oomtriage {subject.pod} -n {subject.namespace}"
    return f": {inline.code(command)}" if len(command) <= COMMAND_MAX else ""


def _pages(view: DigestView) -> list[Message]:
    lines: list[tuple[str, str]] = []  # (the words for the cause, line)
    listed = view.entries if len(view.entries) <= LISTED else sorted(view.entries, key=worst_first)[:LISTED]
    for leaf in IN_ORDER:
        members = sorted((e for e in listed if leaf_of(e.cause) is leaf), key=_name)
        lines += [(say(leaf.in_digest), _line(e) + (" (own message)" if e.has_own_root else _command(e))) for e in members]
    counts = Counter(cause for cause, _ in lines)
    pages = list(_split(lines))
    whose = "inventory" if view.is_inventory else "storm"
    which = f"The worst {len(lines)} of {len(view.entries)}" if len(lines) < len(view.entries) else f"All {len(lines)}"
    title = f"{which} workloads of this {whose}, by cause"
    return [_page(number, len(pages), page, counts, title) for number, page in enumerate(pages, start=1)]


def _split(lines: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The lines in pages as full as they may be; a cause has its title on each."""
    page: list[tuple[str, str]] = []
    used = 0
    for cause, line in lines:
        title = 0 if any(cause == c for c, _ in page) else len(cause) + 8
        titles = len({cause, *(c for c, _ in page)})
        if page and (len(page) + 1 + titles > blocks.DIGEST_PAGE_MAX_LINES or used + title + _size(line) > blocks.DIGEST_PAGE_MAX_CHARS):
            yield page
            page, used, title = [], 0, len(cause) + 8
        page.append((cause, line))
        used += title + _size(line)
    if page:
        yield page


def _size(line: str) -> int:
    """Characters of a line as it will be shown: where only a blank would part two pieces, more than that does."""
    return sum(len(inline.element_text(e)) for e in inline.elements(line))


def _page(number: int, of: int, page: Sequence[tuple[str, str]], counts: Counter[str], about: str) -> Message:
    parts: list[Block | None] = []
    for cause in dict.fromkeys(cause for cause, _ in page):
        title = inline.bold(f"{cause[0].upper()}{cause[1:]} ({counts[cause]})")
        parts.append(blocks.rich(blocks.section(title), blocks.bullets(line for c, line in page if c == cause)))
    shown = tuple(p for p in parts if p is not None)
    text = about + (f": page {number} of {of}" if of > 1 else "")
    return Message(slot=f"digest-page:{number}", text=text, blocks=shown, full_text=blocks.as_text(shown), is_reply=True)
