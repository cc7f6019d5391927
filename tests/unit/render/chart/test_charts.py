"""What a reader sees of the memory chart: marks, words and the sentence for those who cannot see it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from receiver.diagnosis.diagnose import diagnose
from receiver.domain.incident import IncidentView
from receiver.domain.report import CauseName, KillKind, Report
from receiver.domain.units import MIB
from receiver.render.chart import DARK, LIGHT, Chart, chart_of, sparkline
from receiver.render.chart.axis import labels
from receiver.render.chart.marks import merged
from receiver.render.chart.palette import Palette
from receiver.render.chart.plot import plot_of
from receiver.render.chart.textwidth import width_px
from tests.golden import Golden
from tests.places import REPO
from tests.unit.render.cases import view_of
from tests.unit.render.chart import kit
from tests.unit.render.chart.kit import START_S

STORIES = ("leak", "warning", "limit-too-low", "file-cache", "spike", "rollout", "limit-raised")


def chart(report: Report, view: IncidentView | None = None) -> Chart:
    found = chart_of(report, view)
    assert found is not None
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_charts_people_see_most(golden: Golden, name: str) -> None:
    """Each story's picture and sentence, from a recorded series."""
    found = chart(kit.stories()[name])
    golden(f"chart/{name}-dark.svg", found.svg_dark)
    golden(f"chart/{name}.txt", f"{found.alt_text}\n{sparkline(kit.stories()[name])}")


def test_the_light_chart_differs_in_its_colours_only(golden: Golden) -> None:
    """The same marks and words in both palettes."""
    found = chart(kit.stories()["rollout"])
    golden("chart/rollout-light.svg", found.svg(LIGHT))
    assert list(kit.spots(found.svg_dark)) == list(kit.spots(found.svg(LIGHT)))
    assert kit.texts(found.svg_dark) == kit.texts(found.svg(LIGHT))


def test_a_picture_is_the_same_each_time() -> None:
    """A message that is edited does not get a new picture for nothing."""
    assert chart(kit.stories()["leak"]).svg_dark == chart(kit.stories()["leak"]).svg_dark


@pytest.mark.parametrize("samples", [0, 1, 2, 19])
def test_less_than_ten_minutes_is_no_chart(samples: int) -> None:
    """Nothing stands in its place either."""
    report = kit.report_of(kit.line([50.0] * samples))
    assert chart_of(report) is None
    assert sparkline(report) == ""


def test_without_history_there_is_no_chart() -> None:
    """Not even when the shape is missing too."""
    assert chart_of(replace(kit.report_of(None), shape=None)) is None


def test_ten_minutes_are_enough_without_a_verdict() -> None:
    """A series alone can be drawn."""
    report = replace(kit.report_of(kit.line([50.0] * 21)), shape=None)
    assert "limit 128 MiB" in kit.texts(chart(report).svg_dark)


def test_a_diagnosed_case_has_a_chart() -> None:
    """The real diagnosis' report of a leak: its kills are the chart's, by number and by time."""
    report = diagnose(kit.report_of(kit.trace("leak_oom_restarts_03"), request_mib=64).facts)
    found = chart(report)
    assert report.shape is not None
    assert len(report.shape.kills) == 4
    assert "4 kills" in kit.texts(found.svg_dark)
    assert "4 OOM kills at 18:48, 21:27, 00:10 and 02:39 UTC" in found.alt_text


def test_each_life_is_a_line_of_its_own() -> None:
    """No line joins a killed life with the next, and the sample that was taken after the kill is not drawn."""
    levels = [*range(40, 120), 10, *range(20, 120)]  # the 10 was scraped before the counter moved
    kill = START_S + 80.5 * 30
    plot = plot_of(kit.report_of(kit.line([float(v) for v in levels]), kills=(kill,)))
    assert plot is not None
    first, second = plot.pieces
    assert (first[-1].t_s, first[-1].total_bytes) == (START_S + 79 * 30, 119 * MIB)
    assert second[0].total_bytes == 20 * MIB
    assert min(p.total_bytes for p in first) == 40 * MIB


def test_what_a_dead_process_still_held_is_not_the_next_lifes_start() -> None:
    """The scrape after the kill may still see half of the memory."""
    levels = [*range(40, 120), 30, 4, *range(6, 106)]
    plot = plot_of(kit.report_of(kit.line([float(v) for v in levels]), kills=(START_S + 79.5 * 30,)))
    assert plot is not None
    assert plot.pieces[1][0].total_bytes == 4 * MIB


