"""A Prometheus that replays recorded series.

It is no PromQL engine: it knows selectors, `max by`, a window and a union, which is what is asked here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from receiver.demo.standins.server import Asked, Reply, Standin, json_reply
from receiver.promql.alternatives import alternatives, operands
from receiver.promql.selectors import Selector, selectors

_BY = re.compile(r"\bby \(([^)]*)\)")
_WINDOW = re.compile(r"\[(\d+)([smhd])\]")
_BRANCH = re.compile(r'label_replace\((?P<expression>.*), "q", "(?P<name>[^"]*)", "", ""\)', re.DOTALL)
_OVER_TIME = re.compile(r"\b(max|min)_over_time\b")
_EVERY = re.compile(r"time\(\) % (\d+)\) < (\d+)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LOOK_BACK_S, INSTANT_LOOK_BACK_S = 20.0, 75.0  # recordings are range answers: Prometheus' own look-back is in them already


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
        self._lines: dict[str, list[_Line]] = {}  # by their metric
        self._rule_groups = list(rule_groups)
        self.add(series)

    def add(self, series: Iterable[Mapping[str, Any]]) -> None:
        """More series, as range answers hold them."""
        for entry in series:
            points = entry["values"]
            labels = {str(k): str(v) for k, v in entry["metric"].items()}
            line = _Line(labels, [float(t) for t, _ in points], [v for _, v in points])
            self._lines.setdefault(labels.get("__name__", ""), []).append(line)

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

    def _range(self, query: str, times: list[float], *, look_back_s: float = LOOK_BACK_S) -> list[dict[str, Any]]:
        branches = [(m["name"], m["expression"]) for part in operands(query) if (m := _BRANCH.fullmatch(part))]
        result = []
        for name, expression in branches or [("", query)]:
            for labels, points in self._evaluate(expression, times, look_back_s):
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
        found = self._range(query, [at], look_back_s=INSTANT_LOOK_BACK_S)
        return _success("vector", [{"metric": s["metric"], "value": s["values"][0]} for s in found])

    def _evaluate(self, expression: str, times: list[float], look_back_s: float) -> list[tuple[dict[str, str], list[tuple[float, str]]]]:
        """`max by` over all selected series, alternatives (`or`) filling each other's holes in order."""
        merged: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
        base = expression.split(" and on ", maxsplit=1)[0]
        end = times[-1] if times else 0.0
        if every := _EVERY.search(expression):
            times = [t for t in times if t % int(every[1]) < int(every[2])]
        for alternative in alternatives(base):
            by = _BY.search(alternative)
            names = [n.strip() for n in by[1].split(",")] if by else None
            window = _window_s(alternative) if _WINDOW.search(alternative) else look_back_s
            found: dict[tuple[tuple[str, str], ...], dict[float, str]] = {}
            for line in self._selected(alternative):
                kept = dict(line.labels) if names is None else {n: line.labels[n] for n in names if n in line.labels}
                own = found.setdefault(tuple(sorted(kept.items())), {})
                for t in times:
                    seen_at = end if "] @ end()" in alternative else t
                    a, b = bisect_right(line.times, seen_at - window), bisect_right(line.times, seen_at)
                    if a < b:
                        best = line.values[b - 1]
                        if over_time := _OVER_TIME.search(alternative):
                            best = (max if over_time[1] == "max" else min)(line.values[a:b], key=float)
                        if not (alternative.rstrip(" )").endswith("> 0") and float(best) <= 0):
                            own[t] = best if t not in own else max(best, own[t], key=float)
            for key, points in found.items():
                merged[key] = {**points, **merged.get(key, {})}
        return [(dict(key), sorted(points.items())) for key, points in merged.items() if points]

    def _selected(self, expression: str) -> list[_Line]:
        return [line for selector in selectors(expression) for line in self._named(selector) if _has_labels(line, selector)]

    def _named(self, selector: Selector) -> list[_Line]:
        return [line for name in selector.names or self._lines for line in self._lines.get(name, ())]


def _has_labels(line: _Line, selector: Selector) -> bool:
    return all(matcher.lets_through(line.labels.get(matcher.label, "")) for matcher in selector.matchers)


def _window_s(expression: str) -> float:
    match = _WINDOW.search(expression)
    assert match is not None
    return int(match[1]) * _SECONDS[match[2]]


def _success(kind: str, result: list[Any]) -> Reply:
    return json_reply({"status": "success", "data": {"resultType": kind, "result": result}})
