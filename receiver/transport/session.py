"""The connections to one service, kept open between questions."""

from __future__ import annotations

import os
import threading
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from receiver.errors import Rejected


class Sessions:
    """The session to use now: one a process (connections must not cross a fork) and a state of the CA file."""

    def __init__(self, *, name: str, ca_path: str, proxy_url: str, pool_size: int) -> None:
        self._name, self._ca_path, self._proxy_url, self._pool_size = name, ca_path, proxy_url, pool_size
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._key: tuple[int, float] | None = None

    def current(self) -> requests.Session:
        """The session; a new one after a fork and after the CA file was replaced. Rejected when that cannot be read."""
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
            raise Rejected(f"{self._name}: the CA file {self._ca_path} cannot be read: {type(exc).__name__}") from exc

    def _new(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.update({"User-Agent": "oomtriage", "Accept": "*/*"})
        if self._ca_path:
            session.verify = self._ca_path
        if self._proxy_url:
            session.proxies = {"http": self._proxy_url, "https": self._proxy_url}
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=self._pool_size, max_retries=0)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session
