"""/runbooks and /causes: what the links of alerts and messages open, for everybody, and nothing else of the file system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from receiver.app.build import build
from receiver.domain.report import CauseName
from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from receiver.rulepack.places import causes_dir, runbooks_dir
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


@pytest.mark.parametrize("cause", list(CauseName))
def test_every_cause_has_a_page_without_a_token(client: FlaskClient, cause: CauseName) -> None:
    """The link of a message opens on any phone."""
    page = client.get(f"/causes/{cause.value}")

    assert page.status_code == 200
    assert "<h2>The real fix</h2>" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_links_between_pages_about_causes_lead_somewhere(client: FlaskClient) -> None:
    """From the list to each cause, from there to the habits and back: what the files link to is served."""
    waiting, seen = ["/causes/README"], set()
    while waiting:
        at = waiting.pop()
        seen.add(at)
        page = client.get(at)
        assert page.status_code == 200, at
        links = {urljoin(at, link) for link in re.findall(r'href="([^"#:]+)["#]', page.text)}
        waiting += [link for link in links if link.startswith("/causes/") and link not in seen]

    files = {"/causes/" + str(path.relative_to(causes_dir()).with_suffix("")) for path in causes_dir().rglob("*.md")}
    assert seen == files


def test_the_list_of_causes_is_one_page(client: FlaskClient) -> None:
    """/causes leads to the page whose links are relative."""
    assert client.get("/causes").headers["Location"] == "/causes/README"
    assert "<h1>Causes</h1>" in client.get("/causes/", follow_redirects=True).text


@pytest.mark.parametrize("name", ["no_such_cause", "..%2Frunbooks%2FOOMKilled", "leak.md", "habits", "habits/..%2Fleak", "habits/no_such"])
def test_an_unknown_cause_is_404(client: FlaskClient, name: str) -> None:
    """A name that is none leads nowhere, least of all out of the folder."""
    assert client.get(f"/causes/{name}").status_code == 404
