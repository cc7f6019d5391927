"""Other incidents that are like one: by workload, by the error in the log, by image, by node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.domain.identity import Subject, Workload
from receiver.domain.incident_memory import ContainerSettings, GivenVerdict, IncidentMemory, LookSummary
from receiver.store import alike, incidents
from receiver.store.database import Tx
from receiver.store.incidents import Incident
from receiver.store.schema import MARKED_SINCE, migrate, set_meta
from receiver.store.sqlite import SqliteDatabase

NOW = 1_731_229_200.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase.open(tmp_path / "state.db")
    migrate(database, now=NOW)
    yield database
    database.close()


def _open(
    tx: Tx, number: int, name: str = "", *, image: str = "", node: str = "", signature: str = "", marked: bool = True, key: str = ""
) -> str:
    """An incident of a workload (by default one of its own), with what it is found by."""
    name = name or f"svc{number}"
    look = LookSummary(verdict=GivenVerdict(cause="leak", confidence=0.9), kill_kind="container_oom", node=node)
    incident = Incident(
        id=f"inc_{number:04}", key=key or f"{name}/{number}", state="firing", severity="warning", opened_at=NOW, first_seen=NOW, last_seen=NOW,
        subject=Subject(cluster="lab", namespace="shop", pod=f"{name}-1", container="app", node="", workload=Workload(kind="Deployment", name=name)),
        memory=IncidentMemory(settings=ContainerSettings(image=image), look=look), report={"signature": {"id": signature} if signature else None},
    )  # fmt: skip
    incidents.insert(tx, incident)
    incidents.save_diagnosis(tx, incident, subject=incident.subject, memory=incident.memory, report=incident.report, case=None)
    if marked:
        alike.mark(tx, incident)
    return incident.id


def _like(database: SqliteDatabase, incident_id: str, **options: int) -> list[tuple[str, tuple[str, ...]]]:
    with database.transaction() as tx:
        return [(one.incident.id, one.rules) for one in alike.like(tx, incident_id, **options)]


def test_each_rule_finds_its_own(database: SqliteDatabase) -> None:
    """And what has nothing in common is not there; an empty image is no image in common."""
    with database.transaction() as tx:
        one = _open(tx, 1, "orders", image="shop/orders:1", node="n1", signature="python.memory_error")
        same_workload = _open(tx, 2, "orders")
        same_error = _open(tx, 3, signature="python.memory_error")
        same_image = _open(tx, 4, image="shop/orders:1")
        same_node = _open(tx, 5, node="n1")
        _open(tx, 6, image="shop/orders:2", node="n2", signature="jvm.heap")
        _open(tx, 7)

    assert _like(database, one) == [
        (same_workload, ("workload",)), (same_error, ("signature",)), (same_image, ("image",)), (same_node, ("node",)),
    ]  # fmt: skip


def test_the_most_alike_comes_first_and_the_newest_of_equals(database: SqliteDatabase) -> None:
    """More rules before fewer; not more of them than a page has room for."""
    with database.transaction() as tx:
        one = _open(tx, 1, "orders", image="i", node="n1")
        for number in range(2, 30):
            _open(tx, number, node="n1")
        _open(tx, 30, "orders", image="i")

    assert [incident_id for incident_id, _ in _like(database, one)] == ["inc_0030", "inc_0029", "inc_0028", "inc_0027", "inc_0026"]
    assert _like(database, one, most=1) == [("inc_0030", ("workload", "image"))]


def test_what_became_part_of_another_is_left_out_and_a_test_alert_too(database: SqliteDatabase) -> None:
    """They are no incidents of their own."""
    with database.transaction() as tx:
        one, merged = _open(tx, 1, "orders"), _open(tx, 2, "orders")
        _open(tx, 3, "orders", key="test/C1")
        incidents.close(tx, merged, now=NOW, state=incidents.MERGED)

    assert _like(database, one) == []


def test_a_forgotten_incident_is_found_no_more(database: SqliteDatabase) -> None:
    """Its marks go with it."""
    with database.transaction() as tx:
        one, _ = _open(tx, 1, "orders"), _open(tx, 2, "orders", key="gone")
        incidents.forget(tx, "gone")
        left = tx.run("SELECT COUNT(*) AS n FROM incident_mark WHERE incident_id = 'inc_0002'")[0]["n"]

    assert _like(database, one) == []
    assert left == 0


def test_those_of_an_older_release_are_found_after_the_upgrade(database: SqliteDatabase) -> None:
    """What they have in common stands in what was stored of them."""
    with database.transaction() as tx:
        one, two = _open(tx, 1, "orders", marked=False), _open(tx, 2, "orders", marked=False)
        for table in (
            "incident_mark",
            "history_kills",
            "history_incident",
            "history_limit",
            "incident_listed",
        ):  # of this schema and later ones
            tx.run(f"DROP TABLE {table}")
        set_meta(tx, "schema", str(MARKED_SINCE - 1))
    migrate(database, now=NOW)

    assert _like(database, one) == [(two, ("workload",))]


def test_what_it_had_before_stays(database: SqliteDatabase) -> None:
    """It was on that node too, before it moved."""
    with database.transaction() as tx:
        one = _open(tx, 1, node="n1")
        two = _open(tx, 2, node="n1")
        moved = incidents.load(tx, two)
        assert moved is not None
        assert moved.memory.look is not None
        alike.mark(tx, replace(moved, memory=replace(moved.memory, look=replace(moved.memory.look, node="n2"))))

    assert _like(database, one) == [(two, ("node",))]
