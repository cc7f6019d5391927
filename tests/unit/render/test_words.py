"""What things are called in sentences."""

from __future__ import annotations

from receiver.evidence.gather import SOURCES
from receiver.render import words


def test_every_source_of_evidence_has_a_name_for_people() -> None:
    """`nodeevents` is ours; a reader is told of the node's events."""
    assert [name for name in SOURCES if name not in words.SOURCES] == []
