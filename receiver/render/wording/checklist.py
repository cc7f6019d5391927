"""The nine items, and sentences about what was found for each: a few words, nine of them stand below each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.domain.units import human_bytes, human_duration
from receiver.render.wording.forms import Facts, Sentence

ITEMS: Mapping[str, str] = {
    "describe_pod": "Describe the pod",
    "exit_code": "Exit code",
    "memory_limits": "Limit and request",
    "previous_logs": "Log before the kill",
    "memory_history": "Memory history",
    "root_cause": "Root cause",
    "apply_fix": "Apply the fix",
    "monitor_48h": "Watch 48 h",
    "alerts_in_place": "Alerts in place",
}


def _limits(facts: Facts) -> str:
    limit, request = facts["limit_bytes"], facts["request_bytes"]
    if limit is None and request is None:
        text = "no limit, no request"
    else:
        text = f"{human_bytes(limit) if limit else 'no limit'} / {human_bytes(request) if request else 'no request'}"
    whole = " for the whole pod" if facts["is_pod_level"] else ""
    return f"{text}{whole}, {facts['qos_class']}" if facts["qos_class"] else f"{text}{whole}"


def _history(facts: Facts) -> str:
    lives = "1 life" if facts["lives"] == 1 else f"{facts['lives']} lives" if facts["lives"] else ""
    missing = f"{human_duration(facts['missing_s'])} missing" if facts["missing_s"] else ""
    return ", ".join(part for part in (human_duration(facts["span_s"]), lives, missing) if part)


def _log(text: str) -> Callable[[Facts], str]:
    return lambda facts: text.format(**facts) + (", of the running container" if facts["is_current"] else "")


def _rules(text: str) -> Callable[[Facts], str]:
    return lambda facts: (", ".join(facts.get("rules", ())) or text) + ("; silenced now" if facts["is_silenced"] else "")


def _ticked(facts: Facts) -> str:
    at, by = facts["at"], f" by {facts['by']}" if facts["by"] else ""
    return f"done{by}, {at:{'%H:%M' if at.date() == facts['now'].date() else '%Y-%m-%d %H:%M'}} UTC"


def _follow_up(facts: Facts) -> str:
    """What the newest follow-up found, in the few words of an item."""
    said = facts["because"].by_name
    span = f"{said['after_s'] / 3600:.0f} h" if said["after_s"] >= 3600 else human_duration(said["after_s"])
    return {
        "held": f"held for {span}: no kill",
        "delays": f"no kill for {span}, but it still grows",
        "too_early": f"no kill for {span}, too early to say",
        "no_evidence": f"no data for most of {span}",
    }.get(str(facts["outcome"]), str(facts["outcome"]))


SENTENCES: Mapping[str, Sentence] = {
    "check.not_one_pod": "not about one pod",
    "check.not_one_container": "not about one container",
    "check.ticked": _ticked,
    "check.pod_not_read": "the pod could not be read",
    "check.pod_reason": "{reason}, phase {phase:or:unknown}",
    "check.container_not_named": "phase {phase:or:unknown}; which container it was is not known",
    "check.pod_pieced_together": "{state:First}, {restarts:count:restart}, from metrics and its owner: {why}",
    "check.exit_code_not_kept": "reason {reason}; kube-state-metrics kept no exit code",
    "check.container_state": "{state:First}, {restarts:count:restart}",
    "check.status_not_read": "the container's status could not be read",
    "check.child_died": "a child process died, the container did not exit",
    "check.evicted": "evicted: the exit code says nothing about memory",
    "check.exit_not_kept": "how it exited was not seen, or is no longer kept",
    "check.not_exited": "it has not exited",
    "check.exit_oom": "{exit_code}, and reason OOMKilled",
    "check.exit_child_oom": "{exit_code}, but reason OOMKilled: a child process was killed",
    "check.exit_before_start": "{exit_code}, {reason}: OOM-killed before it started",
    "check.exit_sigkill": "{exit_code}, but reason {reason:or:missing}, not OOMKilled",
    "check.exit_no_kill": "{exit_code}, reason {reason:or:missing}: not a kill",
    "check.limit_by_metrics": "limit {limit_bytes:size} according to metrics; request unknown",
    "check.limits": _limits,
    "check.no_log_read": "no log was read",
    "check.log_empty": _log("empty"),
    "check.log_names": _log("{meaning}"),
    "check.log_ends_loading": _log("ends while loading"),
    "check.log_without_error": _log("read, no memory error"),
    "check.no_prometheus": "Prometheus was not queried",
    "check.no_samples": "Prometheus has no samples: it lived between two scrapes, or it is not scraped",
    "check.history": _history,
    "check.no_memory_problem": "not a memory problem",
    "check.never_ran": "it never ran",
    "check.what_refused_it": "for you: what its message names",
    "check.fit_the_request": "yours: its request, or room on a node",
    "check.limit_the_taker": "yours: a memory limit and a request for it",
    "check.fix_the_volume": "yours: what fills the volume, or its sizeLimit",
    "check.fix_the_node": "for you: what filled the node, not this limit",
    "check.limit_raised": "limit raised {before_bytes:size} to {after_bytes:size} after the kill",
    "check.change_setting": lambda facts: "for you: the setting, or the patch below" if facts["has_patch"] else "for you: the setting",
    "check.fix_own_limit": "for you: its own limit, or its code",
    "check.fix_code": "for you: fix the code",
    "check.roll_back": "for you: roll back, then fix the code",
    "check.fix_code_and_stop_gap": "for you: fix the code; stop-gap patch below",
    "check.fix_code_raise_is_futile": "for you: fix the code; a higher limit hardly lasts",
    "check.apply_patch": "for you: patch below",
    "check.apply_stop_gap": "for you: stop-gap patch below",
    "check.nothing_killed": "nothing was killed",
    "check.change_elsewhere": "yours: not the template alone, see the advice",
    "check.once_cause_is_known": "for you, once the cause is known",
    "check.follow_up": _follow_up,
    "check.changed": "{what:reason}",
    "check.changed_after_kill": "{what:reason} after the kill",
    "check.limit_raised_in_time": "limit raised {before_bytes:size} to {after_bytes:size}",
    "check.only_one_pod": "for you: one pod was resized {before_bytes:size} to {after_bytes:size}, the template was not changed",
    "check.not_enough": "for you: {made:reason}, but {because:reason}",
    "check.watched_since_raise": "running since the limit was raised",
    "check.watched_since_change": "running since the change",
    "check.nothing_to_watch": "nothing to watch but the next alert",
    "check.watch_from_fix": "starts once the fix is applied",
    "check.rules_not_listed": "rules were not listed",
    "check.rules_not_listed_because": "could not list rules: {because:reason}",
    "check.rules_watch": _rules("alerts on OOM kills and on usage near the limit"),
    "check.no_usage_rule": _rules("no alert on usage near the limit"),
    "check.no_oom_rule": _rules("no alert on OOM kills"),
    "check.no_rule": _rules("no alert on this container's memory"),
}
