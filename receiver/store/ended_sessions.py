"""Sessions of the pages that somebody logged out before their time: a signed cookie alone would be good until then."""

from __future__ import annotations

import json

from receiver.store.database import Tx
from receiver.store.schema import get_meta, set_meta

MOST = 500
_ENDED = "ended_sessions"


def end(tx: Tx, session_id: str, *, until: float, now: float) -> None:
    """Note that a session is over. `until`: when its cookie is too, so that it is forgotten then."""
    kept = {known: at for known, at in _ended(tx).items() if at > now}
    while len(kept) >= MOST:
        del kept[min(kept, key=lambda known: kept[known])]
    set_meta(tx, _ENDED, json.dumps(kept | {session_id: until}))


def is_ended(tx: Tx, session_id: str) -> bool:
    """Whether it was logged out."""
    return session_id in _ended(tx)


def _ended(tx: Tx) -> dict[str, float]:
    try:
        stored = json.loads(get_meta(tx, _ENDED) or "{}")
    except ValueError:
        return {}
    return {str(k): float(v) for k, v in stored.items() if isinstance(v, (int, float))} if isinstance(stored, dict) else {}
