"""POST /slack/actions: nothing is read before the signature fits; a click is written down once and answered at once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.domain.incident_memory import IncidentMemory
from receiver.errors import PayloadError, StoreError
from receiver.pipeline.actions import RIGHTS, Permissions
from receiver.pipeline.fold import FoldConfig, fold
from receiver.pipeline.presses import acts
from receiver.settings import load
from receiver.store import conversations, incident_lists, incidents, jobs
from receiver.web.slack_actions import is_signed, payload_of
from tests.support import alert
from tests.unit.web.test_intake import Site

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class Slack(Site):
    """A site with one incident, and a Slack that signs what it sends."""

    def __init__(self, path: Path, **overrides: Any) -> None:
        super().__init__(path, **{"slack_signing_secret": SECRET, **overrides})
        self.store.accept([alert()])
        fold(self.store, FoldConfig())
        with self.store.write() as tx:
            self.id = incident_lists.newest(tx, 1)[0].id
            jobs.cancel(tx, self.id)
        self.wakes = 0

    @property
    def memory(self) -> IncidentMemory:
        with self.store.read() as tx:
            found = incidents.load(tx, self.id)
        assert found is not None
        return found.memory

    def send(self, body: bytes, *, stamp: str = "", signature: str = "", at: float | None = None) -> int:
        stamp = stamp or str(int(self.clock.now() if at is None else at))
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature or sign(stamp, body)}
        answer = self.client.post("/slack/actions", data=body, headers=headers, content_type="application/x-www-form-urlencoded")
        return answer.status_code

    def press(self, action: str, *, ts: str = "1.1", menu: bool = False, **user: str) -> int:
        return self.send(pressed(self.id, action, ts=ts, menu=menu, **user))

    def report(self) -> None:
        """As if it had been looked at: a checklist with one item done and one left."""
        with self.store.write() as tx:
            found = incidents.load(tx, self.id)
            assert found is not None
            items = [
                {"id": i, "text": t, "state": s, "result": ""}
                for i, t, s in (
                    ("exit_code", "Exit code", "done"),
                    ("root_cause", "Root cause", "todo"),
                    ("apply_fix", "Apply the fix", "todo"),
                )
            ]
            incidents.save_diagnosis(tx, found, subject=found.subject, memory=found.memory, report={"checklist": items}, case=None)

    def jobs(self) -> list[str]:
        with self.store.read() as tx:
            return [r["kind"] for r in tx.run("SELECT kind FROM job ORDER BY kind")]


def sign(stamp: str, body: bytes, secret: str = SECRET) -> str:
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()


def pressed(incident: str, action: str, *, ts: str = "1.1", menu: bool = False, **user: str) -> bytes:
    """The form that Slack sends for a button, or for an entry of the menu."""
    one: dict[str, Any] = {"action_ts": ts, "block_id": f"actions:{incident}"}
    if menu:
        one |= {"type": "overflow", "action_id": "more", "selected_option": {"value": f"{action}:{incident}"}}
    else:
        one |= {"type": "button", "action_id": action, "value": incident}
    person = {"id": "U1", "name": "ines", "team_id": "T1", **user}
    return urlencode({"payload": json.dumps({"type": "block_actions", "team": {"id": "T1"}, "user": person, "actions": [one]})}).encode()


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    slack = Slack(tmp_path / "state.db")
    yield slack
    slack.store.close()


def test_the_worked_example_of_slacks_documentation_is_accepted() -> None:
    """The scheme is Slack's, not one that only agrees with itself."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
        b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

    assert is_signed(SECRET, body, stamp="1531420618", signature=signature, now=1531420618)


def test_acknowledge(slack: Slack) -> None:
    """Recorded with the person's name, and the message is to be made anew."""
    assert slack.press("ack") == 200
    assert slack.memory.acknowledged.by == "ines"
    assert slack.jobs() == ["publish"]
    assert slack.wakes == 1


