"""What doctor says of the database."""

from __future__ import annotations

import pytest

from receiver.doctor.checks import store
from receiver.doctor.site import Own
from receiver.store.look import look
from receiver.store.schema import SCHEMA_VERSION
from tests.postgres.server import PASSWORD, name_of
from tests.postgres.stores import Databases, open_leading
from tests.unit.doctor.kit import site, told


def examined(url: str) -> list[tuple[str, str]]:
    """All four checks of the store."""
    own = site(Own(store_path=None, database=lambda: look(lambda: url)))
    return [finding for check in (store.writable, store.space, store.file_system, store.lock) for finding in told(check(own))]


def test_a_database_in_use_and_one_that_is_not(database_url: str) -> None:
    """The volume is nobody's question."""
    before = examined(database_url)
    held = open_leading(database_url)
    during = examined(database_url)
    held.close()

    assert before == [("ok", "doctor.database.ok"), ("advice", "doctor.database.unled")]
    assert during == [("ok", "doctor.database.ok"), ("ok", "doctor.database.led")]


def test_an_empty_database_is_as_good(databases: Databases) -> None:
    url = databases.server.database()

    assert examined(url)[0] == ("ok", "doctor.database.ok")
    databases.server.drop(url)


@pytest.mark.parametrize(
    ("change", "back", "code"),
    [
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "ALTER DATABASE {name} RESET default_transaction_read_only", "read_only"),
        ("ALTER DATABASE {name} OWNER TO postgres", "ALTER DATABASE {name} OWNER TO oomtriage", "no_create"),
    ],
    ids=["read-only", "not-ours"],
)  # fmt: skip
def test_why_a_receiver_could_not_work_there(database_url: str, databases: Databases, change: str, back: str, code: str) -> None:
    """A standby of a cluster of databases, a user without rights."""
    name = name_of(database_url)
    databases.server.ask(change.format(name=name))
    found = examined(database_url)
    databases.server.ask(back.format(name=name))

    assert found[0] == ("problem", f"doctor.database.{code}")


def test_a_wrong_password_is_said_without_any(database_url: str) -> None:
    """In the server's own words."""
    own = site(Own(store_path=None, database=lambda: look(lambda: database_url.replace(PASSWORD, "another-s3cret"))))
    (found,) = store.writable(own)

    assert found.what.code == "doctor.database.away"
    assert "password authentication failed" in str(dict(found.what.facts)["error"])
    assert "s3cret" not in str(found)


def test_one_that_a_newer_release_changed(database_url: str, databases: Databases) -> None:
    databases.server.ask("UPDATE meta SET v = '99' WHERE k = 'schema'", name_of(database_url))
    found = examined(database_url)
    databases.server.ask(f"UPDATE meta SET v = '{SCHEMA_VERSION}' WHERE k = 'schema'", name_of(database_url))

    assert found[0] == ("problem", "doctor.database.newer")
