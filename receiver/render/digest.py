"""A storm shown in one root and in pages of its thread. A workload is named in one root only, and always in a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from receiver.diagnosis.causes.leaves import LEAVES, leaf_of
from receiver.domain.incident import DigestEntry, DigestView, Message
from receiver.domain.report import CauseName
from receiver.render import blocks, buttons, inline, mentions
from receiver.render.blocks import Block
from receiver.render.inline import Moment, when
from receiver.render.root import Print, fit, lock_screen, shorten
from receiver.render.text import clean_line, cut_middle
from receiver.render.wording import say

KEYS = ("header", "do", "next", "causes", "worst", "grey", "text")
WORST = 5
NAME_MAX, SUMMARY_MAX = 44, 40  # characters of a line in a page: one or two lines of a phone
SHARED = 0.5  # a factor is common when it covers more than this share of the workloads

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
    quiet: Annotated[int, "of them, no longer firing"]
    still: Annotated[int, "of them, firing"]
    new: Annotated[int, "joined in the last 5 minutes"]
    own: Annotated[int, "have a message of their own"]
    unjudged: Annotated[int, "whose cause cannot be told yet"]
    common: Annotated[str, "the name of what more than half share; empty when nothing"]
    common_kind: Annotated[str, "`node`, `image` or `namespace`"]
    common_count: Annotated[int, "how many share it"]
    causes: Annotated[tuple[CauseCount, ...], "counts by cause"]
    cluster: Annotated[str, "the cluster, when all are in one"]
    is_over: Annotated[bool, "no new workload for a while"]
    began: Annotated[Moment, "when it began"]
    ended: Annotated[Moment | None, "when it was over"]
    acknowledged: Annotated[str, "`acknowledged by Ines (40 of 46)`; empty while nobody looks after any"]
    silenced: Annotated[str, "`silenced until 04:13 UTC by Otto`, with how many of how many when not all are"]
    not_silenced: Annotated[str, "`2 not silenced: ALERTMANAGER_URL is not set`: asked for and not done"]
    refused: Annotated[str, "who pressed what they may not press"]


def digest(view: DigestView, show: Print) -> tuple[Message, ...]:
    """The root, then the pages."""
    storm = _words(view)
    lines = show("digest/root.j2", {"storm": storm, "page": view.page_url}, KEYS)
    mention = "" if storm.is_over else view.mention
    is_worth_a_word = storm.still > 0  # when all are quiet, the header says so
    worst = [_line(e if is_worth_a_word else replace(e, is_quiet=False)) for e in sorted(view.members, key=_badness)[:WORST]]
    title = blocks.section(" ".join(lines.get("worst", ())))
    parts: list[Block | None] = [
        blocks.header(fit([inline.plain(h) for h in lines.get("header", ())], blocks.HEADER_MAX, "")),
        blocks.rich(mentions.as_section(mention)),
        blocks.rich(*(blocks.labelled(key.capitalize(), shorten(" ".join(lines.get(key, ())))) for key in ("do", "next", "causes"))),
        blocks.rich(title, blocks.bullets(worst)) if title and worst else None,
        blocks.context(" ".join(lines.get("grey", ()))),
        buttons.storm_row(view),
    ]
    shown = tuple(p for p in parts if p is not None and p.get("elements") != [])
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
    kind, common, count = _common(view.entries)
    causes = Counter(leaf_of(e.cause).name for e in view.entries)
    return StormWords(
        total=len(view.entries), quiet=quiet, still=len(view.entries) - quiet, new=view.new_last_5_min,
        own=sum(1 for e in view.entries if e.has_own_root), unjudged=causes[CauseName.UNKNOWN],
        common=cut_middle(clean_line(common), 40), common_kind=kind, common_count=count,
        causes=tuple(CauseCount(words=say(leaf.in_digest), count=causes[leaf.name]) for leaf in IN_ORDER if causes[leaf.name]),
        cluster=clean_line(view.cluster), is_over=view.ended_at is not None, began=when(view.opened_at, view.now),
        ended=when(view.ended_at, view.now) if view.ended_at else None,
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


def _common(entries: Sequence[DigestEntry]) -> tuple[str, str, int]:
    """What more than half of the workloads share: a node before an image before a namespace."""
    factors: tuple[tuple[str, Callable[[DigestEntry], str]], ...] = (
        ("node", lambda e: e.node),
        ("image", lambda e: e.image),
        ("namespace", lambda e: e.subject.namespace),
    )
    for kind, of in factors:
        counts = Counter(of(e) for e in entries if of(e))
        if counts:
            name, count = min(counts.items(), key=lambda c: (-c[1], c[0]))
            if count > SHARED * len(entries) and count > 1:
                return kind, name, count
    return "", "", 0


def _badness(entry: DigestEntry) -> tuple[bool, bool, bool, float, str]:
    """Worst first: what is over is never the worst."""
    return (entry.is_quiet, not entry.is_never_up, not entry.is_all_replicas, -entry.kills_per_h, _name(entry))


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


def _pages(view: DigestView) -> list[Message]:
    lines: list[tuple[str, str]] = []  # (the words for the cause, line)
    for leaf in IN_ORDER:
        members = sorted((e for e in view.entries if leaf_of(e.cause) is leaf), key=_name)
        lines += [(say(leaf.in_digest), _line(e) + (" (own message)" if e.has_own_root else "")) for e in members]
    counts = Counter(cause for cause, _ in lines)
    pages = list(_split(lines))
    return [_page(number, len(pages), page, counts) for number, page in enumerate(pages, start=1)]


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


def _page(number: int, of: int, page: Sequence[tuple[str, str]], counts: Counter[str]) -> Message:
    parts: list[Block | None] = []
    for cause in dict.fromkeys(cause for cause, _ in page):
        title = inline.bold(f"{cause[0].upper()}{cause[1:]} ({counts[cause]})")
        parts.append(blocks.rich(blocks.section(title), blocks.bullets(line for c, line in page if c == cause)))
    shown = tuple(p for p in parts if p is not None)
    total = sum(counts.values())
    text = f"All {total} workloads of this storm, by cause" + (f": page {number} of {of}" if of > 1 else "")
    return Message(slot=f"digest-page:{number}", text=text, blocks=shown, full_text=blocks.as_text(shown), is_reply=True)
