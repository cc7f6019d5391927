"""When a command may use colours, and that its progress is for people only."""

from __future__ import annotations

import io

import pytest

from receiver.cli.terminal import Progress, wants_color, width_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "choice", "environ", "wanted"),
    [
        (Terminal(), "auto", {"TERM": "xterm"}, True),
        (io.StringIO(), "auto", {"TERM": "xterm"}, False),
        (Terminal(), "auto", {"TERM": "dumb"}, False),
        (Terminal(), "auto", {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), "auto", {"TERM": "xterm", "NO_COLOR": ""}, True),
        (io.StringIO(), "auto", {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), "auto", {"FORCE_COLOR": "0"}, False),
        (io.StringIO(), "auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (io.StringIO(), "always", {"NO_COLOR": "1"}, True),
        (Terminal(), "never", {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
    ],
)
def test_who_gets_colours(stream: io.StringIO, choice: str, environ: dict[str, str], wanted: bool) -> None:
    """The option decides, then NO_COLOR, then FORCE_COLOR, then whether a person looks."""
    assert wants_color(stream, choice, environ) is wanted


def test_progress_is_one_line_that_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it is written over, and nothing of it stays."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with Progress(stream) as progress:
        progress("asking")
        progress("asking more")

    assert stream.getvalue() == "\r\x1b[Kasking\r\x1b[Kasking more\r\x1b[K"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["piped", "dumb"])
def test_progress_stays_out_of_logs(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads a cursor that moves in a file."""
    monkeypatch.setenv("TERM", "dumb")
    with Progress(stream) as progress:
        progress("asking")

    assert stream.getvalue() == ""


def test_what_is_piped_has_a_fixed_width() -> None:
    """The same report gives the same text, from whatever window."""
    assert width_of(io.StringIO()) == 100
