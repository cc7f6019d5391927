"""Every number of the memory-shape procedure, with its unit and its reason. How well they do: docs/diagnosis.md.

Ratios are shares of the limit where nothing else is said. Where no limit is known, `scale` (NO_LIMIT_SCALE times the
highest level) stands in for it. Numbers of the limit advice live in limits_policy.py.
"""

from __future__ import annotations

# What counts as evidence
RSS_MIN_SHARE = 0.1  # of rows: with fewer the process's own memory is as good as not scraped
NO_LIMIT_SCALE = 1.25  # x highest level: with no limit known, growth is judged as if the limit were a little above the peak
STARTUP_SKIP_S = 300.0  # of each life: loading code and data is steep, ends, and says nothing about what comes after
GAP_STEPS = 2.5  # x the usual interval between rows: a longer one is missing data
MIN_HISTORY_S = 1800.0  # below it a shape is an anecdote: five of six warm-ups in the lab were still rising then

# Lives
EXPORTER_SLACK_S = 120.0  # counters of restarts and of kills come from two exporters, up to two scrapes apart
COUNTER_LAG_ROWS = 4  # rows before a counter rises that may already belong to the dying process
PRESUMED_KILL_RATIO = 0.9  # of the limit just before a restart, where nobody counts kills
FRESH_SHARE = 0.6  # of the level some minutes on: a history that begins this low begins with a new process
FALL_SHARE = 0.5  # of the row before: what a restart lets memory fall to, at most
UNMARKED_RESTART_SHARE = 0.6  # of the lowest settled level: falling below it takes a new process
UNMARKED_RESTART_SHARE_NO_COUNTER = 0.8  # the same where no restart counter could have told

# Start-up kills
STARTUP_UPTIME_S = 600.0  # killed within this of its start: a start-up kill. Probes give up about then
EPISODE_GAP_S = 1800.0  # kills closer than this are one episode: restarted into the same trouble. Back-off is at most 5 min
STARTUP_SHARE = 0.6  # of episodes, and of kills, that must begin at start-up
STARTUP_SEEN_RATIO = 0.45  # of the limit, seen by a scrape in a short life: it was climbing, not hit by one allocation
STARTUP_SHAPE_ROWS = 4  # rows of a short life that show whether it was still climbing
TINY_LIFE_S = 20.0  # lives shorter than this show no shape to any usual scrape interval: start-up, or a leak that is fast
SHORT_LIFE_S = 30.0  # below it a fast leak is still a good part of the cases (recorded crash loops of leaks: lives of 10 to 42 s)
NEVER_UP_S = 3.0  # killed this soon after its start by exact times: it never did anything but start
BURST_LOOK_S = 600.0  # before a kill
RATE_BURST = 2.0  # x the usual spread (p75 - p25) above the median request rate: restarted into the same burst

# A ramp in one life
MIN_RAMP_LIFE_S = 1800.0  # a life must last this long for its floor to say something
MIN_SHORT_LIFE_S = 600.0  # or this long, when it was killed;
MIN_SHORT_LIVES = 3  # but with fewer ramps than this one of them must last
MIN_SHORT_RAMP_S = 1500.0
STARTUP_SKIP_SHARE = 0.25  # of a short life is skipped as start-up, instead of STARTUP_SKIP_S
BINS = 96  # per life: fine enough for changes, coarse enough to be fast
MIN_BINS = 8
EPOCHS = 8  # the floor is compared over this many parts of a life
FINE_EPOCHS = 24  # and bends are looked for over this many
FLOOR_QUANTILE = 0.25  # of the bin minima of an epoch: below garbage and requests in flight
FLOOR_NOISE = 0.0005  # of the limit: smaller differences of floors count as equal
RAMP_TAU = 0.8  # Kendall's tau of the epoch floors: at most 2 of 28 pairs out of order
RAMP_GROWTH = 0.05  # of the limit over the life: less may be fragmentation settling
RAMP_TAIL = 0.5  # of what a steady rise would add in the last 3/8: below it the rise has levelled off
RAMP_TAIL_GROWTH = 0.008  # of the limit: and it must still be more than noise
RAMP_STEP = 0.5  # of the rise in one epoch: more is a deploy or a high-water mark, not a leak
CLEAN_TAU = 0.96  # at most one equal pair
CLEAN_STEP = 0.35  # a straight line has 1/7 in each epoch
CLEAN_TAIL = 0.65
STRAIGHT_GROWTH = 0.025  # of the limit: a straight ramp may be this small
STRAIGHT_NOISE = 0.07  # of the growth: the bins' median distance from the line
STRAIGHT_STEPS = (0.4, 2.0)  # x an even share: what each epoch adds
PART_TAU = 0.85  # a ramp that fills only a part of a life must be cleaner
PART_GROWTH = 0.04
NEW_HIGH = 0.5  # of its growth must lie above all that was before the change: else it only comes back to an old level
NOT_SLOWING = 0.75  # x the slope of the stretch before: a logarithm comes to 0.5, a leak after a finished warm-up to 1
BEND_GAIN = 0.5  # of the squared error that a knee must remove to be believed
BEND_SLOPE = 0.25  # x the slope of the whole: less is levelling off
SLOPE_RATIO = 4.0  # between the fastest and the slowest killed ramp: a leak under moving load stays below
MIN_RATE_BINS = 12
RATE_R2 = 0.6  # of memory explained by the rate of the moment
RATE_PARTIAL_R2 = 0.3  # of what time leaves unexplained: memory jumps with the rate
LEFT_AFTER_RATE = 0.5  # of the slope: below it most of the rise was the rate's
RATE_BETTER = 0.7  # x what time or work done leave unexplained: the rate does clearly better
RATE_R2_HIGH = 0.85  # with so much explained by a rate that itself rises steadily,
RATE_NO_WORSE = 2.5  # x is enough to doubt a leak; leaks per request under a rising load had 4.5 and more

