"""Values against their JSON Schema: the part of draft 2020-12 that `values_schema` uses, with errors for people."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from receiver.errors import ConfigError

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
}


def validate(value: object, schema: Mapping[str, Any], path: str = "") -> None:
    """Nothing when the value fits. ConfigError names the key, what was expected there and what was found."""
    kinds = schema.get("type", list(_TYPES))
    if not any(_TYPES[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)) or not _fits(value, schema):
        raise ConfigError(f"{path or 'the values'}: expected {schema.get('title', 'something else')}, found {value!r}")
    if isinstance(value, Mapping):
        for key, below in value.items():
            validate(below, _schema_of(key, schema, path), f"{path}.{key}" if path else str(key))
    if isinstance(value, list) and "items" in schema:
        for index, below in enumerate(value):
            validate(below, schema["items"], f"{path}[{index}]")


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, str) and "pattern" in schema and not _matches(schema["pattern"], value):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(schema.get("exclusiveMinimum", -math.inf) < value <= schema.get("maximum", math.inf))
    if isinstance(value, Mapping):
        return len(value) >= schema.get("minProperties", 0) and all(key in value for key in schema.get("required", ()))
    return True


def _matches(pattern: str, text: str) -> bool:
    """As JSON Schema has it: anywhere in the text; `$` is the very end."""
    return re.search(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern, text) is not None


def _schema_of(key: object, schema: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    below = f"{path}.{key}" if path else str(key)
    known = schema.get("properties", {})
    if isinstance(key, str) and key in known:
        found: Mapping[str, Any] = known[key]
        return found
    additional = schema.get("additionalProperties", {})
    names = schema.get("propertyNames", {}).get("pattern")
    if additional is False:
        similar = difflib.get_close_matches(str(key), known, n=1, cutoff=0.7)
        which = f"did you mean {similar[0]}?" if similar else f"known are {', '.join(known) or 'none'}"
        raise ConfigError(f"{below}: no such value; {which}")
    if not isinstance(key, str) or (names and not _matches(names, key)):
        raise ConfigError(f"{below}: expected a label's name before the colon, found {key!r}")
    return additional if isinstance(additional, Mapping) else {}
