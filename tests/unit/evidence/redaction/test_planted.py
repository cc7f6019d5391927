"""No planted secret survives redaction, in any shape; what only looks like one stays as it was."""

from __future__ import annotations

import json

import pytest

from receiver.evidence.redaction import KINDS, RedactionConfig, Redactor
from tests.checks.planted_secrets import BENIGN, PLANTED, PLANTED_ARGS, PLANTED_ENV, Planted, PlantedEnv, leaks, made_up, planted_log

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
    value, counts = REDACTOR.redact_env(variable.name, variable.value)

    assert variable.secret not in value
    assert sum(counts.values()) == 1


@pytest.mark.parametrize(("args", "secret"), PLANTED_ARGS, ids=lambda a: a[0] if isinstance(a, tuple) else "")
def test_command_line_is_redacted(args: tuple[str, ...], secret: str) -> None:
    """Also the argument that follows a flag, in a list of its own."""
    redacted, counts = REDACTOR.redact_args(args)

    assert secret not in " ".join(redacted)
    assert sum(counts.values()) == 1
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


def test_a_pod_object() -> None:
    """A whole Pod: env entries, command lines, annotations with JSON in them, and nothing else changed."""
    env = [{"name": e.name, "value": e.value} for e in PLANTED_ENV]
    pod = {
        "kind": "Pod",
        "metadata": {
            "name": "orders-api-7d8f9c6b5d-x2x9z",
            "uid": "123e4567-e89b-12d3-a456-426614174000",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"containers": [{"env": env}]}}),
                "note": PLANTED[0].text,
            },
        },
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": "registry.lab.local/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "env": [
                        *env,
                        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token"}}},
                        {"value": made_up("rev", 9), "name": "PASSWORD"},
                    ],
                    "args": list(PLANTED_ARGS[0][0]),
                    "command": list(PLANTED_ARGS[3][0]),
                    "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "X-Api-Key", "value": made_up("probe", 30)}]}},
                }
            ],
            "imagePullSecrets": [{"name": "regcred"}],
            "volumes": [{"name": "db-secret", "secret": {"secretName": "db", "defaultMode": 420}}],
            "automountServiceAccountToken": False,
        },
    }

    redacted, counts = REDACTOR.redact_json(pod)
    text = json.dumps(redacted)

    assert leaks(text) == ()
    assert made_up("rev", 9) not in text
    assert made_up("probe", 30) not in text
    assert sum(counts.values()) >= 2 * len(PLANTED_ENV) + 4
    spec, container = redacted["spec"], redacted["spec"]["containers"][0]
    assert container["image"] == pod["spec"]["containers"][0]["image"]  # type: ignore[index]
    assert container["env"][-2]["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "token"}}
    assert container["args"] == ["/bin/app", "--password", "[redacted password]", "--port", "80"]
    assert {k: spec[k] for k in ("imagePullSecrets", "volumes", "automountServiceAccountToken")} == {
        k: pod["spec"][k]  # type: ignore[index]
        for k in ("imagePullSecrets", "volumes", "automountServiceAccountToken")
    }


def test_every_kind_is_shown() -> None:
    """Every kind of the documented list is produced by something planted, except the two that are switched on."""
    produced = {k for p in PLANTED for k in REDACTOR.redact(p.text)[1]}

    assert produced == {kind for kind, _ in KINDS} - {"e-mail", "card number"}
