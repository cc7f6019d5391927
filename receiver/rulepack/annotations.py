"""Labels that the templates of an alert's annotations read: `$labels.pod`, `.Labels.pod`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_LABEL = re.compile(r"(?P<before>(?:\$labels|\.Labels)\.)(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)")
_ASKED_FIRST = re.compile(r"(?:with|if)\s+(?:\$labels|\.Labels)\.([a-zA-Z_][a-zA-Z0-9_]*)")


def labels_in(texts: Iterable[str]) -> frozenset[str]:
    """The labels that any of the texts reads."""
    return frozenset(match["label"] for text in texts for match in _LABEL.finditer(text))


def labels_asked_first(texts: Iterable[str]) -> frozenset[str]:
    """Those that a text asks for before it reads them (`if`, `with`), so that they may be missing."""
    return frozenset(label for text in texts for label in _ASKED_FIRST.findall(text))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with the labels that it reads renamed."""
    return _LABEL.sub(lambda match: match["before"] + names.get(match["label"], match["label"]), text)
