"""The memory errors that logs name: catalogue, search, excerpt, and witnesses of growth and loading.

Pure functions over log lines without the kubelet's timestamps (`case.log` takes them off once). Redaction has happened before.
"""

from receiver.diagnosis.log.signatures.begun import names_work
from receiver.diagnosis.log.signatures.match import SIGNATURES, excerpt, find_signature, match_line, twin_of
from receiver.diagnosis.log.signatures.model import LogPattern
from receiver.diagnosis.log.signatures.taken import taken_sizes
from receiver.diagnosis.log.signatures.witness import LoadingLine, loading_lines, rising_words

__all__ = [
    "SIGNATURES",
    "LoadingLine",
    "LogPattern",
    "excerpt",
    "find_signature",
    "loading_lines",
    "match_line",
    "names_work",
    "rising_words",
    "taken_sizes",
    "twin_of",
]
