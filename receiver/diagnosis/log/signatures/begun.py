"""Log lines that tell of work that begins: `loading 50000 rows`, `job 17 started`, `POST /export`.

A line that only states something tells of none: a bound (`upload limit is 90MB`), a setting, a total, what is free, what is over, what is waited
for or still to come. Each clause of a line is asked for itself: `export started, memory limit 90 MiB` is work.
"""

from __future__ import annotations

import re

from receiver.diagnosis.log.plain import MAX_LINE_CHARS
from receiver.diagnosis.log.signatures.taken import BOUND_WORDS, taken_sizes

_JOINTS = re.compile(r"_|(?<=[a-z])(?=[A-Z])")  # load_batch, ReportJob
_CLAUSES = re.compile(r"[,;(){}|\"]| - | -- |\. |: (?!(?:start(?:ed|ing)?|begin|begun|received)\b)")
_A_START = re.compile(
    r"\b(?:start(?:s|ed|ing)?|beg[aiu]ns?|beginning|received?|receiving|accepted|requested|trigger(?:ed|ing)|launch(?:ed|ing)|claimed|picked up|polled|got|consum(?:ed|ing)"
    r"|invok(?:ed|ing)|execut(?:ed|ing)|running)\b",
    re.IGNORECASE,
)
_WORK = re.compile(
    r"\b(?:batch(?:es)?|jobs?|tasks?|exports?|imports?|reports?|requests?|quer(?:y|ies)|messages?|uploads?|scans?|sync|backups?|archives?|files?|rows|records|documents?|images?"
    r"|crawl|replay|compaction|vacuum|snapshots?|saving|steps?|events?|dump|migrations?|reindex|rebuild|insert|merge|sort|join|clean-?up|roll-?up|refresh|inference"
    r"|(?:aggreg|calcul|gener|optimi[sz]|deduplic|materiali[sz]|valid|evalu)ation|inges?tion|conversion|compilation|(?:render|process|index|train|transcod|export|import|pars)ing)\b",
    re.IGNORECASE,
)
# One piece of work by its number or name: `job 17`, `batch 4/20`, `import orders.csv`. A size or a count is no name.
_NAMED = re.compile(
    r"\b(?:batch|job|task|export|import|report|query|upload|scan|sync|backup|archive|crawl|replay|compaction|snapshot|step|migration|dump)[ :=#]{1,2}"
    r"(?!#?\d[\d.]* ?(?:[KMGT]i?B?|bytes|m?s|min|h|%|[a-z]{2,20}s)\b)(?=[\w/.-]{0,60}[\d.])[\w/.-]{1,80}|\bSELECT\b",
    re.IGNORECASE,
)
_HTTP = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE)[\" ]{1,3}(?:https?://|/)(?!(?:\w{1,20}/)?(?:health\w*|live\w*|ready\w*|metrics|ping|status)\b)"
)
# What is done now, to something. `buffering` alone is a thing, and so is a `reading buffer`.
_DOES = re.compile(
    r"\b(?:pre|re)?(?:allocat|load|read|fetch|buffer|cach|pull|collect|accumulat|gather|decod|decompress|inflat|unpack|unzipp|pars|(?:de)?seriali[sz]|unmarshall?|materiali[sz]|sort|join|merg"
    r"|aggregat|group|build|import|ingest|index|restor|hydrat|warm|populat|process|export|generat|render|convert|transcod|encod|resiz|copy|clon|prepar|creat|handl|expand|replay|crawl|vacuum|compact"
    r"|scann|rebuild|reindex|train|analy[sz]|comput|calculat|summari[sz]|archiv|migrat)ing (?!(?:is|was|in|with|at|on|off|to|for|buffers?|pools?|windows?|threads?|workers?|modes?|interval|delay|policy)\b)\S",
    re.IGNORECASE,
)
_HOLDS = re.compile(r"\b(?:(?:pre)?loaded|read|fetched|buffered|decoded|parsed|materiali[sz]ed|deseriali[sz]ed|hydrated|queued|collected|gathered) (?:all )?\d[\d,._]*+k? [a-z]", re.IGNORECASE)  # fmt: skip
_STATES = re.compile(
    rf"\b(?:{BOUND_WORDS}|total|overall|so far|ratio|rate|timeouts?|concurrency|depth|slots?|supported|enabled|disabled|configured|default|settings?|set (?:to|at)"
    r"|over \d[\d.]* ?[KMGT]|(?<!\d )(?:request|message|job|task|quer(?:y|ie)|file|row|record|upload|export|import|event|document|image)s (?:\w{2,20}ed|read))\b|[<>≤≥]",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"\b(?:finished|complet(?:ed?|ion)|done|succeeded|success(?:ful(?:ly)?)?|failed|took|ended|stopped|cancel\w{1,6}|skipp\w{1,4}|evict\w{1,4}|deleted|expired|removed|freed|written|flushed|closed"
    r"|next|later|since|will|scheduled (?:for|at)|ready|waiting|idle|idling|sleeping|polling|standby|no|nothing|none|can|may|allows?)\b",
    re.IGNORECASE,
)  # fmt: skip


def names_work(line: str) -> bool:
    """Whether the line tells of work that begins or goes on, or of something that takes memory."""
    text = line[:MAX_LINE_CHARS]
    if taken_sizes(text) or _HTTP.search(text):
        return True
    return any(_is_work(clause) for clause in _CLAUSES.split(_JOINTS.sub(" ", text)))


def _is_work(clause: str) -> bool:
    if _NOT_NOW.search(clause):
        return False
    if _NAMED.search(clause):
        return True
    if _STATES.search(clause):
        return False
    has_begun = _A_START.search(clause) is not None and _WORK.search(clause) is not None
    return has_begun or _DOES.search(clause) is not None or _HOLDS.search(clause) is not None
