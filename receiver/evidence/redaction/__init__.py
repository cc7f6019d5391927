"""Redaction of secrets: in logs, events, environment values, command lines and whole Kubernetes objects."""

from receiver.evidence.redaction.kinds import KINDS
from receiver.evidence.redaction.known import KnownClean
from receiver.evidence.redaction.names import kind_of_name
from receiver.evidence.redaction.redactor import RedactionConfig, Redactor

__all__ = ["KINDS", "KnownClean", "RedactionConfig", "Redactor", "kind_of_name"]
