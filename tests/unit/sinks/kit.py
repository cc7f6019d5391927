"""What every sink is held to. A sink brings a `CASE`; `test_every_sink.py` does the rest."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from receiver.errors import DeliveryError
from receiver.sinks import SINKS, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One way in which the other side answers a new message, and the class of error that the sender must see."""

    name: str
    prepare: Callable[[Any], None]
    error: type[DeliveryError]


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkCase:
    """How to try one sink.

    `server`: a stand-in for the other side (None: there is no other side, as for the console). `make`: the sink for it, with its
    timeout in seconds. `nobody`: the sink for an address where nothing listens. `hang`: makes the stand-in take a message and never
    answer; `no_answer`: what that is to the sender. `secrets`: what no error and no repr may show.
    """

    make: Callable[[Any, float], Sink]
    server: Callable[[], AbstractContextManager[Any]] | None = None
    nobody: Callable[[], Sink] | None = None
    channel: str = ""
    answers: tuple[Answer, ...] = ()
    hang: Callable[[Any], None] | None = None
    no_answer: type[DeliveryError] | None = None
    secrets: tuple[str, ...] = ()


def case_of(name: str) -> SinkCase:
    """The case of a registered sink."""
    module = f"tests.unit.sinks.test_{name}"
    assert importlib.util.find_spec(module), f"the sink {name} has no tests: write tests/unit/sinks/test_{name}.py with its CASE"
    case = getattr(importlib.import_module(module), "CASE", None)
    assert isinstance(case, SinkCase), f"tests/unit/sinks/test_{name}.py has no CASE for the shared tests"
    return case


def all_answers() -> list[tuple[str, Answer]]:
    """Every answer of every sink that has a case, for parametrizing."""
    found = []
    for kind in SINKS:
        module = f"tests.unit.sinks.test_{kind.name}"
        if importlib.util.find_spec(module):
            case = getattr(importlib.import_module(module), "CASE", None)
            found += [(kind.name, answer) for answer in case.answers] if isinstance(case, SinkCase) else []
    return found
