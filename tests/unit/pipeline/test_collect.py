"""From incidents to what is known of them: one look an incident, and failures that hold nothing back."""

from __future__ import annotations

from receiver.domain.alerts import RESOLVED
from receiver.domain.case import Missing
from receiver.store import incident_lists, incidents, jobs
from tests.support import alert
from tests.unit.pipeline.kit import Desk, answers, pod


def test_a_thousand_alerts_of_one_workload_cost_one_look(desk: Desk) -> None:
    """Enrichment is per incident, not per alert."""
    desk.take(*(alert(pod=pod(i)) for i in range(1000)))

    assert len(desk.looks) == 1
    assert len(desk.roots()) == 1


def test_more_kills_edit_the_root_and_are_counted(desk: Desk) -> None:
    """The same thread, a higher number; no second root."""
    desk.take(alert(started=desk.clock.now()))
    first = desk.roots()
    desk.clock.advance(600)
    desk.evidence = lambda s: answers(s, restarts=4, finished="2024-11-10T09:09:50Z")
    desk.take(alert(started=desk.clock.now()))

    assert [r.rpartition(" ")[2] for r in first] == ["x1"]
    assert [r.rpartition(" ")[2] for r in desk.roots()] == ["x4"]


def test_an_alert_that_names_no_pod_is_told_without_evidence(desk: Desk) -> None:
    """An alert the product knows nothing of is delivered all the same."""
    desk.take(alert("CertificateExpires", pod="", container=""))

    assert desk.looks == []
    assert len(desk.roots()) == 1


def test_an_alert_of_a_workload_is_looked_at_and_joins_its_pods(desk: Desk) -> None:
    """The evidence finds the pod; a later alert of one of the workload's pods is the same incident."""
    desk.take(alert("KubeContainerOOMKilledCount", pod="", controller="orders-7d9c5b6f4"))
    desk.take(alert(pod="orders-7d9c5b6f4-x2x7k"))

    assert desk.looks[0] == ""
    assert len(desk.roots()) == 1


def test_an_alert_that_resolves_before_its_first_look_is_told(desk: Desk) -> None:
    """It was accepted firing: that it is over already does not make it unheard."""
    desk.take(alert(), works=False)
    desk.take(alert(status=RESOLVED))

    assert ["resolved" in r for r in desk.roots()] == [True]


def test_a_look_that_finds_nothing_any_more_keeps_what_was_known(desk: Desk) -> None:
    """The pod was replaced, so the API has nothing of it: the message still tells what died, and that this is older."""
    desk.take(alert(started=desk.clock.now()))
    before = desk.report()
    desk.clock.advance(300)
    desk.evidence = lambda s: {}
    desk.missing = (Missing(source="pod", why="404: not found"), Missing(source="owners", why="404: not found"))
    desk.take(alert(started=desk.clock.now() - 300, status=RESOLVED))
    after = desk.report()

    assert after["kill"]["kind"] == before["kill"]["kind"] == "container_oom"
    assert after["subject"] == before["subject"]
    assert [m["why"] for m in after["missing"] if m["source"] == "pod"] == ["404: not found; shown as read at 09:00 UTC"]


def test_the_same_alert_fires_again_with_the_start_it_always_had(desk: Desk) -> None:
    """Alertmanager had lost Prometheus for a while: firing, resolved, firing, all with one start."""
    desk.take(alert())
    desk.clock.advance(60)
    desk.take(alert(status=RESOLVED))
    desk.clock.advance(60)
    desk.take(alert())
    again = desk.roots()
    desk.clock.advance(60)
    desk.take(alert(status=RESOLVED))

    assert ["firing" in r for r in again] == [True]
    assert ["resolved" in r for r in desk.roots()] == [True]


def test_who_waits_too_long_for_a_look_is_told_as_the_alert_says(desk: Desk) -> None:
    """More incidents than threads, and sources that are slow: nobody is held back by the others' looks."""
    desk.take(*(alert(pod=pod(i, f"svc{i}"), container="app") for i in range(4)), works=False)
    desk.collector.publish_waiting()
    at_once = desk.roots()
    desk.clock.advance(11)
    desk.collector.publish_waiting()
    waited = desk.roots()
    desk.work()

    assert at_once == []
    assert len(waited) == 4
    assert all("unjudged" in r and "degraded" in r for r in waited)
    assert not any("degraded" in r for r in desk.roots())


def test_a_bug_in_the_diagnosis_does_not_hold_back_the_alert(desk: Desk) -> None:
    """Gathering fails: the alert is posted as it is and says so; when it works again the message gets better."""
    desk.evidence = lambda s: {"pod": 1 // 0}
    desk.take(alert())
    degraded = desk.roots()
    desk.evidence = answers
    desk.clock.advance(60)
    desk.work()

    assert degraded == ["orders-api firing unjudged x0 (degraded)"]
    assert ["degraded" in r for r in desk.roots()] == [False]


def test_a_look_that_kills_the_receiver_does_not_hold_back_the_alert(desk: Desk) -> None:
    """Twice claimed and never finished: the third time what is known is posted before looking again."""
    desk.take(alert(), works=False)
    for _ in range(2):
        with desk.store.write() as tx:
            jobs.claim(tx, now=desk.clock.now(), epoch=desk.store.epoch, limit=1)
            jobs.recover(tx, epoch=desk.store.epoch + 1)
    seen_at_gather: list[list[str]] = []
    desk.evidence = lambda s: (seen_at_gather.append(desk.roots()), answers(s))[1]  # type: ignore[func-returns-value]
    desk.work()

    assert seen_at_gather == [["orders-api firing unjudged x0 (degraded)"]]
    assert ["degraded" in r for r in desk.roots()] == [False]


def test_the_stored_report_and_case_can_be_looked_at_again(desk: Desk) -> None:
    """What the message rests on is kept with the incident."""
    desk.take(alert())
    with desk.store.read() as tx:
        (incident,) = incident_lists.newest(tx, 10)
        case = incidents.evidence_of(tx, incident.id)

    assert incident.report is not None
    assert incident.report["kill"]["kind"] == "container_oom"
    assert case is not None
    assert "pod" in case.answers
