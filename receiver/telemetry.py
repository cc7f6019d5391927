"""Metrics and logs: one struct of metrics, built once and handed in; JSON log lines.

Label values are bounded (a sink, a result, a source), never pod names; every one starts at 0, so that a rate over a
counter sees its first increase.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from receiver.render.text import clean_block, clean_line

RESULTS = ("ok", "retry", "rate_limited", "ambiguous", "refused", "misconfigured", "dead")
WATCH_RESULTS = ("ok", "partial")
WATCH_CHANGES = ("death", "processes", "limit", "pods", "ready", "owner", "repeat")
REJECTIONS = ("auth", "size", "payload", "store", "busy")
SERVICES = ("kubernetes", "prometheus", "alertmanager")
SERVICE_ANSWERS = ("ok", "refused", "failed")
SOCKET_ENVELOPES = ("done", "ignored", "unreadable", "not_stored")


class Metrics:
    """Everything that the receiver counts. Names are fixed: the shipped rules use them, docs/metrics.md describes them."""

    def __init__(self, *, sinks: Iterable[str] = (), sources: Iterable[str] = (), version: str = "") -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        r = self.registry
        self.received = Counter("oomtriage_alerts_received", "Alerts in accepted webhook bodies.", registry=r)
        self.duplicates = Counter("oomtriage_alerts_duplicate", "Received alerts whose state was already known.", registry=r)
        self.rejected = Counter("oomtriage_webhook_rejected", "Webhook requests that were refused, by reason.", ["reason"], registry=r)
        self.truncated = Counter("oomtriage_alerts_truncated", "Alerts that Alertmanager left out of its bodies (max_alerts).", registry=r)
        self.deliveries = Counter("oomtriage_deliveries", "Attempts to deliver a message.", ["sink", "result"], registry=r)
        self.alerts_waiting = Gauge("oomtriage_alerts_waiting", "Accepted alerts that have not joined an incident yet.", registry=r)
        self.alerts_oldest = Gauge(
            "oomtriage_alerts_oldest_seconds", "Age of the oldest accepted alert that has not joined an incident yet.", registry=r
        )
        self.jobs_due = Gauge("oomtriage_jobs_due", "Work that is due and not begun.", registry=r)
        self.jobs_oldest = Gauge(
            "oomtriage_jobs_oldest_seconds", "Time since the oldest work that is due and not begun was due.", registry=r
        )
        self.outbox_oldest = Gauge("oomtriage_outbox_oldest_seconds", "Age of the oldest message that has not arrived yet.", registry=r)
        self.outbox_waiting = Gauge("oomtriage_outbox_messages", "Messages that have not arrived yet.", registry=r)
        self.delivery_stalled = Gauge(
            "oomtriage_delivery_stalled_seconds", "For how long something has been due in a channel in which nothing arrives, by sink.",
            ["sink"], registry=r,
        )  # fmt: skip
        self.lost_threads = Gauge("oomtriage_lost_threads", "Threads of jobs that did not come back and were written off.", registry=r)
        self.dead_letters = Gauge("oomtriage_dead_letters", "Messages and jobs that were put aside.", registry=r)
        self.store_ready = Gauge("oomtriage_store_ready", "1 while alerts would be stored.", registry=r)
        self.dispatching = Gauge(
            "oomtriage_dispatching", "1 while this receiver looks at incidents and posts; 0 while it stands by.", registry=r
        )
        self.quarantined = Gauge(
            "oomtriage_quarantined_rows", "Stored rows that cannot be read and were put aside, by kind.", ["kind"], registry=r
        )
        self.enrichment = Histogram(
            "oomtriage_enrichment_seconds", "Time to gather evidence and judge an incident.", registry=r,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
        )  # fmt: skip
        self.missing = Counter("oomtriage_missing", "Evidence that was not available.", ["source"], registry=r)
        self.source_requests = Counter(
            "oomtriage_source_requests", "Questions to the sources of evidence, by how they ended.", ["source", "result"], registry=r
        )
        self.socket_connected = Gauge(
            "oomtriage_slack_socket_connected", "1 while the connection for Slack's buttons (SLACK_APP_TOKEN) is open.", registry=r
        )
        self.socket_connects = Counter(
            "oomtriage_slack_socket_connects", "Connections for Slack's buttons that were opened or tried, by how it went.",
            ["result"], registry=r,
        )  # fmt: skip
        self.socket_envelopes = Counter(
            "oomtriage_slack_socket_envelopes", "What came over Slack's connections, by what was done with it.", ["result"], registry=r
        )
        self.diagnoses = Counter("oomtriage_diagnoses", "Diagnoses by cause.", ["cause"], registry=r)
        self.watch_rounds = Counter("oomtriage_watch_rounds", "Rounds of the watch over open incidents, by result.", ["result"], registry=r)
        self.watch_requests = Counter("oomtriage_watch_requests", "Requests of the watch, by source.", ["source"], registry=r)
        self.watch_changes = Counter("oomtriage_watch_changes", "What the watch saw happen to an incident, by kind.", ["kind"], registry=r)
        self.watch_seconds = Histogram(
            "oomtriage_watch_seconds", "Time of one round of the watch.", registry=r, buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)
        )
        self.watch_incidents = Gauge("oomtriage_watch_incidents", "Incidents in the newest round of the watch.", registry=r)
        self.watch_success = Gauge(
            "oomtriage_watch_last_success_timestamp_seconds", "End of the newest round in which every source answered.", registry=r
        )
        self.store_bytes = Gauge("oomtriage_store_bytes", "Size of the state file and what belongs to it.", registry=r)
        self.store_free_bytes = Gauge("oomtriage_store_free_bytes", "Room left on the state file's volume.", registry=r)
        self.memory_bytes = Gauge(
            "oomtriage_memory_working_set_bytes",
            "Memory of this container as the kubelet counts it; elsewhere of this process.",
            registry=r,
        )
        self.memory_limit_bytes = Gauge("oomtriage_memory_limit_bytes", "Memory limit of this container; 0 without one.", registry=r)
        Gauge("oomtriage_build_info", "1; the version is a label.", ["version"], registry=r).labels(version).set(1)
        ProcessCollector(registry=r)
        for kind in WATCH_CHANGES:
            self.watch_changes.labels(kind)
        for asked in ("prometheus", "kubernetes"):
            self.watch_requests.labels(asked)
        for result in WATCH_RESULTS:
            self.watch_rounds.labels(result)
        for source in SERVICES:
            for answer in SERVICE_ANSWERS:
                self.source_requests.labels(source, answer)
        for answer in SERVICE_ANSWERS:
            self.socket_connects.labels(answer)
        for result in SOCKET_ENVELOPES:
            self.socket_envelopes.labels(result)
        for reason in REJECTIONS:
            self.rejected.labels(reason)
        for sink in sinks:
            self.delivery_stalled.labels(sink)
            for result in RESULTS:
                self.deliveries.labels(sink, result)
        for source in sources:
            self.missing.labels(source)

    def exposition(self) -> bytes:
        """Prometheus text."""
        return generate_latest(self.registry)


MAX_FIELD_CHARS = 4 * 1024  # of one field of a log line: labels are as long as their sender likes
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the fields given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; a traceback as one string."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _cut(record.getMessage()),
        }
        line.update({k: _bounded(v) for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-4 * MAX_FIELD_CHARS :]  # the error itself stands last
        return _UNSAFE.sub(_escaped, json.dumps(line, ensure_ascii=False, default=str))


# What JSON need not escape and a terminal obeys all the same: `kubectl logs` prints a line as it is.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _bounded(value: object) -> object:
    """The value itself when its JSON is short, else the beginning of it as text."""
    if isinstance(value, str):
        return _cut(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= MAX_FIELD_CHARS else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_FIELD_CHARS else f"{text[:MAX_FIELD_CHARS]}… (cut)"


class TerminalFormatter(logging.Formatter):
    """A line for a person: level, message, then the fields given as `extra`, and nothing that a terminal would obey."""

    def format(self, record: logging.LogRecord) -> str:
        """`INFO incident told  incident=inc_01.. cause=leak`; a traceback follows on lines of its own."""
        fields = "".join(f" {k}={_word(v)}" for k, v in vars(record).items() if k not in _STANDARD)
        line = f"{record.levelname} {clean_line(record.getMessage(), MAX_FIELD_CHARS)}{' ' if fields else ''}{fields}"
        if not record.exc_info:
            return line
        return f"{line}\n{clean_block(self.formatException(record.exc_info)[-4 * MAX_FIELD_CHARS :], max_lines=200)}"


def _word(value: object) -> str:
    """A field's value; in quotes where it would not be one word."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = clean_line(text, MAX_FIELD_CHARS)
    return text if text and (" " not in text or not isinstance(value, str)) else json.dumps(text, ensure_ascii=False)


def configure_logging(level: str, *, is_terminal: bool = False) -> None:
    """Log to stderr: JSON, or plain lines for a person at a terminal. stdout carries only answers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TerminalFormatter() if is_terminal else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("urllib3").setLevel(logging.WARNING)
