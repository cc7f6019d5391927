"""One thing that is wrong with a rule pack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """ERROR: the check has failed. WARNING: the rules work, and see less than they could."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`where` it is, what is wrong (`text`), what to do or what it costs (`hint`)."""

    where: str
    text: str
    hint: str = ""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.level}: {self.where}: {self.text}" + (f" ({self.hint})" if self.hint else "")
