"""What the on-call reads, message by message: goldens, budgets and safety."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache

import jinja2
import pytest

from receiver.domain.case import Missing
from receiver.domain.change import Change
from receiver.domain.incident import Message
from receiver.domain.incident_memory import LogEntry, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.report import Report, Sender
from receiver.render import Renderer, slack_environment
from receiver.render.inline import when
from tests.checks.slack_limits import budget_problems, problems
from tests.golden import Golden
from tests.places import REPO
from tests.support import said
from tests.unit.render import cases

TEMPLATES = REPO / "templates" / "slack"


@cache
def renderer() -> Renderer:
    """One for all tests: it holds no state, and compiling templates is what costs."""
    return Renderer(slack_environment(jinja2.FileSystemLoader(TEMPLATES)))


def assert_good(messages: tuple[Message, ...], *, mention: str = "", is_single: bool = False) -> None:
    for message in messages:
        assert problems(message.body(), allowed_mention=mention) == [], message.slot
        if not is_single:
            assert budget_problems(message.slot, message.body()) == [], message.slot


def as_text(messages: tuple[Message, ...]) -> str:
    return "\n\n".join(f"=== {m.slot}{' (reply)' if m.is_reply else ''}\ntext: {m.text}\n\n{m.full_text}" for m in messages)


# Every kind of block and style is in these; the other cases differ from them in words, which the text shows.
AS_BLOCKS = ("a-leak", "f2-page-cache", "h-node", "m2-hostile")


@pytest.mark.parametrize("name", list(cases.CASES))
def test_each_kind_of_incident_reads_as_reviewed(name: str, golden: Golden) -> None:
    """Root and replies of every story are what was reviewed, as Slack gets them and as a person reads them."""
    view, report = cases.CASES[name]()
    messages = renderer().incident(view, report)

    assert_good(messages)
    golden(f"slack/{name}.txt", as_text(messages))
    if name in AS_BLOCKS:
        golden(f"slack/{name}.json", json.dumps(renderer().slack_lines(messages), ensure_ascii=False, indent=1))


@pytest.mark.parametrize("name", list(cases.CASES))
def test_one_message_holds_everything_for_sinks_without_threads(name: str, golden: Golden) -> None:
    """The one-message form begins with the root and stays within Slack's limits."""
    view, report = cases.CASES[name]()
    single = renderer().single(view, report)
    later = renderer().later(view, report)

    assert_good((single,), is_single=True)
    assert budget_problems("later", later.body()) == []
    assert problems(later.body()) == []
    assert len(later.full_text) < len(single.full_text)
    if name in ("a-leak", "m-unknown"):
        golden(f"slack/single-{name}.txt", as_text((single, later)))


def test_the_same_incident_renders_the_same_bytes() -> None:
    """An edit is sent only when something changed, so rendering must not depend on when it happens."""
    assert renderer().incident(*cases.leak()) == renderer().incident(*cases.leak())


def test_evidence_gathered_a_minute_later_changes_nothing_that_is_shown() -> None:
    """A repeat look with the same facts must not edit every message of the thread."""
    view, report = cases.too_early()
    later = replace(report, facts=replace(report.facts, now=report.facts.now + timedelta(minutes=1)))

    assert renderer().incident(view, later) == renderer().incident(view, report)


@pytest.mark.parametrize(("confidence", "words"), [(0.9, "Likely a memory leak"), (0.7, "Looks like a leak"), (0.5, "Cannot tell why yet")])
def test_the_header_is_never_surer_than_the_evidence(confidence: float, words: str) -> None:
    """The wording of the verdict follows its confidence."""
    view, report = cases.leak()
    report = replace(report, cause=replace(report.cause, confidence=confidence))
    header = renderer().incident(view, report)[0].blocks[0]["text"]["text"]

    assert header.endswith(words)


