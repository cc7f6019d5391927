"""No decision hangs on the wording of a sentence, so that anybody may mend the English.

The other way round: what follows from a reason follows from its code and its facts (`receiver/domain/reason.py`), what
follows from an error from its class.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.checks.prose import in_python, in_template, prose_as_data

ROOT = Path(__file__).resolve().parents[2]

# Places of files that are not mended yet, at most. The numbers only fall, and the table ends empty.
STILL_TO_MEND: dict[str, int] = {}


def test_nothing_is_decided_by_the_wording_of_a_sentence() -> None:
    """Give the reason a code or a fact, the error a class or an attribute, and decide by that."""
    found = list(prose_as_data(ROOT))
    counts = Counter(place.path for place in found)

    assert [str(place) for place in found if counts[place.path] > STILL_TO_MEND.get(place.path, 0)] == []


@pytest.mark.parametrize(
    "code",
    [
        'any("still to load" in why for _, why in found)',
        'found = [f for f in found if "still to load" in f[1]][-1:]',
        'def f(shape, *words): return next((line for line in (*shape.against, *shape.because) if any(w in line for w in words)), "")',
        'sorted((reason(a) for a in cause.against), key=lambda a: a.startswith("Not "))',
        'words_of if "settle" in words_of else ""',
        'words_of if "could be" in words_of.lower() else ""',
        'if word == "probably OOM": pass',
        'clean_line(text, limit).removeprefix("Cannot tell yet: ")',
        'if "larger than" in str(exc): raise _TooMuch(str(exc))',
        'def f(error):\n    match error:\n        case Unreadable() if "larger than" in str(error): pass',
        'why.removeprefix(f"no {named}: ")',
        'kill.trigger == "grace period"',
        'def f(kill):\n    first = kill.because[0]\n    return first.startswith("Killed")',
        '_NOT_A.sub("", cause.against)',
        'match word:\n    case "probably OOM": pass',
        'word in ("OOMKilled", "probably OOM")',
    ],
)
def test_a_decision_by_wording_is_found(code: str) -> None:
    """The first ten are those that this code once held."""
    assert len(list(in_python(code))) >= 1


@pytest.mark.parametrize(
    "template",
    [
        '{% if "was raised" in change.none %}{{ change.none }}{% endif %}',
        '{% if "other replicas" not in (cause.against | first | default("")) %}x{% endif %}',
        '{{ "" if cause.against[0][:4] == "Not " else "Against it: " }}',
        '{% if cause.against[0].startswith("Not a") %}x{% endif %}',
    ],
)
def test_a_decision_by_wording_in_a_template_is_found(template: str) -> None:
    """All four stood in the shipped templates."""
    assert len(list(in_template(template))) == 1


@pytest.mark.parametrize(
    "code",
    [
        'death.reason == "OOMKilled"',
        '"stopping container" in event.message.lower()',
        'def f(event):\n    words = event.message.lower()\n    return "liveness probe" in words',
        'line.startswith(("Traceback ", "<--- "))',
        '"previous terminated container" in exc.said',
        'url.startswith(("https://", "http://"))',
        'text.removesuffix(" UTC")',
        'cause.code == "memory.leak"',
        'not cause.because and len(cause.against) == 2',
        'why in problems',
        'text.endswith((".", "!", "?"))',
    ],
)  # fmt: skip
def test_foreign_text_names_and_codes_are_read_as_ever(code: str) -> None:
    """Events, logs, answers, names of Kubernetes and our own codes are data."""
    assert list(in_python(code)) == []


def test_a_template_may_ask_for_codes() -> None:
    """A word that is a code, and an empty text."""
    assert list(in_template('{% if kill.kind == "eviction" and change.none == "" and cause.name in ("leak", "spike") %}x{% endif %}')) == []
