"""Secrets that are told by the name beside them: `password=...`, `"token": "..."`, `--api-key ...`, env entries.

Finds names and separators with one expression, asks `names` whether the name holds a secret, and only then looks for
where the value ends. Each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from receiver.evidence.redaction.names import is_no_secret, kind_of_name

Found = Callable[[str], None]

# Whether there is any work at all: every word that `names` knows has one of these in it.
_ANY_NAME = re.compile(r"pass|secret|token|key|cred|pwd|pw|pswd|auth|cookie|sess|jwt|otp|csrf|xsrf|bearer", re.IGNORECASE)

_PAIR = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?P<close>(?:\\{0,3}[\"']|%22|\x1b\[[\d;]{0,8}m)?\]?\)?)(?P<space>[ \t]{0,16}+)(?P<is>=>|:=|={1,3}|:(?!:)|%3[AaDd])(?P<after>(?:[ \t]|\x1b\[[\d;]{0,8}m){0,16}+)"
)
_FLAG = re.compile(
    r"(?<![\w.-])--?(?P<name>[A-Za-z][\w.-]*+)(?:[ \t]{1,8}+|\\{0,3}[\"'][ \t]{0,4}+,[ \t]{0,4}+(?=\\{0,3}[\"']))(?!-)(?=\S)"
)
_ENTRY = re.compile(
    r"\b(?i:name|key)\\{0,3}[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+\\{0,3}[\"']?(?P<name>[\w.-]{1,200}+)\\{0,3}[\"']?,?\s{0,60}+"
    r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}Z\s{1,60}+)?\\{0,3}[\"']?(?i:value)\\{0,3}[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+"
)
_TAG = re.compile(r"<(?P<name>[A-Za-z][\w.:-]{0,80}+)>(?=[^<\s])")

_QUOTE = re.compile(r"(?P<slashes>\\{0,3})(?P<mark>[\"'`])")
_QUOTED = {mark: re.compile(rf"(?:[^{mark}\\\r\n]|\\.)*+") for mark in "\"'`"}
_SPECIAL = r"\"'`,;&|()\[\]{}<>\\"
_BARE = re.compile(
    rf"(?:[^\s{_SPECIAL}]|[,;&|](?![ \t]?[\w.-]{{1,64}}[=:])[{_SPECIAL}]{{0,3}}(?=[^\s{_SPECIAL}])|[\"'`()\[\]{{}}<>\\](?=[^\s{_SPECIAL}]))*+"
)
_TO_NEXT_TAG = re.compile(r"[^<\r\n]*+")
_TO_END_OF_LINE = re.compile(r"[^\r\n]*+")
_BLOCK_SCALAR = re.compile(r"[|>][+-]?[ \t]*+\r?\n(?P<indent>[ \t]++)(?P<body>[^\s][^\r\n]*+(?:\r?\n(?P=indent)[^\r\n]*+)*+)")
_NEXT_NAME = re.compile(r"[,;] ?(?:[\w.-]{1,40} ){0,2}[\w.-]{1,64}[:=]")
_LINE_LEAD = re.compile(r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}Z )?[ \t]*+(?:- )?[\"']?")
_MAX_LEAD = 80
_COLOUR_END = re.compile(r"^\d{1,3}m")


def redact_pairs(text: str, found: Found) -> str:
    """The text with the values of secret names replaced; `found` is called with the kind of each."""
    if not _ANY_NAME.search(text):
        return text
    text = _replace(text, _ENTRY, found, _is_always)
    text = _replace(text, _FLAG, found, _is_flag)
    text = _replace(text, _TAG, found, _is_always)
    return _replace(text, _PAIR, found, _is_pair)


def _replace(text: str, regex: re.Pattern[str], found: Found, applies: Callable[[re.Match[str], str], bool]) -> str:
    out: list[str] = []
    done = position = 0
    while match := regex.search(text, position):
        position = match.end()
        name = _whole_name(match)
        kind = kind_of_name(name)
        if not kind or _is_in_mark(match) or not applies(match, name):
            continue
        start, end = _value(text, match)
        if is_no_secret(name, text[start:end], is_sentence=_is_in_sentence(text, match)):
            continue
        out += (text[done:start], f"[redacted {kind}]")
        found(kind)
        done = position = end
    out.append(text[done:])
    return "".join(out)


def _whole_name(match: re.Match[str]) -> str:
    """The name as it is meant: `API key: x` has it in two words; before others stand the rest of an escape or of a colour."""
    name, start, text = match["name"], match.start("name"), match.string
    if text[start - 1 : start] == "\\" and name[0] in "nrt":
        return name[1:]
    if "\x1b[" in text[max(0, start - 6) : start]:
        return _COLOUR_END.sub("", name)
    if name.lower() in {"key", "keys"} and start > 1:
        before = text[max(0, start - 24) : start]
        if before.endswith((" ", "_")):
            return f"{before[:-1].rpartition(' ')[2]}_{name}"
    return name


def _is_in_mark(match: re.Match[str]) -> bool:
    """Whether the name is the kind in a mark that stands there already: `[redacted GitHub token]: exit status 1`."""
    before = match.string[max(0, match.start() - 60) : match.start()]
    return "]" not in before[before.rfind("[redacted ") :] if "[redacted " in before else False


def _is_in_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether the value may be the next word of a sentence: after a flag, or after a colon in the middle of a line."""
    if text[match.end() : match.end() + 1] in {'"', "'", "\\", "`"}:
        return False
    if match.re is not _PAIR:
        return match.re is _FLAG
    return match["is"] == ":" and bool(match["after"]) and not _is_yaml_line(text, match)


