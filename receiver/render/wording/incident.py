"""Sentences about the life of an incident: news, history, people, storms."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

SENTENCES: Mapping[str, Sentence] = {}
