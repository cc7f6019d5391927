"""Proposes changes in Git and follows them until they are merged or closed: `request` jobs. Nothing here merges.

A request is a wish in the incident's memory; what the forge has is found again by the branch's name before anything is made, so a
crash at any moment leaves one request. Reading and writing at the forge happen outside transactions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.diagnosis.advice.trim import TRIM as TRIM_ROLE
from receiver.domain.change_request import FIX, MERGED, OPEN, TRIM, WANTED, ChangeRequest
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Report
from receiver.domain.units import from_epoch
from receiver.errors import SourceError, Throttled
from receiver.forge import Edit, Forge, ForgeConfig, Request, State, make_forge
from receiver.pipeline import request_steps as steps
from receiver.pipeline.kinds import PUBLISH, REQUEST
from receiver.pipeline.publish import Publisher
from receiver.pipeline.repositories import Repository, repository_of
from receiver.render.request import RequestText, comment_text, fingerprint_in, fingerprint_of, request_text, with_fingerprint
from receiver.store import incidents, jobs
from receiver.store.incidents import Incident
from receiver.store.jobs import Job
from receiver.store.store import Store

log = logging.getLogger(__name__)

POLL_S = 300.0  # while a request is open
POLL_MERGED_S = 3600.0  # afterwards, for what came of it
FOLLOWED_S = 14 * 86_400.0  # then nobody is going to merge it
MAX_ERROR = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The one place that decides, and how it reads with the proposed memory; no edits: why there is none."""

    edits: tuple[Edit, ...] = ()
    why: Reason | None = None
    refusal: Reason | None = None


