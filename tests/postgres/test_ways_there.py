"""How a receiver gets to its database: through a pooler, and over TLS with a certificate of its own."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.errors import StoreAway, StoreError
from receiver.pipeline.fold import FoldConfig, fold
from receiver.store import alerts
from receiver.store.lease import Lease
from receiver.store.postgres import PostgresDatabase
from receiver.store.store import Store
from tests.fakes.tls import OTHER_CA, PLAIN_CA, TLS
from tests.postgres.server import Bouncer, Postgres
from tests.postgres.stores import Databases, open_leading
from tests.support import alert

HBA = """local all all reject
hostssl all postgres 127.0.0.1/32 scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
"""


def test_through_a_pooler_in_transaction_mode(databases: Databases, database_url: str) -> None:
    """Two replicas share two connections at the server: nothing of one transaction is relied on in the next."""
    with Bouncer(databases.server) as bouncer:
        url = bouncer.url(database_url)
        leader, standby = open_leading(url), _standing_by(url)
        errors: list[StoreError] = []

        def send(store: Store, first: int) -> None:
            for n in range(first, first + 40):
                try:
                    store.accept([alert(pod=f"p-{n}")])
                    with store.record() as tx:
                        tx.run("SELECT 1")
                except StoreError as exc:
                    errors.append(exc)

        threads = [threading.Thread(target=send, args=(store, first)) for store, first in ((leader, 0), (standby, 100))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while fold(leader, FoldConfig()):
            pass
        with standby.read() as tx:
            n, left = len(alerts.newest(tx, 1000)), alerts.has_unfolded(tx)
        leads = leader.may_act(), standby.may_act()
        for store in (leader, standby):
            store.close()

    assert errors == []
    assert (n, left, leads) == (80, False, (True, False))


@pytest.fixture(scope="module")
def over_tls() -> Iterator[Postgres]:
    """A server that takes nobody without TLS and a certificate."""
    files = {name: (TLS / name).read_bytes() for name in ("plain.crt", "server.key", "plain-ca.crt")}
    settings = ("ssl=on", "ssl_cert_file=../plain.crt", "ssl_key_file=../server.key", "ssl_ca_file=../plain-ca.crt")
    with Postgres(files=files, settings=settings, hba=HBA) as server:
        yield server


def test_over_tls_with_a_certificate_of_ours(over_tls: Postgres, tmp_path: Path) -> None:
    """The server's is checked against a CA, and it checks ours; all of it stands in the address."""
    key = tmp_path / "client.key"
    shutil.copy(TLS / "server.key", key)
    key.chmod(0o600)
    ours = {"sslcert": str(TLS / "plain.crt"), "sslkey": str(key)}
    url = over_tls.database()
    store = open_leading(f"{url}?{_parameters(sslmode='verify-full', sslrootcert=PLAIN_CA, **ours)}")
    taken = store.accept([alert()])
    store.close()

    assert taken.new == 1
    assert "certificate verify failed" in _refusal(f"{url}?{_parameters(sslmode='verify-full', sslrootcert=OTHER_CA, **ours)}")
    assert "certificate" in _refusal(f"{url}?{_parameters(sslmode='verify-full', sslrootcert=PLAIN_CA)}")
    assert "no encryption" in _refusal(f"{url}?{_parameters(sslmode='disable')}")


def _parameters(**parameters: str) -> str:
    return "&".join(f"{name}={value}" for name, value in parameters.items())


def _refusal(url: str) -> str:
    database = PostgresDatabase(lambda: url)
    try:
        with pytest.raises(StoreAway) as caught, database.transaction():
            pass
    finally:
        database.close()
    return str(caught.value)


def _standing_by(url: str) -> Store:
    database = PostgresDatabase(lambda: url)
    lease = Lease(database, ttl_s=600.0)
    store = Store.open_shared(database, lease, clock=database.now)
    lease.step()
    return store
