"""Something else than the container's memory ended it: a probe, a deletion, the program itself, or memory that is not the container's.

All other questions take its memory for granted.
"""

from __future__ import annotations

from receiver.diagnosis.causes.common import SURE_FACT, ended_over
from receiver.diagnosis.causes.leaf import NO, YES, Answer, Leaf, Question, Raise, Verdict, Whose, always, cannot_tell, no
from receiver.diagnosis.causes.settings import filled_itself
from receiver.diagnosis.clues import Clues
from receiver.diagnosis.death.because import AGAINST_MEMORY
from receiver.diagnosis.death.kill import own_limit, pod_says, refuses_to_start
from receiver.diagnosis.death.lookups import is_early_warning, log_says
from receiver.diagnosis.death.refusals import over_volume_in, refusal_in
from receiver.diagnosis.death.witnesses import Says
from receiver.diagnosis.log.signatures.model import GPU, OTHER_MEMORY, REMOTE
from receiver.domain.confidence import UNSURE
from receiver.domain.reason import Reason, reason
from receiver.domain.report import Cause, CauseName, Kill, KillKind, LongTerm, Sender, Signature

SOMEBODY_SAID = 0.85  # a signal that asks to stop, or the runtime's own word
MEMORY_WAS_FAR = 0.7  # it ended by itself far below its limit; a fast allocation between two scrapes stays possible
LOG_NAMES_ANOTHER = 0.85  # its log ends with an error of memory that is not the container's
AT_THE_END_LINES = 60  # a program may live on after such an error: further up it explains nothing

# Whose memory the log names, by the kind of its line, and why the container's limit plays no part.
ELSEWHERE = {
    GPU: ("gpu", reason("elsewhere.gpu")),
    REMOTE: ("remote", reason("elsewhere.remote")),
    OTHER_MEMORY: ("shared_memory", reason("elsewhere.shared_memory")),
}

OF_AN_EXECUTOR = ("executor", reason("elsewhere.executor"))


def killed_for_memory(clues: Clues, kill: Kill) -> Answer:
    """No leads here when something else ended it; nothing ended, or a limit of the program's own, goes on."""
    because = kill.because[0]
    match kill.kind:
        case KillKind.CONTAINER_OOM | KillKind.CHILD_PROCESS_OOM | KillKind.NODE_OOM:
            return Answer(answer=YES, because=because)
        case KillKind.EVICTION:
            if _is_for_memory(clues):
                return Answer(answer=YES, because=because)
            return Answer(answer=NO, because=because, decides=True, confidence=SURE_FACT, reasons=kill.because, detail="eviction")
        case KillKind.SUSPECTED_OOM:
            return cannot_tell(because if kill.is_of_child else reason("killed_for_memory.probably", because=because))
        case KillKind.SIGKILL_NOT_OOM if (full := filled_itself(clues, kill)) is not None:
            return no(ended_over(full))
        case KillKind.SIGKILL_NOT_OOM:
            confidence = SURE_FACT if kill.is_sure else UNSURE
            return Answer(answer=NO, because=because, decides=True, confidence=confidence, reasons=kill.because, detail=kill.sender or "")
        case _:
            return _not_killed(clues, kill)


def _is_for_memory(clues: Clues) -> bool:
    """Whether the eviction was for memory, the node's or the pod's own. One that another witness tells of counts as one."""
    says = pod_says(clues)
    if says is Says.EVICTED_FOR_VOLUME:
        over = over_volume_in(clues)
        return over is not None and over.is_memory
    return says not in (Says.EVICTED, Says.REFUSED)


def _not_killed(clues: Clues, kill: Kill) -> Answer:
    because = kill.because[0]
    if kill.reason and kill.exit_code is None and pod_says(clues) is Says.REFUSED:
        return Answer(answer=NO, because=because, decides=True, confidence=SURE_FACT, reasons=kill.because, detail="refused")
    full = own_limit(clues)
    if refuses_to_start(clues) is not None:
        return no(because)
    if kill.exit_code is not None and full is not None:
        return no(ended_over(full))
    if (lost := _lost_executor(clues)) is not None and kill.exit_code is None and not kill.reason:
        return lost
    if kill.exit_code in (None, 0) or is_early_warning(clues):
        return no(because) if kill.is_sure else cannot_tell(because)
    return _ended_by_itself(clues, kill)


