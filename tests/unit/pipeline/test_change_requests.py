"""A pull request of an incident: one, found again, brought up to date, closed with a reason, told what came of the fix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.change_request import CLOSED, MERGED, OPEN, REFUSED, TRIM, ChangeRequest
from receiver.domain.incident_memory import ContainerSettings, FollowUp, GivenVerdict, IncidentMemory, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.report import Report
from receiver.domain.units import MIB, from_epoch
from receiver.errors import SourceError
from receiver.forge import ForgeConfig
from receiver.pipeline import kinds
from receiver.pipeline.actions import PROPOSE
from receiver.pipeline.change_requests import ChangeRequests, RequestConfig
from receiver.pipeline.plain_place import plain_place
from receiver.pipeline.repositories import Repository
from receiver.store import incidents, jobs
from tests.fakes.forge import TOKEN, FakeForge, Fault
from tests.fakes.github import FakeGitHub
from tests.fakes.gitlab import FakeGitLab
from tests.unit.pipeline.kit import Room
from tests.unit.pipeline.test_plain_place import MANIFEST, report_of


class Verdicts:
    """What the newest report says, as the test has it."""

    def __init__(self) -> None:
        self.report: Report | None = report_of()

    def judged(self, case: object, memory: object) -> Report | None:
        return self.report

    def as_shown(self, report: Report, memory: object) -> Report:
        return report


class Desk:
    """A room whose incident's memory is decided in a repository of a stand-in."""

    def __init__(self, path: Path, forge: FakeForge) -> None:
        self.forge = forge
        self.room = Room(path)
        kind = "github" if isinstance(forge, FakeGitHub) else "gitlab"
        config = ForgeConfig(kind=kind, repository="acme/deploy", url=forge.url, token=TOKEN, timeout_s=2.0)
        self.repositories = (Repository(forge=config, namespaces=("shop",)),)
        self.room.actions._repositories = self.repositories
        self.verdicts = Verdicts()
        self.again()

    def again(self) -> None:
        """As after a restart: nothing is remembered but what the store has."""
        requests = ChangeRequests(
            store=self.room.desk.store, publisher=self.verdicts, find=plain_place,  # type: ignore[arg-type]
            config=RequestConfig(repositories=self.repositories, public_url="https://triage.example"),
            redact=lambda text: text.replace("hunter2", "***"),
        )  # fmt: skip

        def run(job: jobs.Job) -> None:
            try:
                requests.run(job)
            except SourceError as exc:
                with self.room.desk.store.write() as tx:
                    jobs.fail(tx, job, error=str(exc), now=self.room.clock.now())

        self.room.desk.runs = {kinds.REQUEST: run}

    def press(self) -> str:
        return self.room.act(PROPOSE)

    def later(self, seconds: float = 301.0, times: int = 1) -> None:
        for _ in range(times):
            self.room.clock.advance(seconds)
            self.room.work()

    def remember(self, **changes: Any) -> None:
        """Let the incident remember something else."""
        after = replace(self.memory, **changes)
        with self.room.desk.store.write() as tx:
            incidents.save_memory(tx, self.room.id, after)

    @property
    def memory(self) -> IncidentMemory:
        return self.room.incident.memory

    @property
    def request(self) -> ChangeRequest:
        assert self.memory.request is not None
        return self.memory.request

    @property
    def branch(self) -> str:
        return f"oomtriage/{self.room.id}"


