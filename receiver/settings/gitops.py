"""The YAML list `gitops`: which Git repository decides the memory of which workloads. What is wrong is a ConfigError that names it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from receiver.domain.addresses import is_loopback
from receiver.errors import ConfigError
from receiver.forge import KINDS, ForgeConfig
from receiver.pipeline.repositories import Repository
from receiver.settings import parsing

_KEYS = frozenset(("cluster", "namespaces", "kind", "repository", "base", "path", "url", "ca_path", "token_file"))
_REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_BRANCH = re.compile(r"[\w.][\w./-]{0,200}")


def parse_gitops(value: Any) -> tuple[Repository, ...]:
    """All repositories, in order."""
    if not isinstance(value, list):
        raise ConfigError("gitops: expected a list of repositories")
    return tuple(_repository(entry, f"gitops[{i}]") for i, entry in enumerate(value))


def token_problems(repositories: Sequence[Repository], *, has_token: bool) -> Iterator[ConfigError]:
    """A token is for one forge: it must not be sent to another one."""
    without = [r.forge for r in repositories if not r.forge.token_path]
    if without and not has_token:
        yield ConfigError(
            "gitops names a repository and GITOPS_TOKEN is not set: set it (or GITOPS_TOKEN_FILE), or token_file in the entry"
        )
    if len({(f.kind, f.url) for f in without}) > 1:
        yield ConfigError("gitops names several forges and GITOPS_TOKEN is for one of them: set token_file in the entries of the others")


def described(repository: Repository) -> str:
    """An entry in one line, without its secret."""
    forge = repository.forge
    where = ", ".join(filter(None, (repository.cluster, " ".join(repository.namespaces)))) or "everything"
    return f"{where} -> {forge.kind} {forge.repository} ({forge.base}{f', {forge.path}' if forge.path else ''})"


def _repository(entry: Any, where: str) -> Repository:
    known = ", ".join(sorted(_KEYS))
    if not isinstance(entry, dict):
        raise ConfigError(f"{where}: expected a mapping with {known}")
    if unknown := sorted(str(k) for k in entry if k not in _KEYS):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}; known are {known}")
    kind = str(entry.get("kind") or "github")
    if kind not in KINDS:
        raise ConfigError(f"{where}.kind: expected one of {', '.join(KINDS)}")
    name = _text(entry, "repository", where)
    if not _REPOSITORY.fullmatch(name) or (kind == "github" and name.count("/") != 1):
        raise ConfigError(f"{where}.repository: expected OWNER/NAME, for example acme/deploy")
    base = _text(entry, "base", where) or "main"
    if not _BRANCH.fullmatch(base):
        raise ConfigError(f"{where}.base: expected the name of a branch, for example main")
    path = _text(entry, "path", where).strip("/")
    if ".." in path.split("/"):
        raise ConfigError(f"{where}.path: expected a folder below the repository's root, for example clusters/prod")
    namespaces = entry.get("namespaces") or []
    if not isinstance(namespaces, list):
        raise ConfigError(f"{where}.namespaces: expected a list of regular expressions")
    return Repository(
        cluster=_pattern(entry.get("cluster") or "", f"{where}.cluster"), namespaces=tuple(_pattern(n, f"{where}.namespaces") for n in namespaces),
        forge=ForgeConfig(
            kind=kind, repository=name, base=base, path=path, url=_url(entry, where), ca_path=_text(entry, "ca_path", where),
            token_path=_text(entry, "token_file", where),
        ),
    )  # fmt: skip


def _url(entry: Mapping[str, Any], where: str) -> str:
    try:
        url = parsing.url(entry.get("url") or "")
    except ValueError as exc:
        raise ConfigError(f"{where}.url: {exc}") from exc
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ConfigError(f"{where}.url: expected an address without a password; the token is GITOPS_TOKEN")
    if url and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ConfigError(f"{where}.url: expected https://, because a token is sent there")
    return url


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise ConfigError(f"{where}.{key}: expected one text")
    return str(value).strip()


def _pattern(value: Any, where: str) -> str:
    text = str(value)
    try:
        re.compile(text)
    except re.error as exc:
        raise ConfigError(f"{where}: {text!r} is no regular expression: {exc}") from exc
    return text
