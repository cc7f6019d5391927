"""Alertmanager's webhook body, version 4, as data: 0.25 to 0.34 and whatever fields come later; and Grafana's, which is the same.

Reads what every version sends; ignores what it does not know. What a v4 body must have is what Alertmanager always
sends (template.Data): a list `alerts`, each with string labels, a status, and startsAt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.away import Gap
from receiver.domain.units import format_time, parse_time
from receiver.errors import PayloadError

# What one alert may carry. More is cut, never refused: an alert with a stack trace in an annotation is still an alert.
MAX_ENTRIES = 200  # labels, and annotations
MAX_NAME_CHARS = 256
MAX_LABEL_CHARS = 2 * 1024
MAX_ANNOTATION_CHARS = 16 * 1024
MAX_ADDRESS_CHARS = 16 * 1024
MAX_FINGERPRINT_CHARS = 128  # Alertmanager's are 16
MAX_TRUNCATED = 1_000_000
CUT = "… (cut)"
VERSIONS = ("4", "1")  # Grafana's own alerts come in the same form, as version 1 (Grafana's docs: webhook notifier)
EARLIEST_YEAR, LATEST_YEAR = 1970, 2999  # of a time: far from the ends of what Python, SQLite and Slack can tell
ZERO_TIME = "0001-01-01T00:00:00Z"  # Go's, for a time that is not set
# Of too many labels these are kept before others: they say whose alert it is.
_KEPT_FIRST = frozenset(("alertname", "severity", "cluster", "namespace", "pod", "container", "node", "workload"))

FIRING = "firing"
RESOLVED = "resolved"

SEVERITIES = ("info", "warning", "critical")  # rising; `none` never makes an incident, unknown words count as a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One entry of a notification. `ends_at` is None while it fires (Alertmanager sends year 1 then). `late`: why it is told late."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None
    fingerprint: str
    generator_url: str = ""
    late: Gap | None = None

    @property
    def name(self) -> str:
        """The alert's name; Alertmanager allows alerts without one."""
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        """The severity label in lower case; "warning" where there is none: not saying must not mean not telling."""
        return self.labels.get("severity", "").strip().lower() or "warning"

    @property
    def severity_rank(self) -> int:
        """The place of its severity in SEVERITIES; words that are not there count as a warning."""
        return SEVERITIES.index(self.severity) if self.severity in SEVERITIES else 1

    @property
    def dedup_key(self) -> str:
        """The same for every re-send of this state of this alert: by retry, repeat_interval or the other half of an HA pair."""
        text = "\0".join((self.fingerprint, format_time(self.starts_at), self.status))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The alert as the webhook carries it."""
        return {
            "status": self.status, "labels": dict(self.labels), "annotations": dict(self.annotations),
            "startsAt": format_time(self.starts_at), "endsAt": format_time(self.ends_at) if self.ends_at else None,
            "fingerprint": self.fingerprint, "generatorURL": self.generator_url,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One POST of Alertmanager: a group of alerts."""

    alerts: tuple[Alert, ...]
    receiver: str = ""
    truncated_alerts: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


def parse_notification(body: object) -> Notification:
    """A decoded JSON body as a Notification. PayloadError says what a v4 body has that this one has not."""
    if not isinstance(body, dict):
        raise PayloadError(f"the body is a JSON {_json_type(body)}, not an object: expected Alertmanager's webhook payload, version 4")
    version = body.get("version")
    if version is not None and str(version) not in VERSIONS:
        raise PayloadError(f'"version" is {_short(version)}: expected "4"')
    alerts = body.get("alerts")
    if not isinstance(alerts, list):
        raise PayloadError(
            'no list "alerts": expected Alertmanager\'s webhook payload, version 4 (a receiver with a custom "payload" cannot be read)'
        )
    if version is None:
        raise PayloadError('"version" is missing: expected "4", which every Alertmanager sends')
    truncated = body.get("truncatedAlerts")
    return Notification(
        alerts=tuple(parse_alert(a, f"alerts[{i}]") for i, a in enumerate(alerts)),
        receiver=_text(body.get("receiver")),
        truncated_alerts=min(truncated, MAX_TRUNCATED) if isinstance(truncated, int) and truncated > 0 else 0,
    )


