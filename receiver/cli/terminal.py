"""What a command may do on the terminal it runs in: colours, how wide, and a line of progress. Imports next to nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

from receiver.render.text import clean_line

PLAIN_WIDTH = 100  # of what is piped, whatever terminal it was started from
NARROWEST, WIDEST = 60, 140
PROGRESS_MAX = 100
COMPLAINT_MAX = 2000
COLOR_CHOICES = ("auto", "always", "never")


def is_terminal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a person looks at it, on something that moves its cursor."""
    return stream.isatty() and environ.get("TERM", "") != "dumb"


def wants_color(stream: TextIO, choice: str = "auto", environ: Mapping[str, str] = os.environ) -> bool:
    """`--color` decides; else NO_COLOR (https://no-color.org), then FORCE_COLOR, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_terminal(stream, environ)


def width_of(stream: TextIO) -> int:
    """Columns to fill: the terminal's, within reason."""
    if not stream.isatty():
        return PLAIN_WIDTH
    return min(WIDEST, max(NARROWEST, shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns))


def complain(text: str) -> None:
    """One line on stderr. What servers say in their refusals is in it, so it is cleaned: nothing of it moves the cursor."""
    print(f"oomtriage: {clean_line(text, COMPLAINT_MAX)}", file=sys.stderr)


class Progress:
    """One line on stderr that is written over, on a terminal only; wiped at the end, so that the answer stands alone."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._is_shown = is_terminal(self._stream)
        self._is_dirty = False

    def __call__(self, text: str) -> None:
        """What is being done now. An empty text wipes the line. It is cleaned: names of the cluster are in it."""
        if not self._is_shown or (not text and not self._is_dirty):
            return
        room = min(PROGRESS_MAX, width_of(self._stream) - 1)
        print(f"\r\x1b[K{clean_line(text, room)}", end="", file=self._stream, flush=True)
        self._is_dirty = bool(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self("")
