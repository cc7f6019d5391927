"""What holds for every text: a second pass changes nothing, lines stay lines, marks are all that is added, numbers stay."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.evidence.redaction import KINDS, RedactionConfig, Redactor
from tests.checks.planted_secrets import BENIGN, PLANTED
from tests.checks.secret_forms import benign, forms

REDACTOR = Redactor()
EVERYTHING = Redactor(RedactionConfig(emails=True, cards=True, patterns=(("order", r"ORD-\d{6}"),), allow=(r"build-\w+",)))
LONGEST_MARK = max(len(f"[redacted {kind}]") for kind, _ in KINDS)

FORMS = st.sampled_from([f.text for f in (*forms("development"), *forms("heldout"))] + [p.text for p in PLANTED])
LINES = st.sampled_from([*benign("development"), *benign("heldout"), *BENIGN])
PIECES = st.one_of(
    FORMS,
    LINES,
    st.sampled_from(["\n", "\r\n", "\t", " ", "=", ": ", '"', "'", "\\", "password", "token=", "[redacted token]", "[redacted ", "key", "{", "<a>", "\x1b[1m", "\u200b", "%25"]),
    st.text(max_size=12),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.lists(PIECES, max_size=6).map("\n".join)
NOISE = st.text(alphabet="pasword=: \"'\\\n{}[]()-,;&@/.0aA|<>%_*$#\x1b\u200b", max_size=120)


@settings(max_examples=300, deadline=None)
@given(TEXTS | NOISE)
def test_second_pass_changes_nothing(text: str) -> None:
    """What was redacted is neither redacted nor counted again, whatever stands around it."""
    once, _ = EVERYTHING.redact(text)

    assert EVERYTHING.redact(once) == (once, {})


@settings(max_examples=300, deadline=None)
@given(TEXTS | NOISE)
def test_lines_stay_lines(text: str) -> None:
    """As many line ends after as before: stamps, line numbers and excerpts go on fitting."""
    shown, counts = EVERYTHING.redact(text)

    assert shown.count("\n") == text.count("\n")
    assert counts or shown == text


@settings(deadline=None)
@given(TEXTS | NOISE)
def test_nothing_is_added_but_marks(text: str) -> None:
    """It grows by its marks at most, each of which is counted."""
    shown, counts = REDACTOR.redact(text)

    assert len(shown) <= len(text) + sum(counts.values()) * LONGEST_MARK
    assert shown.count("[redacted ") - text.count("[redacted ") <= sum(counts.values())


NUMBERS = st.one_of(
    st.integers(0, 10**12).map(str),
    st.integers(1, 9999).map(lambda n: f"{n}Mi"),
    st.floats(0, 1e9, allow_nan=False).map(lambda x: f"{x:.3f}"),
    st.integers(0, 2**63).map(hex),
    st.uuids().map(str),
    st.binary(min_size=20, max_size=20).map(bytes.hex),
    st.binary(min_size=32, max_size=32).map(lambda b: f"sha256:{b.hex()}"),
    st.datetimes().map(lambda d: f"{d:%Y-%m-%dT%H:%M:%S.%f}Z"),
)
NAMES = st.sampled_from(
    ["rss", "limit", "tokens", "pid", "exit_code", "commit", "uid", "trace_id", "image", "offset", "max_tokens", "pass", "fail", "at", "usage_bytes", "key_count"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NAMES, st.sampled_from(["=", ": ", " "]), NUMBERS), min_size=1, max_size=6))
def test_numbers_and_ids_stay(fields: list[tuple[str, str, str]]) -> None:
    """Amounts, ids, hashes and times that a diagnosis and its reader live on."""
    fields = [(n, s, v) for n, s, v in fields if n not in {"tokens", "pass"} or (len(v) < 14 and v.replace(".", "").isdigit())]
    line = " ".join(f"{name}{sign}{value}" for name, sign, value in fields)

    assert REDACTOR.redact(line) == (line, {})
