"""SQLite's journal (`-wal`) as it lies on the volume: whether it was damaged, and what it holds.

A start brings in what stands before the first frame whose sum does not fit, and forgets the rest without a word: that is how a
transaction is left out which a crash cut short. But one that was committed and stands behind a torn one was accepted, and is not there
any more. The format: sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct(">8I")  # magic, version, page size, checkpoint, salt, salt, sum, sum
_FRAME = struct.Struct(">6I")  # page, pages after a commit, salt, salt, sum, sum
_MAGIC = (0x377F0682, 0x377F0683)
_PAGE_BYTES = 4096
_MOST_SUMS = 8192  # of frames, 32 MiB: a second; the rest is told by its salts alone
_MOST_ROUNDS = 2**20  # each adds one to the first salt
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The place of a page. `is_ours`: it is one of the newest round. `is_whole`: its sum fits, and those of all before it do.
    `is_nonsense`: it is not even one of an earlier round, or a place that was never written.
    """

    page: int
    at: int
    is_commit: bool
    is_ours: bool
    is_whole: bool
    is_nonsense: bool


def is_torn(journal: Path) -> bool:
    """Whether something was committed at or behind a damaged place. OSError.

    After a power cut a part of the last transaction may be missing: nobody was told that it was stored. With another one behind it, or
    nonsense within, it is damage.
    """
    if not journal.exists():
        return False
    behind = [frame for frame in frames(journal) if not frame.is_whole]
    commits = [i for i, frame in enumerate(behind) if frame.is_ours and frame.is_commit]
    return len(commits) > 1 or any(frame.is_nonsense for frame in behind[: commits[0] if commits else 0])


def lay_over(journal: Path, file: Path) -> None:
    """Write every page that can be told to a copy of the database, whatever stands before it. For reading row by row. OSError."""
    found = [frame for frame in frames(journal) if frame.is_ours]
    last = max((i for i, frame in enumerate(found) if frame.is_commit), default=-1)
    with journal.open("rb") as source, file.open("r+b") as target:
        for frame in found[: last + 1]:
            source.seek(frame.at)
            target.seek((frame.page - 1) * _PAGE_BYTES)
            target.write(source.read(_PAGE_BYTES))


def frames(journal: Path) -> Iterator[Frame]:
    """All frames, those behind a damaged place and of earlier rounds too. OSError."""
    with journal.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return
        magic, _, page_bytes, _, *salts, first, second = _HEADER.unpack(head)
        order = ">" if magic & 1 else "<"
        sums = _summed((0, 0), head[:24], order)
        is_whole = magic in _MAGIC and page_bytes == _PAGE_BYTES and sums == (first, second)
        wanted = tuple(salts) if is_whole else _salts(file)
        file.seek(_HEADER.size)
        n = 0
        while len(block := file.read(_FRAME.size + _PAGE_BYTES)) == _FRAME.size + _PAGE_BYTES:
            page, committed, *own, first, second = _FRAME.unpack(block[: _FRAME.size])
            n += 1
            is_ours = tuple(own) == wanted and page > 0
            if is_whole and n <= _MOST_SUMS:
                sums = _summed(_summed(sums, block[:8], order), block[_FRAME.size :], order)
                is_whole = is_ours and sums == (first, second)
            else:
                is_whole = is_whole and is_ours
            is_older = bool(wanted) and 0 < (wanted[0] - own[0]) & _MASK < _MOST_ROUNDS
            yield Frame(
                page=page, at=file.tell() - _PAGE_BYTES, is_commit=committed > 0, is_ours=is_ours, is_whole=is_whole,
                is_nonsense=not is_ours and not is_older and any((page, *own)),
            )  # fmt: skip


def _salts(file: BinaryIO) -> tuple[int, ...]:
    """What the frames of a journal without a header carry: the first two that agree."""
    before: tuple[int, ...] = ()
    while len(block := file.read(_FRAME.size + _PAGE_BYTES)) >= _FRAME.size:
        own = _FRAME.unpack(block[: _FRAME.size])[2:4]
        if own == before:
            return own
        before = own
    return ()


def _summed(sums: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for a, b in zip(words[::2], words[1::2], strict=True):
        one = (one + a + two) & _MASK
        two = (two + b + one) & _MASK
    return one, two
