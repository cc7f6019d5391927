"""What one entry of the catalogue of memory errors is."""

from __future__ import annotations

import re
from dataclasses import dataclass

# How much an entry says. The most telling match of one crash is the one that is quoted (see `match`).
EXACT = 3  # names the very pool or limit that was full: the heap, metaspace, memory_limit
RUNTIME = 2  # names the program that ran out, or who was killed
GENERIC = 1  # says only that memory was short, or that something was killed

# What happened, for the diagnosis. An error at the program's own limit is no kill by the kernel.
OWN_LIMIT = "own_limit"  # a heap, pool or memory_limit below the container's limit was full
REFUSED = "refused"  # an allocation failed: ENOMEM, bad_alloc
CHILD_KILLED = "child_killed"  # a process manager saw its child die by SIGKILL
KERNEL = "kernel"  # the kernel's or the container runtime's own words for an OOM kill
GPU = "gpu"  # the memory of an accelerator: the container's limit does not count it
REMOTE = "remote"  # another server said that its memory, or this client's share of it, was full
OTHER_MEMORY = "other_memory"  # /dev/shm: bounded by a size of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPattern:
    """One way in which a program says that memory ran out.

    `hint` is a lower-case piece of every line that can match: a cheap test before the expression is tried. Every
    expression is linear: no unbounded repeat stands beside another that could take the same characters.
    `meaning` is a phrase without a full stop, at most 100 characters; `advice` sentences, at most 165.
    `example` is a line as the program prints it; `near_miss` one that looks alike and must not match. `source`: where the
    program prints it. `twin`: the entry of the same words seen from the other side, the server's own log or its clients'.
    """

    id: str
    runtime: str
    kind: str
    rank: int
    hint: str
    regex: re.Pattern[str]
    meaning: str
    advice: str
    example: str
    near_miss: str
    source: str
    twin: str = ""
    is_of_executor: bool = False  # child_killed of an executor: a container of its own, often on another node
    refuses_to_start: bool = False  # under the container's limit, which is below what it says it needs

    def matches(self, line: str, lowered: str) -> bool:
        """Whether `line` (no Kubernetes timestamp, `lowered` is the same in lower case) says this."""
        return self.hint in lowered and self.regex.search(line) is not None
