"""What doctor is built of, and that a running receiver examines once at a time."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

import pytest

from receiver.app import doctor
from receiver.app.doctor import KEPT_S, DoctorDesk, Here, diagnose, make_site
from receiver.settings import load_settings
from receiver.settings.load import read_settings
from tests.support import Clock


def test_an_answer_serves_all_who_ask_within_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is loaded again and again asks nobody again."""
    made = itertools.count(1)
    monkeypatch.setattr(doctor, "diagnose", lambda settings, here: {"n": next(made)})
    clock = Clock()
    desk = DoctorDesk(load_settings({}), Here, monotonic=clock.monotonic)
    first, second = desk.answer(), desk.answer()
    clock.advance(KEPT_S + 1)

    assert (first, second, desk.answer()) == ({"n": 1}, {"n": 1}, {"n": 2})


def test_nobody_waits_behind_an_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would hold one of the server's threads, which alerts need: the answer before is theirs, or none."""
    monkeypatch.setattr(doctor, "WAIT_S", 0.05)
    begun, go_on = threading.Event(), threading.Event()
    answers = iter(range(10))

    def slow(settings: Any, here: Any) -> dict[str, Any]:
        begun.set()
        go_on.wait(20)
        return {"n": next(answers)}

    monkeypatch.setattr(doctor, "diagnose", slow)
    clock = Clock()
    desk = DoctorDesk(load_settings({}), Here, monotonic=clock.monotonic)
    seen = []
    for _ in range(2):
        begun.clear()
        go_on.clear()
        one = threading.Thread(target=desk.answer)
        one.start()
        assert begun.wait(20)
        seen.append(desk.answer())
        go_on.set()
        one.join(20)
        clock.advance(KEPT_S + 1)

    assert seen == [None, {"n": 0}]


def test_everything_that_serve_would_refuse_is_told_at_once() -> None:
    """Parse errors, contradictions, and what is only found when things are built."""
    settings, problems = read_settings(
        {"WORKERS": "many", "LISTEN": "0.0.0.0:1", "STORE_URL": "x", "SLACK_CHANNEL": "C1", "MAX_BODY": "-1"}
    )
    site = make_site(settings, Here(problems=problems, environ={}, mounts=""))

    named = [text.split()[0].rstrip(":") for text in site.own.problems]
    assert named == ["MAX_BODY", "WORKERS", "LISTEN", "STORE_URL", "SLACK_CHANNEL"]
    site.close()


@pytest.mark.parametrize(
    "environ",
    [
        {"STORE_URL": "postgresql://oom:planted-secret@db/x"}, {"STORE_URL": "sqlite:///"}, {"PROMETHEUS_URL": "http://user:planted/secret@p:9090"},
        {"KUBE_API_URL": "ftp://planted-secret@x"}, {"SLACK_WEBHOOK_URL": "https://hooks.slack.invalid/services/planted-secret"},
        {"PROMETHEUS_HEADERS": "Authorization: planted-secret", "PROMETHEUS_URL": "http://127.0.0.1:9"},
        {"SLACK_BOT_TOKEN": "xoxb-planted-secret", "SLACK_CHANNEL": "C1", "SLACK_API_URL": "http://127.0.0.1:9"},
        {"ALERTMANAGER_URL": "http://admin:planted-secret@127.0.0.1:9/x?token=planted-secret"},
    ],
    ids=lambda environ: next(iter(environ)),
)  # fmt: skip
def test_whatever_is_set_there_is_an_answer_without_a_secret(environ: dict[str, str]) -> None:
    """Settings that `serve` would refuse, addresses that hold passwords."""
    settings, problems = read_settings({"KUBE_API_URL": "http://127.0.0.1:9", **environ})
    found = diagnose(settings, Here(problems=problems, environ={}, mounts=""))

    assert {check["id"].partition("/")[0] for check in found["checks"]} >= {"settings", "store", "versions"}
    assert "doctor.broken" not in {check["code"] for check in found["checks"]}
    assert "planted" not in json.dumps(found)


def test_proxies_of_the_environment_are_shown_without_passwords() -> None:
    """In either case, as programs read them."""
    environ = {"https_proxy": "http://user:planted@proxy:3128", "NO_PROXY": "10.0.0.0/8", "HTTP_PROXY": ""}
    site = make_site(load_settings({}), Here(environ=environ, mounts=""))

    assert site.own.proxies == {"https_proxy": "http://user:****@proxy:3128", "NO_PROXY": "10.0.0.0/8"}
    site.close()
