"""Whatever a sink speaks, the receiver relies on the same of each: registered, configured, documented, classified, discreet."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import pytest

from receiver.errors import BadMessage, DeliveryError, RetryLater
from receiver.settings.model import KEYS, Settings
from receiver.sinks import SINKS, SinkKind, SinkSetup
from tests.places import REPO
from tests.unit.render import cases
from tests.unit.render.test_renderer import renderer
from tests.unit.sinks.kit import Answer, all_answers, case_of

EACH = pytest.mark.parametrize("kind", SINKS, ids=lambda k: k.name)
INTERFACE = {"post", "update", "find"}


def test_every_sink_that_is_written_is_registered() -> None:
    """A class with a sink's three calls that SINKS does not list would never be used."""
    registered = {kind.name for kind in SINKS}
    for path in sorted((REPO / "receiver" / "sinks").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if (
                isinstance(node, ast.ClassDef)
                and node.name != "Sink"
                and {f.name for f in node.body if isinstance(f, ast.FunctionDef)} >= INTERFACE
            ):
                names = [ast.literal_eval(a.value) for a in node.body if isinstance(a, ast.Assign) and ast.unparse(a.targets[0]) == "name"]
                assert set(names) <= registered, f"{path.name}: {node.name} is missing in SINKS of receiver/sinks/__init__.py"
                assert names, f"{path.name}: {node.name} has no name"


def test_names_are_unique() -> None:
    """The store and the metrics know a sink by its name."""
    assert len({kind.name for kind in SINKS}) == len(SINKS)


@EACH
def test_its_settings_are_settings(kind: SinkKind) -> None:
    """Each key that a sink reads is parsed, typed and documented."""
    fields = {f.name for f in dataclasses.fields(Settings)}
    page = (REPO / "docs" / "settings.md").read_text()
    for name in kind.settings:
        assert name in {k.name for k in KEYS}, f"{name} of the sink {kind.name} is missing in KEYS of receiver/settings/model.py"
        assert name.lower() in fields, f"{name} of the sink {kind.name} is missing in Settings of receiver/settings/model.py"
        assert f"`{name}`" in page, f"{name} of the sink {kind.name} has no row in docs/settings.md"


@EACH
def test_it_is_off_unless_asked_for(kind: SinkKind) -> None:
    """Only the console stands in when nothing is configured."""
    made = kind.make(SinkSetup(values={name.lower(): "" for name in kind.settings}))

    assert (made is not None) == (kind.name == "console")


@EACH
def test_what_a_sink_does_is_fixed(kind: SinkKind) -> None:
    """A sink that edits also threads: an incident is either one thread kept true, or one message and short ones later."""
    case = case_of(kind.name)
    sink: Any = case.nobody() if case.nobody else case.make(None, 1.0)

    assert sink.name == kind.name
    assert sink.has_threads == sink.can_edit


@EACH
def test_every_incident_passes(kind: SinkKind) -> None:
    """Each kind of incident is taken by the other side as it comes from the renderer: no limit is met first by an on-call."""
    case = case_of(kind.name)
    if case.server is None:
        pytest.skip("no other side that could refuse")
    with case.server() as server:
        sink = case.make(server, 20.0)
        for name, make in cases.CASES.items():
            message = renderer().incident(*make())[0] if sink.has_threads else renderer().single(*make())
            sink.post(case.channel, message.body(), delivery_id=f"d-{name}")


@pytest.mark.parametrize(("name", "answer"), all_answers(), ids=lambda p: p.name if isinstance(p, Answer) else p)
def test_every_answer_has_its_class(name: str, answer: Answer) -> None:
    """The sender acts by the class alone; no text shows a secret, and codes are bounded words for metrics."""
    case = case_of(name)
    assert case.server is not None
    with case.server() as server:
        sink = case.make(server, 5.0)
        answer.prepare(server)
        with pytest.raises(DeliveryError) as caught:
            sink.post(case.channel, {"text": "hello", "blocks": [], "full_text": "hello"}, delivery_id="d")

    assert type(caught.value) is answer.error
    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__} {sink!r}"
    assert [s for s in case.secrets if s in shown] == []
    assert len(caught.value.code) <= 60
    assert caught.value.code.replace("_", "").isalnum()


@EACH
def test_every_sort_of_answer_was_tried(kind: SinkKind) -> None:
    """A table that leaves out the rate limit, a refusal or a wrong token proves little."""
    case = case_of(kind.name)
    if case.server is None:
        pytest.skip("no other side that could answer")

    assert {a.error.__name__ for a in case.answers} >= {"RetryLater", "BadMessage", "SinkMisconfigured"}


@EACH
def test_nobody_there_is_a_retry(kind: SinkKind) -> None:
    """What never left surely was not stored."""
    case = case_of(kind.name)
    if case.nobody is None:
        pytest.skip("it has no address")
    with pytest.raises(RetryLater) as caught:
        case.nobody().post(case.channel, {"text": "hello", "blocks": [], "full_text": "hello"}, delivery_id="d")

    assert [s for s in case.secrets if s in str(caught.value)] == []


@EACH
def test_an_answer_that_never_comes_ends(kind: SinkKind) -> None:
    """A hang is doubt or a retry, after the timeout, and never a crash of the sender."""
    case = case_of(kind.name)
    if case.hang is None or case.server is None:
        pytest.skip("it cannot hang")
    with case.server() as server:
        case.hang(server)
        with pytest.raises(DeliveryError) as caught:
            case.make(server, 0.5).post(case.channel, {"text": "hello", "blocks": [], "full_text": "hello"}, delivery_id="d")

    assert type(caught.value) is case.no_answer
    assert case.no_answer is not BadMessage