def test_a_process_that_dies_in_steps_ends_where_it_began_to_fall() -> None:
    """Two scrapes at 58 and two at 26 after 96 MiB, before the kill was counted."""
    levels = [*[85.0] * 60, 96.0, 58.0, 58.0, 26.0, 26.0, 2.0, *[85.0] * 60]
    plot = plot_of(kit.report_of(kit.line(levels, limit_mib=96), limit_mib=96, kills=(START_S + 64.5 * 30,)))
    assert plot is not None
    assert plot.pieces[0][-1].total_bytes == 96 * MIB


def test_a_fall_that_memory_came_back_from_is_drawn() -> None:
    """It was not the kill."""
    levels = [*[90.0] * 60, 30.0, 40.0, 94.0, *[20.0] * 60]
    plot = plot_of(kit.report_of(kit.line(levels, limit_mib=96), limit_mib=96, kills=(START_S + 62.5 * 30,)))
    assert plot is not None
    assert plot.pieces[0][-1].total_bytes == 94 * MIB


def test_a_short_peak_is_not_averaged_away() -> None:
    """One sample of 20,000 touched the limit: the line does."""
    levels = [20.0] * 20_000
    levels[9_321] = 128.0
    found = chart(kit.report_of(kit.line(levels, step_s=60)))
    line = next(n for n in ElementTree.fromstring(found.svg_dark) if n.get("stroke") == DARK.memory)
    assert "68" in {y for _, _, y in (p.partition(" ") for p in line.attrib["d"].removeprefix("M").split("L"))}


def test_two_weeks_show_days_and_few_points() -> None:
    """20,000 points are drawn as a few hundred, under dates."""
    found = chart(kit.report_of(kit.line([60 + 20 * math.sin(i / 230) for i in range(20_160)], step_s=60)))
    assert kit.texts(found.svg_dark)[-4:] == ["22 Nov", "26 Nov", "3 Dec", "6 Dec UTC"]
    assert len(found.svg_dark) < 15_000


def test_kills_stand_on_the_limit_of_their_time() -> None:
    """Before the limit was raised the mark is lower."""
    found = chart(kit.stories()["limit-raised"])
    discs = [n for n in ElementTree.fromstring(found.svg_dark) if n.tag.endswith("circle")]
    assert [n.get("cy") for n in discs[:2]] == ["145", "145"]
    assert "limit 128 MiB, was 64 MiB" in kit.texts(found.svg_dark)
    assert "limit 128 MiB, 64 MiB until 21:00 UTC" in found.alt_text


def test_kills_that_would_cover_each_other_are_counted() -> None:
    """Closer than 24 pixels: one pill; a hundred kills are a few pills whose numbers add up, none over another."""
    assert [m.count for m in merged([(100, 68), (123, 68), (200, 68)], 12, 708)] == [2, 1]
    assert [m.count for m in merged([(100, 68), (130, 68)], 12, 708)] == [1, 1]
    many = merged([(16 + 6.88 * i, 68.0) for i in range(100)], 12, 708)
    assert sum(m.count for m in many) == 100
    assert all(a.x + a.half_px <= b.x - b.half_px for a, b in pairwise(many))


def test_other_replicas_kills_are_said() -> None:
    """The chart shows one pod; the header counts all, and the two must not seem to contradict each other."""
    report = kit.stories()["leak"]
    alone, of_all = chart(report, view_of(report, kill_count=4)), chart(report, view_of(report, kill_count=71))
    assert "4 OOM kills" in kit.texts(alone.svg_dark)
    assert "4 of 71 OOM kills" in kit.texts(of_all.svg_dark)


def test_a_warning_shows_where_it_leads() -> None:
    """ "now", a dashed line and an open ring on the limit, at the time that the words name."""
    found = chart(kit.stories()["warning"])
    assert {"full about 18:51", "now"} <= set(kit.texts(found.svg_dark))
    (ring,) = [n for n in ElementTree.fromstring(found.svg_dark) if n.tag.endswith("circle") and n.get("cy") == "68"]
    assert (ring.get("fill"), ring.get("stroke")) == (DARK.card, DARK.limit)


