"""Sentences about what to do: limits, patch, checklist, real fixes."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "advice.leak_is_possible": "a leak is one possibility only",
    "advice.leak_is_possible_until": "a leak is one possibility only: {settle_by:reason}",
}
