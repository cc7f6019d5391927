"""What a program's ceilings let it take, beside its container's limit: whether they can stop it before the kernel does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from receiver.diagnosis.log.ceilings.model import Count, Setting
from receiver.domain.reason import Reason, reason
from receiver.domain.tidy import tidy_up
from receiver.domain.units import GIB, KIB, MIB, human_bytes

NEAR_LIMIT_RATIO = 0.90  # main memory of this share of the limit and more leaves no room for what is beside it,
MOST_BESIDE_BYTES = GIB  # unless that is a lot all the same
LEAST_BESIDE_BYTES = 32 * MIB  # no runtime lives in less
SOFT_TOO_NEAR_RATIO = 0.95  # a soft ceiling above this share cannot make the collector work before the kernel does
FAR_BELOW_RATIO = 0.50  # ceilings below this share leave memory that nobody uses
FULL_RATIO = 0.95  # of the limit, where what a program needs beside its heap is bounded as well
LEAST_SHARE = 0.5  # no limit is asked for that is more than twice the ceiling, however cautious its row
BESIDE_USED_RATIO = 0.5  # of what is allowed beside the heap: bounds there are set for safety
KEEP_RATIO = 0.25  # of what it may be: a ceiling is never proposed below that, whatever the others take


_VALUE = re.compile(r"(?P<n>0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?)(?P<u>[A-Za-z]{0,5})%?$")  # at the end of an option


class Fit(StrEnum):
    """How the ceilings stand to the limit. The first five cannot stop the program before the kernel does."""

    ABOVE = "above"  # one alone
    TOGETHER = "together"  # their sum
    WITH_BESIDE = "with_beside"  # their sum with what bounds the rest of the program, of which little may ever be used
    NO_ROOM = "no_room"  # below it, but nothing is left for the rest of the program
    SOFT = "soft"  # one that is only aimed at
    FITS = "fits"
    FAR_BELOW = "far_below"

    @property
    def is_bad(self) -> bool:
        """Whether they let the kernel kill it first."""
        return self not in (Fit.FITS, Fit.FAR_BELOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting as it is, where it stands, and with another value as it would be written. `told`: where only the log tells of it."""

    before: str
    source: str
    after: str
    told: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The ceilings of a program beside one limit. Bytes.

    `decides`: those that are to be changed, the largest first. `allows_bytes`: what these let it take. `covering_bytes`: a limit
    that holds everything the ceilings allow, with room beside; None where they follow the limit.
    """

    settings: tuple[Setting, ...]
    limit_bytes: int
    fit: Fit
    decides: tuple[Setting, ...]
    allows_bytes: int
    covering_bytes: int | None

    @property
    def adds_up(self) -> tuple[Setting, ...]:
        """The settings that are above the limit together, the largest first."""
        hard = [s for s in self.settings if not s.row.is_soft]
        parts = hard if self.fit is Fit.WITH_BESIDE else list(self.decides)
        return tuple(sorted(parts, key=lambda s: -(s.bytes_of(self.limit_bytes) or 0)))

    @property
    def changes(self) -> tuple[Change, ...]:
        """The deciding settings, and what has to follow them, with values that leave room."""
        return tuple(change for s in self.decides for change in _changes(self, s))

    @property
    def fitting_bytes(self) -> int:
        """What the deciding settings may come to under the limit."""
        row = self.decides[0].row
        others = [s for s in self.settings if s not in self.decides]
        beside = _sum((s for s in others if s.row.is_beside), self.limit_bytes)
        main = _sum((s for s in others if not s.row.is_beside and not s.row.is_soft), self.limit_bytes)
        most = min(row.share * self.limit_bytes, FULL_RATIO * self.limit_bytes - BESIDE_USED_RATIO * beside)
        return int(max(most - main, KEEP_RATIO * row.share * self.limit_bytes))


def allowance_of(settings: tuple[Setting, ...], limit_bytes: int | None) -> Allowance | None:
    """How these ceilings stand to this limit; None where there is none of either."""
    known = tuple(s for s in settings if s.bytes_of(limit_bytes))
    if not known or not limit_bytes:
        return None
    fit, decides = _fit(known, limit_bytes)
    return Allowance(
        settings=known, limit_bytes=limit_bytes, fit=fit, decides=decides, allows_bytes=_sum(decides, limit_bytes),
        covering_bytes=_covering(known, decides, limit_bytes),
    )  # fmt: skip


def _fit(known: tuple[Setting, ...], limit: int) -> tuple[Fit, tuple[Setting, ...]]:
    hard = sorted((s for s in known if not s.row.is_soft), key=lambda s: -(s.bytes_of(limit) or 0))
    if not hard:
        soft = known[:1]
        return (Fit.SOFT if _sum(soft, limit) > SOFT_TOO_NEAR_RATIO * limit else Fit.FITS), soft
    if above := [s for s in hard if (s.bytes_of(limit) or 0) >= limit]:
        return Fit.ABOVE, tuple(above)
    return _fit_together(hard, limit)


def _fit_together(hard: list[Setting], limit: int) -> tuple[Fit, tuple[Setting, ...]]:
    """Of enforced ceilings, each of which is below the limit."""
    main = [s for s in hard if not s.row.is_beside]
    total = _sum(main, limit)
    if total >= limit:
        return Fit.TOGETHER, tuple(main)
    if total + _sum((s for s in hard if s.row.is_beside), limit) >= limit:
        return Fit.WITH_BESIDE, tuple(main or hard)
    room = limit - total
    if main and room <= (1 - NEAR_LIMIT_RATIO) * limit + 1 and room < MOST_BESIDE_BYTES:  # shares are rounded down
        return Fit.NO_ROOM, tuple(main)
    return (Fit.FAR_BELOW if main and total < FAR_BELOW_RATIO * limit else Fit.FITS), tuple(main or hard)[:1]


def _covering(known: tuple[Setting, ...], decides: tuple[Setting, ...], limit: int) -> int | None:
    if any(s.max_bytes is None for s in decides):
        return None
    main = _sum((s for s in known if not s.row.is_beside), limit)
    beside = _sum((s for s in known if s.row.is_beside), limit)
    room = main / max(decides[0].row.share, LEAST_SHARE) - main
    return tidy_up(main + max(beside, min(max(room, LEAST_BESIDE_BYTES), MOST_BESIDE_BYTES)))


def _sum(settings: Iterable[Setting], limit: int) -> int:
    return sum(s.bytes_of(limit) or 0 for s in settings)


def _changes(allowed: Allowance, setting: Setting) -> tuple[Change, ...]:
    """With its part of what they may come to together: fewer processes where it counts for several and one of them fits."""
    limit = allowed.limit_bytes
    share = (setting.bytes_of(limit) or 0) / max(allowed.allows_bytes, 1)
    bytes_for_it = int(allowed.fitting_bytes * share)
    one = (setting.bytes_of(limit) or 0) // setting.times
    if setting.times > 1 and setting.row.per is not None and one <= bytes_for_it:
        after = fewer(setting.row.per, setting.times_flag, max(bytes_for_it // one, 1))
        return (Change(before=setting.times_flag, source=setting.times_source, after=after),)
    each = bytes_for_it // setting.times
    after = written(setting, each, ratio=bytes_for_it / setting.times / limit)
    told = told_of(setting, one, fits_bytes=each)
    return (Change(before=setting.flag, source=setting.source, after=after, told=told), *_following(setting, bytes_for_it))


def told_of(setting: Setting, n_bytes: int, *, fits_bytes: int | None = None) -> Reason | None:
    """A ceiling of which only the log tells: what it bounds, and how large it is and should be; None for one that is seen where it is set."""
    if not setting.is_told:
        return None
    option = written(setting, fits_bytes, ratio=0.0) if fits_bytes is not None and setting.is_option_known else ""
    return reason(
        "ceiling.told", part=setting.row.part, runtime=setting.row.runtime, told_bytes=n_bytes, fits_bytes=fits_bytes, option=option
    )  # fmt: skip


def _following(setting: Setting, n_bytes: int) -> tuple[Change, ...]:
    """An initial heap above the new maximum: the JVM would not start."""
    match = setting.row.follower.fullmatch(setting.follower) if setting.row.follower is not None else None
    amount = setting.row.read(match["n"], match["u"]) if match is not None else None
    if match is None or amount is None or (amount[0] or 0) <= n_bytes:
        return ()
    name = setting.follower.removesuffix(match["n"] + match["u"])
    return (
        Change(
            before=setting.follower, source=setting.source, after=f"{name}{max(n_bytes // MIB, 1)}{'M' if match['u'].isupper() else 'm'}"
        ),
    )


def fewer(count: Count, flag: str, n: int) -> str:
    """The flag or variable for a number of processes, with another number."""
    own = _VALUE.search(flag)
    return f"{flag[: own.start()]}{n}" if own is not None else count.fits.format(n=n)


def written(setting: Setting, n_bytes: int, *, ratio: float) -> str:
    """The setting with another value, as it would be written: under its own name and in its own form. A size where its option is not known."""
    if not setting.is_option_known:
        return human_bytes(n_bytes)
    form = setting.row.value_fits if setting.is_variable else setting.row.fits
    mib, percent = max(n_bytes // MIB, 1), max(int(ratio * 100), 1)
    gib = f"{max(n_bytes / GIB, 0.25):.2f}".rstrip("0").rstrip(".")
    usual = form.format(
        mib=mib, kib=max(n_bytes // KIB, 1), gib=gib, bytes=n_bytes, hex=f"{mib * MIB:X}", percent=percent, hex_percent=f"{percent:X}"
    )
    own, value = _VALUE.search(setting.flag), _VALUE.search(usual)
    if setting.is_variable and (own is None or value is None or usual.startswith("0x")):
        return f"{setting.source}={usual}"
    if setting.is_told or own is None or value is None or setting.row.is_other_than_fits:
        return usual
    n, unit = value["n"], value["u"]
    unit = unit.lower() if own["u"].islower() else unit.upper() if own["u"].isupper() else unit
    is_decimal = not unit and "." in own["n"] and "." not in n  # older JVMs want a decimal point
    return f"{setting.flag[: own.start()]}{n}{'.0' if is_decimal else unit}"
