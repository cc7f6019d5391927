"""The replies of an incident's thread: evidence, checklist, patch. Slots that are edited, never posted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from receiver.case.events import for_the_pod
from receiver.diagnosis.log.signatures import excerpt, rising_words
from receiver.domain.case import Missing
from receiver.domain.facts import LogFacts
from receiver.domain.incident import IncidentView, Message
from receiver.domain.report import CheckItem, Report, TreeStep
from receiver.render import blocks, buttons, inline, words
from receiver.render.blocks import Block
from receiver.render.context.model import Context
from receiver.render.environment import Fragments
from receiver.render.kinds import ABOUT_THE_NODE, UNKNOWN
from receiver.render.root import Print, lock_screen, variables
from receiver.render.sections import container_lines, event_lines, life_lines, log_lines
from receiver.render.text import clean_block, clean_line, clean_phrase, ended, sentence
from receiver.render.wording import CHECKLIST, remark, say

EVIDENCE_KEYS = ("text", "log", "log_note", "state", "lives", "events", "missing", "seen")
CHECKLIST_KEYS = ("text", "tree", "list")
PATCH_KEYS = ("text", "intro", "now", "git", "scale", "later")

MARKS = {"done": "✓", "todo": "☐", "could_not_check": "?", "not_applicable": "–"}
MOST_FIXES = 3  # long-term ones, the best fitting first; the rest is on the cause's page
RESULT_MAX = 160  # characters of one checklist result or tree answer


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWords:
    """What the evidence reply's template sees beside the context, as `evidence`."""

    log_shown: Annotated[int, "log lines shown"] = 0
    log_total: Annotated[int, "log lines read"] = 0
    is_running_log: Annotated[bool, "the log is of the container that runs now, not of the one that died"] = False
    signature: Annotated[str, "the memory error that the log names"] = ""
    signature_count: Annotated[int, "lines that name it"] = 0
    advice: Annotated[str, "what this error asks for"] = ""
    rising: Annotated[tuple[str, ...], "counters that rise in every line"] = field(default=())
    redacted: Annotated[str, "`0 values redacted`, `3 values redacted: 2 tokens, 1 e-mail`"] = ""
    events: Annotated[int, "events found"] = 0
    asked_events: Annotated[bool, "events could be read"] = False
    has_memory_event: Annotated[bool, "one of them is about memory"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply before it becomes a message: its parts in order of reading, the last ones the first to go. `row`: what can be pressed."""

    slot: str
    text: str
    parts: tuple[Block, ...]
    row: Block | None = None


def replies(view: IncidentView, report: Report | None, context: Context, kind: str, show: Print) -> tuple[Message, ...]:
    """The replies that this incident has, in thread order."""
    if report is None:
        return ()
    found = [evidence(report, context, show)]
    is_about_pods = report.subject.pod if kind in ABOUT_THE_NODE else kind != UNKNOWN
    if is_about_pods:
        items = checklist(report, context, show)
        found.append(replace(items, row=buttons.ticks(view, report.checklist)) if items else None)
    if kind != UNKNOWN:
        found.append(patch(report, context, show))
    return tuple(as_message(reply) for reply in found if reply is not None and reply.parts)


def as_message(reply: Reply, *, limit: int = blocks.THREAD_MAX_CHARS) -> Message:
    """A reply as a message, shortened from the end to its budget."""
    kept = within(reply.parts, limit)
    shown = (*kept, reply.row) if reply.row else kept
    return Message(slot=reply.slot, text=reply.text, blocks=shown, full_text=blocks.as_text(shown), is_reply=True)


def within(parts: Sequence[Block], limit: int, *, most_blocks: int = 45) -> tuple[Block, ...]:
    """As many parts from the front as fit; one grey line says what was left out."""
    kept: list[Block] = []
    used = 0
    for part in parts:
        size = blocks.visible([part])
        if used + size > limit - 60 or len(kept) >= most_blocks:
            left = len(parts) - len(kept)
            grey = blocks.context(f"Cut here: {words.counted(left, 'more part')} did not fit")
            return (*kept, *([grey] if grey else []))
        used += size
        kept.append(part)
    return tuple(kept)


def evidence(report: Report, context: Context, show: Print, *, is_log_last: bool = False, is_for_operator: bool = False) -> Reply | None:
    """Log, container state, lives, events, what is not available, mistakes seen. Where room is short, the log goes last.

    `is_for_operator`: the reader configures the receiver, so the hints at its settings are shown.
    """
    facts, log = report.facts, report.facts.log
    shown = excerpt(log.lines, report.signature) if log else ()
    events = for_the_pod(facts.events)
    seen = _evidence_words(report, shown)
    lines = show("thread/evidence.j2", variables(context, evidence=seen), EVIDENCE_KEYS)
    excerpted = _part(lines, "log", log_lines(log, shown), note="log_note") if log and shown else None
    parts = [
        None if is_log_last else excerpted,
        _part(lines, "state", container_lines(report)),
        _part(lines, "lives", life_lines(report)),
        _part(lines, "events", event_lines(events, facts.now)) if events else _title(lines, "events"),
        _listed(lines, "missing", _missing_lines(report.missing, is_for_operator=is_for_operator)),
        _listed(lines, "seen", (clean_line(say(w.mistake), 300) for w in report.warnings)),
        excerpted if is_log_last else None,
    ]
    return _reply("evidence", lines, context, parts)


def checklist(report: Report, context: Context, show: Print) -> Reply | None:
    """The walked tree, then the nine items."""
    if not report.checklist and not report.tree:
        return None
    lines = show("thread/checklist.j2", variables(context), CHECKLIST_KEYS)
    parts = [
        _listed(lines, "tree", (tree_line(step) for step in report.tree)),
        _listed(lines, "list", (_check_line(item) for item in report.checklist), is_ordered=True),
    ]
    return _reply("checklist", lines, context, parts)


def patch(report: Report, context: Context, show: Print) -> Reply | None:
    """The proposal, the autoscaler, and the long-term fixes. None when there is nothing to change."""
    proposal = report.proposal
    if not (proposal.patch or proposal.diff or proposal.commands or report.hpa or report.long_term or report.fix):
        return None
    lines = show("thread/patch.j2", variables(context), PATCH_KEYS)
    remarks = [*proposal.checks, *proposal.caveats]
    parts = [
        _title(lines, "intro"),
        _part(lines, "now", _commands(proposal.commands)),
        _part(lines, "git", clean_block(proposal.diff or proposal.patch, max_lines=60, max_columns=160)),
        blocks.rich(blocks.bullets(sentence(clean_line(say(r), 300)) for r in remarks)),
        _listed(lines, "later", (_long_term_line(say(t.advice), t.commands) for t in report.long_term[:MOST_FIXES])),
        _part(lines, "scale", clean_block(report.hpa.manifest, max_lines=60, max_columns=300), words_after=say(report.hpa.why))
        if report.hpa
        else None,
    ]
    return _reply("patch", lines, context, parts)


def tree_line(step: TreeStep) -> str:
    """One question as it was walked: `Growing steadily? yes: 20-21 MiB/h in 4 of 4 lives → memory leak`."""
    answer = {"cannot_tell": "cannot tell"}.get(step.answer, step.answer)
    question, because = clean_line(say(step.question), 120), clean_phrase(remark(step.because), RESULT_MAX)
    if step.because is not None and step.because.code.startswith("memory."):  # a sentence of its own, which goes on here
        because = because[:1].lower() + because[1:]
    leads_to = f" → {clean_line(step.leads_to, 60).replace('_', ' ')}" if step.leads_to else ""
    return f"{question} {inline.bold(answer)}{': ' + because if because else ''}{leads_to}"


def check_words(item: CheckItem) -> tuple[str, str, str]:
    """The mark, the text and the result of a checklist item, cleaned."""
    return MARKS.get(item.state, "?"), clean_line(CHECKLIST.get(item.id, item.id), 120), clean_line(say(item.result), RESULT_MAX)


def _check_line(item: CheckItem) -> str:
    mark, text, result = check_words(item)
    title = inline.bold(f"{text}") if item.state == "todo" else text
    return f"{inline.bold(mark)}  {title}{'  ' + inline.italic(result) if result else ''}"


def _evidence_words(report: Report, shown: Sequence[str]) -> EvidenceWords:
    facts, signature = report.facts, report.signature
    log = facts.log or LogFacts(container="")
    is_events_missing = any(m.source == "events" for m in facts.missing)
    return EvidenceWords(
        log_shown=len(shown),
        log_total=len(log.lines),
        is_running_log=log.is_current,
        signature=clean_line(signature.meaning, 120) if signature else "",
        signature_count=signature.count if signature else 0,
        advice=clean_line(signature.advice, 200) if signature else "",
        rising=rising_words(tuple(shown)),
        redacted=redacted(report),
        events=len(for_the_pod(facts.events)),
        asked_events=facts.pod is not None and not is_events_missing,
        has_memory_event=any(e.is_memory_relevant for e in facts.events),
    )


def redacted(report: Report) -> str:
    """`0 values redacted`; with the kinds when there are any."""
    found = {k: n for k, n in report.facts.redactions.items() if n}
    total = words.counted(sum(found.values()), "value")
    kinds = ", ".join(words.counted(n, clean_line(k.replace("_", " "), 30)) for k, n in sorted(found.items(), key=lambda f: (-f[1], f[0])))
    return f"{total} redacted{': ' + kinds if kinds else ''}"


def _missing_lines(missing: Sequence[Missing], *, is_for_operator: bool) -> Iterable[str]:
    """One line a reason: an API that is away is one gap, however many things it would have told.

    A gap that only configuration can close is said in short to the on-call, and not at all where it is normal; to whoever operates
    the receiver with all details.
    """
    by_reason: dict[tuple[str, str], list[str]] = {}
    for gap in missing:
        if is_for_operator or not gap.is_configuration:
            by_reason.setdefault((clean_line(gap.why, 200), gap.hint), []).append(gap.source)
        elif not gap.is_normal:
            by_reason.setdefault((words.shortened(clean_line(gap.why, 200)), ""), []).append(gap.source)
    return [_missing_line(why, hint, sources) for (why, hint), sources in by_reason.items()]


def _missing_line(why: str, hint: str, sources: Sequence[str]) -> str:
    known = dict.fromkeys(clean_line(words.source(s), 60) for s in sources if words.source(s))
    what = ", ".join(known) or "something"
    told = f" {sentence(clean_line(hint, 200))}" if hint else ""
    return f"{what[0].upper()}{what[1:]}: {why.rstrip('.')}.{told}"


def _commands(commands: Iterable[str]) -> str:
    return clean_block("\n".join(commands), max_lines=24, max_columns=900)  # a command that is cut cannot be pasted


def _long_term_line(text: str, commands: Sequence[str]) -> str:
    run = f" {inline.code(commands[0])}" if commands else ""
    return f"{ended(clean_line(text, 300))}{run}"


def _title(lines: Fragments, key: str) -> Block | None:
    found = blocks.section(" ".join(lines.get(key, ())))
    return blocks.rich(found) if found else None


def _part(lines: Fragments, key: str, text: str, *, note: str = "", words_after: str = "") -> Block | None:
    """A titled preformatted part. Without its title (a template that leaves it out) it is not shown."""
    title, body = blocks.section(" ".join(lines.get(key, ()))), blocks.preformatted(text)
    if title is None or body is None:
        return None
    after = " ".join(lines.get(note, ())) if note else sentence(clean_line(words_after, 300))
    return blocks.rich(title, body, blocks.section(after))


def _listed(lines: Fragments, key: str, items: Iterable[str], *, is_ordered: bool = False) -> Block | None:
    title, body = blocks.section(" ".join(lines.get(key, ()))), blocks.bullets(items, is_ordered=is_ordered)
    return blocks.rich(title, body) if title and body else None


def _reply(slot: str, lines: Fragments, context: Context, parts: Iterable[Block | None]) -> Reply:
    return Reply(
        slot=slot,
        text=lock_screen(lines.get("text", ()), context.subject),
        parts=tuple(p for p in parts if p is not None and p.get("elements")),
    )
