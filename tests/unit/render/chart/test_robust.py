"""Whatever was measured, a chart is valid, stays on its card and is drawn with text; or there is none."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import replace
from importlib.resources import files

import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.facts import MemoryHistory, Sample
from receiver.domain.report import CauseName, KillKind
from receiver.domain.units import MIB
from receiver.render.chart import DARK, chart_of, sparkline
from receiver.render.chart.textwidth import drawable, width_px
from receiver.sinks import png
from tests.unit.render.chart import kit
from tests.unit.render.chart.kit import START_S

amounts = st.one_of(st.none(), st.floats(0, 2**40), st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 80.0 * MIB, 1e308]))
times = st.one_of(st.floats(START_S, START_S + 1e5), st.floats(-1e6, 1e6), st.sampled_from([float("nan"), float("inf"), 1e18, -1e18, 0.0]))
sample = st.builds(
    Sample, t_s=times, working_set_bytes=amounts.map(lambda v: 0.0 if v is None else v), limit_bytes=amounts, rss_bytes=amounts,
    cache_bytes=amounts, request_rate=amounts, restarts=st.one_of(st.none(), st.integers(0, 9).map(float)),
    oom_kills=st.one_of(st.none(), st.integers(0, 9).map(float)),
)  # fmt: skip
near = st.floats(START_S - 1e4, START_S + 2e5)


@st.composite
def reports(draw: st.DrawFn):
    samples = tuple(draw(st.lists(sample, max_size=60)))
    history = MemoryHistory(samples=samples, step_s=draw(st.floats(0, 600)), ends_s=draw(st.one_of(st.none(), near, st.just(float("inf")))))
    usable = [s for s in samples if s.t_s == s.t_s and abs(s.t_s) < 1e10]
    base = kit.report_of(
        None,
        kind=draw(st.sampled_from(KillKind)),
        cause=draw(st.sampled_from(CauseName)),
        request_mib=draw(st.sampled_from([None, 1, 64, 1e6])),
    )
    shape = shape_of(replace(history, samples=tuple(usable)))
    shape = replace(
        shape, kills=tuple(sorted(draw(st.lists(near, max_size=30)))), detail=draw(st.sampled_from(["", "page_cache", "memory_volume"])),
        time_to_limit_s=draw(st.one_of(st.none(), st.floats(0, 1e15))), growth_bytes_per_h=draw(st.one_of(st.none(), st.floats(-1e9, 1e12))),
    )  # fmt: skip
    revisions = tuple(kit.rollout(t, "1.0", i) for i, t in enumerate(draw(st.lists(near, max_size=30))))
    facts = replace(base.facts, history=history, workload=replace(base.facts.workload, revisions=revisions))  # type: ignore[type-var]
    return replace(base, facts=facts, shape=shape)


@given(reports())
@settings(max_examples=150, deadline=None)
def test_any_history_is_a_valid_chart_on_its_card_or_none(report) -> None:
    """Valid XML, every corner and text inside, a sentence of bounded length, the same twice."""
    chart = chart_of(report)
    assert len(sparkline(report)) <= 60
    if chart is None:
        return
    for x, y in kit.spots(chart.svg_dark):
        assert -0.2 <= x <= 720.2
        assert -0.2 <= y <= 260.2
    assert "nan" not in chart.svg_dark.replace(chart.alt_text, "")
    assert 20 < len(chart.alt_text) <= 2_000
    assert chart_of(report).svg_dark == chart.svg_dark


@pytest.mark.parametrize(
    "report",
    [
        kit.report_of(kit.line([50.0] * 30, start_s=-5e5)),
        kit.report_of(kit.line([0.0] * 30)),
        kit.report_of(kit.line([50.0] * 30), limit_mib=1e-6),
        kit.report_of(kit.line([50.0, 60.0], step_s=700)),
        kit.report_of(kit.line([50.0] * 30), kills=tuple(START_S + i / 10 for i in range(5_000))),
        kit.report_of(kit.line([50.0] * 30), kills=(START_S + 1e9,)),
    ],
    ids=["before 1970", "nothing used", "tiny limit", "two samples", "5,000 kills", "a kill in 30 years"],
)
def test_odd_histories_are_drawn(report) -> None:
    """Each within its card, and as a picture."""
    chart = chart_of(report)
    assert chart is not None
    assert all(-0.2 <= x <= 720.2 and -0.2 <= y <= 260.2 for x, y in kit.spots(chart.svg_dark))
    assert png.png_of(chart.svg_dark, width_px=90)


def test_times_outside_any_calendar_are_no_chart() -> None:
    """A series of nanoseconds taken for seconds."""
    assert chart_of(kit.report_of(kit.line([50.0] * 30, start_s=1.8e18, step_s=1e10))) is None


def coloured(picture: bytes, colour: str, rows: slice) -> int:
    """How many pixels of these rows have about this colour."""
    width, _, lines = kit.pixels(picture)
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return sum(
        all(abs(row[4 * x + k] - wanted[k]) <= 24 for k in range(3)) for row in lines[rows] for x in range(width)
    )  # fmt: skip


def test_text_is_really_drawn() -> None:
    """resvg draws no text and says nothing when a font is missing: so the picture is compared with one without a font."""
    chart = chart_of(kit.stories()["leak"])
    assert chart is not None
    with_font = png.png_of(chart.svg_dark, width_px=180)
    without = bytes(resvg_py.svg_to_bytes(svg_string=chart.svg_dark, width=360, skip_system_fonts=True))
    assert with_font is not None
    legend, axis = slice(8, 20), slice(114, 128)
    assert coloured(with_font, DARK.text, legend) > 40
    assert coloured(without, DARK.text, legend) == 0
    assert coloured(with_font, DARK.quiet, axis) > 40
    assert coloured(without, DARK.quiet, axis) < 20  # tick marks


@pytest.mark.parametrize("name", ["leak", "warning", "limit-too-low", "file-cache", "spike", "rollout"])
def test_a_picture_is_small_enough_to_send(name: str) -> None:
    """1440 x 520, some tens of kB."""
    chart = chart_of(kit.stories()[name])
    assert chart is not None
    picture = png.png_of(chart.svg_dark)
    assert picture is not None
    assert struct.unpack(">II", picture[16:24]) == (1440, 520)
    assert 20_000 <= len(picture) <= 85_000


def test_without_the_extra_there_is_no_picture_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message then goes without one."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert png.png_of("<svg/>") is None


def test_what_is_no_svg_is_no_picture() -> None:
    """Rather than an exception in the way of an alert."""
    assert png.png_of("<svg") is None


def test_the_sparkline_fits_a_phone_and_marks_kills() -> None:
    """One group of blocks a life, each ended by its kill."""
    drawn = sparkline(kit.stories()["leak"])
    assert drawn.count("✕") == 4
    assert len(drawn) <= 40
    assert set(drawn) <= set("▁▂▃▄▅▆▇█✕ ")
    assert json.loads(json.dumps(drawn)) == drawn


def test_the_width_table_is_that_of_the_font() -> None:
    """Layout counts with the advance widths of the bundled file."""
    font = (files("receiver.render") / "fonts" / png.FONT_FILE).read_bytes()
    tables = {}
    for i in range(struct.unpack(">H", font[4:6])[0]):
        tag, _, offset, length = struct.unpack(">4sIII", font[12 + 16 * i : 28 + 16 * i])
        tables[tag] = font[offset : offset + length]
    per_em = struct.unpack(">H", tables[b"head"][18:20])[0]
    long_metrics = struct.unpack(">H", tables[b"hhea"][34:36])[0]
    glyphs = _format_4(tables[b"cmap"])
    for code in (*range(32, 127), 0x2026):
        at = 4 * min(glyphs[code], long_metrics - 1)
        assert width_px(chr(code), per_em) == pytest.approx(struct.unpack(">H", tables[b"hmtx"][at : at + 2])[0]), chr(code)
    assert drawable("ü日") == "??"


def _format_4(cmap: bytes) -> dict[int, int]:
    """Code point to glyph, from the first format 4 table."""
    places = (struct.unpack(">I", cmap[8 + 8 * i : 12 + 8 * i])[0] for i in range(struct.unpack(">H", cmap[2:4])[0]))
    table = next(cmap[p:] for p in places if cmap[p : p + 2] == b"\0\4")
    double = struct.unpack(">H", table[6:8])[0]
    ends, starts, deltas, offsets = (
        struct.unpack(f">{double // 2}H", table[14 + i * double + (2 if i else 0) : 14 + (i + 1) * double + (2 if i else 0)])
        for i in range(4)
    )
    found = {}
    for i, (end, start, delta, offset) in enumerate(zip(ends, starts, deltas, offsets, strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            if offset == 0:
                found[code] = (code + delta) & 0xFFFF
            else:
                at = 16 + 3 * double + 2 * i + offset + 2 * (code - start)
                glyph = struct.unpack(">H", table[at : at + 2])[0]
                found[code] = (glyph + delta) & 0xFFFF if glyph else 0
    return found
