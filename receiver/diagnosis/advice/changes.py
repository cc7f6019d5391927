"""What was changed since the kill: by whom, when, whether it lasts, and whether the verdict lets it help. Pure.

The template is the truth and the pods come second: what a person applied stands in the owner before any pod has it, and a pod
resized in place loses it with the next rollout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from receiver.diagnosis.advice.starting_point import SetBy, Start, start_of
from receiver.diagnosis.clues import Clues, is_same, limit_at, own_revision
from receiver.domain.change import Baseline, Change, Setup, What
from receiver.domain.facts import Revision, Write
from receiver.domain.report import Kill, Report
from receiver.domain.units import parse_time

A_MOMENT = timedelta(minutes=1)  # the API server's clock, and a whole second's rounding
IN_TEMPLATE = (What.LIMIT, What.IMAGE, What.FLAGS, What.RESTART)  # what was changed there replaces the pods
_RESIZE_EVENTS = ("ResizeStarted", "ResizeCompleted")


def baseline_of(clues: Clues, kill: Kill) -> Baseline:
    """What was in force when it was killed: as remembered, unless this kill is newer. Without a kill: what is in force now."""
    known = clues.facts.known.baseline
    if known is not None and (kill.at is None or kill.at <= known.at or not kill.kind.is_kill):
        return known
    return Baseline(setup=setup_of(clues, kill.at if kill.kind.is_kill else None), at=kill.at or clues.facts.now)


def setup_of(clues: Clues, at: datetime | None) -> Setup:
    """What was in force at that moment (of a kill) for the container that the facts are about; None: now.

    Image and flags are those of the template of that time, not of the pod: webhooks write into pods, and that is no change.
    """
    facts, name, own = clues.facts, clues.container_name, own_revision(clues.facts) or _revision_at(clues, at)
    if own is not None and name not in own.images and name not in own.limits_bytes:  # what was read of it has no such container
        own = None
    workload = facts.workload
    if workload is None:
        return Setup(limit_bytes=limit_at(clues, at))
    template = workload.template or {}
    of_template = own.limits_bytes.get(name) if own is not None else template[name].limit_bytes if name in template else None
    return Setup(
        limit_bytes=limit_at(clues, at) or of_template,
        template_bytes=of_template,
        has_template=own is not None or workload.template is not None,
        image=own.images.get(name, "") if own is not None else workload.template_images.get(name, ""),
        flags=own.flags.get(name, ()) if own is not None else workload.template_flags.get(name, ()),
        replicas=workload.replicas_desired,
        hpa=workload.hpa_line if not _lacks(clues, "hpa") else None,
        vpa=workload.vpa_line if not _lacks(clues, "vpa") else None,
        restarted_at=own.restarted_at if own is not None else workload.restarted_at,
    )


def _revision_at(clues: Clues, at: datetime | None) -> Revision | None:
    """The newest revision of that moment, where the pod does not say which one it is of."""
    workload = clues.facts.workload
    if workload is None or at is None:
        return None
    return next((r for r in workload.revisions if r.created_at is not None and r.created_at <= at), None)


def changes_of(clues: Clues, baseline: Baseline) -> tuple[Change, ...]:
    """Everything that is not as it was, the weightiest first."""
    return tuple(_Changes(clues, baseline).found())


@dataclass(frozen=True, slots=True)
class _Changes:
    clues: Clues
    was: Baseline

    def found(self) -> Iterator[Change]:
        start = start_of(self.clues)
        template = self._limit(start)
        found = [*([template] if template is not None else []), *self._of_pod(start, template), *self._of_template()]
        yield from found
        yield from self._of_autoscalers()
        if not found:
            yield from self._restart()

    def _limit(self, start: Start) -> Change | None:
        """Another limit in the template."""
        was, name, workload = self.was.setup, self.clues.container_name, self.clues.facts.workload
        if start.template is not None:
            limit = start.template_bytes
        elif workload is not None and workload.template is None and workload.revisions:  # the newest revision is the template
            limit = workload.revisions[0].limits_bytes.get(name)
        else:
            return None
        if not was.has_template or is_same(limit, was.template_bytes):
            return None
        return self._rolled(
            What.LIMIT,
            "limit",
            lambda r: is_same(r.limits_bytes.get(name), limit),
            before_bytes=was.limit_bytes if was.template_bytes is None else was.template_bytes,
            after_bytes=limit,
        )

    def _of_pod(self, start: Start, template: Change | None) -> Iterator[Change]:
        """Another limit in force in the pod that was killed, in place."""
        was, limit = self.was.setup, self.clues.limit_bytes
        if self.clues.facts.is_pod_gone or self.clues.facts.pod is None or limit is None or was.limit_bytes is None:
            return
        of_template = (start.template_bytes, template.after_bytes if template is not None else None)
        if is_same(limit, was.limit_bytes) or any(is_same(limit, given) for given in of_template if given is not None):
            return
        what = What.VPA if start.set_by is SetBy.VPA else What.RESIZE
        began = self.clues.facts.pod.created_at
        if what is What.RESIZE and began is not None and began > self.was.at:
            return  # a pod of after the kill was made with it
        written = self._newest(self.clues.facts.pod.writes, "limit")
        at, is_known = self._resized_at(written)
        yield Change(
            what=what, at=at, is_time_known=is_known, before_bytes=was.limit_bytes, after_bytes=limit, is_in_template=False,
            by=written.manager if written is not None else "", is_rolled_out=start.waiting_bytes is None,
        )  # fmt: skip

    def _of_template(self) -> Iterator[Change]:
        """Another image, other flags, or a restart that changed neither."""
        workload, name, was = self.clues.facts.workload, self.clues.container_name, self.was.setup
        if workload is None:
            return
        image = workload.template_images.get(name, "")
        if image and was.image and image != was.image:
            yield self._rolled(What.IMAGE, "image", lambda r: r.images.get(name) == image, before=was.image, after=image)
        flags = workload.template_flags.get(name, ())
        if was.flags and flags and flags != was.flags:
            gone, new = (tuple(f for f in one if f not in other) for one, other in ((was.flags, flags), (flags, was.flags)))
            yield self._rolled(What.FLAGS, "flags", lambda r: True, before=" ".join(gone), after=" ".join(new))

    def _restart(self) -> Iterator[Change]:
        """A rollout that changed nothing but the time (`kubectl rollout restart`)."""
        workload, was = self.clues.facts.workload, self.was.setup.restarted_at
        at = parse_time(workload.restarted_at) if workload is not None else None
        if workload is not None and at is not None and workload.restarted_at != was and at > self.was.at:
            yield Change(what=What.RESTART, at=at, before=was, after=workload.restarted_at)

    def _of_autoscalers(self) -> Iterator[Change]:
        workload, was = self.clues.facts.workload, self.was.setup
        if workload is None:
            return
        if was.hpa is not None and workload.hpa_line != was.hpa and not _lacks(self.clues, "hpa"):
            yield self._elsewhere(What.HPA, workload.hpa_write, was.hpa, workload.hpa_line)
        if was.vpa is not None and workload.vpa_line != was.vpa and not _lacks(self.clues, "vpa"):
            yield self._elsewhere(What.VPA, workload.vpa_write, was.vpa, workload.vpa_line)
        is_scaled = workload.replicas_desired is not None and was.replicas is not None and workload.replicas_desired != was.replicas
        if (
            is_scaled
            and not workload.hpa_line
            and not _lacks(self.clues, "hpa")
            and self.clues.workload.kind not in ("Job", "CronJob", "DaemonSet")
        ):
            by = self._newest(workload.writes, "replicas", "")
            yield self._elsewhere(What.REPLICAS, by, str(was.replicas), str(workload.replicas_desired))

    def _rolled(self, what: What, field: str, has_it: Callable[[Revision], bool], **values: int | str | None) -> Change:
        """A change of the template. A ReplicaSet that a rollback took up again is older than the change: then the manager's time counts."""
        workload = self.clues.facts.workload
        assert workload is not None
        newest = workload.revisions[0] if workload.revisions and has_it(workload.revisions[0]) else None
        written = self._newest(workload.writes, field)
        at = newest.created_at if newest is not None and newest.created_at is not None and newest.created_at > self.was.at else None
        at = at or (written.at if written is not None else None)
        before = workload.revisions[1].change_cause if len(workload.revisions) > 1 else ""
        return Change(
            what=what, at=at or self.clues.facts.now, is_time_known=at is not None, by=written.manager if written is not None else "",
            cause=newest.change_cause if newest is not None and newest.change_cause != before else "",
            is_rolled_out=workload.rollout is None or workload.rollout.is_complete, **values,  # type: ignore[arg-type]
        )  # fmt: skip

    def _elsewhere(self, what: What, written: Write | None, before: str, after: str) -> Change:
        is_newer = written is not None and written.at > self.was.at
        return Change(
            what=what, at=written.at if written and is_newer else self.clues.facts.now, is_time_known=is_newer,
            by=written.manager if written and is_newer else "", before=before, after=after,
        )  # fmt: skip

    def _newest(self, written: tuple[Write, ...], what: str, container: str | None = None) -> Write | None:
        """Who wrote that last, since the baseline."""
        name = self.clues.container_name if container is None else container
        found = [w for w in written if w.what == what and w.container == name and w.at > self.was.at]
        return max(found, key=lambda w: (w.at, w.subresource), default=None)

    def _resized_at(self, written: Write | None) -> tuple[datetime, bool]:
        """When the pod was resized: as the API server noted it, else the kubelet's event, else when the series shows another limit."""
        if written is not None:
            return written.at, True
        facts = self.clues.facts
        told = [
            e.at for e in facts.events
            if e.reason in _RESIZE_EVENTS and e.object_name == facts.subject.pod and e.at is not None and e.at > self.was.at
        ]  # fmt: skip
        if told:
            return max(told), True
        seen = [r.at for r in self.clues.raises if r.at > self.was.at and is_same(r.after_bytes, self.clues.limit_bytes)]
        return (min(seen), True) if seen else (facts.now, False)


def _lacks(clues: Clues, source: str) -> bool:
    """Whether that could not be asked: then nothing is known to have changed."""
    return any(m.source == source for m in clues.facts.missing)


def is_on_new_setup(report: Report, changes: tuple[Change, ...]) -> bool:
    """Whether the newest kill was of a container that had these changes already: a pod of before may die while they are rolled out."""
    if not changes:
        return True
    pod, setup = report.facts.pod, report.baseline.setup if report.baseline is not None else Setup()
    if pod is not None and not was_made_with(pod.created_at, changes):
        return False
    for change in changes:
        if change.what == What.LIMIT and setup.template_bytes is not None:
            return is_same(setup.template_bytes, change.after_bytes)
        if change.what == What.RESIZE:
            return is_same(setup.limit_bytes, change.after_bytes)
        if change.what == What.IMAGE:
            return setup.image in ("", change.after)
    return True


def was_made_with(created_at: datetime | None, changes: tuple[Change, ...]) -> bool:
    """Whether a pod of that age can have what was changed in its template."""
    rolled = [c.at for c in changes if c.what in IN_TEMPLATE and c.is_time_known]
    return created_at is None or not rolled or created_at >= min(rolled) - A_MOMENT
