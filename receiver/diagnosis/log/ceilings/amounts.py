"""How programs write amounts of memory: each in its own units, one even in hexadecimal."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.diagnosis.log.ceilings.model import Amount, Reader
from receiver.domain.units import GIB, KIB, MIB

TIB = 1024 * GIB
BINARY: Mapping[str, int] = {"": 1, "b": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB}  # by its first letter, whatever follows
REDIS: Mapping[str, int] = {"": 1, "b": 1, "k": 1000, "kb": KIB, "m": 10**6, "mb": MIB, "g": 10**9, "gb": GIB}
SI: Mapping[str, int] = {"": 1, "kb": 1000, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": KIB, "mib": MIB, "gib": GIB, "tib": TIB}


def binary(*, plain: int = 1) -> Reader:
    """`512m`, `2G`, `1.5GiB`: powers of 1024. `plain`: bytes of one where no unit stands behind the number."""

    def read(number: str, unit: str) -> Amount | None:
        factor = BINARY.get(unit[:1].lower()) if unit else plain
        return _size(number, factor)

    return read


def in_units(units: Mapping[str, int]) -> Reader:
    """Units that the program tells apart, in either case."""

    def read(number: str, unit: str) -> Amount | None:
        return _size(number, units.get(unit.lower()))

    return read


def percent(number: str, unit: str) -> Amount | None:
    """`75.0`: a share of the limit."""
    return _share(number, 100.0)


def fraction(number: str, unit: str) -> Amount | None:
    """`4`: a quarter of the limit."""
    value = _number(number)
    return (None, min(1.0, 1 / value)) if value else None


def percent_or_size(number: str, unit: str) -> Amount | None:
    """`25%`, `.25`, or a size."""
    if unit == "%":
        return _share(number, 100.0)
    value = _number(number)
    return (None, value) if not unit and value is not None and 0 < value < 1 else in_units(SI)(number, unit)


def hexadecimal(number: str, unit: str) -> Amount | None:
    """`0xC800000` and `C800000` are 200 MiB."""
    value = int(number, 16)
    return (value, None) if value else None


def hexadecimal_percent(number: str, unit: str) -> Amount | None:
    """`0x4B` and `4B` are 75 per cent."""
    return (None, min(int(number, 16), 100) / 100) if int(number, 16) else None


def _size(number: str, factor: int | None) -> Amount | None:
    value = _number(number)
    return (int(value * factor), None) if value and factor else None


def _share(number: str, whole: float) -> Amount | None:
    value = _number(number)
    return (None, min(value, whole) / whole) if value else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
