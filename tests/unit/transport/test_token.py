"""A bearer token that is replaced under a running program."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.errors import Forbidden
from receiver.transport import Token, Unauthenticated
from tests.unit.transport.kit import http


def test_a_token_file_is_read_again_every_minute(tmp_path: Path):
    """Also without a 401 a new token is picked up."""
    file = tmp_path / "token"
    file.write_text("one")
    now = [0.0]
    token = Token(path=str(file), clock=lambda: now[0])
    assert token.value() == "one"
    file.write_text("two")
    now[0] = 30.0
    assert token.value() == "one"
    now[0] = 61.0

    assert token.value() == "two"


def test_a_rotated_token_is_read_again_after_a_401(server, tmp_path: Path):
    """The kubelet replaces the token file; the next refused request reads it and succeeds."""
    token = tmp_path / "token"
    token.write_text("old\n")
    client = http(server, token_path=str(token))
    server.token = "old"
    client.get_json("/x")
    server.token = "new"
    token.write_text("new\n")

    assert client.get_json("/x")["headers"]["authorization"] == "Bearer new"


def test_a_token_that_stays_refused_is_asked_twice_at_most(server, tmp_path: Path):
    """A wrong token does not become a flood of requests."""
    token = tmp_path / "token"
    token.write_text("wrong")
    server.token = "right"

    with pytest.raises(Unauthenticated):
        http(server, token_path=str(token)).get_json("/x")

    assert server.paths()["/x"] == 1


def test_an_unreadable_token_file_names_the_file(tmp_path: Path, server):
    """The first thing that is wrong in a new installation is told by name."""
    with pytest.raises(Forbidden, match="nowhere"):
        http(server, token_path=str(tmp_path / "nowhere")).get_json("/x")
