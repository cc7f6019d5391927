"""What the page of an incident shows. Texts are whole and cleaned; times are times, for the reader's own zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from receiver.render.chart.spots import Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a line. `style`: empty, `code`, `bold`, `italic`, `link` (to `url`), or `time` (`at`; `text` is its UTC form)."""

    text: str
    style: str = ""
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a message. `label`: Do, Why, Next, Facts, or empty."""

    pieces: tuple[Piece, ...]
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a message. `kind`: `header`, `line`, `pre`, `list`, `numbered` or `grey`."""

    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """What can be pressed. `press`: what a press means, as the messages' buttons say it (`silence_1h`, `tick:root_cause`)."""

    press: str
    words: str
    is_first: bool = False  # the one that is wanted most


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The root message: what died, what to do, why, what comes next, what is certain, and the grey line."""

    header: str
    parts: tuple[Part, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPart:
    """The memory chart as SVG whose colours are the page's (`var(--chart-...)`), for a wide page and a phone's, and the same as a table."""

    svg: str
    svg_phone: str
    alt: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A question of the decision tree. `answer`: `yes`, `no`, `cannot_tell` or `not_asked`. `leaf`: what a yes would mean.

    `is_end`: the answer that ended the walk. The last node may be the end without a question: nothing led anywhere.
    """

    question: str
    answer: str
    because: str = ""
    leaf: str = ""
    is_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The walk. `for_it`, `against`: what speaks for and against its end; `settle_by`: what would settle it."""

    nodes: tuple[TreeNode, ...]
    verdict: str = ""
    for_it: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    settle_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One of the nine items. `state`: `done`, `todo`, `could_not_check` or `not_applicable`. `press`: of its button, empty for none."""

    id: str
    text: str
    state: str
    result: str = ""
    is_ticked: bool = False
    press: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copyable:
    """Something to paste. `kind`: `commands`, `git`, `patch`, `hpa` or `long_term`; `says` stands above it."""

    kind: str
    text: str
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePart:
    """What to change: the patch message's own first words, what can be copied, what was verified and what to beware of."""

    intro: tuple[Line, ...]
    copies: tuple[Copyable, ...] = ()
    remarks: tuple[str, ...] = ()
    long_term: tuple[Copyable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source that answered. `is_held`: an earlier look read it, and it could not be read again."""

    source: str
    what: str
    at: datetime
    found: str = ""
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """What could not be read. `in_short`: the first words of `why`. `is_normal`: expected at such a moment."""

    sources: tuple[str, ...]
    what: str
    in_short: str
    why: str
    hint: str = ""
    is_normal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A line of the log; `is_match`: the one that names the memory error."""

    text: str
    at: datetime | None = None
    is_match: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """The log as it was stored, secrets redacted. `excerpt`: the lines to read first."""

    container: str
    rows: tuple[LogRow, ...]
    excerpt: tuple[LogRow, ...]
    meaning: str = ""
    advice: str = ""
    redacted: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePart:
    """Where everything comes from. `container`, `lives`, `events`: as the evidence message has them."""

    sources: tuple[SourceRow, ...] = ()
    missing: tuple[MissingRow, ...] = ()
    container: str = ""
    lives: str = ""
    events: str = ""
    mistakes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """One rollout of the workload. `changes`: what it has that the one before had not. `before_kill`: how long before the first kill."""

    name: str
    number: int | None
    at: datetime | None
    changes: tuple[str, ...]
    cause: str = ""
    before_kill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened. `kind`: `alert`, `kill`, `look`, `message`, `person`, `silence`, `fix` or `verdict`."""

    at: datetime
    kind: str
    text: str
    is_ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeRow:
    """Another incident that is like this one. `rules`: in what (`workload`, `signature`, `image`, `node`), and in words."""

    id: str
    place: str
    opened_at: datetime
    verdict: str
    kills: int
    ended: str
    rules: tuple[str, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMessage:
    """A message as its place has it, or will. `state`: `sent`, `waiting`, `doubtful`, `dead` or `settled`."""

    slot: str
    state: str
    parts: tuple[Part, ...]
    sent_at: datetime | None = None
    error: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPlace:
    """Where the incident is told. `is_storm`: in a storm's messages, together with others."""

    sink: str
    channel: str
    messages: tuple[ToldMessage, ...]
    is_storm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """The whole page. What is not known is None or empty; `note` says why a page is less than it should be.

    For programs: `kill`, the value of a KillKind; `cause` of a CauseName, with its `confidence`; `kills` over the incident's life.
    """

    id: str
    title: str
    place: str
    state: str
    severity: str
    opened_at: datetime
    gathered_at: datetime | None
    kill: str
    cause: str
    confidence: float | None
    kills: int
    answer: Answer
    states: tuple[str, ...] = ()  # acknowledged by whom, silenced until when, which fix is watched
    note: str = ""
    chart: ChartPart | None = None
    tree: Tree | None = None
    checklist: tuple[CheckRow, ...] = ()
    change: ChangePart | None = None
    evidence: EvidencePart | None = None
    log: LogPart | None = None
    revisions: tuple[RevisionRow, ...] = ()
    timeline: tuple[Moment, ...] = ()
    alike: tuple[AlikeRow, ...] = ()
    told: tuple[ToldPlace, ...] = ()
    previous_id: str = ""
    cause_page: str = ""
    runbooks: tuple[str, ...] = ()
    has_case: bool = False
    is_drill: bool = False
