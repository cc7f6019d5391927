"""Frozen dataclasses as JSON and back, by their annotations: what the store keeps of a life is written and read here.

Known types: dataclasses, `str`, `bool`, `int`, `float`, `datetime` (seconds since 1970), `Reason`, `tuple[X, ...]`,
`Mapping[str, X]` and `X | None`. A field at its default is left out, a key that no field has is passed over, and a value
that is not what its annotation says is refused: ValueError names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from receiver.domain.reason import Fact, Reason
from receiver.domain.units import from_epoch

T = TypeVar("T")
Read = Callable[[Any], Any]

_REFUSED = (ValueError, TypeError, LookupError, ArithmeticError)


def to_json(value: Any) -> Any:
    """Plain JSON values of a dataclass, or of what its fields hold."""
    match value:
        case None | str() | bool() | int() | float():
            return value
        case datetime():
            return value.timestamp()
        case tuple():
            return [to_json(inner) for inner in value]
        case Mapping():
            return {name: to_json(inner) for name, inner in value.items()}
        case Reason():
            return {"code": value.code, "facts": {name: _fact_to_json(fact) for name, fact in value.facts}}
    found = ((name, getattr(value, name), default) for name, default in _defaults(cast("Any", type(value))).items())
    return {name: to_json(inner) for name, inner, default in found if inner != default}


def from_json(kind: type[T], document: Any) -> T:
    """A value of that type from `to_json`'s document. ValueError says which field does not fit."""
    try:
        found: T = _reader(cast("Any", kind))(document)
    except _REFUSED as exc:
        raise ValueError(str(exc) or type(exc).__name__) from exc
    return found


@cache
def _defaults(kind: Any) -> Mapping[str, Any]:
    """The fields of a dataclass with what they are when nobody says."""
    return {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(kind)}


@cache
def _reader(kind: Any) -> Read:
    """What reads a value of an annotation."""
    if kind in _READERS:
        return _READERS[kind]
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (known,) = (_reader(k) for k in inner if k is not NoneType)
        return lambda value: None if value is None else known(value)
    one = _reader(inner[0] if origin is tuple else inner[1])
    if origin is tuple:
        return lambda value: tuple(one(v) for v in _checked(list, value))
    return lambda value: {_checked(str, name): one(v) for name, v in _checked(dict, value).items()}


def _dataclass_reader(kind: Any) -> Read:
    readers = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}

    def read(value: Any) -> Any:
        found = {}
        for name, inner in _checked(dict, value).items():
            if name not in readers:
                continue
            try:
                found[name] = readers[name](inner)
            except _REFUSED as exc:
                raise ValueError(f"{name}: {exc}") from exc
        return kind(**found)

    return read


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


_READERS: Mapping[Any, Read] = {
    str: lambda value: _checked(str, value),
    bool: lambda value: _checked(bool, value),
    int: lambda value: _checked(int, value),
    float: _number,
    datetime: lambda value: from_epoch(_number(value)),
    Reason: _reason_from_json,
}
