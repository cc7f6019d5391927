"""Asking a user's Prometheus for long ranges without hurting it: one query at a time, in pieces, within a budget.

The first piece of every expression is short; how long it took and how many samples it read decide the next. A piece
that is too much (422 "too many samples", 503, a timeout, a huge answer) is cut and asked again. Between two pieces there
is a pause. When the budget is used up, or a piece fails however short it is, the answer says how far it came and why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from receiver.domain.units import MIB
from receiver.errors import Forbidden, NotFound, SourceError, Throttled, TooLarge, Unavailable, Unreadable
from receiver.transport import ConnectionFailed, Http, Response

MAX_POINTS = 11_000  # per series; Prometheus answers 400 above
FIRST_S = 21_600  # six hours: enough to learn from, too little to hurt
FIRST_POINTS = 12  # the same for steps of half an hour or a day
LEAST_S = 600  # a piece of ten minutes that fails will not be saved by nine
GROWTH = 4.0
TARGET_S = 4.0  # a piece that runs longer keeps a slot of the query engine from people's dashboards
TARGET_SAMPLES = 20_000_000  # under half of Prometheus' default --query.max-samples of 50 million
TARGET_BYTES = 8 * MIB
MAX_BYTES = 64 * MIB
TOO_LARGE = ("too many samples", "timed out", "timeout")  # in a 422; others (duplicate series) lie in the data
MAX_SETBACKS = 10  # failed pieces in a row: from 11,000 points down to two at a quarter each takes 7
MAX_ABSENCES = 3
PAUSE_SHARE = 0.25  # of the time a piece took
PAUSE_MAX_S = 2.0
WAIT_MAX_S = 15.0

# Ignored by Prometheus. Thanos: one series of a replica pair, an error instead of silent holes. VictoriaMetrics: no re-aligned range.
COMPATIBLE = {"dedup": "true", "partial_response": "false", "nocache": "1"}

OnSeries = Callable[[Mapping[str, str], list[tuple[int, str]]], None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a whole backtest may cost."""

    max_queries: int = 500
    max_seconds: float = 900.0
    query_timeout_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was asked of Prometheus. `samples`: those its engine read, None when it does not tell."""

    queries: int = 0
    seconds: float = 0.0
    samples: int | None = None
    bytes: int = 0

    def plus(self, other: Load) -> Load:
        """Both together."""
        told = [load.samples for load in (self, other) if load.samples is not None]
        return Load(
            queries=self.queries + other.queries, seconds=self.seconds + other.seconds, samples=sum(told) if told else None,
            bytes=self.bytes + other.bytes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Which evaluations of a range were answered: (first, last) each. `why`: what kept the others, empty when there are none."""

    windows: tuple[tuple[int, int], ...]
    why: str = ""


class _TooMuch(Exception):
    """A shorter piece may succeed. `is_data`: what failed lies in the data of some moment (duplicate series), not in the size."""

    def __init__(self, message: str, *, is_data: bool = False) -> None:
        super().__init__(message)
        self.is_data = is_data


class _Refused(Exception):
    """No piece of this question will."""


class _Gone(Exception):
    """Nobody answers at all."""


