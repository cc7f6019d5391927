"""The way from an incident and its report to messages. Pure: no clock, no files, no network.

`Renderer` is what the rest of the program sees of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import jinja2

from receiver.domain.incident import FIRING, DigestView, IncidentView, Message
from receiver.domain.incident_memory import WatchedFix
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.render import blocks, mentions, root, terminal, thread
from receiver.render.context.build import build
from receiver.render.digest import digest, digest_bare, grown
from receiver.render.environment import BrokenTemplate, Fragments, fragments
from receiver.render.kinds import kind_of
from receiver.render.root import Draft, Print
from receiver.render.text import clean_block, cut, escape_mrkdwn

IN_THREAD, BELOW = "in the thread", "below"  # where the patch stands, for whoever reads the root
PLAIN_MAX = 3_500  # characters: Slack advises 4,000 for `text`, and escaping makes it longer

Made = TypeVar("Made")


class Renderer:
    """Turns incidents into messages. `environment` comes from `slack_environment`; a template of it that fails falls
    back to the same one of `builtin`, with a visible note: an alert is never lost to a template.

    `on_broken` is told the name of each template that failed, and why.
    """

    def __init__(
        self,
        environment: jinja2.Environment,
        builtin: jinja2.Environment | None = None,
        *,
        on_broken: Callable[[str, str], object] | None = None,
    ) -> None:
        self._environments = (environment, *([builtin] if builtin is not None else []))
        self._on_broken = on_broken

    def incident(
        self, view: IncidentView, report: Report | None, *, chart: blocks.Block | None = None, patch_place: str = IN_THREAD
    ) -> tuple[Message, ...]:  # fmt: skip
        """Everything the conversation of an incident should hold now: the root, then its replies in thread order.

        `chart`: an image block for the root (`blocks.image`). `patch_place`: `BELOW` where all of it stands on one page.
        """

        def make(seen: IncidentView, found: Report | None, show: Print) -> tuple[Message, ...]:
            draft = _draft(seen, found, patch_place=patch_place, chart=chart)
            first = root.root(draft, show)
            message = Message(slot="root", text=first.text, blocks=first.blocks, full_text=blocks.as_text(first.blocks))
            return (message, *thread.replies(seen, found, draft.context, draft.kind, show))

        return self._surely(make, view, report) or (_bare(view),)

    def single(self, view: IncidentView, report: Report | None) -> Message:
        """The whole incident in one message, for sinks without threads: shortened from the end to Slack's limits."""

        def make(seen: IncidentView, found: Report | None, show: Print) -> Message:
            draft = _draft(seen, found, patch_place=BELOW)
            first = root.root(draft, show)
            parts = _parts(draft, show)
            room = blocks.MESSAGE_MAX_CHARS - blocks.visible(first.blocks)
            shown = (*first.blocks, *thread.within(parts, room, most_blocks=blocks.MESSAGE_MAX_BLOCKS - len(first.blocks) - 1))
            return Message(slot="root", text=first.text, blocks=shown, full_text=blocks.as_text(shown))

        return self._surely(make, view, report) or _bare(view)

    def later(self, view: IncidentView, report: Report | None) -> Message:
        """The incident's new state as a short message that names it: for sinks that cannot edit, and for broadcasts."""

        def make(seen: IncidentView, found: Report | None, show: Print) -> Message:
            short = root.later(_draft(seen, found), show)
            return Message(slot="later", text=short.text, blocks=short.blocks, full_text=blocks.as_text(short.blocks))

        return self._surely(make, view, report) or replace(_bare(view), slot="later")

    def digest(self, view: DigestView) -> tuple[Message, ...]:
        """A storm: one root, then pages (`digest-page:1`, ...) that name every workload, at most 90 lines each."""
        show, _ = self._print()
        try:
            return digest(view, show)
        except BrokenTemplate as exc:
            return digest_bare(view, str(exc))

    def grown(self, view: DigestView) -> Message:
        """A storm that is much larger than when it was last heard: a short reply that must be noticed."""
        show, _ = self._print()
        try:
            return grown(view, show)
        except BrokenTemplate as exc:
            root = digest_bare(view, str(exc))[0]
            return replace(root, slot=f"grown:{len(view.entries)}", is_reply=True, is_broadcast=True, blocks=root.blocks[:2])

    def plain(self, message: Message) -> Message:
        """The same message without blocks, for when a sink refused them."""
        return replace(message, text=plain_body(message.body())["text"], blocks=())

    def console(self, message: Message) -> str:
        """A message as text for a terminal."""
        return terminal.wrap(message.full_text)

    def report_text(self, report: Report, verbose: bool = False, *, width: int | None = None) -> str:
        """A whole report for a terminal (`-o text`); `verbose` adds the numbers behind the verdict. `width`: columns, None: `WIDTH`."""
        view = standalone_view(report)

        def make(seen: IncidentView, found: Report | None, show: Print) -> str:
            draft = _draft(seen, found, patch_place=BELOW)
            whole = [blocks.as_text([b]) for b in _parts(draft, show, is_for_operator=True)]
            first = blocks.as_text(root.root(draft, show).blocks)
            return terminal.stack([terminal.with_memory(first, found) if found is not None else first, *whole])

        text = self._surely(make, view, report) or _bare(view).full_text
        behind = terminal.numbers(report) if verbose else ""
        return terminal.wrap(
            terminal.stack([text, f"Numbers behind the verdict\n{_indented(behind)}" if behind else ""]), width or terminal.WIDTH
        )

    def slack_lines(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """chat.postMessage bodies in posting order (`-o slack`), with the extra keys `slot` and `thread`."""
        return [
            {"slot": m.slot, "thread": m.is_reply, "text": m.text, "blocks": [dict(b) for b in m.blocks], "unfurl_links": False, "unfurl_media": False}
            | ({"reply_broadcast": True} if m.is_broadcast else {})
            for m in messages
        ]  # fmt: skip

    def _print(self) -> tuple[Print, dict[str, str]]:
        """A function that prints templates, and the list of those it found broken (name -> why)."""
        broken: dict[str, str] = {}

        def show(name: str, variables: Mapping[str, Any], keys: Sequence[str]) -> Fragments:
            *first, last = self._environments
            for environment in first:
                try:
                    return fragments(environment, name, variables, keys)
                except BrokenTemplate as exc:
                    broken[exc.name] = exc.why
                    if self._on_broken is not None:
                        self._on_broken(exc.name, exc.why)
            return fragments(last, name, variables, keys)

        return show, broken

    def _surely(self, make: Callable[[IncidentView, Report | None, Print], Made], view: IncidentView, report: Report | None) -> Made | None:
        """What `make` makes; with a note when a template was broken, without the report when that cannot be shown at all.

        None when even that fails: then the alert is passed on without templates.
        """
        show, broken = self._print()
        try:
            made = make(view, report, show)
            if not broken:
                return made
            name, why = next(iter(broken.items()))
            return make(_noted(view, reason("incident.note.template_broken", name=name, why=why)), report, show)
        except BrokenTemplate as exc:
            problem = reason("incident.note.template_unusable", name=exc.name, why=exc.why)
        except Exception as exc:  # noqa: BLE001  whatever is wrong with a report must not withhold the alert
            problem = reason("incident.note.report_not_shown", error=f"{type(exc).__name__}: {exc}")
        try:
            return make(_noted(view, problem), None, show)
        except BrokenTemplate:
            return None


def standalone_view(report: Report) -> IncidentView:
    """An incident for a report that no incident tells of (`triage`, `diagnose`)."""
    facts = report.facts
    severity = facts.alerts[0].severity if facts.alerts else "warning"
    pods = (report.subject.pod,) if report.subject.pod else ()
    fix = report.fix
    return IncidentView(
        fix=WatchedFix(number=1, since=fix.at, changes=fix.changes, forecast=fix.forecast, is_enough=fix.is_enough, pods=fix.pods)
        if fix is not None
        else None,
        id="",
        state=FIRING,
        subject=report.subject,
        severity=severity,
        opened_at=report.kill.at or facts.now,
        alerts=facts.alerts,
        pods=pods,
    )


def plain_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A message body as escaped text without blocks, for when a sink refused the blocks. A configured mention stays."""
    words = clean_block(str(body.get("full_text") or ""), max_lines=120, max_columns=600) or str(body.get("text", ""))
    mention = mentions.as_mrkdwn(str(body.get("text", "")))
    return {**body, "text": escape_mrkdwn(cut(words, PLAIN_MAX)) + mention, "blocks": []}


def _draft(view: IncidentView, report: Report | None, *, patch_place: str = IN_THREAD, chart: blocks.Block | None = None) -> Draft:
    context = build(view, report, patch_place=patch_place)
    return Draft(view=view, report=report, context=context, kind=kind_of(report, is_memory_alert=context.alert.has_oom_name), chart=chart)


def _parts(draft: Draft, show: Print, *, is_for_operator: bool = False) -> list[blocks.Block]:
    """Everything below the root in one message: tree and checklist, patch, then the evidence."""
    report = draft.report
    if report is None:
        return []
    found = [
        thread.checklist(report, draft.context, show),
        thread.patch(report, draft.context, show),
        thread.evidence(report, draft.context, show, is_log_last=True, is_for_operator=is_for_operator),
    ]
    return [part for reply in found if reply for part in reply.parts]


def _noted(view: IncidentView, note: Reason) -> IncidentView:
    return replace(view, notes=(note, *view.notes))


def _bare(view: IncidentView) -> Message:
    """The alert without any template."""
    shown = root.bare(view)
    text = escape_mrkdwn(cut(blocks.as_text(shown[:1]), blocks.TEXT_MAX)) + mentions.as_mrkdwn(view.mention)
    return Message(slot="root", text=text, blocks=shown, full_text=blocks.as_text(shown))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
