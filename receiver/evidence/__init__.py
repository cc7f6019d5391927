"""Evidence: reads the world about one subject and returns a Case; what could not be read is a Missing in it.

`Evidence(EvidenceConfig(...), kube=Kube(...), prometheus=Prometheus(...), alertmanager=..., redact=...).gather(subject, alerts, now)`
"""

from receiver.evidence.gather import Evidence
from receiver.evidence.look import EvidenceConfig

__all__ = ["Evidence", "EvidenceConfig"]
