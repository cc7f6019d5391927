"""What of an environment variable's value may enter a case: the settings that bound memory, and nothing beside them.

A value may hold anything, so it is not kept and cleaned but rebuilt from what the table's expressions match: flags, digits and units.
"""

from __future__ import annotations

import re

from receiver.diagnosis.log.ceilings.read import last_option
from receiver.diagnosis.log.ceilings.table import COUNTS, ROWS

OMITTED = "[omitted]"  # stands for the rest of the value
MAX_CHARS = 4096

# A size that a command may refer to (`-Xmx${HEAP_SIZE}`): only with a unit, and by a name that says what it is.
_SIZE = re.compile(r"\d{1,6}[kKmMgG]i?[bB]?")
_OF_MEMORY = re.compile(r"HEAP|MEM|XM[XS]", re.IGNORECASE)


def kept_value(name: str, value: str) -> str | None:
    """The settings that the value holds, in their order, behind `OMITTED` where it holds more; None where it holds none."""
    text = value.strip()[:MAX_CHARS]
    if _is_amount(name, text):
        return text
    patterns = [p for row in ROWS for p in (row.option, row.follower) if p is not None] + [count.option for count in COUNTS]
    found = sorted({(m.end(), last_option(m[0])) for p in patterns for m in p.finditer(text)})
    if not found:
        return None
    options = " ".join(option for _, option in found)
    return options if options.split() == text.split() else f"{OMITTED} {options}"


def _is_amount(name: str, text: str) -> bool:
    if any(row.variable and row.value and row.variable.fullmatch(name) and row.value.fullmatch(text) for row in ROWS):
        return True
    if any(count.variable is not None and count.variable.fullmatch(name) for count in COUNTS):
        return text.isdigit() and len(text) <= 6
    return _SIZE.fullmatch(text) is not None and _OF_MEMORY.search(name) is not None
