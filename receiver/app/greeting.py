"""What a receiver says of itself in the log when it starts: enough to see from `kubectl logs` that it is the right one, and well.

Nothing waits for it: the sources are asked beside the work, and one that does not answer delays no alert.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from receiver.app.build import Application
from receiver.app.release import version
from receiver.app.sinks import make_sinks
from receiver.errors import Forbidden, NotFound, SourceError
from receiver.evidence import Evidence
from receiver.settings import Settings
from receiver.transport import Deadline, Http, several

log = logging.getLogger(__name__)

ANSWER_S = 5.0  # a source that is slower than that is worth a warning
# Where each tells its version: read-only, and allowed to whoever may ask at all.
VERSIONS = {
    "kubernetes": ("version", ("gitVersion",)),
    "prometheus": ("api/v1/status/buildinfo", ("data", "version")),
    "alertmanager": ("api/v2/status", ("versionInfo", "version")),
}


class Greeting:
    """Says it once the state is held: a start that is refused has one line, the reason."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._has_started = False

    def started(self) -> None:
        """Who starts here, and with what; once."""
        if not self._has_started:
            self._has_started = True
            _say_start(self._settings)

    def opened(self, application: Application) -> None:
        """Alerts are taken from now on. What the sources answer follows when they have."""
        self.started()
        log.info("ready: alerts are taken", extra={"version": version()})
        threading.Thread(target=_say_sources, args=(application.evidence,), name="greeting", daemon=True).start()


def _say_start(settings: Settings) -> None:
    sinks = make_sinks(settings)
    places = [settings.slack_channel, *(route.channel for route in settings.routes)]
    log.info(
        "the receiver starts",
        extra={
            "version": version(), "listen": settings.listen, "sinks": [sink.name for sink in sinks],
            "channels": list(dict.fromkeys(places)) if sinks[0].has_threads else [], "routes": len(settings.routes),
            "state": settings.store_url.reveal().partition(":")[0], "cluster": settings.cluster_name, "public_url": settings.public_url,
            "pages": "need ADMIN_TOKEN" if settings.admin_token else "need READ_TOKEN" if settings.read_token else "for loopback" if settings.is_loopback else "closed: ADMIN_TOKEN is not set",
        },
    )  # fmt: skip


def _say_sources(evidence: Evidence) -> None:
    answers = ask_sources(evidence)
    level = logging.INFO if all(answer.is_well for answer in answers.values()) else logging.WARNING
    log.log(level, "what the sources answered", extra={name: answer.said for name, answer in answers.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`said`: where a source is and which version answered there, or why none did."""

    said: str
    is_well: bool = True


def ask_sources(evidence: Evidence) -> Mapping[str, Answer]:
    """By source; one that is not configured is well."""
    clients = {"kubernetes": evidence.kube, "prometheus": evidence.prometheus, "alertmanager": evidence.alertmanager}
    there = [(name, client) for name, client in clients.items() if client is not None]
    answers = several([partial(_answer, name, client.http) for name, client in there], at_a_time=len(clients))
    known = {name: answer for (name, _), answer in zip(there, answers, strict=True)}
    return {name: known.get(name, Answer(said="not configured")) for name in clients}


def _answer(name: str, http: Http) -> Answer:
    path, keys = VERSIONS[name]
    place = urlsplit(http.config.base_url)
    where = f"at {place.hostname}{f':{place.port}' if place.port else ''}"
    try:
        found = http.get_json(path, deadline=Deadline(ANSWER_S))
    except (NotFound, Forbidden):
        return Answer(said=f"answers {where}, without its version")
    except SourceError as exc:
        return Answer(said=f"no answer: {exc}", is_well=False)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return Answer(said=f"{found} {where}" if isinstance(found, str) and found else f"answers {where}, without its version")
