"""What is asked of a forge, whichever it is. A forge's pull request or merge request is a `Request` here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from receiver.domain.units import KIB
from receiver.errors import SourceError

MOST_FILES = 600  # under a path: each costs a question
MOST_FILE_BYTES = 512 * KIB
MOST_COMMENT_PAGES = 10
MOST_URL = 300
# What a repository's manifests, values and charts are written in; anything else decides no container's memory.
ENDINGS = (".yaml", ".yml", ".json", ".tpl", ".jsonnet", ".libsonnet", ".gotmpl", "helmignore")


class Moved(SourceError):
    """What was read is not so any more: the branch has moved on, or somebody was there first. Read again, it may work."""

    retryable = True


class State(StrEnum):
    """Of a request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeConfig:
    """One repository. `repository`: `owner/name`, with groups in between on GitLab. `url`: of the REST interface, empty for the public
    one. `path`: only what is below it is read and changed.
    """

    kind: str
    repository: str
    base: str = "main"
    path: str = ""
    url: str = ""
    token: str = field(default="", repr=False)
    token_path: str = ""
    ca_path: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file as it shall be. `is_new`: it is not there yet."""

    path: str
    text: str
    is_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch's newest commit."""

    commit: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A pull request or merge request. `url`: for people."""

    number: int
    url: str
    state: State
    title: str = ""
    body: str = ""
    merged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a token may do in the repository. None: the forge does not tell."""

    has_base: bool
    may_write: bool | None


class Forge(Protocol):
    """One repository at a forge. Errors are SourceErrors: Forbidden, NotFound, Throttled, Moved, Rejected, Unavailable, Unreadable.

    Each of these may be asked twice: whoever got no answer asks `find` and `branch` before anything is made.
    """

    def branch(self, name: str) -> Branch | None:
        """A branch; None when there is none."""

    def files(self, commit: str) -> Mapping[str, str]:
        """The texts below the configured path that could decide something, by their paths from the repository's root."""

    def write(self, branch: str, *, on: str, message: str, edits: Sequence[Edit]) -> str:
        """The branch is one commit with these edits upon commit `on`, whatever it was before; the new commit."""

    def find(self, branch: str) -> Request | None:
        """The request from this branch that is open, else the newest one; None when there was none."""

    def get(self, number: int) -> Request:
        """One request as it is now."""

    def open(self, branch: str, *, title: str, body: str) -> Request:
        """A request from this branch to the base. Moved when there is one already."""

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Another title and text."""

    def comment(self, number: int, text: str, *, mark: str) -> None:
        """Say something below a request, once: what ends with the same mark is not said again."""

    def close(self, number: int) -> None:
        """Close without merging."""

    def access(self) -> Access:
        """Whether the base is there, and what the token may do."""


def is_wanted(path: str, n_bytes: int | None = None) -> bool:
    """Whether a file's text is read."""
    return path.endswith(ENDINGS) and (n_bytes is None or n_bytes <= MOST_FILE_BYTES)


def below(path: str, folder: str) -> bool:
    """Whether a path lies in a folder; everything lies in the empty one."""
    return not folder or path == folder or path.startswith(folder.rstrip("/") + "/")


def marked(text: str, mark: str) -> str:
    """A comment with its mark as its last line, by which it is known again."""
    return f"{text.rstrip()}\n\n`{mark}`"


def has_mark(text: str, mark: str) -> bool:
    """Whether a comment is the one of this mark."""
    return text.rstrip().endswith(f"`{mark}`")


def people_url(told: object, api_url: str) -> str:
    """The address of a request for people, as the forge tells it; empty where it leads to another host than the forge's own."""
    url = str(told or "")
    host, own = urlsplit(url).hostname or "", urlsplit(api_url).hostname or ""
    is_own = bool(host) and host in (own, own.removeprefix("api."))
    return url if is_own and url.startswith(("https://", "http://")) and len(url) <= MOST_URL else ""
