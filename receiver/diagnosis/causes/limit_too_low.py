"""It lives close under its limit without growing: small peaks hit it."""

from __future__ import annotations

from receiver.diagnosis.causes import common
from receiver.diagnosis.causes.file_cache import explained_by_cache
from receiver.diagnosis.causes.leaf import Answer, Before, Leaf, Question, Raise, Verdict, always, cannot_tell, no
from receiver.diagnosis.causes.settings import CEILING, OWN_MAXIMUM, a_setting_decides
from receiver.diagnosis.clues import Clues
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, Kill

NEAR = 0.8  # of the limit: one look at this much is worth a word


def near_the_limit(clues: Clues, kill: Kill) -> Answer:
    """Yes when it lives close under its limit without growing."""
    shape = clues.shape
    if shape is not None and shape.cause is CauseName.LIMIT_TOO_LOW and not common.is_blind(clues):
        return common.by_shape(shape)
    if shape is not None and shape.cause is not CauseName.UNKNOWN:
        return cannot_tell(common.too_early(clues))
    if cache := explained_by_cache(clues, kill):
        return no(cache.because)
    if shape is not None and common.sees_a_leaf(shape):
        return no(shape.because[0] if shape.because else reason("near_limit.well_below"))
    usage, limit = clues.facts.usage_bytes, clues.limit_bytes
    if usage is not None and limit and usage / limit >= NEAR:
        return cannot_tell(reason("near_limit.one_look", usage_bytes=usage, limit_bytes=limit))
    return cannot_tell(common.no_shape(clues))


LEAF = Leaf(
    name=CauseName.LIMIT_TOO_LOW,
    question=Question(id="near_limit", text=reason("leaf.limit_too_low.question"), ask=near_the_limit),
    by_settings=Question(id="settings", text=reason("leaf.limit_too_low.by_settings"), ask=a_setting_decides),
    root="limit_too_low",
    a_raise=Raise.CURES,
    raise_before_kill=Before.ALWAYS,
    verdict=Verdict(
        likely=reason("leaf.limit_too_low.likely"),
        looks_like=reason("leaf.limit_too_low.looks_like"),
        could_be=reason("leaf.limit_too_low.could_be"),
    ),
    verdicts={
        CEILING: always(reason("leaf.limit_too_low.ceiling")),
        OWN_MAXIMUM: Verdict(
            likely=reason("leaf.limit_too_low.own_likely"),
            looks_like=reason("leaf.limit_too_low.own_looks_like"),
            could_be=reason("leaf.limit_too_low.own_could_be"),
        ),
    },
    in_digest=reason("leaf.limit_too_low.digest"),
    digest_rank=30,
    known_as=reason("leaf.limit_too_low.known_as"),
    unclear=reason("leaf.limit_too_low.unclear"),
)
