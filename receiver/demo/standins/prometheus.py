"""A Prometheus that replays recorded series.

It is no PromQL engine: it knows selectors, `max by`, a window and a union, which is what is asked here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from receiver.demo.standins.server import Asked, Reply, Standin, json_reply

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\}")
_MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")
_BRANCH = re.compile(r'label_replace\((?P<expression>.*), "q", "(?P<name>[^"]*)", "", ""\)', re.DOTALL)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LOOK_BACK_S = 20.0  # recordings are range answers: Prometheus' own look-back is in them already


@dataclass(frozen=True, slots=True)
class _Line:
    """One series, its points unzipped for searching."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[str]


class PrometheusStandin(Standin):
    """Answers queries from recorded series."""

    def __init__(self, series: Iterable[Mapping[str, Any]], *, rule_groups: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        self._lines: list[_Line] = []
        self._rule_groups = list(rule_groups)
        self.add(series)

    def add(self, series: Iterable[Mapping[str, Any]]) -> None:
        """More series, as range answers hold them."""
        for entry in series:
            points = entry["values"]
            self._lines.append(
                _Line({str(k): str(v) for k, v in entry["metric"].items()}, [float(t) for t, _ in points], [v for _, v in points])
            )

    def answer(self, asked: Asked) -> Reply:
        """query, query_range, rules, and what says that a Prometheus is there."""
        if asked.path.startswith("/-/"):
            return Reply(body=b"Prometheus stand-in is Ready.\n", content_type="text/plain")
        match asked.parts[-1:]:
            case ("query_range",):
                start, end, step = (float(asked.params[k]) for k in ("start", "end", "step"))
                times = [start + i * step for i in range(int((end - start) / step) + 1)]
                return _success("matrix", self._range(asked.params["query"], times))
            case ("query",):
                return self._instant(asked.params.get("query", ""), float(asked.params.get("time") or datetime.now(UTC).timestamp()))
            case ("rules",):
                return json_reply({"status": "success", "data": {"groups": self._rule_groups}})
            case ("buildinfo",):
                return json_reply({"status": "success", "data": {"version": "2.42.0 (recorded)"}})
        return json_reply({"status": "success", "data": []})

    def _range(self, query: str, times: list[float]) -> list[dict[str, Any]]:
        branches = [(m["name"], m["expression"]) for part in _split_or(query) if (m := _BRANCH.fullmatch(part.strip()))]
        result = []
        for name, expression in branches or [("", query)]:
            for labels, points in self._evaluate(expression, times):
                if name:
                    labels["q"] = name
                result.append({"metric": labels, "values": [[t, v] for t, v in points]})
        return result

    def _instant(self, query: str, at: float) -> Reply:
        if query.rstrip().endswith("]"):
            window = _window_s(query)
            matrix = []
            for line in self._selected(query):
                a, b = bisect_right(line.times, at - window), bisect_right(line.times, at)
                if a < b:
                    matrix.append({"metric": line.labels, "values": [[line.times[i], line.values[i]] for i in range(a, b)]})
            return _success("matrix", matrix)
        found = self._range(query, [at])
        return _success("vector", [{"metric": s["metric"], "value": s["values"][0]} for s in found])

    def _evaluate(self, expression: str, times: list[float]) -> list[tuple[dict[str, str], list[tuple[float, str]]]]:
        """`max by` over all selected series, alternatives (`or`) filling each other's holes in order."""
        merged: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
        base = expression.split(" and on ", maxsplit=1)[0]
        for alternative in _split_or(base):
            by = _BY.search(alternative)
            names = [n.strip() for n in by[1].split(",")] if by else None
            window = _window_s(alternative) if _WINDOW.search(alternative) else LOOK_BACK_S
            found: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
            for line in self._selected(alternative):
                kept = dict(line.labels) if names is None else {n: line.labels[n] for n in names if n in line.labels}
                own = found.setdefault(tuple(sorted(kept.items())), {})
                for t in times:
                    a, b = bisect_right(line.times, t - window), bisect_right(line.times, t)
                    if a < b:
                        best = max(line.values[a:b], key=float) if "max_over_time" in alternative else line.values[b - 1]
                        if not (alternative.rstrip(" )").endswith("> 0") and float(best) <= 0):
                            own[t] = best if t not in own else max(best, own[t], key=float)
            for key, points in found.items():
                merged[key] = {**points, **merged.get(key, {})}
        return [(dict(key), sorted(points.items())) for key, points in merged.items() if points]

    def _selected(self, expression: str) -> list[_Line]:
        found = []
        for name, matchers in _SELECTOR.findall(expression):
            tests = [_test(*m) for m in _MATCHER.findall(matchers)] + ([_test("__name__", "=", name)] if name else [])
            found += [line for line in self._lines if all(test(line.labels) for test in tests)]
        return found


def _test(label: str, operator: str, wanted: str) -> Callable[[Mapping[str, str]], bool]:
    wanted = wanted.replace("\\\\", "\\")
    if operator in ("=", "!="):
        return lambda labels: (labels.get(label, "") == wanted) is (operator == "=")
    pattern = re.compile(wanted)
    return lambda labels: (pattern.fullmatch(labels.get(label, "")) is not None) is (operator == "=~")


def _split_or(text: str) -> list[str]:
    """The operands of a union, outside of brackets and strings."""
    parts, depth, begin, in_string = [], 0, 0, False
    for i, char in enumerate(text):
        if char == '"' and text[i - 1] != "\\":
            in_string = not in_string
        if in_string:
            continue
        depth += (char in "([{") - (char in ")]}")
        if depth == 0 and text.startswith(" or ", i):
            parts.append(text[begin:i])
            begin = i + 4
    return [*parts, text[begin:]]


def _window_s(expression: str) -> float:
    match = _WINDOW.search(expression)
    assert match is not None
    return int(match[1]) * _SECONDS[match[2]]


def _success(kind: str, result: list[Any]) -> Reply:
    return json_reply({"status": "success", "data": {"resultType": kind, "result": result}})