def test_a_limit_that_is_reached_far_away_is_named_and_not_squeezed_in() -> None:
    """Ten days ahead of two hours of history: the line leaves the card, and the legend has the date."""
    report = kit.report_of(
        kit.line([40 + i / 100 for i in range(240)]), cause=CauseName.LEAK, growth_bytes_per_h=1.0 * MIB, time_to_limit_s=864_000.0
    )
    found = chart(report)
    assert "full about 2 Dec 17:59" in kit.texts(found.svg_dark)
    assert not [n for n in ElementTree.fromstring(found.svg_dark) if n.tag.endswith("circle") and n.get("cy") == "68"]


def test_after_a_kill_nothing_is_foretold_in_the_picture() -> None:
    """The message says when the next kill is due."""
    report = kit.report_of(
        kit.line([40 + i / 10 for i in range(240)]), kind=KillKind.CONTAINER_OOM, growth_bytes_per_h=12.0 * MIB, time_to_limit_s=900.0
    )
    assert "now" not in kit.texts(chart(report).svg_dark)


def test_file_cache_is_a_colour_of_its_own() -> None:
    """One rising line would look like a leak; the numbers are those of the words, and nothing is "full" soon."""
    report = kit.stories()["file-cache"]
    rising = replace(report, shape=replace(report.shape, growth_bytes_per_h=1.0 * MIB, time_to_limit_s=9_000.0))  # type: ignore[type-var]
    for each in (report, rising):
        found = chart(each)
        assert kit.texts(found.svg_dark)[:3] == ["process 22 MiB", "file cache 36 MiB", "limit 64 MiB"]
        assert DARK.cache in found.svg_dark
        assert "file cache 36 MiB on top of it" in found.alt_text


def test_files_in_memory_are_not_called_file_cache() -> None:
    """The kernel cannot take those back: they belong to what fills the limit."""
    report = kit.report_of(kit.trace("pagecache_04"), detail="memory_volume", cache_share=0.62)
    assert "process" not in " ".join(kit.texts(chart(report).svg_dark))


def test_missing_scrapes_are_shown_as_missing() -> None:
    """Over 15 minutes: a grey band and no line; at the end too, where nothing has come since."""
    history = kit.line([50.0] * 200)
    holed = replace(history, samples=history.samples[:80] + history.samples[120:], ends_s=history.samples[-1].t_s + 1800)
    found = chart(kit.report_of(holed))
    assert kit.texts(found.svg_dark).count("no data") == 2
    assert "no data for 50 min in 2 places" in found.alt_text
    assert plot_of(kit.report_of(replace(history, samples=history.samples[:80] + history.samples[105:]))).gaps == ()


def test_a_rollout_names_its_tag() -> None:
    """Only what the rollout changed, and only rollouts within the picture."""
    assert "rollout 1.4.2" in kit.texts(chart(kit.stories()["rollout"]).svg_dark)
    same = (kit.rollout(START_S + 900, "1.4.1", 2), kit.rollout(START_S - 900, "1.4.1", 1))
    words = kit.texts(chart(kit.report_of(kit.line([50.0] * 200), revisions=same)).svg_dark)
    assert "rollout" in words
    assert "a rollout at 16:15 UTC" in chart(kit.report_of(kit.line([50.0] * 200), revisions=same)).alt_text
    old = (kit.rollout(START_S - 900, "1.4.1", 1),)
    assert "rollout" not in " ".join(kit.texts(chart(kit.report_of(kit.line([50.0] * 200), revisions=old)).svg_dark))


def test_requests_are_an_area_with_their_peak() -> None:
    """On a scale of their own, never above the lowest third."""
    found = chart(kit.report_of(kit.line([50.0] * 200, request_rate=1240.0)))
    assert "requests, peak 1,240/s" in kit.texts(found.svg_dark)
    area = next(n for n in ElementTree.fromstring(found.svg_dark) if n.get("fill-opacity") == "0.38")
    assert min(y for _, y in kit._path(area.attrib["d"])) >= 222 - (222 - 68) / 3 - 0.1


def test_without_a_limit_it_says_so() -> None:
    """No red line, and no kill can stand on one."""
    found = chart(kit.report_of(kit.line([50.0] * 200, limit_mib=None), limit_mib=None))
    assert "no limit" in kit.texts(found.svg_dark)
    assert DARK.limit not in found.svg_dark
    assert "no limit is set" in found.alt_text


