"""What became of a change that was proposed in Git, as its incident remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from receiver.domain.reason import Reason

FIX, TRIM = "fix", "trim"  # purposes
WANTED, OPEN, MERGED, CLOSED, REFUSED = "wanted", "open", "merged", "closed", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """A pull request or merge request of an incident. `url`: for people, empty until it is there.

    `purpose`: FIX or TRIM. `state`: WANTED until it is opened; REFUSED when it could not be, with `why`. `cause` and
    `limit_bytes`: the verdict and the limit that it was opened with; `limit_before_bytes`: what was in force then. `said`: marks of
    the comments below it, so that none is asked for twice.
    """

    purpose: str
    by: str
    asked_at: datetime
    branch: str
    state: str = WANTED
    number: int = 0
    url: str = ""
    cause: str = ""
    limit_bytes: int | None = None
    limit_before_bytes: int | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    why: Reason | None = None
    said: tuple[str, ...] = ()

    @property
    def is_standing(self) -> bool:
        """Whether it is asked for or open."""
        return self.state in (WANTED, OPEN)
