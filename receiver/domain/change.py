"""What was changed about a workload since it was killed, and what was in force then.

Three values of a limit are never mixed: what the owner's template says (the next rollout gives it), what is in force in the
pods, and what Git has, which nothing here can read: a change that no GitOps tool wrote is taken as not being there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from receiver.domain.reason import Reason, reason


class What(StrEnum):
    """What was changed."""

    LIMIT = "limit"  # in the template
    RESIZE = "resize"  # of a pod, in place
    IMAGE = "image"
    FLAGS = "flags"  # command, arguments, and the environment that sizes a heap
    HPA = "hpa"
    VPA = "vpa"
    REPLICAS = "replicas"
    RESTART = "restart"  # a rollout that changed nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was in force for one container at one moment. None and empty: not set, or not known.

    `limit_bytes`: in the pod. `template_bytes`: in the template, with `has_template` where that could be read. `flags`: words of
    the command line and `NAME=value`. `hpa`, `vpa`: as one line to compare, empty for none.
    """

    limit_bytes: int | None = None
    template_bytes: int | None = None
    has_template: bool = False
    image: str = ""
    flags: tuple[str, ...] = ()
    replicas: int | None = None
    hpa: str | None = None
    vpa: str | None = None
    restarted_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was in force when it was killed (without a kill: when it was first looked at). `at`: of that moment."""

    setup: Setup
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an incident remembers that its next diagnosis needs. `baseline` None: not known yet. `raises`: of fixes that did not hold."""

    baseline: Baseline | None = None
    raises: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change since the baseline. `what`: the value of a What. Bytes for limits, else `before` and `after` as they are written.

    `at`: when it was made, by the object's own record; `is_time_known` False: not recorded, and this is when it was seen.
    `by`: the field manager that wrote it (`kubectl-set`, `helm`); Kubernetes keeps no names of people. `cause`: the rollout's
    change-cause annotation. `is_in_template` False: the next rollout undoes it. `is_rolled_out`: the pods have it.
    """

    what: str
    at: datetime
    before_bytes: int | None = None
    after_bytes: int | None = None
    before: str = ""
    after: str = ""
    is_time_known: bool = True
    by: str = ""
    cause: str = ""
    is_in_template: bool = True
    is_rolled_out: bool = True

    @property
    def is_of_limit(self) -> bool:
        """Whether it is another limit, in the template or of a pod."""
        return self.what in (What.LIMIT, What.RESIZE)

    @property
    def key(self) -> str:
        """Which change it is, for a message that is sent once for it."""
        if self.what == What.LIMIT and self.after_bytes is not None:
            return f"limit-{'lowered' if self.is_lower else 'raised'}:{self.after_bytes}"
        return f"{self.what}:{self.after_bytes or self.after}"

    @property
    def is_lower(self) -> bool:
        """Whether the limit is lower than it was."""
        return self.is_of_limit and self.after_bytes is not None and (self.before_bytes is None or self.after_bytes < self.before_bytes)

    def as_reason(self) -> Reason:
        """In a few words, for headers and the history."""
        match self.what:
            case What.LIMIT if self.after_bytes is None:
                return reason("fix.limit_removed")
            case What.LIMIT if self.is_lower:
                return reason("incident.log.limit_lowered", limit_bytes=self.after_bytes)
            case What.LIMIT:
                return reason("incident.log.limit_raised", limit_bytes=self.after_bytes)
            case What.RESIZE:
                return reason("fix.resized", limit_bytes=self.after_bytes)
            case What.IMAGE:
                return reason("fix.image", after=self.after) if self.after else reason("incident.log.image_changed")
            case What.FLAGS:
                return reason("fix.flags")
            case What.HPA:
                return reason("fix.hpa", is_new=not self.before, is_gone=not self.after)
            case What.VPA:
                return reason("fix.vpa", is_new=not self.before, is_gone=not self.after)
            case What.REPLICAS:
                return reason("fix.replicas", after=self.after)
        return reason("fix.restarted")


MOST_FLAGS, MOST_FLAG = 40, 200


def flags_of(command: Sequence[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a command line, and the variables that are known (those that size a heap): what to compare."""
    return tuple(word[:MOST_FLAG] for word in [*command, *(f"{name}={value}" for name, value in sorted(env.items()))][:MOST_FLAGS])
