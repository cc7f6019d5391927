"""A bearer token that is replaced under a running program."""

from __future__ import annotations

from pathlib import Path

from receiver.transport import Token


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
