"""No planted secret survives redaction, in any shape; what only looks like one stays as it was."""

from __future__ import annotations

import pytest

from receiver.evidence.clean import Cleaner
from receiver.evidence.redaction import KINDS, RedactionConfig, Redactor
from tests.checks.planted_secrets import BENIGN, PLANTED, PLANTED_ARGS, PLANTED_ENV, Planted, PlantedEnv, leaks, planted_log

REDACTOR = Redactor()
EVERYTHING = Redactor(RedactionConfig(emails=True, cards=True))


def test_enough_is_planted() -> None:
    """The harness holds what it promises: 100 secrets of 20 kinds, 60 benign lines, no secret in two places."""
    secrets = [s for p in PLANTED for s in p.secrets]

    assert len(PLANTED) >= 100
    assert len({p.kind for p in PLANTED}) >= 20
    assert len(set(BENIGN)) >= 60
    assert len(set(secrets)) == len(secrets)
    assert all(s in p.text for p in PLANTED for s in p.secrets)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: p.id)
def test_planted_secret_is_redacted(planted: Planted) -> None:
    """Nothing of the secret is left, not even its last six characters, and it is counted."""
    text, counts = REDACTOR.redact(planted.text)

    assert not [s for s in planted.secrets if s in text or s[-6:] in text]
    assert sum(counts.values()) == text.count("[redacted ") >= 1
    assert set(counts) <= {kind for kind, _ in KINDS}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: p.id)
def test_second_pass_changes_nothing(planted: Planted) -> None:
    """What is redacted already is neither redacted nor counted again."""
    once, _ = EVERYTHING.redact(planted.text)

    assert EVERYTHING.redact(once) == (once, {})


@pytest.mark.parametrize("variable", PLANTED_ENV, ids=lambda e: e.name)
def test_variable_is_redacted(variable: PlantedEnv) -> None:
    """A variable's secret goes by the variable's name, or by the shape of its value."""
    clean = Cleaner(REDACTOR.redact)
    value = clean.pair(variable.name, variable.value)

    assert variable.secret not in value
    assert clean.counts.total() >= 1


@pytest.mark.parametrize(("args", "secret"), PLANTED_ARGS, ids=lambda a: a[0] if isinstance(a, tuple) else "")
def test_command_line_is_redacted(args: tuple[str, ...], secret: str) -> None:
    """Also the argument that follows a flag, in a list of its own."""
    clean = Cleaner(REDACTOR.redact)
    redacted = clean.object({"args": list(args)})["args"]

    assert secret not in " ".join(redacted)
    assert clean.counts.total() >= 1
    assert len(redacted) == len(args)


@pytest.mark.parametrize("line", BENIGN)
def test_benign_line_stays(line: str) -> None:
    """Shas, ids, digests, counts and words about secrets are not touched."""
    assert Redactor(RedactionConfig(cards=True)).redact(line) == (line, {})


def test_a_whole_log() -> None:
    """All of them in one log: none is left, and the ordinary lines stay, but for the one between a key without its end and a key's end."""
    text, counts = REDACTOR.redact(planted_log())

    assert leaks(text) == ()
    assert leaks(planted_log())[: len(PLANTED)] == tuple(p.id for p in PLANTED)
    assert text.count("INFO orders: GET /orders 200 cache_entries=") == len(PLANTED) - 1
    assert sum(counts.values()) >= len(PLANTED) - 1


def test_every_kind_is_shown() -> None:
    """Every kind of the documented list is produced by something planted, except the two that are switched on."""
    produced = {k for p in PLANTED for k in REDACTOR.redact(p.text)[1]}

    assert produced == {kind for kind, _ in KINDS} - {"e-mail", "card number"}
