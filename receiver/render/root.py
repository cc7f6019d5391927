"""The root message: the one that the phone shows. Templates give the lines; here they become blocks within budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from receiver.domain.incident import IncidentView
from receiver.domain.report import KillKind, Report
from receiver.domain.runs import Runs
from receiver.render import blocks, buttons, inline, mentions
from receiver.render.blocks import Block
from receiver.render.context.build import alert_of, note_of
from receiver.render.context.model import Context
from receiver.render.environment import Fragments
from receiver.render.kinds import CHILD, ENDED, UNKNOWN, WITHOUT_MENTION
from receiver.render.sections import shortened
from receiver.render.text import clean_block, clean_line, cut, cut_middle, cut_sentences, escape_mrkdwn
from receiver.render.wording import say

KEYS = ("header", "do", "why", "next", "facts", "log", "said", "grey", "text")
LABELS = (("do", "Do"), ("why", "Why"), ("next", "Next"), ("facts", "Facts"))
CUT_ORDER = ("grey", "log", "facts", "next", "why")  # the least important first; header, where, Do and who did what stay
GREY_LINE = ("said", "grey")  # one block, of which only the second may be cut
LINE_MAX = 300  # characters of one labelled line: five lines of a phone
MIN_SUBJECT = 16
MAX_LABELS = 8
MAX_ANNOTATIONS = 4

Print = Callable[[str, Mapping[str, Any], Sequence[str]], Fragments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root message's parts, before they are put together."""

    text: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a root message is made from. `chart`: an image block, where there is one."""

    view: IncidentView
    report: Report | None
    context: Context
    kind: str
    chart: Block | None = None

    @property
    def mention(self) -> str:
        """The configured mention, unless nobody needs to be called for this."""
        return "" if self.kind in WITHOUT_MENTION or self.context.is_resolved else self.view.mention


def variables(context: Context, **extra: Any) -> dict[str, Any]:
    """The context as a template sees it."""
    return {f.name: getattr(context, f.name) for f in fields(context)} | extra


def root(draft: Draft, show: Print) -> Root:
    """The root message of an incident. `show` prints a template."""
    lines = root_lines(draft, show)
    return Root(
        text=lock_screen(lines.get("text", ()), draft.context.subject) + mentions.as_mrkdwn(draft.mention),
        blocks=_within_budget(draft, lines),
    )


def later(draft: Draft, show: Print) -> Root:
    """The same state in a few lines: what changed and what to do, for a channel that has seen the whole before."""
    lines = {k: v for k, v in root_lines(draft, show).items() if k in ("header", "do", "why", "next", "facts", "text")}
    news = clean_line(say(draft.view.news), LINE_MAX)
    if not draft.view.is_result:
        lines["why"] = (news, *(lines.get("why", ()) if draft.view.is_new_verdict else ())) if news else ()
    return Root(
        text=lock_screen(lines.get("text", ()), draft.context.subject) + mentions.as_mrkdwn(draft.mention),
        blocks=tuple(b for b in _blocks(draft, lines) if b["type"] in ("header", "rich_text"))[:3],
    )


def root_lines(draft: Draft, show: Print) -> dict[str, tuple[str, ...]]:
    """The lines of the kind's template; over them those of what does not run for ever, of a resolved incident, and of a watched fix."""
    seen = variables(draft.context, kind=draft.kind)
    lines = dict(show(f"root/{draft.kind}.j2", seen, KEYS))
    if draft.context.runs != Runs.FOR_EVER and draft.context.kill.kind != KillKind.NONE:
        lines.update(show("root/runs.j2", seen, KEYS))
    if draft.context.is_resolved:
        over = show("root/resolved.j2", seen, KEYS)
        if any(key in over for key in GREY_LINE):
            lines = {key: said for key, said in lines.items() if key not in GREY_LINE}
        lines.update(over)
    if (draft.context.fix.state or draft.context.fix.ended) and draft.report is not None:
        lines.update(show("root/watched.j2", seen, KEYS))
    return lines


