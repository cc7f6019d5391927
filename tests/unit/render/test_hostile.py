"""Untrusted text: labels, annotations, logs, events, names and reasons of any content cannot ping or break a message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.domain.case import Missing
from receiver.domain.facts import EventFact, LogFacts
from receiver.domain.incident import DigestEntry, DigestView, Message
from receiver.domain.incident_memory import LogEntry
from receiver.domain.reason import reason
from receiver.domain.report import CheckItem, Report, Warn
from receiver.render import blocks
from receiver.render.text import clean_block, clean_line, cut_middle, cut_sentences, escape_mrkdwn, unescape_mrkdwn
from tests.checks.slack_limits import budget_problems, problems
from tests.support import said
from tests.unit.render import cases
from tests.unit.render.test_renderer import assert_good, renderer

NASTY = (
    "<!channel>", "<!here|x>", "<@U012AB3CD>", "<!subteam^S012AB|@oncall>", "<https://evil.example|click me>", "```", "`x`", "*bold* _it_ ~s~",
    "&amp; &lt;!channel&gt; &", "\x1b[31mred\x1b[0m", "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "\u202egnp.exe\u202c", "\u2066x\u2069", "\ud800", "a\udfffb",
    "🔴⚠️👩‍👩‍👧‍👦", "\x00\x02c\x1fforged\x03", "do: rm -rf /", "header: x\ntext: y", "{{ 7 * 7 }}{% raw %}", "\r\nline\rline\u2028line", "ا" * 50, "e\u0301" * 300,
    ":tada: @here @channel #general", "\U000e0041\U000e007f", "\u200b\u2060", " ", "", "x" * 5000, "\t\t", "None",
)  # fmt: skip
text = st.one_of(st.sampled_from(NASTY), st.lists(st.sampled_from(NASTY), min_size=2, max_size=4).map(" ".join), st.text(max_size=200))
CHEAP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def poisoned(report: Report, t: list[str]) -> Report:
    """The report with foreign text wherever foreign text can stand."""
    who = replace(
        report.subject,
        namespace=t[0],
        pod=t[1],
        container=t[2],
        cluster=t[3],
        workload=replace(report.subject.workload, name=t[4], kind=t[5]) if report.subject.workload else None,
    )
    facts = replace(
        report.facts, subject=who, log=LogFacts(container=t[2], lines=tuple(t)), redactions={t[6]: 3},
        events=tuple(EventFact(object_kind="Pod", object_name=x, reason=x, message=x, count=2) for x in t[:4]),
        pod=replace(report.facts.pod, name=t[1], reason=t[7], message=t[8], qos_class=t[9]) if report.facts.pod else None,
    )  # fmt: skip
    return replace(
        report, subject=who, facts=facts, missing=tuple(Missing(source=x, why=x, hint=x) for x in t[:5]),
        kill=replace(report.kill, reason=t[0], because=tuple(reason("death.event", message=x) for x in t[:3])),
        cause=replace(report.cause, because=tuple(said(x) for x in t[2:5]), against=tuple(said(x) for x in t[5:7]), detail=report.cause.detail),
        checklist=tuple(CheckItem(id=x, state="todo", result=said(x)) for x in t[:9]),
        proposal=replace(report.proposal, why=said(t[3]), patch=t[4], diff=t[5], commands=tuple(t[6:8]), caveats=tuple(said(x) for x in t[:3]), checks=tuple(said(x) for x in t[3:5])),
        warnings=tuple(Warn(id=x, mistake=said(x)) for x in t[:3]),
    )  # fmt: skip


@given(st.sampled_from(sorted(cases.CASES)), st.lists(text, min_size=10, max_size=10))
@CHEAP
def test_no_text_from_outside_pings_or_breaks_a_message(name: str, t: list[str]) -> None:
    """Every message of every kind stays valid, escaped and within budget, whatever the cluster calls its things."""
    view, report = cases.CASES[name]()
    labels = {"alertname": t[0], "severity": t[1]} | {f"l{i}{x}": x for i, x in enumerate(t)}
    seen = replace(view.alerts[0], labels=labels, annotations={x or "empty": x for x in t})
    view = replace(
        view,
        alerts=(seen,),
        log=tuple(LogEntry(at=view.opened_at, what=said(x)) for x in t[:3]),
        notes=(said(t[2]),),
        settings_change=said(t[3]),
    )
    if report is not None:
        report = poisoned(report, t)
        view = replace(view, subject=report.subject)
    for state in ("firing", "resolved"):
        messages = renderer().incident(replace(view, state=state), report)
        assert_good(messages)
        assert not any("could not be shown" in m.full_text for m in messages)
    assert_good((renderer().single(view, report), renderer().later(view, report)), is_single=True)
    if report is not None:
        assert "\x1b" not in renderer().report_text(report, verbose=True)


@given(st.lists(text, min_size=8, max_size=8), st.integers(1, 200))
@CHEAP
def test_no_name_breaks_a_digest(t: list[str], n: int) -> None:
    """A storm of workloads with any names stays within the limits of root and pages."""
    entries = tuple(
        DigestEntry(
            incident_id=t[0], subject=replace(cases.subject(t[i % 8] + str(i)), namespace=t[(i + 1) % 8]), cause=t[i % 3] or "leak", summary=said(t[(i + 2) % 8]),
            node=t[3], image=t[4], page_url=f"https://example.net/{i}",
        )
        for i in range(n)
    )  # fmt: skip
    view = DigestView(id="d", opened_at=cases.NOW, now=cases.NOW, entries=entries, cluster=t[5])

    assert_good(renderer().digest(view))


def test_a_megabyte_in_one_line_is_cut_and_quick() -> None:
    """A log line, a label and an annotation of 1 MB each leave a valid message that says that something was cut."""
    view, report = cases.leak()
    huge = "<!channel> " + "A" * 1_000_000
    report = poisoned(report, [huge] * 10)
    seen = replace(view.alerts[0], labels={"alertname": huge, "x": huge}, annotations={"summary": huge})
    for messages in (renderer().incident(view, report), renderer().incident(replace(view, alerts=(seen,)), None)):
        assert_good(messages)
        assert sum(blocks.visible(m.blocks) for m in messages) < 10_000
    assert len(renderer().single(view, report).full_text) < 12_000


def test_ten_thousand_log_lines_and_forty_annotations_fit() -> None:
    """However much there is, each message keeps its budget."""
    view, report = cases.child()
    report = replace(
        report, facts=replace(report.facts, log=LogFacts(container="c", lines=tuple(f"line {i} " * 30 for i in range(10_000))))
    )
    seen = replace(
        view.alerts[0],
        annotations={f"annotation_{i}": "words " * 200 for i in range(40)},
        labels={f"label_{i}": "v" * 300 for i in range(60)},
    )

    assert_good(renderer().incident(view, report))
    assert_good(renderer().incident(replace(view, alerts=(seen,)), None))


@given(text)
@CHEAP
def test_cleaned_text_is_one_visible_line(value: str) -> None:
    """A cleaned line has no line break, control character, escape sequence or lone surrogate, and cleaning again changes nothing."""
    cleaned = clean_line(value)

    cleaned.encode("utf-8")
    assert "\n" not in cleaned
    assert all(c == " " or c.isprintable() or ord(c) > 127 for c in cleaned)
    assert clean_line(cleaned) == cleaned
    assert problems({"text": "x", "blocks": [blocks.rich(blocks.preformatted(clean_block(value) or "-"))]}) == []


@given(text, st.integers(3, 200))
@CHEAP
def test_cuts_keep_their_limit(value: str, limit: int) -> None:
    """Whatever is cut is not longer than asked for, counted in code points before escaping."""
    assert len(cut_middle(value, limit)) <= limit
    assert len(cut_sentences(value, limit)) <= limit
    assert len(clean_line(value, limit)) <= limit


@given(st.text(max_size=300))
@CHEAP
def test_escaping_is_reversible_and_leaves_nothing_to_parse(value: str) -> None:
    """The top-level text says the same after Slack has read it."""
    assert unescape_mrkdwn(escape_mrkdwn(value)) == value
    assert "<" not in escape_mrkdwn(value)


@pytest.mark.parametrize(
    "body",
    [
        {"text": "<!channel> x"},
        {"text": "a & b"},
        {"text": "ok", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": " "}]}]}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}]}]},
        {"text": "ok", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151, "emoji": False}}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": []}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "\u202e"}]}]}]},
        {"text": ""},
        {"text": "ok", "blocks": [{"type": "divider"}] * 51},
        {"text": "ok", "blocks": [{"type": "markdown", "text": "x"}]},
        {"text": "ok", "attachments": [{"text": "<!channel>"}]},
        {"text": "ok", "link_names": True},
        {"text": "ok", "blocks": [{"type": "section", "fields": [{"type": "plain_text", "text": "x", "emoji": False}] * 11}]},
        {"text": "ok", "blocks": [{"type": "image", "image_url": "https://x.example/y.png"}]},
        {"text": "ok", "blocks": [{"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x" * 76}}]}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "date", "timestamp": 1, "format": "{time}"}]}]}]},
        {"text": "ok", "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "javascript:x"}]}]}]},
        {"text": "ok", "blocks": [{"type": "divider", "block_id": "x"}] * 2},
    ],
)  # fmt: skip
def test_the_checker_finds_what_it_is_there_for(body: dict[str, object]) -> None:
    """Each rule of the checker fails on an example of what it forbids."""
    assert problems(body) != []


def test_the_checker_counts_budgets() -> None:
    """A root that is too long is found."""
    long = blocks.rich(blocks.section("word " * 200))
    message = Message(slot="root", text="x" * 121, blocks=(long,))

    assert len(budget_problems("root", message.body())) == 2
