"""Where the evidence comes from and of when it is, what could not be read, and what changed between rollouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from receiver.case.events import for_the_pod
from receiver.domain.case import HELD, Case
from receiver.domain.facts import Revision
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.domain.units import parse_time
from receiver.render import words
from receiver.render.page.model import EvidencePart, MissingRow, RevisionRow, SourceRow
from receiver.render.page.stored import Stored
from receiver.render.sections import container_lines, event_lines, life_lines
from receiver.render.text import clean_line, sentence
from receiver.render.wording import say
from receiver.render.wording.forms import upper_first

MOST_REVISIONS = 10
SOON_S = 24 * 3600.0  # a kill later than this after a rollout is not told beside it


def evidence_of(stored: Stored, report: Report | None, sources: tuple[SourceRow, ...]) -> EvidencePart | None:
    """Everything about the evidence; None when there was never any."""
    missing = missing_of(stored, report)
    if report is None:
        return EvidencePart(sources=sources, missing=missing) if sources or missing else None
    return EvidencePart(
        sources=sources,
        missing=missing,
        container=container_lines(report),
        lives=life_lines(report),
        events=event_lines(for_the_pod(report.facts.events), report.facts.now),
        mistakes=tuple(sentence(w.text("text")) for w in stored.all("warnings")),
        numbers=stored.texts("numbers"),
    )


def sources_of(case: Case) -> tuple[SourceRow, ...]:
    """The sources that answered, each with when it was read."""
    held = case.notes.get(HELD)
    known: Mapping[str, Any] = held if isinstance(held, Mapping) else {}
    rows = []
    for source in case.answers:
        read_at = parse_time(known.get(source))
        rows.append(
            SourceRow(
                source=source, what=upper_first(words.source(source)), at=read_at or case.gathered_at,
                found=say(_found(source, case.answers[source])), is_held=read_at is not None,
            )
        )  # fmt: skip
    return tuple(rows)


def _found(source: str, answer: object) -> Reason | None:
    """How much a source told, where that is a number."""
    if isinstance(answer, Mapping) and isinstance(answer.get("items"), list):
        return reason("page.found.objects", count=len(answer["items"]))
    if isinstance(answer, list):
        return reason("page.found.objects", count=len(answer))
    if source == "log" and isinstance(answer, Mapping):
        return reason("page.found.lines", count=len(str(answer.get("text") or "").splitlines()))
    if isinstance(answer, Mapping) and isinstance(answer.get("series"), Mapping):
        series = [s for found in answer["series"].values() if isinstance(found, list) for s in found if isinstance(s, Mapping)]
        samples = sum(len(s["values"]) for s in series if isinstance(s.get("values"), list))
        return reason("page.found.samples", count=samples, series=len(series))
    return None


def missing_of(stored: Stored, report: Report | None) -> tuple[MissingRow, ...]:
    """One row a reason: an API that is away is one gap, however many things it would have told."""
    stated = list(stored.all("missing"))
    judged = report.missing if report is not None and len(report.missing) == len(stated) else ()
    by_reason: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for number, gap in enumerate(stated):
        is_normal = bool(judged) and judged[number].is_normal
        by_reason.setdefault((gap.text("why"), gap.text("hint")), []).append((gap.text("source", 60), is_normal))
    return tuple(
        MissingRow(
            sources=tuple(source for source, _ in gaps), what=_named([source for source, _ in gaps]), in_short=sentence(words.shortened(why)),
            why=sentence(why), hint=sentence(hint), is_normal=all(is_normal for _, is_normal in gaps),
        )
        for (why, hint), gaps in by_reason.items()
    )  # fmt: skip


def _named(sources: Sequence[str]) -> str:
    return upper_first(", ".join(dict.fromkeys(words.source(s) for s in sources if s)))


def revisions_of(report: Report, first_kill_at: datetime | None) -> tuple[RevisionRow, ...]:
    """The newest rollouts, each with what it changed for the container, newest first."""
    workload = report.facts.workload
    found = workload.revisions[:MOST_REVISIONS] if workload is not None else ()
    container = report.subject.container
    rows = [_revision_row(new, _changes(old, new, container), first_kill_at) for new, old in pairwise(found)]
    return (*rows, _revision_row(found[-1], (), first_kill_at)) if found else ()


def _revision_row(revision: Revision, changes: Sequence[Reason], first_kill_at: datetime | None) -> RevisionRow:
    return RevisionRow(
        name=clean_line(revision.name, 253),
        number=revision.revision,
        at=revision.created_at,
        changes=tuple(upper_first(clean_line(say(c), 400)) for c in changes),
        cause=clean_line(revision.change_cause, 200),
        before_kill=say(_before(revision.created_at, first_kill_at)),
    )


def _before(at: datetime | None, kill_at: datetime | None) -> Reason | None:
    if at is None or kill_at is None or not 0 <= (kill_at - at).total_seconds() < SOON_S:
        return None
    return reason("page.revision.before_kill", before_s=(kill_at - at).total_seconds())


def _changes(old: Revision, new: Revision, container: str) -> tuple[Reason, ...]:
    """What a rollout changed for one container."""
    image, image_before = new.images.get(container, ""), old.images.get(container, "")
    limit, limit_before = new.limits_bytes.get(container), old.limits_bytes.get(container)
    flags, flags_before = new.flags.get(container, ()), old.flags.get(container, ())
    found: list[Reason] = []
    if image != image_before and image:
        found.append(reason("page.revision.image", before=image_before, after=image))
    if limit != limit_before:
        found.append(reason("page.revision.limit", before_bytes=limit_before, after_bytes=limit))
    if flags != flags_before:
        gone, come = [f for f in flags_before if f not in flags], [f for f in flags if f not in flags_before]
        found.append(reason("page.revision.flags", gone=tuple(gone), come=tuple(come)))
    if not found and new.restarted_at != old.restarted_at:
        found.append(reason("page.revision.restart"))
    return tuple(found) or (reason("page.revision.other"),)
