"""Sentences about a program's own ceilings: the settings that bound its memory, beside its container's limit."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.reason import Reason
from receiver.domain.units import format_quantity, human_bytes
from receiver.render.wording.forms import Facts, Sentence, upper_first

OUTSIDE_HEAP = {
    "jvm": "metaspace, threads, code and direct buffers",
    "node": "buffers, code and native modules",
    "dotnet": "threads, native libraries and the runtime itself",
    "redis": "replication buffers and the copy that a fork makes",
    "php": "a second request",
    "postgres": "connections, sorts and hashes",
    "mysql": "connections and temporary tables",
}
_PARTS = {
    "heap": "the heap", "direct": "direct buffers", "data": "its data", "cache": "its cache", "page_cache": "its page cache", "metaspace": "metaspace",
    "code": "the code cache", "stacks": "thread stacks", "sql": "its queries",
}  # fmt: skip

_TOLD = {"jvm": "heap maximum", "mysql": "buffer pool", "mongodb": "cache", "erlang": "high watermark"}


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _told(told: Reason | Facts) -> str:
    """`a heap maximum of 494 MiB`: a ceiling of which only the log tells."""
    return f"{_TOLD.get(str(told['runtime']), 'memory maximum')} of {human_bytes(float(str(told['told_bytes'])))}"


def _fits(told: Reason) -> str:
    """`72 MiB (-Xmx72m)`; the size alone where the option is not known."""
    size, option = human_bytes(float(str(told["fits_bytes"]))), told["option"]
    return f"{size} ({option})" if option else size


def _placed(flag: str, source: str, *, times_flag: str = "", told: object = None) -> str:
    """`-Xmx512m in JAVA_OPTS`; where the flag is the variable itself, its name says where."""
    times = f" times {times_flag}" if times_flag else ""
    if isinstance(told, Reason):
        return f"the {_told(told)}{times} that its log tells of"
    if source == "log":
        return f"{flag}{times}, which its log tells of,"
    if source == "command":
        return f"{flag}{times} in its command"
    return f"{flag}{times}" if flag.startswith(f"{source}=") else f"{flag}{times} in {source}"


def _setting(facts: Facts) -> str:
    return _placed(str(facts["flag"]), str(facts["source"]), times_flag=str(facts["times_flag"]), told=facts.get("told"))


def _all_placed(flags: list[str], sources: list[str], told: tuple[object, ...]) -> str:
    """With the place once where it is one for all."""
    if len(flags) > 1 and len(set(sources)) == 1 and sources[0] != "log" and not any(f.startswith(f"{sources[0]}=") for f in flags):
        return _placed(_and(flags), sources[0])
    return _and([_placed(flag, source, told=of) for flag, source, of in zip(flags, sources, told, strict=True)])


def _named(settings: object) -> str:
    found = [s for s in settings if isinstance(s, Reason)] if isinstance(settings, tuple) else []
    if any(s["times_flag"] for s in found):
        return _and([_setting(s.by_name) for s in found])
    return _all_placed([str(s["flag"]) for s in found], [str(s["source"]) for s in found], tuple(s.by_name.get("told") for s in found))


def _above(facts: Facts) -> str:
    part, limit = _PARTS.get(str(facts["part"]), "it"), human_bytes(facts["limit_bytes"])
    told = facts["setting"].by_name.get("told")
    if isinstance(told, Reason):
        return f"its log tells of a {_told(told)}, and the limit is {limit}: the kernel kills it before that ceiling is reached"
    said = _setting(facts["setting"].by_name)
    return f"{said} lets {part} grow to {human_bytes(facts['allows_bytes'])}, and the limit is {limit}: the kernel kills it before that ceiling is reached"


def _together(facts: Facts) -> str:
    limit = human_bytes(facts["limit_bytes"])
    return f"{_named(facts['settings'])} allow {human_bytes(facts['allows_bytes'])} together, and the limit is {limit}: the kernel kills it before those ceilings are reached"


def _no_room(facts: Facts) -> str:
    left, limit = human_bytes(facts["left_bytes"]), human_bytes(facts["limit_bytes"])
    outside = OUTSIDE_HEAP.get(str(facts["outside"]["runtime"]), "the rest of the program")
    return f"{_named(facts['settings'])} leaves {left} of the limit of {limit} for {outside}: the kernel kills it first"


def _flag(facts: Facts) -> str:
    told = facts.get("told")
    return upper_first(_told(told)) if isinstance(told, Reason) else str(facts["flag"])


def _headline(facts: Facts) -> str:
    flag, limit = _flag(facts), human_bytes(facts["limit_bytes"])
    if facts["times"] > 1:
        return f"{facts['times']} {facts['noun']} at {human_bytes(facts['each_bytes'])} each exceed {limit}"
    match facts["fit"]:
        case "together" | "with_beside":
            return f"Its settings exceed its {limit} limit"
        case "no_room":
            return f"{flag} leaves no room in {limit}"
        case "soft":
            return f"{flag} is no help at {limit}"
    return f"{flag} over its {limit} limit"


def _headline_medium(facts: Facts) -> str:
    if facts["times"] > 1:
        return "Too many processes for its limit"
    return f"{_flag(facts)} over {human_bytes(facts['limit_bytes'])}" if facts["fit"] == "above" else _headline(facts)


def _headline_short(facts: Facts) -> str:
    what = {"heap": "Heap size", "data": "Data size", "cache": "Cache size"}.get(str(facts["part"]), "A setting")
    return {
        "no_room": f"{what} leaves no room",
        "soft": "A setting over its limit",
        "together": "Its settings exceed its limit",
        "with_beside": "Its settings exceed its limit",
    }.get(str(facts["fit"]), f"{what} over its limit")


_SOFT = {
    "collect": "above the limit it cannot make the collector work before the kernel kills",
    "replace": "above the limit no process is replaced before the kernel kills",
    "block": "above the limit it cannot hold senders back before the kernel kills",
}


def _lower(facts: Facts) -> str:
    covering = facts["covering_bytes"]
    before, sources, after = ([str(word) for word in facts[name]] for name in ("before", "sources", "after"))
    told = tuple(facts.get("told") or [None] * len(before))
    if len(told) == 1 and isinstance(told[0], Reason):
        lower, then = f"the log tells of a {_told(told[0])}: set it to about {_fits(told[0])}", ";"
    else:
        fitting = [_fits(of) if isinstance(of, Reason) else to for of, to in zip(told, after, strict=True)]
        lower, then = f"lower {_all_placed(before, sources, told)} to about {_and(fitting)}", ":"
    if facts["soft"]:
        return f"{lower}{then} {_SOFT[str(facts['soft'])]}"
    if covering is None:
        return f"{lower}{then} it follows the limit, so a higher limit alone changes nothing"
    if facts["is_leak"]:
        return f"{lower}{then} then a leak ends in an error of the program's own, which says what filled it. A limit under {format_quantity(covering)} fills up the same way"
    return f"{lower}, or raise the limit to {format_quantity(covering)}, which covers it: anything less fills up the same way"


def _raise_own(facts: Facts) -> str:
    told, limit = (facts.get("told") or (None,))[0], human_bytes(facts["limit_bytes"])
    setting = _placed(facts["before"][0], facts["sources"][0], told=told)
    after = _fits(told) if isinstance(told, Reason) else facts["after"][0]
    if facts["is_leak"]:
        room = (
            f"raising {setting} to {after}, for which the {limit} limit has room, only buys time"
            if facts["has_room"]
            else f"raising {setting} only buys time"
        )
        return f"take a heap dump to see what fills it; {room}, and a higher container limit alone changes nothing"
    if facts["has_room"]:
        return f"raise {setting} to about {after}: the {limit} limit has room for it, so leave the limit as it is"
    return f"raise {setting} and the limit together, or find what fills it: within {limit} there is no room for more"


def _set_share(facts: Facts) -> str:
    limit = human_bytes(facts["limit_bytes"])
    default = f"no heap size is set in its command or variables, so the JVM takes {'half' if facts['is_small'] else 'a quarter'} of the {limit} limit"
    if facts["is_leak"]:
        return f"take a heap dump to see what fills it: {default}, and -XX:MaxRAMPercentage=75 only buys time"
    return f"set -XX:MaxRAMPercentage=75, and leave the limit as it is: {default}"


SENTENCES: Mapping[str, Sentence] = {
    "ceiling.told": lambda facts: f"a {_told(facts)}",
    "ceiling.setting": _setting,
    "ceiling.above": _above,
    "ceiling.times": (
        "{setting:reason} lets each of {times} {noun} grow to {each_bytes:size}, {allows_bytes:size} in all, and the limit is {limit_bytes:size}:"
        " the kernel kills before that ceiling is reached"
    ),
    "ceiling.together": _together,
    "ceiling.no_room": _no_room,
    "ceiling.soft": lambda facts: (
        f"{_setting(facts['setting'].by_name)} aims at {human_bytes(facts['allows_bytes'])}, and the limit is {human_bytes(facts['limit_bytes'])}: {_SOFT[str(facts['acts'])]}"
    ),
    "ceiling.workers": "it starts {workers} {noun} ({flag}), and the one that was killed held {each_bytes:size}: all together need {need_bytes:size}, and the limit is {limit_bytes:size}",
    "ceiling.workers_share": "{workers} {noun} ({flag}) share the limit: {share_bytes:size} are left for each, and an application seldom needs less than {least_bytes:size}",
    "ceiling.need_not_measured": "what one of them needs was not seen",
    "ceiling.headline": _headline,
    "ceiling.headline_medium": _headline_medium,
    "ceiling.headline_short": _headline_short,
    "ceiling.workers_headline": "{workers} {noun} do not fit into {limit_bytes:size}",
    "ceiling.workers_headline_short": "Too many {noun}",
    "ceiling.lower": _lower,
    "ceiling.fewer_workers": "start fewer processes, about {after:list} instead of {before:list}, or raise the limit to {covering_bytes:quantity}, which holds all of them",
    "ceiling.raise_own": _raise_own,
    "ceiling.set_share": _set_share,
    "ceiling.growth_says_little": "it grows like a leak, but with {flag} a program without one grows to the limit as well",
    "ceiling.needs_script": "java itself does not read {variable}: it counts only if a start script passes it on",
    "ceiling.below_it_settles": "with the setting below the limit a leak ends in the program's own out-of-memory error, and anything else lives",
    "ceiling.one_may_be_larger": "the one that was killed may be larger than the others",
    "ceiling.filled_again": "it ended its last life so, and was restarted {times:times}",
    "ceiling.or_too_small": "a heap that is too small for the program's usual work ends the same way",
    "ceiling.full_at_once": "it was full within {longest_s:span} of its start: too small for what the program loads",
    "mistake.outside_the_heap": lambda facts: (
        f"{facts['flag']} bounds the heap at {human_bytes(facts['heap_bytes'])} of {human_bytes(facts['limit_bytes'])}: what filled the rest is outside it"
        f" ({OUTSIDE_HEAP.get(str(facts['runtime']), 'the rest of the program')})."
    ),
    # Beside a patch, where they do not decide.
    "heap.of_limit": "{heap_bytes:size} of {limit_bytes:size} ({ratio:percent})",
    "heap.share_of_node": "{flag} is a share of the container's limit, and there is none: it is taken of the node's memory.",
    "heap.only_bound": "{flag} is the only limit here: the container has no memory limit.",
    "heap.set_to_about": "Set it to about {fitting}, or raise the limit with it.",
    "heap.leaves_no_room": "{flag} takes {use:reason}: no room for {outside:reason}. About {fitting} fits.",
    "heap.follows_limit": "{flag} follows the limit: {use:reason}. A higher limit gives the heap more as well.",
    "heap.is_fixed": "{flag} is fixed at {use:reason}: raising the limit without it gives the heap nothing.",
    "heap.raise_flag_if": "If the program stops at its own heap limit, raise the flag towards {fitting}; if the kernel kills it all the same, the memory is outside the heap.",
    "heap.soft_too_near": "{flag} is {use:reason}: too near the limit to help. About {fitting} lets the collector act in time.",
    "heap.soft": "{flag} is {use:reason}, a soft limit: the collector works harder near it, and live memory above it is still allowed.",
    "heap.raise_soft_with_limit": "Raise it together with the limit: otherwise the collector works as hard as before.",
    "heap.leave_flag": "{flag} took {use:reason}: the raise is for what the runtime needs beside its heap, so leave the flag as it is",
    "heap.outside": lambda facts: OUTSIDE_HEAP.get(str(facts["runtime"]), "what is outside the heap"),
    # A raise that they would fill as well.
    "advice.setting_defeats_raise": "any limit under {covering_bytes:quantity} fills up the same way; lower the setting instead",
    "advice.setting_follows_limit": "the setting follows the limit, so a higher limit alone fills up the same way",
    "advice.covers_setting": "{covering_bytes:quantity} covers what the program's own settings allow, and what it needs beside; anything less fills up the same way",
}
