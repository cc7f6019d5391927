"""SIGKILL at random moments while pull requests are opened: one request for each press, at both forges.

A real receiver over the stand-ins of GitHub and GitLab, whose answers take a while and are lost now and then. Each round somebody presses,
the receiver is killed while it works on that, and started again; then the request is closed by hand, so that the next press opens one.

`--kills N` at each forge (50), `--seed N`.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from receiver.demo.standins import KubeStandin, load
from tests.e2e.receiver import Receiver
from tests.fakes.forge import TOKEN, FakeForge, Fault
from tests.fakes.github import FakeGitHub
from tests.fakes.gitlab import FakeGitLab
from tests.places import REPO
from tests.support import alert, payload, wait_until

KUBERNETES = REPO / "tests" / "fixtures" / "kubernetes"
POD = "orders-api-655779759d-jst99"
MANIFEST = """kind: Deployment
metadata: {name: orders-api, namespace: shop}
spec: {template: {spec: {containers: [{name: orders-api, resources: {limits: {memory: 96Mi}, requests: {memory: 64Mi}}}]}}}
"""
LONGEST_LIFE_S = 0.6  # after the press: opening takes about as long
LOST_SHARE = 0.3


def run(fake: FakeForge, folder: Path, *, kills: int, rng: random.Random) -> tuple[int, int, int]:
    """Presses, requests, and the most that were open at once."""
    kind = "github" if isinstance(fake, FakeGitHub) else "gitlab"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(f"gitops: [{{namespaces: [shop], kind: {kind}, repository: acme/deploy, url: '{fake.url}'}}]\n")
    presses = most = 0
    with (
        KubeStandin(load(KUBERNETES, only=["a-leak-crashloop"], now=datetime.now(UTC))) as kube,
        Receiver(folder, config=str(config), KUBE_API_URL=kube.url, GITOPS_TOKEN=TOKEN) as receiver,
    ):
        assert receiver.post(payload(alert(pod=POD, started=time.time()))) == 202
        wait_until(lambda: bool(_looked_at(folder)), what="the incident is looked at")
        incident = _looked_at(folder)
        asked = f"/admin/incidents/{incident}/request"
        while kills > 0:
            assert receiver.send(asked, {"by": "Ines"}) == 200
            presses += 1
            if rng.random() < LOST_SHARE:
                fake.fail(Fault(kind="lost", after=rng.randrange(14)))
            for _ in range(min(rng.choice((1, 1, 2)), kills)):
                time.sleep(rng.uniform(0, LONGEST_LIFE_S))
                receiver.kill()
                kills -= 1
                receiver.start()
            wait_until(lambda: _states(folder)[-1] == "open", what="it is open", timeout_s=120)
            fake.heal()
            most = max(most, len(fake.repository.open_of(f"oomtriage/{incident}")))
            assert fake.repository.own_commits(f"oomtriage/{incident}") == 1
            fake.repository.dismiss(len(fake.repository.requests))
            assert receiver.send(asked, {"by": "Ines"}) == 200  # how it stands is looked up at once
            wait_until(lambda: _states(folder)[-1] == "closed", what="it is closed", timeout_s=60)
    return presses, len(fake.repository.requests), most


def _looked_at(folder: Path) -> str:
    """The incident's id, once a report of it proposes something."""
    rows = _rows(folder, "SELECT id, report FROM incident WHERE report IS NOT NULL")
    return str(rows[0][0]) if rows and json.loads(rows[0][1])["proposal"].get("memory_limit") else ""


def _states(folder: Path) -> list[str]:
    """How its requests stand, as the incident remembers them: the newest last."""
    return [r.get("state", "wanted") for r in json.loads(_rows(folder, "SELECT data FROM incident")[0][0]).get("requests", [])]


def _rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{folder}/state.db?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def main(arguments: Sequence[str]) -> int:
    """Both forges, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench pull_requests", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=18)
    options = parser.parse_args(list(arguments))
    print("| forge | kills | presses | requests | most open at once | s |\n|---|---|---|---|---|---|")
    is_right = True
    for fake_type in (FakeGitHub, FakeGitLab):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, fake_type({"shop/orders.yaml": MANIFEST}) as fake:
            presses, requests, most = run(fake, Path(folder), kills=options.kills, rng=random.Random(options.seed))
        print(f"| {fake_type.__name__} | {options.kills} | {presses} | {requests} | {most} | {time.monotonic() - began:.0f} |", flush=True)
        is_right = is_right and requests == presses and most == 1
    return 0 if is_right else 1
