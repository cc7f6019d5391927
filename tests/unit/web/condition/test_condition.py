"""/health and /doctor: what they show, and dead letters that are replayed or dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app.build import Application, build
from receiver.domain.incident import Message
from receiver.settings import load_settings
from receiver.store import conversations, jobs, outbox

SECRET, PASSWORD = "xoxb-planted-secret-token", "planted-password"
HOSTILE = "<script>alert(1)</script>\u202e<!channel>"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Application]:
    """With both tokens, two dead messages and a dead job; not started."""
    environ = {
        "STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", "ADMIN_TOKEN": "planted-admin-token", "READ_TOKEN": "r",
        "SLACK_BOT_TOKEN": SECRET, "SLACK_CHANNEL": "C1", "PROMETHEUS_URL": f"http://me:{PASSWORD}@127.0.0.1:9",
        "WEEKLY_SUMMARY": "mon 9:00",
    }  # fmt: skip
    made = build(load_settings(environ))
    with made.store.write() as tx:
        for channel in ("C1", HOSTILE):
            one = conversations.open_new(
                tx, kind="notice", incident_id=None, sink="slack", channel=channel, mention="", now=made.store.now()
            )
            outbox.desire(tx, one.id, Message(slot="root", text="x"), now=made.store.now())
        tx.run("UPDATE message SET state = 'dead', last_error = :error", error=f"channel_not_found {HOSTILE}")
        jobs.schedule(tx, "publish", "inc_01", now=made.store.now())
        tx.run("UPDATE job SET state = 'dead', last_error = 'ValueError: x'")
    yield made
    made.close()


def _client(receiver: Application, token: str = "planted-admin-token") -> FlaskClient:
    client = receiver.web.test_client()
    client.post("/login", data={"token": token, "next": "/"})
    return client


def _csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/health").text)
    assert found is not None
    return found[1]


def _dead(receiver: Application) -> int:
    return receiver.store.dead_letters()


def _message_ids(receiver: Application) -> list[str]:
    with receiver.store.read() as tx:
        return [row["id"] for row in outbox.dead(tx)]


def test_the_page_has_the_condition_and_no_secret(receiver: Application) -> None:
    """Parts, queue, dead letters, and each setting with where it comes from."""
    text = _client(receiver).get("/health").text

    for words in (
        "An alert posted now would be stored",
        "sink slack",
        "channel_not_found",
        "job publish",
        "Messages not arrived yet",
        "Mon 09:00",
    ):
        assert words in text, words
    for secret in (SECRET, PASSWORD, "planted-admin-token"):
        assert secret not in text
    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_a_dead_letter_is_replayed_or_dropped(receiver: Application) -> None:
    """The one that was meant; then all."""
    client = _client(receiver)
    first, _ = _message_ids(receiver)
    csrf = _csrf(client)
    replayed = client.post("/health/replay", data={"csrf": csrf, "id": first})
    after_one = _dead(receiver)
    dropped = client.post("/health/drop", data={"csrf": csrf, "id": "all", "sure": "yes"})

    assert (replayed.status_code, replayed.headers["Location"]) == (303, "/health?said=replayed&n=1#dead")
    assert after_one == 2
    assert dropped.headers["Location"] == "/health?said=dropped&n=2#dead"
    assert _dead(receiver) == 0
    assert "2 dropped." in client.get("/health?said=dropped&n=2").text


def test_a_job_is_replayed_by_its_id(receiver: Application) -> None:
    """As `oomtriage dead replay job-ID` does."""
    client = _client(receiver)
    with receiver.store.read() as tx:
        (row,) = jobs.dead(tx)
    client.post("/health/replay", data={"csrf": _csrf(client), "id": f"job-{row['id']}"})

    assert _dead(receiver) == 2


def test_dropping_needs_to_be_meant(receiver: Application) -> None:
    """By its own step; what names no letter, or one that is gone, changes nothing."""
    client = _client(receiver)
    csrf = _csrf(client)

    assert client.post("/health/drop", data={"csrf": csrf, "id": "all"}).status_code == 400
    assert client.post("/health/drop", data={"csrf": csrf, "sure": "yes"}).status_code == 400
    assert client.post("/health/replay", data={"csrf": csrf}).status_code == 400
    assert client.post("/health/replay", data={"csrf": csrf, "id": "gone"}).headers["Location"] == "/health?said=none&n=0#dead"
    assert _dead(receiver) == 3


def test_foreign_forms_and_readers_change_nothing(receiver: Application) -> None:
    """A reader has no form, and none of another page's counts."""
    admin, reader = _client(receiver), _client(receiver, "r")
    text = reader.get("/health").text
    word = re.search(r'name="csrf" value="([0-9a-f]+)"', text)
    assert word is not None

    assert "/health/replay" not in text
    assert reader.post("/health/replay", data={"csrf": word[1], "id": "all"}).status_code == 403
    assert admin.post("/health/drop", data={"id": "all", "sure": "yes"}).status_code == 403
    assert admin.post("/health/drop", data={"csrf": word[1], "id": "all", "sure": "yes"}).status_code == 403
    assert _dead(receiver) == 3


def test_a_stranger_sees_nothing(receiver: Application) -> None:
    """Neither condition nor doctor."""
    client = receiver.web.test_client()

    assert [client.get(path).status_code for path in ("/health", "/doctor", "/rules")] == [401, 401, 401]


def test_the_doctor_is_a_page_too(receiver: Application) -> None:
    """What the command says, problems first, without a secret."""
    text = _client(receiver).get("/doctor").text

    assert "kubernetes" in text
    assert text.index("badge-problem") < text.index("badge-ok")
    assert PASSWORD not in text
