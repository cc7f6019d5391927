"""Every number of the memory-shape procedure, with its unit and its reason. How well they do: docs/diagnosis.md.

Ratios are shares of the limit where nothing else is said. Where no limit is known, `scale` (NO_LIMIT_SCALE times the
highest level) stands in for it. Numbers of the limit advice live in limits_policy.py.
"""

from __future__ import annotations

# What counts as evidence
RSS_MIN_SHARE = 0.1  # of rows: with fewer the process's own memory is as good as not scraped
NO_LIMIT_BYTES = 1e-6  # cAdvisor exports 0 for "none"; below it a ratio would mean nothing in any unit
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
EPISODE_MOST_S = 7200.0  # and an episode is at most so long: few bursts are
STARTUP_SHARE = 0.6  # of episodes, and of kills, that must begin at start-up
STARTUP_SEEN_RATIO = 0.45  # of the limit, seen by a scrape in a short life: it was climbing, not hit by one allocation
STARTUP_SHAPE_ROWS = 4  # rows of a short life that show whether it was still climbing
TINY_LIFE_S = 20.0  # lives shorter than this show no shape to any usual scrape interval: start-up, or a leak that is fast
SHORT_LIFE_S = 30.0  # below it a fast leak is still a good part of the cases (recorded crash loops of leaks: lives of 10 to 42 s)
NEVER_UP_S = 3.0  # killed this soon after its start by exact times: it never did anything but start
BURST_LOOK_S = 600.0  # before a kill
RATE_BURST = 2.0  # x the usual spread (p75 - p25) above the median request rate: restarted into the same burst

# A climb in one life
MIN_ENDED_S = 600.0  # an ended life must last this long for its floor to say something: repetition tells what one cannot
MIN_CLIMB_S = 1800.0  # and one that goes on this long
STARTUP_SKIP_SHARE = 0.25  # of a short life is skipped as start-up, instead of STARTUP_SKIP_S
BINS = 96  # per life: fine enough for changes, coarse enough to be fast
MIN_BINS = 8
EPOCHS = 8  # the floor is compared over this many parts of a life
FINE_EPOCHS = 24  # and its way up is looked at over this many
FLOOR_QUANTILE = 0.25  # of the bin minima of an epoch: below garbage and requests in flight
FLOOR_NOISE = 0.0005  # of the limit: smaller differences of floors count as equal
LEAST_RISE = 0.002  # of the limit: no shape is read into less
HARDLY = 0.03  # of the limit: growth below it is named as "hardly grows"
MOST_LIVES = 32  # the newest ones are looked at: what more of them would add is time
MAX_ODDS = 4.0  # of one life: 55 to 1, however clean it looks
BRIEF_S = 900.0  # a climb of so long counts nothing as a change, of eight times so long all it says
CHANGE_ODDS = 0.5  # of all lives, at most, for the newest ones to have begun it; of a life as a whole whose end climbs:
CHANGE_IN_LIFE_ODDS = 2.0
NEW_GROUND = 0.3  # of its growth must lie above all that was before the change: else it only comes back to an old level
SLOWING = 0.75  # x the slope of the stretch before: a logarithm comes to 0.5, a leak after a finished warm-up to 1
MIN_RATE_BINS = 12
RATE_R2 = 0.6  # of memory explained by the rate of the moment
RATE_BETTER = 0.7  # x what time or work done leave unexplained: the rate does clearly better
RATE_R2_LIVES = 0.15  # over all lives: below it a restart has taken the memory that went with the rate within a life
RATE_R2_HIGH = 0.85  # with so much explained by a rate that itself rises steadily,
RATE_NO_WORSE = 2.5  # x is enough to doubt a leak; leaks per request under a rising load had 4.5 and more

# File cache
KILL_LEVEL = 0.85  # of the limit at the last scrape before a kill: the life filled its limit, as far as scrapes can tell
CACHE_MATTERS = 0.1  # of the limit: file cache below it changes no picture
UNRECLAIMABLE_SHARE = 0.25  # of the limit that is not the process's own at a kill: memory-backed files

LIVES_SHOWN = 8  # whose evidence `-v` lists: the newest

# Near the limit, and peaks
HIGH_RATIO = 0.8  # the warning line of the shipped rules
LOW_MEDIAN = 0.72  # a median above it and kills: the limit is too low; below it and kills: spikes
HIGH_P10 = 0.7  # and the quiet tenth is not far below
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
WAVE_REACH = 0.3  # of the limit, highest - p5: so much swing with the request rate is a wave, and a life that swings so is not flat
EARLY_HIGH = 0.75  # peaks below it: the limit was never in sight

# How sure
ANSWER = 0.45  # the least probability that a cause is named with: below it nothing has won
STRAIGHT_ANSWER = 0.25  # enough to name a leak, with UNSURE, where a quiet life's end adds as much as a straight line does:
STRAIGHT_TAIL = (0.85, 1.3)  # x what a steady rise would
FIRST_GROWTH = 0.05  # of the limit: less in a first life may be settling, if it is no straight line
SLOWING_TAIL = 0.6  # a first life that has slowed down to this share of a steady rise may well level off
MIN_CLIMBED_S = 2700.0  # seen climbing for less, in fewer lives than MANY_LIVES, is not worth a word yet
MANY_LIVES = 3
SHORT_CLIMBED_S = 3600.0  # climbing for less in all, in fewer lives than that, is never said surely
FIRST_RISE_S = 4500.0  # and a first life's is not told: of 33 simulated ones of under 90 min at an alert 12 were leaks
FIRST_LIFE_SURE_S = 86400.0  # a first life that climbs may be an unfinished warm-up; the longest one measured took 9 h
WITNESSED_FIRST_LIFE = 0.7  # at most, of a first life that other replicas or its heap show to be past its warm-up
MIN_CHANGE_S = 5400.0  # a rise after a quiet time may be a batch job's: few climb longer than this
CHANGE_SURE_S = 7200.0
STOOD_SURE_S = 86400.0  # a level that has stood for a day is one; or one that two lives came to
MANY_PEAKS = 3  # from here on peaks are a habit
MIN_SETTLED_S = 600.0  # of settled time, in a short history, before a kill can be called a peak above something
SETTLED_S = 7200.0  # of quiet history: "nothing there" can be said with some weight
PRESUMED_CONFIDENCE = 0.6  # at most, where kills or the limit were concluded and not counted or scraped
SLOW_GROWTH = 0.015  # of the limit over a life: too little to tell, too much for "flat"
STEADY_TAU = 0.8  # Kendall's tau of the floors: at most 2 of 28 pairs out of order
MIN_COVERAGE = 0.6  # of the history must have rows to say with weight that there is nothing in it
