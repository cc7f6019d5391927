"""Sizes in a log line that are taken into memory. `buffering 90 MiB` takes; `max heap 494 MiB`, `90 MiB free` and `wrote 90 MiB` do not.

A size counts by the verb nearest before it, or right behind it. A bound, a rate, a rest, a use that is only reported, and what stands on a
disk are no demand, whatever the verb.
"""

from __future__ import annotations

import re
from itertools import islice

from receiver.diagnosis.log.plain import MAX_LINE_CHARS

UNIT_BYTES = {
    "b": 1, "bytes": 1,
    "k": 1000, "kb": 1000, "ki": 1024, "kib": 1024, "m": 1000**2, "mb": 1000**2, "mi": 1024**2, "mib": 1024**2,
    "g": 1000**3, "gb": 1000**3, "gi": 1024**3, "gib": 1024**3, "t": 1000**4, "tb": 1000**4, "ti": 1024**4, "tib": 1024**4,
}  # fmt: skip
_SIZE = re.compile(
    r"(?<![\w.])(?:\d{1,12}(?:\.\d{1,6})? ?/ ?)?(?P<n>\d{1,12}(?:\.\d{1,6})?) ?(?P<u>[KMGTkmgt][Ii]?[Bb]|[KMGT]i?|[Bb]ytes)(?!\w|/s|ps\b)"
)


_NO_VERB = r"(?![ _-](?:ahead|buffers?|caches?|limits?|pools?|queues?|sizes?|timeouts?|windows?)\b)"  # `read buffer`


def _words(*stems: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(stems)})\b", re.IGNORECASE)