# File cache
KILL_LEVEL = 0.85  # of the limit at the last scrape before a kill: the life filled its limit, as far as scrapes can tell
CACHE_MATTERS = 0.1  # of the limit: file cache below it changes no picture
UNRECLAIMABLE_SHARE = 0.25  # of the limit that is not the process's own at a kill: memory-backed files

# Near the limit, and peaks
HIGH_RATIO = 0.8  # the warning line of the shipped rules
LOW_MEDIAN = 0.72  # a median above it and kills: the limit is too low; below it and kills: spikes
HIGH_SHARE = 0.6  # of the later half of the history at or above HIGH_RATIO
HIGH_P10 = 0.7  # and the quiet tenth is not far below
RECENT_HIGH_SHARE = 0.85  # of the newest part
RECENT_P10 = 0.75
RECENT_MIN_S = 5400.0  # the newest part: this long, or RECENT_SHARE of the history; batch jobs rarely hold a level longer
RECENT_SHARE = 0.25
PLATEAU_S = 240.0  # the least time at a level that was reached by starting, to call it one
LONG_CLIMB_S = 900.0  # a start-up that takes longer to get there must show that it climbed:
CLIMB_SPREAD = 0.15  # of the limit, between the quartiles on the way up: it climbed from its start, it did not jump from a base
PLATEAU_MEDIAN = 0.78
PLATEAU_DRIFT = 0.03  # of the limit between its two halves
MIN_RATE_ROWS = 20  # rows with a request rate: fewer give no correlation worth a word
TRAFFIC_CORRELATION = 0.5
TRAFFIC_REACH = 0.15  # of the limit, highest - p5: below it memory does not really follow anything
WAVE_REACH = 0.3  # of the limit, highest - p5: so much swing with the request rate is a wave
PEAK_SHARE = 0.35  # of the time in the upper half of its range: more is a wave or a ramp, not peaks
SPIKE_SWING = 0.4  # of the limit, p95 - p5 of recent time: no level at all, whatever the median is

EARLY_HIGH = 0.75  # peaks below it: the limit was never in sight

# How sure
SLOWING_TAIL = 0.72  # a first life that has slowed down to this may well level off
MIN_FIRST_LIFE_S = 2700.0  # a single ramp that is younger is not worth a word yet
FIRST_LIFE_SURE_S = 86400.0  # a first life that ramps may be an unfinished warm-up; the longest one measured took 9 h
MIN_CHANGE_S = 5400.0  # a rise after a quiet time may be a batch job's: few climb longer than this
CHANGE_SURE_S = 7200.0
MIN_SETTLED_S = 600.0  # of settled time, in a short history, before a kill can be called a peak above something
SETTLED_S = 7200.0  # of quiet history: "nothing there" can be said with some weight
PRESUMED_CONFIDENCE = 0.6  # at most, where kills or the limit were concluded and not counted or scraped
SLOW_GROWTH = 0.015  # of the limit over a life: not enough for a ramp, too much for "flat"
MIN_COVERAGE = 0.6  # of the history must have rows to say with weight that there is nothing in it
