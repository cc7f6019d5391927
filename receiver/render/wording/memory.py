"""Sentences about the shape of memory."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.render.wording.forms import Sentence

CANNOT_TELL_YET = "memory.cannot_tell_yet"

BECAUSE: Mapping[str, Sentence] = {
    # A leak
    "memory.grew_in_lives": "Grew {growth_bytes_per_h:growth} in {lives_grown} of {lives_tested} lives, from {floor_start_bytes:size} to {floor_end_bytes/is_lower_bound:at_least}, with no plateau.",
    "memory.grew_for": "Grew {growth_bytes_per_h:growth} for {life_s:span}, from {floor_start_bytes:size} to {floor_end_bytes/is_lower_bound:at_least}, with no plateau.",
    "memory.lives_killed": "{lives_killed} of these lives ended in a kill at the limit.",
    "memory.life_killed": "This life ended in a kill at the limit.",
    "memory.files_in_memory": "When it was killed only {own_bytes:size} were the process's own: the rest are files in memory (a tmpfs), which the kernel cannot take back.",
    "memory.growing_since_start": "Growing {growth_bytes_per_h:growth} for {span_s:span} since its start, from {floor_start_bytes:size} to {floor_end_bytes:size}.",
    "memory.growing_for": "Growing {growth_bytes_per_h:growth} for {span_s:span}, from {floor_start_bytes:size} to {floor_end_bytes:size}.",
    "memory.leak_or_warm_up": "Could be a leak or an unfinished warm-up; a plateau would settle it.",
    "memory.began_with_change": "In the {before_s:span} before that it did not grow so: it began with a change.",
    "memory.grew_until_killed": "It grew until it was killed.",
    # A limit too low
    "memory.flat_near_limit": "Flat at {usual_bytes/limit_bytes:of_limit}, growth under {growth_below_bytes_per_h:growth}.",
    "memory.usually_at": "Usually at {usual_bytes/limit_bytes:of_limit}.",
    "memory.share_near_limit": "At or above {near_ratio:percent} of its limit {time_ratio:percent} of the later time.",
    "memory.small_peaks_kill": "Small peaks hit the limit: killed {kills:times}.",
    "memory.climbed_and_stayed": "Climbed to {level_bytes/limit_bytes:of_limit} as it started and has stayed there.",
    "memory.may_still_rise": "Only {history_s:span} of history: an unfinished warm-up may still rise from here.",
    # A spike
    "memory.usual_and_peaks": "Usually at {usual_bytes/limit_bytes:of_limit}, with peaks to {peak_bytes/is_lower_bound:at_least}.",
    "memory.killed_at_peak": "Killed once, at a peak.",
    "memory.killed_in_bursts": "Killed {kills:times}, in {bursts:count:burst}.",
    "memory.follows_request_rate": "Memory follows the request rate (correlation {correlation:.2f} over {scrapes} scrapes).",
    "memory.traffic_or_batch": "No request rate is known, so traffic and batch work cannot be told apart.",
    "memory.rate_by_metric": "The request rate is read from {metric}, as exported by {maker}, in {unit} a second.",
    "memory.rate_by_setting": "The request rate is that of {setting}.",
    "memory.not_with_request_rate": "It does not follow the request rate (correlation {correlation:.2f}): batch work or single large requests are likelier than traffic.",
    # Start-up
    "memory.killed_at_start": "Killed {kills_early/kills:of_times} within {longest_life_s:span} of its start, before memory settled.",
    "memory.rate_was_high": "The request rate was far above usual just then: it may be the same burst that kills it again.",
    "memory.never_up": "Killed {kills_early/kills:of_times}, typically {typical_life_s:span} after its start: it never came up.",
    # Nothing to be told yet
    CANNOT_TELL_YET: "Cannot tell yet: {because:reason}.",
    "memory.lives_too_short": "lives of {typical_life_s:span} are too short to see a shape",
    "memory.fast_leak_or_startup": "Could be a leak that is fast, or start-up needing more than {limit_bytes:size}.",
    "memory.history_too_short": "{history_s:span} of history, too little to see a shape",
    "memory.above_usual": "Now at {now_bytes/limit_bytes:of_limit}; its usual level so far was {usual_bytes:size}.",
    "memory.peak_level_or_leak": "Could be a peak, a new level, or a leak that has just begun; the next hours would settle it.",
    "memory.climbs_at": "Climbs about {growth_bytes_per_h:growth} {lives_climbing/lives_tested:in_lives}.",
    "memory.climbs": "Climbs {lives_climbing/lives_tested:in_lives}.",
    "memory.too_little_to_tell": "too little to tell a leak from a burst or a warm-up",
    "memory.undecided": "What was seen fits more than one cause about as well.",
    "memory.slowing": "Growing, from {floor_start_bytes:size} to {floor_end_bytes:size}, but ever more slowly: its last part added {tail_ratio:percent} of what a steady rise would have.",
    "memory.warm_up_or_falling_load": "Could be a warm-up near its end or a leak under falling load; a plateau would settle it.",
    "memory.slow_growth": "Grew {growth_bytes:size} in {span_s:span}: too little to tell a slow leak from memory that is still settling.",
    "memory.kills_unexplained": "Killed {kills:times}, but what was scraped explains none of it: highest {peak_bytes/limit_bytes:of_limit}.",
    "memory.scrapes_miss": "Scrapes miss what happens between them.",
    "memory.no_history": "Cannot tell: there is no memory history of this container.",
    # Nothing wrong to be seen
    "memory.levelled_off": "Rose from {floor_start_bytes:size} to {floor_end_bytes/limit_bytes:of_limit} and levelled off there.",
    "memory.process_itself": "The process itself: {own_bytes/limit_bytes:of_limit} when the working set was at its highest.",
    "memory.cache_or_files_in_memory": "The other {cache_bytes:size} look like file cache, which the kernel takes back before it kills; files in memory (a tmpfs) look the same.",
    "memory.file_cache": "The other {cache_bytes:size} are file cache, which the kernel takes back before it kills anything. Not a leak.",
    "memory.goes_with_request_rate": "Memory goes up and down with the request rate; beside that it does not grow.",
    "memory.flat": "Flat at {usual_bytes/limit_bytes:of_limit}, peak {peak_bytes:size}: no growth, no level near the limit.",
    "memory.one_step": "Rose in one step, from {floor_start_bytes:size} to {floor_end_bytes/limit_bytes:of_limit}, and stays below its limit.",
    "memory.no_pattern": "It does not grow steadily, does not stay near its limit, and no peak came near it.",
    "memory.no_limit_known": "No memory limit is known, so how near it comes cannot be said.",
    "memory.no_steady_growth": "No steady growth; highest {peak_bytes:size}.",
}

# Another cause was refused: among what speaks against a verdict, these speak for it.
REFUSALS: Mapping[str, Sentence] = {
    "memory.not_a_leak": "Not a leak: {because:reason}.",
    "memory.not_a_low_limit": "Not a low limit as such: it usually uses {usage_ratio:percent} of it.",
}

AGAINST: Mapping[str, Sentence] = {
    "memory.growth_stopped": "The newest life has not grown so for {held_s:span}: something has changed.",
    "memory.rate_unknown": "No request rate is known: growth that is more traffic cannot be ruled out.",
    "memory.only_working_set": "Only the working set was scraped: file cache is counted in it.",
    "memory.limit_not_scraped": "Its limit was not scraped: the highest level before a kill stands in for it.",
    "memory.kills_presumed": "No counter of OOM kills was scraped: restarts from the limit are taken for kills.",
    "memory.refused.hardly_grows": "it hardly grows",
    "memory.refused.not_steady": "it does not rise steadily",
    "memory.refused.one_step": "it rose in one step",
    "memory.refused.levelled": "its rise has levelled off",
    "memory.refused.follows_rate": "its rise follows the request rate",
}

# What would settle it, which these do not say themselves: a message puts "to settle it" before them.
SETTLING: Mapping[str, Sentence] = {
    "memory.look_again": "{settle_by:sentence} We look again in 30 min and in 2 h.",
    "memory.settle.plateau_or_second_life": "A plateau (warm-up), or a second life that grows the same (leak).",
    "memory.settle.plateau_or_growth": "A plateau (warm-up), or growth that goes on (leak).",
    "memory.settle.longer_growth": "A longer history: growth that goes on is a leak.",
    "memory.settle.more_lives": "More lives or a longer one: growth in each of them is a leak.",
    "memory.settle.growth_and_change": "Growth that goes on; the rollout or the change of load at that time.",
    "memory.settle.one_more_life": "One more life that grows the same.",
    "memory.settle.size_of_files": "The size of the files in the pod's memory-backed volumes.",
    "memory.settle.half_an_hour": "Half an hour more: staying there, or rising on.",
    "memory.settle.level_that_stays": "A day at this level, or a second life that comes to it.",
    "memory.settle.request_rate": "A request rate (REQUEST_RATE_QUERY): does memory follow it? The times of batch jobs.",
    "memory.settle.times_of_jobs": "The times of batch jobs and of large requests: do the peaks fall on them?",
    "memory.settle.next_peak": "The next peak of the request rate.",
    "memory.settle.another_start": "Another start: killed as early again, or not.",
    "memory.settle.quiet_start": "A start without that load.",
    "memory.settle.log_of_start": "The log of a start.",
    "memory.settle.log_of_life": "The log of one life, or one life that lasts.",
    "memory.settle.history": "{history_s:span} of history.",
    "memory.settle.down_or_on": "Coming down again (a peak), staying (a new level) or rising on (a leak).",
    "memory.settle.kill_or_volumes": "A kill: the kernel never kills for file cache. The volumes of the pod: is one in memory?",
    "memory.settle.limit": "The container's memory limit.",
    "memory.settle.shorter_interval": "A shorter scrape interval, or the log of a killed life.",
    "memory.settle.longer_history": "A longer history.",
    "memory.settle.scraped_history": "A scraped memory history.",
}

# What was weighed, for `-v`
EVIDENCE: Mapping[str, Sentence] = {
    "memory.evidence": "{what:reason} ({strength:.2f}): {log_odds:log_odds}",
    "memory.life_evidence": "life {life}, {life_s:span}: log-odds of a leak {total:+.2f} (base {base:+.2f}): {log_odds:log_odds}",
    "memory.piece.climb": "memory climbs in its lives, weighted by their time",
    "memory.piece.climb_many": "several lives say so",
    "memory.piece.climb_quiet": "and nothing else happened",
    "memory.piece.climb_young": "but it has climbed for a short time only",
    "memory.piece.since": "its newest part climbs",
    "memory.piece.since_only": "and what came before did not",
    "memory.piece.kills": "it was killed",
    "memory.piece.kills_from_below": "shortly before, there was much room",
    "memory.piece.peaks_over_low": "kills or peaks near the limit over a usual level well below it",
    "memory.piece.peaks_again": "again and again",
    "memory.piece.came_back": "it came back down by itself",
    "memory.piece.traffic": "with the request rate",
    "memory.piece.high_half": "near its limit most of the later half",
    "memory.piece.high_lately": "near its limit lately",
    "memory.piece.stands": "has stood there without coming down",
    "memory.piece.quiet": "never near its limit",
    "memory.piece.start": "killed soon after its start",
    "memory.piece.start_seen": "seen on its way up then",
    "memory.piece.start_many": "many times",
}

SENTENCES: Mapping[str, Sentence] = {**BECAUSE, **REFUSALS, **AGAINST, **SETTLING, **EVIDENCE}
