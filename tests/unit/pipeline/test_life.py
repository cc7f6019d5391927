"""What an incident remembers between looks, and what of it is worth saying aloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from receiver.domain.facts import ContainerFacts
from receiver.domain.incident_memory import IncidentMemory
from receiver.domain.report import Report
from receiver.pipeline import life
from tests.unit.render import cases


def looks(*at_s: float, ready: tuple[bool, ...] = ()) -> list[str]:
    """The broadcasts of looks at a container that is killed at every start, in order of the looks."""
    _, report = cases.CASES["g-startup"]()
    assert report is not None
    said: list[str] = []
    memory = IncidentMemory()
    for number, seconds in enumerate(at_s):
        seen = with_ready(report, is_ready=number < len(ready) and ready[number])
        now = cases.NOW + timedelta(seconds=seconds)
        memory, update = life.remember(memory, seen, [seen.subject.pod], state="firing", severity="warning", now=now)
        said += [update.news.slot] if update.news else []
    return said


def with_ready(report: Report, *, is_ready: bool) -> Report:
    assert report.facts.pod is not None

    def turned(container: ContainerFacts) -> ContainerFacts:
        return replace(container, is_ready=is_ready) if container.name == report.subject.container else container

    pod = replace(report.facts.pod, containers=tuple(turned(c) for c in report.facts.pod.containers))
    return replace(report, facts=replace(report.facts, pod=pod))


def test_what_was_never_up_for_a_quarter_of_an_hour_is_said_aloud_once() -> None:
    """The edits between are silent; the first message said it, so a second word is due only when it lasts."""
    assert looks(0, 600) == []
    assert looks(0, 600, 900, 1800, 7200) == ["escalation:never-up"]


def test_what_came_up_in_between_starts_anew() -> None:
    """A quarter of an hour counts from when it went down again."""
    assert looks(0, 600, 1200, 1800, ready=(False, True, False, False)) == []
