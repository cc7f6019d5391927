"""/workloads as pages and as JSON: what they show, of whom, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app.build import Application, build
from receiver.domain.change import Change
from receiver.domain.incident_memory import FollowUp, GivenVerdict, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, WorkloadName, day_of
from receiver.settings import load_settings
from receiver.store import workloads
from tests.support import Clock

MIB = 1024**2
ORDERS = WorkloadName(cluster="lab", namespace="shop", kind="Deployment", name="orders-api")
NIGHTLY = WorkloadName(cluster="", namespace="batch", kind="CronJob", name="nightly")
HOSTILE = WorkloadName(
    cluster='"><b>c', namespace="<script>alert(1)</script>", kind="\u202egnp.exe", name="../'\"><img src=x onerror=alert(1)>{{ 7*7 }}\x00\x1b[31m"
)  # fmt: skip


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """A receiver with three workloads in its history, not started."""
    folder = tmp_path_factory.mktemp("workloads")
    clock = Clock()
    settings = load_settings({"STORE_URL": f"sqlite:///{folder}/state.db", "KUBE_API_URL": "http://127.0.0.1:9"})
    with (folder / "console").open("w") as console:
        made = build(settings, console=console, clock=clock.now)
    _fill(made, clock.now())
    yield made
    made.close()


def _fill(made: Application, now: float) -> None:
    failed = FollowUp(after_s=DAY_S, at=from_epoch(now), outcome="did_not_hold", because=reason("fix.said"))
    raised = Change(what="limit", at=from_epoch(now - DAY_S), before_bytes=80 * MIB, after_bytes=160 * MIB)
    fix = WatchedFix(number=1, since=from_epoch(now - DAY_S), changes=(raised,), ended=failed)
    with made.store.write() as tx:
        for incident_id, name, kills, fixes in (("inc_1", ORDERS, 7, (fix,)), ("inc_2", NIGHTLY, 2, ()), ("inc_3", HOSTILE, 1, ())):
            past = PastIncident(
                id=incident_id, workload=name, container="app", opened_at=now - 2 * DAY_S, seen_at=now, state="firing", kills=kills,
                verdict=GivenVerdict(cause="leak", confidence=0.9), fixes=fixes,
            )  # fmt: skip
            workloads.save(tx, past)
            workloads.add_kills(tx, incident_id, {day_of(now) - 1: kills})
        seen = SeenLimit(
            container="app", since=now - 3 * DAY_S, seen_at=now, limit_bytes=160 * MIB, peak_bytes=99 * MIB, wanted_bytes=320 * MIB
        )
        workloads.note_limit(tx, ORDERS.id, seen)


@pytest.fixture
def client(receiver: Application) -> FlaskClient:
    """Somebody on this machine."""
    return receiver.web.test_client()


def test_the_list_has_the_worst_first(client: FlaskClient) -> None:
    """And the worst of each namespace above it."""
    text = client.get("/workloads").text
    names = re.findall(r'<b><a href="/workloads/(\w+)">', text)

    assert names == [ORDERS.id, NIGHTLY.id, HOSTILE.id]
    assert "10 kills in 3 workloads" in text
    assert "likely leak" in text
    assert "Worst of each namespace" in text


def test_the_list_can_be_narrowed(client: FlaskClient) -> None:
    """By namespace and by words; the address holds the filter, and nonsense in it is no error."""
    of_batch, of_text = client.get("/workloads?namespace=batch").text, client.get("/workloads?q=LAB+orders").text

    assert (NIGHTLY.id in of_batch, ORDERS.id in of_batch) == (True, False)
    assert (NIGHTLY.id in of_text, ORDERS.id in of_text) == (False, True)
    assert "No workload fits" in client.get("/workloads?q=nosuch").text
    for page in ("0", "-1", "x", "9" * 40, "٣"):
        assert client.get(f"/workloads?page={page}").status_code == 200


def test_a_workload_has_its_limits_fixes_and_incidents(client: FlaskClient) -> None:
    """And says which of its incidents are only a line by now."""
    text = client.get(f"/workloads/{ORDERS.id}").text

    for words in ("160 MiB more proposed (320 MiB)", "99 MiB", "raised to 160Mi", "did not hold", "no longer kept", "7 kills"):
        assert words in text, words
    assert client.get("/workloads/0000000000000000").status_code == 404
    assert client.get("/workloads/../admin").status_code == 404


def test_names_of_strangers_are_text(client: FlaskClient) -> None:
    """Nothing of theirs becomes markup, an address, or another direction of writing."""
    for text in (client.get("/workloads").text, client.get(f"/workloads/{HOSTILE.id}").text):
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "49" not in re.sub(r"[^<>]*\d{4}-\d\d-\d\d[^<>]*", "", text) or "{{ 7*7 }}" in text
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "style=" not in text


def test_programs_get_the_same(client: FlaskClient) -> None:
    """As docs/api.md has it."""
    found = client.get("/api/v1/workloads?namespace=shop").get_json()
    one = client.get(f"/api/v1/workloads/{ORDERS.id}").get_json()
    (line,) = found["workloads"]

    assert (found["schema"], found["total"], found["kills"], found["days"], found["from"]) == (
        "oomtriage.workloads/v1",
        1,
        7,
        30,
        "2024-10-12",
    )
    assert line["workload"] == {"kind": "Deployment", "name": "orders-api"}
    assert line["kills_by_day"] == {"2024-11-09": 7}
    assert line["verdict"] == {"cause": "leak", "confidence": 0.9}
    assert line["fixes"] == {"held": 0, "failed": 1, "watched": 0}
    assert (line["wasted_bytes"], line["missing_bytes"]) == (None, 160 * MIB)
    assert one["history"][0]["fixes"][0]["changes"] == [
        {"what": "limit", "at": "2024-11-09T09:00:00Z", "before": 80 * MIB, "after": 160 * MIB}
    ]  # fmt: skip
    assert client.get("/api/v1/workloads/0").status_code == 404


def test_strangers_see_nothing(tmp_path: Path) -> None:
    """Where a token is asked for; READ_TOKEN is enough to look."""
    settings = load_settings(
        {"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", "ADMIN_TOKEN": "a", "READ_TOKEN": "r"}
    )
    with (tmp_path / "console").open("w") as console:
        made = build(settings, console=console)
    client = made.web.test_client()
    paths = ("/workloads", "/workloads/0000000000000000", "/api/v1/workloads", "/api/v1/workloads/0")
    refused = [client.get(path).status_code for path in paths]
    let_in = [client.get(path, headers={"Authorization": "Bearer r"}).status_code for path in paths]
    made.close()

    assert refused == [401] * 4
    assert let_in == [200, 404, 200, 404]
