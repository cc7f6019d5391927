"""Asks the receiver that runs beside this command, in the same pod or on the same host: it has loaded already what an answer needs.

A process of its own for `triage` takes 60 MiB; beside the receiver in one container that is its limit. Only the standard library.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from receiver.app import local_pass
from receiver.settings import Settings, load_settings

TIMEOUT_S = 45.0  # a look has ENRICH_DEADLINE, and may wait for another


def ask(path: str, body: Mapping[str, Any], settings: Settings) -> Any:
    """The JSON answer of a receiver with the same sources; None when there is none that answers: then this process does it itself."""
    wanted = digests_of(settings)
    for local in local_pass.found():
        if local.serves(wanted):
            answer = _exchange(local, "POST", path, json.dumps(body))
            if answer is not None:
                return answer
    return None


def get(local: local_pass.LocalPass, path: str) -> Any:
    """The JSON answer of that receiver; None when it does not answer."""
    return _exchange(local, "GET", path, None)


def on_port_of(settings: Settings) -> local_pass.LocalPass | None:
    """The receiver of this user that listens where LISTEN says."""
    port = int(settings.listen.rpartition(":")[2])
    return next((local for local in local_pass.found() if local.port == port), None)


def digests_of(settings: Settings) -> Mapping[str, str]:
    """What of the settings is not the default's."""
    return local_pass.digests(settings, load_settings({}))


def _exchange(local: local_pass.LocalPass, method: str, path: str, body: str | None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", local.port, timeout=TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json", local_pass.HEADER: local.word, "Host": f"127.0.0.1:{local.port}"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read()) if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else None
