"""`gitops`: what is wrong with an entry is said with its name, and a token goes to its own forge only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.app.build import make_repositories
from receiver.domain.identity import Subject
from receiver.errors import ConfigError
from receiver.pipeline.repositories import repository_of
from receiver.settings import load_settings
from receiver.settings.load import effective

ENTRY = {"cluster": "prod", "namespaces": ["shop", "cart-.*"], "repository": "acme/deploy", "path": "clusters/prod/"}


def loaded(tmp_path: Path, *entries: dict[str, Any], **environ: str) -> Any:
    """The settings of a file with these entries."""
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump({"gitops": list(entries)}))
    return load_settings(environ, str(path))


def test_the_first_entry_that_fits_counts(tmp_path: Path) -> None:
    """By cluster and namespace, whole names."""
    settings = loaded(tmp_path, ENTRY, {"repository": "acme/rest"}, GITOPS_TOKEN="planted-token")
    repositories = make_repositories(settings)
    of = [
        found.forge.repository if (found := repository_of(repositories, Subject(cluster=c, namespace=n))) else ""
        for c, n in (("prod", "shop"), ("prod", "cart-eu"), ("prod", "shopping"), ("lab", "shop"), ("prod", ""))
    ]

    assert of == ["acme/deploy", "acme/deploy", "acme/rest", "acme/rest", ""]
    assert {r.forge.token for r in repositories} == {"planted-token"}
    assert repositories[0].forge.path == "clusters/prod"


def test_the_token_is_shown_nowhere(tmp_path: Path) -> None:
    """Not by `config`, not by repr."""
    settings = loaded(tmp_path, ENTRY, GITOPS_TOKEN="planted-token")

    assert "planted-token" not in repr(settings) + str(effective(settings)) + repr(make_repositories(settings))
    assert ("gitops[0]", "prod, shop cart-.* -> github acme/deploy (main, clusters/prod)") in [row[:2] for row in effective(settings)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"repository": "deploy"}, "gitops[0].repository"),
        ({"repository": "a/b/c"}, "gitops[0].repository"),
        ({"repository": "a/b", "kind": "svn"}, "gitops[0].kind"),
        ({"repository": "a/b", "url": "http://forge.example"}, "gitops[0].url: expected https"),
        ({"repository": "a/b", "url": "https://me:planted@forge.example"}, "gitops[0].url: expected an address without a password"),
        ({"repository": "a/b", "path": "../x"}, "gitops[0].path"),
        ({"repository": "a/b", "namespaces": ["("]}, "gitops[0].namespaces"),
        ({"repository": "a/b", "branch": "main"}, "gitops[0]: unknown key 'branch'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    """With what was expected, and without a secret."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, entry, GITOPS_TOKEN="t")

    assert said in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_token_is_for_one_forge(tmp_path: Path) -> None:
    """It is asked for, and not sent to a second host."""
    with pytest.raises(ConfigError, match="GITOPS_TOKEN is not set"):
        loaded(tmp_path, ENTRY)
    other = {"repository": "a/b", "kind": "gitlab"}
    with pytest.raises(ConfigError, match="several forges"):
        loaded(tmp_path, ENTRY, other, GITOPS_TOKEN="t")
    settings = loaded(tmp_path, ENTRY, other | {"token_file": "/run/secrets/gitlab"}, GITOPS_TOKEN="t")

    assert [(r.forge.token, r.forge.token_path) for r in make_repositories(settings)] == [("t", ""), ("", "/run/secrets/gitlab")]
