"""gunicorn's settings file. The parent process runs it and imports nothing of this package: what it costs is gunicorn alone.

One worker process: the store's lock and the metrics want one. The state file is opened in the worker, after the fork.
"""

# ruff: noqa: D103  hooks are documented by gunicorn

import socket
import struct

STALLED_S = 3

workers = 1
threads = 16
worker_class = "gthread"
preload_app = False
max_requests = 0
graceful_timeout = 30
timeout = 120  # the heartbeat of the worker's main loop, not a limit on requests
keepalive = 75  # Alertmanager keeps its connection
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "oomtriage"


def when_ready(server):  # type: ignore[no-untyped-def]
    # Accepted sockets inherit it: a client that stops in the middle of a request gives its thread back after a while.
    # Without it, as many idle connections as there are threads would stop everything, /healthz included.
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALLED_S, 0))


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    worker.wsgi.extensions["oomtriage"].start()


def worker_exit(server, worker):  # type: ignore[no-untyped-def]
    wsgi = getattr(worker, "wsgi", None)
    if wsgi is not None:
        wsgi.extensions["oomtriage"].close()