@pytest.mark.parametrize(("action", "menu", "seconds"), [("silence_1h", False, 3600), ("silence_4h", True, 14400)])
def test_silences_are_left_to_a_job(slack: Slack, action: str, menu: bool, seconds: int) -> None:
    """The answer does not wait for Alertmanager."""
    assert slack.press(action, menu=menu) == 200
    assert slack.jobs() == ["silence"]
    assert slack.memory.silence.wanted_until.timestamp() == slack.clock.now() + seconds


def test_the_rest_of_the_menu(slack: Slack) -> None:
    """Fix applied, Verdict is wrong, Undo silence."""
    slack.press("silence_1h", ts="1")
    for ts, word in (("2", "fix"), ("3", "wrong"), ("4", "unsilence")):
        assert slack.press(word, ts=ts, menu=True) == 200

    assert [e.what.code for e in slack.memory.log] == ["incident.log.fix_applied", "incident.log.verdict_marked_wrong"]
    assert slack.memory.silence.wanted_until is None


def test_the_checklists_buttons(slack: Slack) -> None:
    """Done and Undo of an item; the fix is the incident's fix."""
    slack.report()
    for ts, word in (("1", "tick:root_cause"), ("2", "untick:root_cause"), ("3", "tick:root_cause"), ("4", "tick:apply_fix")):
        assert slack.press(word, ts=ts) == 200

    assert slack.memory.ticks["root_cause"].by == "ines"
    assert slack.memory.fix.by == "ines"
    assert slack.jobs() == ["publish"]


@pytest.mark.parametrize(
    "action", ["tick", "tick:", "tick:../x", "tick:" + "x" * 300, "untick:Root cause", "tick:nonsense", "tick:exit_code", "ack:root_cause"]
)
def test_an_item_that_is_none_changes_nothing(slack: Slack, action: str) -> None:
    """An old message, or a payload that somebody made up with our secret: answered and left."""
    slack.report()

    assert slack.press(action) == 200
    assert slack.memory.ticks == {}
    assert slack.memory.acknowledged is None


def test_a_storms_button_is_written_down_and_left_to_a_job(slack: Slack) -> None:
    """Three hundred members are not worked on while Slack waits."""
    with slack.store.write() as tx:
        storm = conversations.open_new(tx, kind="digest", incident_id=None, sink="slack", channel="C1", mention="", now=slack.clock.now())
        conversations.join_digest(tx, conversation_id=storm.id, incident_id=slack.id, now=slack.clock.now())
    statuses = [slack.send(pressed(f"storm_{storm.id}", word, ts=ts, menu=menu)) for word, ts, menu in (("ack", "1", False), ("ack", "1", False), ("silence_4h", "2", True))]  # fmt: skip
    with slack.store.read() as tx:
        found = conversations.load(tx, storm.id)
    assert found is not None

    assert statuses == [200] * 3
    assert [(a.what, a.by, a.duration_s) for a in found.memory.storm.acts] == [("acknowledge", "ines", 0.0), ("quiet", "ines", 14400.0)]
    assert slack.jobs() == ["storm_act"]
    assert slack.memory.acknowledged is None


def test_the_same_click_twice_is_one(slack: Slack) -> None:
    """Slack sends again what it thinks was not answered; a second click is another one."""
    before = [slack.press("silence_1h", ts="7.7"), slack.press("unsilence", ts="7.8", menu=True)]
    again = slack.press("silence_1h", ts="7.7")

    assert [*before, again] == [200, 200, 200]
    assert slack.memory.silence.wanted_until is None


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        ("", "v0=" + "0" * 64),
        ("not-a-number", ""),
        ("-1", ""),
        ("1e9", ""),
        ("²³", "v0=x"),
        ("9" * 400, ""),
        (" 1731229200", ""),
        ("", "v0=ü" + "0" * 63),
        ("", "ünïcödé"),
        ("", "v1=" + "0" * 64),
        ("", "v0="),
        ("", "0"),
    ],
)
def test_a_signature_that_does_not_fit_is_401_and_nothing_else(slack: Slack, stamp: str, signature: str) -> None:
    """Timestamps that are none and signatures beyond ASCII are refused like any other, never an error of ours."""
    body = pressed(slack.id, "ack")
    try:
        status = slack.send(body, stamp=stamp, signature=signature)
    except UnicodeEncodeError:  # cannot even be sent as a header
        status = 401 if not is_signed(SECRET, body, stamp=stamp, signature=signature, now=slack.clock.now()) else 200

    assert status == 401
    assert slack.memory.acknowledged is None
    assert slack.wakes == 0


