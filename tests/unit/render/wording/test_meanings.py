"""What the log means, in each sentence that quotes it: readable, and nothing said twice."""

from __future__ import annotations

import itertools
import re

import pytest

from receiver.diagnosis.log.signatures import SIGNATURES, LogPattern
from receiver.diagnosis.log.signatures.model import OWN_LIMIT, REFUSED
from receiver.domain.reason import Reason, reason
from receiver.render.wording import say

BECAUSE = reason("death.other_end", exit_code=2, reason="Error")
SAYING = frozenset(("says", "say", "said", "names", "named", "speaks", "tells", "log", "logs"))


def quoting(pattern: LogPattern) -> tuple[Reason, ...]:
    """Every reason that quotes a signature's meaning."""
    meaning = pattern.meaning
    own = (reason("tree.own_limit", meaning=meaning),) if pattern.kind in (OWN_LIMIT, REFUSED) else ()
    return (
        *own,
        reason("killed_for_memory.log_names", because=BECAUSE, meaning=meaning),
        reason("check.log_names", meaning=meaning, is_current=False),
        reason("check.log_names", meaning=meaning, is_current=True),
        reason("elsewhere.log_says", meaning=meaning),
    )


@pytest.mark.parametrize("pattern", SIGNATURES, ids=lambda p: p.id)
def test_nothing_is_said_twice(pattern: LogPattern) -> None:
    """No word stands twice in a row, nobody says that somebody says, and the program is named once."""
    for quoted in quoting(pattern):
        words = re.findall(r"[\w'/.-]+", say(quoted).lower())

        assert [a for a, b in itertools.pairwise(words) if a == b] == []
        assert sum(w in SAYING for w in words) <= 1, say(quoted)
        assert words.count("program") <= 1, say(quoted)
