"""The one HTTP layer: every request this program makes goes through `Http`."""

from receiver.transport.http import (
    BREAKER_FAILURES,
    BREAKER_OPEN_S,
    MIB,
    Breaker,
    ConnectionFailed,
    Deadline,
    Http,
    HttpConfig,
    NotAsked,
    Response,
    Tail,
    Token,
    Unauthenticated,
    parse_json,
)

__all__ = [
    "BREAKER_FAILURES",
    "BREAKER_OPEN_S",
    "MIB",
    "Breaker",
    "ConnectionFailed",
    "Deadline",
    "Http",
    "HttpConfig",
    "NotAsked",
    "Response",
    "Tail",
    "Token",
    "Unauthenticated",
    "parse_json",
]
