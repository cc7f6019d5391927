"""A test alert: it goes the whole way from the webhook into a channel, is marked all along, and is no incident to anybody.

The mark is a name and a label together. Whoever has WEBHOOK_TOKEN could send it; what it can do is to be told in a configured channel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from receiver.domain.alerts import FIRING, RESOLVED, ZERO_TIME
from receiver.domain.units import format_time

ALERT = "OomtriageTestAlert"
ID, CHANNEL = "oomtriage_test", "oomtriage_test_channel"  # labels
SENDER = "oomtriage test-alert"  # the body's `receiver`: nothing that Alertmanager sends is called so
KEY = "test/"  # how the key of its incident begins
_ID = re.compile(r"[a-z0-9]{12,32}")


def id_of(labels: Mapping[str, str]) -> str:
    """Which test these labels are of; empty for an alert that is none."""
    found = labels.get(ID, "")
    return found if labels.get("alertname") == ALERT and _ID.fullmatch(found) else ""


def is_id(text: str) -> bool:
    """Whether a text can be the id of a test."""
    return bool(_ID.fullmatch(text))


def is_key(key: str) -> bool:
    """Whether an incident with this key is a test."""
    return key.startswith(KEY)


def key_of(drill_id: str) -> str:
    """The key of its incident."""
    return f"{KEY}{drill_id}"


def body(drill_id: str, channel: str, *, began: datetime, is_over: bool = False) -> dict[str, Any]:
    """What Alertmanager would post: the test fires, or is over. An empty channel: the default one."""
    labels = {"alertname": ALERT, "severity": "warning", ID: drill_id, **({CHANNEL: channel} if channel else {})}
    annotations = {
        "summary": "Test alert: nothing is wrong",
        "description": "Somebody ran `oomtriage test-alert` to see that alerts reach this channel. It ends by itself and counts nowhere.",
    }
    alert = {
        "status": RESOLVED if is_over else FIRING, "labels": labels, "annotations": annotations, "startsAt": format_time(began),
        "endsAt": format_time(began) if is_over else ZERO_TIME, "generatorURL": "",
    }  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{}", "status": alert["status"], "receiver": SENDER, "groupLabels": {}, "commonLabels": labels,
        "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0, "alerts": [alert],
    }  # fmt: skip
