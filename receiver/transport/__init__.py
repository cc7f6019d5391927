"""The one HTTP layer: every request this program makes goes through `Http`.

Answers: how to ask one service (Kubernetes, Prometheus, Alertmanager, Slack) with bounded time, bounded bytes and one
classification of what can go wrong. Leaves to its callers what the answers mean.
"""

from receiver.transport.breaker import BREAKER_FAILURES, BREAKER_OPEN_S, Breaker
from receiver.transport.deadline import Deadline
from receiver.transport.failures import ConnectionFailed, NotAsked, Unauthenticated, Unreached
from receiver.transport.http import ANSWERS, Http, HttpConfig
from receiver.transport.reply import Response, Tail, parse_json
from receiver.transport.several import several
from receiver.transport.tls import TlsFault, TlsProblem
from receiver.transport.token import Token

__all__ = [
    "ANSWERS",
    "BREAKER_FAILURES",
    "BREAKER_OPEN_S",
    "Breaker",
    "ConnectionFailed",
    "Deadline",
    "Http",
    "HttpConfig",
    "NotAsked",
    "Response",
    "Tail",
    "TlsFault",
    "TlsProblem",
    "Token",
    "Unauthenticated",
    "Unreached",
    "parse_json",
    "several",
]
