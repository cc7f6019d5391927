"""Every `reason("code", fact=...)` that the receiver writes, read off its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.places import REPO

RECEIVER = REPO / "receiver"


@dataclass(frozen=True, slots=True)
class Call:
    """One place that gives a reason. `code` is None where it is not written out."""

    where: str
    code: str | None
    facts: frozenset[str]


def calls(root: Path = RECEIVER) -> Iterator[Call]:
    """All of them, in files below `root`."""
    for path in sorted(root.rglob("*.py")):
        if path.name == "reason.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reason" and node.args):
                continue
            first = node.args[0]
            if not _is_domain_reason(path):
                continue
            code = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            yield Call(f"{path.relative_to(REPO)}:{node.lineno}", code, frozenset(k.arg or "**" for k in node.keywords))


def _is_domain_reason(path: Path) -> bool:
    return "from receiver.domain.reason import" in path.read_text()
