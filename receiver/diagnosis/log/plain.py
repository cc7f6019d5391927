"""What a log line says beneath its wrapping: colours, the prefix of a log driver or a process runner, a JSON record.

Expressions that begin at the start of a line, or hold a quotation mark, would not find the same words there.
"""

from __future__ import annotations

import json
import re

MAX_LINE_CHARS = 4096  # a JSON line may hold a whole stack trace; more than this is no log line
MAX_INNER_LINES = 60  # of a text within a record

_COLOUR = re.compile(r"\x1b\[[0-9;:?]{0,40}[ -/]{0,4}[@-~]")
# CRI's files (kubelet, pkg/kubelet/kuberuntime/logs), and what docker compose, foreman and overmind put before each line.
_PREFIX = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] |(?:\d\d:\d\d:\d\d )?[A-Za-z][\w.-]{0,60} {0,24}\| {1,4}"
)
# Under what names loggers keep the text and its error: json-file and fluent-bit, zap, slog, logrus, bunyan, pino, logback, structlog,
# serilog, Elastic's common schema, GELF, journald.
_TEXTS = (
    "log", "msg", "message", "Message", "MESSAGE", "@m", "@message", "event", "text", "textPayload", "short_message", "full_message", "body",
    "error", "err", "@x", "Exception", "exception", "exc_info", "stack", "stack_trace", "stackTrace", "stacktrace", "error.message", "error.stack_trace",
)  # fmt: skip
_MAX_DEPTH = 3  # a record in json-file's record, and an error object in that


def said(line: str) -> tuple[str, ...]:
    """The line without colours, and after it what it wraps; without repeats. Reads at most `MAX_LINE_CHARS`."""
    text = _COLOUR.sub("", line[:MAX_LINE_CHARS]).rstrip()
    found = {text: None}
    prefix = _PREFIX.match(text)
    inner = text[prefix.end() :] if prefix is not None else text
    found[inner] = None
    if inner.startswith("{"):
        found.update(dict.fromkeys(_of_record(inner, _MAX_DEPTH)))
    return tuple(found)


def _of_record(text: str, depth: int) -> list[str]:
    """The texts of a JSON record; of one that was cut, nothing."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return _texts(record, depth)


def _texts(record: object, depth: int) -> list[str]:
    if not isinstance(record, dict) or depth == 0:
        return []
    found = []
    for name in _TEXTS:
        value = record.get(name)
        if isinstance(value, dict):
            found += _texts(value, depth - 1)
        elif isinstance(value, str):
            lines = [_COLOUR.sub("", part).rstrip() for part in value.splitlines()[:MAX_INNER_LINES]]
            found += [part for part in lines if part]
            found += [inner for part in lines if part.startswith("{") for inner in _of_record(part, depth - 1)]
    return found
