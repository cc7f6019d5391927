"""What a template sees: the documented, typed context of docs/templates.md. Values are words, ready to print.

Everything here comes from one place only (a report field or the incident), so header, lines and lock screen cannot quote
different numbers. None or an empty value means: not known, leave the line out. Numbers that templates compare are numbers.
The help texts are the table in docs/templates.md; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from receiver.render.inline import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWords:
    """The alert that speaks for the incident: firing ones before resolved ones, the most severe, the newest."""

    name: Annotated[str, "its name; `an alert without a name` when it has none"]
    severity: Annotated[str, "its severity label, `warning` when it has none"]
    state: Annotated[str, "`firing` or `resolved`"]
    since: Annotated[Moment, "when it began to fire"]
    has_oom_name: Annotated[bool, "its name says OOM or memory: an alert that asks for a diagnosis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KillWords:
    """What died and how often."""

    kind: Annotated[str, "`container_oom`, `child_process_oom`, `node_oom`, `eviction`, `sigkill_not_oom`, `suspected_oom` or `none`"]
    reason: Annotated[str, "the reason Kubernetes gave, verbatim; empty when none"]
    exit_code: Annotated[int | None, "the exit code"]
    trigger: Annotated[str, "what sent the signal, when it was not the kernel: `liveness probe`, ..."]
    sender: Annotated[
        str,
        "the same as a code to compare: `liveness_probe`, `startup_probe`, `grace_period`, `preemption`, `node_shutdown`, `lost_node`, `deadline`, `unknown`; "
        "empty for the kernel",
    ]
    is_probe: Annotated[bool, "the kubelet killed it for a failed probe"]
    is_sure: Annotated[bool, "no hedge is needed"]
    limit: Annotated[str, "the limit that was in force when it was killed: `80 MiB`; empty: none, or not known"]
    count: Annotated[int, "kills known over the incident's life, all replicas; a lower bound"]
    phrases: Annotated[tuple[str, ...], "what happened and how often, longest wording first, for the header"]
    short: Annotated[str, "the same for the lock screen: `OOMKilled x4`"]
    at: Annotated[Moment | None, "the newest kill"]
    span: Annotated[str, "from the first to the newest kill: `8 h`"]
    life: Annotated[str, "how long the container had lived: `2 h 58`, `under 1 s`"]
    because: Annotated[tuple[str, ...], "the facts that decided the kind of kill"]
    processes: Annotated[int | None, "processes killed inside a container that lived on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaWords:
    """How many of the workload's pods were hit."""

    hit: Annotated[int, "pods of the workload that were hit, as far as known"]
    desired: Annotated[int | None, "replicas the workload wants"]
    is_one_of_many: Annotated[bool, "one of several replicas: points to a hot shard"]
    is_all: Annotated[bool, "all of several replicas"]
    phrase: Annotated[str, "`3 of 12 replicas`, `both replicas`, `all 50 replicas`; empty when only one is known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryWords:
    """Memory of the container, in words."""

    limit: Annotated[str, "`80 MiB`; empty: no limit is set, or not known"]
    limit_value: Annotated[str, "`80Mi`, to paste"]
    request_value: Annotated[str, "`64Mi`; empty: none is set"]
    has_no_limit: Annotated[bool, "the pod was read and the container has no limit"]
    limit_is_pods: Annotated[bool, "the limit is the pod's: all its containers share it"]
    peak: Annotated[str, "the highest seen; empty: its lives were shorter than a few scrapes, so that no peak was seen"]
    peak_of_limit: Annotated[str, "`2.4 of 64 MiB`"]
    peak_share: Annotated[str, "`4 %`"]
    level: Annotated[str, "the median"]
    level_share: Annotated[str, "the median's share of the limit"]
    headroom: Annotated[str, "from the median to the limit"]
    now: Annotated[str, "the newest value"]
    now_of_limit: Annotated[str, "`67 of 80 MiB`"]
    now_share: Annotated[str, "`84 %`"]
    process: Annotated[str, "the newest value without file cache"]
    process_share: Annotated[str, "its share of the limit"]
    cache: Annotated[str, "file cache in the newest value"]
    is_mostly_cache: Annotated[bool, "file cache explains what looks like use"]
    history: Annotated[str, "how much history was looked at: `11 h`"]
    no_data: Annotated[str, "how much of it is missing: `32 min`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthWords:
    """The rise of the memory floor."""

    rate: Annotated[str, "`20-21 MiB/h`"]
    lives: Annotated[int, "lives looked at"]
    lives_grown: Annotated[int, "lives that grew"]
    since: Annotated[str, "how long the newest life has been growing: `2 h`"]
    floor_from: Annotated[str, "where a life begins: `22 MiB`"]
    floor_to: Annotated[str, "the highest seen at its end; a kill hides what is above: say `at least`"]
    began: Annotated[Moment | None, "when it began, for a leak that came with a change"]
    full_at: Annotated[Moment | None, "when the limit is reached at this rate, nobody killed yet"]
    full_in: Annotated[str, "the same as a span: `40 min`"]
    next_kill: Annotated[Moment | None, "when the next kill is due at this rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseWords:
    """The leaf of the decision tree and how sure it is. No percentage: the wording carries it."""

    name: Annotated[str, "the name of a page in docs/causes: `leak`, `startup`, ..., `unknown`"]
    is_likely: Annotated[bool, "confidence 0.85 and more: `Likely a memory leak`"]
    is_plausible: Annotated[bool, "confidence 0.6 and more: `Looks like a memory leak`"]
    because: Annotated[tuple[str, ...], "the reasons"]
    against: Annotated[tuple[str, ...], "what speaks against it; behind that, which other causes were refused, and why"]
    first_against_is_refusal: Annotated[bool, "`against` begins with a refused cause (`Not a leak: ...`): nothing speaks against it"]
    tells_of_replicas: Annotated[bool, "its reasons, or the first against it, say how the other replicas fare: no need to say so twice"]
    witnessed: Annotated[
        tuple[str, ...], "of the reasons, those of its heap metrics and of other replicas and rollouts, the weightiest first"
    ]
    is_regression: Annotated[bool, "only the pods of the newest rollout grow: going back to the one before ends it"]
    settle_by: Annotated[str, "what would settle it"]
    headlines: Annotated[
        tuple[str, ...],
        "a setting of the program that decides, longest wording first: `-Xmx512m over its 128 MiB limit`; empty where none does",
    ]
    remedy: Annotated[str, "what is to be done about that setting"]
    detail: Annotated[str, "a finer word: `after_change`, `warm_up`, `page_cache`, `traffic`, `batch`, `flat`, `too_short`, `no_history`"]
    follows_traffic: Annotated[bool, "memory follows the request rate"]
    known_as: Annotated[str, "`a leak`, `peaks`, behind `Likely` and `Looks like`; empty when it is not the container's own memory"]
    could_be: Annotated[str, "while it is not plausible: `a leak or an unfinished warm-up`; empty as well"]
    page: Annotated[str, "address of the page about this cause; empty without PUBLIC_URL"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWords:
    """The proposal."""

    role: Annotated[str, "`fix`, `stop_gap`, `keep` (applied, to be made to last) or `trim` (room to give back); empty: there is none"]
    none: Annotated[str, "why there is none"]
    forbids_raise: Annotated[bool, "there is none, because something else was seen to end it: a higher limit will not help"]
    says_what_to_do: Annotated[bool, "there is none, and why says what to change instead"]
    limit_before: Annotated[str, "`96Mi`; empty when no limit is set"]
    limit: Annotated[str, "`200Mi`"]
    request_before: Annotated[str, "`64Mi`"]
    request: Annotated[str, "the new request; empty: unchanged"]
    buys: Annotated[str, "what a stop-gap buys per life: `6 h 40`"]
    why: Annotated[str, "how the number was found"]
    is_worthwhile: Annotated[bool, "a fix, or a stop-gap that buys at least half an hour per life"]
    is_futile: Annotated[bool, "a stop-gap that lasts under ten minutes per life: say that a higher limit does not help"]
    after_raise: Annotated[str, "the raise shortly before the kill that was not enough: `512Mi to 768Mi, 20 h before`"]
    lasts: Annotated[str, "how long a futile one lasts per life: `under a minute`, `8 min`"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FixWords:
    """A fix that was seen or said and is watched. Empty when there is none, and after it failed or was undone."""

    state: Annotated[
        str,
        "`watching`; what the newest follow-up found: `held_so_far`, `held` (the last one), `delays`, `too_early`, `no_evidence`; empty: no fix stands",
    ]
    short: Annotated[str, "`limit raised to 112Mi`, `one pod resized to 256Mi`, `fix applied by Ines`"]
    told: Annotated[str, "the same as a sentence, with when, by whom, and how far the pods have it"]
    forecast: Annotated[
        str, "what the verdict expects of it: `a leak fills any limit: 256Mi lasts about 41 min per life`; empty for nothing"
    ]
    is_enough: Annotated[bool, "it may be enough; false: the verdict expects another kill, and the proposal stands"]
    do: Annotated[str, "what is left to do: `Put 200Mi into Git as well, or the next deploy undoes it.`"]
    result: Annotated[str, "what the newest follow-up found"]
    held_for: Annotated[str, "how long after the fix that was: `24 h`"]
    is_news: Annotated[bool, "this message is the reply that tells it"]
    ended: Annotated[str, "how it ended, while there is no newer one: `did_not_hold`, `only_delayed`, `undone`; empty otherwise"]
    because: Annotated[str, "the same as a sentence"]
    is_fresh: Annotated[bool, "the kill that ended it is the newest one"]
    lasted: Annotated[str, "how long it was in force by then, in whole hours: `6 h`; empty below one"]
    since: Annotated[Moment | None, "when it was made"]
    next: Annotated[Moment | None, "the next follow-up"]
    last: Annotated[Moment | None, "the last follow-up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateWords:
    """How the container is now."""

    name: Annotated[str, "`running`, `waiting`, `terminated` or `unknown`"]
    reason: Annotated[str, "`CrashLoopBackOff`, ..."]
    is_looping: Annotated[bool, "in CrashLoopBackOff"]
    is_never_up: Annotated[bool, "never Ready and no work in its log, after 3 restarts and more, no life of which lasted a minute"]
    restarts: Annotated[int | None, "the container's restart count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingWords:
    """A piece of evidence that is not available."""

    what: Annotated[str, "`the log of the killed container`"]
    why: Annotated[str, "the reason, shortened"]
    hint: Annotated[str, "what would make it available, where the reader can do it; what only configuration can do is said in /readyz"]
    is_normal: Annotated[bool, "expected at this moment"]
    is_standing: Annotated[bool, "the same in every incident until the configuration changes, and the verdict can do without it"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWords:
    """The state of the checklist."""

    total: Annotated[int, "items that apply"]
    done: Annotated[int, "done"]
    todo: Annotated[int, "left for a person"]
    could_not: Annotated[int, "could not be checked"]
    does_not_apply: Annotated[int, "do not apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWords:
    """One thing that happened to the incident."""

    at: Annotated[Moment, "when"]
    text: Annotated[str, "what"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a template of an incident's messages sees."""

    subject: Annotated[str, "the workload, with `/container` when that has another name: `cart/log-shipper`"]
    workload: Annotated[str, "the workload's name; of a bare pod, the pod's"]
    kind: Annotated[str, "`Deployment`, ...; empty when not known"]
    is_job: Annotated[bool, "the workload is a Job or a CronJob: it ends by itself"]
    runs: Annotated[str, "`for_ever`, `on_schedule` (a CronJob) or `once` (a Job, a bare pod that is not restarted for ever)"]
    schedule: Annotated[str, "of a CronJob, as it is written there"]
    is_suspended: Annotated[bool, "the CronJob starts no run for now"]
    job_failure: Annotated[str, "why the Job gave up for good: `BackoffLimitExceeded`; empty while it has not"]
    container: Annotated[str, "the container, only when it is named unlike the workload"]
    namespace: Annotated[str, "may be empty"]
    cluster: Annotated[str, "may be empty"]
    pod: Annotated[str, "the pod the evidence is about"]
    node: Annotated[str, "its node"]
    node_memory: Annotated[str, "what pods may use of it: `2.3 GiB`"]
    where: Annotated[str, "namespace/cluster, for the lock screen"]
    place: Annotated[str, "`shop/orders-api`, for the line under the header"]
    page: Annotated[str, "address of the incident's page; empty without PUBLIC_URL"]
    alert: Annotated[AlertWords, "the alert"]
    kill: Annotated[KillWords, "what died; `kill.kind` is `none` when nothing did"]
    replicas: Annotated[ReplicaWords, "how many were hit"]
    memory: Annotated[MemoryWords, "memory; fields are empty where not known"]
    growth: Annotated[GrowthWords | None, "the rise; none when it does not rise or is not known"]
    cause: Annotated[CauseWords, "the verdict"]
    change: Annotated[ChangeWords, "the proposal"]
    state: Annotated[StateWords, "the container now"]
    checks: Annotated[CheckWords, "the checklist"]
    missing: Annotated[tuple[MissingWords, ...], "evidence that is not available; what is normally absent is left out"]
    signature: Annotated[str, "the memory error that its log names: `the Java heap is full`"]
    is_allocation_refused: Annotated[bool, "that error is an allocation that was refused, not a limit that the program sets itself"]
    advice: Annotated[str, "what that error asks for"]
    has_pod: Annotated[bool, "the pod itself could be read"]
    others_killed: Annotated[tuple[str, ...], "other containers OOM-killed on the node"]
    neighbours: Annotated[tuple[str, ...], "containers of the same pod that run without a restart"]
    rollout: Annotated[str, "how long before the first kill the newest rollout was, when at most 2 h: `12 min`"]
    previous: Annotated[Moment | None, "when an earlier incident of the same container began, when there was one"]
    looks: Annotated[tuple[Moment, ...], "when the incident will be looked at again"]
    log: Annotated[tuple[EntryWords, ...], "what happened, oldest first"]
    news: Annotated[tuple[EntryWords, ...], "the entries since the newest kill"]
    acknowledged: Annotated[str, "`acknowledged by Ines`; empty while nobody owns it"]
    fix_noted: Annotated[str, "`fix applied by Ines`: a person says so, and nothing was killed since"]
    silenced_until: Annotated[Moment | None, "until when Alertmanager is silent about it"]
    request_page: Annotated[str, "address of its newest pull request; empty where there is none"]
    silence_page: Annotated[str, "address of Alertmanager's form for a silence of it, filled in; empty without ALERTMANAGER_PUBLIC_URL"]
    is_resolved: Annotated[bool, "Alertmanager says resolved; that is not fixed"]
    settings_changed: Annotated[str, "a fix that was seen: `limit raised to 160Mi`"]
    fix: Annotated[FixWords, "the fix that is watched"]
    patch_place: Annotated[str, "where the patch stands: `in the thread` or `below`"]
    note: Annotated[str, "why the message is less than it should be; empty normally"]
