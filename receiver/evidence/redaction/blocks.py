"""Private keys, which span lines: whole blocks, and those that a truncated log has cut at either end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.kinds import PRIVATE_KEY
from receiver.evidence.redaction.spans import BLANK, Span

MAX_BLOCK_CHARS = 20_000  # an RSA key of 16,384 bits has 12,700; with a timestamp a line still below this

_ANY = re.compile(r"-{4,5} ?(BEGIN|END) (?:[A-Za-z0-9]{1,20} ){0,4}(?:PRIVATE KEY(?: BLOCK)?|Static key V1) ?-{4,5}")
_PUTTY = re.compile(r"Private-Lines: \d{1,3}(?=\\[rn]|\r?\n)")
_REST_OF_LINE = re.compile(r"(?:[A-Za-z0-9+/=]|\\[rnt\\]|\\?\r)*+")
_KUBE_TIME = r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d) )?"
_BODY_LINE = re.compile(
    rf"{_KUBE_TIME}[ \t>|]{{0,40}}[\"']?(?:[A-Za-z0-9+/=]{{16,}}+|(?:Proc-Type|DEK-Info|Comment|Version): [^\r\n]{{0,200}}|[A-Za-z0-9+/]{{1,15}}={{1,2}})?[ \t]{{0,8}}\r?$"
)


def find_key_blocks(text: str) -> Iterator[Span]:
    """Each private key, whole or cut."""
    if "PRIVATE KEY" not in text and "Private-Lines" not in text and "Static key" not in text:
        return
    position = 0
    while found := _ANY.search(text, position):
        if found[1] == "END":  # the log was cut inside the key: its lines stand before
            start, end = _start_of_body(text, position, found.start()), found.end()
        else:
            start, end = found.start(), _end_of_key(text, found.end())
        yield Span(start, end, PRIVATE_KEY)
        position = end
    for putty in _PUTTY.finditer(text):
        yield Span(putty.end(), _end_of_key(text, putty.end()), PRIVATE_KEY)


def _end_of_key(text: str, body: int) -> int:
    """The end of the key whose first line ends at `body`: its END line, or, when it was cut, its last line."""
    marker = _ANY.search(text, body, min(len(text), body + MAX_BLOCK_CHARS))
    if marker is not None and marker[1] == "END" and text.find(BLANK, body, marker.start()) < 0:
        return marker.end()
    rest = _REST_OF_LINE.match(text, body)
    end = rest.end() if rest else body
    while end < len(text) and text[end] == "\n":
        line_end = text.find("\n", end + 1)
        line_end = len(text) if line_end < 0 else line_end
        if line_end - end > 400 or not _BODY_LINE.match(text[end + 1 : line_end]):
            break
        end = line_end
    return end


def _start_of_body(text: str, lowest: int, marker: int) -> int:
    """Where the lines of a key begin that ends at `marker` and whose first line is not there."""
    start = marker
    while start > lowest and ((text[start - 1].isalnum() and text[start - 1].isascii()) or text[start - 1] in "+/=\\"):
        start -= 1
    line_start = text.rfind("\n", lowest, marker) + 1 or lowest
    if text[line_start:start].strip() and not _BODY_LINE.match(text[line_start:start].rstrip()):
        return start
    while line_start > lowest:
        previous = text.rfind("\n", lowest, line_start - 1) + 1 or lowest
        line = text[previous : line_start - 1]
        if len(line) > 400 or not line.strip() or not _BODY_LINE.match(line):
            break
        line_start = start = previous
    return start
