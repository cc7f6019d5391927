"""What memory the receiver itself has and may have: of its control group, as the kubelet and the kernel count it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from receiver.domain.units import KIB

_UNLIMITED_BYTES = 1 << 60  # version 1 of the control groups writes a number near 2**63 for none


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMemory:
    """`limit_bytes`: 0 without one."""

    working_set_bytes: int
    limit_bytes: int = 0


def read(proc: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> OwnMemory:
    """Of the control group that this process is in; of the process alone where it is in none that counts memory.

    The working set is what cAdvisor calls so: everything less the page cache that nobody used lately.
    """
    try:
        for folder, usage, limit, inactive in _places(proc, groups):
            if (folder / usage).is_file():
                used = int((folder / usage).read_text())
                idle = _field(folder / "memory.stat", inactive)
                return OwnMemory(working_set_bytes=max(0, used - idle), limit_bytes=_limit_bytes((folder / limit).read_text()))
        return OwnMemory(working_set_bytes=_field(proc / "status", "VmRSS:") * KIB)
    except (OSError, ValueError):  # no such files (another system), or not for us
        return OwnMemory(working_set_bytes=0)


def _places(proc: Path, groups: Path) -> list[tuple[Path, str, str, str]]:
    """Where to look: by the path of this process' group, and at the top, which is the container's own in a namespace of groups."""
    found = []
    for line in (proc / "cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            names = ("memory.current", "memory.max", "inactive_file")
            found += [(groups / path.lstrip("/"), *names), (groups, *names)]
        elif "memory" in controllers.split(","):
            names = ("memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file")
            found += [(groups / "memory" / path.lstrip("/"), *names), (groups / "memory", *names)]
    return found


def _limit_bytes(text: str) -> int:
    limit = 0 if text.strip() == "max" else int(text)
    return limit if limit < _UNLIMITED_BYTES else 0


def _field(path: Path, name: str) -> int:
    """A number of a file with a name and a number a line; 0 when it is not there."""
    lines = (line.split() for line in path.read_text().splitlines())
    return next((int(words[1]) for words in lines if len(words) > 1 and words[0] == name), 0)
