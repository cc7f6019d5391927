"""What a pull request says: plainly what it is, and of foreign text nothing but text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from receiver.domain.change_request import FIX, TRIM
from receiver.domain.reason import reason
from receiver.domain.report import Report
from receiver.render.request import fingerprint_in, fingerprint_of, plain, request_text, safe_name, with_fingerprint
from receiver.render.samples import samples
from tests.golden import Golden

HOSTILE = "fixes #1 @acme/owners closes acme/x#2 GH-3 !4 <img src=x> ![p](https://evil.example/p.png) [a](b) `c` https://evil.example/issues/5 /merge"


def report_of(name: str) -> Report:
    """A made-up report."""
    return next(s.report for s in samples() if s.name == name and s.report is not None)


def harmless(text: str) -> None:
    """Nothing in it that a forge acts on."""
    for pattern in (r"@\w", r"#\d", r"!\d", r"GH-\d", r"<\w", r"(?<!\\)\]\(", "://evil", r"^/\w"):
        assert not re.search(pattern, text, re.MULTILINE | re.IGNORECASE), pattern


@pytest.mark.parametrize("name", ["leak", "limit_too_low"])
def test_the_whole_text(name: str, golden: Golden) -> None:
    """As reviewers read it."""
    place = reason("request.why_plain", path="clusters/prod/api.yaml")
    text = request_text(report_of(name), "inc_1", purpose=FIX, place=place, page_url="https://triage.example/incidents/inc_1", kills=4)

    golden(f"request/{name}.md", f"{text.title}\n\n{text.commit}\n\n{text.body}\n")


def test_a_leaks_request_cures_nothing_and_says_so() -> None:
    """In its first line, and in the commit."""
    text = request_text(report_of("leak"), "inc_1", purpose=FIX, place=None, page_url="", kills=4)

    assert text.body.startswith("**Stop-gap, not a fix")
    assert "cures nothing" in text.commit
    assert "://" not in text.body


def test_foreign_text_is_text() -> None:
    """In names, and in whatever a sentence quotes."""
    report = report_of("leak")
    subject = replace(report.subject, namespace=HOSTILE, container=HOSTILE, workload=replace(report.subject.workload, name=HOSTILE))  # type: ignore[type-var]
    report = replace(report, subject=subject)
    place = reason("request.why_plain", path=HOSTILE)
    for purpose in (FIX, TRIM):
        text = request_text(report, HOSTILE, purpose=purpose, place=place, page_url="", kills=4)
        for part in (text.title, text.commit, text.body):
            harmless(part)
    harmless(plain(HOSTILE))
    harmless(plain("/close"))
    harmless(safe_name(HOSTILE))


def test_a_commit_of_ours_is_known_again() -> None:
    """And anybody else's is not."""
    mark = fingerprint_of([("a", "b")])

    assert fingerprint_in(with_fingerprint("Raise", mark)) == mark
    assert fingerprint_in("Raise it myself") == ""
    assert fingerprint_of([("a", "c")]) != mark
