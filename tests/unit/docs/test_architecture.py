"""What docs/architecture.md and CONTRIBUTING.md tell of the source is so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.places import REPO

ARCHITECTURE = (REPO / "docs" / "architecture.md").read_text()
CONTRIBUTING = (REPO / "CONTRIBUTING.md").read_text()
PLACEHOLDERS = ("NAME", "INCIDENT", "MOMENT")


def layers(name: str) -> list[list[str]]:
    """The layers of an import contract, highest first; several names in one are side by side."""
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["name"] == name)
    return [[part.strip(" ()") for part in layer.split("|")] for layer in contract["layers"]]


def named_files() -> Iterator[tuple[str, str]]:
    """(document, path) of each file or folder of the receiver, the templates or the tests that is named in a code span."""
    for document, text, root in (("docs/architecture.md", ARCHITECTURE, "receiver/"), ("CONTRIBUTING.md", CONTRIBUTING, "")):
        for span in re.findall(r"`([\w./-]+)`", text):
            if "/" in span and not span.startswith("/") and not any(word in span for word in PLACEHOLDERS):
                yield (
                    document,
                    span if span.startswith(("receiver/", "tests/", "templates/", "docs/", "deploy/", "rules/", "bench/")) else root + span,
                )


def test_the_layers_are_those_that_are_checked() -> None:
    """The line in the page is the contract."""
    (block,) = re.findall(r"```\n(__main__ .*?)```", ARCHITECTURE, re.DOTALL)

    assert [[name.strip() for name in layer.split("|")] for layer in " ".join(block.split()).split(" > ")] == layers(
        "The receiver is layered"
    )


def test_the_parts_of_the_diagnosis_are_those_that_are_checked() -> None:
    """Named from the bottom up."""
    (block,) = re.findall(r"```\n(log .*?)```", ARCHITECTURE, re.DOTALL)
    told = [{name.strip() for name in layer.split("|")} for layer in block.split(">")]
    checked = [{*layer} - {"diagnose", "numbers", "unlimited"} for layer in reversed(layers("The diagnosis is layered"))]

    assert told == [layer for layer in checked if layer]


@pytest.mark.parametrize(("document", "path"), sorted(set(named_files())))
def test_what_is_named_is_there(document: str, path: str) -> None:
    """A newcomer who follows the page arrives."""
    assert (REPO / path).exists(), f"{document} names {path}"
