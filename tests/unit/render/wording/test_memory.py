"""The sentences about the shape of memory, as a reader gets them."""

from __future__ import annotations

from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.reason import reason
from receiver.domain.report import Shape
from receiver.domain.units import MIB
from receiver.render.wording import memory, remark, say, settling, speaks_for
from receiver.render.wording.forms import growth
from tests.golden import Golden
from tests.unit.diagnosis.memory.kit import labelled_traces


def as_text(name: str, shape: Shape) -> str:
    lines = [f"{name}: {shape.cause.value} {shape.confidence} ({shape.detail})"]
    lines += [f"  + {say(r)}" for r in shape.because]
    lines += [f"  - {say(r)}" for r in shape.against]
    if shape.settle_by:
        lines.append(f"  ? {say(shape.settle_by)}")
    return "\n".join(lines)


def test_the_words_of_recorded_traces(golden: Golden):
    """The sentences a reader gets, one trace of each kind, for review."""
    shown: dict[str, str] = {}
    for name, _, h in labelled_traces():
        shape = shape_of(h)
        shown.setdefault(shape.detail, as_text(name, shape))
        early = shape_of(h, now_s=h.samples[len(h.samples) // 3].t_s)
        shown.setdefault(early.detail, as_text(f"{name}, a third of it", early))

    golden("shape/words.txt", "\n\n".join(shown[detail] for detail in sorted(shown)) + "\n")


def test_sentences_end_as_sentences():
    """A verb and a full stop in each, no exclamation, no bare per cent."""
    for _, _, h in labelled_traces():
        for text in map(say, (*shape_of(h).because, *shape_of(h).against)):
            assert text[0].isupper() or text[0].isdigit()
            assert text.endswith(".")
            assert "!" not in text


def test_growth_is_told_in_the_unit_that_reads_best():
    """Per hour from 1 MiB/h on, else per day; a range only where it is one."""
    assert growth((20 * MIB, 21 * MIB)) == "20-21 MiB/h"
    assert growth(20 * MIB) == "20 MiB/h"
    assert growth(0.25 * MIB) == "6 MiB/day"
    assert growth((0.9 * MIB, 1.5 * MIB)) == "922 KiB to 1.5 MiB/h"


def test_what_stands_under_against_says_for_whom_it_speaks():
    """A refused cause begins with `Not a`: a message puts no "Against it" before it. All others get one."""
    assert all(str(memory.SENTENCES[code]).startswith("Not a") for code in memory.REFUSALS)
    assert not any(str(text).startswith("Not ") for text in memory.AGAINST.values())
    assert speaks_for(reason("memory.not_a_low_limit", usage_ratio=0.5))
    assert not speaks_for(reason("memory.rate_unknown"))


def test_what_would_settle_it_is_said_as_that():
    """The look again keeps the mark at the end of what it stands behind."""
    batch = reason("memory.look_again", settle_by=reason("memory.settle.times_of_jobs"))

    assert say(batch) == "The times of batch jobs and of large requests: do the peaks fall on them? We look again in 30 min and in 2 h."
    assert settling(batch) == f"to settle it: {say(batch)}"
    assert settling(None) == ""


def test_a_message_that_says_cannot_tell_yet_says_it_once():
    """Its reason then comes without these words; anywhere else it has them."""
    short = reason("memory.cannot_tell_yet", because=reason("memory.history_too_short", history_s=720.0))

    assert say(short) == "Cannot tell yet: 12 min of history, too little to see a shape."
    assert remark(short) == "12 min of history, too little to see a shape"
