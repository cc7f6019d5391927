"""PostgreSQL behind the store, a real one: what it refuses, when it goes away, who else writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from receiver.domain.alerts import RESOLVED
from receiver.errors import ConfigError, StoreAway, StoreBusy, StoreError
from receiver.store import postgres, schema
from receiver.store.database import Lane
from receiver.store.postgres import PostgresDatabase, check_url, place_of
from receiver.store.schema import SCHEMA_VERSION, get_meta, migrate, set_meta
from receiver.store.store import Store
from tests.postgres.server import PASSWORD, Postgres, name_of
from tests.postgres.stores import Databases, open_leading
from tests.support import alert, wait_until


@pytest.fixture
def database(database_url: str) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase(lambda: database_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """A server that tests of this file stop, kill and pause."""
    with Postgres() as server:
        yield server


def test_its_statements_are_those_of_sqlite() -> None:
    """Names become parameters; casts, times of day in texts and LIKE's signs stay."""
    sql = "SELECT CAST(:a AS TEXT), x::text, '10:30', '%\"fix\":%' FROM t WHERE b = :b_1"

    assert postgres._translated(sql) == b"SELECT CAST(%(a)s AS TEXT), x::text, '10:30', '%%\"fix\":%%' FROM t WHERE b = %(b_1)s"


