"""`oomtriage backup PATH`: a consistent copy of the state, from the running receiver, which alone can open its state file."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from receiver.app.state import store_path
from receiver.cli.arguments import add_config
from receiver.cli.shared import receiver_http, settings_for
from receiver.errors import ConfigError, StoreError
from receiver.settings import Settings
from receiver.store import copies
from receiver.transport import ConnectionFailed

COPY_TIMEOUT_S = 300.0  # until the first byte: the receiver makes the copy first; 700 MiB take it about 10 s
STDOUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("path", metavar="PATH", help="a file that does not exist yet, readable by you alone afterwards; - for stdout")
    parser.add_argument("--url", help="the receiver (default: http:// and LISTEN; when none runs there, the state file of STORE_URL)")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_for(arguments, log_level="WARNING")
    if arguments.path == STDOUT:
        receiver_http(settings, arguments.url, read_timeout_s=COPY_TIMEOUT_S).download("/admin/backup", sys.stdout.buffer.write)
        return 0
    path = Path(arguments.path)
    part = path.with_name(f"{path.name}.part")
    if path.exists():
        raise ConfigError(f"{path} exists: expected the name of a new file")
    try:
        with _new(part) as file:
            source = _fetch(settings, arguments.url, file, part)
        taken_at = copies.check(part)
        part.rename(path)
    except OSError as exc:
        raise StoreError(f"{path} cannot be written: {exc.strerror}") from exc
    finally:
        with suppress(OSError):
            part.unlink()
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(taken_at))
    print(f"{path}: {path.stat().st_size} bytes, the state {source} as of {when}")
    return 0


def _fetch(settings: Settings, url: str | None, file: BinaryIO, part: Path) -> str:
    """Write the copy; returns whose state it is."""
    http = receiver_http(settings, url, read_timeout_s=COPY_TIMEOUT_S)
    try:
        http.download("/admin/backup", file.write)
    except ConnectionFailed as exc:
        if url or exc.maybe_received:
            raise
        copies.back_up_stopped(store_path(settings), part, now=time.time())
        return "of the stopped receiver"
    file.flush()
    os.fsync(file.fileno())
    return "of the running receiver"


def _new(part: Path) -> BinaryIO:
    """Evidence is in it: nobody else reads it."""
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
