"""One check: a function of what may be asked, and which other checks must have succeeded before it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from receiver.doctor.site import Site
from receiver.domain.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`id` is what its lines are called, and never changes. `tells`: what it looks at, for docs/doctor.md.

    `after`: checks that find out whether a service can be asked at all. Where one of them found a problem or could not be asked itself,
    this one is not run and says so. `awaits`: checks whose notes it uses, if they made any. `ask` raises a SourceError for a question that was not answered.
    """

    id: str
    tells: str
    ask: Callable[[Site], Iterable[Finding]]
    after: tuple[str, ...] = ()
    awaits: tuple[str, ...] = ()
