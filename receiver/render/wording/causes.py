"""Sentences about the questions of the decision tree and their answers."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

SENTENCES: Mapping[str, Sentence] = {
    "tree.probably": "probably: {because:reason}",
    "tree.log_names": "{because:reason}; its log names {meaning}",
}