def test_a_long_name_is_cut_in_the_middle_and_the_verdict_stays() -> None:
    """With a workload name of 253 characters the header still says what happened and why."""
    view, report = cases.leak()
    name = "payments-" + "reconciliation-" * 16 + "worker"
    who = cases.subject(name[:253], "c" * 63)
    report = replace(report, subject=who)
    messages = renderer().incident(replace(view, subject=who), report)
    header, text = messages[0].blocks[0]["text"]["text"], messages[0].text

    assert_good(messages)
    assert "OOMKilled x4" in header
    assert "leak" in header
    assert "payments" in header
    assert "likely leak" in text


def test_the_whole_lot_of_hits_is_in_the_header() -> None:
    """Fifty replicas dying is one incident, and the header says how many; one of twelve says that instead."""
    view, report = cases.leak()
    workload = replace(report.facts.workload, replicas_desired=50, siblings=())  # type: ignore[type-var]
    many = replace(report, facts=replace(report.facts, workload=workload))
    pods = tuple(f"orders-api-7d9c5b8f6d-{i:05d}" for i in range(49))
    header = renderer().incident(replace(view, pods=pods, kill_count=71), many)[0].blocks[0]["text"]["text"]
    workload = replace(report.facts.workload, replicas_desired=12, siblings=())  # type: ignore[type-var]
    one = replace(report, facts=replace(report.facts, workload=workload), cause=replace(report.cause, confidence=0.3))
    single = renderer().incident(view, one)[0].blocks[0]["text"]["text"]

    assert header == "🔴 orders-api: OOMKilled x71 on all 50 replicas. Likely a leak"
    assert "on 1 of 12 replicas" in single


def test_mentions_stand_in_the_first_text_and_block_only_when_configured() -> None:
    """A configured mention pings; a warning, a resolve and a probe kill never do."""
    mention = "<!subteam^S0123ABCD>"
    for case, pings in ((cases.leak, True), (cases.unknown, True), (cases.warning, False), (cases.not_oom, False), (cases.resolved, False)):
        view, report = case()
        messages = renderer().incident(replace(view, mention=mention), report)

        assert_good(messages, mention=mention)
        assert (mention in messages[0].text) is pings
        assert ("S0123ABCD" in json.dumps(messages[0].blocks)) is pings
        assert all(mention not in m.text for m in messages[1:])


def test_what_is_no_mention_cannot_become_one() -> None:
    """A malformed mention setting is dropped instead of being sent to Slack as it stands."""
    view, report = cases.leak()
    messages = renderer().incident(replace(view, mention="@oncall <https://evil.example|x> <!date^1^x|y>"), report)

    assert_good(messages)


def test_resolved_is_never_said_without_fixed_or_not() -> None:
    """Every resolved root says whether something was fixed, or that it is not known."""
    for case in cases.CASES.values():
        view, report = case()
        messages = renderer().incident(replace(view, state="resolved"), report)
        header = messages[0].blocks[0]["text"]["text"]

        assert_good(messages)
        assert "resolved" in header
        assert "fix" in header, header


def test_a_change_of_limit_shows_in_the_resolved_root() -> None:
    """When somebody raised the limit, the resolved message says so instead of "not fixed"."""
    view, report = cases.resolved()
    raised = Change(what="limit", at=view.opened_at, before_bytes=80 * 1024**2, after_bytes=160 * 1024**2, by="kubectl-set")
    root = renderer().incident(replace(view, fix=WatchedFix(number=1, since=raised.at, changes=(raised,))), report)[0]

    assert "alert resolved, limit raised to 160Mi: watching" in root.full_text
    assert "not fixed" not in root.full_text.lower()


def test_why_a_message_is_less_than_it_should_be_is_said() -> None:
    """Failed enrichment still gives the alert, with the reason in sight."""
    view, _ = cases.leak()
    root = renderer().incident(replace(view, notes=(said("gathering evidence failed: timeout after 10 s"),)), None)[0]

    assert_good((root,))
    assert "No diagnosis: Gathering evidence failed: timeout after 10 s." in root.full_text
    assert root.full_text.startswith("⚠️ OOMKilled (critical) is firing")


