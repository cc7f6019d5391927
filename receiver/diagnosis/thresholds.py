"""Every number of the memory-shape procedure, with its unit and its reason. How well they do: docs/diagnosis.md.

Ratios are shares of the limit where nothing else is said. Where no limit is known, `scale` (NO_LIMIT_SCALE times the
highest level) stands in for it. Numbers of the limit advice live in limits_policy.py.
"""

from __future__ import annotations

# What counts as evidence
RSS_MIN_SHARE = 0.1  # of rows: with fewer the process's own memory is as good as not scraped
NO_LIMIT_SCALE = 1.25  # x highest level: with no limit known, growth is judged as if the limit were a little above the peak
STARTUP_SKIP_S = 300.0  # of each life: loading code and data is steep, ends, and says nothing about what comes after
MIN_HISTORY_S = 1800.0  # below it a shape is an anecdote: five of six warm-ups in the lab were still rising then

# Lives
CLOCK_SLACK_S = 120.0  # counters of restarts and of kills come from two exporters, up to two scrapes apart
PRESUMED_KILL_RATIO = 0.9  # of the limit just before a restart, where nobody counts kills
FRESH_SHARE = 0.6  # of the level some minutes on: a history that begins this low begins with a new process
UNMARKED_RESTART_SHARE = 0.6  # of the lowest settled level: falling below it takes a new process
UNMARKED_RESTART_SHARE_NO_COUNTER = 0.8  # the same where no restart counter could have told

# Start-up kills
STARTUP_UPTIME_S = 600.0  # killed within this of its start: a start-up kill. Probes give up about then
EPISODE_GAP_S = 1800.0  # kills closer than this are one episode: restarted into the same trouble. Back-off is at most 5 min
STARTUP_SHARE = 0.6  # of episodes, and of kills, that must begin at start-up
STARTUP_SEEN_RATIO = 0.45  # of the limit, seen by a scrape in a short life: it was climbing, not hit by one allocation
STARTUP_TINY_LIFE_S = 20.0  # lives shorter than this show no shape to any usual scrape interval
RATE_BURST = 2.5  # x median request rate just before a kill: restarted into the same burst

# A ramp in one life
MIN_RAMP_LIFE_S = 1800.0  # a life must last this long for its floor to say something
BINS = 96  # per life: fine enough for changes, coarse enough to be fast
MIN_BINS = 8
EPOCHS = 8  # the floor is compared over this many parts of a life
FLOOR_QUANTILE = 0.25  # of the bin minima of an epoch: below garbage and requests in flight
RAMP_TAU = 0.8  # Kendall's tau of the epoch floors: at most 2 or 3 of 28 pairs out of order
RAMP_GROWTH = 0.05  # of the limit over the life: less may be fragmentation settling
RAMP_TAIL = 0.3  # of what a steady rise would add in the last 3/8: below it the rise has levelled off
RAMP_TAIL_GROWTH = 0.008  # of the limit: and it must still be more than noise
RAMP_STEP = 0.5  # of the rise in one epoch: more is a deploy or a high-water mark, not a leak
CHANGE_TAU = 0.85  # a ramp that fills only a part of a life must be cleaner
CHANGE_GROWTH = 0.04
EXPLAINED_BY_RATE = 0.5  # growth left after the request rate is taken out, as a share of the growth

# Near the limit
HIGH_RATIO = 0.8  # the warning line of the shipped rules
HIGH_SHARE = 0.6  # of the later half of the history at or above HIGH_RATIO
HIGH_P10 = 0.7  # and the quiet tenth is not far below
RECENT_HIGH_SHARE = 0.85  # of the newest part
RECENT_P10 = 0.75
RECENT_MIN_S = 5400.0  # the newest part: this long, or RECENT_SHARE of the history
RECENT_SHARE = 0.25
EARLY_HIGH = 0.78  # high and flat in a history too short for anything else
LOW_MEDIAN = 0.72  # a median above it and kills: the limit is too low; below it and kills: spikes
TRAFFIC_CORRELATION = 0.5
TRAFFIC_SWING = 0.15  # of the limit, p95 - p5: below it memory does not really follow anything