def test_names_from_outside_stay_text() -> None:
    """Neither a workload nor an image tag can add an element, and what the font lacks is a question mark."""
    hostile = '"><script>alert(1)</script>&\x00\x1b[31m\ufffe\ud800日本'
    report = kit.report_of(
        kit.line([50.0] * 200), workload=hostile, container="orders-api", revisions=(kit.rollout(START_S + 900, hostile, 1),)
    )  # fmt: skip
    found = chart(report)
    root = ElementTree.fromstring(found.svg_dark)
    assert {n.tag.rpartition("}")[2] for n in root.iter()} == {"svg", "rect", "path", "text"}
    assert not set(found.svg_dark) & set("日本\x00\x1b") - set(root.get("aria-label") or "")
    assert len(found.alt_text) <= 2_000


def test_long_words_are_shortened_before_they_leave_the_card() -> None:
    """Every legend entry that is shown ends within the card; the memory's own comes first and stays."""
    report = kit.report_of(
        kit.line([1000.0 + i for i in range(300)], limit_mib=1500), cause=CauseName.LEAK, growth_bytes_per_h=100.0 * MIB, time_to_limit_s=864_000.0,
        revisions=(kit.rollout(START_S + 900, "2026-11-22-sha-0123456789abcdef", 1),),
    )  # fmt: skip
    words = kit.texts(chart(report).svg_dark)
    assert {"peak 1.3 GiB", "limit 1.5 GiB", "rollout"} <= set(words)
    assert all(0 <= x <= 720 for x, _ in kit.spots(chart(report).svg_dark))


@pytest.mark.parametrize("span_s", [600, 3_600, 7_200, 40_000, 86_400, 200_000, 1_209_600, 40_000_000])
@pytest.mark.parametrize("start_s", [-1e6, 0.0, START_S, START_S + 1234.5])
def test_at_most_four_times_and_none_over_another(start_s: float, span_s: float) -> None:
    """Whatever the span, the last one says UTC."""
    found = labels(start_s, start_s + span_s, 16, 704, 21)
    assert 2 <= len(found) <= 4
    assert found[-1].text.endswith(" UTC")
    ends = [width_px(label.text, 21) * {"start": 1.0, "middle": 0.5, "end": 0.0}[label.anchor] + label.x for label in found]
    begins = [label.x - width_px(label.text, 21) * {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] for label in found]
    assert all(end + 10 < begin for end, begin in zip(ends, begins[1:], strict=False))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_every_line_and_text_can_be_told_from_its_card(palette: Palette) -> None:
    """At least 4.5:1; the legend's words 12:1."""

    def contrast(a: str, b: str) -> float:
        low, high = sorted((luminance(a), luminance(b)))
        return (high + 0.05) / (low + 0.05)

    for colour in (palette.quiet, palette.memory, palette.cache, palette.limit, palette.request, palette.rollout):
        assert contrast(colour, palette.card) >= 4.5, colour
    assert contrast(palette.text, palette.card) >= 12


def test_no_text_is_too_small_for_a_phone() -> None:
    """21 pixels, 16 for marks of second rank."""
    for report in kit.stories().values():
        root = ElementTree.fromstring(chart(report).svg_dark)
        sizes = {float(n.get("font-size", 0)) for n in root.iter() if n.get("font-size")}
        assert min(sizes) >= 16
        assert root.get("font-size") == "21"


@pytest.mark.parametrize(("palette", "number"), [(LIGHT, 0), (DARK, 1)], ids=["light", "dark"])
def test_the_page_has_the_pictures_colours(palette: Palette, number: int) -> None:
    """Those that were measured for contrast: the style sheet says them again, once for each theme."""
    css = (REPO / "templates" / "web" / "static" / "pages.css").read_text()
    for name in ("card", "text", "quiet", "rule", "memory", "cache", "limit", "request", "rollout"):
        shown = re.findall(rf"--chart-{name}: (#[0-9a-f]+);", css)
        assert _long(shown[number]) == getattr(palette, name), name


def _long(colour: str) -> str:
    return "#" + "".join(c * 2 for c in colour[1:]) if len(colour) == 4 else colour


def test_the_page_reads_values_under_the_pointer() -> None:
    """Of each moment the highest memory, the limit and the rate, and what happened in it; the same in the table."""
    found = chart(kit.stories()["leak"])
    marked = [spot for spot in found.spots if spot.marks]

    assert found.svg_page.count('class="spot"') == len(found.spots)
    assert len(marked) == len(found.plot.kills_s)
    assert all(spot.limit == "80 MiB" for spot in found.spots)
    assert sum(1 for spot in found.spots if spot.memory) > 50
    assert found.svg_phone.count('class="spot"') < len(found.spots)
