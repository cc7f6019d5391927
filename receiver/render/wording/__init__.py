"""From a reason's code to its sentence: the only place with English beside templates/.

To add a reason: `reason("part.code", fact=...)` where it is found, and one line in the table of its part here. A test
holds the two against each other in both directions, with the facts that each sentence uses.
"""

from __future__ import annotations

from receiver.render.wording.checklist import ITEMS as CHECKLIST
from receiver.render.wording.say import SENTENCES, phrase, remark, say, say_all, settling, speaks_for, tells_of_replicas

__all__ = ["CHECKLIST", "SENTENCES", "phrase", "remark", "say", "say_all", "settling", "speaks_for", "tells_of_replicas"]