def test_times_of_another_day_carry_their_date() -> None:
    """A time of today is a clock time; of another day it has its date; shortly before midnight it needs none."""
    now = cases.at("00:10")

    assert str(when(cases.at("23:50", 22), now)) == "23:50 UTC"
    assert str(when(cases.at("00:05"), now)) == "00:05 UTC"
    assert str(when(cases.at("09:00", 22), now)) == "2026-11-22 09:00 UTC"
    assert str(when(cases.at("00:05", 20), now)) == "2026-11-20 00:05 UTC"


def test_an_earlier_incident_is_named() -> None:
    """When the same container was in trouble before, the grey line says when."""
    view, report = cases.leak()
    root = renderer().incident(replace(view, previous_id="inc_0", previous_opened_at=cases.at("14:00", 19)), report)[0]

    assert_good((root,))
    assert "Not the first time: the last incident began 2026-11-19 14:00 UTC." in root.full_text


def test_news_since_the_newest_kill_stand_in_the_grey_line() -> None:
    """An acknowledgement or a changed verdict is said; what happened before the newest kill is history."""
    view, report = cases.leak()
    log = (LogEntry(at=cases.at("02:00"), what=cases.RESOLVED_THEN), LogEntry(at=cases.at("03:16"), what=cases.ACKNOWLEDGED))
    root = renderer().incident(replace(view, log=log), report)[0]

    assert "03:16 UTC acknowledged by Ines" in root.full_text
    assert "alert resolved" not in root.full_text


def test_missing_evidence_is_named_with_its_reason() -> None:
    """What is not available stands in the grey line of the root, shortened, and in full in the thread."""
    view, report = cases.too_early()
    root, evidence, *_ = renderer().incident(view, report)

    assert "the log of the killed container (already removed by the runtime)" in root.full_text
    assert "The log of the killed container: already removed by the runtime." in evidence.full_text


class TestWhoseTheHintIs:
    """The on-call reads what is unknown; what only configuration can mend is for whoever operates the receiver."""

    GAPS = (
        Missing(
            source="traffic",
            why="none of the usual request counters exists: looked for ten",
            hint="set REQUEST_RATE_QUERY",
            is_configuration=True,
        ),
        Missing(source="silences", why="no Alertmanager is configured", hint="set ALERTMANAGER_URL", is_normal=True, is_configuration=True),
        Missing(source="pod", why="pod orders-1 is gone", hint="its controller replaced it"),
    )

    def _shown(self, *gaps: Missing) -> tuple[str, str, str]:
        """Root and evidence as the on-call reads them, and the report at a terminal."""
        view, report = cases.leak()
        report = replace(report, missing=gaps)
        root, evidence, *_ = renderer().incident(view, report)
        return root.full_text, evidence.full_text, " ".join(renderer().report_text(report).split())

    def test_thread_says_what_is_unknown_once_and_without_the_setting(self) -> None:
        """In short, and nothing of what is normally absent; what a person can act on stays."""
        root, thread, _ = self._shown(*self.GAPS)

        assert "Request rate: none of the usual request counters exists." in thread
        assert "The pod: pod orders-1 is gone. Its controller replaced it." in thread
        assert not {"REQUEST_RATE_QUERY", "ALERTMANAGER_URL", "Silences", "looked for ten"} & set(
            thread.replace(".", " ").replace(":", " ").split()
        )
        assert "equest rate" not in root
        assert "the pod (pod orders-1 is gone)" in root

    def test_terminal_of_the_operator_has_every_hint(self) -> None:
        """`triage` and `diagnose` are run by whoever may set it."""
        _, _, terminal = self._shown(*self.GAPS)

        assert "Set REQUEST_RATE_QUERY." in terminal
        assert "Set ALERTMANAGER_URL." in terminal

    def test_root_names_what_a_verdict_hangs_on(self) -> None:
        """Without any memory history the verdict says less, whoever could mend that."""
        root, _, _ = self._shown(
            Missing(source="history", why="no Prometheus is configured", hint="set PROMETHEUS_URL", is_configuration=True)
        )

        assert "memory history (no Prometheus is configured)" in root
        assert "PROMETHEUS_URL" not in root


