"""What says that a death was at the container's own limit although the node killed somewhere in the same seconds.

A node that runs out kills something every few seconds, and a container that dies at its limit goes on dying there. So what is
known of this container decides: the kernel's own line, what was scraped of this life, how far its log goes, and its lives before.
"""

from __future__ import annotations

from datetime import timedelta

from receiver.diagnosis.clues import Clues, memory_ratio_before
from receiver.diagnosis.death import lookups as look
from receiver.diagnosis.death.because import kernel_line
from receiver.diagnosis.death.witnesses.events import KERNEL_SLACK_S
from receiver.diagnosis.death.witnesses.metrics import EARLIER_AT_LIMIT, FAR_FROM_LIMIT, LOG_AT_LIMIT, NEAR_LIMIT
from receiver.diagnosis.log.log_clues import quoted_line, rise_of, sizes_in
from receiver.diagnosis.log.signatures import taken_sizes
from receiver.domain.facts import Termination
from receiver.domain.reason import Reason, reason

EVENTS_KEPT_S = 3000.0  # the API server forgets events after an hour: of older kills nobody knows what the node did


def at_the_limit(clues: Clues, death: Termination) -> list[Reason]:
    """Why it died at its own limit, the strongest first; empty when nothing says so."""
    if clues.limit_bytes is None:
        return []
    ratio = memory_ratio_before(clues, death.finished_at, death.started_at)
    found = [kernel_line(kill) for kill in look.cgroup_kills(clues, death)[:1]]
    if NEAR_LIMIT.matches(ratio):
        found.append(reason("death.memory_before", usage_ratio=ratio))
    found += _log_reaches_limit(clues)
    if not is_far(clues, ratio):
        found += _earlier_at_limit(clues, death)
    return found


def is_far(clues: Clues, ratio: float | None) -> bool:
    """Whether its memory was seen far below the limit. A pod's limit is shared: one container's part of it says nothing."""
    return not clues.limit_is_pod_level and FAR_FROM_LIMIT.matches(ratio)


def _log_reaches_limit(clues: Clues) -> list[Reason]:
    """A size that its log ends with and that is most of the limit: a counter that rose, or what the last line takes at once."""
    log, limit = clues.facts.log, clues.limit_bytes
    if log is None or log.is_current or clues.is_log_of_survivor or not limit:
        return []
    lasts = [rise[1] for name in clues.rising if (rise := rise_of(log.lines, name)) is not None]
    sizes = [*(size for text in lasts for size in sizes_in(text)), *taken_sizes(clues.last_line)]
    reached = max((size for size in sizes if LOG_AT_LIMIT.matches(size / limit)), default=None)
    if reached is None:
        return []
    return [reason("death.log_reaches_limit", line=quoted_line(clues.last_line), reached_bytes=reached, limit_bytes=limit)]


def _earlier_at_limit(clues: Clues, death: Termination) -> list[Reason]:
    """Earlier kills with which the node had nothing to do: no event of it within seconds."""
    if death.finished_at is None:
        return []
    at = death.finished_at.timestamp()
    since = (clues.facts.now - timedelta(seconds=EVENTS_KEPT_S)).timestamp()
    before = clues.container.last_terminated if clues.container is not None else None
    times = set(clues.facts.history.kill_times_s if clues.facts.history is not None else ())
    if before is not None and look.is_oom_killed(before) and before.finished_at is not None:
        times.add(before.finished_at.timestamp())
    node_times = [t.timestamp() for e in look.node_out_of_memory(clues) for t in (e.at, e.first_at) if t is not None]
    alone = [t for t in times if since <= t < at - 2 * KERNEL_SLACK_S and all(abs(t - n) > KERNEL_SLACK_S for n in node_times)]
    if not EARLIER_AT_LIMIT.matches(len(alone)):
        return []
    return [reason("death.earlier_without_node", kills=len(alone), limit_bytes=clues.limit_bytes)]
