"""What a container runs, what its heap flags mean beside its limit, and how to profile it. Pure functions."""

from receiver.diagnosis.log.runtimes.detect import DETECTED, as_seen_by, can_run, detect_runtime
from receiver.diagnosis.log.runtimes.heap import HeapSettings, heap_advice, heap_settings
from receiver.diagnosis.log.runtimes.profiling import HABITS, profiling_advice
from receiver.diagnosis.log.runtimes.table import RUNTIMES, Runtime

__all__ = [
    "DETECTED",
    "HABITS",
    "RUNTIMES",
    "HeapSettings",
    "Runtime",
    "as_seen_by",
    "can_run",
    "detect_runtime",
    "heap_advice",
    "heap_settings",
    "profiling_advice",
]
