"""Every number of the limit advice, with its unit, its reason and where it was measured.

The measurements: 35 killed traces of real programs in memory-limited cgroups whose true demand (1.05 to 1.60 times the
limit) is known from unlimited twins. One raise was enough in 46 % with peak x 1.15 (KRR's default), 51 % with x 1.2
(VPA), 89 % with x 1.5 and 100 % with x 2. A kill censors demand: the highest memory ever seen was 0.98 to 1.00 of the
limit, so what was needed cannot be read off the peak.
"""

from __future__ import annotations

from receiver.domain.report import Proposal
from receiver.domain.units import MIB

RAISE_AFTER_KILL = 1.5  # x limit: enough in 89 % of measured kills, at 1.30 times the true demand in the median
RAISE_ENOUGH_RATIO = 0.89  # of the measured kills: what that raise was enough for
RAISE_FLOOR_BYTES = 100 * MIB  # a small limit has no room for one bigger request or library; VPA has the same floor
RAISE_AFTER_SECOND_KILL = 2.0  # x limit: a raise was not enough within 48 h; x 2 was enough in 100 %
SECOND_RAISE_ENOUGH_RATIO = 1.0
STOP_GAP = 2.0  # x limit: for a leak the only use of room is time, and half-steps buy nights in small change
PEAK_MARGIN = 1.2  # x observed peak: where nothing was killed the peak is true demand; KRR takes 1.15, VPA 1.15 and more
RATE_MODEL_MARGIN = 1.25  # x what memory = a + b * rate gives at the peak rate: enough in 11 of 12
ANNOUNCED_MARGIN = 1.4  # x the size a log names: the data, and what is built from it; x 1.4 was enough in 12 of 12 modelled
SAYS_IT_NEEDS_MARGIN = 1.25  # x what a program says it must have to start at all: what it works with, a heap, comes on top
PROGRESS_MARGIN = 1.1  # x (limit + what was still to load): an upper bound of demand already, so little on top
REQUEST_MARGIN = 1.1  # x typical use: a request is what the scheduler sets aside, the limit is for peaks
STOP_GAP_MIN_S = 600.0  # a stop-gap that lasts less than ten minutes per life is no stop-gap

QUIET_BEFORE_TRIM_S = 48 * 3600.0  # the article watches 24 to 48 h; a shorter time misses a working day
TRIM_MIN_SAVING = 0.2  # of the limit: for less nobody rolls out

SECOND_KILL_WINDOW_S = 48 * 3600.0  # a kill this soon after a raise says that the raise was too small
RAISES_WINDOW_S = 7 * 86400.0  # raises further back belong to another story
MAX_RAISES = 2  # after two raises without effect more room is guessing: profile instead


OVERCOMMIT_NOTE = 1.0  # share of allocatable: above it the limits of all pods together exceed the node


def is_futile(proposal: Proposal) -> bool:
    """Whether it is a stop-gap that lasts so short per life that nobody should roll it out."""
    return proposal.buys_h is not None and proposal.buys_h * 3600 < STOP_GAP_MIN_S
