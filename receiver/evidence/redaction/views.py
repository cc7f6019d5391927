"""A text as a person would read it, and where each of its characters stands in the text itself.

`plain`: without colours and invisible characters, full-width letters and accents as ASCII, typographic quotes as plain ones: a name is found
however it is dressed. `unescaped`: the lines with escapes (JSON in JSON, URL, HTML) as they were before, whatever the depth.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator


class View:
    """A text made from another one. Pieces say from where."""

    def __init__(self, text: str, pieces: list[tuple[int, int, int]]) -> None:
        """`pieces`: (start here, start there, length there), in order; of an equal length on both sides they are copies."""
        self.text = text
        self._pieces = pieces
        self._starts = [p[0] for p in pieces]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The part of the text itself that became this part of the view."""
        return self._place(start)[0], self._place(max(start, end - 1))[1]

    def _place(self, at: int) -> tuple[int, int]:
        i = bisect_right(self._starts, at) - 1
        here, there, length = self._pieces[i]
        is_copy = length == (self._starts[i + 1] if i + 1 < len(self._starts) else len(self.text)) - here
        return (there + at - here, there + at - here + 1) if is_copy else (there, there + length)


def plain(text: str) -> View:
    """The text as it is read, without what cannot be seen."""
    removed = _UNSEEN.finditer(text) if not text.isascii() or _ANY_CONTROL.search(text) else iter(())
    view = _without(text, ((m.start(), m.end(), "") for m in removed))
    if not view.text.isascii() or "\x1f" in view.text:
        view.text = _MIXED_SCRIPT.sub(lambda m: m[0].translate(_LOOKALIKES), view.text.translate(_FOLDED))
    return view


def unescaped(text: str) -> View | None:
    """The lines that hold escapes, without them; None when there is none."""
    if not ("\\" in text or "%" in text or "&" in text):
        return None
    changes = [(m.start(), m.end(), sign) for m in _ESCAPE.finditer(text) if (sign := _sign(m)) is not None]
    if not changes:
        return None
    return _without(text, _lines_of(text, changes))


def _lines_of(text: str, changes: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The changes, and between them the lines without any taken out."""
    done = 0  # the end of the last line that is kept
    for start, end, sign in changes:
        if start >= done:
            line = text.rfind("\n", done, start) + 1 or done
            if line > done:
                yield done, line - 1, ""  # keeps the line's end
            done = text.find("\n", end)
            done = len(text) if done < 0 else done
        yield start, end, sign
        done = max(done, end)
    if done < len(text):
        yield done, len(text), ""


def _without(text: str, changes: Iterator[tuple[int, int, str]]) -> View:
    out: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    length = done = 0
    for start, end, sign in changes:
        if start > done:
            out.append(text[done:start])
            pieces.append((length, done, start - done))
            length += start - done
        if sign:
            out.append(sign)
            pieces.append((length, start, end - start))
            length += len(sign)
        done = end
    if done < len(text) or not pieces:
        out.append(text[done:])
        pieces.append((length, done, len(text) - done))
    return View("".join(out), pieces)


def _sign(match: re.Match[str]) -> str | None:
    """What an escape stands for."""
    if code := match["unicode"] or match["byte"] or match["percent"] or match["hex"]:
        number = int(code, 16)
    elif match["decimal"]:
        number = int(match["decimal"])
    elif match["named"]:
        return _NAMED.get(match["named"])
    else:
        return "" if match["unseen"] else _AFTER_SLASH.get(match["slashed"], match["slashed"])
    return chr(number) if 0 < number < 0xD800 else None


_AFTER_SLASH = {"n": "\n", "r": "\r", "t": "\t", "e": "\x1b", "033": "\x1b"}
_NAMED = {"quot": '"', "amp": "&", "lt": "<", "gt": ">", "apos": "'", "nbsp": " ", "equals": "=", "colon": ":"}
_ESCAPE = re.compile(
    r"\\{1,16}(?:u(?P<unicode>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})|(?P<slashed>[\"'/nrte]|033(?=\[)))"
    r"|(?P<unseen>%E2%80%8[B-F]|%E2%81%A0|%EF%BB%BF)"
    r"|%(?:25){0,4}(?P<percent>[0-7][0-9A-Fa-f])"
    r"|&(?:amp;){0,4}(?:(?P<named>quot|amp|lt|gt|apos|nbsp|equals|colon)|\#(?P<decimal>\d{1,4})|\#[xX](?P<hex>[0-9a-fA-F]{1,4}));"
)
_ANY_CONTROL = re.compile(r"[\x08\x1b]|\^\[\[|#033\[")
# Colours and other terminal sequences, also as `cat -v` and rsyslog write them; overstrikes; characters without width; combining accents.
_UNSEEN = re.compile(
    r"\x1b(?:\[[0-?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])|(?:\^\[|\#033)\[[\d;]{0,16}m"
    r"|[^\n]\x08|[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u0300-\u036f]"
)


def _folds() -> dict[int, str]:
    """Letters of Latin, Greek and full width, and signs, each as the one plain character it is read as."""
    folds: dict[int, str] = {}
    for block in ((0xA0, 0x250), (0x370, 0x400), (0x1E00, 0x2000), (0x24B6, 0x24EA), (0xFF01, 0xFF5F), (0x1D400, 0x1D800)):
        for code in range(*block):
            base = unicodedata.normalize("NFKD", chr(code))[0]
            if base != chr(code) and base != " ":
                folds[code] = base
    others = {
        "łŁøØđĐıİ": "lLoOdDiI", "“”„‟«»「」『』″": '"' * 11, "‘’‚‛′": "'" * 5, "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\x1f": " " * 8,
        "：∶": "::", "│┃": "||", "–—": "--",
    }  # fmt: skip
    for signs, plain_signs in others.items():
        folds.update((ord(a), b) for a, b in zip(signs, plain_signs, strict=True))
    return folds


_FOLDED = _folds()
# Cyrillic and Greek letters that look like Latin ones: folded only in a word that has Latin letters as well.
_LOOKALIKES = str.maketrans("асеорхуіѕјԁкмтвнАСЕОРХУІЅКМТВНαοερκιντυ", "aceopxyisjdkmtbhACEOPXYISKMTBHaoepkivtu")
_MIXED_SCRIPT = re.compile(r"(?:[A-Za-z][\w]{0,40}[\u0370-\u052f]|[\u0370-\u052f]\w{0,40}[A-Za-z])\w{0,40}")
