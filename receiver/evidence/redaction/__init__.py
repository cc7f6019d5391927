"""Redaction of secrets: in logs, events, environment values, command lines and whole Kubernetes objects."""

from receiver.evidence.redaction.names import kind_of_name
from receiver.evidence.redaction.redactor import RedactionConfig, Redactor
from receiver.evidence.redaction.rules import KINDS

__all__ = ["KINDS", "RedactionConfig", "Redactor", "kind_of_name"]