def parse_alert(entry: object, where: str = "alert") -> Alert:
    """One alert of a body. PayloadError names the entry and what is wrong with it."""
    if not isinstance(entry, dict):
        raise PayloadError(f"{where} is a JSON {_json_type(entry)}, not an object")
    labels = _string_map(entry.get("labels"), f"{where}.labels")
    annotations = _string_map(entry.get("annotations") or {}, f"{where}.annotations")
    status = entry.get("status")
    if status not in (FIRING, RESOLVED):
        raise PayloadError(f'{where}.status is {_short(status)}: expected "firing" or "resolved"')
    starts_at = _time(entry.get("startsAt"), f"{where}.startsAt")
    has_ended = status == RESOLVED and entry.get("endsAt") not in (None, "", ZERO_TIME)
    ends_at = _time(entry.get("endsAt"), f"{where}.endsAt") if has_ended else None
    # The identity is that of what was sent: two alerts that differ only in what is cut below stay two.
    identity = _text(entry.get("fingerprint")) or fingerprint(labels)
    if len(identity) > MAX_FINGERPRINT_CHARS:
        identity = hashlib.sha256(identity.encode()).hexdigest()
    address = _text(entry.get("generatorURL"))
    return Alert(
        status=status, labels=_bounded(labels, MAX_LABEL_CHARS), annotations=_bounded(annotations, MAX_ANNOTATION_CHARS), starts_at=starts_at,
        ends_at=ends_at,
        fingerprint=identity,
        generator_url=address if len(address) <= MAX_ADDRESS_CHARS else "",  # half an address leads nowhere
    )  # fmt: skip


def fingerprint(labels: Mapping[str, str]) -> str:
    """A stand-in for Alertmanager's fingerprint of a label set, for senders that leave it out."""
    text = json.dumps(sorted(labels.items()), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


_FNV_OFFSET, _FNV_PRIME = 14_695_981_039_346_656_037, 1_099_511_628_211


def alertmanager_fingerprint(labels: Mapping[str, str]) -> str:
    """Alertmanager's own: FNV-1a of 64 bits over names and values in order, a byte 255 after each (prometheus/common, model.Fingerprint)."""
    found = _FNV_OFFSET
    for byte in b"".join(f"{name}".encode() + b"\xff" + labels[name].encode() + b"\xff" for name in sorted(labels)):
        found = (found ^ byte) * _FNV_PRIME % 2**64
    return f"{found:016x}"


def _time(value: object, where: str) -> datetime:
    """A time in UTC that can be stored, computed with and shown. Years are those after conversion: an offset moves the edges."""
    at = parse_time(value)
    if at is None or not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise PayloadError(
            f"{where} is {_short(value)}: expected an RFC 3339 time between the years {EARLIEST_YEAR} and {LATEST_YEAR} (UTC)"
        )
    return at


def _bounded(entries: dict[str, str], max_chars: int) -> dict[str, str]:
    """The entries, cut to what an alert may carry. Bounding twice changes nothing more."""
    names = list(entries)
    if len(names) > MAX_ENTRIES:
        names.sort(key=lambda name: name not in _KEPT_FIRST)
    return {_cut(name, MAX_NAME_CHARS): _cut(entries[name], max_chars) for name in names[:MAX_ENTRIES]}


def _cut(text: str, max_chars: int) -> str:
    return text if len(text) <= max_chars else text[: max_chars - len(CUT)] + CUT


def _string_map(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise PayloadError(f"{where} is a JSON {_json_type(value)}, not an object")
    for key, item in value.items():
        if not isinstance(item, str):
            raise PayloadError(f"{where}.{key[:80]} is a JSON {_json_type(item)}, not a string")
    # A lone surrogate ("\ud800" in JSON) is no Unicode text: no database or socket takes it.
    return {_text(k): _text(v) for k, v in value.items()}


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)[:80] if value is not None else "missing"


def _json_type(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names.get(type(value), type(value).__name__)
