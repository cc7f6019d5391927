"""`oomtriage serve`: check everything that can be checked, then become gunicorn.

The check runs in this process, which gunicorn's parent then replaces (exec): it keeps none of our memory.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

from receiver.app.build import make_label_names, make_redactor, make_renderer, store_path
from receiver.app.sinks import check_channels, make_sinks
from receiver.app.wsgi import CONFIG_VARIABLE
from receiver.errors import ConfigError, ReceiverError
from receiver.settings import Settings
from receiver.store.store import Store

TAKEOVER_WAIT_S = 2.0  # a predecessor that was just killed has let go of the file by then
_POLL_S = 0.1


def serve(settings: Settings, config_path: str | None) -> NoReturn:
    """Replace this process by gunicorn. ConfigError, StoreLocked and the like are raised before that."""
    check(settings)
    environ = dict(os.environ)
    if config_path:
        environ[CONFIG_VARIABLE] = str(Path(config_path).resolve())
    config = Path(__file__).with_name("gunicorn_config.py")
    arguments = [sys.executable, "-m", "gunicorn", "-c", f"file:{config}", "--bind", settings.listen, "receiver.app.wsgi:application()"]
    sys.stdout.flush()
    os.execve(sys.executable, arguments, environ)  # noqa: S606


def check(settings: Settings) -> None:
    """Everything that would fail in the worker and can be told here in one plain line."""
    check_settings(settings)
    check_channels(settings, make_sinks(settings)[0])
    path = store_path(settings)
    _check_place(path)
    Store.open_sqlite(path, wait_s=TAKEOVER_WAIT_S).close()
    _check_address(settings.listen)


def check_settings(settings: Settings) -> None:
    """What can be told of the settings alone, without asking anybody. ConfigError."""
    make_label_names(settings)
    make_redactor(settings.redaction)
    make_renderer(settings)


def _check_place(path: Path) -> None:
    """Whether a state file can be at this path. ConfigError."""
    if path.is_dir():
        raise ConfigError(f"STORE_URL names the folder {path}: expected a file, for example sqlite:///{path}/oomtriage.db")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"STORE_URL: the folder {path.parent} cannot be made: {exc.strerror}") from exc
    for place in (path, path.parent):  # SQLite keeps its journal beside the file
        if place.exists() and not os.access(place, os.W_OK):
            raise ConfigError(f"STORE_URL: {place} cannot be written by this user")


def _check_address(listen: str) -> None:
    """Whether we may listen there, as gunicorn will. A predecessor that just ended gets the time to let go of it."""
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    deadline = time.monotonic() + TAKEOVER_WAIT_S
    while True:
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host.strip("[]"), int(port)))
                probe.listen()
            return
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise ReceiverError(f"cannot listen on {listen}: {(exc.strerror or str(exc)).lower()}") from exc
        time.sleep(_POLL_S)