@pytest.mark.parametrize(("age_s", "status"), [(299, 200), (-299, 200), (301, 401), (-301, 401)])
def test_an_old_request_is_not_replayed(slack: Slack, age_s: float, status: int) -> None:
    """Five minutes, to both sides."""
    assert slack.send(pressed(slack.id, "ack"), at=slack.clock.now() - age_s) == status


def test_the_body_is_signed_to_the_byte(slack: Slack) -> None:
    """Another incident, another secret, or one byte more: refused."""
    body, stamp = pressed(slack.id, "ack"), str(int(slack.clock.now()))

    assert slack.send(body + b" ", stamp=stamp, signature=sign(stamp, body)) == 401
    assert slack.send(body, stamp=stamp, signature=sign(stamp, body, secret="another")) == 401
    assert slack.send(b"", stamp=stamp, signature=sign(stamp, body)) == 401


def test_nothing_is_parsed_before_the_signature_fits(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's body never reaches a parser."""
    monkeypatch.setattr("receiver.web.slack_actions.payload_of", lambda body: pytest.fail("parsed"))

    assert slack.send(b"payload=%7B", signature="v0=0") == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload=%7B",
        b"payload=[]",
        b"\xff\xfe",
        b"payload=" + b"[" * 50_000,
        b"a=1&" * 50,
        b'payload={"type":"block_actions","actions":[{}]}',
    ],
)
def test_a_signed_body_that_makes_no_sense_is_400(slack: Slack, body: bytes) -> None:
    """Never a 500."""
    assert slack.send(body) == 400


def test_interactions_that_are_not_ours_are_answered_and_ignored(slack: Slack) -> None:
    """A URL button, another block, an incident that is not here: 200, because Slack shows anything else as a failure."""
    other = urlencode({"payload": json.dumps({"type": "view_submission", "user": {"id": "U1"}})}).encode()

    assert [
        slack.press("open"),
        slack.press("nonsense", menu=True),
        slack.send(pressed("inc_NOTHERE", "ack")),
        slack.send(pressed("../x", "ack")),
        slack.send(other),
    ] == [200] * 5
    assert slack.jobs() == []


def test_who_may_not_is_answered_and_noted(tmp_path: Path) -> None:
    """slack_users; and people of another workspace."""
    slack = Slack(tmp_path / "state.db", permissions=Permissions(users={"silence": ("U9",)}))
    statuses = [slack.press("silence_1h", ts="1"), slack.press("ack", ts="2", team_id="T2"), slack.press("silence_1h", ts="3", id="U9")]
    history = [(entry.what.code, entry.what["by"], entry.what["what"]) for entry in slack.memory.log]
    slack.store.close()

    assert statuses == [200, 200, 200]
    assert history == [("incident.log.refused", "ines", "quiet"), ("incident.log.refused", "ines", "acknowledge")]
    assert slack.wakes == 3


