"""The memory shape of one CSV series as the JSON object of `oomtriage classify`. Pure; the command line reads and prints."""

from __future__ import annotations

from typing import Any

from receiver.diagnosis.memory.csv_series import SeriesError, history_of_csv
from receiver.diagnosis.memory.series import shape_of


def classify_text(name: str, text: str, until_s: float | None) -> dict[str, Any]:
    """`{"file", "cause", "confidence", "because", "settle_by", ...}`, or `{"file", "error"}` when the text is no series.

    Rows later than `until_s` (same time base as the file) are ignored.
    """
    try:
        history = history_of_csv(text, until_s=until_s)
    except SeriesError as exc:
        return {"file": name, "error": str(exc)}
    shape = shape_of(history, now_s=until_s)
    return {
        "file": name,
        "cause": shape.cause.value,
        "confidence": shape.confidence,
        "because": list(shape.because),
        "settle_by": shape.settle_by,
        "against": list(shape.against),
        "detail": shape.detail,
        "kills": len(shape.kills),
        "history_s": shape.history_s,
    }
