"""Frozen dataclasses as JSON and back, by their annotations: what the store keeps of a life is written and read here.

Known types: dataclasses, `str`, `bool`, `int`, `float`, `datetime` (seconds since 1970), `Reason`, `tuple[X, ...]`,
`Mapping[str, X]` and `X | None`. A field at its default is left out, a key that no field has is passed over, and a value
that is not what its annotation says is refused: ValueError names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from receiver.domain.reason import Fact, Reason
from receiver.domain.units import from_epoch

T = TypeVar("T")
_REFUSED = (ValueError, TypeError, LookupError, ArithmeticError)


def to_json(value: Any) -> Any:
    """Plain JSON values of a dataclass, or of what its fields hold."""
    if isinstance(value, Reason):
        return {"code": value.code, "facts": {name: _fact_to_json(fact) for name, fact in value.facts}}
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {name: to_json(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [to_json(inner) for inner in value]
    if is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != _default(f)}
    return value


def from_json(kind: type[T], document: Any) -> T:
    """A value of that type from `to_json`'s document. ValueError says which field does not fit."""
    try:
        found: T = _read(kind, document)
    except _REFUSED as exc:
        raise ValueError(str(exc) or type(exc).__name__) from exc
    return found


def _read(kind: Any, value: Any) -> Any:
    if kind in _READERS:
        return _READERS[kind](value)
    if is_dataclass(kind):
        return _dataclass_from_json(kind, value)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (known,) = (k for k in inner if k is not NoneType)
        return None if value is None else _read(known, value)
    if origin is tuple:
        return tuple(_read(inner[0], one) for one in _checked(list, value))
    return {_checked(str, name): _read(inner[1], one) for name, one in _checked(dict, value).items()}


def _dataclass_from_json(kind: Any, value: Any) -> Any:
    found = {}
    for name, hint in _hints(kind).items():
        if name not in _checked(dict, value):
            continue
        try:
            found[name] = _read(hint, value[name])
        except _REFUSED as exc:
            raise ValueError(f"{name}: {exc}") from exc
    return kind(**found)


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _checked(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise TypeError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value


def _number(value: Any) -> float:
    return float(_checked(int, value)) if isinstance(value, int) else _checked(float, value)


def _reason_from_json(value: Any) -> Reason:
    facts = _checked(dict, _checked(dict, value)["facts"])
    return Reason(_checked(str, value["code"]), tuple((_checked(str, name), _fact_from_json(fact)) for name, fact in facts.items()))


def _fact_to_json(fact: Fact) -> Any:
    if isinstance(fact, datetime):
        return {"time": fact.timestamp()}
    if isinstance(fact, tuple):
        return [_fact_to_json(inner) for inner in fact]
    return to_json(fact)


def _fact_from_json(value: Any) -> Fact:
    if isinstance(value, list):
        return tuple(_fact_from_json(inner) for inner in value)
    if isinstance(value, dict):
        return from_epoch(_number(value["time"])) if "time" in value else _reason_from_json(value)
    fact: Fact = value
    return fact


_READERS: Mapping[Any, Any] = {
    str: lambda value: _checked(str, value),
    bool: lambda value: _checked(bool, value),
    int: lambda value: _checked(int, value),
    float: _number,
    datetime: lambda value: from_epoch(_number(value)),
    Reason: _reason_from_json,
}
