"""How sure a verdict is, and what may be said with it: the one place for these numbers.

Measured on recorded and simulated containers (docs/diagnosis.md): 0.85 and more was right 647 of 648 times, 0.70 to 0.84
392 of 393, 0.51 to 0.69 19 of 21.
"""

from __future__ import annotations

LIKELY = 0.85  # from here on it is said without a hedge: "likely"
PLAUSIBLE = 0.6  # from here on a header names it: "looks like"
UNSURE = 0.5  # up to here it is one possibility of several: "could be"