def test_blocks_refused_leave_the_whole_message_as_text() -> None:
    """The plain form keeps every line, escaped, with no blocks."""
    view, report = cases.leak()
    root = renderer().incident(view, report)[0]
    plain = renderer().plain(replace(root, full_text=root.full_text + "\n<!channel> & more"))

    assert problems(plain.body()) == []
    assert plain.blocks == ()
    assert "Grew 20-21 MiB/h" in plain.text
    assert "&lt;!channel&gt; &amp; more" in plain.text


def test_a_chart_has_its_place_under_the_where_line() -> None:
    """An image given to the renderer stands third, as readers learn the map once."""
    view, report = cases.leak()
    chart = {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "Memory of orders-api"}
    root = renderer().incident(view, report, chart=chart)[0]

    assert_good((root,))
    assert root.blocks[2] == chart


def test_slack_lines_are_bodies_with_two_extra_keys() -> None:
    """`-o slack` prints what chat.postMessage takes, plus slot and thread, root first."""
    lines = renderer().slack_lines(renderer().incident(*cases.leak()))

    assert [(line["slot"], line["thread"]) for line in lines] == [("root", False), ("evidence", True), ("checklist", True), ("patch", True)]
    assert all(set(line) == {"slot", "thread", "text", "blocks", "unfurl_links", "unfurl_media"} for line in lines)


@pytest.mark.parametrize("name", ["a-leak", "b-too-early", "h-node"])
def test_a_report_reads_well_in_a_terminal(name: str, golden: Golden) -> None:
    """`triage -o text` shows everything, in lines that fit."""
    _, report = cases.CASES[name]()
    assert isinstance(report, Report)
    text = renderer().report_text(report, verbose=True)

    assert max(len(line) for line in text.splitlines()) <= 110
    assert "\x1b" not in text
    golden(f"slack/terminal-{name}.txt", text)


def test_an_incident_without_alerts_can_be_shown() -> None:
    """`triage` has no alert: a healthy pod gets an honest sentence and no warning sign."""
    _, report = cases.warning()
    assert report.shape is not None
    calm = replace(report, facts=replace(report.facts, alerts=()), shape=replace(report.shape, current_bytes=cases.mib(10)))
    text = renderer().report_text(calm)

    assert text.startswith("ℹ️ orders-api: no kill for memory in what could be read")


def test_a_kill_without_times_or_limit_is_shown_without_holes() -> None:
    """When the container's end has no times and no limit is known, the lines leave them out."""
    view, report = cases.leak()
    bare = replace(
        report,
        shape=None,
        kill=replace(report.kill, at=None, started_at=None, exit_code=None, restarts=None),
        facts=replace(report.facts, pod=None),
    )
    messages = renderer().incident(replace(view, last_kill_at=None, first_kill_at=None, kill_count=0), bare)

    assert_good(messages)
    assert "None" not in as_text(messages)
    assert "Killed (OOMKilled)." in messages[0].full_text


def test_who_killed_it_is_not_guessed() -> None:
    """A SIGKILL whose sender nobody knows: probably no OOM, said with that word, and nobody is called "unknown"."""
    view, report = cases.not_oom()
    report = replace(
        report,
        kill=replace(report.kill, sender=Sender.UNKNOWN, is_sure=False, because=(reason("death.between_scrapes"),)),
        proposal=replace(report.proposal, none=reason("advice.probably_not_an_oom")),
    )
    root = renderer().incident(view, report)[0]

    assert "probably not an OOM (exit 137)" in root.full_text
    assert "probably NOT an OOM" in root.text
    assert "nknown killed" not in root.full_text + root.text
    assert "would probably not help" in root.full_text
    assert problems(root.body()) == []
