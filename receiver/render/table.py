"""A table for a terminal: columns of text, cut to the width where somebody looks, whole where it is piped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from receiver.render.text import clean_line, cut_middle

GAP = "   "  # as kubectl has between its columns
NARROW_GAP = "  "


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None, floors: Mapping[str, int]) -> list[str]:
    """Lines, the header first. `width` None: as wide as it is. `floors`: the columns that may be cut, in their middle, and how narrow."""
    cells = [list(header), *([clean_line(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    gap = GAP if width is None or sum(widths) + len(GAP) * (len(widths) - 1) <= width else NARROW_GAP
    if width is not None:
        widths = _fitted(widths, [floors.get(name, widths[i]) for i, name in enumerate(header)], width - len(gap) * (len(widths) - 1))
    return [gap.join(cut_middle(cell, w).ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]


def _fitted(widths: Sequence[int], floors: Sequence[int], room: int) -> list[int]:
    """The widths with those that have most to give made narrower, one character at a time, until all fit or none can give more."""
    fitted = list(widths)
    while sum(fitted) > room and (givers := [i for i, w in enumerate(fitted) if w > floors[i]]):
        fitted[max(givers, key=lambda i: fitted[i] - floors[i])] -= 1
    return fitted