@pytest.fixture(params=["github", "gitlab"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk over each forge."""
    with (FakeGitHub if request.param == "github" else FakeGitLab)({"apps/api.yaml": MANIFEST}) as forge:
        desk = Desk(tmp_path / "state.db", forge)
        yield desk
        desk.room.desk.store.close()


class TestOpening:
    """One request an incident."""

    def test_it_is_opened_with_one_commit_and_told(self, desk: Desk) -> None:
        """Branch, commit, text and the address."""
        assert desk.press() == "done"
        (opened,) = desk.forge.repository.requests

        assert (opened.branch, opened.base, opened.state) == (desk.branch, "main", "open")
        assert desk.forge.repository.own_commits(desk.branch) == 1
        assert '"512Mi"  # until March' in desk.forge.repository.files(desk.branch)["apps/api.yaml"]
        assert f"https://triage.example/incidents/{desk.room.id}" in opened.body
        assert (desk.request.state, desk.request.number, desk.request.url) == (OPEN, 1, desk.request.url)
        assert desk.request.url.endswith("/1")
        assert any(line.startswith("request_opened number=1") for line in desk.room.history())
        assert not desk.forge.repository.files()["apps/api.yaml"].count("512Mi")

    def test_pressed_again_it_is_the_same(self, desk: Desk) -> None:
        """Also while it is open for long."""
        desk.press()
        assert desk.press() == "already"
        desk.later(times=3)

        assert len(desk.forge.repository.requests) == 1
        assert desk.forge.repository.requests[0].edits == 0

    def test_only_where_a_repository_is_named(self, desk: Desk) -> None:
        """Elsewhere there is nothing to press, and nothing is asked."""
        desk.room.actions._repositories = ()

        assert desk.press() == "unknown"
        assert desk.forge.asked == []

    @pytest.mark.parametrize("step", range(1, 7))
    def test_an_answer_that_is_lost_doubles_nothing(self, desk: Desk, step: int) -> None:
        """Whatever was done before the answer was lost is found by the branch's name."""
        for path in ("git/trees$", "git/commits$", "git/refs$", "repository/commits", "pulls$", "merge_requests$")[step - 1 : step]:
            desk.forge.fail(Fault(kind="lost", method="POST", path=path))
        desk.press()
        desk.again()
        desk.later(3.0, times=3)

        assert len(desk.forge.repository.requests) == 1
        assert desk.forge.repository.own_commits(desk.branch) == 1
        assert desk.request.state == OPEN

    @pytest.mark.parametrize("after", range(16))
    def test_ended_at_any_moment_doubles_nothing(self, desk: Desk, after: int) -> None:
        """The process ends while it waits for any of its answers, after the forge did what was asked; the next one goes on."""
        desk.forge.fail(Fault(kind="lost", after=after))
        desk.press()
        desk.again()
        desk.later(3.0, times=3)
        desk.forge.heal()
        desk.later()

        assert len(desk.forge.repository.requests) == 1
        assert desk.forge.repository.own_commits(desk.branch) == 1
        assert desk.request.state == OPEN

    def test_merged_before_anybody_knew_that_it_was_open(self, desk: Desk) -> None:
        """A crash right after it was opened; it is not opened a second time."""
        desk.forge.fail(Fault(kind="lost", method="POST", path="pulls$|merge_requests$"))
        desk.press()
        desk.forge.repository.merge(1)
        desk.later(3.0, times=2)

        assert len(desk.forge.repository.requests) == 1
        assert desk.request.state == MERGED

    def test_the_base_moves_on(self, desk: Desk) -> None:
        """Meanwhile: the commit is made anew on the newest one when it has to change, and only then."""
        desk.press()
        desk.forge.repository.push({"README.md": "more\n"})
        desk.verdicts.report = report_of(limit_bytes=640 * MIB)
        desk.later()

        assert len(desk.forge.repository.requests) == 1
        assert desk.forge.repository.own_commits(desk.branch) == 1
        assert "640Mi" in desk.forge.repository.files(desk.branch)["apps/api.yaml"]
        assert "README.md" in desk.forge.repository.files(desk.branch)
        assert "640Mi" in desk.forge.repository.requests[0].title
        assert desk.room.history()[-1].startswith("request_updated number=1")

    def test_what_somebody_pushed_onto_it_stays(self, desk: Desk) -> None:
        """The branch is theirs from then on; the text still follows."""
        desk.press()
        mine = desk.forge.repository.push({"apps/api.yaml": "mine\n"}, branch=desk.branch)
        desk.verdicts.report = report_of(limit_bytes=640 * MIB)
        desk.later()

        assert desk.forge.repository.branches[desk.branch] == mine
        assert "640Mi" in desk.forge.repository.requests[0].title

    @pytest.mark.parametrize("status", [401, 403, 404, 422])
    def test_a_refusal_is_told_and_can_be_tried_again(self, desk: Desk, status: int) -> None:
        """With the forge's own words, and without the token."""
        desk.forge.fail(Fault(status=status, body={"message": "planted hunter2"}))
        desk.press()
        said = desk.room.history()[-1] if status != 404 else "request_refused"
        if status != 404:
            assert desk.request.state == REFUSED
            assert str(status) in said
        assert TOKEN not in said
        desk.press()

        assert desk.request.state == OPEN
        assert len(desk.forge.repository.requests) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=429, headers={"Retry-After": "9"}),
            Fault(status=403, headers={"Retry-After": "9"}),
            Fault(status=409),
            Fault(status=503),
        ],
    )
    def test_what_passes_is_waited_for(self, desk: Desk, fault: Fault) -> None:
        """No longer than the forge asks for."""
        desk.forge.fail(Fault(**vars(fault)))
        desk.press()
        asked = len(desk.forge.asked)
        desk.later(1.0)
        assert len(desk.forge.asked) == asked
        desk.later(9.0)

        assert desk.request.state == OPEN

    def test_no_place_is_said(self, desk: Desk) -> None:
        """Why nothing was opened."""
        desk.forge.repository.push({"apps/api.yaml": "kind: Service\n"})
        desk.press()

        assert desk.request.why == reason("request.no_place")
        assert desk.forge.repository.requests == []
        assert desk.branch not in desk.forge.repository.branches