def _is_always(match: re.Match[str], name: str) -> bool:
    return True


def _is_flag(match: re.Match[str], name: str) -> bool:
    return not name.lower().startswith("no-")


def _is_pair(match: re.Match[str], name: str) -> bool:
    """Not a sentence: `unexpected token: }`, `pass: all`, `volume "db-token" : configmap not found`."""
    text, end = match.string, match.end()
    is_quoted = text[end : end + 1] in {'"', "'", "\\", "`"}
    if match["is"] == ":" and not is_quoted:
        if match["close"] and match["space"]:
            return False
        if name.lower() == "pass" and match["after"]:
            return False
    return not text[max(0, match.start() - 12) : match.start()].lower().endswith("unexpected ")


def _value(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Where the value after this name begins and ends, without its quotes."""
    start = match.end()
    if match.re is _TAG:
        return start, _end(_TO_NEXT_TAG, text, start)
    quote = _QUOTE.match(text, start)
    if quote is not None:
        slashes, mark = quote["slashes"], quote["mark"]
        start = quote.end()
        if slashes:  # JSON in a string: ends at the same escaped quote, or with the line
            close = text.find(slashes + mark, start)  # near: each name like this one has such a quote before its own value
            if close < 0 or "\n" in text[start:close]:
                close = _end(_TO_END_OF_LINE, text, start)
            return start, close
        return start, _end(_QUOTED[mark], text, start)
    if block := _BLOCK_SCALAR.match(text, start):
        return block.span("body")
    if _is_yaml_line(text, match):
        end = _end(_TO_END_OF_LINE, text, start)
        comment = text.find(" #", start, end)
        end = comment if comment >= 0 else end
        if not _NEXT_NAME.search(text, start, end):
            return start, end
    return start, _end(_BARE, text, start)


def _is_yaml_line(text: str, match: re.Match[str]) -> bool:
    """Whether the name is the first thing on its line and a colon with a blank follows: the value is the rest of the line."""
    if match.re is not _PAIR or match["is"] != ":" or not match["after"]:
        return False
    line_start = text.rfind("\n", max(0, match.start() - _MAX_LEAD), match.start()) + 1
    if line_start == 0 and match.start() > _MAX_LEAD:
        return False
    lead = _LINE_LEAD.fullmatch(text, line_start, match.start())
    return lead is not None


def _end(regex: re.Pattern[str], text: str, start: int) -> int:
    found = regex.match(text, start)
    return found.end() if found else start
