"""The node ran out of memory, not the container: a kill by the node, an eviction, or the node's own alert."""

from __future__ import annotations

from receiver.diagnosis.causes.common import LOG_RISES
from receiver.diagnosis.causes.leaf import YES, Answer, Leaf, Question, Raise, Verdict, Whose, cannot_tell, no
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death import alert_names as names
from receiver.domain.reason import reason
from receiver.domain.report import CauseName, Kill, KillKind

SEEN = 0.9  # Kubernetes, the kubelet or the node itself says so
MOST_NAMED = 3  # other victims that are named


def node_ran_out(clues: Clues, kill: Kill) -> Answer:
    """Yes for a kill by the node or an eviction for memory, and for a node's own pressure alert."""
    if kill.kind in (KillKind.NODE_OOM, KillKind.EVICTION):
        return _killed_by_node(clues, kill)
    pressure = sorted(clues.alert_names & names.NODE_PRESSURE_ALERTS)
    if pressure and not kill.exit_code:
        says = tuple(reason("node.alert_says", alert=name) for name in pressure)
        is_seen = clues.facts.node is not None and clues.facts.node.has_memory_pressure is True
        return Answer(answer=YES, because=says[0], decides=True, confidence=SEEN if is_seen else LOG_RISES, reasons=says, detail="node")
    if kill.kind is KillKind.CONTAINER_OOM and clues.limit_bytes:
        if clues.limit_is_pod_level:
            return no(reason("node.killed_at_pod_limit", limit_bytes=clues.limit_bytes))
        return no(reason("node.killed_at_own_limit", limit_bytes=clues.limit_bytes))
    return _by_state(clues, kill)


def _killed_by_node(clues: Clues, kill: Kill) -> Answer:
    node = clues.facts.node
    others = node.other_oom_kills[:MOST_NAMED] if node is not None else ()
    also = (reason("node.also_killed", containers=others),) if others else ()
    return Answer(
        answer=YES, because=kill.because[-1], decides=True, confidence=SEEN if kill.is_sure else LOG_RISES,
        reasons=(*kill.because, *also), detail=kill.kind.value,
    )  # fmt: skip


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


LEAF = Leaf(
    name=CauseName.NODE_PRESSURE,
    question=Question(id="node", text=reason("leaf.node_pressure.question"), ask=node_ran_out),
    root="node",
    whose=Whose.NODE,
    a_raise=Raise.USELESS,
    verdict=Verdict(
        likely=reason("leaf.node_pressure.likely"),
        looks_like=reason("leaf.node_pressure.looks_like"),
        could_be=reason("leaf.node_pressure.could_be"),
    ),
    in_digest=reason("leaf.node_pressure.digest"),
    digest_rank=50,
)
