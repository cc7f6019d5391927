"""GitHub and GitHub Enterprise: the Git database for the commit, pull requests, and issue comments below them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from receiver.domain.units import parse_time
from receiver.errors import NotFound, Unreadable
from receiver.forge.base import (
    MOST_COMMENT_PAGES,
    MOST_FILE_BYTES,
    MOST_FILES,
    Access,
    Branch,
    Edit,
    ForgeConfig,
    Request,
    State,
    below,
    has_mark,
    is_wanted,
    marked,
    people_url,
)
from receiver.forge.rest import MOST_TREE_BYTES, Rest, too_many
from receiver.transport import HttpConfig

PUBLIC_URL = "https://api.github.com"
VERSION = "2022-11-28"
FILE_MODE = "100644"


class GitHub:
    """One repository."""

    name = "GitHub"

    def __init__(self, config: ForgeConfig) -> None:
        self._config = config
        self._owner = config.repository.partition("/")[0]
        self._at = f"repos/{quote(config.repository, safe='/')}"
        self._rest = Rest(
            HttpConfig(
                base_url=config.url or PUBLIC_URL,
                name=self.name,
                token=config.token,
                token_path=config.token_path,
                ca_path=config.ca_path,
                headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION},
                read_timeout_s=config.timeout_s,
                pool_size=4,
            )
        )

    def branch(self, name: str) -> Branch | None:
        """A branch; None when there is none."""
        found = self._rest.find(f"{self._at}/git/ref/heads/{quote(name, safe='/')}")
        if not isinstance(found, Mapping):
            return None
        commit = str(_of(found, "object")["sha"])
        return Branch(commit=commit, message=str(self._rest.ask(f"{self._at}/git/commits/{commit}").get("message", "")))

    def files(self, commit: str) -> Mapping[str, str]:
        """The texts below the path."""
        tree = self._rest.ask(f"{self._at}/git/trees/{commit}", {"recursive": "1"}, max_bytes=MOST_TREE_BYTES)
        wanted = [e for e in tree.get("tree", ()) if self._is_wanted(e)]
        if tree.get("truncated") or len(wanted) > MOST_FILES:
            raise too_many(f"{self.name}'s {self._config.repository}")
        texts = ((str(e["path"]), self._text(str(e["sha"]))) for e in wanted)
        return {path: text for path, text in texts if text is not None}

    def write(self, branch: str, *, on: str, message: str, edits: Sequence[Edit]) -> str:
        """One commit upon another, as this branch."""
        entries = [{"path": e.path, "mode": FILE_MODE, "type": "blob", "content": e.text} for e in edits]
        base_tree = _of(self._rest.ask(f"{self._at}/git/commits/{on}"), "tree")["sha"]
        tree = self._rest.send("POST", f"{self._at}/git/trees", {"base_tree": base_tree, "tree": entries})["sha"]
        commit = str(self._rest.send("POST", f"{self._at}/git/commits", {"message": message, "tree": tree, "parents": [on]})["sha"])
        if self.branch(branch) is None:
            self._rest.send("POST", f"{self._at}/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        else:
            self._rest.send("PATCH", f"{self._at}/git/refs/heads/{quote(branch, safe='/')}", {"sha": commit, "force": True})
        return commit

    def find(self, branch: str) -> Request | None:
        """The open request of this branch, else its newest."""
        asked = {"head": f"{self._owner}:{branch}", "base": self._config.base, "state": "all"}
        found = [self._request(p) for p in self._rest.pages(f"{self._at}/pulls", asked, most=1)]
        return min(found, key=lambda r: (r.state is not State.OPEN, -r.number), default=None)

    def get(self, number: int) -> Request:
        """One request."""
        return self._request(self._rest.ask(f"{self._at}/pulls/{number}"))

    def open(self, branch: str, *, title: str, body: str) -> Request:
        """A new request."""
        asked = {"title": title, "head": branch, "base": self._config.base, "body": body, "maintainer_can_modify": True}
        return self._request(self._rest.send("POST", f"{self._at}/pulls", asked))

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Another title and text."""
        self._rest.send("PATCH", f"{self._at}/pulls/{number}", {"title": title, "body": body})

    def comment(self, number: int, text: str, *, mark: str) -> None:
        """Below a request, once."""
        at = f"{self._at}/issues/{number}/comments"
        if not any(has_mark(str(c.get("body", "")), mark) for c in self._rest.pages(at, {}, most=MOST_COMMENT_PAGES)):
            self._rest.send("POST", at, {"body": marked(text, mark)})

    def close(self, number: int) -> None:
        """Close without merging."""
        self._rest.send("PATCH", f"{self._at}/pulls/{number}", {"state": "closed"})

    def access(self) -> Access:
        """Whether the base is there, and what the token may do: GitHub tells it in `permissions`."""
        repository = self._rest.ask(self._at)
        permissions = repository.get("permissions")
        may_write = bool(permissions.get("push")) if isinstance(permissions, Mapping) else None
        return Access(has_base=self.branch(self._config.base) is not None, may_write=may_write)

    def _request(self, document: Any) -> Request:
        return _request(document, self._config.url or PUBLIC_URL)

    def _is_wanted(self, entry: Mapping[str, Any]) -> bool:
        path = str(entry.get("path", ""))
        return (
            entry.get("type") == "blob"
            and entry.get("mode") != "120000"
            and below(path, self._config.path)
            and is_wanted(path, entry.get("size"))
        )

    def _text(self, sha: str) -> str | None:
        """A file's text; None for what is none."""
        blob = self._rest.ask(f"{self._at}/git/blobs/{sha}", max_bytes=2 * MOST_FILE_BYTES)
        try:
            return base64.b64decode(str(blob.get("content", ""))).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return None


def _of(document: Any, key: str) -> Mapping[str, Any]:
    found = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(found, Mapping) or "sha" not in found:
        raise Unreadable(f"GitHub answered without {key}; is the address right?")
    return found


def _request(document: Any, api_url: str) -> Request:
    if not isinstance(document, Mapping) or not isinstance(document.get("number"), int):
        raise NotFound("GitHub answered something that is no pull request; is the address right?")
    merged_at = parse_time(document.get("merged_at"))
    state = State.MERGED if merged_at is not None else State.OPEN if document.get("state") == "open" else State.CLOSED
    return Request(
        number=document["number"],
        url=people_url(document.get("html_url"), api_url),
        state=state,
        title=str(document.get("title") or ""),
        body=str(document.get("body") or ""),
        merged_at=merged_at,
    )
