"""Where a value begins and ends: in quotes (also escaped ones), bare, the rest of a YAML line, a block of lines, inside a type's brackets.

`Some("x")`, `Secret(x)`, `SecretStr('x')`, `Optional[x]`, `!!str x`, `&anchor x`, `(string) (len=7) "x"`, `s:7:"x"`, `[]uint8{0x78}`, `{"value": "x"}`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from receiver.evidence.redaction.spans import BLANK


class Extent(NamedTuple):
    """Where a value stands, without its quotes and wrappers."""

    start: int
    end: int


_MAX_WRAPPERS = 5
# What stands before the value itself, and, where it opens a bracket, what closes it. A new notation of a type is a line here.
_WRAPPERS = re.compile(
    "|".join(
        (
            r"!{1,2}[\w./:-]{1,40}[ \t]{1,4}",  # YAML tags
            r"!<[^<>\n]{1,80}>[ \t]{1,4}",
            r"&[\w-]{1,40}[ \t]{1,4}(?=\S)",  # YAML anchors
            r"#[\w./-]{1,40}[ \t]{1,4}(?=[\"'])",  # EDN tags
            r"\{[ \t]{0,2}:\w{1,20},[ \t]{0,4}(?=\S)",  # Elixir's and Erlang's tagged values
            r"\((?:\w|\[\]){1,16}\)[ \t]{1,4}(?=[\"'(\[])",  # casts, go-spew
            r"\(len=\d{1,9}(?: cap=\d{1,9})?\)[ \t]{0,4}",
            r"(?:String|str|string|SecretStr)[ \t]{0,2}=[ \t]{0,2}",  # a parameter's type and its default
            r"string\(\d{1,9}\)[ \t]{1,4}",  # PHP's var_dump
            r"s:\d{1,9}:",  # PHP's serialize
            r"(?:Just|Some|Right|Ok)[ \t]{1,4}(?=[\"'])",  # Haskell
            r"(?:u8|[bBuUrRfFN@])(?=[\"'])",  # Python, SQL, Objective-C
            r"(?:new[ \t]{1,4})?&?(?:\w{1,40}(?:::|\.)){0,3}(?:new|from|of|value[oO]f|[A-Z]\w{0,40}|string|secret)[ \t]{0,1}[({\[](?=\S| )",  # types and constructors
            r"(?:\[\](?:uint8|byte|rune)|char\[\]|new \w{1,10}\[\])[ \t]{0,2}[{(]",
            r"map\[",
            r"<<(?=[\"'])",  # Erlang
            r"\$\{[\w.-]{1,80}:-?(?=[^}\s])",  # ${NAME:default}
            r"\{[ \t]{0,2}[\"']?(?:value|S|N|plain|plaintext|string|secret|data|raw|text|\$t|_value|inner)[\"']?[ \t]{0,2}[:=][ \t]{0,2}",  # {"value": "x"}
            r"(?:value|inner|val|_?secret_?value)[ \t]{0,2}[:=][ \t]{0,2}(?=\S)",
            r"[(\[{][ \t]{0,2}(?=\S)",
        )
    )
)
_IS_KEY = re.compile(r"\\{0,3}[\"'][ \t]{0,4}[:=]")
_FIELD = re.compile(
    r"[^{}\n]{0,300}?[\"'](?:value|secret|plain\w{0,8}|content|raw|text|string)\\{0,3}[\"'][ \t]{0,4}[:=]>?[ \t]{0,4}(?=\\{0,3}[\"'])"
)
_TEMPLATE = re.compile(r"\{\{[^}\n]{0,200}\}\}|\$\{[\w.-]{1,100}\}|\$\([\w.-]{1,100}\)|<(?:set to the key )?[^<>\n]{0,200}>|%\(\w{1,40}\)s")
_BYTES = re.compile(r"(?:0x[0-9A-Fa-f]{2}|\d{1,3}|'?\w'?)(?:[, ]{1,2}(?:0x[0-9A-Fa-f]{2}|\d{1,3}|'?\w'?)){2,4096}")
_QUOTE = re.compile(r"(?P<slashes>\\{0,3})(?P<mark>[\"'`])")
_QUOTED = {mark: re.compile(rf"(?:[^{mark}\\\r\n{BLANK}]|\\.)*+") for mark in "\"'`"}
_SPECIAL = rf"\"'`,;&|()\[\]{{}}<>\\{BLANK}"
_BARE = re.compile(
    rf"(?:[^\s{_SPECIAL}]|[,;&|](?![ \t]?[\w.-]{{1,64}}[=:])[{_SPECIAL}]{{0,3}}(?=[^\s{_SPECIAL}])|[\"'`()\[\]{{}}<>\\](?=[^\s{_SPECIAL}]))*+"
)
_IN_BRACKETS = re.compile(rf"[^\s\"'`,;()\[\]{{}}{BLANK}]*+")
_TO_END_OF_LINE = re.compile(rf"[^\r\n{BLANK}]*+")
_BLOCK_SCALAR = re.compile(r"[|>][+-]?[ \t]*+\r?\n(?P<indent>[ \t]++)(?P<body>[^\s][^\r\n]*+(?:\r?\n(?P=indent)[^\r\n]*+)*+)")
_NEXT_NAME = re.compile(r"[,;] ?(?:[\w.-]{1,40} ){0,2}[\w.-]{1,64}[:=]")
_LINE_LEAD = re.compile(r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}Z )?[ \t]*+(?:- )?[\"']?")
_MAX_LEAD = 80


def value_at(text: str, start: int, *, is_yaml: bool, named: str) -> Extent:
    """The value that begins here. `is_yaml`: its name stands first on its line, so it may be the rest of the line."""
    if block := _BLOCK_SCALAR.match(text, start):
        return Extent(*block.span("body"))
    if template := _TEMPLATE.match(text, start):
        return Extent(*template.span())
    first = start
    is_in_brackets = False
    for _ in range(_MAX_WRAPPERS):
        wrapper = _WRAPPERS.match(text, start)
        if wrapper is None or wrapper.end() == start:
            break
        start = wrapper.end()
        is_in_brackets = is_in_brackets or wrapper[0].rstrip()[-1:] in "([{:"
        if wrapper[0][-1:] in "[({" and (listed := _BYTES.match(text, start)) and text[listed.end() : listed.end() + 1] in set(")]},"):
            return Extent(*listed.span())
    if start > first and (block := _BLOCK_SCALAR.match(text, start)):  # behind a tag
        return Extent(*block.span("body"))
    if quoted := _quoted(text, start):
        if text[start - 1 : start] == "{" and _IS_KEY.match(text, quoted.end):  # an object: the value is one of its fields
            field = _FIELD.match(text, start)
            return (_quoted(text, field.end()) if field else None) or Extent(start, start)
        return quoted
    if is_in_brackets:
        end = _end(_IN_BRACKETS, text, start)
        return Extent(start, end) if end > start else Extent(first, _end(_BARE, text, first))
    if is_yaml:
        end = _end(_TO_END_OF_LINE, text, start)
        comment = text.find(" #", start, end)
        end = comment if comment >= 0 else end
        if not _NEXT_NAME.search(text, start, end):
            return Extent(start, end)
    return Extent(start, _end(_BARE, text, start))


def _quoted(text: str, start: int) -> Extent | None:
    quote = _QUOTE.match(text, start)
    if quote is None:
        return None
    slashes, mark = quote["slashes"], quote["mark"]
    start = quote.end()
    if slashes:  # JSON in a string: ends at the same escaped quote, or with the line
        close = text.find(slashes + mark, start)  # near: each name like this one has such a quote before its own value
        if close < 0 or "\n" in text[start:close]:
            close = _end(_TO_END_OF_LINE, text, start)
        return Extent(start, close)
    return Extent(start, _end(_QUOTED[mark], text, start))


def is_yaml_line(text: str, name_start: int) -> bool:
    """Whether the name is the first thing on its line."""
    line_start = text.rfind("\n", max(0, name_start - _MAX_LEAD), name_start) + 1
    if line_start == 0 and name_start > _MAX_LEAD:
        return False
    return _LINE_LEAD.fullmatch(text, line_start, name_start) is not None


def _end(regex: re.Pattern[str], text: str, start: int) -> int:
    found = regex.match(text, start)
    return found.end() if found else start
