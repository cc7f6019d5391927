"""What `oomtriage doctor` prints: one line a finding for people, one document for programs.

    {"schema": "oomtriage.doctor/v1", "version", "at", "took_s", "summary": {"ok": n, "problem": n, "advice": n, "unknown": n},
     "checks": [{"id", "state": "ok|problem|advice|unknown", "text", "hint", "code"}]}

`id` and `code` stay from release to release; `text` and `hint` are sentences and may change. Keys are only ever added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from receiver.domain.finding import Checked, State
from receiver.domain.units import format_time, human_duration
from receiver.render.text import clean_line
from receiver.render.wording import say
from receiver.render.words import counted

SCHEMA = "oomtriage.doctor/v1"
LINE_MAX = 600
NOT_ASKED = "doctor.not_asked"
_WORDS = {State.OK: "ok", State.PROBLEM: "PROBLEM", State.ADVICE: "advice", State.UNKNOWN: "unknown"}

Hide = Callable[[str], str]


def document(found: Sequence[Checked], *, version: str, at: datetime, took_s: float, hide: Hide) -> dict[str, Any]:
    """For programs. `hide`: a text without the secrets in it."""
    counts = Counter(c.finding.state for c in found)
    return {
        "schema": SCHEMA, "version": version, "at": format_time(at), "took_s": round(took_s, 3),
        "summary": {state.value: counts[state] for state in State},
        "checks": [
            {
                "id": hide(one.id), "state": one.finding.state.value, "text": _said(one, hide), "hint": _todo(one, hide),
                "code": one.finding.what.code,
            }
            for one in found
        ],
    }  # fmt: skip


def lines(checks: Iterable[Mapping[str, Any]], *, is_verbose: bool = False) -> Iterator[str]:
    """For people, of a document's `checks`: what is fine of one check about several things is one line, unless all are wanted."""
    shown = list(checks) if is_verbose else list(_folded(checks))
    width = max((len(one["id"]) for one in shown), default=0)
    for one in shown:
        todo = f" -> {one['hint']}" if one["hint"] else ""
        yield f"{_WORDS[State(one['state'])]:<8} {one['id']:<{width}}  {one['text']}{todo}"


def summary(of: Mapping[str, Any]) -> str:
    """The last line."""
    n = of["summary"]
    parts = [
        counted(n["problem"], "problem"), f"{n['advice']} advice", f"{n['unknown']} not known", f"{n['ok']} fine",
    ]  # fmt: skip
    return f"{', '.join(parts)} ({human_duration(of['took_s'])})"


def _folded(checks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Findings of one check that are fine and of the same kind, and checks that were not run for the same reason, as one line each."""
    for group, found in groupby(checks, _group):
        entries = list(found)
        if group is None or len(entries) == 1:
            yield from entries
        elif entries[0]["code"] == NOT_ASKED:
            yield {
                **entries[0],
                "id": counted(len(entries), "check"),
                "text": f"{entries[0]['text']} ({', '.join(e['id'] for e in entries)})",
            }
        else:
            yield {**entries[0], "id": group[0], "text": f"{entries[0]['text']}, and {len(entries) - 1} more"}


def _group(one: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is told in one line; None for what has its own."""
    if one["code"] == NOT_ASKED:
        return one["code"], one["text"]
    return (one["id"].partition("/")[0], one["code"]) if one["state"] == State.OK and "/" in one["id"] else None


def _said(one: Checked, hide: Hide) -> str:
    return clean_line(hide(say(one.finding.what)), LINE_MAX)


def _todo(one: Checked, hide: Hide) -> str:
    return clean_line(hide(say(one.finding.todo)), LINE_MAX)
