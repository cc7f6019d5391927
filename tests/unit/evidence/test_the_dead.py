"""Evidence of a pod that is gone: its owner's template, events and what Prometheus kept outlive it."""

from __future__ import annotations

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.identity import LabelNames, subject_of
from receiver.domain.report import KillKind, Report
from tests.fakes.kube import body, refuse
from tests.unit.evidence.kit import lab

CRASHLOOP, JOB = "a-leak-crashloop", "f-job-oom"


def without_its_pods(incident: str, **labels: str) -> tuple[Case, Report]:
    """The recorded incident, looked at after its controller deleted the pods. `labels`: of the alert, instead of the pod's name."""
    with lab(incident) as running:
        namespace = running.incident().pods[0].pod["metadata"]["namespace"]
        subject = subject_of({"namespace": namespace, **labels}, LabelNames()) if labels else running.subject()
        running.kube.fault("/pods/", refuse(404, "pods not found"))
        running.kube.fault("/pods", body(b'{"kind": "PodList", "items": []}'))
        case = running.evidence.gather(subject, (), running.incident().taken_at)
    return case, diagnose(facts_of(case))


def states(report: Report) -> dict[str, str]:
    return {item.id: item.state for item in report.checklist}


def test_prometheus_still_tells_how_it_died() -> None:
    """A `triage` of a deleted pod, without any alert: it was OOMKilled, which is not sure because nobody can ask its node any more."""
    _, report = without_its_pods(CRASHLOOP)

    assert report.kill.kind is KillKind.CONTAINER_OOM
    assert report.kill.reason == "OOMKilled"
    assert report.kill.at is not None
    assert not report.kill.is_sure
    assert "death.from_metrics" in [r.code for r in report.kill.because]


def test_limit_and_restarts_come_from_series_and_template() -> None:
    _, report = without_its_pods(CRASHLOOP)
    container = report.facts.pod.container("orders-api") if report.facts.pod else None

    assert container is not None
    assert container.limit_bytes == 96 * 2**20
    assert container.request_bytes == 64 * 2**20
    assert container.restart_count == 11
    assert container.image
    checked = states(report)
    assert [checked[i] for i in ("describe_pod", "memory_limits", "memory_history")] == ["done"] * 3
    assert checked["exit_code"] == "could_not_check"


def test_a_job_is_known_when_its_controller_deleted_the_pods() -> None:
    """Its name, kind and template outlive them, and the advice is for a Job: its template cannot be changed in place."""
    _, report = without_its_pods(JOB)

    assert report.subject.workload is not None
    assert (report.subject.workload.kind, report.subject.workload.name) == ("Job", "nightly-export")
    assert report.kill.reason == "OOMKilled"
    assert not any("set resources" in command for command in report.proposal.commands)
    assert "patch.job_is_immutable" in [c.code for c in report.proposal.caveats]


def test_an_alert_on_the_job_alone_finds_its_last_pod_in_the_events() -> None:
    case, report = without_its_pods(JOB, job_name="nightly-export")

    assert case.subject.pod == "nightly-export-vqmjf"
    assert "history" in case.answers
    assert report.subject.workload is not None
    assert report.subject.workload.kind == "Job"


def test_what_never_ran_by_an_old_event_does_not_outweigh_its_history() -> None:
    """FailedCreatePodSandBox of its first minute: it has run since."""
    _, report = without_its_pods(CRASHLOOP)

    assert "death.cut_short" not in [r.code for r in report.kill.because]


def test_nothing_kept_is_nothing_known() -> None:
    """Without kube-state-metrics there is no word of how it ended, and none is invented."""
    with lab(CRASHLOOP) as running:
        running.kube.fault("/pods", refuse(404, "pods not found"))
        running.prometheus.fault("", refuse(503, "away"))
        case = running.evidence.gather(running.subject(), (), running.incident().taken_at)
    facts = facts_of(case)

    assert facts.pod is None
    assert diagnose(facts).kill.kind is KillKind.NONE


def test_lives_are_those_that_were_lived() -> None:
    """Eleven restarts are twelve lives of seconds; the back-off between them is none, whatever the last sample stands at."""
    with lab(CRASHLOOP) as running:
        report = diagnose(facts_of(running.gather()))
    assert report.shape is not None
    lives = report.shape.lives

    assert len(lives) == 12
    assert max(life.end_s - life.start_s for life in lives) < 20
