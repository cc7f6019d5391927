"""A witness: evidence about a container's memory that does not stand in its own series.

Its weights come from reasoning, not from a fit: no corpus has replicas or heaps. So they are small: none outweighs a clear history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from receiver.domain.reason import Reason
from receiver.domain.report import CauseName


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One piece of evidence. `piece`: what it is, with its number and its source, for `-v`; `told`: the same for the thread.

    `strength` 0 to 1; `weights`: log-odds per cause at strength 1. `advice`: ids of fixes that it asks for (`advice/witnessed.py`).
    `is_past_warm_up`: it shows that what rises is no warm-up.
    """

    piece: Reason
    told: Reason
    strength: float
    weights: Mapping[CauseName, float]
    advice: tuple[str, ...] = ()
    is_past_warm_up: bool = False

    def speaks_for(self, cause: CauseName) -> float:
        """Its log-odds for this cause against the others on average."""
        return self.strength * (self.weights.get(cause, 0.0) - sum(self.weights.values()) / len(CauseName))
