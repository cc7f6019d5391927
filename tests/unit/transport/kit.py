"""A server that echoes, with faults put into it, and a client for it."""

from __future__ import annotations

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.transport import Http, HttpConfig
from tests.fakes.kube import Faulty

SECRET = "xoxb-1234-very-secret-token"


class Echo(Standin):
    """Answers what it was asked."""

    def answer(self, asked: Asked) -> Reply:
        return json_reply({"path": asked.path, "params": dict(asked.params), "headers": dict(asked.headers), "body": asked.body.decode()})


class FaultyEcho(Faulty, Echo):
    """The same, until a fault is set."""


def http(server: Standin, **config: object) -> Http:
    return Http(HttpConfig(base_url=server.url, name="the service", **config), sleep=lambda _: None)  # type: ignore[arg-type]
