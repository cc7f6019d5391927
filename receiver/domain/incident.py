"""An incident as messages show it: what the store knows of its life, beside the report of its newest evidence.

Also `Message`, the form in which rendering hands over what a channel should hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.domain.alerts import Alert
from receiver.domain.change_request import ChangeRequest
from receiver.domain.identity import Subject
from receiver.domain.incident_memory import LogEntry, WatchedFix
from receiver.domain.reason import Reason

FIRING = "firing"
RESOLVED = "resolved"
PICTURE = "PICTURE"  # the file of an image block whose picture is not uploaded yet


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident's life so far.

    `alerts`: the newest state of each alert (fingerprint) of the incident, oldest first. `kill_count`: distinct kills
    known over the incident's life, all replicas. `pods`: every pod of the workload that was hit. `page_url`: empty
    when no PUBLIC_URL is set. `mention`: Slack text of a configured mention (`<!subteam^S..>`), only for posts.
    `notes`: why the message is less than it should be (enrichment failed, user template broken).
    """

    id: str
    state: str
    subject: Subject
    severity: str
    opened_at: datetime
    alerts: tuple[Alert, ...]
    resolved_at: datetime | None = None
    kill_count: int = 0
    processes_killed: int | None = None  # over the incident's life, inside containers that lived on
    first_kill_at: datetime | None = None
    last_kill_at: datetime | None = None
    pods: tuple[str, ...] = ()
    log: tuple[LogEntry, ...] = ()
    page_url: str = ""
    causes_url: str = ""  # below it the page of each cause; empty when no PUBLIC_URL is set
    previous_id: str = ""
    previous_opened_at: datetime | None = None
    mention: str = ""
    notes: tuple[Reason, ...] = ()
    has_buttons: bool = False
    settings_change: Reason | None = None  # limit raised, image changed: a fix was seen since the first kill
    fix: WatchedFix | None = None  # the newest one, standing or not
    next_follow_up: datetime | None = None  # of the fix that stands
    last_follow_up_s: float = 0.0  # how long after a fix its last follow-up is
    is_result: bool = False  # this message tells what a follow-up found
    acknowledged: Reason | None = None  # by whom
    fix_noted: Reason | None = None  # by whom: said by a person, not seen
    news: Reason | None = None  # why a message beside the root is sent now: firing again after a while, ...
    is_new_verdict: bool = False  # that news is the verdict, so its reason belongs to it
    silenced_until: datetime | None = None
    silence_url: str = ""  # Alertmanager's form for a silence, filled in
    can_silence: bool = False  # a silence can be set from here
    can_request: bool = False  # a pull request can be opened from here, and none is
    request: ChangeRequest | None = None  # the newest that was
    looks_at: tuple[datetime, ...] = ()  # when it will be looked at again (+30 min, +2 h), for "Looking again at ..."


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestEntry:
    """One incident in a storm digest. `cause` is a report's cause name, `summary` how often it was killed, and why."""

    incident_id: str
    subject: Subject
    cause: str
    summary: Reason
    kill_count: int = 0
    is_never_up: bool = False
    is_all_replicas: bool = False
    kills_per_h: float = 0.0
    is_quiet: bool = False
    node: str = ""
    image: str = ""
    has_own_root: bool = False
    page_url: str = ""
    is_critical: bool = False
    is_acknowledged: bool = False
    acknowledged_by: str = ""  # may be empty: nobody gave a name
    silenced_until: datetime | None = None
    silenced_by: str = ""
    not_silenced: Reason | None = None  # why Alertmanager would not, when somebody asked for it


def worst_first(entry: DigestEntry) -> tuple[bool, bool, bool, bool, float, str]:
    """The order of a storm: what is over last; critical, never up, every replica, then by how often it is killed."""
    name = entry.subject.workload.name if entry.subject.workload else entry.subject.pod
    return (
        entry.is_quiet, not entry.is_critical, not entry.is_never_up, not entry.is_all_replicas, -entry.kills_per_h,
        f"{entry.subject.namespace}/{name}/{entry.subject.container}",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonFactor:
    """What `count` workloads of a storm share, and how many would by chance. `kind`: node, image or namespace."""

    kind: str
    name: str
    count: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestView:
    """A storm: many incidents of one channel shown in one root and pages of its thread (docs: the storm digest).

    `common` None: nothing stands out, or `is_common_known` is False: what most share could not be held against chance.
    `is_inventory`: what was dying before there was a receiver. `released_by`: when the last of those that still fire will have
    its own message.
    """

    id: str
    opened_at: datetime
    now: datetime
    entries: tuple[DigestEntry, ...]
    new_last_5_min: int = 0
    ended_at: datetime | None = None
    cluster: str = ""
    page_url: str = ""
    mention: str = ""
    has_buttons: bool = False
    can_silence: bool = False
    refused: Reason | None = None  # who may not press what, of the newest refusal
    common: CommonFactor | None = None
    is_common_known: bool = True
    is_inventory: bool = False
    released_by: datetime | None = None

    @property
    def members(self) -> tuple[DigestEntry, ...]:
        """Those whom the storm alone shows: its buttons mean them, and not who has a message of its own."""
        return tuple(e for e in self.entries if not e.has_own_root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Desired content of one Slack message (or of the sink's nearest equivalent).

    `slot` names its place in the conversation: `root`, `evidence`, `checklist`, `patch`, `digest-page:1`, ...
    `text` is the lock-screen line (escaped mrkdwn, <= 120 characters); `full_text` the whole message as plain text for
    consoles and receivers that drop blocks (not escaped).
    """

    slot: str
    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    full_text: str = ""
    is_reply: bool = False
    is_broadcast: bool = False
    chart_svg: str = ""  # the picture that the image block with PICTURE as its file stands for
    document: Mapping[str, Any] | None = None  # the JSON that a sink for programs sends instead of the words

    def body(self) -> dict[str, Any]:
        """As stored and sent: chat.postMessage fields without channel, thread and token."""
        body = {"text": self.text, "blocks": [dict(b) for b in self.blocks], "full_text": self.full_text}
        body |= {"chart_svg": self.chart_svg} if self.chart_svg else {}
        return body if self.document is None else body | {"document": dict(self.document)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an incident is shown: one channel of one sink."""

    sink: str
    channel: str
    mention: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
