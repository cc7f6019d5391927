"""Questions to a Prometheus, and reading its answers. What sends them is given: the command line knows addresses and tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from receiver.errors import Unreadable
from receiver.promql.edits import edited, matcher_edits
from receiver.promql.selectors import parse_matchers

# Sends one form: path and fields in, decoded JSON out. Raises SourceError.
Ask = Callable[[str, Mapping[str, Any]], Any]

QUERY = "/api/v1/query"


class Source:
    """A Prometheus to ask. `matchers` go into every selector of every question (`cluster="prod"`)."""

    def __init__(self, ask: Ask, matchers: str = "") -> None:
        self._ask = ask
        self._matchers = parse_matchers(matchers)

    def query(self, expr: str, **fields: str) -> tuple[list[tuple[Mapping[str, str], float]], Mapping[str, Any]]:
        """An instant query: (labels, value) of each result, and what else came. Unreadable when it is no query result."""
        asked = edited(expr, matcher_edits(expr, lambda _: self._matchers))
        answer = self._ask(QUERY, {"query": asked, **fields})
        try:
            if answer["status"] != "success":
                raise Unreadable(f"Prometheus refused {expr[:120]}: {answer.get('error', answer['status'])}")
            data = answer["data"]
            return [(one["metric"], float(one["value"][1])) for one in data["result"]], data
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as exc:
            raise Unreadable(f"Prometheus' answer to {expr[:120]} is not a query result") from exc
