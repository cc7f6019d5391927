"""The members of a storm, which may be thousands, a part in a transaction: accepts wait behind each."""

from __future__ import annotations

from collections.abc import Iterator

from receiver.store.incident_lists import Member, members_after
from receiver.store.store import Store

AT_ONCE = 50  # some milliseconds


def members_of(store: Store, digest_id: str) -> Iterator[Member]:
    """All members, in the order of their ids. Not to be called inside a transaction."""
    after: str | None = ""
    while after is not None:
        with store.read() as tx:
            part, after = members_after(tx, digest_id, after, AT_ONCE)
        yield from part
