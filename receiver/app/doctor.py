"""Builds what `oomtriage doctor` examines from the settings, and runs it: in a command's process, or in the running receiver's."""

from __future__ import annotations

import os
import platform
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from receiver.app.build import (
    alertmanager_config,
    make_label_names,
    make_prometheus,
    make_redactor,
    make_renderer,
    make_repositories,
    rule_label_names,
)
from receiver.app.release import version
from receiver.app.rules import shipped_pack
from receiver.app.sinks import make_sinks
from receiver.app.state import check_database, is_shared, store_path, url_now
from receiver.doctor.checks import ALL
from receiver.doctor.run import LIMIT_S, examine
from receiver.doctor.site import Database, Own, Site
from receiver.domain.units import from_epoch
from receiver.errors import ConfigError, SourceError, Unreadable
from receiver.evidence.alertmanager import Alertmanager
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.prometheus import Prometheus
from receiver.forge import make_forge
from receiver.render.doctor import document
from receiver.settings import Secret, Settings
from receiver.settings.load import SERVICE_ACCOUNT_DIR
from receiver.settings.parsing import without_password
from receiver.sinks.base import NamesChannels
from receiver.transport import Deadline, Http, HttpConfig

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
READY_S = 3.0
WAIT_S = 3.0
KEPT_S = 10.0  # an answer serves all who ask within that: a page that is loaded again asks nobody
SHORTEST_SECRET = 6  # characters: less of one stands in ordinary words