_FOR_WHOM = re.compile(r" for\b")  # what follows says whose it is, not that it was taken
_TAKES = _words(
    "(?:pre|re)?allocat(?:e|ed|es|ing)", "malloc", rf"(?:(?:pre|re)?load(?:s|ed|ing)?|(?:re)?read(?:s|ing)?|(?:pre)?fetch(?:ed|es|ing)?|receiv(?:e|ed|ing)|batching){_NO_VERB}",
    "buffer(?:ed|ing)", "cach(?:ed|ing)", "pull(?:ed|ing)", "accept(?:ed|ing)", "collect(?:s|ed|ing)?", "accumulat(?:ed|ing)", "gather(?:ed|ing)", "decod(?:e|ed|ing)", "decompress(?:ed|ing)",
    "inflat(?:ed|ing)", "unpack(?:ed|ing)", "unzip(?:ped|ping)", "pars(?:e|ed|ing)", "(?:de)?seriali[sz](?:e|ed|ing)", "unmarshal(?:l?ed|l?ing)", "materiali[sz](?:e|ed|ing)",
    "sort(?:s|ed|ing)", "join(?:ed|ing)", "merg(?:e|ed|ing)", "aggregat(?:e|ed|ing)", "group(?:ed|ing)", "build(?:s|ing)?", "import(?:s|ed|ing)", "ingest(?:ed|ing)?", "index(?:ed|ing)",
    "restor(?:e|ed|ing)", "hydrat(?:ed|ing)", "warm(?:ed|ing)", "populat(?:ed|ing)", "process(?:es|ed|ing)", "export(?:s|ed|ing)", "generat(?:e|ed|ing)", "render(?:s|ed|ing)",
    "convert(?:ed|ing)", "transcod(?:ed|ing)", "encod(?:ed|ing)", "resiz(?:ed|ing)", "cop(?:ied|ying)", "clon(?:ed|ing)", "queu(?:ed|ing)", "batched", "prepar(?:ed|ing)",
    "creating", "handling", "expand(?:ed|ing)", "growing", "reserving",
)  # fmt: skip
_GIVES = _words(
    "freed", "free(?:s|ing)?", "releas(?:e|ed|ing)", "evict(?:ed|ing)", "flush(?:ed|ing)", "writ(?:e|es|ing|ten)", "wrote", "sen[dt](?:s|ing)?", "upload(?:ed|ing)", "download(?:ed|ing)",
    "delet(?:ed|ing)", "remov(?:ed|ing)", "reclaim(?:ed|ing)", "sav(?:ed|ing)", "compact(?:ed|ing)", "rotat(?:ed|ing)", "truncat(?:ed|ing)", "spill(?:ed|ing)", "purg(?:ed|ing)",
    "discard(?:ed|ing)", "drop(?:ped|ping)", "collected garbage", "shr[aiu]nk(?:ing)?", "stream(?:ed|ing)", "mapp(?:ed|ing)", "mmap(?:ped|ping)?", "skipp(?:ed|ing)", "reject(?:ed|ing)",
    "refus(?:ed|ing)", "pull(?:ed|ing) (?:the )?(?:image|layer)s?", "started", "listening", "running", "finished", "completed", "took", "configured", "set to", "detected", "found", "reports", "allows?", "uses", "using", "has", "have",
)  # fmt: skip
# How bounds and rests are told, in any line.
BOUND_WORDS = (
    r"max(?:im(?:um|al(?:ly)?))?|min(?:imum)?|limit(?:s|ed)?|up to|at most|as (?:much|many) as|(?:no|not) (?:more|larger|bigger) than|not exceed(?:ing)?|exceed(?:s|ing)?|(?:larger|bigger|greater|more) than|above|under|below|beyond"
    r"|capacity|cap(?:ped)?|quota|thresholds?|watermark|budget|ceilings?|bound(?:ed)?|allowance|allotment|allowed|permitted|grant|headroom|throttled|free|avail(?:able)?|remaining|left|spare|out of|total memory"
    r"|(?:can|may|might|could) (?:grow to|hold|use|take)|(?:cache|buffer|pool|queue|stack|heap|batch|chunk|page|block|segment|message|body|file|image|upload|memory) size"
)
# What makes a number a bound, a rest or a use, before it or behind it.
_BOUND_BEFORE = re.compile(
    rf"(?:\b(?:{BOUND_WORDS}"
    r"|over|total|heap(?: size)?|ram|swap|disk|volume|dir(?:ectory)?|every|per|rate|shm|rss|working set|usage|used?|resident|enabled|disabled|default|until|after|holds?|(?:chunk|block|page|segment)s?(?= (?:of|size)))"
    r"|[<>≤≥]=?)(?:[\s.:=(\[]|\b(?:is|of|to|at|by|was|set|size|memory|heap|in|the|a|total|about|around|for [\w-]{1,30})\b){0,6}$"
    r"|-[^\s=]{1,60}=$|\b\w{0,40}(?:max|min|limit|capacity|quota|threshold)\w{0,40}\"?\s?[=:]\s?$",  # an option, a field of that name
    re.IGNORECASE,
)
_BOUND_BEHIND = re.compile(
    r"^[\s)]{0,2}(?:free|avail(?:able)?|remaining|left|reserved|set aside|dedicated|allowed|permitted|limit|max(?:imum)?|min(?:imum)?|or (?:less|more)|quota|capacity|threshold|per\b|an? (?:second|minute|hour)\b|each|chunks?|blocks?|pages?|segments?"
    r"|of (?:free|available|disk|swap|ram|heap)|(?:on|to|from) (?:disk|s3|volume|stdout)|(?:in)?to /\w|disk|swap|ram\b|heap\b|file ?system|volume)",
    re.IGNORECASE,
)
MOST_SIZES = 20  # a line with more is a table
REACH = 90  # characters between a verb and its size


def taken_sizes(line: str) -> tuple[int, ...]:
    """The sizes, in bytes, that the line says are taken into memory; of `100/200 MiB` the whole. GB is 10^9 and GiB 2^30, as written."""
    text = line[:MAX_LINE_CHARS]
    sizes = islice(_SIZE.finditer(text), MOST_SIZES)
    return tuple(int(float(m["n"]) * UNIT_BYTES[m["u"].lower()]) for m in sizes if _is_taken(text, m))


def _is_taken(text: str, size: re.Match[str]) -> bool:
    before, behind = text[max(size.start() - REACH, 0) : size.start()], text[size.end() : size.end() + REACH]
    if _BOUND_BEFORE.search(before) or _BOUND_BEHIND.search(behind):
        return False
    takes, gives = _last(_TAKES, before), _last(_GIVES, before)
    if takes >= 0 or gives >= 0:
        return takes > gives
    if _FOR_WHOM.match(behind):
        return False
    follows, leaves = _TAKES.search(behind), _GIVES.search(behind)
    return follows is not None and (leaves is None or follows.start() < leaves.start())


def _last(words: re.Pattern[str], text: str) -> int:
    return max((m.start() for m in words.finditer(text)), default=-1)
