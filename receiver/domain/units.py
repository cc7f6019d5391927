"""Kubernetes quantities, byte counts, ratios, durations and times: parsing, and the forms people read.

Bytes are integers, ratios are 0-1, durations are seconds. Per cent and MiB exist only in text.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

KIB = 1024
MIB = 1024**2
GIB = 1024**3
UNLIMITED_BYTES = 2**50  # as a limit it is none: no node has a PiB, and a cgroup without a limit reports about 2**63

# resource.Quantity, apimachinery/pkg/api/resource: binary and decimal suffixes; `m` is a thousandth.
_SUFFIX = {
    "": Decimal(1), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
    "Pi": Decimal(2**50), "Ei": Decimal(2**60), "n": Decimal(10) ** -9, "u": Decimal(10) ** -6, "m": Decimal(10) ** -3,
    "k": Decimal(10) ** 3, "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12,
    "P": Decimal(10) ** 15, "E": Decimal(10) ** 18,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([KMGTPE]i|[numkMGTPE]))?", re.ASCII)


def parse_quantity(text: str | int | float) -> Decimal:
    """A Kubernetes quantity (`128Mi`, `1.5Gi`, `64M`, `1e9`, `250m`, 5) as a number. ValueError when it is none."""
    if isinstance(text, bool):
        raise ValueError(f"not a Kubernetes quantity: {text!r}")
    if isinstance(text, (int, float)):
        text = repr(text)
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a Kubernetes quantity: {text!r} (expected for example 128Mi, 1.5Gi or 64M)")
    number, exponent, suffix = match.groups()
    try:
        return Decimal(number + (exponent or "")) * _SUFFIX[suffix or ""]
    except InvalidOperation as exc:
        raise ValueError(f"not a Kubernetes quantity: {text!r}") from exc


def parse_bytes(text: str | int | float) -> int:
    """A Kubernetes memory quantity in whole bytes, rounded up as the API server does."""
    return int(parse_quantity(text).to_integral_value(rounding="ROUND_CEILING"))


def parse_bytes_or_none(value: object) -> int | None:
    """Like `parse_bytes`, but None for what is absent or no quantity."""
    if value is None or not isinstance(value, (str, int, float)):
        return None
    try:
        return parse_bytes(value)
    except ValueError:
        return None


def format_quantity(n_bytes: int) -> str:
    """Bytes as Kubernetes writes them, exactly: the largest binary suffix that divides (`160Mi`, `2Gi`), or a decimal one (`512M`)."""
    for suffix, size in (("Ti", 2**40), ("Gi", GIB), ("Mi", MIB), ("Ki", KIB)):
        if n_bytes and n_bytes % size == 0:
            return _shorter(f"{n_bytes // size}{suffix}", n_bytes)
    return _shorter(str(n_bytes), n_bytes)


def _shorter(binary: str, n_bytes: int) -> str:
    """`512M` rather than `500000Ki`: what was written in decimal units reads best in them."""
    decimal = next(
        (f"{n_bytes // size}{suffix}" for suffix, size in (("G", 10**9), ("M", 10**6)) if n_bytes and n_bytes % size == 0), binary
    )
    return decimal if len(decimal) + 1 < len(binary) else binary


def human_bytes(n_bytes: float) -> str:
    """Bytes as prose: KiB, MiB or GiB with two or three significant digits (`80 MiB`, `2.3 GiB`, `512 KiB`)."""
    size, unit = next(((s, u) for s, u in ((2**40, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")) if abs(n_bytes) >= s), (1, "bytes"))
    value = n_bytes / size
    text = f"{value:.1f}" if abs(value) < 10 and unit != "bytes" else f"{value:.0f}"
    if text.lstrip("-") == "1024" and unit != "TiB":  # 1023.7 MiB reads better as 1 GiB
        return human_bytes(math.copysign(size * 1024, n_bytes))
    return "1 byte" if text == "1" and unit == "bytes" else f"{text.removesuffix('.0')} {unit}"


def human_percent(ratio: float) -> str:
    """A ratio as a whole per cent (`96 %`); below 1 % as `under 1 %`."""
    if 0 < ratio < 0.01:
        return "under 1 %"
    return f"{ratio * 100:.0f} %"


def human_duration(seconds: float) -> str:
    """A span with two units at most: `under 1 s`, `13 s`, `16 min`, `2 h 58`, `8 h`, `3 days`."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest:02d}" if rest and hours < 24 else f"{hours} h"
    return f"{round(hours / 24)} days"


def parse_time(text: object) -> datetime | None:
    """An RFC 3339 time, aware, in UTC; nanoseconds are cut to microseconds. None for absent, zero (year 1) or malformed."""
    if not isinstance(text, str) or not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        in_utc = parsed.astimezone(UTC)
    except OverflowError:
        return None
    return in_utc if in_utc.year > 1 else None  # Go's zero time, by whatever offset it was reached


def format_time(at: datetime) -> str:
    """RFC 3339 in UTC with `Z`, seconds (microseconds only when there are any)."""
    text = at.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


def from_epoch(seconds: float) -> datetime:
    """Seconds since 1970 as an aware UTC time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration_s(text: str | int | float) -> float:
    """A duration as Prometheus writes it (`10s`, `1h30m`, `24h`, `14d`) or a bare number of seconds. ValueError else."""
    if isinstance(text, bool):
        raise ValueError(f"not a duration: {text!r}")
    if isinstance(text, (int, float)):
        return float(text)
    cleaned = text.strip()
    try:
        return float(cleaned)
    except ValueError:
        pass
    parts = _DURATION.findall(cleaned)
    if not parts or "".join(n + u for n, u in parts) != cleaned:
        raise ValueError(f"not a duration: {text!r} (expected for example 10s, 30m, 24h or 14d)")
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)