C = TypeVar("C", Kube, Prometheus, Alertmanager)


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What is known beside the settings.

    `problems`: of reading them. `kube_api_url`: of a `kubectl proxy` child; `kubernetes_error`: why there is none. `ready`: what the
    receiver says of itself, when this process is it. `receiver_url`: where to ask one, when it is not.
    """

    problems: Sequence[ConfigError] = ()
    kube_api_url: str = ""
    kubernetes_error: str = ""
    ready: Mapping[str, Any] | None = None
    known_as: tuple[str, ...] = ()
    receiver_url: str = ""
    receiver_pid: int = 0
    differing_settings: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    mounts: str | None = None  # instead of /proc/mounts
    now: Callable[[], float] = time.time


def diagnose(settings: Settings, here: Here) -> dict[str, Any]:
    """Examine the installation; the document of `receiver/render/doctor.py`."""
    began = time.monotonic()
    site = make_site(settings, here)
    try:
        found = examine(site, ALL)
    finally:
        site.close()
    return document(
        found, version=version(), at=from_epoch(round(here.now())), took_s=time.monotonic() - began, hide=_hider(settings),
    )  # fmt: skip


def make_site(settings: Settings, here: Here) -> Site:
    """All that the checks may ask. Clients of their own: what a running receiver knows against a service does not count here."""
    problems = [str(exc) for exc in here.problems]
    names = _tried(problems, lambda: make_sinks(settings)[0])
    _tried(problems, lambda: make_label_names(settings))
    _tried(problems, lambda: make_redactor(settings.redaction))
    _tried(problems, lambda: make_renderer(settings))
    api_url = settings.kube_api_url or here.kube_api_url
    receiver = Http(_config(here.receiver_url, "the receiver", read_timeout_s=READY_S)) if here.receiver_url else None
    return Site(
        own=_own(settings, here, tuple(problems)),
        deadline=Deadline(LIMIT_S),
        now=here.now,
        pack=shipped_pack(rule_label_names(settings)),
        kube=_once(Kube(KubeConfig(api_url=api_url, token_path=settings.kube_token_path, ca_path=settings.kube_ca_path)))
        if api_url
        else None,
        prometheus=_once(make_prometheus(settings)) if settings.prometheus_url else None,
        alertmanager=_once(Alertmanager(alertmanager_config(settings))) if settings.alertmanager_url else None,
        repositories={f"{r.forge.kind} {r.forge.repository}": make_forge(r.forge) for r in make_repositories(settings)},
        slack=Http(_config(settings.slack_api_url, "Slack", token=settings.slack_bot_token.reveal())) if settings.slack_bot_token else None,
        slack_app=Http(_config(settings.slack_api_url, "Slack", token=settings.slack_app_token.reveal()))
        if settings.slack_app_token
        else None,
        slack_webhook=Http(_config(settings.slack_webhook_url.reveal(), "the Slack webhook")) if settings.slack_webhook_url else None,
        channel_names=names if isinstance(names, NamesChannels) else None,
        receiver=receiver,
        ready=here.ready if here.ready is not None else _ready(receiver),
        differing_settings=here.differing_settings,
    )


def _own(settings: Settings, here: Here, problems: tuple[str, ...]) -> Own:
    channels = (settings.slack_channel, *(route.channel for route in settings.routes))
    return Own(
        version=version(),
        python=platform.python_version(),
        problems=problems,
        listen=settings.listen,
        addresses=_addresses(settings),
        public_url=settings.public_url,
        has_webhook_token=bool(settings.webhook_token),
        has_admin_token=bool(settings.admin_token),
        is_loopback=settings.is_loopback,
        has_signing_secret=bool(settings.slack_signing_secret),
        channels=tuple(dict.fromkeys(channel for channel in channels if channel)),
        known_as=here.known_as,
        request_rate_query=settings.request_rate_query,
        proxies={
            name: without_password(value)
            for name in (*PROXY_VARIABLES, *(v.lower() for v in PROXY_VARIABLES))
            if (value := here.environ.get(name))
        },
        namespace=_service_account("namespace"),
        pod=here.environ.get("HOSTNAME", ""),
        store_path=None if is_shared(settings) else store_path(settings),
        database=_looker(settings) if is_shared(settings) else None,
        store_is_ours=here.ready is not None,
        receiver_pid=here.receiver_pid,
        mounts=here.mounts if here.mounts is not None else _read(Path("/proc/mounts")),
        kubernetes_error=here.kubernetes_error,
    )


def _looker(settings: Settings) -> Callable[[], Database]:
    """Asked once, however many checks want to know."""

    def look_there() -> Database:
        check_database(settings)
        from receiver.store.look import look  # it needs the extra `postgres`

        return look(lambda: url_now(settings))

    return cache(look_there)


def _tried(problems: list[str], make: Callable[[], object]) -> object:
    """What `serve` would build of the settings; what it would refuse is a problem among the others."""
    try:
        return make()
    except ConfigError as exc:
        problems.append(str(exc))
        return None


def _config(url: str, name: str, *, token: str = "", read_timeout_s: float = 10.0) -> HttpConfig:
    return HttpConfig(base_url=url, name=name, token=token, read_timeout_s=read_timeout_s, tries=1, pool_size=4)


def _once(client: C) -> C:
    """A client that asks once: what is refused now is what is to be told."""
    client.http = Http(replace(client.http.config, tries=1, pool_size=8))
    return client


def _addresses(settings: Settings) -> tuple[str, ...]:
    """`host:port` by which others may call us, as far as that can be known from here."""
    port = settings.listen.rpartition(":")[2]
    is_in_cluster = bool(_service_account("namespace"))  # there, localhost is somebody else's
    hosts = (socket.gethostname(), *(() if is_in_cluster else ("127.0.0.1", "localhost", "::1")))
    public = urlsplit(settings.public_url)
    named = f"{public.hostname}:{public.port or (443 if public.scheme == 'https' else 80)}" if public.hostname else ""
    return tuple(filter(None, (*(f"{host}:{port}" for host in hosts), named)))


def _ready(receiver: Http | None) -> Mapping[str, Any] | None:
    """What a receiver says of itself; None where none answers, or something else does."""
    if receiver is None:
        return None
    try:
        answer = receiver.get("readyz").json()
    except (SourceError, Unreadable):
        return None
    return answer if isinstance(answer, dict) and "dispatcher" in answer else None


def _service_account(what: str) -> str:
    return _read(Path(SERVICE_ACCOUNT_DIR) / what).strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _hider(settings: Settings) -> Callable[[str], str]:
    """Takes every secret of the settings out of a text: the last net under what others answer."""
    values = [getattr(settings, name) for name in settings.__slots__]
    plain = [v.reveal() for v in values if isinstance(v, Secret)] + [str(v) for v in settings.prometheus_headers.values()]
    plain += [
        _password(url) for url in (settings.store_url.reveal(), settings.kube_api_url, settings.prometheus_url, settings.alertmanager_url)
    ]
    secrets = sorted({p for p in plain if len(p) >= SHORTEST_SECRET and p != settings.store_url.reveal()}, key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "***")
        return text

    return hide


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


class DoctorDesk:
    """Does it in the running receiver, one at a time."""

    def __init__(self, settings: Settings, here: Callable[[], Here], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`here`: as it is now."""
        self._settings, self._here, self._monotonic = settings, here, monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any]] | None = None

    def answer(self) -> dict[str, Any] | None:
        """The document, at most `KEPT_S` old; while another is being made, the one before it. None when there is none yet, and none
        within `WAIT_S`: who waits here holds one of the server's threads.
        """
        kept = self._kept
        if kept is not None and self._monotonic() - kept[0] <= KEPT_S:
            return kept[1]
        if not self._lock.acquire(timeout=0.0 if kept is not None else WAIT_S):
            return kept[1] if kept is not None else None
        try:
            found = diagnose(self._settings, self._here())
            self._kept = (self._monotonic(), found)
            return found
        finally:
            self._lock.release()
