"""Sentences about the numbers behind a verdict, for `-v`: one a line."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import human_duration
from receiver.render.wording.forms import Facts, Sentence


def _kill(facts: Facts) -> str:
    parts = [f"kill {facts['kind']}", "sure" if facts["is_sure"] else "not sure"]
    parts += [f"exit code {facts['exit_code']}"] if facts["exit_code"] is not None else []
    parts += [f"restarts {facts['restarts']}"] if facts["restarts"] is not None else []
    return ", ".join(parts)


def _lives(facts: Facts) -> str:
    return ", ".join(human_duration(s) for s in facts["lives_s"])


SENTENCES: Mapping[str, Sentence] = {
    "numbers.kill": _kill,
    "numbers.before_kill": "highest memory just before the kill {ratio:percent} of the limit",
    "numbers.child_kills": "kills of child processes counted {count}",
    "numbers.lives_by_status": lambda facts: f"lives by the status, newest first: {_lives(facts)}",
    "numbers.worker_lives_by_log": lambda facts: f"lives of child processes by the log: {_lives(facts)}",
    "numbers.cause": "cause {name}, confidence {confidence:.2f} (likely from {likely:g}, looks like from {plausible:g})",
    "numbers.shape_alone": "by the shape of memory alone: {name}, confidence {confidence:.2f}",
    "numbers.siblings": "other replicas {count}, of them with a restart or kill {hit}",
    "numbers.limit": "limit in force {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.request": "request {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.use_now": "usage now {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.long_peak": "peak over 7 days {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.node_gives": "node allocatable {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.node_limits": "limits of all pods on the node {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.limit_range": "LimitRange maximum {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.quota_limits": "quota left for limits {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.quota_requests": "quota left for requests {n_bytes:size} ({n_bytes:.0f} bytes)",
    "numbers.raised": "limit raised {at:time}: {before_bytes:size} to {after_bytes:size}",
    "numbers.no_proposal": "no proposal: {why:reason}",
    "numbers.proposal": "proposal {role}: limit x {factor:.2f} ({limit_bytes} bytes)",
    "numbers.lasts": "lasts {lasts_h:.3f} h per life",
    "numbers.factors": "factors: x {after_kill:g} after a kill, x {after_second:g} after a second one or for time, at least {floor_bytes:size} more, peak x {peak:g}, "
    "rate model x {rate:g}, size named in the log x {announced:g}, with what is left to load x {progress:g}",
    "numbers.rate_metric": "request rate by {metric}",
    "numbers.rate_model": "rate model: {base_bytes:size} + {bytes_per_rate:size} x rate, peak rate {peak_rate:.4g}, so {peak_bytes:size}",
}
