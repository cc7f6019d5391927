"""Prometheus' remote write protocol, the sending half: protobuf in snappy framing, by hand, because a label set that is
sent once for all its samples is a tenth of what the same samples are as text."""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

SERIES_PER_REQUEST = 500
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0_0000_0000_0002))[0]  # Prometheus' staleness marker, a NaN of its own


@dataclass(frozen=True, slots=True)
class Series:
    """One series. `values` are its newest samples, oldest first (None: no sample), or one number for all of them."""

    labels: Mapping[str, str]
    values: float | Sequence[float | None]


def varint(number: int) -> bytes:
    """Base 128, least significant group first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def snappy(content: bytes) -> bytes:
    """A snappy block of one literal: valid, and not smaller."""
    return varint(len(content)) + b"\xfc" + struct.pack("<I", len(content) - 1) + content


class Writer:
    """Sends series whose samples lie at `times_ms` (rising) to the Prometheus at `url`."""

    def __init__(self, url: str, times_ms: Sequence[int]) -> None:
        self._url = f"{url}/api/v1/write"
        # Sample = field 2 of a TimeSeries: value (double, field 1) and timestamp (varint, field 2).
        ends = [b"\x10" + varint(time_ms) for time_ms in times_ms]
        self._frames = [(bytes((0x12, 9 + len(end))) + b"\x09", end) for end in ends]

    def send(self, series: Iterable[Series]) -> tuple[int, int]:
        """All of them, in as many requests as it takes; how many series and samples that were."""
        encoded, total, samples = (self._encoded(one) for one in series), 0, 0
        while batch := list(islice(encoded, SERIES_PER_REQUEST)):
            self._post(b"".join(part for part, _ in batch))
            total += len(batch)
            samples += sum(count for _, count in batch)
        return total, samples

    def _encoded(self, series: Series) -> tuple[bytes, int]:
        labels = b"".join(_field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in sorted(series.labels.items()))
        values = [series.values] * len(self._frames) if isinstance(series.values, float | int) else series.values
        frames = self._frames[len(self._frames) - len(values) :]
        samples = b"".join(_sample(frame, value) for frame, value in zip(frames, values, strict=True) if value is not None)
        return _field(1, labels + samples), len(values)

    def _post(self, content: bytes) -> None:
        request = urllib.request.Request(
            self._url,
            data=snappy(content),
            headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()


def _sample(frame: tuple[bytes, bytes], value: float) -> bytes:
    return frame[0] + struct.pack("<d", value) + frame[1]


def minutes(end_ms: int, reach_s: float, step_s: float = 60.0) -> Iterator[int]:
    """Timestamps in ms from `reach_s` before the end to the end."""
    count = int(reach_s // step_s)
    return (int(end_ms - step_s * 1000 * back) for back in range(count, -1, -1))
