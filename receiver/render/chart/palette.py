"""The chart's two sets of colours. Lines and text reach 4.5:1 on their card; a test counts it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """One colour a meaning, as `#rrggbb`. `shade` is the opacity of areas under the memory line. `is_any_font`: the reader's own font draws
    it, so each text keeps the width that was measured for ours.
    """

    card: str
    text: str
    quiet: str  # axis text, "no data", the request rate
    rule: str  # the base line; decoration only
    memory: str
    cache: str
    limit: str
    request: str
    rollout: str
    shade: float
    is_any_font: bool = False


DARK = Palette(
    card="#1f242b", text="#f2f4f7", quiet="#aab2bd", rule="#3d4550", memory="#5cb3ff", cache="#aab2bd", limit="#ff6b6b", request="#d3ac2f",
    rollout="#b79bff", shade=0.18,
)  # fmt: skip
LIGHT = Palette(
    card="#ffffff", text="#1d1c1d", quiet="#59636e", rule="#d5dae0", memory="#1264a3", cache="#6b7480", limit="#c8102e", request="#856600",
    rollout="#7b2cbf", shade=0.14,
)  # fmt: skip
# For a page, which has one chart for both themes: its style sheet says what each is.
PAGE = Palette(
    card="var(--chart-card)", text="var(--chart-text)", quiet="var(--chart-quiet)", rule="var(--chart-rule)", memory="var(--chart-memory)",
    cache="var(--chart-cache)", limit="var(--chart-limit)", request="var(--chart-request)", rollout="var(--chart-rollout)", shade=0.16, is_any_font=True,
)  # fmt: skip
