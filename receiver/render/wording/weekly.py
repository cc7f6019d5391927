"""Sentences of the weekly summary."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import human_bytes
from receiver.render.wording.forms import Facts, Sentence, counted

_FIX = {"": "its fix is watched", "held": "its fix held", "only_delayed": "its fix only delayed it", "undone": "its fix was undone"}


def _of_line(facts: Facts) -> str:
    """`: 28 kills, likely a leak, its fix did not hold`."""
    kills, verdict, fix = int(facts["kills"]), str(facts["verdict"]), facts["fix"]
    parts = [counted(kills, "kill") if kills else "no kill", verdict, _FIX.get(str(fix), "its fix did not hold") if fix is not None else ""]
    return ": " + ", ".join(filter(None, parts))


def _fixes(facts: Facts) -> str:
    """`2 held, 1 did not, 1 still watched.`."""
    parts = ((facts["held"], "held"), (facts["failed"], "did not hold"), (facts["watched"], "still watched"))
    return ", ".join(f"{n} {word}" for n, word in parts if n) + "."


def _limits(facts: Facts) -> str:
    """What of the limits is too much, and what is too little."""
    wasted, missing = int(facts["wasted_bytes"]), int(facts["missing_bytes"])
    parts = [
        f"{human_bytes(wasted)} of these workloads' limits was never used" if wasted else "",
        f"{human_bytes(missing)} more is proposed" if missing else "",
    ]
    return "; ".join(filter(None, parts)) + "."


def _header(facts: Facts) -> str:
    kills, days = int(facts["kills"]), counted(int(facts["days"]), "day")
    if not kills:
        return f"📋 Memory, last {days}: nothing was killed"
    return f"📋 Memory, last {days}: {counted(kills, 'kill')} in {counted(int(facts['workloads']), 'workload')}"


def _start_with(facts: Facts) -> str:
    share = f": {facts['kills']} of {counted(int(facts['all']), 'kill')}" if facts["kills"] != facts["all"] else ""
    return f"Start with {facts['name']}{share}."


def _grey(facts: Facts) -> str:
    before, more = int(facts["before"]), int(facts["more"])
    parts = [f"{counted(before, 'kill')} in the {counted(int(facts['days']), 'day')} before." if before else ""]
    parts += [f"{counted(more, 'more workload')} not listed." if more else ""]
    parts += [f"What this channel was told, {facts['first']} to {facts['last']}, whole days in UTC."]
    return " ".join(filter(None, parts))


SENTENCES: Mapping[str, Sentence] = {
    "weekly.header": _header,
    "weekly.start_with": _start_with,
    "weekly.nothing": "Nothing.",
    "weekly.fixes": _fixes,
    "weekly.limits": _limits,
    "weekly.line": _of_line,
    "weekly.worst": "Worst first",
    "weekly.page": "all workloads",
    "weekly.grey": _grey,
}
