"""Secrets that are told by the name beside them: `password=...`, `"token": "..."`, `--api-key ...`, env entries, XML, sentences.

Finds the places where a known word stands, takes the whole name, asks `names` whether it holds a secret, and only then looks how name and value are
connected (`connectors`, from the strictest to the loosest) and where the value ends (`extents`). Each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from receiver.evidence.redaction.connectors import (
    ANGLE,
    ARN,
    ASSIGNMENT,
    BEFORE_ENTRY,
    CELL,
    COPULA,
    ENTRY,
    ENTRY_WORDS,
    FLAG,
    IN_TAG,
    LATER_LINE,
    LISTED,
    LOOSE,
    LOOSEST,
    NEXT_LINE,
    QUOTES,
    STRONG,
    SWITCH,
    TAG_NAME,
    TEST,
    TO_TAG,
)
from receiver.evidence.redaction.extents import Extent, is_yaml_line, value_at
from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import PASSWORD
from receiver.evidence.redaction.names import HINTS, PHRASE_NAMES, SHORT_HINTS, Name, judged
from receiver.evidence.redaction.spans import Span
from receiver.evidence.redaction.values import fits, is_mixed, is_no_secret, is_password_like
from receiver.evidence.redaction.words import Shape


class Named(NamedTuple):
    """A name in a text that holds a secret."""

    start: int
    end: int
    text: str
    name: Name


def find_pairs(hay: Haystack) -> Iterator[Span]:
    """The values of secret names."""
    done = 0
    for named in secret_names(hay):
        if named.start < done:  # within the value of another
            continue
        for extent in _values(hay.text, named):
            if extent.end > extent.start:
                done = extent.end
                yield Span(extent.start, extent.end, named.name.kind)


# Names


def secret_names(hay: Haystack) -> Iterator[Named]:
    """All names that hold secrets, in order."""
    text = hay.text
    known: dict[str, Name] = {}
    done = 0
    for at, phrase in sorted(_places(hay), key=_longest_first):
        if at < done:
            continue
        if phrase:
            done = at + len(phrase)
            yield Named(at, done, phrase, _PHRASE[phrase])
            continue
        start = at
        while start > max(done, at - _MAX_LEFT) and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
            start -= 1
        end = _NAME.match(text, at).end()  # type: ignore[union-attr]
        done = max(end, at + 1)
        while end > start and text[end - 1] in "-.":
            end -= 1
        name = text[start:end]
        if text[start - 1 : start] == "\\" and name[0] in "nrt":  # the rest of an escape
            name, start = name[1:], start + 1
        bare = name.lstrip("-.")
        start += len(name) - len(bare)
        if _IS_PROPERTY.match(bare) and text[start - 1 : start] == "-":  # java -Dpwd=x
            bare = bare[1:]
        if bare.lower() in {"key", "keys", "code", "codes", "id"}:
            bare = _with_word_before(text, start, bare)
        if bare not in known:
            known[bare] = judged(bare)
        if known[bare].kind:
            yield Named(start, end, bare, known[bare])


def _places(hay: Haystack) -> Iterator[tuple[int, str]]:
    """Where known words and phrases stand."""
    lowered = hay.lowered
    for hint in [h for h in HINTS if h in hay.words]:
        for at in hay.places_of(hint):
            yield at, ""
    for hint in [h for h in SHORT_HINTS if h in hay.words]:
        for at in hay.places_of(hint):
            end = at + len(hint)
            if not lowered[end : end + 1].isalpha():
                yield at, ""
    for phrase in [p for p in _PHRASE if p.partition(" ")[0] in hay.words]:
        for at in hay.places_of(phrase):
            if not lowered[at - 1 : at].isalpha():
                yield at, phrase


def _longest_first(place: tuple[int, str]) -> tuple[int, int]:
    return place[0], -len(place[1])


_IS_PROPERTY = re.compile(r"D[a-z]")
_MAX_LEFT = 100
_NAME = re.compile(r"(?:[\w-]|\.(?!\.))*+")
_PHRASE = {phrase: name for phrase, name in PHRASE_NAMES if not phrase.isalpha()}


def _with_word_before(text: str, start: int, name: str) -> str:
    """`API key: x` has its name in two words."""
    before = text[max(0, start - 24) : start]
    return f"{before[:-1].rpartition(' ')[2].rpartition('(')[2]}_{name}" if before.endswith((" ", "_")) else name


# Values


def _values(text: str, named: Named) -> Iterator[Extent]:
    """The values of a name, by the strictest connector that fits."""
    before = text[max(0, named.start - 24) : named.start]
    if "<" in before or before[-1:] in {'"', "'"}:
        is_element = TAG_NAME.search(before) is not None
        if (is_element or _is_in_tag(text, named.start)) and (tag := IN_TAG.match(text, named.end)):
            yield _up_to_tag(text, tag)
            return
    if before.rstrip(BEFORE_ENTRY).lower().endswith(ENTRY_WORDS) and (entry := ENTRY.match(text, named.end)):
        yield from _accepted(text, named, entry.end(), is_yaml=False, is_sentence=False)
        return
    if before.endswith("-") and not text.startswith("no-", named.start) and (flag := FLAG.match(text, named.end)):
        yield from _accepted(text, named, flag.end(), is_yaml=False, is_sentence=text[flag.end() : flag.end() + 1] not in QUOTES)
        return
    if strong := STRONG.match(text, named.end):
        yield from _strong(text, named, strong)
    elif listed := LISTED.match(text, named.end):
        yield from _weak(text, named, listed.end())
    elif (later := LATER_LINE.match(text, named.end)) and is_mixed(later["value"]) and named.name.shape is Shape.ANY:
        yield Extent(*later.span("value"))
    elif weak := COPULA.match(text, named.end):
        yield from _weak(text, named, weak.end(), is_said=True)
    elif weak := (LOOSEST if named.name.kind == PASSWORD else LOOSE).match(text, named.end):
        yield from _weak(text, named, weak.end())
    elif angle := ANGLE.match(text, named.end):
        yield from _weak(text, named, angle.end())
    elif text[named.end : named.end + 1] in {"(", "{", "["}:
        yield from _weak(text, named, named.end)


def _is_in_tag(text: str, start: int) -> bool:
    """Whether a tag is open here: `<property name="password">x</property>`."""
    opened = text.rfind("<", max(0, start - 120), start)
    return opened >= 0 and text.find(">", opened, start) < 0


def _up_to_tag(text: str, tag: re.Match[str]) -> Extent:
    """The text of an element; one on a line of its own must be closed."""
    start = tag.end()
    end = TO_TAG.match(text, start).end()  # type: ignore[union-attr]
    is_open = "\n" in tag[0] and text[end : end + 80].lstrip()[:1] != "<"
    is_cell = CELL.match(tag[0]) is not None and not is_password_like(text[start:end])
    return Extent(start, start if is_open or is_cell or is_no_secret("", text[start:end]) else end)


def _strong(text: str, named: Named, match: re.Match[str]) -> Iterator[Extent]:
    end = match.end()
    is_quoted = text[end : end + 1] in QUOTES
    is_colon = match["is"] == ":"
    if is_colon and not is_quoted:
        if (
            match.end("is") - 2 >= named.end
            and text[named.end] in "\"'"
            and text[match.start("is") - 1] == " "
            and "\n" not in text[end : end + 2]
        ):
            return  # volume "db-token" : configmap not found
        if named.text.lower() == "pass" and match["after"]:
            if named.text != "PASS" and not TEST.match(text, end):  # PASS: test_oom2 is what a test runner says
                yield from _weak(text, named, end)
            return
    before = text[max(0, named.start - 100) : named.start]
    if before.lower().endswith("unexpected ") or ARN.search(before):
        return
    is_yaml = is_colon and bool(match["after"]) and is_yaml_line(text, named.start)
    if following := NEXT_LINE.match(text, end):
        yield from _next_line(text, named, following)
        return
    is_sentence = not is_quoted and is_colon and bool(match["after"]) and not is_yaml
    yield from _accepted(text, named, end, is_yaml=is_yaml, is_sentence=is_sentence)


def _next_line(text: str, named: Named, following: re.Match[str]) -> Iterator[Extent]:
    """A value alone on the line below: deeper, or quoted, or one that is no word."""
    extent = value_at(text, following.end(), is_yaml=False, named=named.text)
    line_end = text.find("\n", extent.end)
    rest = text[extent.end : line_end if line_end >= 0 else len(text)].strip(" \t\r,;\"'`\\)]}>")
    value = text[extent.start : extent.end]
    if rest or value.endswith((":", "=")) or not _is_secret(named, value, is_sentence=True):
        return
    if following["indent"] or text[following.end()] in "\"'" or is_mixed(value):
        yield extent
    position = extent.end
    while following["dash"] and (more := NEXT_LINE.match(text, position)) and more["dash"]:  # a list of them
        extent = value_at(text, more.end(), is_yaml=False, named=named.text)
        if not extent.end > extent.start or is_no_secret(named.text, text[extent.start : extent.end]) or text[extent.end - 1] == ":":
            return
        yield extent
        position = extent.end


def _accepted(text: str, named: Named, start: int, *, is_yaml: bool, is_sentence: bool) -> Iterator[Extent]:
    if SWITCH.match(text, start):
        return
    is_line = is_yaml or "phrase" in named.text.lower()
    extent = value_at(text, start, is_yaml=is_line, named=named.text)
    if _is_secret(named, text[extent.start : extent.end], is_sentence=is_sentence):
        yield extent


def _weak(text: str, named: Named, start: int, *, is_said: bool = False) -> Iterator[Extent]:
    """After a blank, a tab, a bar or a verb: quoted, or no word. Of a Secret's name (`secret "db" not found`) only what no object is called."""
    if text[max(0, named.start - 12) : named.start].lower().endswith(("unexpected ", "invalid ")):
        return
    extent = value_at(text, start, is_yaml=False, named=named.text)
    value = text[extent.start : extent.end]
    if not _is_secret(named, value, is_sentence=True) or "\n" in value or ASSIGNMENT.match(value):
        return
    is_quoted = text[start : start + 1] in {'"', "'", "`"} and len(value) >= 3 and " " not in value
    is_telling = is_password_like if named.name.kind == PASSWORD else is_mixed
    if (
        is_telling(value)
        or (is_said and named.name.shape is Shape.CODE)
        or (is_quoted and named.text.lower().startswith("pass") and named.name.shape is Shape.ANY)
    ):
        yield extent


def _is_secret(named: Named, value: str, *, is_sentence: bool) -> bool:
    return not is_no_secret(named.text, value, is_sentence=is_sentence) and fits(named.name.shape, value)
