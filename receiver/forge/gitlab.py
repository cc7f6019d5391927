"""GitLab, its public one or one's own: the commits interface, merge requests, and notes below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from receiver.domain.units import parse_time
from receiver.errors import NotFound, TooLarge, Unreadable
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
)  # fmt: skip
from receiver.forge.rest import PER_PAGE, Rest, too_many
from receiver.transport import HttpConfig

PUBLIC_URL = "https://gitlab.com/api/v4"
MOST_TREE_PAGES = 50
DEVELOPER = 30  # the least role that may push a branch
_STATES = {"opened": State.OPEN, "locked": State.OPEN, "merged": State.MERGED}


class GitLab:
    """One project."""

    name = "GitLab"

    def __init__(self, config: ForgeConfig) -> None:
        self._config = config
        self._at = f"projects/{quote(config.repository, safe='')}"
        self._rest = Rest(
            HttpConfig(
                base_url=config.url or PUBLIC_URL, name=self.name, token=config.token, token_path=config.token_path, ca_path=config.ca_path,
                read_timeout_s=config.timeout_s, pool_size=4,
            )
        )  # fmt: skip

    def branch(self, name: str) -> Branch | None:
        """A branch; None when there is none."""
        found = self._rest.find(f"{self._at}/repository/branches/{quote(name, safe='')}")
        commit = found.get("commit") if isinstance(found, Mapping) else None
        return Branch(commit=str(commit["id"]), message=str(commit.get("message", ""))) if isinstance(commit, Mapping) else None

    def files(self, commit: str) -> Mapping[str, str]:
        """The texts below the path."""
        asked = {"ref": commit, "recursive": "true", **({"path": self._config.path} if self._config.path else {})}
        found = list(self._rest.pages(f"{self._at}/repository/tree", asked, most=MOST_TREE_PAGES))
        wanted = [e for e in found if e.get("type") == "blob" and e.get("mode") != "120000" and self._is_wanted(str(e.get("path", "")))]
        if len(found) >= MOST_TREE_PAGES * PER_PAGE or len(wanted) > MOST_FILES:
            raise too_many(f"{self.name}'s {self._config.repository}")
        texts = ((str(e["path"]), self._text(str(e["id"]))) for e in wanted)
        return {path: text for path, text in texts if text is not None}

    def write(self, branch: str, *, on: str, message: str, edits: Sequence[Edit]) -> str:
        """One commit upon another, as this branch: GitLab does it in one request."""
        actions = [{"action": "create" if e.is_new else "update", "file_path": e.path, "content": e.text} for e in edits]
        asked = {"branch": branch, "start_sha": on, "force": True, "commit_message": message, "actions": actions}
        return str(self._rest.send("POST", f"{self._at}/repository/commits", asked)["id"])

    def find(self, branch: str) -> Request | None:
        """The open request of this branch, else its newest."""
        asked = {"source_branch": branch, "target_branch": self._config.base, "state": "all"}
        found = [self._request(p) for p in self._rest.pages(f"{self._at}/merge_requests", asked, most=1)]
        return min(found, key=lambda r: (r.state is not State.OPEN, -r.number), default=None)

    def get(self, number: int) -> Request:
        """One request."""
        return self._request(self._rest.ask(f"{self._at}/merge_requests/{number}"))

    def open(self, branch: str, *, title: str, body: str) -> Request:
        """A new request."""
        asked = {
            "source_branch": branch,
            "target_branch": self._config.base,
            "title": title,
            "description": body,
            "remove_source_branch": True,
        }
        return self._request(self._rest.send("POST", f"{self._at}/merge_requests", asked))

    def edit(self, number: int, *, title: str, body: str) -> None:
        """Another title and text."""
        self._rest.send("PUT", f"{self._at}/merge_requests/{number}", {"title": title, "description": body})

    def comment(self, number: int, text: str, *, mark: str) -> None:
        """Below a request, once."""
        at = f"{self._at}/merge_requests/{number}/notes"
        if not any(has_mark(str(c.get("body", "")), mark) for c in self._rest.pages(at, {}, most=MOST_COMMENT_PAGES)):
            self._rest.send("POST", at, {"body": marked(text, mark)})

    def close(self, number: int) -> None:
        """Close without merging."""
        self._rest.send("PUT", f"{self._at}/merge_requests/{number}", {"state_event": "close"})

    def access(self) -> Access:
        """Whether the base is there, and which role the token has in the project or its group."""
        project = self._rest.ask(self._at)
        permissions = project.get("permissions")
        roles = (
            [p.get("access_level", 0) for p in permissions.values() if isinstance(p, Mapping)] if isinstance(permissions, Mapping) else []
        )
        return Access(has_base=self.branch(self._config.base) is not None, may_write=max(roles) >= DEVELOPER if roles else None)

    def _request(self, document: Any) -> Request:
        return _request(document, self._config.url or PUBLIC_URL)

    def _is_wanted(self, path: str) -> bool:
        return below(path, self._config.path) and is_wanted(path)

    def _text(self, sha: str) -> str | None:
        """A file's text; None for what is none, or too long: a tree tells no sizes."""
        try:
            return self._rest.ask_raw(f"{self._at}/repository/blobs/{sha}/raw", max_bytes=MOST_FILE_BYTES).decode("utf-8")
        except (UnicodeDecodeError, TooLarge):
            return None


def _request(document: Any, api_url: str) -> Request:
    if not isinstance(document, Mapping):
        raise Unreadable("GitLab answered something that is no merge request; is the address right?")
    if not isinstance(document.get("iid"), int):
        raise NotFound("GitLab answered something that is no merge request; is the address right?")
    return Request(
        number=document["iid"], url=people_url(document.get("web_url"), api_url), state=_STATES.get(str(document.get("state")), State.CLOSED),
        title=str(document.get("title") or ""), body=str(document.get("description") or ""), merged_at=parse_time(document.get("merged_at")),
    )  # fmt: skip
