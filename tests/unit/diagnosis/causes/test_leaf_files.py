"""The files of a leaf: each name of `CauseName` has them all, and no record is left without its name.

Nothing of the diagnosis is imported here, because without a leaf's record none of it can be.
"""

from __future__ import annotations

import re

import pytest

from receiver.domain.report import CauseName
from tests.places import REPO

CAUSES = REPO / "receiver" / "diagnosis" / "causes"


@pytest.mark.parametrize("path", ["receiver/diagnosis/causes/{}.py", "docs/causes/{}.md"])
@pytest.mark.parametrize("name", CauseName)
def test_each_leaf_has_its_files(name: CauseName, path: str) -> None:
    """Its record and its page bear its name."""
    wanted = path.format(name.value)

    assert (REPO / wanted).is_file(), f"leaf {name} has no {wanted}"


def test_each_record_is_a_leaf() -> None:
    """A record that `CauseName` does not name would never be asked."""
    records = {path.stem for path in CAUSES.glob("*.py") if re.search(r"^LEAF\b", path.read_text(), re.MULTILINE)}
    nameless = sorted(records - {name.value for name in CauseName})

    assert nameless == [], f"receiver/domain/report.py: no CauseName for receiver/diagnosis/causes/{nameless}.py"