def _ended_by_itself(clues: Clues, kill: Kill) -> Answer:
    """No only for what was seen: a log without a memory error, or none at all, and an OOM kill that nobody recorded are no evidence."""
    because = kill.because[0]
    if (other := memory_elsewhere(clues)) is not None and (answer := _elsewhere(other)) is not None:
        return answer
    against = [b for b in kill.because if b.code in AGAINST_MEMORY]
    if not against or log_says(clues) is Says.OOM_KILLED:
        found = clues.signature
        return cannot_tell(reason("killed_for_memory.log_names", because=because, meaning=found.meaning) if found is not None else because)
    confidence = SOMEBODY_SAID if kill.is_sure else MEMORY_WAS_FAR
    return Answer(answer=NO, because=against[0], decides=True, confidence=confidence, reasons=(because, *against), detail="other_exit")


def _lost_executor(clues: Clues) -> Answer | None:
    """A driver that runs on, and whose log announces that an executor was killed: told as what it announces."""
    found = clues.signature
    return _elsewhere(found) if found is not None and found.is_of_executor and not is_early_warning(clues) else None


def _elsewhere(other: Signature) -> Answer | None:
    if (whose := _whose(other)) is None:
        return None
    detail, why = whose
    named = reason("elsewhere.log_says", meaning=other.meaning)
    return Answer(answer=NO, because=named, decides=True, confidence=LOG_NAMES_ANOTHER, reasons=(named, why), detail=detail)


def _whose(found: Signature) -> tuple[str, Reason] | None:
    return OF_AN_EXECUTOR if found.is_of_executor else ELSEWHERE.get(found.kind)


def fixes(clues: Clues, kill: Kill, cause: Cause) -> tuple[LongTerm, ...]:
    """What sent the signal, or what kept it from starting."""
    if cause.detail in LEAF.verdicts and clues.signature is not None:
        return (LongTerm(id=f"log_{clues.signature.id}", advice=reason("advice.quoted", text=clues.signature.advice)),)
    if cause.detail == "refused" and refusal_in(clues) is not None:
        return (LongTerm(id="fit_request", advice=reason("fix.fit_request")),)
    if kill.sender is not None and kill.sender.is_probe:
        return (LongTerm(id="mend_probe", advice=reason("fix.mend_probe")),)
    if kill.sender is Sender.GRACE_PERIOD:
        return (LongTerm(id="handle_sigterm", advice=reason("fix.handle_sigterm")),)
    return ()


def memory_elsewhere(clues: Clues) -> Signature | None:
    """The error with which the log of the dead container ends, where it is about memory that is not the container's."""
    found, log = clues.signature, clues.facts.log
    if found is None or _whose(found) is None or log is None or clues.is_log_of_survivor:
        return None
    return found if len(log.lines) - found.line_index <= AT_THE_END_LINES else None


LEAF = Leaf(
    name=CauseName.NOT_MEMORY,
    question=Question(id="killed_for_memory", text=reason("leaf.not_memory.question"), ask=killed_for_memory),
    root="not_oom",
    whose=Whose.NOBODY,
    a_raise=Raise.USELESS,
    fixes=fixes,
    verdict=Verdict(
        likely=reason("leaf.not_memory.likely"),
        looks_like=reason("leaf.not_memory.looks_like"),
        could_be=reason("leaf.not_memory.could_be"),
    ),
    verdicts={
        "gpu": always(reason("leaf.not_memory.gpu")),
        "remote": always(reason("leaf.not_memory.remote")),
        "executor": always(reason("leaf.not_memory.executor")),
        "shared_memory": always(reason("leaf.not_memory.shared_memory")),
    },
    in_digest=reason("leaf.not_memory.digest"),
    digest_rank=60,
)
