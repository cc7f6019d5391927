"""From a plot to SVG. The card is 720 x 260 logical pixels; a phone shows it at about 0.42 of that, hence the large text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from receiver.domain.units import human_bytes
from receiver.render.chart import axis, shapes
from receiver.render.chart.legend import GAP_PX, entries, fitted, rate_text
from receiver.render.chart.marks import PILL_TEXT_PX, Mark, merged
from receiver.render.chart.palette import Palette
from receiver.render.chart.plot import Plot
from receiver.render.chart.shapes import Spot as Dot
from receiver.render.chart.spots import Spot
from receiver.render.chart.textwidth import drawable, width_px

WIDTH, HEIGHT = 720, 260
NARROW_WIDTH = 420  # of a page on a phone, which has no picture to scale down
LEFT = 16.0  # and as much at the right
TOP, BASE = 68.0, 222.0  # the limit (or the peak), and zero
BAND_TOP = 56.0
TEXT_PX, SMALL_PX = 21.0, 16.0
TIP_PX = 24.0
LEGEND_Y, TIMES_Y = 33.0, 249.0
FONT = "Roboto, Arial, Helvetica, sans-serif"  # the bundled file's family (receiver/render/fonts); the others, about as wide, for browsers


@dataclass(frozen=True, slots=True)
class _Scale:
    plot: Plot
    width: int

    @property
    def right(self) -> float:
        return self.width - LEFT

    def x(self, t_s: float) -> float:
        share = (t_s - self.plot.start_s) / (self.plot.end_s - self.plot.start_s)
        return LEFT + min(1.0, max(0.0, share)) * (self.right - LEFT)

    def y(self, n_bytes: float) -> float:
        return BASE - min(1.0, max(0.0, n_bytes / self.plot.top_bytes)) * (BASE - TOP)


def svg(plot: Plot, palette: Palette, title: str, spots: Sequence[Spot] = (), *, width: int = WIDTH) -> str:
    """The chart as one SVG document; `title` is what a screen reader says of it. `spots`: what is to be read under the pointer."""
    scale = _Scale(plot, width)
    course = _course(plot, scale)
    parts = (
        shapes.box(0, 0, width, HEIGHT, palette.card, radius=10),
        *_gap_bands(plot, palette, scale),
        shapes.horizontal(BASE, LEFT, scale.right, palette.rule, 2),
        *_memory_areas(plot, palette, course),
        *_requests(plot, palette, scale),
        *_hairlines(plot, palette, scale),
        *_rollouts(plot, palette, scale),
        *_limit(plot, palette, scale),
        *_request_line(plot, palette, scale),
        *_memory_lines(plot, palette, course),
        *_labels(plot, palette, scale, course),
        *_projection(plot, palette, scale),
        *_kills(plot, palette, scale),
        *_legend(plot, palette, scale),
        *_times(plot, palette, scale),
        *_spots(spots, scale),
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img"'
        f' aria-label="{shapes.safe(title)}" font-family="{FONT}" font-size="{TEXT_PX:g}">'
    )
    return "\n".join((head, *parts, "</svg>", ""))


@dataclass(frozen=True, slots=True)
class _Course:
    """The memory line in pixels, a list of spots for each unbroken piece of a life."""

    total: list[list[Dot]]
    own: list[list[Dot]]  # the process itself; the same where file cache is not shown apart


def _course(plot: Plot, scale: _Scale) -> _Course:
    total = [[(scale.x(p.t_s), scale.y(p.total_bytes)) for p in piece] for piece in plot.pieces]
    own = [[(scale.x(p.t_s), scale.y(p.own_bytes)) for p in piece] for piece in plot.pieces] if plot.has_cache else total
    return _Course(total=total, own=own)


def _memory_areas(plot: Plot, palette: Palette, course: _Course) -> Iterator[str]:
    """All pieces in one path: hundreds of short lives are drawn as fast as one long one."""
    under = "".join(shapes.area_d(spots, BASE) for spots in course.own)
    if plot.has_cache:
        between = (f"{shapes.line_d([*total, *reversed(own)])}Z" for total, own in zip(course.total, course.own, strict=True))
        yield shapes.fill("".join(between), palette.cache, 0.3)
    yield shapes.fill(under, palette.memory, 0.5 if plot.has_cache else palette.shade)


def _memory_lines(plot: Plot, palette: Palette, course: _Course) -> Iterator[str]:
    if plot.has_cache:
        yield from _line(course.total, palette.cache, 2.5)
    yield from _line(course.own, palette.memory, 3)


def _line(pieces: list[list[Dot]], colour: str, width: float) -> Iterator[str]:
    lines = [shapes.line_d(spots) for spots in pieces if len(spots) > 1]
    dots = [shapes.line_d(spots) for spots in pieces if len(spots) == 1]
    if lines:
        yield shapes.stroke("".join(lines), colour, width)
    if dots:  # a life that one scrape saw
        yield shapes.stroke("".join(dots), colour, 2 * width)


def _requests(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    """On a scale of its own, in the lowest third."""
    if not plot.rate_peak or plot.has_cache:
        return
    for run in plot.rates:
        spots = [(scale.x(t), BASE - rate / plot.rate_peak * (BASE - TOP) / 3) for t, rate in run]
        yield shapes.fill(shapes.area_d(spots, BASE), palette.quiet, 0.38)


def _limit(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    """Steps; a stretch without a limit has no line."""
    d, is_open = [], False
    ends = [*(t for t, _ in plot.limits[1:]), plot.end_s]
    for (since, limit), until in zip(plot.limits, ends, strict=True):
        if not limit:
            is_open = False
            continue
        start = f"{'L' if is_open else 'M'}{shapes.px(scale.x(since))} {shapes.px(scale.y(limit))}"
        d.append(f"{start}H{shapes.px(scale.x(until))}")
        is_open = True
    if d:
        yield shapes.stroke("".join(d), palette.limit, 2.5)


def _request_line(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    if plot.request_bytes:
        yield shapes.horizontal(scale.y(plot.request_bytes), LEFT, scale.right, palette.request, 2, dash="3 6")


def _labels(plot: Plot, palette: Palette, scale: _Scale, course: _Course) -> Iterator[str]:
    """Names on the lines themselves, above the lines so that they stay readable."""
    if plot.request_bytes:
        words = drawable(f"request {human_bytes(plot.request_bytes)}")
        x, y = _free_place(plot, scale, course, width_px(words, SMALL_PX), scale.y(plot.request_bytes))
        yield _text(palette, x, y, words, palette.request, size=SMALL_PX, halo=palette.card)
    if plot.rate_peak and not plot.has_cache:
        yield _text(
            palette, LEFT + 5, BASE - 8, f"requests, peak {rate_text(plot.rate_peak)}", palette.text, size=SMALL_PX, halo=palette.card
        )


def _free_place(plot: Plot, scale: _Scale, course: _Course, width: float, line_y: float) -> tuple[float, float]:
    """Where on its line a label covers the least: below or above it, at the left, in the middle or at the right."""
    spots = [spot for piece in course.total for spot in piece]
    marks = [scale.x(k) for k in plot.kills_s] + [scale.x(r.t_s) for r in plot.rollouts]

    def covered(place: tuple[float, float]) -> int:
        x, y = place
        top = y - SMALL_PX
        on_line = sum(1 for a, b in spots if x - 4 <= a <= x + width + 4 and top - 4 <= b <= y + 6)
        on_mark = sum(1 for m in marks if x - 4 <= m <= x + width + 4)
        is_outside = top < TOP + 3 or y > BASE - 4
        return on_line + 20 * on_mark + 1000 * is_outside

    heights = (line_y + 18, line_y - 7)
    columns = (
        LEFT + 4,
        scale.right - 4 - width,
        (LEFT + scale.right - width) / 2,
        LEFT + 0.25 * (scale.right - LEFT),
        LEFT + 0.6 * (scale.right - LEFT),
    )
    return min(((x, y) for x in columns for y in heights), key=covered)


def _gap_bands(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    for since, until in plot.gaps:
        left, right = scale.x(since), scale.x(until)
        yield shapes.box(left, BAND_TOP, max(1.0, right - left), BASE - BAND_TOP, palette.quiet, opacity=0.16)
        centre = (left + right) / 2
        if right - left >= width_px("no data", SMALL_PX) + 16:
            yield _text(palette, centre, BASE - 12, "no data", palette.quiet, size=SMALL_PX, anchor="middle", halo=palette.card)
        elif right - left >= SMALL_PX + 1:
            yield _text(palette, centre + 5.5, BASE - 8, "no data", palette.quiet, size=SMALL_PX, turned=True)


def _hairlines(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    places = {round(scale.x(kill)): (scale.x(kill), _kill_y(plot, scale, kill)) for kill in plot.kills_s}
    if places:
        d = "".join(f"M{shapes.px(x)} {shapes.px(y)}V{shapes.px(BASE)}" for x, y in places.values())
        yield shapes.stroke(d, palette.limit, 1.5, opacity=0.55)


def _kill_y(plot: Plot, scale: _Scale, t_s: float) -> float:
    limit = plot.limit_at(t_s)
    return scale.y(limit) if limit else TOP


def _kills(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    for mark in merged([(scale.x(k), _kill_y(plot, scale, k)) for k in plot.kills_s], LEFT - 4, scale.right + 4):
        yield from _kill(mark, palette)


def _kill(mark: Mark, palette: Palette) -> Iterator[str]:
    if mark.count == 1:
        yield shapes.disc(mark.x, mark.y, 11, palette.limit, edge=palette.card)
        yield shapes.cross(mark.x, mark.y, 4, palette.card, 3)
        return
    yield shapes.box(mark.x - mark.half_px - 2, mark.y - 13, 2 * mark.half_px + 4, 26, palette.card, radius=13)
    yield shapes.box(mark.x - mark.half_px, mark.y - 11, 2 * mark.half_px, 22, palette.limit, radius=11)
    yield shapes.cross(mark.x - mark.half_px + 12, mark.y, 4, palette.card, 3)
    yield _text(palette, mark.x - mark.half_px + 22, mark.y + 6, f"{mark.count}", palette.card, size=PILL_TEXT_PX)


def _rollouts(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    for rollout in plot.rollouts[-20:]:
        x = scale.x(rollout.t_s)
        yield shapes.vertical(x, BAND_TOP, BASE - 8, palette.rollout, 2.5, dash="8 5")
        yield shapes.triangle(x, BASE, 7, 11, palette.rollout)


def _projection(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    going = plot.projection
    if going is None:
        return
    x, y = scale.x(going.from_s), scale.y(going.from_bytes)
    shown_s = min(going.full_s, plot.end_s)
    reached = going.from_bytes + (going.limit_bytes - going.from_bytes) * (shown_s - going.from_s) / (going.full_s - going.from_s)
    end = (scale.x(shown_s), scale.y(reached))
    yield shapes.vertical(x, BAND_TOP, BASE, palette.quiet, 1.5, dash="2 4")
    yield shapes.stroke(shapes.line_d([(x, y), end]), palette.memory, 3, dash="8 6")
    has_room = x + 7 + width_px("now", SMALL_PX) <= scale.right
    yield _text(palette, x + 7 if has_room else x - 7, BASE - 8, "now", palette.quiet, size=SMALL_PX, anchor="start" if has_room else "end")
    if going.full_s <= plot.end_s:
        yield shapes.disc(*end, 8, palette.card, edge=palette.limit, edge_width=3)


def _legend(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    x = LEFT
    for entry, words in fitted(entries(plot), scale.right - LEFT, TEXT_PX):
        yield from _key(entry.mark, x, palette)
        yield _text(palette, x + entry.key_px, LEGEND_Y, words, palette.text)
        x += entry.key_px + width_px(words, TEXT_PX) + GAP_PX


def _key(mark: str, x: float, palette: Palette) -> Iterator[str]:
    middle = LEGEND_Y - 7.5
    if mark == "limit":
        yield shapes.horizontal(middle, x + 1, x + 17, palette.limit, 3.5)
    elif mark == "kill":
        yield shapes.disc(x + 9, middle, 9, palette.limit)
        yield shapes.cross(x + 9, middle, 3.3, palette.card, 2.6)
    elif mark == "rise":
        yield shapes.horizontal(middle, x, x + 19, palette.memory, 3, dash="5 2")
    elif mark == "full":
        yield shapes.disc(x + 9, middle, 7, palette.card, edge=palette.limit, edge_width=3)
    elif mark == "rollout":
        yield shapes.triangle(x + 9, middle + 7, 8, 14, palette.rollout)
    elif mark in ("memory", "cache"):
        yield shapes.box(x + 1, middle - 7.5, 15, 15, palette.memory if mark == "memory" else palette.cache, radius=3)


def _times(plot: Plot, palette: Palette, scale: _Scale) -> Iterator[str]:
    for label in axis.labels(plot.start_s, plot.end_s, LEFT, scale.right, TEXT_PX):
        if label.anchor == "middle":
            yield shapes.vertical(label.x, BASE, BASE + 6, palette.quiet, 2)
        yield _text(palette, label.x, TIMES_Y, label.text, palette.quiet, anchor=label.anchor)


def _spots(spots: Sequence[Spot], scale: _Scale) -> Iterator[str]:
    """A column for each, with a box of its values. The page's style sheet colours them (`.spot`), and shows a box (`.tip`) under the pointer."""
    for spot in spots:
        left, right = scale.x(spot.start.timestamp()), scale.x(spot.end.timestamp())
        column = f'<rect x="{shapes.px(left)}" width="{shapes.px(right - left)}" height="{HEIGHT}"/>'
        yield f'<g class="spot">{column}<g class="tip">{"".join(_tip(spot, (left + right) / 2, scale))}</g></g>'


