"""POST /alerts answers what Alertmanager needs to hear, and stores before it answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.app.files import web_environment
from receiver.domain.reason import Reason
from receiver.errors import StoreError
from receiver.pipeline.actions import Actions
from receiver.pipeline.presses import Presses
from receiver.pipeline.storm_acts import StormActions
from receiver.store import alerts, jobs
from receiver.store.database import Room
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.web.application import WebDeps, create_web
from tests.places import FIXTURES
from tests.support import Clock, alert, payload

RECORDED = sorted((FIXTURES / "alertmanager").glob("*.json"))


class Site:
    """The web application over a real store; `notices` and `wakes` are what it asked of the rest."""

    def __init__(self, path: Path, **overrides: Any) -> None:
        self.clock = Clock()
        self.store = Store.open_sqlite(path, clock=self.clock.now)
        self.metrics = Metrics()
        self.notices: list[tuple[str, Reason]] = []
        self.wakes = 0
        self.stuck = False
        permissions = overrides.pop("permissions", None)
        actions, storms = Actions(self.store, permissions), StormActions(self.store, permissions)
        values: dict[str, Any] = {
            "actions": actions, "presses": Presses(actions, storms, wake=self._wake),
            "store": self.store, "metrics": self.metrics, "environment": web_environment(), "webhook_token": "", "admin_token": "",
            "is_loopback": True, "max_body_bytes": 100_000, "wake": self._wake, "notice": lambda kind, text: self.notices.append((kind, text)),
            "is_stuck": lambda: self.stuck, "details": lambda: {"sink": {"fake": "ok"}}, **overrides,
        }  # fmt: skip
        self.app: Flask = create_web(WebDeps(**values))
        self.client = self.app.test_client()

    def _wake(self) -> None:
        self.wakes += 1

    def stored(self) -> list[str]:
        with self.store.read() as tx:
            return [a.labels.get("pod", "") for _, a in alerts.unfolded(tx, 10_000)]

    def metric(self, name: str) -> str:
        text = self.client.get("/metrics").get_data(as_text=True)
        return next(line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(name))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "state.db")
    yield site
    site.store.close()


def test_what_waits_is_measured_with_its_age(site: Site) -> None:
    """Accepted alerts in no incident, and work that is due and not begun: a loop that stands still shows in both."""
    assert site.client.post("/alerts", json=payload(alert())).status_code == 202
    with site.store.write() as tx:
        jobs.schedule(tx, "collect", "inc_1", now=site.store.now())
        jobs.schedule(tx, "collect", "inc_2", now=site.store.now(), due_at=site.store.now() + 3600)
    site.clock.advance(90)

    names = ("alerts_waiting", "alerts_oldest_seconds", "jobs_due", "jobs_oldest_seconds")
    assert [float(site.metric(f"oomtriage_{name} ")) for name in names] == [1, 90, 1, 90]


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_every_recorded_body_of_a_real_alertmanager_is_accepted_once(site: Site, path: Path) -> None:
    """What Alertmanager really sent is stored; the identical body again is only duplicates."""
    recorded = json.loads(path.read_text())
    body = recorded.get("body") or recorded["payload"]
    first = site.client.post("/alerts", json=body)
    again = site.client.post("/alerts", json=body)
    n = len(body["alerts"])

    assert (first.status_code, first.json) == (202, {"accepted": n, "duplicates": 0})
    assert (again.status_code, again.json) == (202, {"accepted": 0, "duplicates": n})
    assert len(site.stored()) == n


def test_newer_alertmanagers_fields_and_label_names_are_accepted(site: Site) -> None:
    """0.27 UTF-8 label names, 0.32 notification_reason, 0.34 routeLabels, nine fraction digits, a zero endsAt."""
    body = payload(
        alert(**cast("dict[str, Any]", {"k8s.pod.name": "p", "größe": "★"})),
        notification_reason="first notification",
        routeLabels={"team": "shop"},
    )
    body["alerts"][0]["startsAt"] = "2026-11-23T00:49:03.295123456Z"  # type: ignore[index]
    body["alerts"][0]["notYetInvented"] = {"a": [1]}  # type: ignore[index]

    assert site.client.post("/alerts", json=body).json == {"accepted": 1, "duplicates": 0}


def test_alerts_that_grafana_manages_are_accepted(site: Site) -> None:
    """The same form as version 1, with null values, keys of its own, an offset and no commonLabels to speak of."""
    entry = {
        **alert().to_json(), "startsAt": "2026-11-30T13:12:07.92607674+01:00", "endsAt": "0001-01-01T00:00:00Z", "values": None,
        "valueString": "[ metric='x' value=1 ]", "silenceURL": "https://grafana.example/silence", "dashboardURL": "", "panelURL": "",
    }  # fmt: skip
    body = {"version": "1", "orgId": 1, "state": "alerting", "title": "[FIRING:1]", "alerts": [entry], "truncatedAlerts": None}

    assert site.client.post("/alerts", json=body).json == {"accepted": 1, "duplicates": 0}


def test_the_answer_waits_for_the_commit_and_wakes_the_dispatcher(site: Site) -> None:
    """202 means stored: the alert is in the store when the answer is there, and somebody was told to look."""
    site.client.post("/alerts", json=payload(alert(pod="p-1")))

    assert site.stored() == ["p-1"]
    assert site.wakes == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"[]", "JSON list, not an object"),
        (b'{"text": "custom payload"}', 'no list "alerts"'),
        (b'{"version": "3", "alerts": []}', '"version" is "3"'),
        (b'{"version": "4", "alerts": {}}', 'no list "alerts"'),
        (b'{"version": "4", "alerts": ["x"]}', "alerts[0] is a JSON string"),
        (b'{"version": "4", "alerts": [{"status": "firing", "startsAt": "2024-11-10T09:00:00Z"}]}', "alerts[0].labels is a JSON null"),
        (
            b'{"version": "4", "alerts": [{"status": "firing", "labels": {"a": 1}, "startsAt": "2024-11-10T09:00:00Z"}]}',
            "labels.a is a JSON number",
        ),
        (b'{"version": "4", "alerts": [{"status": "on", "labels": {}, "startsAt": "2024-11-10T09:00:00Z"}]}', 'status is "on"'),
        (b'{"version": "4", "alerts": [{"status": "firing", "labels": {}, "startsAt": "yesterday"}]}', 'startsAt is "yesterday"'),
    ],
    ids=lambda v: v[:30] if isinstance(v, str) else None,
)
def test_a_body_that_is_no_v4_payload_gets_400_with_the_reason_and_one_notice(site: Site, body: bytes, says: str) -> None:
    """An alert that cannot be read is still an alert: the sender's owner sees the reason, the channel hears of it."""
    answer = site.client.post("/alerts", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert says in answer.get_json()["error"]
    assert [kind for kind, _ in site.notices] == ["unreadable"]
    assert site.stored() == []
    assert site.metric('oomtriage_webhook_rejected_total{reason="payload"}') == "1.0"


def test_one_bad_alert_refuses_the_whole_body(site: Site) -> None:
    """Half a body is never taken: Alertmanager sends all of it again, or nothing."""
    body = payload(alert(pod="good"), alert(pod="bad"))
    body["alerts"][1]["labels"] = "x"  # type: ignore[index]

    assert site.client.post("/alerts", json=body).status_code == 400
    assert site.stored() == []


def test_lone_surrogates_are_stored_as_text(site: Site) -> None:
    """JSON may carry half a surrogate pair, which no database takes: it becomes a question mark, the alert stays."""
    raw = json.dumps(payload(alert(pod="p-1", annotations={"summary": "PLACE"}))).replace("PLACE", "\\ud800 dead")

    assert site.client.post("/alerts", data=raw, content_type="application/json").status_code == 202
    assert site.stored() == ["p-1"]


@pytest.mark.wording
def test_a_body_over_the_limit_gets_413_and_a_notice(site: Site) -> None:
    """Too large a body is refused whole, and somebody hears that alerts were not taken."""
    answer = site.client.post("/alerts", json=payload(alert(annotations={"text": "x" * 200_000})))

    assert answer.status_code == 413
    assert "MAX_BODY" in answer.get_json()["error"]
    assert [kind for kind, _ in site.notices] == ["too-large"]


def test_what_cannot_be_stored_is_answered_503_so_that_alertmanager_retries(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk must not lose an alert: no 2xx, no 4xx."""

    def full(_: object) -> None:
        raise StoreError("database or disk is full")

    monkeypatch.setattr(site.store, "accept", full)
    answer = site.client.post("/alerts", json=payload(alert()))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def _basic(password: str, user: str = "alertmanager") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401), ("Bearer", 401), ("Bearer wrong", 401), ("Bearer s3cret", 202), ("bearer s3cret", 202), (_basic("s3cret"), 202),
        (_basic("s3cret", user=""), 202), (_basic("wrong"), 401), ("Basic !!!", 401), ("Basic " + "A" * 5000, 401), ("Digest s3cret", 401),
        ("Bearer s3cret extra", 401), ("Bearer s3crét", 401),
    ],
)  # fmt: skip
def test_the_token_is_taken_as_bearer_or_basic_password(tmp_path: Path, header: str, status: int) -> None:
    """Right token: in. Anything else: 401, nothing stored, no hint about the token."""
    site = Site(tmp_path / "state.db", webhook_token="s3cret")
    answer = site.client.post("/alerts", json=payload(alert()), headers={"Authorization": header} if header else {})
    stored = site.stored()
    site.store.close()

    assert answer.status_code == status
    assert bool(stored) == (status == 202)
    assert "s3cret" not in answer.get_data(as_text=True)


def test_an_empty_alert_list_is_nothing_to_do(site: Site) -> None:
    """Alertmanager never sends one, a test of the receiver might."""
    assert site.client.post("/alerts", json=payload()).json == {"accepted": 0, "duplicates": 0}


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(entry=st.dictionaries(st.sampled_from(["status", "labels", "annotations", "startsAt", "endsAt", "fingerprint"]), _json), extra=_json)
def test_no_body_crashes_the_intake(site: Site, entry: dict[str, object], extra: object) -> None:
    """Whatever JSON comes, the answer is 202 or a 400 with a reason, never a 500."""
    answer = site.client.post("/alerts", json={"version": "4", "alerts": [{**alert().to_json(), **entry}], "x": extra})

    assert answer.status_code in (202, 400)


class TestHealth:
    """The kubelet's and Prometheus' questions."""

    def test_healthz_follows_the_dispatcher(self, site: Site) -> None:
        """Green while work moves, 503 when it has been stuck for a minute."""
        before = site.client.get("/healthz").status_code
        site.stuck = True

        assert (before, site.client.get("/healthz").status_code) == (200, 503)

    def test_readyz_says_how_much_room_is_left(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full volume is foreseen: the store would still take an alert, and says how long that lasts."""
        plenty = site.client.get("/readyz").get_json()["volume"]
        monkeypatch.setattr(site.store, "room", lambda: Room(used_bytes=1, store_bytes=2**20, free_bytes=20 * 2**20))
        scarce = site.client.get("/readyz")
        measured = site.client.get("/metrics").text

        assert plenty["store_bytes"] > 0
        assert (scarce.status_code, scarce.get_json()["volume"]["free_bytes"]) == (200, 20 * 2**20)
        assert scarce.get_json()["volume"]["problem"].startswith("nearly full: 20 MiB are left")
        assert "oomtriage_store_free_bytes 2.097152e+07" in measured

    def test_readyz_is_green_exactly_when_an_alert_would_be_stored(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bad Slack token is a detail; a store that refuses is not."""
        ready = site.client.get("/readyz")

        def refuse() -> None:
            raise StoreError("disk is full")

        monkeypatch.setattr(site.store, "probe", refuse)
        refused = site.client.get("/readyz")

        assert (ready.status_code, ready.get_json()["sink"]) == (200, {"fake": "ok"})
        assert (refused.status_code, refused.get_json()["store"]) == (503, "disk is full")

    def test_rows_that_cannot_be_read_are_named_and_counted(self, site: Site) -> None:
        """The receiver is ready, because it works; what was put aside is a detail that an alert can be made of."""
        before = site.client.get("/readyz").get_json()
        start = site.metric('oomtriage_quarantined_rows{kind="alert"}')
        site.client.post("/alerts", json=payload(alert()))
        with site.store.write() as tx:
            tx.run("UPDATE alert SET payload = '{'")
        assert site.stored() == []
        after = site.client.get("/readyz")

        assert "quarantined" not in before
        assert (after.status_code, after.get_json()["quarantined"]) == (200, {"alert": 1})
        assert (start, site.metric('oomtriage_quarantined_rows{kind="alert"}')) == ("0.0", "1.0")
        assert site.metric('oomtriage_quarantined_rows{kind="message"}') == "0.0"

    def test_metrics_count_received_and_duplicates(self, site: Site) -> None:
        """The names that the shipped rules use are there from the start."""
        start = site.metric("oomtriage_alerts_received_total")
        for _ in range(2):
            site.client.post("/alerts", json=payload(alert()))

        assert start == "0.0"
        assert site.metric("oomtriage_alerts_received_total") == "2.0"
        assert site.metric("oomtriage_alerts_duplicate_total") == "1.0"
        for name in ("oomtriage_outbox_oldest_seconds", "oomtriage_dead_letters", "oomtriage_enrichment_seconds_count"):
            assert site.metric(name) == "0.0"


def test_pages_and_actions_are_closed_beyond_loopback_without_a_token(tmp_path: Path) -> None:
    """Evidence is not shown to whoever reaches the port."""
    site = Site(tmp_path / "state.db", is_loopback=False, webhook_token="s3cret")
    codes = [
        site.client.get(path).status_code for path in ("/", "/incidents/inc_1/case.json", "/admin/dead", "/healthz", "/readyz", "/metrics")
    ]
    site.store.close()

    assert codes == [403, 403, 403, 200, 200, 200]


@pytest.mark.parametrize("header", ["Bearer passwort-größe-★à", _basic("passwort-größe-★à")], ids=["bearer", "basic"])
def test_a_token_beyond_ascii_is_taken(tmp_path: Path, header: str) -> None:
    """Clients send its UTF-8; in WSGI those bytes arrive as Latin-1."""
    site = Site(tmp_path / "state.db", webhook_token="passwort-größe-★à")
    answers = [
        site.client.post(
            "/alerts", json=payload(alert()), environ_overrides={"HTTP_AUTHORIZATION": h.encode().decode("latin-1")}
        ).status_code
        for h in (header, "Bearer passwort-größe-?", "Bearer ★")
    ]
    site.store.close()

    assert answers == [202, 401, 401]


class TestActions:
    """Dead letters of a receiver on loopback without ADMIN_TOKEN: for the command line, not for web pages."""

    @pytest.mark.parametrize("path", ["/admin/drop", "/admin/replay"])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:9999"}, {"Host": "evil.example"},
            {"Host": "127.evil.example:8080"}, {"Host": "evil.example", "Origin": "http://evil.example"},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_web_page_cannot_act(self, site: Site, path: str, headers: dict[str, str]) -> None:
        """Neither with a form of its own nor by having its name resolve to 127.0.0.1."""
        assert site.client.post(path, headers=headers).status_code == 403

    @pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "localhost"])
    def test_the_command_line_can(self, site: Site, host: str) -> None:
        """No Origin, a loopback name; our own origin is no other's."""
        own = {"Host": host, "Origin": f"http://{host}"}

        assert site.client.post("/admin/drop", headers={"Host": host}).status_code == 200
        assert site.client.post("/admin/replay", headers=own).status_code == 200

    def test_with_a_token_any_name_will_do_but_no_other_page(self, tmp_path: Path) -> None:
        """The token says who it is; a browser that remembers it must still not act for another page."""
        site = Site(tmp_path / "state.db", is_loopback=False, webhook_token="s3cret", admin_token="adm1n")
        own = {"Authorization": "Bearer adm1n", "Host": "oomtriage.example"}
        codes = [
            site.client.post("/admin/drop", headers={**own, **extra}).status_code for extra in ({}, {"Origin": "https://evil.example"})
        ]
        site.store.close()

        assert codes == [200, 403]
