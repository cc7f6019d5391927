"""Sentences about what to do now: the limit, the request, the patch, the autoscaler, mistakes seen on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from receiver.domain.units import format_quantity, human_bytes, human_duration
from receiver.render.wording.forms import Facts, Sentence


def _no_limit_to_raise(facts: Facts) -> str:
    peak, over_s = facts["peak_bytes"], facts["over_s"]
    used = f" (at most {human_bytes(peak)}{f' in {human_duration(over_s)}' if over_s else ''})" if peak else ""
    return f"it has no memory limit to raise: set one from what it normally uses{used}, so that it cannot take the node's memory"


def _step_before_kill(facts: Facts) -> str:
    ago_s = facts["ago_s"]
    ago = human_duration(round(ago_s / 3600) * 3600 if ago_s > 7200 else ago_s)
    return f"{format_quantity(facts['before_bytes'])} to {format_quantity(facts['after_bytes'])}, {ago} before"


def _quota_leaves(what: str) -> Callable[[Facts], str]:
    def sentence(facts: Facts) -> str:
        replicas = "its only replica" if facts["replicas"] == 1 else f"{facts['replicas']} replicas"
        return f"the ResourceQuota leaves {human_bytes(facts['free_bytes'])} of {what} for {replicas}"

    return sentence


def _limit_unit(facts: Facts) -> str:
    value, meant = facts["is_bytes"], facts["meant_bytes"]
    is_so = f"is {value:g} bytes" + (" (m is a thousandth)" if facts["is_thousandths"] else "")
    guess = f"{human_bytes(meant)} was probably meant, so write Mi behind the number" if meant else "check its unit"
    return f"the limit is written {facts['written']}, which {is_so}: nothing can start in that; {guess}"


def _vpa_requests_only(facts: Facts) -> str:
    template, request, most = (format_quantity(facts[n]) if facts[n] else "" for n in ("template_bytes", "request_bytes", "most_bytes"))
    bounds = f"minAllowed and maxAllowed (now {most})" if most else "minAllowed"
    return f"set controlledValues: RequestsOnly (leaves the template's {template}), or {bounds} to {request} of memory"


def _differs(text: str) -> Callable[[Facts], str]:
    def sentence(facts: Facts) -> str:
        template = facts["template_bytes"]
        said = format_quantity(template) if template is not None else "no limit"
        return text.format(kind=facts["kind"], name=facts["name"], limit=format_quantity(facts["limit_bytes"]), template=said)

    return sentence


SENTENCES: Mapping[str, Sentence] = {
    "advice.quoted": "{text}",  # what somebody else wrote: an API, a signature of the log
    # Why no limit is proposed.
    "advice.not_an_oom": "not an OOM: more memory will not help",
    "advice.probably_not_an_oom": "a higher memory limit would probably not help",
    "advice.near_limit_as_well": "memory was at {usage_ratio:percent} of the limit just before: what is short of memory may also fail a check or give up, so a higher limit may help",
    "advice.memory_not_excluded": "whether a higher memory limit would help is not known",
    "advice.eviction_not_prevented": "an eviction is the node's decision: a higher limit does not prevent it, and lets this pod take more of the node",
    "advice.volume_over_size_limit": "the sizeLimit of a volume in memory was reached, not the container's limit: a higher memory limit alone does not prevent it",
    "advice.refused_for_request": "nothing ran and nothing was killed: what is compared with the node is the request, the limit plays no part",
    "advice.refused_for_another_reason": "nothing ran and nothing was killed: what refused the pod is in its message, the memory limit plays no part",
    "advice.refused_under_pressure": "nothing ran: a node short of memory refuses pods without a request, whatever their limit",
    "advice.node_took_unlimited": "it has no limit to raise: give it a limit and a request, so that it is stopped before the node runs out",
    "advice.node_ran_out": "the node ran out, not the container's limit: a higher limit only lets it take more of the node",
    "advice.stopped_at_own_limit": "the program stopped at a limit of its own, not at the container's: a higher memory limit alone changes nothing",
    "advice.allocation_refused": "an allocation was refused, and the kernel killed nothing: at the container's limit it would have, so a higher limit alone rarely helps",
    "advice.mostly_file_cache": "most of it is file cache, which the kernel takes back before it kills anything",
    "advice.limit_not_known": "the present limit is not known: the pod could not be read",
    "advice.container_not_known": "which container it was is not known",
    "advice.no_limit_to_raise": _no_limit_to_raise,
    "advice.needs_more_untold": "the limit is below what it needs to start, and its log does not say how much that is: raise it in steps",
    "advice.leak_not_stopped": "nothing was killed so far, and a higher limit does not stop a leak",
    "advice.nothing_killed": "nothing was killed for memory",
    "advice.raised_before": "the limit was raised before ({steps:reason_list}) and it was killed again: stop raising, fix the code, and restart it on a schedule until then",
    "advice.raised_for_a_release": "the limit was raised before ({steps:reason_list}) and it was killed again: stop raising, and roll back to the release that does not grow",
    "advice.raised_often": "the limit was raised {count} times in a week ({steps:reason_list}) and it was killed again: take a memory profile before raising further",
    "advice.no_room": "it needs about {limit_bytes:size}, and {because:reason}: make room there first, or reduce what it needs",
    "advice.trim": "no kill and a peak of {peak_bytes:size} in {quiet_s:span}: {saved_bytes:size} less would do",
    "advice.fix_is_watched": "{what:reason}; nothing more to change now, first see whether that helps",
    "advice.fix_is_in_files": "{what:reason} by {by}, so the next deploy has it as well; nothing more to change now",
    "advice.keep_in_git": "the limit of {limit_bytes:quantity} is in force. Put it into Git too, or the next deploy undoes it",
    "advice.keep_in_template": "the limit of {limit_bytes:quantity} is in force in one pod. Put it into the template too, or the next rollout undoes it",
    "advice.enough_already": "{need_bytes:size} would be enough, and the limit is {limit_bytes:size} already",
    # Where the change belongs instead, and what the pod has beside the template.
    "advice.limit_unit": _limit_unit,
    "advice.request_unit": "the request is written {written}: that is {is_bytes:g} bytes, as good as none",
    "advice.decimal_unit": "written {written}, a decimal unit: that is {limit_bytes:size}",
    "advice.injected_container": "{container} is not in the template of {kind} {name}: something injects it when a pod is made, so its memory (about {need_bytes:size}) is set where that is configured, for a mesh's proxy often by an annotation of the pod",
    "advice.vpa_set_the_limit": "{differs:reason}: VPA {vpa:or:of this workload} set it. Change the VPA, not the {kind}. It needs about {need_bytes:size}: {remedy:reason}",
    "advice.in_force_is_not_template": _differs("the limit in force is {limit}, and {kind} {name} says {template}"),
    "advice.vpa_requests_only": _vpa_requests_only,
    "advice.vpa_min_allowed": "set minAllowed to {request_bytes:quantity} of memory or more (the limit follows in the template's ratio), or controlledValues: RequestsOnly, which leaves the template's limit",
    "advice.vpa_max_allowed": "raise maxAllowed from {most_bytes:quantity} to {request_bytes:quantity} of memory or more (the limit follows in the template's ratio)",
    "advice.template_gives_it": "the next pod gets enough without a change: {because:reason}",
    "advice.limit_range_default": "{kind} {name} sets no limit: {limit_bytes:quantity} is the default of a LimitRange, and a limit in the template replaces it",
    "advice.template_is_newer": _differs("{kind} {name} says {template} by now; this pod is of an older revision and has {limit}"),
    "advice.only_this_pod_was_resized": _differs(
        "only this pod was resized, to {limit}; {kind} {name} still says {template}, and its next rollout undoes the resize"
    ),
    "advice.pod_is_not_its_template": _differs(
        "only this pod has {limit}, by a webhook or a resize; {kind} {name} says {template}, and the change starts from there"
    ),
    "advice.resize_deferred": "a resize of this pod to {limit_bytes:quantity} waits for room on node {node:or:its node} (Deferred): a rollout places it anew",
    "advice.resize_infeasible": "a resize of this pod to {limit_bytes:quantity} cannot be done on node {node:or:its node} (Infeasible): a rollout places it anew",
    "advice.resize_does_not_fit": "a resize of this pod to {limit_bytes:quantity} waits, and {because:reason}: ask for less there first, or make room",
    "advice.asked_for_already": "{limit_bytes:quantity} is what a resize of this pod already asks for",
    "advice.resize_in_progress": "a resize of this pod to {limit_bytes:quantity} is in progress",
    # Raises.
    "advice.step": "{before_bytes:quantity} to {after_bytes:quantity}",
    "advice.step_before_kill": _step_before_kill,
    # Why this much.
    "advice.leak_fills_any_limit": "a leak outgrows any limit: this buys time and fixes nothing",
    "advice.not_worth_a_rollout": "at this growth {limit_bytes:quantity} is full after {lasts_s:span} as well: not worth a rollout. It helps only if a single piece of work needs more than the limit",
    "advice.peak_and_margin": "its peak was {peak_bytes:size}, plus a margin of {margin_ratio:percent}",
    "advice.demand_at_least": "real demand is at least {floor_bytes:size}; above the limit it cannot be seen. {because:Reason}",
    "advice.says_what_it_needs": "its log says that it must have at least {need_bytes:size} to start; what it then works with comes on top",
    "advice.raise_measured": "a single raise by a factor of {factor:g} was enough in {enough_ratio:percent} of measured kills",
    "advice.small_limit": "at least {more_bytes:size} on top: a small limit has no room for one bigger request",
    "advice.peak_was": "its peak was {peak_bytes:size}",
    "advice.peak_rate_needs": "at its peak request rate it would need about {need_bytes:size}",
    "advice.left_to_load": "according to its log, {left_bytes:size} were still to be loaded when it was killed",
    "advice.log_loads": "its log says it loads {size}: that times {factor:g}",
    "advice.log_buffers": "its log says it buffers {size_bytes:size} at once",
    # What must be said beside it.
    "advice.less_than_wanted": "{limit_bytes:size} would be better, but {because:reason}",
    "advice.raise_was_not_enough": "the raise from {raised:reason}, was not enough: if it is killed again, take a memory profile instead of raising",
    "advice.volume_fills_any_limit": "the in-memory volume fills any limit: delete the pod to empty it, and set a sizeLimit",
    "advice.job_may_need_it": "a job that ends may simply need this much; one that grows without end will be killed again",
    "advice.only_delays": "the cause is not known: if it leaks, this only delays",
    "advice.only_delays_to": "the cause is not known: if it leaks, this only delays, to about {lasts_s:span} per life",
    "advice.leak_possible": "a leak is one possibility only",
    "advice.leak_possible_until": "a leak is one possibility only: {settle_by:reason}",
    "advice.may_be_no_oom": "it is not certain that it was an OOM",
    "advice.request_not_known": "the request stays as it is: the pod could not be read, so its present request is unknown",
    "advice.request_stays_equal": "request and limit were equal and stay equal: the pod keeps its place in the eviction order",
    "advice.request_does_not_fit": "a request of {request_bytes:size} would fit its use better, but {because:reason}",
    "advice.vpa_undoes_it": "VPA {name} (mode {mode}) sets requests and limits itself: raise its minAllowed or maxAllowed, or it will undo this",
    "advice.hpa_scales_later": "its HPA scales on memory: a higher request makes it scale later",
    # The room there is.
    "advice.node_gives_in_all": "node {node} has {allocatable_bytes:size} allocatable in total",
    "advice.limit_range_allows": "the LimitRange of the namespace allows {most_bytes:size}",
    "advice.quota_leaves_limits": _quota_leaves("limits"),
    "advice.quota_leaves_requests": _quota_leaves("requests"),
    "advice.node_gives": "node {node} has {allocatable_bytes:size} allocatable",
    "advice.node_is_overcommitted": "node {node} has {allocatable_bytes:size} allocatable; the limits of all pods there add up to {limits_ratio:percent} of it",
    "advice.node_not_checked": "room on the node not checked: {why:or:the node is not known}",
    "advice.policies_not_checked": "LimitRange and ResourceQuota not checked: {why}",
    "advice.no_policy_bounds_it": "no LimitRange or ResourceQuota restricts it, as far as could be read",
    "advice.within_policies": "within the LimitRange and ResourceQuota of the namespace",
    # The patch and its commands.
    "patch.in_git": "in Git: with Kustomize, list the YAML patch under patches, with kind and name as its target; with Helm, set the chart's value (often resources.limits.memory)",
    "patch.managed_by_gitops": "managed by {manager}: it reverts manual changes, so change the repository it reads",
    "patch.managed_by_helm_release": "managed by {manager}: change its values, for a direct change is undone",
    "patch.managed_by_operator": "managed by {manager}: the memory is set there, and an operator undoes a direct change",
    "patch.managed_by_helm": "managed by {manager}: set the chart's resources value, or the next helm upgrade undoes this",
    "patch.managed_by_kustomize": "managed by {manager}: add the patch to the overlay's patches",
    "patch.managed_elsewhere": "managed by {manager}: make the change there",
    "patch.hostile_name": "no command: one of the names is not a valid Kubernetes name",
    "patch.owner_is_inferred": "the owner, {kind} {name}, was inferred from the pod's name: check before you paste",
    "patch.restarts_the_pods": "the commands restart the pods, and the next deploy undoes them: make the same change in Git",
    "patch.resizes_in_place": "the last command resizes only this pod, in place and without a restart (Kubernetes 1.33 or newer)",
    "patch.resizes_with_restart": "the last command raises this pod alone; its resizePolicy restarts the container (Kubernetes 1.33 or newer)",
    "patch.bare_replicaset": "a bare ReplicaSet does not replace its pods: delete them one by one afterwards",
    "patch.next_run_takes_it": "it applies from the next run on; a job that is running now keeps its limit",
    "patch.job_is_immutable": "a Job's pod template cannot be changed: change its manifest, delete the Job and create it again",
    "patch.bare_pod": "nothing replaces a bare pod: change its manifest, delete the pod and create it again",
    "patch.unknown_kind": "no command: it is not known how to patch a {kind}, so change its manifest",
    # The autoscaler.
    "advice.new_hpa": "{because:reasons}",
    "advice.more_replicas": "more replicas at the peak, so each holds less; {basis:reason}",
    "advice.hpa_needs_cpu_request": "it needs a CPU request on every container of the pod first: utilisation is a share of it",
    "advice.replicas_must_be_alike": "only if its replicas are interchangeable: one that owns a share of the data cannot spread its load",
    "advice.hpa_not_read": "only if nothing scales it yet, which could not be read: {why}",
    "advice.hpa_is_full": "HPA {name} is at its maximum of {most}",
    "advice.hpa_goes_to": "HPA {name} goes up to {most}",
    "advice.wider_hpa": "{state:reason}; {basis:reason}.",
    "advice.wider_hpa_by_memory": "{state:reason}; {basis:reason}. It scales on memory: replicas added for a peak never go away, so scale on CPU or requests.",
    "advice.rate_per_pod": "at {rate:g} {unit} a second and pod (by {metric}) memory stays below {safe_bytes:size}, {safe_ratio:percent} of the limit",
    "advice.fill_in_address": "serverAddress is where KEDA reaches Prometheus: put yours in",
    "advice.keda_needs_login": "Prometheus wants a token or headers: give the trigger a TriggerAuthentication",
    "advice.served_for_pods": "{name} is what the metrics adapter calls it",
    "advice.served_external": "{name} is what the metrics adapter calls it: check that it is this workload's alone",
    "advice.scaler_not_checked": "on CPU, because it could not be checked what scales on requests here: {why}",
    "advice.no_rate_scaler": "on CPU, because neither KEDA nor a metrics adapter serves the rate of {metric} here",
    "advice.rate_query_of_pod": "on CPU, because {setting} asks for one pod's rate and an autoscaler needs that of all",
    "advice.no_safe_rate": "on CPU, because it cannot be read off {metric} yet how many requests fit a pod",
    "advice.follows_request_rate": "memory follows the request rate (correlation {correlation:.2f})",
    "advice.only_if_traffic": "only if these peaks are traffic, which only a request rate could tell: more replicas do not make a batch job smaller",
    # Mistakes that are seen.
    "mistake.raised_before": "The limit was raised before ({steps:reason_list}). Raising it again only delays the next kill.",
    "mistake.step": "{before_bytes:size} to {after_bytes:size}",
    "mistake.raising_a_leak": "Only raising the limit does not stop a leak: it delays the next kill.",
    "mistake.no_limit": "No memory limit: this container can take the node's memory and have its neighbours evicted or killed.",
    "mistake.limit_equals_request": "Limit and request are equal ({limit_bytes:size}). That is a trade-off, not a mistake: it is evicted last, and the node reserves its peak all the time.",
    "mistake.no_request": "No memory request, and it uses {use_bytes:size}: the scheduler reserves nothing for it, and it is among the first to be evicted.",
    "mistake.request_far_below_use": "The request ({request_bytes:size}) is far below usage ({use_bytes:size}): under node pressure it is among the first to be evicted.",
    "mistake.loads_at_start": "It loads data into memory while starting. The need grows with the data: a higher limit lasts until the data has grown.",
    "mistake.full_memory_volume": "An in-memory emptyDir is full. A restart does not empty it; deleting the pod does, and a sizeLimit bounds it.",
    "mistake.dies_at_start": "It dies while starting: look at what start-up loads or builds (data sets, caches, models, migrations).",
    "mistake.no_hpa": "Traffic spikes and no HPA: every peak lands on the same replicas.",
    "mistake.memory_volume_counts": "Files in {volumes:list} (in-memory emptyDir) count against the memory limit.",
    "mistake.other_container_killed": "Also OOMKilled in this pod: {others:reason_list}. This report is about {container} only.",
    "mistake.killed_neighbour": "{name} ({age_s:span} ago)",
    "mistake.crash_loop": "In CrashLoopBackOff: it lives {life_s:span} and then waits up to 5 min, so it is down nearly all the time.",
}
