"""GitLab's REST interface, as far as a change is proposed by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from tests.fakes.forge import NOW, Answer, FakeForge, Proposal, page_of, sha_of

_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}


class FakeGitLab(FakeForge):
    """One project, `acme/deploy`."""

    @property
    def url(self) -> str:
        """Of the REST interface."""
        return f"http://127.0.0.1:{self.port}/api/v4"

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """What there is. The project's name is one part of the path."""
        at = rf"/api/v4/projects/{self.full_name.replace('/', '%2F')}"
        return [
            ("GET", at, self._project),
            ("GET", rf"{at}/repository/branches/([^/]+)", self._branch),
            ("GET", rf"{at}/repository/tree", self._tree),
            ("GET", rf"{at}/repository/blobs/(\w+)/raw", self._blob),
            ("GET", rf"{at}/repository/files/([^/]+)/raw", self._file),
            ("POST", rf"{at}/repository/commits", self._commit),
            ("GET", rf"{at}/merge_requests", self._list),
            ("POST", rf"{at}/merge_requests", self._open),
            ("GET", rf"{at}/merge_requests/(\d+)", self._one),
            ("PUT", rf"{at}/merge_requests/(\d+)", self._edit),
            ("GET", rf"{at}/merge_requests/(\d+)/notes", self._notes),
            ("POST", rf"{at}/merge_requests/(\d+)/notes", self._say),
        ]

    def _project(self, *, query: object, body: object) -> Answer:
        access = {"access_level": 30 if self.may_write else 20, "notification_level": 3}
        return 200, {"id": 7, "path_with_namespace": self.full_name, "permissions": {"project_access": access, "group_access": None}}

    def _branch(self, name: str, *, query: object, body: object) -> Answer:
        sha = self.repository.branches.get(unquote(name))
        if sha is None:
            return 404, {"message": "404 Branch Not Found"}
        return 200, {"name": unquote(name), "commit": {"id": sha, "message": self.repository.commits[sha].message}}

    def _tree(self, *, query: Mapping[str, str], body: object) -> Answer:
        commit = self.repository.commits.get(query["ref"]) or self.repository.commits.get(self.repository.branches.get(query["ref"], ""))
        if commit is None:
            return 404, {"message": "404 Tree Not Found"}
        under = query.get("path", "")
        paths = [p for p in sorted(commit.files) if not under or p.startswith(f"{under}/")]
        if under and not paths:
            return 404, {"message": "404 invalid revision or path Not Found"}
        folders = sorted({p.rpartition("/")[0] for p in paths} - {""})
        entries = [{"id": sha_of(f), "name": f, "type": "tree", "path": f, "mode": "040000"} for f in folders]
        entries += [{"id": sha_of(commit.files[p]), "name": p, "type": "blob", "path": p, "mode": "100644"} for p in paths]
        return 200, page_of(entries, {"per_page": "20", **query})

    def _blob(self, sha: str, *, query: object, body: object) -> Answer:
        text = self.repository.blobs.get(sha)
        return (200, text.encode()) if text is not None else (404, {"message": "404 Blob Not Found"})

    def _file(self, path: str, *, query: Mapping[str, str], body: object) -> Answer:
        text = self.repository.files(query.get("ref", "main")).get(unquote(path))
        return (200, text.encode()) if text is not None else (404, {"message": "404 File Not Found"})

    def _commit(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        branch, start = body["branch"], body.get("start_sha") or self.repository.branches.get(body.get("start_branch", body["branch"]), "")
        if start not in self.repository.commits:
            return 400, {"message": "Cannot find start_sha"}
        if branch in self.repository.branches and start != self.repository.branches[branch] and not body.get("force"):
            return 400, {"message": f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"}
        files = dict(self.repository.commits[start].files)
        for action in body["actions"]:
            is_there = action["file_path"] in files
            if action["action"] == "create" and is_there:
                return 400, {"message": "A file with this name already exists"}
            if action["action"] == "update" and not is_there:
                return 400, {"message": "A file with this name doesn't exist"}
            files[action["file_path"]] = action["content"]
        sha = self.repository.commit(files, (start,), body["commit_message"])
        self.repository.branches[branch] = sha
        return 201, {"id": sha, "message": body["commit_message"], "parent_ids": [start]}

    def _list(self, *, query: Mapping[str, str], body: object) -> Answer:
        found = [r for r in self.repository.requests if query.get("source_branch", r.branch) == r.branch]
        found = [r for r in found if query.get("target_branch", r.base) == r.base]
        state = query.get("state", "all")
        found = [r for r in found if state in ("all", _STATES[r.state])]
        return 200, page_of([self._shown(r) for r in reversed(found)], {"per_page": "20", **query})

    def _open(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        branch = body["source_branch"]
        if branch not in self.repository.branches:
            return 400, {"message": {"base": ["Source branch does not exist"]}}
        if there := self.repository.open_of(branch):
            return 409, {"message": [f"Another open merge request already exists for this source branch: !{there[0].number}"]}
        return 201, self._shown(self.repository.propose(branch, body["target_branch"], body["title"], body.get("description") or ""))

    def _one(self, number: str, *, query: object, body: object) -> Answer:
        found = self._numbered(number)
        return (200, self._shown(found)) if found else (404, {"message": "404 Not found"})

    def _edit(self, number: str, *, query: object, body: Mapping[str, Any]) -> Answer:
        found = self._numbered(number)
        if found is None:
            return 404, {"message": "404 Not found"}
        found.title, found.body, found.edits = body.get("title", found.title), body.get("description", found.body), found.edits + 1
        if body.get("state_event") == "close" and found.state == "open":
            found.state = "closed"
        return 200, self._shown(found)

    def _notes(self, number: str, *, query: Mapping[str, str], body: object) -> Answer:
        found = self._numbered(number)
        if found is None:
            return 404, {"message": "404 Not found"}
        return 200, page_of(
            [{"id": i, "body": text, "system": False} for i, text in enumerate(found.comments)], {"per_page": "20", **query}
        )

    def _say(self, number: str, *, query: object, body: Mapping[str, Any]) -> Answer:
        found = self._numbered(number)
        if found is None:
            return 404, {"message": "404 Not found"}
        found.comments.append(body["body"])
        return 201, {"id": len(found.comments), "body": body["body"]}

    def _numbered(self, number: str) -> Proposal | None:
        return next((r for r in self.repository.requests if r.number == int(number)), None)

    def _shown(self, r: Proposal) -> dict[str, Any]:
        return {
            "id": 1000 + r.number, "iid": r.number, "state": _STATES[r.state], "title": r.title, "description": r.body,
            "web_url": f"http://127.0.0.1:{self.port}/{self.full_name}/-/merge_requests/{r.number}",
            "merged_at": NOW if r.state == "merged" else None, "source_branch": r.branch, "target_branch": r.base,
        }  # fmt: skip
