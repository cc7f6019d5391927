"""What a ceiling of a program is: a setting of its own that says how much memory it may take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

COMMAND = "command"  # source of a setting: the container's command and arguments; else the name of a variable, or
LOG = "log"  # what the program said when it started

# Memory in bytes, or a share of the container's limit (0-1); None for what is no ceiling (0, `off`, nonsense).
Amount: TypeAlias = "tuple[int | None, float | None]"
Reader: TypeAlias = Callable[[str, str], "Amount | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many processes or threads a setting counts for: the flag or variable that says so, and how it is written."""

    id: str
    option: re.Pattern[str]  # group `n`
    variable: re.Pattern[str] | None = None  # whose value is the number
    fits: str = ""  # with `{n}`
    noun: str = "processes"
    is_heavy: bool = False  # each is an interpreter with an application in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting that programs have. `option` is looked for in command, arguments and variables that hold options;
    `variable` are names of variables whose whole value is the amount; `echo` is how the log tells it at start-up.

    `part` is what it bounds: of one part the first row that is found counts, the parts of a program add up.
    """

    id: str
    runtime: str
    title: str  # as docs/ceilings.md has it
    part: str
    read: Reader
    option: re.Pattern[str] | None = None  # groups `n` and `u`, as in `variable`'s value and `echo`
    variable: re.Pattern[str] | None = None
    value: re.Pattern[str] | None = None
    echo: re.Pattern[str] | None = None
    fits: str = ""  # the option with another value: `-Xmx{mib}m`
    value_fits: str = "{mib}M"  # the same of the variable
    share: float = 0.75  # of the limit: what it may be, so that the rest of the program has room
    is_soft: bool = False  # aimed at, not enforced
    acts: str = "collect"  # what a soft one does when it is reached: collect | replace (a process) | block (who sends)
    follower: re.Pattern[str] | None = None  # an option that must not be above it: group `n`, `u`
    fills: bool = False  # it grows to its size whatever is in use: growth up to it says nothing about a leak
    is_beside: bool = False  # it bounds what a program needs beside its heap
    per: Count | None = None
    example: str  # `java -Xmx512m` or `GOMEMLIMIT=1GiB`
    source: str
    is_said_by_others: bool = False  # programs of other runtimes log the like of `echo`
    is_other_than_fits: bool = False  # `fits` is another option, which is to take its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A ceiling that is set. `flag` is as it was written, `source` where: `COMMAND`, a variable's name, or `LOG`.

    `times`: for how many processes or threads it counts, `times_flag` what says so, and `times_source` where.
    """

    row: Row
    flag: str
    source: str
    max_bytes: int | None = None
    max_ratio: float | None = None
    times: int = 1
    times_flag: str = ""
    times_source: str = ""
    needs_script: bool = False  # the program itself does not read the variable, and its command shows no script that would pass it on
    follower: str = ""  # `-Xms4G` beside -Xmx4G: it has to be lowered as well
    is_told: bool = False  # `flag` is no option but the words of the log
    is_option_known: bool = True  # else the log tells of it, and which option sets it in this program is not known

    @property
    def quoted(self) -> str:
        """As it stands in a sentence."""
        return f'"{self.flag}"' if self.is_told else self.flag

    @property
    def is_variable(self) -> bool:
        """Whether it is the whole value of a variable of its own, not an option in one."""
        return self.flag.startswith(f"{self.source}=")

    def bytes_of(self, limit_bytes: int | None) -> int | None:
        """What it lets the program take in bytes, at this container limit; None when a share has no limit to refer to."""
        if self.max_bytes is not None:
            return self.max_bytes * self.times
        if self.max_ratio is not None and limit_bytes is not None:
            return int(self.max_ratio * limit_bytes) * self.times
        return None