def test_what_fails_in_the_middle_leaves_nothing_behind(database: PostgresDatabase) -> None:
    def half() -> None:
        with database.transaction() as tx:
            set_meta(tx, "half", "done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with database.transaction(lane=Lane.READ) as tx:
        assert get_meta(tx, "half") is None


def test_a_wrong_statement_says_which_and_not_about_which_row(database: PostgresDatabase) -> None:
    """Rows have labels and logs in them."""
    twice = "INSERT INTO meta (k, v) VALUES ('hidden', 'v'), ('hidden', 'v')"
    with pytest.raises(StoreError, match="duplicate key value") as caught, database.transaction() as tx:
        tx.run(twice)

    assert not isinstance(caught.value, (StoreAway, StoreBusy))
    assert "hidden" not in str(caught.value)


def test_texts_that_postgres_cannot_hold_are_stored_all_the_same(database: PostgresDatabase) -> None:
    """A label may have a NUL in it, which SQLite keeps; what is looked for afterwards is found."""
    with database.transaction() as tx:
        set_meta(tx, "a\0b", "c\0d")
        assert get_meta(tx, "a\0b") == "c\ufffdd"


def test_migrations_of_two_that_start_at_once_are_made_once(databases: Databases) -> None:
    """Neither meets half of the other's tables."""
    url = databases.server.database()
    both = [PostgresDatabase(lambda: url) for _ in range(2)]
    errors: list[Exception] = []

    def start(database: PostgresDatabase) -> None:
        try:
            migrate(database, now=1.0)
        except StoreError as exc:
            errors.append(exc)

    threads = [threading.Thread(target=start, args=(database,)) for database in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with both[0].transaction() as tx:
        version = schema.schema_version(tx)
    for database in both:
        database.close()
    databases.server.drop(url)

    assert (errors, version) == ([], SCHEMA_VERSION)


def test_the_clock_is_the_databases(database: PostgresDatabase) -> None:
    """All replicas have the same, whatever their nodes say."""
    with database.transaction() as tx:
        there = database.read_clock(tx)

    assert abs(database.now() - there) < 0.5


def test_a_server_that_restarts_is_used_again_at_once(mortal: Postgres) -> None:
    """The connections of before are dead, and nobody notices but the log."""
    store = open_leading(mortal.database())
    store.accept([alert()])
    mortal.restart()
    again = store.accept([alert(pod="after-the-restart")])
    with store.write() as tx:
        set_meta(tx, "x", "y")
    store.close()

    assert again.new == 1


def test_a_server_that_is_away_is_said_without_the_password(mortal: Postgres) -> None:
    """And what comes while it is away is refused at once, not after a wait each."""
    url = mortal.database()
    store = open_leading(url)
    mortal.kill()
    with pytest.raises(StoreAway, match=f"127.0.0.1:{mortal.port}/{name_of(url)} cannot be used") as caught:
        store.accept([alert()])
    mortal.start()
    wait_until(lambda: _takes(store), what="the store goes on by itself")
    store.close()

    assert PASSWORD not in str(caught.value)


def test_a_server_that_hangs_is_given_up(mortal: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel answers for it, so that no keepalive tells; whoever waits goes on with an error."""
    monkeypatch.setattr(postgres, "HANGS_S", 0.5)
    monkeypatch.setattr(postgres, "_WATCH_EVERY_S", 0.1)
    monkeypatch.setattr(postgres, "_ALIVE", {"connect_timeout": 2})
    store = open_leading(mortal.database())
    store.accept([alert()])
    mortal.pause()
    try:
        with pytest.raises(StoreAway):
            store.accept([alert(pod="while-it-hangs")])
    finally:
        mortal.go_on()
    wait_until(lambda: _takes(store), what="the store goes on by itself")
    store.close()


def test_a_server_that_only_reads_takes_no_alerts_and_is_left_for_its_successor(mortal: Postgres) -> None:
    """A failover: the old primary answers on, and refuses to write. The next try connects anew, by the same name."""
    url = mortal.database()
    store = open_leading(url)
    mortal.ask(f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    mortal.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(url)}'")
    with pytest.raises(StoreAway, match="read-only"):
        store.accept([alert()])
    mortal.ask(f"ALTER DATABASE {name_of(url)} RESET default_transaction_read_only")

    assert store.accept([alert()]).new == 1
    store.close()


def test_a_password_that_changed_is_read_again(mortal: Postgres, tmp_path: Path) -> None:
    """It is asked for with each connection; the old ones go on until they break."""
    url = mortal.database()
    file = tmp_path / "store-url"
    file.write_text(url)
    mortal.ask("CREATE ROLE rotating LOGIN PASSWORD 'first'")
    mortal.ask(f"GRANT ALL ON DATABASE {name_of(url)} TO rotating")
    file.write_text(mortal.url(name_of(url), user="rotating", password="first"))
    database = PostgresDatabase(file.read_text)
    with database.transaction() as tx:
        tx.run("SELECT 1")
    mortal.ask("ALTER ROLE rotating PASSWORD 'second'")
    mortal.restart()
    with pytest.raises(StoreAway, match="password authentication failed"), database.transaction() as tx:
        tx.run("SELECT 1")
    file.write_text(mortal.url(name_of(url), user="rotating", password="second"))
    wait_until(lambda: _answers(database), what="the new password is used")
    database.close()


def test_two_that_take_the_same_alerts_in_another_order_do_not_block_each_other(database_url: str) -> None:
    """Both of an HA pair of Alertmanagers send the same group, each to another replica."""
    stores = [open_leading(database_url) for _ in range(2)]
    pods = [f"p-{i}" for i in range(30)]
    for store in stores:
        store.accept([alert(pod=pod) for pod in pods])
    errors: list[StoreError] = []

    def send(store: Store, order: list[str]) -> None:
        for _ in range(20):
            try:
                store.accept([alert(pod=pod) for pod in order])
            except StoreError as exc:
                errors.append(exc)

    threads = [threading.Thread(target=send, args=(s, order)) for s, order in zip(stores, (pods, pods[::-1]), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0].read() as tx:
        seen = tx.run("SELECT DISTINCT times_seen FROM alert")
    for store in stores:
        store.close()

    assert errors == []
    assert [row["times_seen"] for row in seen] == [42]


def test_an_accept_gives_way_to_the_dispatcher_and_comes_again(database_url: str) -> None:
    """Each holds a row that the other wants: the accept lets go first, and neither fails."""
    store, other = open_leading(database_url), open_leading(database_url)
    other.accept([alert(pod="a"), alert(pod="b")])
    has_first = threading.Event()
    done: list[object] = []

    def accept() -> None:
        has_first.wait(10)
        done.append(store.accept([alert(pod="b"), alert(pod="a")]))

    thread = threading.Thread(target=accept)
    thread.start()
    with other.write() as tx:
        tx.run("UPDATE alert SET is_folded = 1 WHERE payload LIKE '%\"a\"%'")
        has_first.set()
        tx.run("SELECT pg_sleep(0.8)")  # longer than an accept waits
        tx.run("UPDATE alert SET is_folded = 1 WHERE payload LIKE '%\"b\"%'")
    thread.join()
    for each in (store, other):
        each.close()

    assert len(done) == 1


def test_who_freezes_in_a_transaction_is_ended_by_the_server(database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks are gone after a while, and what it wanted to write is too."""
    limits = dict(postgres._LIMITS)
    monkeypatch.setitem(limits, Lane.WRITE, limits[Lane.WRITE].replace("'5s'", "'200ms'"))
    monkeypatch.setattr(postgres, "_LIMITS", limits)
    frozen = PostgresDatabase(database._url)

    def freeze() -> None:
        with frozen.transaction() as tx:
            set_meta(tx, "k", "late")
            with database.transaction() as other:
                set_meta(other, "k", "in time")
            set_meta(tx, "k", "later")

    with pytest.raises(StoreAway):
        freeze()
    with database.transaction() as tx:
        assert get_meta(tx, "k") == "in time"
    frozen.close()


def test_an_address_is_shown_without_its_password() -> None:
    """As it stands in the log; one that is none is refused without a word of it."""
    assert place_of("postgresql://u:hidden@db.example:6432/x?sslmode=require") == "db.example:6432/x"
    assert place_of("postgresql://u:hidden@a:1,b:2/x") == "a:1,b:2/x"
    with pytest.raises(ConfigError, match="expected postgresql://") as caught:
        check_url("postgresql://u:hid%den@db/x")

    assert "hid" not in str(caught.value).replace("expected", "")


def test_a_resolve_and_a_repeat_at_two_replicas_leave_one_state_each(database_url: str) -> None:
    """Whichever is written first."""
    stores = [open_leading(database_url) for _ in range(2)]
    stores[0].accept([alert()])
    threads = [threading.Thread(target=s.accept, args=([a],)) for s, a in zip(stores, (alert(), alert(status=RESOLVED)), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0].read() as tx:
        rows = tx.run("SELECT status, times_seen FROM alert ORDER BY status")
    for store in stores:
        store.close()

    assert [(r["status"], r["times_seen"]) for r in rows] == [("firing", 2), ("resolved", 1)]


def _takes(store: Store) -> bool:
    try:
        store.accept([alert(pod="again")])
    except StoreError:
        return False
    return True


def _answers(database: PostgresDatabase) -> bool:
    try:
        with database.transaction() as tx:
            tx.run("SELECT 1")
    except StoreError:
        return False
    return True


def test_the_driver_is_the_one_that_the_extra_brings() -> None:
    """With libpq in it: the image has none."""
    assert psycopg.pq.__impl__ == "binary"
