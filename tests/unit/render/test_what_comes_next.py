"""What comes next of a Job, a CronJob and a bare pod: they are not said to return when nothing brings them back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.case.workload import workload_facts
from receiver.domain.facts import PodFacts, WorkloadFacts
from receiver.domain.identity import Subject, Workload
from receiver.domain.incident import RESOLVED, IncidentView
from receiver.domain.report import Report
from receiver.domain.runs import Runs, runs_of
from tests.unit.render import cases
from tests.unit.render.test_renderer import assert_good, renderer


def of_kind(kind: str, case: str = "b-too-early", **known: object) -> tuple[IncidentView, Report]:
    """A case whose workload is of another kind. `known`: of its WorkloadFacts, and `restart_policy`, `is_looping` of its pod."""
    view, report = cases.CASES[case]()
    assert report is not None
    assert report.facts.pod is not None
    workload = Workload(kind=kind, name="reindex")
    pod = replace(report.facts.pod, restart_policy=str(known.pop("restart_policy", "Always")))
    if not known.pop("is_looping", False):
        pod = replace(pod, containers=tuple(replace(c, state="terminated", state_reason="OOMKilled") for c in pod.containers))
    facts = replace(report.facts, pod=pod, workload=WorkloadFacts(workload=workload, **known))  # type: ignore[arg-type]
    subject = replace(report.subject, workload=workload)
    return replace(view, subject=subject), replace(report, facts=facts, subject=subject)


def said(view: IncidentView, report: Report) -> str:
    messages = renderer().incident(view, report)
    assert_good(messages)
    return messages[0].full_text


@pytest.mark.parametrize(
    ("kind", "policy", "runs"),
    [
        ("Deployment", "Always", Runs.FOR_EVER), ("StatefulSet", "Always", Runs.FOR_EVER), ("Pod", "Always", Runs.FOR_EVER),
        ("Pod", "Never", Runs.ONCE), ("Pod", "OnFailure", Runs.ONCE), ("Job", "OnFailure", Runs.ONCE), ("CronJob", "Never", Runs.ON_SCHEDULE),
    ],
)  # fmt: skip
def test_how_a_workload_runs(kind: str, policy: str, runs: Runs) -> None:
    assert runs_of(Workload(kind=kind, name="x"), PodFacts(namespace="n", name="x", restart_policy=policy)) is runs


@pytest.mark.wording
def test_a_job_that_failed_is_said_to_have_failed() -> None:
    text = said(*of_kind("Job", job_failure="BackoffLimitExceeded"))

    assert "The Job failed (BackoffLimitExceeded) and is not tried again." in text
    assert "in a loop" not in text


@pytest.mark.wording
def test_a_job_that_is_still_tried_keeps_its_loop() -> None:
    assert "It restarts in a loop" in said(*of_kind("Job", is_looping=True, restart_policy="OnFailure"))


@pytest.mark.wording
@pytest.mark.parametrize(
    ("kind", "known", "sentence"),
    [
        ("Job", {"job_failure": "DeadlineExceeded"}, "The Job failed (DeadlineExceeded) and is not tried again."),
        ("Job", {}, "It runs once: nothing starts it again by itself."),
        ("Pod", {"restart_policy": "Never"}, "It runs once: nothing starts it again by itself."),
        ("CronJob", {"schedule": "0 2 * * * (Europe/Berlin)"}, "The next run (schedule 0 2 * * * (Europe/Berlin)) has the same limit."),
        ("CronJob", {"is_suspended": True}, "Its CronJob is suspended: no run until that is undone."),
    ],
)
def test_what_is_over_is_not_expected_to_return(kind: str, known: dict[str, object], sentence: str) -> None:
    view, report = of_kind(kind, "c-limit-too-low", **known)
    text = said(replace(view, state=RESOLVED), report)

    assert sentence in text
    assert "expect it to return" not in text


def test_nothing_of_a_job_is_never_up() -> None:
    """A run that failed is over; a service that does not come up is down."""
    context_of_job = said(*of_kind("Job", "g-startup", is_looping=True))

    assert "never up" not in context_of_job.lower()


def test_a_jobs_failure_and_a_cronjobs_schedule_are_read() -> None:
    job = {
        "kind": "Job", "metadata": {"name": "reindex", "ownerReferences": [{"kind": "CronJob", "name": "re", "controller": True}]},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]},
    }  # fmt: skip
    cronjob = {"kind": "CronJob", "metadata": {"name": "re"}, "spec": {"schedule": "*/5 * * * *", "timeZone": "UTC", "suspend": True}}

    read = workload_facts({"owners": [job, cronjob]}, Subject(namespace="batch", pod="reindex-x"), "app")

    assert read is not None
    assert (read.job_failure, read.schedule, read.is_suspended) == ("BackoffLimitExceeded", "*/5 * * * * (UTC)", True)
