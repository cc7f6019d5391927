"""`oomtriage serve`: check everything that can be checked, build the receiver, serve until SIGTERM."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from functools import partial
from pathlib import Path

from receiver.app import local_pass
from receiver.app.build import build, make_admission, make_label_names, make_redactor, make_renderer
from receiver.app.door import Door
from receiver.app.front import Front, FrontConfig
from receiver.app.greeting import Greeting
from receiver.app.kubernetes import kubernetes_access
from receiver.app.service import Service
from receiver.app.sinks import check_channels, make_sinks
from receiver.app.state import check_database, is_shared, store_path
from receiver.errors import ConfigError, ReceiverError
from receiver.process import allocator
from receiver.settings import Settings, load_settings
from receiver.telemetry import configure_logging

TAKEOVER_WAIT_S = 2.0  # a predecessor that was just killed has let go of the file by then
_POLL_S = 0.1
SWITCH_S = 0.0005  # Python's 5 ms: each statement of an accept would wait so long behind a look that computes (docs/performance.md)
_MAY_PASS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)  # of the volume, not of the setting


def serve(settings: Settings, *, config_path: str = "") -> None:
    """Serve until a signal ends it. `config_path`: of the settings file, for commands beside it. ConfigError, StoreLocked and the like are raised before anything is answered."""
    check(settings)
    allocator.keep_small()
    sys.setswitchinterval(SWITCH_S)
    configure_logging(settings.log_level, is_terminal=sys.stderr.isatty())
    kube_api_url = kubernetes_access(settings)
    door, greeting = Door(), Greeting(settings)
    local, note = local_pass.leave(
        int(settings.listen.rpartition(":")[2]), local_pass.digests(settings, load_settings({})), config=config_path
    )
    service = Service(
        door,
        partial(build, settings, store_wait_s=TAKEOVER_WAIT_S, keeps_reserve=True, local_word=local.word, kube_api_url=kube_api_url),
        opened=greeting.opened,
    )
    try:
        service.start()
        greeting.started()
        front = Front(
            door,
            FrontConfig(listen=settings.listen, max_body_bytes=settings.max_body, admits=make_admission(settings), refused=door.refused),
        )
        front.end_on_signals()
        front.run()
    finally:
        if note is not None:
            note.unlink(missing_ok=True)
        service.end()


def check(settings: Settings) -> None:
    """Everything that would fail in the worker and can be told here in one plain line."""
    check_settings(settings)
    check_channels(settings, make_sinks(settings)[0])
    if is_shared(settings):
        check_database(settings)
    else:
        _check_place(store_path(settings))
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
        if exc.errno in _MAY_PASS:
            return
        raise ConfigError(f"STORE_URL: the folder {path.parent} cannot be made: {exc.strerror}") from exc
    for place in (path, path.parent):  # SQLite keeps its journal beside the file
        if place.exists() and not os.access(place, os.W_OK) and not os.statvfs(place).f_flag & os.ST_RDONLY:
            raise ConfigError(f"STORE_URL: {place} cannot be written by this user")


def _check_address(listen: str) -> None:
    """Whether we may listen there, as the server will. A predecessor that just ended gets the time to let go of it."""
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
