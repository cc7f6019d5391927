"""Without a token, loopback is the protection: a web page whose name resolves to our address is refused by its Host."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.web.hosts import HostRule, name_of
from tests.support import alert, payload
from tests.unit.web.test_intake import Site

RULE = HostRule(is_open=lambda path: True, public_host="oomtriage.example.org")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "oomtriage.example.org", "OOMTRIAGE.example.org:443"]
)
def test_our_names_are_ours(host: str) -> None:
    assert RULE.refusal(host, None, "/") == ""


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:8080", "127.0.0.1.evil.org", "", "[", "localhost.evil.org"])
def test_foreign_names_are_not(host: str) -> None:
    assert RULE.refusal(host, None, "/") != ""


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example.org", "null", "http://[", "https://127.0.0.1.evil.org", "http://localhost:3000", "http://localhost", "http://127.0.0.1:8080",
        "http://localhost:99999", "http://localhost:abc", "",
    ],
)  # fmt: skip
def test_a_foreign_page_is_refused(origin: str) -> None:
    """That of another server on this machine, too."""
    assert RULE.refusal("localhost:8080", origin, "/") != ""


@pytest.mark.parametrize(
    ("host", "origin"),
    [("localhost:8080", "http://localhost:8080"), ("LOCALHOST", "http://localhost"), ("localhost", "http://localhost:80"), ("[::1]:8080", "http://[::1]:8080"), ("localhost:8080", "https://oomtriage.example.org")],
)  # fmt: skip
def test_a_page_of_ours_may_ask(host: str, origin: str) -> None:
    """Also behind a proxy that gives us another Host."""
    assert RULE.refusal(host, origin, "/") == ""


def test_a_route_behind_a_token_may_have_any_name() -> None:
    assert HostRule(is_open=lambda path: False).refusal("anything.example.org", "http://[", "/") == ""


def test_an_address_that_is_none_has_no_name() -> None:
    assert name_of("http://[") == ""


def test_pages_and_alerts_are_refused_under_a_foreign_name(tmp_path: Path) -> None:
    site = Site(tmp_path / "state.db")
    try:
        for path in ("/admin/dead", "/metrics", "/incidents/inc_1"):
            assert site.client.get(path, headers={"Host": "evil.example.org"}).status_code == 403, path
            assert site.client.get(path, headers={"Host": "localhost"}).status_code in (200, 404), path
        assert site.client.post("/alerts", json=payload(alert()), headers={"Host": "evil.example.org"}).status_code == 403
        assert site.client.post("/admin/replay", headers={"Origin": "http://["}).status_code == 403
    finally:
        site.store.close()


def test_evidence_is_kept_by_nobody(tmp_path: Path) -> None:
    site = Site(tmp_path / "state.db")
    try:
        assert site.client.get("/admin/dead").headers["Cache-Control"] == "no-store"
    finally:
        site.store.close()
