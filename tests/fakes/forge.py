"""What the stand-ins of GitHub and GitLab share: a repository that keeps state, a server, and what goes wrong on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]  # a status, and JSON or bytes
TOKEN = "planted-forge-token"
NOW = "2026-03-01T10:00:00Z"


@dataclass
class Fault:
    """What goes wrong with the next requests that match. kinds: `status` (nothing is done), `lost` (done, and the connection is
    closed before the answer), `hang` (nothing is done, no answer), `redirect` (to `location`).
    """

    kind: str = "status"
    method: str = "*"
    path: str = ""
    times: int = 1
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: {"message": "planted"})
    location: str = ""
    after: int = 0  # so many that match go well before


@dataclass
class Commit:
    """A commit with all its files."""

    sha: str
    files: dict[str, str]
    parents: tuple[str, ...]
    message: str


@dataclass
class Proposal:
    """A pull or merge request."""

    number: int
    branch: str
    base: str
    title: str
    body: str
    state: str = "open"  # open, closed, merged
    comments: list[str] = field(default_factory=list)
    edits: int = 0


class Repository:
    """Commits, branches and requests."""

    def __init__(self, files: Mapping[str, str], *, base: str = "main") -> None:
        self.base = base
        self.commits: dict[str, Commit] = {}
        self.branches: dict[str, str] = {}
        self.blobs: dict[str, str] = {}
        self.trees: dict[str, dict[str, str]] = {}
        self.requests: list[Proposal] = []
        self.branches[base] = self.commit(dict(files), (), "Begin")

    def commit(self, files: dict[str, str], parents: tuple[str, ...], message: str) -> str:
        """A new commit, on no branch yet."""
        sha = sha_of(json.dumps([sorted(files.items()), parents, message, len(self.commits)]))
        self.commits[sha] = Commit(sha=sha, files=files, parents=parents, message=message)
        for text in files.values():
            self.blobs[sha_of(text)] = text
        return sha

    def push(self, files: Mapping[str, str], *, branch: str = "", message: str = "By hand") -> str:
        """Somebody pushes a commit."""
        branch = branch or self.base
        old = self.branches[branch]
        self.branches[branch] = self.commit({**self.commits[old].files, **files}, (old,), message)
        return self.branches[branch]

    def files(self, branch: str = "") -> dict[str, str]:
        """What a branch has."""
        return self.commits[self.branches[branch or self.base]].files

    def own_commits(self, branch: str) -> int:
        """How many commits a branch has that its base has not."""
        count, sha = 0, self.branches[branch]
        of_base, at = set(), self.branches[self.base]
        while True:
            of_base.add(at)
            if not self.commits[at].parents:
                break
            at = self.commits[at].parents[0]
        while sha not in of_base:
            count, sha = count + 1, self.commits[sha].parents[0]
        return count

    def open_of(self, branch: str) -> list[Proposal]:
        """The open requests of a branch."""
        return [r for r in self.requests if r.branch == branch and r.state == "open"]

    def propose(self, branch: str, base: str, title: str, body: str) -> Proposal:
        """A new request."""
        proposal = Proposal(number=len(self.requests) + 1, branch=branch, base=base, title=title, body=body)
        self.requests.append(proposal)
        return proposal

    def merge(self, number: int) -> None:
        """Somebody merges a request."""
        proposal = self.requests[number - 1]
        self.push(self.files(proposal.branch), message=f"Merge {number}")
        proposal.state = "merged"

    def dismiss(self, number: int) -> None:
        """Somebody closes a request."""
        self.requests[number - 1].state = "closed"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no news."""


class FakeForge:
    """Listens on 127.0.0.1. `asked`: method and path of every request; `tokens`: what it was authorized with."""

    full_name = "acme/deploy"

    def __init__(self, files: Mapping[str, str]) -> None:
        self.repository = Repository(files)
        self.token = TOKEN
        self.may_write = True
        self.delay_s = 0.0  # before each answer, when what was asked is done
        self.asked: list[str] = []
        self._faults: list[Fault] = []
        self._lock = threading.Condition()
        self._ending = threading.Event()

    def fail(self, fault: Fault) -> None:
        """Let something go wrong."""
        with self._lock:
            self._faults.append(fault)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def wait_for(self, predicate: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait until something is true; looked at after every request."""
        with self._lock:
            assert self._lock.wait_for(predicate, timeout_s), f"not true in time; asked {self.asked[-20:]}"

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """Method, pattern of the path, and what answers."""
        raise NotImplementedError

    def answer(self, method: str, path: str, query: dict[str, str], body: Mapping[str, Any]) -> Answer:
        """What this request does and is answered."""
        for known, pattern, handler in self.routes():
            match = re.fullmatch(pattern, path)
            if known == method and match is not None:
                if method != "GET" and not self.may_write:
                    return 403, {"message": "Resource not accessible by personal access token"}
                return handler(*match.groups(), query=query, body=body)
        return 404, {"message": "Not Found"}

    def __enter__(self) -> FakeForge:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # an answer is one packet: no client waits for an acknowledgement

            def _any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query).items()}
                with forge._lock:
                    forge.asked.append(f"{self.command} {parts.path}")
                    fault = forge._fault(self.command, parts.path)
                    status, document, headers = 200, None, {}
                    if fault is not None and fault.kind in ("status", "redirect"):
                        status, document, headers = fault.status, fault.body, dict(fault.headers)
                        if fault.kind == "redirect":
                            status, headers["Location"] = 302, fault.location
                    elif fault is None or fault.kind == "lost":
                        if self.headers.get("Authorization") != f"Bearer {forge.token}":
                            status, document = 401, {"message": "Bad credentials"}
                        else:
                            status, document = forge.answer(self.command, parts.path, query, json.loads(raw or b"{}"))
                    forge._lock.notify_all()
                forge._ending.wait(forge.delay_s)
                if fault is not None and fault.kind == "hang":
                    forge._ending.wait(30)
                if fault is not None and fault.kind in ("lost", "hang"):
                    self.close_connection = True
                    return
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), "Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Of the REST interface."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def _fault(self, method: str, path: str) -> Fault | None:
        fault = next((f for f in self._faults if f.method in ("*", method) and re.search(f.path, path)), None)
        if fault is not None and fault.after:
            fault.after -= 1
            return None
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        return fault


def sha_of(text: str) -> str:
    """Something that looks like a commit."""
    return hashlib.sha1(text.encode()).hexdigest()  # a name, as Git makes it


def page_of(entries: list[Any], query: Mapping[str, str]) -> list[Any]:
    """One page of a list."""
    size, number = min(int(query.get("per_page", "30")), 100), int(query.get("page", "1"))
    return entries[(number - 1) * size : number * size]
