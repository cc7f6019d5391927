"""/runbooks: what an alert's link opens, for everybody, and nothing else of the file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app.build import build
from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from receiver.rulepack.places import runbooks_dir
from receiver.settings import load_settings

ALERTS = [rule.alert for file in read_rule_files(rules_dir()) for rule in file.rules() if rule.alert]


def _clients(tmp_path: Path, **settings: str) -> Iterator[FlaskClient]:
    environment = {"STORE_URL": f"sqlite:///{tmp_path}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", **settings}
    with (tmp_path / "console").open("w") as console:
        application = build(load_settings(environment), console=console)
        yield application.web.test_client()
        application.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    yield from _clients(tmp_path, ADMIN_TOKEN="needed-for-evidence")


@pytest.fixture
def own_pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "OurQueueFull.md").write_text("# OurQueueFull\n\n## Meaning\nThe queue is full. Really.\n")
    (folder / "OOMKilled.md").write_text("# OOMKilled\n\nCall <b>Ada</b>.\n")
    (folder / "not a name.md").write_text("# secret\n")
    return folder


@pytest.fixture
def own_client(tmp_path: Path, own_pages: Path) -> Iterator[FlaskClient]:
    yield from _clients(tmp_path, RUNBOOKS_DIR=str(own_pages))


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_page_without_a_token(client: FlaskClient, alert: str) -> None:
    """The link of an alert opens on any phone, while the incidents ask for ADMIN_TOKEN."""
    page = client.get(f"/runbooks/{alert}")

    assert page.status_code == 200
    assert f"<h1>{alert}</h1>" in page.text
    assert "<h2>Mitigation</h2>" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/").status_code == 401


def test_the_index_lists_every_page(client: FlaskClient) -> None:
    """Each name links to its page and says in a sentence what it is about."""
    index = client.get("/runbooks").text

    assert [name for name in (path.stem for path in runbooks_dir().glob("*.md")) if f'href="/runbooks/{name}"' not in index] == []
    assert "<dd></dd>" not in index
    assert client.get("/runbooks/").text == index


@pytest.mark.parametrize(
    "name",
    ["NoSuchAlert", "..", "%2e%2e%2fREADME", "..%2F..%2FREADME", "OOMKilled.md", ".hidden", "OOMKilled%00", "%2Fetc%2Fpasswd", "a" * 300],
)
def test_an_unknown_name_is_404_with_the_list(client: FlaskClient, name: str) -> None:
    """A name that is none leads nowhere, least of all out of the folder."""
    page = client.get(f"/runbooks/{name}")

    assert page.status_code == 404
    assert "Apache License" not in page.text
    assert "root:" not in page.text


def test_an_unknown_name_is_shown_as_text(client: FlaskClient) -> None:
    """Whoever makes somebody follow a link gets nothing onto the page, and the reader gets the list."""
    page = client.get("/runbooks/<script>alert(1)<script>")

    assert page.status_code == 404
    assert "<script>" not in page.text
    assert 'href="/runbooks/OOMKilled"' in page.text


def test_own_pages_go_before_the_shipped_ones(own_client: FlaskClient) -> None:
    """RUNBOOKS_DIR adds pages for one's own alerts and replaces those of the same name; their HTML is text."""
    index = own_client.get("/runbooks").text

    assert "The queue is full." in index
    assert 'href="/runbooks/HighMemoryUsage"' in index
    assert "secret" not in index
    assert "Call &lt;b&gt;Ada&lt;/b&gt;." in own_client.get("/runbooks/OOMKilled").text