def _tip(spot: Spot, x: float, scale: _Scale) -> Iterator[str]:
    yield f'<path d="M{shapes.px(x)} {shapes.px(BAND_TOP)}V{shapes.px(BASE)}"/>'
    if spot.used_bytes is not None:
        yield f'<circle cx="{shapes.px(x)}" cy="{shapes.px(scale.y(spot.used_bytes))}" r="6"/>'
    memory = f"{spot.memory} of {spot.limit}" if spot.memory and spot.limit else spot.memory or "no sample"
    is_long = scale.plot.end_s - scale.plot.start_s > axis.LONG_S / 2
    said = drawable(
        "  ".join(w for w in (f"{spot.start:%d %b %H:%M}" if is_long else f"{spot.start:%H:%M}", memory, spot.rate, *spot.marks) if w)
    )
    wide = min(width_px(said, TIP_PX), scale.width - 24.0)
    start = min(max(x - wide / 2 - 12, 0), max(0, scale.width - wide - 24))
    yield f'<rect x="{shapes.px(start)}" y="4" width="{shapes.px(wide + 24)}" height="42" rx="6"/>'
    words = f'x="{shapes.px(start + 12)}" y="33" font-size="{TIP_PX:g}" textLength="{shapes.px(wide)}" lengthAdjust="spacingAndGlyphs"'
    yield f"<text {words}>{shapes.safe(said)}</text>"


def _text(
    palette: Palette, x: float, y: float, words: str, colour: str, *, size: float = TEXT_PX, anchor: str = "start", halo: str = "", turned: bool = False
) -> str:  # fmt: skip
    width = width_px(words, size) if palette.is_any_font else 0.0
    return shapes.text(x, y, words, colour, size=size if size != TEXT_PX else 0.0, anchor=anchor, halo=halo, turned=turned, width=width)
