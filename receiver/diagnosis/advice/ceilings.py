"""A ceiling of the program's own that is above the limit: which raise it would fill as well, and how it is changed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from receiver.diagnosis.advice import limits_policy as policy
from receiver.diagnosis.advice.patch import settable
from receiver.diagnosis.causes.leaf import Raise
from receiver.diagnosis.causes.leaves import leaf_of
from receiver.diagnosis.causes.settings import CEILING, OWN_MAXIMUM
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.log.ceilings import COMMAND, LOG, OMITTED, allowance_of
from receiver.domain.kube_names import is_name
from receiver.domain.reason import Fact, Reason, reason
from receiver.domain.report import Cause, LongTerm

MOST_TIMES = policy.RAISE_AFTER_SECOND_KILL  # x limit: nobody doubles a limit more than once for a setting that is one word to change


def covering_bytes(cause: Cause) -> int | None:
    """The least limit that the deciding ceilings do not defeat; None where none decides, or every limit is."""
    if cause.detail != CEILING or cause.remedy is None:
        return None
    covering = cause.remedy["covering_bytes"]
    return covering if isinstance(covering, int) else None


def defeated(clues: Clues, cause: Cause) -> Reason | None:
    """Why no raise is offered beside the ceiling: it would be filled the same way; None where one that covers it is within reach."""
    if cause.detail != CEILING or cause.remedy is None or cause.headline is None or is_soft(clues, cause):
        return None
    covering, limit = covering_bytes(cause), clues.limit_bytes or 0
    if covering is None:
        return reason("advice.setting_follows_limit")
    if leaf_of(cause.name).a_raise is Raise.DELAYS or covering > MOST_TIMES * limit:
        return reason("advice.setting_defeats_raise", covering_bytes=covering)
    return None


def is_soft(clues: Clues, cause: Cause) -> bool:
    """Whether the ceiling is only aimed at: a raise helps with and without it."""
    allowed = allowance_of(clues.settings, clues.limit_bytes)
    return cause.detail == CEILING and allowed is not None and allowed.decides[0].row.is_soft


def hardened(clues: Clues, wanted_bytes: float) -> float:
    """The wanted limit, or where the program's own ceilings would fill it as well, one that covers them and is within reach."""
    allowed = allowance_of(clues.settings, int(wanted_bytes))
    if allowed is None or not allowed.fit.is_bad or allowed.decides[0].row.is_soft or allowed.covering_bytes is None:
        return wanted_bytes
    return max(wanted_bytes, allowed.covering_bytes) if allowed.covering_bytes <= MOST_TIMES * wanted_bytes else wanted_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A change of settings to paste: commands for variables, and lines with - and + for arguments, which no command can set one by one."""

    commands: tuple[str, ...] = ()
    diff: str = ""


def change_of_setting(clues: Clues, cause: Cause) -> SettingChange:
    """The change that the remedy speaks of; empty where there is none, or where it stands in a file of the image."""
    remedy = cause.remedy.by_name if cause.remedy is not None else {}
    if cause.detail not in (CEILING, OWN_MAXIMUM) or (cause.detail == OWN_MAXIMUM and leaf_of(cause.name).a_raise is Raise.DELAYS):
        return SettingChange()
    before, sources, after = (tuple(str(w) for w in _words(remedy.get(name))) for name in ("before", "sources", "after"))
    env = clues.container.env if clues.container is not None else {}
    values: dict[str, str] = {}
    lines: list[str] = []
    for old, source, new in zip(before, sources, after, strict=True):
        held, option = env.get(source, ""), old.removeprefix(f"{source}=")
        if source == COMMAND:
            lines += [f"- {old}", f"+ {new}"]
        elif option not in held or "[redacted" in held or OMITTED in held:  # the rest of the value is not known
            lines += [f"- {old}", f"+ {new}"] if source != LOG else []
        else:
            values[source] = values.get(source, held).replace(option, new.removeprefix(f"{source}="))
    return SettingChange(commands=_set_env(clues, values), diff="\n".join(lines))


def _words(fact: Fact) -> tuple[Fact, ...]:
    return fact if isinstance(fact, tuple) else ()


def _set_env(clues: Clues, values: dict[str, str]) -> tuple[str, ...]:
    target, subject, workload = settable(clues.workload), clues.facts.subject, clues.facts.workload
    if workload is not None and workload.managed_by is not None and workload.managed_by.tool == "operator":
        return ()  # it would be put back at once
    if not values or target is None or not all(is_name(n) for n in (subject.namespace, clues.workload.name, clues.container_name)):
        return ()
    pairs = [f"{name}={value}" for name, value in values.items()]
    return (shlex.join(("kubectl", "-n", subject.namespace, "set", "env", target, "-c", clues.container_name, *pairs)),)


def instead_of_raise(clues: Clues, cause: Cause) -> tuple[LongTerm, ...]:
    """The same beside a raise that covers the setting: the other way."""
    change = change_of_setting(clues, cause)
    if covering_bytes(cause) is None or defeated(clues, cause) is not None or cause.remedy is None:
        return ()
    return (LongTerm(id="change_setting", advice=reason("fix.change_setting", remedy=cause.remedy), commands=change.commands),)
