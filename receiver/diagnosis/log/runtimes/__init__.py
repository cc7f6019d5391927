"""What a container runs, and how to profile it. Pure functions."""

from receiver.diagnosis.log.runtimes.detect import DETECTED, as_seen_by, can_run, detect_runtime
from receiver.diagnosis.log.runtimes.profiling import HABITS, profiling_advice
from receiver.diagnosis.log.runtimes.table import RUNTIMES, Runtime

__all__ = [
    "DETECTED",
    "HABITS",
    "RUNTIMES",
    "Runtime",
    "as_seen_by",
    "can_run",
    "detect_runtime",
    "profiling_advice",
]
