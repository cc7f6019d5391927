"""What gunicorn's worker loads: `receiver.app.wsgi:application()`."""

from __future__ import annotations

import logging
import os
import sys

from flask import Flask

from receiver.app.build import build
from receiver.app.kubernetes import kubernetes_access
from receiver.errors import ReceiverError
from receiver.settings import load_settings
from receiver.telemetry import configure_logging

CONFIG_VARIABLE = "OOMTRIAGE_CONFIG"  # how `serve --config FILE` reaches the worker
STORE_WAIT_S = 35.0  # gunicorn starts a reloaded worker before the old one has ended: graceful_timeout + 5 s
BOOT_FAILED = 3  # the exit code at which gunicorn gives up instead of trying again at once


def application() -> Flask:
    """The web application with its worker not yet started. Ends the process with one clear line when it cannot be built."""
    try:
        settings = load_settings(config_path=os.environ.get(CONFIG_VARIABLE) or None)
        configure_logging(settings.log_level, is_terminal=sys.stderr.isatty())
        return build(settings, store_wait_s=STORE_WAIT_S, kube_api_url=kubernetes_access(settings)).web
    except ReceiverError as exc:
        logging.getLogger(__name__).error("cannot start: %s", exc)
        sys.exit(BOOT_FAILED)
