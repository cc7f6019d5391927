"""Keeps the C library from keeping what was given back.

glibc gives each of up to eight threads a core an arena of its own, and each arena keeps its peak. A receiver makes a few threads for each
look, so its memory crept up with every incident although Python had freed all of it. Two arenas are enough for work that holds Python's
lock, and what lies free in them is given back now and then. Other C libraries (musl, macOS) do without; nothing is called there.
"""

from __future__ import annotations

import ctypes
from typing import Any

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h
ARENAS = 2
LARGE_BYTES = 128 * 1024  # from here on memory is the system's own, and goes back when it is freed; else the bound moves up to 32 MiB


def keep_small() -> bool:
    """At the start, before there are threads. False where there is nothing to set."""
    library = _glibc()
    if library is None:
        return False
    settings = ((_M_ARENA_MAX, ARENAS), (_M_MMAP_THRESHOLD, LARGE_BYTES), (_M_TRIM_THRESHOLD, LARGE_BYTES))
    return sum(int(library.mallopt(what, value)) for what, value in settings) == len(settings)


def give_back() -> None:
    """What is free in the arenas goes back to the system."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "gnu_get_libc_version") else None
    except OSError:
        return None
