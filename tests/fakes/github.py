"""GitHub's REST interface, as far as a change is proposed by it: under `/api/v3`, as GitHub Enterprise has it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.forge import NOW, Answer, FakeForge, Proposal, page_of, sha_of

_DOC = "https://docs.github.com/rest"


class FakeGitHub(FakeForge):
    """One repository, `acme/deploy`."""

    @property
    def url(self) -> str:
        """Of the REST interface."""
        return f"http://127.0.0.1:{self.port}/api/v3"

    def routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        """What there is."""
        at = rf"/api/v3/repos/{self.full_name}"
        return [
            ("GET", at, self._repository),
            ("GET", rf"{at}/git/ref/heads/(.+)", self._ref),
            ("POST", rf"{at}/git/refs", self._make_ref),
            ("PATCH", rf"{at}/git/refs/heads/(.+)", self._move_ref),
            ("GET", rf"{at}/git/commits/(\w+)", self._commit),
            ("POST", rf"{at}/git/commits", self._make_commit),
            ("GET", rf"{at}/git/trees/(\w+)", self._tree),
            ("POST", rf"{at}/git/trees", self._make_tree),
            ("GET", rf"{at}/git/blobs/(\w+)", self._blob),
            ("GET", rf"{at}/pulls", self._pulls),
            ("POST", rf"{at}/pulls", self._open),
            ("GET", rf"{at}/pulls/(\d+)", self._pull),
            ("PATCH", rf"{at}/pulls/(\d+)", self._edit),
            ("GET", rf"{at}/issues/(\d+)/comments", self._comments),
            ("POST", rf"{at}/issues/(\d+)/comments", self._say),
            ("POST", rf"{at}/issues/(\d+)/labels", lambda number, query, body: (200, [{"name": n} for n in body["labels"]])),
        ]

    def _repository(self, *, query: object, body: object) -> Answer:
        return 200, {"full_name": self.full_name, "default_branch": "main", "permissions": {"pull": True, "push": self.may_write}}

    def _ref(self, name: str, *, query: object, body: object) -> Answer:
        sha = self.repository.branches.get(name)
        return (200, _ref(name, sha)) if sha else _not_found()

    def _make_ref(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        name = body["ref"].removeprefix("refs/heads/")
        if name in self.repository.branches:
            return 422, {"message": "Reference already exists", "documentation_url": _DOC, "status": "422"}
        if body["sha"] not in self.repository.commits:
            return 422, {"message": "Object does not exist", "documentation_url": _DOC, "status": "422"}
        self.repository.branches[name] = body["sha"]
        return 201, _ref(name, body["sha"])

    def _move_ref(self, name: str, *, query: object, body: Mapping[str, Any]) -> Answer:
        old = self.repository.branches.get(name)
        if old is None:
            return 422, {"message": "Reference does not exist", "documentation_url": _DOC, "status": "422"}
        if not body.get("force") and old not in self.repository.commits[body["sha"]].parents:
            return 422, {"message": "Update is not a fast forward", "documentation_url": _DOC, "status": "422"}
        self.repository.branches[name] = body["sha"]
        return 200, _ref(name, body["sha"])

    def _commit(self, sha: str, *, query: object, body: object) -> Answer:
        commit = self.repository.commits.get(sha)
        if commit is None:
            return _not_found()
        tree = self._tree_sha(commit.files)
        return 200, {"sha": sha, "message": commit.message, "tree": {"sha": tree}, "parents": [{"sha": p} for p in commit.parents]}

    def _make_commit(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        files = self.repository.trees.get(body["tree"])
        if files is None or any(p not in self.repository.commits for p in body["parents"]):
            return 422, {"message": "Tree SHA does not exist", "documentation_url": _DOC, "status": "422"}
        return 201, {"sha": self.repository.commit(dict(files), tuple(body["parents"]), body["message"]), "message": body["message"]}

    def _tree(self, sha: str, *, query: Mapping[str, str], body: object) -> Answer:
        commit = self.repository.commits.get(sha)
        files = commit.files if commit is not None else self.repository.trees.get(sha)
        if files is None:
            return _not_found()
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "sha": sha_of(text), "size": len(text.encode())} for path, text in sorted(files.items())
        ]  # fmt: skip
        return 200, {"sha": self._tree_sha(files), "tree": entries if query.get("recursive") else entries[:1], "truncated": False}

    def _make_tree(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        base = self.repository.trees.get(body["base_tree"])
        if base is None:
            return _not_found()
        files = {**base, **{e["path"]: e["content"] for e in body["tree"]}}
        return 201, {"sha": self._tree_sha(files)}

    def _tree_sha(self, files: dict[str, str]) -> str:
        sha = sha_of(repr(sorted(files.items())))
        self.repository.trees[sha] = files
        return sha

    def _blob(self, sha: str, *, query: object, body: object) -> Answer:
        text = self.repository.blobs.get(sha)
        if text is None:
            return _not_found()
        return 200, {"sha": sha, "encoding": "base64", "content": base64.encodebytes(text.encode()).decode(), "size": len(text.encode())}

    def _pulls(self, *, query: Mapping[str, str], body: object) -> Answer:
        owner, _, branch = query.get("head", "").partition(":")
        found = [r for r in self.repository.requests if not query.get("head") or (owner == "acme" and r.branch == branch)]
        state = query.get("state", "open")
        found = [r for r in found if state == "all" or (r.state == "open") == (state == "open")]
        found = [r for r in found if query.get("base", r.base) == r.base]
        return 200, page_of([self._shown(r) for r in reversed(found)], query)

    def _open(self, *, query: object, body: Mapping[str, Any]) -> Answer:
        if body["head"] not in self.repository.branches:
            return 422, _invalid({"resource": "PullRequest", "field": "head", "code": "invalid"})
        if self.repository.open_of(body["head"]):
            return 422, _invalid(
                {"resource": "PullRequest", "code": "custom", "message": f"A pull request already exists for acme:{body['head']}."}
            )
        return 201, self._shown(self.repository.propose(body["head"], body["base"], body["title"], body.get("body") or ""))

    def _pull(self, number: str, *, query: object, body: object) -> Answer:
        found = self._numbered(number)
        return (200, self._shown(found)) if found else _not_found()

    def _edit(self, number: str, *, query: object, body: Mapping[str, Any]) -> Answer:
        found = self._numbered(number)
        if found is None:
            return _not_found()
        found.title, found.body, found.edits = body.get("title", found.title), body.get("body", found.body), found.edits + 1
        if body.get("state") == "closed" and found.state == "open":
            found.state = "closed"
        return 200, self._shown(found)

    def _comments(self, number: str, *, query: Mapping[str, str], body: object) -> Answer:
        found = self._numbered(number)
        return (200, page_of([{"id": i, "body": text} for i, text in enumerate(found.comments)], query)) if found else _not_found()

    def _say(self, number: str, *, query: object, body: Mapping[str, Any]) -> Answer:
        found = self._numbered(number)
        if found is None:
            return _not_found()
        found.comments.append(body["body"])
        return 201, {"id": len(found.comments), "body": body["body"]}

    def _numbered(self, number: str) -> Proposal | None:
        return next((r for r in self.repository.requests if r.number == int(number)), None)

    def _shown(self, r: Proposal) -> dict[str, Any]:
        return {
            "number": r.number, "state": "open" if r.state == "open" else "closed", "title": r.title, "body": r.body,
            "html_url": f"http://127.0.0.1:{self.port}/{self.full_name}/pull/{r.number}", "merged_at": NOW if r.state == "merged" else None,
            "head": {"ref": r.branch, "label": f"acme:{r.branch}"}, "base": {"ref": r.base},
        }  # fmt: skip


def _ref(name: str, sha: str) -> dict[str, Any]:
    return {"ref": f"refs/heads/{name}", "object": {"sha": sha, "type": "commit"}}


def _not_found() -> Answer:
    return 404, {"message": "Not Found", "documentation_url": _DOC, "status": "404"}


def _invalid(error: Mapping[str, str]) -> dict[str, Any]:
    return {"message": "Validation Failed", "errors": [error], "documentation_url": _DOC, "status": "422"}
