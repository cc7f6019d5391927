"""`oomtriage serve`: check everything that can be checked, then become gunicorn.

The check runs in this process, which gunicorn's parent then replaces (exec): it keeps none of our memory.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from receiver.app.build import make_label_names, make_redactor, make_renderer, make_router, make_sink, store_path
from receiver.app.wsgi import CONFIG_VARIABLE
from receiver.settings import Settings
from receiver.store.store import Store

TAKEOVER_WAIT_S = 2.0  # a predecessor that was just killed has let go of the file by then


def serve(settings: Settings, config_path: str | None) -> NoReturn:
    """Replace this process by gunicorn. ConfigError and StoreLocked are raised before that."""
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
    make_label_names(settings)
    make_redactor(settings.redaction)
    make_renderer(settings)
    make_router(settings, make_sink(settings))
    Store.open_sqlite(store_path(settings), wait_s=TAKEOVER_WAIT_S).close()
