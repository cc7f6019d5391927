"""SVG elements as text. Marks are paths, never glyphs: a missing glyph would be an empty box, or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Spot = tuple[float, float]


def safe(text: str) -> str:
    """Any text as XML text or attribute value."""
    return escape(_NOT_XML.sub("\ufffd", text))


def px(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def line_d(spots: Iterable[Spot]) -> str:
    """Path data through the spots; a single one becomes a dot (with round caps)."""
    steps = [f"{px(x)} {px(y)}" for x, y in spots]
    return f"M{'L'.join(steps)}" + ("h0.1" if len(steps) == 1 else "")


def area_d(spots: Iterable[Spot], base_y: float) -> str:
    """Path data of the area between the spots and a horizontal line."""
    around = list(spots)
    return f"{line_d([*around, (around[-1][0], base_y), (around[0][0], base_y)])}Z"


def stroke(d: str, colour: str, width: float, *, dash: str = "", opacity: float = 1.0) -> str:
    """An open path."""
    more = (f' stroke-dasharray="{dash}"' if dash else "") + (f' stroke-opacity="{opacity:g}"' if opacity < 1 else "")
    caps = "" if dash else ' stroke-linecap="round"'
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"{caps}{more}/>'


def fill(d: str, colour: str, opacity: float = 1.0) -> str:
    """A filled path."""
    return f'<path d="{d}" fill="{colour}"' + (f' fill-opacity="{opacity:g}"' if opacity < 1 else "") + "/>"


def horizontal(y: float, left: float, right: float, colour: str, width: float, *, dash: str = "") -> str:
    """A straight line across."""
    return stroke(f"M{px(left)} {px(y)}H{px(right)}", colour, width, dash=dash)


def vertical(x: float, top: float, bottom: float, colour: str, width: float, *, dash: str = "", opacity: float = 1.0) -> str:
    """A straight line down."""
    return stroke(f"M{px(x)} {px(top)}V{px(bottom)}", colour, width, dash=dash, opacity=opacity)


def box(x: float, y: float, width: float, height: float, colour: str, *, radius: float = 0.0, opacity: float = 1.0) -> str:
    """A filled rectangle."""
    more = (f' rx="{radius:g}"' if radius else "") + (f' fill-opacity="{opacity:g}"' if opacity < 1 else "")
    return f'<rect x="{px(x)}" y="{px(y)}" width="{px(width)}" height="{px(height)}" fill="{colour}"{more}/>'


def text(
    x: float, y: float, words: str, colour: str, *, size: float = 0.0, anchor: str = "start", halo: str = "", turned: bool = False, width: float = 0.0
) -> str:  # fmt: skip
    """A line of text on its base line; `halo` is the colour of an edge around the letters, `turned` reads upwards. `width`: kept in any font."""
    more = "".join(
        (
            f' font-size="{size:g}"' if size else "",
            f' text-anchor="{anchor}"' if anchor != "start" else "",
            f' stroke="{halo}" stroke-width="5" stroke-linejoin="round" paint-order="stroke"' if halo else "",
            f' textLength="{px(width)}" lengthAdjust="spacingAndGlyphs"' if width else "",
            f' transform="rotate(-90 {px(x)} {px(y)})"' if turned else "",
        )
    )
    return f'<text x="{px(x)}" y="{px(y)}" fill="{colour}"{more}>{safe(words)}</text>'


def cross(x: float, y: float, arm: float, colour: str, width: float) -> str:
    """A drawn multiplication sign around a centre."""
    a = px(2 * arm)
    return stroke(f"M{px(x - arm)} {px(y - arm)}l{a} {a}m0 -{a}l-{a} {a}", colour, width)


def disc(x: float, y: float, radius: float, colour: str, *, edge: str = "", edge_width: float = 2.0) -> str:
    """A filled circle."""
    more = f' stroke="{edge}" stroke-width="{edge_width:g}"' if edge else ""
    return f'<circle cx="{px(x)}" cy="{px(y)}" r="{radius:g}" fill="{colour}"{more}/>'


def triangle(x: float, bottom: float, half: float, height: float, colour: str) -> str:
    """A triangle that stands on a line, its tip up."""
    return fill(f"M{px(x)} {px(bottom - height)}l{px(half)} {px(height)}h-{px(2 * half)}Z", colour)
