"""The memory chart of an incident: a report's numbers to SVG. Pure; PNG is `receiver.sinks.png`'s business."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.domain.incident import IncidentView
from receiver.domain.report import Report
from receiver.render.chart.alt import alt_text
from receiver.render.chart.draw import NARROW_WIDTH, WIDTH, svg
from receiver.render.chart.palette import DARK, LIGHT, PAGE, Palette
from receiver.render.chart.plot import Plot, plot_of
from receiver.render.chart.spark import sparkline
from receiver.render.chart.spots import PHONE_SPOTS, Spot, spots_of

__all__ = ["DARK", "LIGHT", "Chart", "Palette", "Spot", "chart_of", "sparkline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that can be drawn in any palette. Sizes are logical pixels; a PNG is drawn at twice that."""

    plot: Plot
    alt_text: str
    width_px: int = WIDTH

    def svg(self, palette: Palette = DARK) -> str:
        """One SVG document. Slack gets the dark card for both of its themes, because a message has one image."""
        return svg(self.plot, palette, self.alt_text)

    @property
    def svg_dark(self) -> str:
        """For Slack."""
        return self.svg(DARK)

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Its values moment by moment."""
        return spots_of(self.plot)

    @property
    def svg_page(self) -> str:
        """For a page's own markup: colours of its style sheet, and the values under the pointer."""
        return svg(self.plot, PAGE, self.alt_text, self.spots)

    @property
    def svg_phone(self) -> str:
        """The same for a narrow page: less wide, so that its text is read without scaling."""
        return svg(self.plot, PAGE, self.alt_text, spots_of(self.plot, PHONE_SPOTS), width=NARROW_WIDTH)


def chart_of(report: Report, view: IncidentView | None = None) -> Chart | None:
    """The chart of a report's memory history; None when there are less than ten minutes of it.

    `view` adds how many kills the incident has had in all. Numbers are those of the message: limit, peak, "full about".
    """
    try:
        plot = plot_of(report, view)
        return Chart(plot=plot, alt_text=alt_text(plot)) if plot is not None else None
    except OverflowError:  # a time or a rate so absurd that no calendar holds it: a message without a chart is better than none
        return None
