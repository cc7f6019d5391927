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


def _words(*stems: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(stems)})\b", re.IGNORECASE)


_TAKES = _words(
    "(?:pre|re)?allocat(?:e|ed|es|ing)", "malloc", "(?:pre|re)?load(?:s|ed|ing)?", "(?:re)?read(?:s|ing)?", "buffer(?:s|ed|ing)", "cach(?:e|ed|ing)", "(?:pre)?fetch(?:ed|es|ing)?",
    "pull(?:ed|ing)", "receiv(?:e|ed|ing)", "accept(?:ed|ing)", "collect(?:s|ed|ing)?", "accumulat(?:ed|ing)", "gather(?:ed|ing)", "decod(?:e|ed|ing)", "decompress(?:ed|ing)",
    "inflat(?:ed|ing)", "unpack(?:ed|ing)", "unzip(?:ped|ping)", "pars(?:e|ed|ing)", "(?:de)?seriali[sz](?:e|ed|ing)", "unmarshal(?:l?ed|l?ing)", "materiali[sz](?:e|ed|ing)",
    "sort(?:s|ed|ing)", "join(?:ed|ing)", "merg(?:e|ed|ing)", "aggregat(?:e|ed|ing)", "group(?:ed|ing)", "build(?:s|ing)?", "import(?:s|ed|ing)", "ingest(?:ed|ing)?", "index(?:ed|ing)",
    "restor(?:e|ed|ing)", "hydrat(?:ed|ing)", "warm(?:ed|ing)", "populat(?:ed|ing)", "process(?:es|ed|ing)", "export(?:s|ed|ing)", "generat(?:e|ed|ing)", "render(?:s|ed|ing)",
    "convert(?:ed|ing)", "transcod(?:ed|ing)", "encod(?:ed|ing)", "resiz(?:ed|ing)", "cop(?:ied|ying)", "clon(?:ed|ing)", "queu(?:ed|ing)", "batch(?:ed|ing)", "prepar(?:ed|ing)",
    "creating", "handling", "expand(?:ed|ing)", "growing", "reserving",
)  # fmt: skip
_GIVES = _words(
    "freed", "free(?:s|ing)?", "releas(?:e|ed|ing)", "evict(?:ed|ing)", "flush(?:ed|ing)", "writ(?:e|es|ing|ten)", "wrote", "sen[dt](?:s|ing)?", "upload(?:ed|ing)", "download(?:ed|ing)",
    "delet(?:ed|ing)", "remov(?:ed|ing)", "reclaim(?:ed|ing)", "sav(?:ed|ing)", "compact(?:ed|ing)", "rotat(?:ed|ing)", "truncat(?:ed|ing)", "spill(?:ed|ing)", "purg(?:ed|ing)",
    "discard(?:ed|ing)", "drop(?:ped|ping)", "collected garbage", "shr[aiu]nk(?:ing)?", "stream(?:ed|ing)", "mapp(?:ed|ing)", "mmap(?:ped|ping)?", "skipp(?:ed|ing)", "reject(?:ed|ing)",
    "refus(?:ed|ing)", "pull(?:ed|ing) (?:the )?(?:image|layer)s?", "started", "listening", "running", "finished", "completed", "took", "configured", "set to", "detected", "found", "reports", "allows?", "uses", "using", "has", "have",
)  # fmt: skip
# What makes a number a bound, a rest or a use, before it or behind it.
_BOUND_BEFORE = re.compile(
    r"\b(?:max(?:imum)?|min(?:imum)?|limit(?:ed)?|up to|at most|no more than|under|below|capacity|cap(?:ped)?|quota|threshold|watermark|budget|ceiling|free|avail(?:able)?"
    r"|total memory|memory size|remaining|left|spare|out of|heap(?: size)?|ram|swap|disk|volume|dir(?:ectory)?|(?:cache|buffer|pool|queue|stack|image) size|every|per|rate|shm|rss|working set|usage|used|resident|(?:chunk|block|page|segment)s?(?= (?:of|size)))"
    r"(?:[\s:=(\[]|\b(?:is|of|to|at|was|set|size|memory|heap|in|the|a)\b){0,6}$"
    r"|-[^\s=]{1,60}=$|\b\w{0,40}(?:max|min|limit|capacity|quota|threshold)\w{0,40}\"?\s?[=:]\s?$",  # an option, a field of that name
    re.IGNORECASE,
)
_BOUND_BEHIND = re.compile(
    r"^[\s)]{0,2}(?:free|avail(?:able)?|remaining|left|limit|max(?:imum)?|min(?:imum)?|or (?:less|more)|quota|capacity|threshold|per\b|an? (?:second|minute|hour)\b|each|chunks?|blocks?|pages?|segments?"
    r"|of (?:free|available|disk|swap|ram|heap)|(?:on|to|from) (?:disk|s3|volume|stdout)|(?:in)?to /\w|disk|swap|ram\b|heap\b|file ?system|volume)",
    re.IGNORECASE,
)
_WORK = _words(
    "batch(?:es)?", "jobs?", "tasks?", "exports?", "imports?", "reports?", "requests?", "quer(?:y|ies)", "messages?", "uploads?", "scans?", "sync(?:ing)?", "backups?", "(?:GET|POST|PUT|PATCH)",
    "archives?", "files?", "rows", "records", "documents?", "images?", "crawl(?:ing)?", "replay(?:ing)?", "compaction", "vacuum(?:ing)?", "snapshot(?:ting)?", "cron", "scheduled?",
)  # fmt: skip
MOST_SIZES = 20  # a line with more is a table
REACH = 90  # characters between a verb and its size


def taken_sizes(line: str) -> tuple[int, ...]:
    """The sizes, in bytes, that the line says are taken into memory; of `100/200 MiB` the whole. GB is 10^9 and GiB 2^30, as written."""
    text = line[:MAX_LINE_CHARS]
    sizes = islice(_SIZE.finditer(text), MOST_SIZES)
    return tuple(int(float(m["n"]) * UNIT_BYTES[m["u"].lower()]) for m in sizes if _is_taken(text, m))


def names_work(line: str) -> bool:
    """Whether the line names a piece of work, or something that takes memory."""
    text = line[:MAX_LINE_CHARS]
    return _WORK.search(text) is not None or _TAKES.search(text) is not None


def _is_taken(text: str, size: re.Match[str]) -> bool:
    before, behind = text[max(size.start() - REACH, 0) : size.start()], text[size.end() : size.end() + REACH]
    if _BOUND_BEFORE.search(before) or _BOUND_BEHIND.search(behind):
        return False
    takes, gives = _last(_TAKES, before), _last(_GIVES, before)
    if takes >= 0 or gives >= 0:
        return takes > gives
    follows, leaves = _TAKES.search(behind), _GIVES.search(behind)
    return follows is not None and (leaves is None or follows.start() < leaves.start())


def _last(words: re.Pattern[str], text: str) -> int:
    return max((m.start() for m in words.finditer(text)), default=-1)
