"""What people do with an incident: acknowledge, silence, say that it is fixed or that the verdict is wrong. Pure.

Each function gives the incident's `data` after it, or None when there is nothing to do: doing a thing twice is doing it once.

`data` of an incident, beside what pipeline/life.py keeps there:
    {"acknowledged": {"by", "at"}, "fixed_at", "fixed": {"by", "at", "limit_bytes", "image"}, "wrong": {"by", "at", "verdict"},
     "silence": {"wanted_until", "by", "asked_at", "is_settled", "id", "until", "why_not"}, "clicks": [id, ...],
     "refused": [words, ...], "ticks": {ITEM: {"by", "at"}}}
A ticked `apply_fix` is `fixed` and not among `ticks`: the fix is one thing, wherever somebody says that it is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.diagnosis.advice.checklist import APPLY_FIX
from receiver.domain.report import Tick
from receiver.domain.units import from_epoch
from receiver.pipeline.life import IN_CHECKLIST, STANDING, log_entry, standing_fix

MAX_CLICKS = 50
MAX_NAME = 40
MAX_REASON = 160

Data = Mapping[str, Any]


def by_words(by: str) -> str:
    """` by Ines`; nothing when nobody gave a name."""
    return f" by {by}" if by else ""


def name_of(text: object) -> str:
    """A person's name as others will read it: one short printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text or "")).split())[:MAX_NAME].strip()


def acknowledge(data: Data, *, by: str, at: float) -> dict[str, Any] | None:
    """Somebody owns it. The first one counts."""
    if data.get("acknowledged"):
        return None
    after = {**data, "acknowledged": {"by": by, "at": at}}
    log_entry(after, at, f"acknowledged{by_words(by)}", kind=STANDING)
    return after


def note_fix(data: Data, *, by: str, at: float) -> dict[str, Any] | None:
    """Somebody says that it is fixed: when, and limit and image at that time. Once, until it is killed again."""
    if standing_fix(data) is not None:
        return None
    fix = {"by": by, "at": at, "limit_bytes": data.get("limit_bytes"), "image": data.get("image")}
    after = {**data, "fixed_at": at, "fixed": fix}
    log_entry(after, at, f"fix applied{by_words(by)}", kind=STANDING)
    return after


def take_back_fix(data: Data, *, by: str, at: float) -> dict[str, Any] | None:
    """Somebody says that it is not fixed after all."""
    if standing_fix(data) is None:
        return None
    after = {k: v for k, v in data.items() if k not in ("fixed", "fixed_at")}
    log_entry(after, at, f"fix taken back{by_words(by)}")
    return after


def ticks_of(data: Data) -> dict[str, Tick]:
    """What people say is done, by the checklist's item."""
    said = dict(data.get("ticks", {}))
    if fix := standing_fix(data):
        said[APPLY_FIX] = fix
    return {item: Tick(by=str(tick.get("by") or ""), at=from_epoch(tick["at"])) for item, tick in said.items()}


def tick(data: Data, *, item: str, text: str, by: str, at: float) -> dict[str, Any] | None:
    """Somebody did an item of the checklist. The first one counts."""
    if item in data.get("ticks", {}):
        return None
    after = {**data, "ticks": {**data.get("ticks", {}), item: {"by": by, "at": at}}}
    log_entry(after, at, f"{text}: ticked{by_words(by)}", kind=IN_CHECKLIST)
    return after


def untick(data: Data, *, item: str, text: str, by: str, at: float) -> dict[str, Any] | None:
    """It is not done after all."""
    if item not in data.get("ticks", {}):
        return None
    after = {**data, "ticks": {k: v for k, v in data["ticks"].items() if k != item}}
    log_entry(after, at, f"{text}: tick taken back{by_words(by)}", kind=IN_CHECKLIST)
    return after


def mark_wrong(data: Data, *, by: str, at: float) -> dict[str, Any] | None:
    """Somebody says that the verdict is wrong. Once for each verdict."""
    verdict = data.get("verdict", "")
    if (data.get("wrong") or {}).get("verdict") == verdict and data.get("wrong"):
        return None
    after = {**data, "wrong": {"by": by, "at": at, "verdict": verdict}}
    log_entry(after, at, f"verdict marked as wrong{by_words(by)}")
    return after


def want_silence(data: Data, *, by: str, at: float, until: float) -> dict[str, Any]:
    """Somebody wants quiet until then. A longer wish that is still open stays the longer one."""
    silence = data.get("silence") or {}
    if not silence.get("is_settled", True):
        until = max(until, silence["wanted_until"])
    return {**data, "silence": {**silence, "wanted_until": until, "by": by, "asked_at": at, "is_settled": False}}


def want_no_silence(data: Data, *, by: str, at: float) -> dict[str, Any] | None:
    """Somebody wants to hear of it again."""
    silence = data.get("silence") or {}
    if silence.get("wanted_until", 0.0) <= at and silence.get("until", 0.0) <= at:
        return None
    return {**data, "silence": {**silence, "wanted_until": 0.0, "by": by, "asked_at": at, "is_settled": False}}


def settle_silence(data: Data, wish: Mapping[str, Any], *, silence_id: str, until: float, at: float) -> dict[str, Any]:
    """Alertmanager agrees with `wish`: it is quiet until then (0: no longer). A wish that came meanwhile stays open."""
    now_wanted = data.get("silence") or {}
    is_newest = _is_same(now_wanted, wish)
    after = {**data, "silence": {**now_wanted, "id": silence_id, "until": until, "is_settled": is_newest, "why_not": ""}}
    by = by_words(str(wish.get("by", "")))
    words = f"silenced until {from_epoch(until):%H:%M} UTC{by}" if until else f"silence undone{by}"
    log_entry(after, at, words, kind=STANDING if until else "")
    return after


def give_up_silence(data: Data, wish: Mapping[str, Any], *, why: str, at: float) -> dict[str, Any]:
    """Alertmanager would not: the wish is dropped, and the incident says so."""
    silence = data.get("silence") or {}
    after = dict(data)
    if _is_same(silence, wish):
        after["silence"] = {**silence, "wanted_until": silence.get("until", 0.0), "is_settled": True, "why_not": why[:MAX_REASON]}
    log_entry(after, at, f"silence {'not set' if wish.get('wanted_until') else 'not undone'}: {why[:MAX_REASON]}")
    return after


def _is_same(one: Data, other: Data) -> bool:
    return all(one.get(k) == other.get(k) for k in ("asked_at", "wanted_until"))


def refuse(data: Data, *, what: str, by: str, at: float) -> dict[str, Any] | None:
    """Somebody may not do that. Said once per person and thing, so that clicking on does not push the history out."""
    words = f"{by or 'somebody'} may not {what}"
    known = list(data.get("refused", ()))
    if words in known:
        return None
    after = {**data, "refused": [*known, words][-MAX_CLICKS:]}
    log_entry(after, at, f"refused: {words} (slack_users in the settings)")
    return after


def is_known_click(data: Data, click_id: str) -> bool:
    """Whether that very click was taken before: Slack sends again what was not answered in time."""
    return bool(click_id) and click_id in data.get("clicks", ())


def with_click(data: Data, click_id: str) -> dict[str, Any]:
    """The click is taken."""
    return {**data, "clicks": [*data.get("clicks", ()), click_id][-MAX_CLICKS:]} if click_id else dict(data)