class Asker:
    """One Prometheus and one budget. Not for several threads."""

    def __init__(
        self,
        http: Http,
        *,
        limits: Limits,
        params: Mapping[str, str] | None = None,
        progress: Progress = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._limits = limits
        self._params = {**COMPATIBLE, **(params or {})}
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._began = clock()
        self.load = Load()
        self.warnings: dict[str, None] = {}
        self._has_answered = False
        self.gone = ""  # why nothing more is asked, once Prometheus does not answer any more

    def get(self, path: str, form: Mapping[str, Any]) -> Any:
        """`data` of one small question. SourceError when it is not answered."""
        try:
            return self._ask(path, form, is_small=True)["data"]
        except (_TooMuch, _Refused, _Gone) as exc:
            raise Unavailable(str(exc)) from None

    def range(self, query: str, *, start_s: int, end_s: int, step_s: int, on_series: OnSeries, what: str, share: float = 1.0) -> Covered:
        """Every evaluation from start to end, given to `on_series` piece by piece in the order of time.

        `share`: of the seconds that are left, so that one dear expression leaves something for the others.

        SourceError only while nothing was answered yet: a refused token, an address that is no Prometheus, nobody there.
        """
        windows: list[tuple[int, int]] = []
        problems: list[str] = []
        at, points, setbacks = start_s, max(FIRST_POINTS, FIRST_S // step_s), 0
        least = max(2, LEAST_S // step_s)
        stop_at = self._clock() + share * self._left_s()
        while at <= end_s:
            if why := self.gone or self._budget_used(stop_at):
                problems.append(why)
                break
            n = min(max(points, least), MAX_POINTS, (end_s - at) // step_s + 1)
            last = at + (n - 1) * step_s
            before = self.load
            try:
                self._piece(query, at, last, step_s, on_series)
            except _TooMuch as exc:
                setbacks += 1
                self._progress(f"{what}: a piece of {n} evaluations was too much ({exc})")
                if n > least and setbacks < MAX_SETBACKS:
                    points = n // 4
                    continue
                problems.append(str(exc) if exc.is_data else f"not even {n} evaluations at once were answered: {exc}")
                if not exc.is_data or setbacks >= MAX_SETBACKS:
                    break
                at = last + step_s  # this stretch cannot be had; what comes after it may
                continue
            except (_Refused, _Gone) as exc:
                problems.append(str(exc))
                break
            except SourceError as exc:
                if not self._has_answered:
                    raise
                problems.append(str(exc))  # it did answer others: theirs is not lost
                break
            setbacks = 0
            if windows and windows[-1][1] == at - step_s:
                windows[-1] = (windows[-1][0], last)
            else:
                windows.append((at, last))
            at = last + step_s
            points = _next_points(n, self._since(before))
            self._tell(what, (min(last, end_s) - start_s) / max(1, end_s - start_s))
        return Covered(windows=tuple(windows), why="; ".join(dict.fromkeys(problems)))

    def _piece(self, query: str, start_s: int, end_s: int, step_s: int, on_series: OnSeries) -> None:
        form = {"query": query, "start": str(start_s), "end": str(end_s), "step": str(step_s), "stats": "true"}
        before = self.load
        data = self._ask("api/v1/query_range", form)["data"]
        series = _series(data)
        self._has_answered = True
        took_s = self._since(before).seconds
        self._sleep(min(PAUSE_MAX_S, took_s * PAUSE_SHARE))
        for labels, points in series:
            on_series(labels, points)

    def _ask(self, path: str, form: Mapping[str, Any], *, is_small: bool = False) -> Mapping[str, Any]:
        """One answer; waits and asks again while nobody is there or the server asks for patience."""
        absences = 0
        while True:
            try:
                return self._once(path, form, is_small=is_small)
            except Throttled as exc:
                problem, wait_s = str(exc), exc.retry_after_s or 2.0 ** (absences + 1)
            except ConnectionFailed as exc:
                if exc.maybe_received:
                    raise _TooMuch(str(exc)) from None
                problem, wait_s = str(exc), 2.0**absences
            absences += 1
            if absences >= MAX_ABSENCES:
                self.gone = f"Prometheus stopped answering: {problem}"
                if not self._has_answered:
                    raise Unavailable(problem)
                raise _Gone(self.gone)
            self._sleep(min(WAIT_MAX_S, wait_s))

    def _once(self, path: str, form: Mapping[str, Any], *, is_small: bool) -> Mapping[str, Any]:
        timeout_s = max(1, min(self._limits.query_timeout_s, int(self._left_s()) + 1))
        began = self._clock()
        body_bytes, samples = 0, None
        try:
            # The client waits a little longer than the server is told to work: the server's own words are the better ones.
            if is_small:  # a GET: Prometheus takes no other for its rules and label values
                answer = self._http.get(path, {**self._params, **form}, timeout_s=timeout_s + 5.0, max_bytes=MAX_BYTES)
            else:
                full = {**self._params, **form, "timeout": f"{timeout_s}s"}
                answer = self._http.post(path, form=full, timeout_s=timeout_s + 5.0, max_bytes=MAX_BYTES)
            body_bytes = len(answer.body)
            document = _document(answer)
            samples = _samples(document)
            for warning in document.get("warnings") or ():
                self.warnings.setdefault(str(warning)[:200])
            return document
        except TooLarge as exc:
            raise _TooMuch(str(exc)) from None
        finally:
            self.load = self.load.plus(Load(queries=1, seconds=self._clock() - began, samples=samples, bytes=body_bytes))

    def _left_s(self) -> float:
        return self._limits.max_seconds - (self._clock() - self._began)

    def _budget_used(self, stop_at: float) -> str:
        if self.load.queries >= self._limits.max_queries:
            return f"the budget of {self._limits.max_queries} queries was used up (--max-queries)"
        if self._left_s() <= 0:
            return f"the budget of {self._limits.max_seconds:.0f} seconds was used up (--max-seconds)"
        if self._clock() >= stop_at:
            return (
                f"it is dear, and its share of the {self._limits.max_seconds:.0f} seconds was used up (--max-seconds, --matchers, --alert)"
            )
        return ""

    def _since(self, before: Load) -> Load:
        samples = self.load.samples
        if samples is not None and before.samples is not None:
            samples -= before.samples
        return replace(
            self.load, queries=self.load.queries - before.queries, seconds=self.load.seconds - before.seconds, samples=samples,
            bytes=self.load.bytes - before.bytes,
        )  # fmt: skip

    def _tell(self, what: str, share: float) -> None:
        self._progress(f"{what}: {share:4.0%}  ({self.load.queries} queries, {self.load.seconds:.1f} s)")


def _next_points(n: int, cost: Load) -> int:
    """How many evaluations the next piece may have, from what the last one of `n` cost."""
    room = [GROWTH, TARGET_S / max(cost.seconds, 1e-3), TARGET_BYTES / max(cost.bytes, 1)]
    if cost.samples:
        room.append(TARGET_SAMPLES / cost.samples)
    return min(MAX_POINTS, int(n * min(room)))


def _document(answer: Response) -> Mapping[str, Any]:
    """A successful answer. Otherwise the exception that says what to do about it."""
    if answer.status in (401, 403):
        raise Forbidden(f"Prometheus answered {answer.status}: set PROMETHEUS_TOKEN or PROMETHEUS_HEADERS to what it wants")
    if answer.status == 404:
        raise NotFound("Prometheus answered 404: is the address right? (Mimir's ends in /prometheus)")
    if answer.status == 429:
        raise Throttled("Prometheus answered 429", retry_after_s=answer.retry_after_s)
    if 300 <= answer.status < 400:
        raise NotFound(f"Prometheus answered {answer.status}: it redirects; give the address it redirects to")
    said = _error(answer)
    if answer.status == 400:
        raise _Refused(f"Prometheus refused the query: {said}")
    if answer.status != 200:
        is_data = answer.status == 422 and not any(sign in said for sign in TOO_LARGE)
        raise _TooMuch(f"Prometheus answered {answer.status}" + (f": {said}" if said else ""), is_data=is_data)
    document = answer.json()
    if not isinstance(document, Mapping) or document.get("status") != "success" or "data" not in document:
        raise Unreadable("this is not the answer of a Prometheus API (no status: success); is the address right?")
    return document


def _error(answer: Response) -> str:
    try:
        document = answer.json()
    except SourceError:
        return ""
    return str(document.get("error", ""))[:300] if isinstance(document, Mapping) else ""


def _samples(document: Mapping[str, Any]) -> int | None:
    try:
        return int(document["data"]["stats"]["samples"]["totalQueryableSamples"])
    except (KeyError, TypeError, ValueError):
        return None


def _series(data: Any) -> list[tuple[dict[str, str], list[tuple[int, str]]]]:
    """Each series of a matrix: labels without the metric's name, points as (second, value as text)."""
    try:
        return [
            (
                {str(k): str(v) for k, v in one["metric"].items() if k != "__name__"},
                [(int(float(at)), str(value)) for at, value in one["values"]],
            )
            for one in data["result"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise Unreadable("Prometheus answered a range query without a matrix") from exc
