"""Connections are kept, and nothing but the settings decides how they are made."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

from receiver.demo.standins import Asked
from tests.unit.transport.kit import http


def test_the_environment_changes_nothing(server, monkeypatch):
    """A CA bundle or proxy set for other programs would break TLS to the cluster, or send evidence through it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")

    assert http(server).get_json("/x")["path"] == "/x"


def test_connections_are_reused(server):
    """A hundred questions do not open a hundred connections."""
    ports: set[int] = set()
    original = server.handle

    def remember(asked: Asked, connection: BaseHTTPRequestHandler) -> None:
        ports.add(connection.client_address[1])
        original(asked, connection)

    server.handle = remember
    client = http(server)
    for _ in range(20):
        client.get_json("/x")

    assert len(ports) == 1
