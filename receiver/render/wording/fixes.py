"""Sentences about a fix: what was changed, what is expected of it, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from receiver.domain.reason import Reason
from receiver.domain.units import format_quantity, human_duration, human_percent
from receiver.render.wording import incident
from receiver.render.wording.forms import Facts, Sentence, SentenceFormatter, clock, counted, growth, of_limit, upper_first

FLAT_SHARE = 0.2  # of the growth before: less than that is called flat
THROTTLED_RATIO = 0.25  # of the CPU periods: more is worth a word


def _autoscaler(kind: str) -> Sentence:
    def said(facts: Facts) -> str:
        return f"{kind} {'added' if facts['is_new'] else 'removed' if facts['is_gone'] else 'changed'}"

    return said


def _replicas(facts: Facts) -> str:
    return f"scaled to {facts['after']} replica{'' if facts['after'] == '1' else 's'}"


def _image(facts: Facts) -> str:
    """The tag (or the start of the digest) alone: the rest of the name is the same in most changes."""
    name = str(facts["after"])
    tag = name.rpartition("@")[2][:19] if "@" in name else name.rpartition("/")[2].partition(":")[2]
    return f"image changed to {tag}" if tag else "image changed"


_STEPS = {"incident.log.limit_raised": "limit raised", "incident.log.limit_lowered": "limit lowered", "fix.resized": "one pod resized"}


def _told(facts: Facts) -> str:
    """`limit raised from 96Mi to 200Mi 15:10 UTC by kubectl-set`: as much of it as is known."""
    what, before, at = facts["what"], facts["before_bytes"], facts["at"]
    step = _STEPS.get(what.code) if before else None
    said = f"{step} from {format_quantity(before)} to {format_quantity(what['limit_bytes'])}" if step else say_short(what)
    time = f" at {clock(at)}" if facts["is_time_known"] else ""
    writer = f" by {facts['by']}" if facts["by"] else ""
    cause = f" ({facts['cause']})" if facts["cause"] else ""
    waits = ", which the node has not given yet" if facts.get("is_waiting") else ""
    return f"{said}{time}{writer}{cause}{waits}"


def say_short(what: Reason) -> str:
    """A change in its few words."""
    sentence = {**incident.SENTENCES, **SENTENCES}[what.code]
    return sentence(what.by_name) if callable(sentence) else _FORMATTER.vformat(sentence, (), what.by_name)


def _fix_seen(facts: Facts) -> str:
    """The reply: what was changed, whether it lasts, and what is expected of it."""
    said = [upper_first(_told(facts))]
    if not facts["is_in_template"]:
        said.append("Only this pod has it: the next rollout undoes it")
    if facts["forecast"] is not None:
        forecast = upper_first(say_short(facts["forecast"]))
        said.append(forecast if facts["is_enough"] else f"It will hardly help: {forecast[0].lower()}{forecast[1:]}")
    else:
        said.append("Whether that helps shows only after a day")
    return ". ".join(said) + "."


def _numbers(facts: Facts) -> str:
    """`peak 59 MiB (74 % of the limit)`, where memory was measured."""
    peak, limit = facts["peak_bytes"], facts["limit_bytes"]
    if not peak:
        return ""
    return f", peak {of_limit((peak, limit))}"


def _growth(facts: Facts) -> str:
    """How it grew before and after, at the same hours of the day."""
    before, after = facts["before_bytes_per_h"], facts["after_bytes_per_h"]
    if before is None or after is None or before <= 0:
        return ""
    now = "flat" if after < FLAT_SHARE * before else f"{growth(after)} now"
    return f" Grew {growth(before)} before, {now}."


def _held(facts: Facts) -> str:
    tight = " Its peaks come close to the limit." if facts["is_tight"] else ""
    throttled = facts["throttled_ratio"]
    slow = f" Its CPU was throttled in {human_percent(throttled)} of the time." if throttled and throttled >= THROTTLED_RATIO else ""
    restarts = f", {counted(facts['restarts'], 'restart')} for other reasons" if facts["restarts"] else ""
    evicted = f", {counted(facts['evicted'], 'eviction')}" if facts["evicted"] else ""
    return f"No kill for {hours(facts['after_s'])}{_numbers(facts)}{restarts}{evicted}.{_growth(facts)}{tight}{slow}"


def _delays(facts: Facts) -> str:
    at = f" Next kill about {moment(facts['next_at'])}." if facts["next_at"] is not None else ""
    return f"No kill for {hours(facts['after_s'])}, but it still grows{_numbers(facts)}.{_growth(facts)}{at}"


def _too_early(facts: Facts) -> str:
    return f"No kill for {hours(facts['after_s'])}, but it lived {human_duration(facts['life_s'])} before the last kill: too early to say."


def _no_evidence(facts: Facts) -> str:
    covered = facts["after_s"] - facts["missing_s"]
    if covered <= 0 or facts["missing_s"] >= facts["after_s"]:
        return f"Cannot tell whether it held: no data for {hours(facts['after_s'])}."
    return f"Cannot tell whether it held: no data for {human_duration(facts['missing_s'])} of {hours(facts['after_s'])}."


def _only_delayed(facts: Facts) -> str:
    slope = f" Same slope as before: {growth(facts['growth'])}." if facts["growth"] else ""
    return f"Killed again {human_duration(facts['after_s'])} after the fix ({say_short(facts['what'])}).{slope} That confirms a leak more than any chart."


def _undone(facts: Facts) -> str:
    if facts["is_of_pod"]:
        return f"The fix ({say_short(facts['what'])}) is gone: a rollout replaced the pod."
    written = f" {facts['by']} wrote it at {clock(facts['at'])}." if facts["by"] and facts["at"] is not None else ""
    return f"The fix ({say_short(facts['what'])}) was undone: the template is as it was before.{written}"


def hours(seconds: float) -> str:
    """`24 h`: follow-ups are counted in hours."""
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else human_duration(seconds)


def moment(at: datetime) -> str:
    """`12 Nov 03:40 UTC`: it may be days away."""
    return f"{at.astimezone(UTC):%-d %b %H:%M} UTC"


SENTENCES: Mapping[str, Sentence] = {
    # what was changed, in a few words
    "fix.limit_removed": "limit removed",
    "fix.resized": "one pod resized to {limit_bytes:quantity}",
    "fix.image": _image,
    "fix.flags": "flags changed",
    "fix.hpa": _autoscaler("autoscaler"),
    "fix.vpa": _autoscaler("VPA"),
    "fix.replicas": _replicas,
    "fix.restarted": "restarted, nothing changed",
    # how far the pods have it
    "fix.rolling_out": "rolling out: {updated} of {desired} pods are of the new template",
    "fix.rolled_out": lambda facts: "rolled out" if facts["desired"] == 1 else f"rolled out to all {facts['desired']} pods",
    # what the verdict expects of it
    "fix.forecast.restart": "a restart empties its memory and changes nothing else",
    "fix.forecast.replicas_of_a_leak": "more replicas do not change what one of them needs, and a leak fills each of them",
    "fix.forecast.replicas_at_startup": "more replicas do not change what one of them needs to start",
    "fix.forecast.heap_above": "its heap may grow to {heap_bytes:size} ({flag}), and the limit is {limit_bytes:size}: lower the flag as well",
    "fix.forecast.lowered": "{limit_bytes:quantity} is less than the {before_bytes:quantity} that it was killed at",
    "fix.forecast.only_delays": "a leak fills any limit: this only delays the next kill",
    "fix.forecast.delays": "a leak fills any limit: {limit_bytes:quantity} lasts about {lasts_s:span} per life",
    "fix.forecast.below_need": "{limit_bytes:quantity} is less than the {need_bytes:quantity} that it probably needs",
    # what is told of it, and what is left to do
    "fix.said": "fix applied",
    "fix.told": _told,
    "fix.only_said": "{said:reason}; no change of limit, image or flags was seen",
    "fix.others": lambda facts: "also " + ", ".join(say_short(r) for r in facts["others"]),
    "fix.do.nothing": "nothing more now",
    "fix.do.trim": "nothing. {limit_before_bytes:quantity} could go down to {limit_bytes:quantity} when it suits",
    "fix.do.into_git": "put {limit_bytes:quantity} into Git as well, or the next deploy undoes it",
    "fix.do.into_template": "put {limit_bytes:quantity} into the template as well, or the next rollout undoes it",
    "fix.do.fix_the_code": "fix the code: this buys about {lasts_s:span} per life. {left:Reason}",
    "incident.news.fix_seen": _fix_seen,
    "incident.log.fix_seen": lambda facts: say_short(facts["what"]) + (f" by {facts['by']}" if facts["by"] else ""),
    "incident.log.fix_failed": "killed again: the fix did not hold",
    "incident.log.fix_undone": "fix undone{by:by}",
    # what came of it
    "follow_up.held": _held,
    "follow_up.delays": _delays,
    "follow_up.too_early": _too_early,
    "follow_up.no_evidence": _no_evidence,
    "follow_up.did_not_hold": lambda facts: (
        f"Killed again {human_duration(facts['after_s'])} after the fix ({say_short(facts['what'])}): it did not hold."
    ),
    "follow_up.only_delayed": _only_delayed,
    "follow_up.undone": _undone,
}

_FORMATTER = SentenceFormatter(say_short)
