"""From the kill to the merged fix: a button, a pull request, a merge, two quiet days, and the trim, each told where people look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from receiver.store import incident_lists
from tests.fakes.forge import TOKEN, FakeForge
from tests.fakes.github import FakeGitHub
from tests.fakes.gitlab import FakeGitLab
from tests.stories.cluster import Life, kill, ramp
from tests.stories.fixes import FIXED, HOUR, KILLED, alive, busy, leaking, too_low
from tests.stories.fixes import SERVED as LOG
from tests.stories.rollouts import Changing, ChangingCluster, Rollout
from tests.stories.story import DAY, ROUTES, SECRET, Story

MANIFEST = """apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: cart
          resources:
            limits: {memory: 80Mi}  # since 2023
"""


@contextmanager
def told(folder: Path, forge: FakeForge, changing: Changing) -> Iterator[Story]:
    """A story until its kill is told, with its workload's repository at that forge."""
    kind = "github" if isinstance(forge, FakeGitHub) else "gitlab"
    gitops = f"gitops: [{{namespaces: [shop], kind: {kind}, repository: acme/deploy, url: '{forge.url}'}}]\n"
    with Story(
        folder, ChangingCluster(changing), begin=DAY.replace(day=9, hour=18, minute=55), config=ROUTES + gitops, WATCH_INTERVAL="1h",
        GITOPS_TOKEN=TOKEN, SLACK_SIGNING_SECRET=SECRET,
    ) as story:  # fmt: skip
        story.until(KILLED + 45)
        story.fires("OOMKilled", changing.pod(0), changing.name)
        story.later(minutes=2)
        yield story


def history(story: Story) -> list[str]:
    """What the incident's history has of requests."""
    assert story.receiver is not None
    with story.receiver.store.read() as tx:
        (incident,) = incident_lists.newest(tx, 1)
    return [e.what.code.removeprefix("incident.log.") for e in incident.memory.log if "request" in e.what.code]


def test_the_merged_fix_holds_and_is_trimmed(tmp_path: Path) -> None:
    """The request says what is changed and why; the merge is seen; it held, twice; then a request of its own gives back the rest."""
    rollout = Rollout(at=FIXED, limit_bytes=200 * 1024**2, by="argocd-controller", lives=alive(FIXED, 200, busy(72, 72, 96, seed=3)))
    changing = Changing(name="cart", first=too_low(), rollouts=[rollout], log=LOG)
    with FakeGitHub({"shop/cart.yaml": MANIFEST}) as forge, told(tmp_path, forge, changing) as story:
        story.press("request", is_in_menu=True)
        story.later(minutes=1)
        (request,) = forge.repository.requests
        proposed = forge.repository.files(request.branch)["shop/cart.yaml"]
        root = story.slack.channel().roots[0].message.shown()
        forge.repository.push({"shop/cart.yaml": MANIFEST.replace("80Mi", "200Mi")}, branch=request.branch)  # a reviewer wants more
        forge.repository.merge(1)
        story.until(FIXED + 40 * 60)
        story.resolve_all()
        story.stop_receiver()
        story.start_receiver()
        story.until(FIXED + 52 * HOUR)
        first, *others = forge.repository.requests
        thread = " ".join(m.shown() for m in story.slack.channel().roots[0].replies)

        assert "pull request 1 opened" in root
        assert proposed == MANIFEST.replace("80Mi", proposed.split("memory: ")[1].split("}")[0])
        assert first.state == "merged"
        assert [c.rpartition(" ")[2] for c in first.comments] == ["24h`", "48h`"]
        assert all(c.startswith("It held. No kill for ") for c in first.comments)
        assert "No kill for 48 h" in thread
        assert [(r.branch, r.state) for r in others] == [(f"{request.branch}-trim", "open")]
        assert forge.repository.files(others[0].branch)["shop/cart.yaml"] == MANIFEST.replace("80Mi", "120Mi")
        assert history(story)[:3] == ["request_wanted", "request_opened", "request_merged"]


def test_a_leaks_request_says_that_it_cures_nothing_and_that_it_only_delayed(tmp_path: Path) -> None:
    """Killed again under the merged limit: told below the request, and no trim."""
    again = FIXED + 7 * HOUR
    lives = leaking()
    higher = [
        kill(FIXED + 5, again, ramp(7, 30, 159), limit_bytes=160 * 1024**2),
        Life(start=again + 10, end=None, points=ramp(2, 30, 70), limit_bytes=160 * 1024**2),
    ]
    changing = Changing(
        name="cart", first=lives, rollouts=[Rollout(at=FIXED, limit_bytes=160 * 1024**2, by="argocd-controller", lives=higher)], log=LOG
    )
    with FakeGitLab({"shop/cart.yaml": MANIFEST}) as forge, told(tmp_path, forge, changing) as story:
        story.press("request", is_in_menu=True)
        story.later(minutes=1)
        (request,) = forge.repository.requests
        forge.repository.merge(1)
        story.until(again + 45)
        story.fires("OOMKilled", changing.pod(1), changing.name)
        story.later(hours=2)

        assert request.body.startswith("**Stop-gap, not a fix")
        assert len(request.comments) == 1
        assert request.comments[0].startswith("It only delayed. Killed again")
        assert len(forge.repository.requests) == 1