class TestFollowing:
    """Until it is merged or closed."""

    def test_a_merge_is_seen(self, desk: Desk) -> None:
        """By asking."""
        desk.press()
        desk.forge.repository.merge(1)
        desk.later()

        assert desk.request.state == MERGED
        assert desk.room.history()[-1].startswith("request_merged number=1")

    def test_closed_by_somebody(self, desk: Desk) -> None:
        """It is not opened again by itself; pressed again it is a new one."""
        desk.press()
        desk.forge.repository.dismiss(1)
        desk.later(times=3)
        assert desk.request.state == CLOSED
        assert len(desk.forge.repository.requests) == 1
        desk.press()

        assert [r.state for r in desk.forge.repository.requests] == ["closed", "open"]

    def test_another_verdict_closes_it_with_the_reason(self, desk: Desk) -> None:
        """Said below it, once."""
        desk.press()
        look = desk.memory.look
        assert look is not None
        desk.remember(look=replace(look, verdict=GivenVerdict(cause="spike", confidence=0.9)))
        was = desk.request.cause
        desk.remember(requests=(replace(desk.request, cause="leak" if was == "unknown" else was),))
        desk.later(times=2)

        assert desk.forge.repository.requests[0].state == "closed"
        assert len(desk.forge.repository.requests[0].comments) == 1
        assert desk.request.why is not None
        assert desk.request.why.code == "request.other_verdict"

    def test_a_limit_set_without_it_closes_it(self, desk: Desk) -> None:
        """What it proposes is out of date."""
        desk.press()
        desk.remember(settings=ContainerSettings(limit_bytes=(desk.request.limit_before_bytes or 0) + 64 * MIB))
        desk.remember(requests=(replace(desk.request, limit_before_bytes=desk.request.limit_before_bytes or 0),))
        desk.later()

        assert desk.forge.repository.requests[0].state == "closed"
        assert desk.request.why is not None
        assert desk.request.why.code == "request.limit_set"

    def test_what_came_of_the_fix_is_said_below_it_once(self, desk: Desk) -> None:
        """Held after a day and after two, also after a lost answer; then the trim is a request of its own."""
        desk.press()
        desk.forge.repository.merge(1)
        desk.later()
        now = from_epoch(desk.room.clock.now())
        held = [FollowUp(after_s=h * 3600.0, at=now, outcome="held", because=_held(h * 3600.0)) for h in (24, 48)]
        desk.remember(watched=WatchedFix(number=1, since=now, done=(held[0],)))
        desk.forge.fail(Fault(kind="lost", method="POST", path="comments|notes"))
        desk.later(3601.0)
        desk.later(10.0, times=2)
        desk.verdicts.report = report_of(role="trim", limit_before_bytes=512 * MIB, limit_bytes=384 * MIB)
        desk.remember(watched=WatchedFix(number=1, since=now, done=tuple(held)))
        desk.later(3601.0)
        desk.later(1.0)

        first, trim = desk.forge.repository.requests
        assert [c.rpartition("\n")[2] for c in first.comments] == [f"`oomtriage {desk.room.id} fix 1 {h}h`" for h in (24, 48)]
        assert (trim.branch, trim.state) == (f"{desk.branch}-trim", "open")
        assert "384Mi" in desk.forge.repository.files(trim.branch)["apps/api.yaml"]
        assert (desk.request.purpose, desk.request.state) == (TRIM, OPEN)

    def test_nobody_merges_for_two_weeks(self, desk: Desk) -> None:
        """Then it is not followed any more, so that the incident can close."""
        desk.press()
        desk.room.clock.advance(timedelta(days=15).total_seconds())
        desk.room.work()

        with desk.room.desk.store.read() as tx:
            assert jobs.due_of(tx, kinds.REQUEST, desk.room.id) is None


def _held(after_s: float) -> Any:
    return reason(
        "follow_up.held", after_s=after_s, peak_bytes=300 * MIB, limit_bytes=512 * MIB, restarts=0, evicted=0, before_bytes_per_h=None,
        after_bytes_per_h=None, is_tight=False, throttled_ratio=None,
    )  # fmt: skip
