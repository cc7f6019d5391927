"""An examination of nothing but what a test gives it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from receiver.doctor.site import Own, Site
from receiver.domain.finding import Finding
from receiver.rulepack import read_pack, rules_dir
from receiver.rulepack.pack import Pack
from receiver.transport import Deadline
from tests.support import NOW


@cache
def pack() -> Pack:
    """The shipped rules."""
    return read_pack(rules_dir())


def site(own: Own | None = None, **clients: Any) -> Site:
    """With these clients, and what the settings say."""
    return Site(own=own or Own(), deadline=Deadline(30.0), now=NOW.timestamp, pack=pack(), **clients)


def told(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """(state, code) of each, in order."""
    return [(f.state.value, f.what.code) for f in findings]
