"""Takes secrets out of text before it leaves the process, and counts them by kind.

The text is looked at in several views (`views`: as it is read, and without escapes), by each finder of FINDERS; what they found is joined and replaced in the
text itself. A new kind of place where secrets stand is a finder; a new form of a known kind is a row in its table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from receiver.errors import ConfigError
from receiver.evidence.redaction.blocks import find_key_blocks
from receiver.evidence.redaction.calls import find_calls
from receiver.evidence.redaction.commands import find_commands
from receiver.evidence.redaction.entropy import find_random
from receiver.evidence.redaction.haystack import Haystack
from receiver.evidence.redaction.kinds import CARD, EMAIL, KINDS
from receiver.evidence.redaction.objects import find_secret_objects
from receiver.evidence.redaction.pairs import find_pairs
from receiver.evidence.redaction.rule import Rule, find_rules
from receiver.evidence.redaction.scripts import find_other_scripts
from receiver.evidence.redaction.shapes import HEADERS, OPTIONAL, URLS
from receiver.evidence.redaction.spans import Span, blanked, merged, replaced
from receiver.evidence.redaction.statements import FILES, PROTOCOLS, SQL, find_inserts
from receiver.evidence.redaction.tables import find_columns
from receiver.evidence.redaction.vendors import VENDOR_RULES
from receiver.evidence.redaction.views import View, plain, unescaped
from receiver.evidence.redaction.wrapped import find_wrapped

MAX_PATTERN_LINE = 8192  # characters of a line that a user's pattern sees at once
_MAX_PASSES = 4  # what stands behind a secret is a text of its own once the secret is gone: looked at again until nothing is found
_MAX_DEPTH = 2  # encodings within encodings

Finder = Callable[[Haystack], Iterable[Span]]

# In this order; of two that find the same place the first says its kind.
FINDERS: tuple[Finder, ...] = (
    partial(find_rules, (*HEADERS, *VENDOR_RULES, *URLS)),
    find_secret_objects,
    partial(find_rules, (*PROTOCOLS, *SQL, *FILES)),
    find_inserts,
    find_commands,
    find_calls,
    find_columns,
    find_pairs,
    find_other_scripts,
)

_PATTERN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")
# A repeat inside a group that is repeated itself, (a+)+: exponential on a text that almost matches.
_NESTED_REPEAT = re.compile(r"(?:(?<!\\)[+*]|\{\d{0,9},\d{0,9}\})\??\)(?:[+*](?!\+)|\{\d{1,9},)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionConfig:
    """What is taken out beside what always is. `patterns`: (name, regular expression), the name stands in the mark.

    Of a pattern with a group named `secret` only that group is replaced. `allow`: expressions of random strings that are no secrets.
    """

    patterns: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()
    emails: bool = False
    cards: bool = False


class Redactor:
    """Redaction with one configuration. Thread-safe: it keeps no state."""

    def __init__(self, config: RedactionConfig | None = None) -> None:
        """ConfigError names the user pattern that is no regular expression, matches nothing at all, or would hang."""
        config = config or RedactionConfig()
        self._patterns = tuple(_compile(name, pattern) for name, pattern in config.patterns)
        self._allowed = _joined(config.allow)
        self._optional = ((OPTIONAL[EMAIL],) if config.emails else ()) + ((OPTIONAL[CARD],) if config.cards else ())
        names = {kind for kind, _ in KINDS} | {name for name, _ in config.patterns}
        self._marks = re.compile(rf"\[redacted (?:{'|'.join(sorted(map(re.escape, names), key=len, reverse=True))})\]")

    def redact(self, text: str) -> tuple[str, Mapping[str, int]]:
        """The text with each secret as `[redacted KIND]`, and how many of each kind. Give whole logs: secrets span lines.

        Lines stay lines: there are as many after as before.
        """
        counts: Counter[str] = Counter()
        for rule in self._patterns:
            text = "".join(_by_user(rule, piece, counts) for piece in _pieces(text))
        for _ in range(_MAX_PASSES):
            source = blanked(text, self._marks)
            spans = merged(source, self._find(source, _MAX_DEPTH))
            if not spans:
                break
            counts.update(span.kind for span in spans)
            text = replaced(text, spans)
        return text, dict(counts)

    def _find(self, text: str, depth: int) -> Iterator[Span]:
        """Every secret in the text, in all views of it; they may overlap."""
        view = plain(text)
        yield from _back(view, self._find_in(view.text, depth))
        yield from _back(view, find_random(view.text, self._allowed))
        inner = unescaped(text)
        if inner is not None:
            read = plain(inner.text)
            yield from _back(inner, _back(read, self._find_in(read.text, depth)))

    def _find_in(self, text: str, depth: int) -> Iterator[Span]:
        yield from find_key_blocks(text)
        hay = Haystack.of(text)
        for find in FINDERS:
            yield from find(hay)
        yield from find_rules(self._optional, hay)
        if depth:
            yield from find_wrapped(text, partial(self._find_in, depth=depth - 1))


def _back(view: View, spans: Iterable[Span]) -> Iterator[Span]:
    for start, end, kind in spans:
        if start < end:
            yield Span(*view.origin(start, end), kind)


def _pieces(text: str) -> list[str]:
    """The lines of a text and their ends, long ones cut: a user's pattern may be slow, so it never sees much at once, and never a line's end."""
    return [line[i : i + MAX_PATTERN_LINE] for line in _LINE.findall(text) for i in range(0, len(line), MAX_PATTERN_LINE)]


_LINE = re.compile(r"[^\n]+|\n+")


def _by_user(rule: Rule, text: str, counts: Counter[str]) -> str:
    if text[0] == "\n":
        return text
    group: str | int = "secret" if "secret" in rule.regex.groupindex else 0

    def replace(match: re.Match[str]) -> str:
        start, end = match.span(group)
        if start == end:
            return match[0]
        counts[rule.kind] += 1
        return f"{match.string[match.start() : start]}[redacted {rule.kind}]{match.string[end : match.end()]}"

    return rule.regex.sub(replace, text)


def _compile(name: str, pattern: str) -> Rule:
    where = f"redaction pattern {name[:60]!r}"
    if not _PATTERN_NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name is at most 40 letters, digits, blanks, - and _")
    return Rule(kind=name, hints=(), regex=_checked(where, pattern))


def _joined(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    for pattern in patterns:
        _checked(f"redaction.allow {pattern[:60]!r}", pattern)
    return re.compile("|".join(f"(?:{p})" for p in patterns)) if patterns else None


def _checked(where: str, pattern: str) -> re.Pattern[str]:
    try:
        regex = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ConfigError(f"{where} is no regular expression: {exc}") from exc
    if regex.search("") is not None:
        raise ConfigError(f"{where} matches the empty text: it would match everywhere")
    if _NESTED_REPEAT.search(pattern):
        raise ConfigError(
            f"{where} repeats a group that ends in a repeat, as (a+)+ does: it can take for ever; write it without the inner or outer one"
        )
    return regex