Finder = Callable[[Mapping[str, str], Report], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConfig:
    """`repositories`: the setting `gitops`. `public_url`: for the link to the chart; empty: none."""

    repositories: tuple[Repository, ...] = ()
    public_url: str = ""


class ChangeRequests:
    """Handles `request` jobs."""

    def __init__(
        self, *, store: Store, publisher: Publisher, find: Finder, config: RequestConfig, redact: Callable[[str], str] = lambda text: text,
        connect: Callable[[ForgeConfig], Forge] = make_forge,
    ) -> None:  # fmt: skip
        """`find`: the place in a repository's files. `redact`: a text without the secrets in it."""
        self._store = store
        self._publisher = publisher
        self._find = find
        self._config = config
        self._redact = redact
        self._connect = connect
        self._forges: dict[ForgeConfig, Forge] = {}

    def run(self, job: Job) -> None:
        """One step of the newest request: open it, bring it up to date, see what became of it, say what came of the fix."""
        with self._store.read() as tx:
            incident = incidents.load(tx, job.subject_id)
        request = incident.memory.request if incident is not None else None
        if incident is None or request is None:
            self._end(job)
            return
        repository = repository_of(self._config.repositories, incident.subject)
        if repository is None:
            self._record(
                job, request, lambda m: steps.refused(m, why=reason("request.no_repository"), at=self._now()) if request.is_standing else m
            )
            return
        try:
            self._step(job, incident, request, repository)
        except Throttled as exc:
            with self._store.write() as tx:
                jobs.put_back(tx, job, due_at=self._store.now() + (exc.retry_after_s or POLL_S))
        except SourceError as exc:
            if exc.retryable and not job.is_last_attempt:
                raise
            self._failed(job, request, str(exc))

    def _step(self, job: Job, incident: Incident, request: ChangeRequest, repository: Repository) -> None:
        forge = self._forge(repository)
        if request.state == WANTED:
            self._open(job, incident, request, forge, repository)
        elif request.state == OPEN:
            self._follow(job, incident, request, forge, repository)
        else:
            self._tell_results(job, incident, request, forge)

    # -- opening

    def _open(self, job: Job, incident: Incident, request: ChangeRequest, forge: Forge, repository: Repository) -> None:
        known = {r.number for r in incident.memory.requests if r.number}
        there = forge.find(request.branch)
        if there is not None and there.state is not State.OPEN and there.number not in known:  # made before a crash, and ended since
            found = replace(request, number=there.number, url=there.url)
            self._record(job, request, lambda m: self._ended(steps.opened(m, found, at=self._now()), there), again_s=POLL_MERGED_S)
            return
        answer = self._brought_up_to_date(incident, request, forge, repository, there if there and there.state is State.OPEN else None)
        if isinstance(answer, Reason):
            self._record(job, request, lambda m: steps.refused(m, why=answer, at=self._now()))
            return
        self._record(job, request, lambda m: steps.opened(m, answer, at=self._now()), again_s=POLL_S)

    def _brought_up_to_date(
        self, incident: Incident, request: ChangeRequest, forge: Forge, repository: Repository, there: Request | None
    ) -> ChangeRequest | Reason:
        """The branch and the request as the newest report wants them; why not, where there is nothing to propose."""
        report = self._report(incident)
        proposal = report.proposal if report is not None else None
        if report is None or proposal is None or proposal.limit_bytes is None or (proposal.role == TRIM_ROLE) != (request.purpose == TRIM):
            return (proposal.none if proposal is not None else None) or reason("request.nothing_proposed")
        base = forge.branch(repository.forge.base)
        if base is None:
            return reason("request.no_base", base=repository.forge.base, repository=repository.forge.repository)
        found = self._find(forge.files(base.commit), report)
        if not found.edits:
            return found.refusal or reason("request.no_place")
        text = request_text(
            report, incident.id, purpose=request.purpose, place=found.why,
            page_url=f"{self._config.public_url}/incidents/{incident.id}" if self._config.public_url else "", kills=incident.memory.kill_count,
        )  # fmt: skip
        text = replace(text, body=self._redact(text.body))
        self._write_branch(forge, request.branch, base.commit, text, found.edits)
        if there is None:
            there = forge.open(request.branch, title=text.title, body=text.body)
        elif (there.title, there.body) != (text.title, text.body):
            forge.edit(there.number, title=text.title, body=text.body)
        return replace(
            request, number=there.number, url=there.url, cause=report.cause.name.value if incident.memory.look is None else incident.memory.look.verdict.named_cause,
            limit_bytes=proposal.limit_bytes, limit_before_bytes=incident.memory.settings.limit_bytes,
        )  # fmt: skip

    @staticmethod
    def _write_branch(forge: Forge, branch: str, base: str, text: RequestText, edits: tuple[Edit, ...]) -> None:
        """One commit of ours. What somebody pushed onto it stays: then only the text is brought up to date."""
        fingerprint = fingerprint_of((e.path, e.text) for e in edits)
        there = forge.branch(branch)
        if there is None or (known := fingerprint_in(there.message)) not in ("", fingerprint) or (not known and there.commit == base):
            forge.write(branch, on=base, message=with_fingerprint(text.commit, fingerprint), edits=edits)

    # -- following

    def _follow(self, job: Job, incident: Incident, request: ChangeRequest, forge: Forge, repository: Repository) -> None:
        there = forge.get(request.number)
        if there.state is not State.OPEN:
            self._record(job, request, lambda m: self._ended(m, there), again_s=POLL_MERGED_S)
            return
        why = steps.contradicted(incident.memory, request)
        if why is not None:
            forge.comment(
                request.number, self._redact(comment_text(reason("request.closing", why=why))), mark=f"oomtriage {incident.id} closed"
            )
            forge.close(request.number)
            self._record(job, request, lambda m: steps.closed(m, why=why, at=self._now()), again_s=POLL_MERGED_S)
            return
        report = self._report(incident)
        is_other = report is not None and report.proposal.limit_bytes not in (None, request.limit_bytes)
        if is_other:
            answer = self._brought_up_to_date(incident, request, forge, repository, there)
            if isinstance(answer, ChangeRequest):
                self._record(job, request, lambda m: steps.opened(m, answer, at=self._now()), again_s=POLL_S)
                return
        is_given_up = request.opened_at is not None and (self._now() - request.opened_at).total_seconds() > FOLLOWED_S
        self._end(job, again_s=None if is_given_up else POLL_S)

    def _ended(self, memory: IncidentMemory, there: Request) -> IncidentMemory:
        if there.state is State.MERGED:
            return steps.merged(memory, at=there.merged_at or self._now(), now=self._now())
        return steps.closed(memory, why=None, at=self._now())

    def _tell_results(self, job: Job, incident: Incident, request: ChangeRequest, forge: Forge) -> None:
        """What came of the fix, below its request; then the trim, as a request of its own."""
        if not request.number:
            self._end(job)
            return
        said = list(steps.due_comments(incident.memory, incident.id, request))
        report = self._report(incident) if said else None
        for one in said:
            forge.comment(request.number, self._redact(comment_text(one.what, report)), mark=one.mark)
        offers_trim = request.state == MERGED and request.purpose == FIX and self._has_trim(incident)

        def after(memory: IncidentMemory) -> IncidentMemory:
            for one in said:
                memory = steps.said(memory, one.mark)
            wished = steps.want(memory, incident.id, by="", at=self._now(), purpose=TRIM) if offers_trim else None
            return wished or memory

        watched = incident.memory.standing_watch
        is_over = request.ended_at is not None and (self._now() - request.ended_at).total_seconds() > FOLLOWED_S
        again_s = 0.0 if offers_trim else POLL_MERGED_S if not is_over and (watched is not None or request.state == MERGED) else None
        self._record(job, request, after, again_s=again_s)

    def _has_trim(self, incident: Incident) -> bool:
        report = self._report(incident)
        return report is not None and report.proposal.role == TRIM_ROLE

    # -- what is shared

    def _report(self, incident: Incident) -> Report | None:
        with self._store.read() as tx:
            case = incidents.evidence_of(tx, incident.id)
        return self._publisher.as_shown(self._publisher.judged(case, incident.memory), incident.memory) if case is not None else None

    def _forge(self, repository: Repository) -> Forge:
        if repository.forge not in self._forges:
            self._forges[repository.forge] = self._connect(repository.forge)
        return self._forges[repository.forge]

    def _failed(self, job: Job, request: ChangeRequest, error: str) -> None:
        """For good: told where it was asked for. One that stands is looked at again later."""
        log.warning("a change could not be proposed", extra={"incident": job.subject_id, "error": error})
        if request.state == WANTED:
            why = reason("request.refused", error=error[:MAX_ERROR])
            self._record(job, request, lambda m: steps.refused(m, why=why, at=self._now()))
            return
        self._end(job, again_s=POLL_MERGED_S)

    def _record(
        self, job: Job, request: ChangeRequest, step: Callable[[IncidentMemory], IncidentMemory], *, again_s: float | None = None
    ) -> None:
        now = self._store.now()
        with self._store.write() as tx:
            if not jobs.finish(tx, job):
                return
            incident = incidents.load(tx, job.subject_id)
            if incident is None:
                return
            if steps.is_asked_for_still(incident.memory, request):
                after = step(incident.memory)
                incidents.save_memory(tx, incident.id, after)
                if after.log != incident.memory.log:
                    jobs.schedule(tx, PUBLISH, incident.id, now=now)
            if again_s is not None and incident.closed_at is None:
                jobs.schedule(tx, REQUEST, incident.id, now=now, due_at=now + again_s)

    def _end(self, job: Job, *, again_s: float | None = None) -> None:
        now = self._store.now()
        with self._store.write() as tx:
            jobs.finish(tx, job)
            if again_s is not None:
                jobs.schedule(tx, REQUEST, job.subject_id, now=now, due_at=now + again_s)

    def _now(self) -> datetime:
        return from_epoch(self._store.now())
