"""What a program's ceilings mean for a limit, in reasons: beside a patch, where they are not what decides."""

from __future__ import annotations

from receiver.diagnosis.log.ceilings.allowance import Allowance, Fit, allowance_of, told_of
from receiver.diagnosis.log.ceilings.model import LOG, Setting
from receiver.domain.reason import Reason, reason


def ceiling_advice(settings: tuple[Setting, ...], limit_bytes: int | None) -> tuple[Reason, ...]:
    """What they mean for this limit, most important first; empty where there is nothing to say."""
    allowed = allowance_of(settings, limit_bytes)
    if allowed is not None:
        return _beside_limit(allowed)
    first = next((s for s in settings if s.bytes_of(limit_bytes) or s.max_ratio), None)
    if first is None or limit_bytes is not None:
        return ()
    return (reason("heap.share_of_node", flag=first.quoted) if first.max_bytes is None else reason("heap.only_bound", flag=first.quoted),)


def _beside_limit(allowed: Allowance) -> tuple[Reason, ...]:
    first, use, fitting = allowed.decides[0], share_of_limit(allowed), " ".join(c.after for c in allowed.changes)
    match allowed.fit:
        case Fit.ABOVE | Fit.TOGETHER | Fit.WITH_BESIDE:
            return (what_they_allow(allowed), reason("heap.set_to_about", fitting=fitting))
        case Fit.NO_ROOM:
            outside = reason("heap.outside", runtime=first.row.runtime)
            return (reason("heap.leaves_no_room", flag=first.quoted, use=use, outside=outside, fitting=fitting),)
        case Fit.SOFT:
            return (reason("heap.soft_too_near", flag=first.quoted, use=use, fitting=fitting),)
    if first.row.is_soft:
        return (reason("heap.soft", flag=first.quoted, use=use), reason("heap.raise_soft_with_limit"))
    if first.max_bytes is None:
        return (reason("heap.follows_limit", flag=first.quoted, use=use),)
    fixed = reason("heap.is_fixed", flag=first.quoted, use=use)
    return (fixed,) if allowed.fit is Fit.FITS else (fixed, reason("heap.raise_flag_if", fitting=fitting))


def share_of_limit(allowed: Allowance) -> Reason:
    """How much of the limit the deciding settings may take."""
    n_bytes, limit = allowed.allows_bytes, allowed.limit_bytes
    return reason("heap.of_limit", heap_bytes=n_bytes, limit_bytes=limit, ratio=n_bytes / limit)


def named(setting: Setting) -> Reason:
    """A setting with the place where it stands, for how many it counts, and which part of the program it bounds."""
    return reason(
        "ceiling.setting", flag=setting.flag, source=setting.source, is_in_log=setting.source == LOG, times_flag=setting.times_flag, part=setting.row.part,
        told=told_of(setting, (setting.bytes_of(None) or 0) // setting.times),
    )  # fmt: skip


def what_they_allow(allowed: Allowance) -> Reason:
    """That the kernel comes before the program's own ceilings, and by how much."""
    first, limit = allowed.decides[0], allowed.limit_bytes
    settings = tuple(named(s) for s in allowed.adds_up)
    match allowed.fit:
        case Fit.ABOVE if len(settings) == 1 and first.times > 1:
            each = (first.bytes_of(limit) or 0) // first.times
            return reason(
                "ceiling.times", setting=settings[0], times=first.times, noun=first.row.per.noun if first.row.per else "", each_bytes=each,
                allows_bytes=allowed.allows_bytes, limit_bytes=limit,
            )  # fmt: skip
        case Fit.ABOVE if len(settings) == 1:
            return reason("ceiling.above", setting=settings[0], part=first.row.part, allows_bytes=allowed.allows_bytes, limit_bytes=limit)
        case Fit.NO_ROOM:
            outside = reason("heap.outside", runtime=first.row.runtime)
            return reason("ceiling.no_room", settings=settings, left_bytes=limit - allowed.allows_bytes, limit_bytes=limit, outside=outside)
        case Fit.SOFT:
            return reason("ceiling.soft", setting=settings[0], acts=first.row.acts, allows_bytes=allowed.allows_bytes, limit_bytes=limit)
    return reason(
        "ceiling.together", settings=settings, allows_bytes=sum(s.bytes_of(limit) or 0 for s in allowed.adds_up), limit_bytes=limit
    )
