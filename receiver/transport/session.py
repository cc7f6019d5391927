"""The connections to one service, kept open between questions."""

from __future__ import annotations

import os
import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from receiver.transport.exchange import Exchanges
from receiver.transport.failures import ConnectionFailed
from receiver.transport.sockets import BoundedAdapter
from receiver.transport.tls import TlsAdapter, TlsFault, TlsProblem, client_context, reason_of


class Sessions:
    """The session to use now: one a process (connections must not cross a fork) and a state of the CA file."""

    def __init__(self, *, name: str, is_tls: bool, ca_path: str, pool_size: int) -> None:
        """An empty `ca_path`: the public authorities."""
        self.exchanges = Exchanges()
        self._name, self._is_tls, self._ca_path, self._pool_size = name, is_tls, ca_path, pool_size
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._key: tuple[int, float] | None = None

    def current(self) -> requests.Session:
        """The session; a new one after a fork and after the CA file was replaced. ConnectionFailed when that cannot be read."""
        key = (os.getpid(), self._ca_changed_at())
        with self._lock:
            if self._session is None or self._key != key:
                self._session = self._new()
                self._key = key
            return self._session

    def close(self) -> None:
        """Close the connections; `current` opens new ones."""
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = self._key = None

    def _ca_changed_at(self) -> float:
        if not self._ca_path:
            return 0.0
        try:
            return Path(self._ca_path).stat().st_mtime
        except OSError as exc:
            raise self._unreadable(exc) from exc

    def _new(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": "oomtriage", "Accept": "*/*"})
        if self._is_tls:
            session.mount(
                "https://", TlsAdapter(self._context(), self.exchanges, pool_connections=2, pool_maxsize=self._pool_size, max_retries=0)
            )
        else:
            session.mount("http://", BoundedAdapter(self.exchanges, pool_connections=2, pool_maxsize=self._pool_size, max_retries=0))
        return session

    def _context(self) -> ssl.SSLContext:
        try:
            return client_context(self._ca_path)
        except OSError as exc:
            raise self._unreadable(exc) from exc

    def _unreadable(self, exc: OSError) -> ConnectionFailed:
        fault = TlsFault(problem=TlsProblem.CA_FILE, reason=reason_of(exc))
        text = f"{self._name}: the CA file {self._ca_path or DEFAULT_CA_BUNDLE_PATH} cannot be read: {fault.reason}"
        return ConnectionFailed(text, maybe_received=False, tls=fault)
