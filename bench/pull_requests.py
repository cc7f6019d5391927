"""SIGKILL at random moments while pull requests are opened: one request for each press, at both forges.

A real receiver over the stand-ins of GitHub and GitLab, whose answers take a while and are lost now and then. Each round somebody presses,
the receiver is killed while it works on that, and started again; then the request is closed by hand, so that the next press opens one.

`--kills N` at each forge (50), `--seed N`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

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
ANSWER_S = 0.04  # of a forge: opening asks it about fourteen times
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
        wait_until(lambda: bool(_looked_at(receiver)), what="the incident is looked at")
        incident = _looked_at(receiver)
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
            wait_until(lambda: _stands(receiver, incident, "open"), what="it is open", timeout_s=120)
            fake.heal()
            most = max(most, len(fake.repository.open_of(f"oomtriage/{incident}")))
            assert fake.repository.own_commits(f"oomtriage/{incident}") == 1
            fake.repository.dismiss(len(fake.repository.requests))
            assert receiver.send(asked, {"by": "Ines"}) == 200  # how it stands is looked up at once
            wait_until(lambda: _stands(receiver, incident, "closed"), what="it is closed", timeout_s=60)
    return presses, len(fake.repository.requests), most


def _looked_at(receiver: Receiver) -> str:
    """The incident's id, once something is proposed for it."""
    status, body = receiver.get("/api/v1/incidents")
    found = json.loads(body)["incidents"] if status == 200 else []
    return str(found[0]["id"]) if found and found[0]["verdict"] else ""


def _stands(receiver: Receiver, incident: str, state: str) -> bool:
    """Whether the incident says so of its newest request."""
    status, body = receiver.get(f"/api/v1/incidents/{incident}")
    return status == 200 and any(s.startswith("Pull request") and s.endswith(f"is {state}") for s in json.loads(body)["states"])


def main(options: Sequence[str] = ()) -> None:
    """Both forges, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench pull_requests", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=18)
    wanted = parser.parse_args(options)
    print("| forge | kills | presses | requests | most open at once | s |\n|---|---|---|---|---|---|")
    is_right = True
    for fake_type in (FakeGitHub, FakeGitLab):
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, fake_type({"shop/orders.yaml": MANIFEST}) as fake:
            fake.delay_s = ANSWER_S
            presses, requests, most = run(fake, Path(folder), kills=wanted.kills, rng=random.Random(wanted.seed))
        print(f"| {fake_type.__name__} | {wanted.kills} | {presses} | {requests} | {most} | {time.monotonic() - began:.0f} |", flush=True)
        is_right = is_right and requests == presses and most == 1
    if not is_right:
        sys.exit("a request was doubled or lost")
