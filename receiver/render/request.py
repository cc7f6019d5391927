"""A proposed change as its reviewers read it at the forge: title, commit message, body, and the comments below it. Pure.

What a name, a label or a log says is text there and nothing else: it mentions nobody, closes nothing, links nowhere, shows no picture
and gives no order to a bot (docs/threat-model.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from receiver.domain.change_request import TRIM
from receiver.domain.incident_memory import GivenVerdict
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Proposal, Report
from receiver.domain.units import format_quantity
from receiver.render.text import clean_line, sentence
from receiver.render.wording import say

BODY_MAX = 60_000  # GitHub takes 65,536 characters
LINE_MAX = 600
APART = "\u200b"  # keeps a mark from its name, and is not seen
_TRAILER = "Oomtriage-Content"
_FINGERPRINT = re.compile(rf"^{_TRAILER}: ([0-9a-f]{{16}})$", re.MULTILINE)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._/-]+")
_MARKS = re.compile(r"([@#!$~&](?=\w))|(GH-|GL-)(?=\d)|://|\bwww\.", re.IGNORECASE)
_MARKDOWN = str.maketrans({"<": "&lt;", ">": "&gt;", "`": "'", "[": r"\[", "]": r"\]", "*": r"\*", "_": r"\_", "|": r"\|", "\\": r"\\"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestText:
    """A request's words. `commit`: the message, without the mark by which the commit is known again."""

    title: str
    commit: str
    body: str


def request_text(report: Report, incident_id: str, *, purpose: str, place: Reason | None, page_url: str, kills: int) -> RequestText:
    """The words of a request. `place`: why this one decides the container's memory."""
    proposal, subject = report.proposal, report.subject
    workload = subject.workload.name if subject.workload is not None else subject.pod
    name = "/".join(safe_name(part) for part in dict.fromkeys((subject.namespace, workload, subject.container)) if part)
    before = format_quantity(proposal.limit_before_bytes) if proposal.limit_before_bytes else ""
    title = say(reason("request.title", name=name, before=before, after=format_quantity(proposal.limit_bytes or 0)))
    role = reason("request.role", role=proposal.role, buys_h=proposal.buys_h, is_trim=purpose == TRIM)
    verdict = GivenVerdict(cause=report.cause.name.value, confidence=report.cause.confidence, detail=report.cause.detail).as_reason()
    facts = reason("request.commit", role=role, verdict=verdict, kills=kills, incident=safe_name(incident_id))
    body = [
        f"**{plain(say(role))}.**",
        plain(say(reason("request.verdict", verdict=verdict, kills=kills))),
        *_sections(report, place),
        *([say(reason("request.chart", url=page_url))] if page_url else []),
        say(reason("request.foot", incident=safe_name(incident_id))),
    ]
    return RequestText(
        title=title, commit=f"{title}\n\n{_MARKS.sub(_apart, clean_line(say(facts), LINE_MAX))}", body="\n\n".join(body)[:BODY_MAX]
    )


def _sections(report: Report, place: Reason | None) -> Iterator[str]:
    proposal, cause = report.proposal, report.cause
    yield from _listed(reason("request.head.because"), _texts([*report.kill.because, *cause.because]))
    yield from _listed(reason("request.head.change"), [*_numbers(proposal), *_texts([proposal.why, *proposal.checks, *proposal.caveats])])
    yield from _listed(reason("request.head.place"), _texts([place]))
    yield from _listed(
        reason("request.head.tree"), [f"{plain(say(s.question))} {_answer(s.answer)}: {plain(say(s.because))}" for s in report.tree]
    )
    yield from _listed(reason("request.head.wrong"), _texts([*cause.against, cause.settle_by, reason("request.wrong_if")]))


def comment_text(what: Reason, report: Report | None = None) -> str:
    """A comment below a request; with `report`, what is proposed next where there is something."""
    text = plain(say(what))
    proposal = report.proposal if report is not None else None
    if proposal is None or proposal.limit_bytes is None:
        return text
    return f"{text}\n\n{plain(say(reason('request.next', limit_bytes=proposal.limit_bytes, why=proposal.why)))}"


def with_fingerprint(message: str, fingerprint: str) -> str:
    """A commit message by which the commit is known as ours, and with what in it."""
    return f"{message}\n\n{_TRAILER}: {fingerprint}"


def fingerprint_of(files: Iterable[tuple[str, str]]) -> str:
    """Of what a commit makes of its files."""
    return hashlib.sha256(repr(sorted(files)).encode()).hexdigest()[:16]


def fingerprint_in(message: str) -> str:
    """Of a commit of ours; empty for anybody else's."""
    found = _FINGERPRINT.search(message)
    return found[1] if found is not None else ""


def safe_name(text: str) -> str:
    """A name of Kubernetes in a title or a commit, where nothing can be quoted."""
    return _MARKS.sub(_apart, _NOT_IN_A_NAME.sub("-", text))[:80].strip("-/.")


def plain(text: str) -> str:
    """Foreign text on one line of Markdown, as the text it is."""
    return _MARKS.sub(_apart, clean_line(text, LINE_MAX).translate(_MARKDOWN)).lstrip("/#-+=")


def _apart(match: re.Match[str]) -> str:
    found = match[0]
    return f"{found[0]}{APART}{found[1:]}" if len(found) > 1 else f"{found}{APART}"


def _texts(reasons: Iterable[Reason | None]) -> list[str]:
    return [plain(sentence(say(r))) for r in reasons if r is not None]


def _numbers(proposal: Proposal) -> list[str]:
    found = [reason("request.limit", before_bytes=proposal.limit_before_bytes, limit_bytes=proposal.limit_bytes)]
    if proposal.request_bytes is not None:
        found.append(reason("request.request", before_bytes=proposal.request_before_bytes, request_bytes=proposal.request_bytes))
    return [plain(say(r)) for r in found]


def _answer(answer: str) -> str:
    return answer.replace("_", " ")


def _listed(head: Reason, lines: Iterable[str]) -> Iterator[str]:
    shown = [f"- {line}" for line in lines if line]
    if shown:
        yield "\n".join([f"### {say(head)}", "", *shown])
