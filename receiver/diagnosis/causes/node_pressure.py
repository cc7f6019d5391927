"""The node ran out of memory, not the container: a kill by the node, an eviction, or the node's own alert."""

from __future__ import annotations

import shlex

from receiver.diagnosis.causes.common import LOG_RISES
from receiver.diagnosis.causes.leaf import YES, Answer, Leaf, Question, Raise, Verdict, Whose, cannot_tell, no
from receiver.diagnosis.clues import Clues, limit_at
from receiver.diagnosis.death import alert_names as names
from receiver.diagnosis.death.lookups import kernel_kills, pod_says
from receiver.diagnosis.death.refusals import over_volume_in, used_when_evicted_bytes
from receiver.diagnosis.death.witnesses import Says
from receiver.domain.kube_names import is_name
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm

SEEN = 0.9  # Kubernetes, the kubelet or the node itself says so
TOOK_IT = "took_the_node"  # detail: the killed container itself filled the node
REFUSED = "refused"  # detail: nothing ran
TAKES_UNLIMITED = 1 / 3  # of the node's room: so much of a container without a limit is no bystander's
TAKES_WITH_LIMIT = 0.5
OVER_REQUEST = 1.5  # what it asked for and was given is its own
MOST_NAMED = 3  # other victims that are named


def node_ran_out(clues: Clues, kill: Kill) -> Answer:
    """Yes for a kill by the node or an eviction for memory, and for a node's own pressure alert."""
    if kill.kind is KillKind.EVICTION and (over := over_volume_in(clues)) is not None:
        return no(reason("node.own_volume", volume=over.volume, size_limit=over.limit))
    if kill.kind in (KillKind.NODE_OOM, KillKind.EVICTION):
        return _killed_by_node(clues, kill)
    pressure = sorted(clues.alert_names & names.NODE_PRESSURE_ALERTS)
    if pressure and not kill.exit_code:
        says = tuple(reason("node.alert_says", alert=name) for name in pressure)
        is_seen = clues.facts.node is not None and clues.facts.node.has_memory_pressure is True
        return Answer(answer=YES, because=says[0], decides=True, confidence=SEEN if is_seen else LOG_RISES, reasons=says, detail="node")
    if kill.kind is KillKind.CONTAINER_OOM and clues.limit_bytes:
        if (line := next((b for b in kill.because if b.code == "death.kernel_memcg"), None)) is not None:
            return no(line)
        if clues.limit_is_pod_level:
            return no(reason("node.killed_at_pod_limit", limit_bytes=limit_at(clues, kill.at)))
        return no(reason("node.killed_at_own_limit", limit_bytes=limit_at(clues, kill.at)))
    return _by_state(clues, kill)


def _killed_by_node(clues: Clues, kill: Kill) -> Answer:
    node = clues.facts.node
    if (took := _took_the_node(clues, kill)) is not None:
        return Answer(
            answer=YES, because=took, decides=True, confidence=SEEN if kill.is_sure else LOG_RISES, reasons=(took, *kill.because), detail=TOOK_IT
        )  # fmt: skip
    others = node.other_oom_kills[:MOST_NAMED] if node is not None else ()
    also = (reason("node.also_killed", containers=others),) if others else ()
    return Answer(
        answer=YES, because=kill.because[-1], decides=True, confidence=SEEN if kill.is_sure else LOG_RISES,
        reasons=(*kill.because, *also), detail=REFUSED if pod_says(clues) is Says.REFUSED_FOR_PRESSURE else kill.kind.value,
    )  # fmt: skip


def _took_the_node(clues: Clues, kill: Kill) -> Reason | None:
    """That the killed container itself is what filled the node: a large part of it, and nothing that would have stopped it before."""
    room = clues.facts.node.allocatable_bytes if clues.facts.node is not None else None
    used = _used_bytes(clues, kill)
    if not room or used is None or not clues.could_ask_kubernetes or pod_says(clues) is Says.REFUSED_FOR_PRESSURE:
        return None
    if clues.limit_bytes is None:
        return reason("node.took_it", used_bytes=used, room_bytes=room) if used >= TAKES_UNLIMITED * room else None
    if used >= TAKES_WITH_LIMIT * room and used > OVER_REQUEST * (clues.request_bytes or 0):
        return reason("node.took_it_with_limit", used_bytes=used, room_bytes=room, limit_bytes=clues.limit_bytes)
    return None


def _used_bytes(clues: Clues, kill: Kill) -> int | None:
    """The most that it is known to have used: scraped, or told by the kernel or the kubelet when they ended it."""
    history, container = clues.facts.history, clues.container
    death = container.newest_termination if container is not None and kill.kind is KillKind.NODE_OOM else None
    seen = (
        max((s.working_set_bytes for s in history.samples), default=None) if history is not None else None,
        history.peak_bytes_long if history is not None else None,
        used_when_evicted_bytes(clues),
        *((k.victim.anon_rss_bytes for k in kernel_kills(clues, death) if k.is_of_pod) if death is not None else ()),
    )
    return max((int(n) for n in seen if n), default=None)


def _by_state(clues: Clues, kill: Kill) -> Answer:
    """What the node says of itself, where no kill and no alert speaks of it."""
    node = clues.facts.node
    if node is not None and node.has_memory_pressure is not None:
        if node.has_memory_pressure:
            return cannot_tell(reason("node.pressure_of_others", node=node.name))
        return no(reason("node.no_pressure", node=node.name))
    if kill.kind is KillKind.CHILD_PROCESS_OOM:
        return no(reason("node.counted_at_own_limit"))
    if kill.kind is KillKind.NONE and kill.is_sure:
        return no(reason("node.nothing_killed"))
    why = clues.missing_why("node")
    return cannot_tell(reason("node.not_read", why=why) if why else reason("node.not_known"))


def fixes(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What keeps it from being the victim, and who filled the node."""
    own = _own_fix(clues, kill, cause)
    if cause.detail == TOOK_IT:
        return own
    node = clues.facts.node.name if clues.facts.node else clues.facts.subject.node
    return (*own, LongTerm(id="find_the_hungry", advice=reason("fix.find_the_hungry"), commands=_look_at(node)))


def _own_fix(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    if cause.detail == TOOK_IT and clues.limit_bytes is not None:
        return (LongTerm(id="lower_limit", advice=reason("fix.lower_limit")),)
    if cause.detail == REFUSED:
        return (LongTerm(id="honest_request", advice=reason("fix.request_to_be_admitted")),)
    if clues.container is not None and clues.limit_bytes is None:
        return (LongTerm(id="set_limit", advice=reason("fix.set_limit")),)
    if kill.kind is KillKind.EVICTION:
        return (LongTerm(id="honest_request", advice=reason("fix.honest_request")),)
    return ()


def _look_at(node: str) -> tuple[str, ...]:
    if not is_name(node):
        return ()
    return (
        shlex.join(("kubectl", "get", "pods", "-A", "-o", "wide", f"--field-selector=spec.nodeName={node}")),
        shlex.join(("kubectl", "describe", "node", node)),
    )


LEAF = Leaf(
    name=CauseName.NODE_PRESSURE,
    question=Question(id="node", text=reason("leaf.node_pressure.question"), ask=node_ran_out),
    root="node",
    whose=Whose.NODE,
    a_raise=Raise.USELESS,
    fixes=fixes,
    verdict=Verdict(
        likely=reason("leaf.node_pressure.likely"),
        looks_like=reason("leaf.node_pressure.looks_like"),
        could_be=reason("leaf.node_pressure.could_be"),
    ),
    in_digest=reason("leaf.node_pressure.digest"),
    digest_rank=50,
)
