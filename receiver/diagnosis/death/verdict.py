"""How a rule answers: the kill, filled in from the death that it is about."""

from __future__ import annotations

from collections.abc import Sequence

from receiver.diagnosis.clues import Clues
from receiver.domain.facts import Termination
from receiver.domain.reason import Reason
from receiver.domain.report import Kill, KillKind, Sender


def killed(
    clues: Clues,
    death: Termination | None,
    kind: KillKind,
    *,
    sure: bool,
    because: Sequence[Reason],
    sender: Sender | None = None,
    reason: str = "",
) -> Kill:
    """A kill (or, of kind none, an end). `death` None: the container itself did not die of it; `reason` beats the death's reason."""
    return Kill(
        kind=kind,
        reason=reason or (death.reason if death else ""),
        exit_code=death.exit_code if death else None,
        signal=death.signal if death else None,
        at=death.finished_at if death else None,
        started_at=death.started_at if death and death.started_at and death.started_at.year > 1970 else None,
        restarts=clues.container.restart_count if clues.container else None,
        is_sure=sure,
        because=tuple(because),
        sender=sender,
    )