def lock_screen(candidates: Sequence[str], subject: str) -> str:
    """The first line that fits into 120 characters as a reader counts them, escaped afterwards."""
    return escape_mrkdwn(fit([inline.plain(c) for c in candidates], blocks.TEXT_MAX, subject))


def fit(candidates: Sequence[str], limit: int, subject: str) -> str:
    """The first candidate within the limit; else the last one, its subject cut in the middle: never the verdict."""
    if not candidates:
        return cut(subject, limit)
    fitting = next((c for c in candidates if len(c) <= limit), None)
    if fitting is not None:
        return fitting
    last = candidates[-1]
    room = max(MIN_SUBJECT, len(subject) - (len(last) - limit))
    return cut(last.replace(subject, cut_middle(subject, room), 1) if subject else last, limit)


def _within_budget(draft: Draft, lines: Mapping[str, tuple[str, ...]]) -> tuple[Block, ...]:
    built = _blocks(draft, lines)
    dropped: list[str] = []
    for drop in CUT_ORDER:
        if blocks.visible(built) <= blocks.ROOT_MAX_CHARS and len(built) <= blocks.ROOT_MAX_BLOCKS:
            break
        dropped.append(drop)
        built = _blocks(draft, {k: v for k, v in lines.items() if k not in dropped})
    excess = blocks.visible(built) - blocks.ROOT_MAX_CHARS
    if excess <= 0 or "said" not in lines:
        return built
    said = inline.plain(_joined(lines, "said"))[: blocks.CONTEXT_MAX]
    return _blocks(draft, {k: v for k, v in lines.items() if k not in dropped} | {"said": (cut(said, len(said) - excess),)})


def _blocks(draft: Draft, lines: Mapping[str, tuple[str, ...]]) -> tuple[Block, ...]:
    context = draft.context
    heading = fit([inline.plain(h) for h in lines.get("header", ())], blocks.HEADER_MAX, context.subject)
    is_unknown = draft.kind == UNKNOWN
    labelled = [blocks.labelled(label, shorten(_joined(lines, key))) for key, label in LABELS if not (is_unknown and key == "facts")]
    statement = blocks.section(shorten(_joined(lines, "facts"))) if is_unknown else None
    log = proof(draft.report, draft.kind) if lines.get("log") else ""
    built: list[Block | None] = [
        blocks.header(heading),
        blocks.rich(_where(context, is_unknown=is_unknown), mentions.as_section(draft.mention)),
        draft.chart,
        blocks.rich(statement, *labelled),
        blocks.rich(blocks.section(shorten(_joined(lines, "log"))), blocks.preformatted(log)) if log else None,
        blocks.context(grey_line(lines)),
    ]
    shown = [b for b in built if b is not None and b.get("elements") != []]
    if is_unknown:
        at = len(shown) - 1 if shown[-1]["type"] == "context" else len(shown)
        shown[at:at] = _passed_on(draft.view, blocks.ROOT_MAX_CHARS - blocks.visible(shown))
    row = buttons.row(draft.view, draft.kind)
    return (*shown, row) if row is not None else tuple(shown)


def grey_line(lines: Mapping[str, tuple[str, ...]]) -> str:
    """What people did, then what is known; news and facts parted by a dot."""
    said, known = _joined(lines, "said"), _joined(lines, "grey")
    ends = inline.plain(said).endswith((".", "!", "?", ")"))
    return f"{said}{' ' if ends else ' · '}{known}" if said and known else said or known


def bare(view: IncidentView) -> tuple[Block, ...]:
    """A root without any template: what is left when even the built-in ones cannot be used."""
    name = clean_line(alert_of(view.alerts).name, 60) if view.alerts else ""
    heading = f"⚠️ {name or 'An alert'} is {view.state}"
    words = cut(note_of(view), LINE_MAX) or "No message template could be used."
    return (blocks.header(cut(heading, blocks.HEADER_MAX)), blocks.rich(blocks.section(words)), *_passed_on(view, 400))


