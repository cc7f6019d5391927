"""Sentences about what to do: limits, patch, checklist, real fixes."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

SENTENCES: Mapping[str, Sentence] = {}