def test_a_store_in_trouble_is_503(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person sees that it did not work, and presses again."""

    def refuse(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr("receiver.pipeline.actions.incidents.save_memory", refuse)

    assert slack.press("ack") == 503


def test_a_huge_body_is_413(slack: Slack) -> None:
    """Refused before it is read as a whole."""
    assert slack.send(b"payload=" + b"x" * 1_100_000) == 413


def test_without_a_secret_there_is_no_such_page(tmp_path: Path) -> None:
    """Nothing listens where nobody could be checked."""
    site = Site(tmp_path / "state.db")
    status = site.client.post("/slack/actions", data=b"payload={}").status_code
    site.store.close()

    assert status == 404


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=8), c, max_size=3), max_leaves=8
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {"type": st.just("block_actions"), "user": st.fixed_dictionaries({"id": st.just("U1"), "name": json_values}), "team": json_values},
        optional={"actions": st.lists(st.dictionaries(st.sampled_from(["action_id", "value", "selected_option", "action_ts"]), json_values, max_size=4), max_size=3)},
    )
)  # fmt: skip
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_payload_makes_the_parser_fail(payload: dict[str, Any]) -> None:
    """Whatever stands in a signed payload: acts, or nothing."""
    for incident, act in acts(payload_of(urlencode({"payload": json.dumps(payload)}).encode())):
        assert incident.isascii()
        assert act.by.isprintable()


class TestCommandLine:
    """`oomtriage ack` and `fixed` come in under /admin."""

    @pytest.mark.wording
    def test_it_says_what_it_did(self, slack: Slack) -> None:
        """And what was done already, and by whom."""
        first = slack.client.post(f"/admin/incidents/{slack.id}/ack", json={"by": "Ines"})
        again = slack.client.post(f"/admin/incidents/{slack.id}/ack", json={"by": "Otto"})
        fixed = slack.client.post(f"/admin/incidents/{slack.id}/fixed", json={})

        assert [answer.get_json()["text"] for answer in (first, again, fixed)] == [
            "acknowledged by Ines",
            "already done by Ines",
            "fix applied",
        ]
        assert {first.status_code, again.status_code, fixed.status_code} == {200}

    @pytest.mark.wording
    def test_ticks(self, slack: Slack) -> None:
        """An item and its undo; a fix is a fix; what is done already, or is no item, is said."""
        slack.report()
        url = f"/admin/incidents/{slack.id}"
        answers = [
            slack.client.post(f"{url}/{what}", json=body)
            for what, body in (
                ("tick", {"item": "root_cause", "by": "Ines"}),
                ("tick", {"item": "root_cause", "by": "Otto"}),
                ("untick", {"item": "root_cause"}),
                ("tick", {"item": "apply_fix", "by": "Ines"}),
                ("tick", {"item": "exit_code"}),
                ("tick", {"item": "reboot"}),
                ("tick", {}),
                ("tick", {"item": ["root_cause"]}),
            )
        ]

        assert [a.status_code for a in answers] == [200, 200, 200, 200, 200, 404, 400, 404]
        assert [a.json["text"] for a in answers[:4]] == [  # type: ignore[index]
            "Root cause: ticked by Ines", "already done by Ines", "Root cause: tick taken back", "fix applied by Ines",
        ]  # fmt: skip
        assert "known are exit_code, root_cause, apply_fix" in answers[5].json["text"]  # type: ignore[index]

    def test_what_it_cannot_do_is_said(self, slack: Slack) -> None:
        """An unknown incident, an unknown action, a form of a foreign page in a browser."""
        assert slack.client.post("/admin/incidents/inc_0/ack", json={}).status_code == 404
        assert slack.client.post(f"/admin/incidents/{slack.id}/eat", json={}).status_code == 404
        assert slack.client.post(f"/admin/incidents/{slack.id}/ack", data={"by": "x"}).status_code == 400
        assert slack.memory.acknowledged is None

    def test_it_needs_the_admin_token(self, tmp_path: Path) -> None:
        """As everything under /admin."""
        slack = Slack(tmp_path / "state.db", admin_token="s3cret")
        statuses = [
            slack.client.post(f"/admin/incidents/{slack.id}/ack", json={}, headers=h).status_code
            for h in ({}, {"Authorization": "Bearer s3cret"})
        ]
        slack.store.close()

        assert statuses == [401, 200]


def test_the_rights_in_the_settings_are_the_rights_that_are_asked_for() -> None:
    """The settings' check and the receiver's own list cannot drift apart."""
    assert set(load.RIGHTS) == set(RIGHTS.values())


def test_a_lone_surrogate_is_refused_as_what_it_is() -> None:
    """No database and no socket takes it; the sender hears so instead of a 500."""
    body = urlencode({"payload": '{"type": "block_actions", "user": {"id": "U1", "name": "\\ud800"}, "actions": []}'}).encode()

    with pytest.raises(PayloadError):
        acts(payload_of(body))
