"""Two replicas on one database, and a Slack that they tell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.receiver import Receiver
from tests.fakes.slack import FakeSlack
from tests.support import wait_until

DISPATCHER, STANDBY, AWAY = "dispatcher", "standby", "away"


class Pair:
    """`a` and `b`; which of them dispatches shows. `settings`: of both."""

    def __init__(self, folder: Path, url: str, slack: FakeSlack, *, ttl_s: float = 2.0, **settings: str) -> None:
        self.slack = slack
        self.replicas = [
            Receiver(
                folder / name, STORE_URL=url, LEADER_TTL=f"{ttl_s}s", SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="C1",
                SLACK_API_URL=slack.api_url, ENRICH_DEADLINE="2s", **settings,
            )
            for name in ("a", "b")
        ]  # fmt: skip

    def start(self) -> None:
        """Both, and wait until one of them dispatches."""
        for replica in self.replicas:
            replica.launch()
        for replica in self.replicas:
            replica.wait_ready()
        self.wait_settled()

    def wait_settled(self, timeout_s: float = 30.0) -> None:
        """Until one dispatches and the other stands by."""
        wait_until(lambda: self.roles() == [DISPATCHER, STANDBY], what=f"one dispatches: {self.roles()}", timeout_s=timeout_s)

    def role(self, replica: Receiver) -> str:
        """What /readyz says of it."""
        status, text = replica.get("/readyz")
        return str(json.loads(text)["role"]) if status == 200 else AWAY

    def roles(self) -> list[str]:
        """Of both, sorted."""
        return sorted(map(self.role, self.replicas))

    @property
    def leader(self) -> Receiver:
        """The one that dispatches."""
        return next(r for r in self.replicas if self.role(r) == DISPATCHER)

    def other(self, replica: Receiver) -> Receiver:
        """The one that it is not."""
        return next(r for r in self.replicas if r is not replica)

    def end(self) -> None:
        """Both, at once."""
        for replica in self.replicas:
            replica.kill()
