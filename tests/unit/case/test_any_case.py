"""Whatever the APIs answered, reading a case never fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case, Missing
from receiver.domain.identity import Subject
from receiver.render.document import report_document
from tests.unit.evidence.kit import lab

NOW = datetime(2026, 11, 23, 1, 7, tzinfo=UTC)
SOURCES = (
    "pod", "events", "nodeevents", "log", "owners", "replicasets", "siblings", "node", "nodepods", "metrics", "hpa", "vpa", "limitrange",
    "resourcequota", "history", "recent", "peaks", "traffic", "rules", "silences",
)  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.sampled_from(["metadata", "spec", "status", "items", "series", "x"]), children, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(SOURCES), ANY_JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_json_reads(answers):
    """Answers of any shape."""
    facts_of(Case(gathered_at=NOW, subject=Subject(namespace="shop", pod="web-1"), answers=answers))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """One of each sort: a leak, a killed init container, an evicted neighbour, limits of the pod, a StatefulSet, a Job."""
    names = ("a-leak-crashloop", "c-init-oom", "cgroupv2-j-eviction", "q-pod-level-limits", "s-statefulset-oom", "f-job-oom")
    with lab(*names) as running:
        return [running.gather(name) for name in names]


PIECES = st.sampled_from(
    [
        None, [], {}, "", "x", 0, -1, True, 1e400, float("nan"), 10**30, [None], {"a": None}, "9" * 400, "-5Mi", "1e999999Gi", "9999-99-99T99:99:99Z",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\ud800", "<!channel>", "{{ 7*7 }}", "a" * 5000, [["x"]], [{"name": "x"}] * 3,
    ]
)  # fmt: skip


def paths_of(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, but not each point of a series."""
    yield at
    if isinstance(value, dict):
        for key, inner in sorted(value.items(), key=lambda item: str(item[0])):
            yield from paths_of(inner, (*at, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value[:4]):
            yield from paths_of(inner, (*at, i))


def replaced(document: Any, path: tuple[Any, ...], piece: Any, *, is_removal: bool) -> Any:
    """A copy with one place replaced or taken out."""
    if not path:
        return piece
    copied = dict(document) if isinstance(document, dict) else list(document)
    if len(path) == 1 and is_removal:
        del copied[path[0]]
    else:
        copied[path[0]] = replaced(document[path[0]], path[1:], piece, is_removal=is_removal)
    return copied


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_real_case_with_pieces_torn_out_is_read_and_judged(cases, data):
    """Up to five values missing, null or of another type: what else there is is read, judged and written as a report."""
    case = data.draw(st.sampled_from(cases))
    answers: Any = case.answers
    for _ in range(data.draw(st.integers(1, 5))):
        source = data.draw(st.sampled_from(sorted(answers)))
        path = data.draw(st.sampled_from(list(paths_of(answers[source]))))
        torn = replaced(answers[source], path, data.draw(PIECES), is_removal=bool(path) and data.draw(st.booleans()))
        answers = {**answers, source: torn}

    facts = facts_of(Case(gathered_at=case.gathered_at, subject=case.subject, answers=answers))
    report = diagnose(facts)

    assert facts.now == case.gathered_at
    assert '"oomtriage.report/v1"' in json.dumps(report_document(report), allow_nan=False)


@given(name=st.text(max_size=300), place=st.sampled_from(["pod", "container", "owner", "event", "node"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_names_read_like_any_other(cases, name, place):
    """Names come from the API as they come: empty, endless, with control characters or markup."""
    answers = json.loads(json.dumps(cases[0].answers))
    pod = answers["pod"]
    if place == "pod":
        pod["metadata"]["name"] = name
    elif place == "container":
        pod["spec"]["containers"][0]["name"] = pod["status"]["containerStatuses"][0]["name"] = name
    elif place == "owner":
        pod["metadata"]["ownerReferences"][0]["name"] = name
        answers["owners"][0]["metadata"]["name"] = name
    elif place == "event":
        answers["events"]["items"][0].update(involvedObject={"kind": "Pod", "name": name, "fieldPath": f"spec.containers{{{name}}}"})
    else:
        pod["spec"]["nodeName"] = answers["node"]["metadata"]["name"] = name

    facts = facts_of(Case(gathered_at=NOW, subject=cases[0].subject, answers=answers))

    assert report_document(diagnose(facts))
    if place == "node":
        assert facts.subject.node == name


def test_gaps_of_the_case_stay_gaps():
    """What the gatherers could not have is in the facts, unchanged."""
    gap = Missing(source="log", why="403", hint="grant get pods/log")

    assert facts_of(Case(gathered_at=NOW, subject=Subject(), missing=(gap,))).missing == (gap,)
