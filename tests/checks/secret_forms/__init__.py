"""Two corpora of forms that secrets take in logs, manifests, commands and traces, and of lines that only look so.

`development`: the rules were written with it. `heldout`: written before the rules and from another point of view; while rules
are tuned only its counts are looked at (`python -m tests.checks.secret_forms`).

Notation, so that no file of this repository holds a secret and each line reads as it would in a log:
`«pw»` a made-up password, `«24»` letters and digits, `«hex32»`, `«UP16»`, `«url43»` (base64url), `«b64:30»` (bytes),
`«base64(text)»`, `«base64url(text)»`, `«hex(text)»` an encoded text in which `¤` is a made-up password, `‹word›` this very word:
all of these are secrets, and must vanish. `⏎` line end, `⇥` tab, `␛` escape, `⁰` zero-width space, `¦` nothing (it breaks a prefix).
"""

from __future__ import annotations

import base64
import re
import string
from dataclasses import dataclass
from pathlib import Path

from tests.checks.planted_secrets import ALNUM, HEX, UPPER, URL_SAFE, made_up, made_up_base64

FOLDER = Path(__file__).parent
_PLACE = re.compile(r"«(?P<what>[^«»]*)»|‹(?P<literal>(?:[^‹›])*)›")
_ENCODED = re.compile(r"(?P<how>base64url|base64|b64|hex)\((?P<text>.*)\)", re.DOTALL)
_ALPHABETS = {"": ALNUM, "hex": HEX, "UP": UPPER, "url": URL_SAFE}
_SIGNS = str.maketrans({"⏎": "\n", "⇥": "\t", "␛": "\x1b", "⁰": "\u200b", "¦": None})
_TAIL = 6  # of a longer secret not even this many of its last characters may be left


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to write a secret. `section`: the kind of form, a heading of the file."""

    section: str
    line: int
    text: str
    secrets: tuple[str, ...]

    def is_hidden_in(self, shown: str) -> bool:
        """Whether nothing of its secrets is left in what is shown of its text."""
        return not any(s in shown or (len(s) > 2 * _TAIL - 3 and s[-_TAIL:] in shown) for s in self.secrets)


def forms(corpus: str) -> tuple[Form, ...]:
    """The forms of `development` or `heldout`."""
    found: list[Form] = []
    section = ""
    for number, line in enumerate((FOLDER / f"{corpus}.txt").read_text().splitlines(), 1):
        if re.fullmatch(r"\[[a-z ]+\]", line):
            section = line[1:-1]
        elif line and not line.startswith("# "):
            text, secrets = _filled(line, f"{corpus}{number}")
            found.append(Form(section=section, line=number, text=text, secrets=secrets))
    return tuple(found)


def benign(corpus: str) -> tuple[str, ...]:
    """The lines of a corpus that must stay as they are."""
    return tuple(line for line in (FOLDER / f"{corpus}-benign.txt").read_text().splitlines() if line and not line.startswith("# "))


def _filled(line: str, seed: str) -> tuple[str, tuple[str, ...]]:
    secrets: list[str] = []

    def fill(match: re.Match[str]) -> str:
        literal = match["literal"]
        secret = literal if literal is not None else _made(match["what"].translate(_SIGNS), f"{seed}-{len(secrets)}")
        if secret:
            secrets.append(secret)
        return secret

    return _PLACE.sub(fill, line).translate(_SIGNS), tuple(secrets)


def _made(what: str, seed: str) -> str:
    if what == "pw":
        return made_up(seed, 12)
    if encoded := _ENCODED.fullmatch(what):
        raw = encoded["text"].replace("¤", made_up(seed, 12)).replace("\\0", "\0").encode()
        match encoded["how"]:
            case "hex":
                return raw.hex()
            case "base64url":
                return base64.urlsafe_b64encode(raw).decode().rstrip("=")
            case _:
                return base64.b64encode(raw).decode()
    if what.startswith("b64:"):
        return made_up_base64(seed, int(what[4:]))
    name = what.rstrip(string.digits)
    return made_up(seed, int(what[len(name) :]), _ALPHABETS[name])
