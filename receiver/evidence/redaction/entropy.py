"""Random strings that no rule knows: the tokens of issuers that no list has.

A run of letters and digits is cut at its signs; a piece counts as random when letters and digits, small and capital ones follow each other as they do in no
word. Hashes and ids in hex, UUIDs, ULIDs, dates, paths, class names, names of objects, symbols of C++ and Rust, addresses, sums after `sha256:` and values
of names that say what they are (`request_id=`, `etag:`) are none. Neither is base64 of readable text: `wrapped` has looked into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from receiver.evidence.redaction.kinds import RANDOM
from receiver.evidence.redaction.spans import Span
from receiver.evidence.redaction.wrapped import readable

MIN_CHARS = 20  # letters and digits in random pieces: 20 random ones of 62 have 119 bits
_MIN_PIECE = 8  # of a piece with small and capital letters and digits
_MIN_WITHOUT_DIGIT = 24
_MIN_ONE_CASE = 20  # of one without capital or small letters; a ReplicaSet's hash has 10, a pod's suffix 5
# Characters per part, where a part is a run of digits, of capitals, or a word. Random ones of 62: about 1.9; CamelCase: 4 and more.
_MAX_PART_MIXED = 2.7
_MAX_PART_ONE_CASE = 3.3  # of letters of one case with digits: random ones have 2.5

_RUN = re.compile(r"[A-Za-z0-9+/_~.=-]{20,}+")
_PIECE = re.compile(rf"[A-Za-z0-9]{{{_MIN_PIECE},}}+")
_REST = re.compile(
    r"[+/_~=-]{1,2}(?![a-z]{3,}(?![A-Z0-9])|[A-Z][a-z]{2,}(?![A-Z0-9]))[A-Za-z0-9]{1,40}|=+$"
)  # the rest of one that has signs in it, and no word
_HEX = re.compile(r"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SYMBOL = re.compile(r"_{1,2}Z[A-Z]?\w|_R[A-Z]|\?[A-Z]")
# What may stand before one that is public: a sum, a public key, an embedded picture, a cursor.
_PUBLIC_BEFORE = re.compile(
    r"(?i:sha-?\d{1,3}|md5|blake\w{1,3}|crc\w{0,3}|fingerprint|digest|ssh-\w{2,12}|ecdsa-\S{2,30}|;base64|integrity|etag|checksum|hash|nonce|opaque_id|boundary|cursor|continue"
    r"|(?<![A-Za-z])(?:[\w.-]{0,40}[_.-])?(?:id|ids|uid|uuid|guid|ulid|arn|sha|rev|revision|commit|build|version|digest|serial|trace|span|request|job|node|pod|page|pagetoken|offset|path|file|image|label))"
    r"[\"'\]]{0,2}[ ]{0,2}[:=,-]?>?[ ]{0,2}[\"'\[]{0,2}(?:W/\")?$|(?:[a-z]|[\w-]{0,20}[a-z])Id[\"'\]]{0,2}[ ]{0,2}[:=]?[ ]{0,2}[\"'\[]{0,2}$"
)
_PUBLIC = re.compile(r"AAAA[BCE][23]|MII[A-Za-z]|iVBORw0KGgo|R0lGOD|/9j/|sha\d{3}-|JVBERi0|SHA256")
_BEFORE = 64


def find_random(text: str, allowed: re.Pattern[str] | None) -> Iterator[Span]:
    """Random strings. `allowed`: the user's pattern of those that are no secrets, matched against the whole run."""
    for run in _RUN.finditer(text):
        pieces = [p for p in _PIECE.finditer(run[0]) if _is_random(p[0])]
        if sum(p.end() - p.start() for p in pieces) < MIN_CHARS:
            continue
        start, end = run.start() + pieces[0].start(), run.start() + pieces[-1].end()
        while more := _REST.match(text, end, run.end()):
            end = more.end()
        if _is_public(text, run, start) or (allowed is not None and allowed.fullmatch(run[0])):
            continue
        yield Span(start, end, RANDOM)


def _is_random(piece: str) -> bool:
    if _HEX.fullmatch(piece) or _ULID.fullmatch(piece):
        return False
    has_digit = any(c.isdigit() for c in piece)
    is_mixed = not (piece.isupper() or piece.islower() or piece.isdigit())
    if not has_digit and (not is_mixed or len(piece) < _MIN_WITHOUT_DIGIT):
        return False
    if not is_mixed and len(piece) < _MIN_ONE_CASE:
        return False
    return len(piece) <= len(_PART.findall(piece)) * (_MAX_PART_MIXED if is_mixed else _MAX_PART_ONE_CASE)


def _is_public(text: str, run: re.Match[str], start: int) -> bool:
    word = run[0]
    if _SYMBOL.match(word) or _PUBLIC.match(word) or _PUBLIC.match(text, start):
        return True
    before = text[max(0, start - _BEFORE) : start]
    if _PUBLIC_BEFORE.search(before) or _PUBLIC_BEFORE.search(text[max(0, run.start() - _BEFORE) : run.start()]):
        return True
    return bool(readable(word.strip(".-_/=")) or readable(word))
