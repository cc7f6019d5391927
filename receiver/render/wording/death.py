"""Sentences about who ended it, and how we know."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

SENTENCES: Mapping[str, Sentence] = {}
