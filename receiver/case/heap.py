"""The answer `heap`: what the runtime of one container told of its heap."""

from __future__ import annotations

from receiver.case.access import mapping, text
from receiver.case.series import tracks
from receiver.domain.heap import Heap, HeapSeries


def heap_of(answer: object, *, container: str, pod: str) -> Heap | None:
    """Its metrics; None where none was found. Series that name no container are the only one's that exports."""
    found = []
    for name in mapping(answer, "series"):
        part, colon, metric = name.partition(":")
        series = tracks(answer, name, container=container, pod=pod)
        if colon and series:
            best = max(series, key=lambda t: (t.container == container, len(t.points)))
            found.append(HeapSeries(part=part, metric=metric, points=best.points))
    return Heap(runtime=text(answer, "runtime"), maker=text(answer, "maker"), series=tuple(found)) if found else None
