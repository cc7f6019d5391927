"""Whether the container has ever done its work: Ready as far as the API remembers it, or work in its log."""

from __future__ import annotations

import re

from receiver.diagnosis.clues import Clues

# What only a program that serves or works writes: an access line in common log format, and the past tense of work. A start-up
# says "loaded" and "initialized", which are not here.
_WORK = re.compile(
    r"\"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP/[\d.]+\"? \d{3}\b"
    r"|\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) /\S*.{0,60}\b[1-5]\d\d\b"
    r"|\b(?:served|handled|processed|consumed|answered|acked|committed offset|replied to)\b.{0,40}\b(?:requests?|messages?|jobs?|records?|calls?|rows?|batch(?:es)?|events?|orders?|\d+)\b"
    r"|\b(?:requests?|messages?|jobs?|records?|events?|orders?)[_ ]?(?:served|handled|processed|consumed|done)?\b ?[=:] ?[1-9]\d*\b",
    re.IGNORECASE,
)
_MAX_LINE_CHARS = 2048


def has_come_up(clues: Clues) -> bool | None:
    """True: it was Ready, or its log shows work. False: it never was, as far as is known. None: nothing tells.

    Ready of a container without a readiness or startup probe says no more than that its process ran, so there a log that
    ends while still loading outweighs it.
    """
    container = clues.container
    if container is None:
        return None
    if container.kind == "init":
        ended = container.newest_termination
        return ended is not None and ended.exit_code == 0 and ended.reason == "Completed"
    if _shows_work(clues):
        return True
    is_still_loading = bool(clues.loading)
    if container.was_ready and (container.is_probed_for_ready or not is_still_loading):
        return True
    return False if is_still_loading else container.was_ready


def _shows_work(clues: Clues) -> bool:
    lines = clues.facts.log.lines if clues.facts.log else ()
    return any(_WORK.search(line[:_MAX_LINE_CHARS]) for line in lines)
