"""A chart's SVG as PNG, by resvg (the optional extra `charts`). Without the extra there is no picture, and nothing else is lost."""

from __future__ import annotations

import importlib.util
from importlib.resources import as_file, files

SCALE = 2  # of the logical size: sharp on a phone
FONT_FILE = "Roboto-Regular.subset.ttf"
FONT_FAMILY = "Roboto"


def is_available() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("resvg_py") is not None


def png_of(svg: str, *, width_px: int = 720) -> bytes | None:
    """The picture at twice its logical width; None when the extra is not installed, or resvg cannot draw this SVG.

    Only the bundled font is used: with another one text has another width, and with none resvg draws no text and says nothing.
    """
    try:
        import resvg_py
    except ImportError:
        return None
    with as_file(files("receiver.render") / "fonts" / FONT_FILE) as font:
        try:
            return bytes(
                resvg_py.svg_to_bytes(
                    svg_string=svg, width=SCALE * width_px, skip_system_fonts=True, font_files=[str(font)], sans_serif_family=FONT_FAMILY,
                    font_family=FONT_FAMILY,
                )
            )  # fmt: skip
        except ValueError:
            return None
