"""Where the change has to be made when it is not the template: a unit written wrong, a VPA, an injected container, a rollout on its way."""

from __future__ import annotations

import re

from receiver.diagnosis.advice.starting_point import SetBy, Start, request_for_limit, vpa_sets_limits
from receiver.diagnosis.clues import Clues
from receiver.domain.facts import MemorySetting
from receiver.domain.reason import Reason, reason
from receiver.domain.units import MIB, parse_quantity

VPA_DECIDES = "advice.vpa_set_the_limit"
# What is to be changed is another object than the template, or there is nothing to change.
ELSEWHERE = (
    "advice.limit_unit",
    "advice.injected_container",
    VPA_DECIDES,
    "advice.template_gives_it",
    "advice.resize_does_not_fit",
)
IMPLAUSIBLE_BELOW_BYTES = MIB  # no process starts in less: runc and the kernel's own share take more
PLAUSIBLE_MIB = range(4, 65537)  # a number that makes sense in Mi was probably meant so
_NUMBER = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9.]+[kMGT]", re.ASCII)


def unit_mistake(clues: Clues, start: Start) -> Reason | None:
    """A limit that nothing can start in, because its unit is not what was meant; None for any other."""
    in_force = clues.container.asked if clues.container is not None else MemorySetting()
    for setting in (start.template, in_force):
        if setting is not None and setting.limit_text and 0 < (setting.limit_bytes or 0) < IMPLAUSIBLE_BELOW_BYTES:
            return _mistake(setting.limit_text)
    return None


def about_start(clues: Clues, start: Start) -> tuple[Reason, ...]:
    """What must be said beside a change of the template: why the pod has another limit, what waits, how it is written."""
    found = (why_it_differs(clues, start), waiting_resize(clues, start), decimal_unit(start), request_mistake(start))
    return tuple(said for said in found if said is not None)


def request_mistake(start: Start) -> Reason | None:
    """A request so small that the scheduler counts on nothing, because its unit is not what was meant; None for any other."""
    template = start.template
    if template is None or not template.request_text or not 0 < (template.request_bytes or 0) < IMPLAUSIBLE_BELOW_BYTES:
        return None
    return reason("advice.request_unit", written=template.request_text, is_bytes=float(parse_quantity(template.request_text)))


def _mistake(written: str) -> Reason:
    number = _NUMBER.match(written)
    meant = float(number[0]) if number is not None else 0.0
    return reason(
        "advice.limit_unit", written=written, is_bytes=float(parse_quantity(written)), is_thousandths=written.endswith("m"),
        meant_bytes=int(meant * MIB) if meant in PLAUSIBLE_MIB else None,
    )  # fmt: skip


def decimal_unit(start: Start) -> Reason | None:
    """A limit written in decimal units is a little less than it may look."""
    template = start.template
    if template is None or not _DECIMAL.fullmatch(template.limit_text) or template.limit_bytes is None:
        return None
    return reason("advice.decimal_unit", written=template.limit_text, limit_bytes=template.limit_bytes)


def elsewhere(clues: Clues, start: Start, *, need_bytes: int) -> Reason | None:
    """Why the template is not what to change for `need_bytes`; None when it is."""
    if start.is_injected:
        return reason("advice.injected_container", container=clues.container_name, **_workload(clues), need_bytes=need_bytes)
    vpa = clues.facts.workload.vpa if clues.facts.workload is not None else None
    if start.set_by is SetBy.VPA and (vpa is None or vpa_sets_limits(vpa, clues.container_name)):
        return reason(
            "advice.vpa_set_the_limit", differs=why_it_differs(clues, start), vpa=start.vpa, kind=clues.workload.kind, need_bytes=need_bytes,
            remedy=_remedy(clues, start, need_bytes=need_bytes),
        )  # fmt: skip
    if start.set_by is not None and (start.template_bytes or 0) >= need_bytes:
        return reason("advice.template_gives_it", because=why_it_differs(clues, start))
    return None


def why_it_differs(clues: Clues, start: Start) -> Reason | None:
    """Why the limit in force is not the template's; None where it is."""
    limit, template = clues.limit_bytes, start.template_bytes
    match start.set_by:
        case SetBy.VPA:
            return reason("advice.in_force_is_not_template", limit_bytes=limit, template_bytes=template, **_workload(clues))
        case SetBy.LIMIT_RANGE:
            return reason("advice.limit_range_default", limit_bytes=limit, **_workload(clues))
        case SetBy.OLDER_REVISION:
            return reason("advice.template_is_newer", limit_bytes=limit, template_bytes=template, **_workload(clues))
        case SetBy.RESIZE:
            return reason("advice.only_this_pod_was_resized", limit_bytes=limit, template_bytes=template, **_workload(clues))
        case SetBy.UNKNOWN:
            return reason("advice.pod_is_not_its_template", limit_bytes=limit, template_bytes=template, **_workload(clues))
    return None


def waiting_resize(clues: Clues, start: Start) -> Reason | None:
    """A resize in place that the kubelet has not done."""
    if start.waiting_bytes is None:
        return None
    node = clues.facts.subject.node
    match start.resize:
        case "deferred":
            return reason("advice.resize_deferred", limit_bytes=start.waiting_bytes, node=node)
        case "infeasible":
            return reason("advice.resize_infeasible", limit_bytes=start.waiting_bytes, node=node)
    return reason("advice.resize_in_progress", limit_bytes=start.waiting_bytes)


def _workload(clues: Clues) -> dict[str, str]:
    return {"kind": clues.workload.kind, "name": clues.workload.name}


def _remedy(clues: Clues, start: Start, *, need_bytes: int) -> Reason:
    """What in the VPA gives the limit that is needed: it sets requests, and the limit follows in the template's ratio."""
    vpa = clues.facts.workload.vpa if clues.facts.workload is not None else None
    container, request = clues.container_name, request_for_limit(start.template, need_bytes)
    most = vpa.most_bytes(container) if vpa is not None else None
    if (start.template_bytes or 0) >= need_bytes:
        raise_to = most if most is not None and most < request else None
        return reason(
            "advice.vpa_requests_only", container=container, template_bytes=start.template_bytes, request_bytes=request, most_bytes=raise_to
        )
    if most is not None and most < request:
        return reason("advice.vpa_max_allowed", container=container, most_bytes=most, request_bytes=request)
    return reason("advice.vpa_min_allowed", container=container, request_bytes=request)