def shorten(line: str) -> str:
    """A line within its budget. One that is too long loses its styles with its end: a cut must not open a style."""
    words = inline.plain(line)
    return line if len(words) <= LINE_MAX else cut_sentences(words, LINE_MAX)


def _joined(lines: Mapping[str, tuple[str, ...]], key: str) -> str:
    return " ".join(lines.get(key, ()))


def _where(context: Context, *, is_unknown: bool) -> Block | None:
    parts = [inline.code(cut_middle(context.place, 80))] if context.place else []
    place = parts[0] if parts else ""
    rest = [
        cut(context.kind, 30),
        f"container {cut_middle(context.container, 40)}" if context.container and not is_unknown else "",
        cut_middle(context.cluster, 40),
        inline.link(context.page, "details") if context.page else "",
        inline.link(context.request_page, "pull request") if context.request_page else "",
        inline.link(context.silence_page, "silence") if context.silence_page and not context.is_resolved else "",
    ]
    gap = "  " if place else ""
    return blocks.section(f"{place}{gap}{' · '.join(r for r in rest if r)}".rstrip())


def proof(report: Report | None, kind: str, *, most: int = 2) -> str:
    """The one or two log lines for a root whose template asks for them: for a killed child the only evidence, for start-up the best."""
    log = report.facts.log if report else None
    if report is None or log is None or not log.lines:
        return ""
    if report.signature is not None:
        chosen: Sequence[str] = (report.signature.line,)
    elif kind == CHILD or (kind == ENDED and log.is_current):
        return ""
    else:
        chosen = [line for line in log.lines if line.strip()][-most:]
    return clean_block("\n".join(shortened(line) for line in chosen), max_lines=most, max_columns=120)


def _passed_on(view: IncidentView, room: int) -> list[Block]:
    """An alert as it came, in at most `room` characters: annotations and labels, each where Slack parses nothing."""
    if not view.alerts:
        return []
    alert = alert_of(view.alerts)
    built = [_annotations(alert.annotations, room // 2)]
    labels = _labels(alert.labels, room - sum(blocks.visible([b]) for b in built if b) - len("labels"))
    built.append(blocks.rich(blocks.section(inline.bold("labels")), blocks.preformatted(labels)) if labels else None)
    return [b for b in built if b is not None]


def _annotations(annotations: Mapping[str, str], room: int) -> Block | None:
    parts: list[Block | None] = []
    for key, value in sorted(annotations.items(), key=lambda a: (a[0] not in ("summary", "description", "message"), a[0])):
        title = clean_line(key, 40) or "annotation"
        left = room - len(title) - 20
        if left < 40 or len(parts) >= 2 * MAX_ANNOTATIONS:
            break
        shown = cut(clean_block(value, max_lines=6, max_columns=200), left)
        if shown.strip():
            parts += [blocks.section(inline.bold(title)), blocks.preformatted(shown)]
            room = left - len(shown)
    return blocks.rich(*parts) if parts else None


_FIRST_LABELS = ("cluster", "namespace", "pod", "container", "node", "severity", "job", "instance")


def _labels(labels: Mapping[str, str], room: int) -> str:
    order = sorted((k for k in labels if k != "alertname"), key=lambda k: (_FIRST_LABELS.index(k) if k in _FIRST_LABELS else 99, k))
    shown: list[str] = []
    for key in order[:MAX_LABELS]:
        line = f"{clean_line(key, 24)}: {cut_middle(clean_line(labels[key]), 36)}"
        if sum(len(s) + 1 for s in shown) + len(line) + 12 > room:
            break
        shown.append(line)
    left = len(order) - len(shown)
    return "\n".join([*shown, *([f"… {left} more"] if left > 0 and shown else [])])
