"""A real PostgreSQL server of a test's own: private data, a free port of 127.0.0.1, killed and restarted at will.

    with Postgres() as server:
        url = server.database()          # a new empty database, as a STORE_URL
        server.kill(); server.start()

PostgreSQL refuses to run as root; where the tests do, the server runs as `nobody`. Nothing is written with fsync unless a test asks
for it: what survives is then what a killed process leaves, not a lost machine.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.e2e.binaries import binary
from tests.support import wait_until

READY_S = 30.0
STOP_S = 20.0
USER, PASSWORD = "oomtriage", "s3cret-of-the-database"
ADMIN = "postgres"
_NOBODY = 65534
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_ALWAYS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=GMT",
    "log_timezone=GMT",
    "shared_buffers=16MB",
    "max_wal_size=256MB",
)


class Postgres:
    """One server: `start`, `stop`, `kill`, `restart`, `pause`, `go_on`; as a context manager it is started, ended and removed.

    The port survives a restart. `is_durable`: with fsync, as in earnest. `files`: put beside the data, for nobody else to read. `hba`: who
    may log in how, instead of everybody with a password.
    """

    def __init__(
        self, *, is_durable: bool = False, settings: tuple[str, ...] = (), files: Mapping[str, bytes] | None = None, hba: str = ""
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="oomtriage-pg-"))
        self.data = self.folder / "data"
        self.port = _free_port()
        self._settings = (*_ALWAYS, *(() if is_durable else _FAST), *settings)
        self._user = _NOBODY if os.geteuid() == 0 else None
        self._groups: list[int] | None = [] if self._user is not None else None
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._initialise(files or {}, hba)

    def url(self, database: str = ADMIN, *, user: str = USER, password: str = PASSWORD, **parameters: str) -> str:
        """A database of it as a STORE_URL."""
        more = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{f'?{more}' if more else ''}"

    def database(self, *, template: str = "") -> str:
        """A new database, empty or a copy of `template` (a name); its STORE_URL."""
        name = f"t{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} OWNER {USER}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.ask(f"DROP DATABASE IF EXISTS {name_of(url)} WITH (FORCE)")

    def ask(self, sql: str, database: str = ADMIN) -> list[tuple[object, ...]]:
        """Run a statement as the superuser, outside any transaction."""
        with psycopg.connect(self.url(database, user=ADMIN), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = [word for setting in self._settings for word in ("-c", setting)]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("postgres"), "-D", str(self.data), "-p", str(self.port), *options],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                user=self._user, group=self._user, extra_groups=self._groups,
            )  # fmt: skip
        wait_until(self._answers, what=f"PostgreSQL is ready:\n{self.log()}", timeout_s=READY_S)

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, what is committed is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to all of it, as a lost node would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """As an upgrade does it."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Nothing of it runs any more; its connections stay."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `pause`."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """The last lines it wrote."""
        path = self.folder / "log.txt"
        return "\n".join(path.read_text(errors="replace").splitlines()[-20:]) if path.exists() else ""

    def put(self, name: str, content: bytes) -> Path:
        """A file for the server alone."""
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        if self._user is not None:
            os.chown(path, self._user, self._user)
        return path

    def _initialise(self, files: Mapping[str, bytes], hba: str) -> None:
        if self._user is not None:
            os.chown(self.folder, self._user, self._user)
        password = self.put("password", PASSWORD.encode())
        for name, content in files.items():
            self.put(name, content)
        done = subprocess.run(
            [binary("initdb"), "-D", str(self.data), "-U", ADMIN, "--pwfile", str(password), "-A", "scram-sha-256",
             "--no-sync", "--locale=C", "--encoding=UTF8"],
            cwd=self.folder, capture_output=True, text=True, check=False,
            user=self._user, group=self._user, extra_groups=self._groups,
        )  # fmt: skip
        assert done.returncode == 0, f"initdb: {done.stderr or done.stdout}"
        if hba:
            (self.data / "pg_hba.conf").write_text(hba)
        self.start()
        self.ask(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"PostgreSQL does not start:\n{self.log()}"
        try:
            with psycopg.connect(self.url(user=ADMIN), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _signal(self, number: int) -> None:
        """To the postmaster and all its children, which it puts into sessions of their own."""
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _end(self, number: int) -> None:
        process = self._process
        if process is None:
            return
        if number == signal.SIGKILL:
            self._signal(number)
        else:
            process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            process.wait()
        self._process = None
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Bouncer:
    """PgBouncer in transaction mode before a server: two connections there for however many here. A context manager."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def url(self, url: str) -> str:
        """The same database, through it."""
        return url.replace(f":{self._server.port}/", f":{self.port}/")

    def __enter__(self) -> Self:
        users = self._server.put("users.txt", f'"{USER}" "{PASSWORD}"\n'.encode())
        config = f"""[databases]
* = host=127.0.0.1 port={self._server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 2
"""
        path = self._server.put("pgbouncer.ini", config.encode())
        user, groups = self._server._user, self._server._groups
        with (self._server.folder / "pgbouncer.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [binary("pgbouncer"), str(path)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user, group=user, extra_groups=groups,
            )  # fmt: skip
        wait_until(self._answers, what="PgBouncer listens")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def name_of(url: str) -> str:
    """The name of the database in a STORE_URL."""
    return url.rpartition("/")[2].partition("?")[0]


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
