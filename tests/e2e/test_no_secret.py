"""A hundred secrets in logs, variables, arguments, events and annotations: none is in anything that leaves the receiver, or stays in it."""

from __future__ import annotations

import html
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.cli import main
from receiver.demo.standins import Incident, Recordings
from receiver.settings.model import KEYS
from tests.checks.planted_secrets import BENIGN, PLANTED, PLANTED_ARGS, PLANTED_ENV, leaks
from tests.e2e.inside import post, receiver_inside, renamed
from tests.fakes.kube import FakeKube, recorded
from tests.fakes.prometheus import FakePrometheus
from tests.fakes.slack import FakeSlack
from tests.support import alert, payload

PARTS = 4  # a log shows its last 200 lines: the planted ones are spread over several incidents


@dataclass(kw_only=True)
class Outcome:
    """Everything that a look left behind."""

    slack: str
    pages: str
    state: str
    log: str
    cases: list[dict[str, Any]]
    saved: str


def plant(one: Incident, part: int) -> None:
    """Secrets of this part into every place of the pod, its owner, its events and its log; look-alikes into the log."""
    planted, recording, now = PLANTED[part::PARTS], one.pods[0], datetime.now(UTC)
    pod = recording.pod
    container = pod["spec"]["containers"][0]
    lines = "\n".join([*BENIGN[part::PARTS], *(p.text for p in planted)]).split("\n")
    assert len(lines) <= 200
    stamped = "".join(f"{now - timedelta(seconds=90):%Y-%m-%dT%H:%M:%S}.{i:09d}Z {line}\n" for i, line in enumerate(lines))
    recording.logs = {(container["name"], is_previous): (200, stamped) for is_previous in (True, False)}
    notes = {f"example.com/note-{i}": p.text for i, p in enumerate(planted)}
    env = [{"name": e.name, "value": e.value} for e in PLANTED_ENV]
    arguments = [word for words, _ in PLANTED_ARGS[part::PARTS] for word in words]
    for obj in (pod, *(o for o in one.objects if o["kind"] in ("Deployment", "ReplicaSet"))):
        obj["metadata"].setdefault("annotations", {}).update(notes)
        spec = obj["spec"].get("template", obj)["spec"]
        spec["containers"][0].update(env=env, args=arguments)
    for key in ("lastState", "state"):
        if "terminated" in pod["status"]["containerStatuses"][0].get(key, {}):
            pod["status"]["containerStatuses"][0][key]["terminated"]["message"] = "\n".join(p.text for p in planted)
    for i, p in enumerate(planted):
        recording.events.append(
            {
                "metadata": {"name": f"planted-{i}", "namespace": one.namespace}, "reason": "BackOff", "type": "Warning", "message": p.text,
                "involvedObject": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": one.namespace, "uid": pod["metadata"]["uid"]},
                "lastTimestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", "count": 1,
            }
        )  # fmt: skip


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The incidents told by a whole receiver, and one of them saved by `triage --save`."""
    folder = tmp_path_factory.mktemp("secrets")
    base = recorded("a-leak-crashloop", now=datetime.now(UTC))
    together, alerts = Recordings(), []
    for part in range(PARTS):
        one = renamed(base, "a-leak-crashloop", {'"shop"': f'"shop-{part}"', "orders-api": f"orders-{part}"})
        plant(one, part)
        together.add(one)
        notes = {f"note_{i}": p.text for i, p in enumerate(PLANTED[part::PARTS])} | {"description": PLANTED[part].text}
        alerts.append(
            alert(
                pod=one.pods[0].pod["metadata"]["name"], namespace=one.namespace, container=f"orders-{part}", annotations=notes,
                started=datetime.now(UTC).timestamp(),
            )
        )  # fmt: skip
    handler, records = _Keeping(), logging.getLogger()
    records.addHandler(handler)
    # What is told of an alert without any look: of a node, and of nothing that could be looked at.
    for i, names in enumerate(({"pod": "", "container": "", "namespace": "", "node": "node-7"}, {"pod": "", "container": ""})):
        notes = {"summary": PLANTED[i].text, "description": "\n".join(p.text for p in PLANTED[:40]), "runbook_url": PLANTED[60].text}
        alerts.append(
            alert(f"Other{i}", annotations=notes, started=datetime.now(UTC).timestamp(), api_token=PLANTED[i].secrets[0], **names)
        )
    with (
        FakeSlack() as slack, FakeKube(together) as kube, FakePrometheus(together.series) as prometheus,
        receiver_inside(folder, slack, KUBE_API_URL=kube.url, PROMETHEUS_URL=prometheus.url, LOG_LEVEL="DEBUG") as application,
    ):  # fmt: skip
        before = records.level
        records.setLevel(logging.DEBUG)
        assert post(application, payload(*alerts)) == 202
        slack.wait_for(lambda: sum(len(r.replies) >= 3 for r in slack.channel().roots) == PARTS and len(slack.channel().roots) == PARTS + 2)
        messages = slack.channel().messages
        said = "\n".join(json.dumps(m.blocks, ensure_ascii=False) + m.text + json.dumps(m.metadata) + m.shown() for m in messages)
        client = application.web.test_client()
        index = client.get("/").get_data(as_text=True)
        ids = sorted(set(_ids(index)))
        pages = index + "\n".join(client.get(f"/incidents/{i}").get_data(as_text=True) for i in ids)
        saved = [_saved(folder / f"case-{n}.json", one.pods[0].pod["metadata"], kube.url) for n, one in enumerate(together.incidents)]
        records.setLevel(before)
    records.removeHandler(handler)
    state, cases = _state(folder / "state.db")
    assert len(ids) == PARTS + 2
    return Outcome(slack=said, pages=html.unescape(pages), state=state, log="\n".join(handler.lines), cases=cases, saved="\n".join(saved))


class _Keeping(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__} {record.exc_info}")


def _ids(page: str) -> Iterator[str]:
    for piece in page.split("/incidents/")[1:]:
        yield piece.partition('"')[0]


def _saved(path: Path, metadata: dict[str, Any], kube_url: str) -> str:
    """What `oomtriage triage POD --save` writes."""
    with pytest.MonkeyPatch.context() as patch:
        for key in KEYS:
            patch.delenv(key.name, raising=False)
        patch.setenv("KUBE_API_URL", kube_url)
        with pytest.raises(SystemExit) as ended:
            main(("triage", metadata["name"], "-n", metadata["namespace"], "--save", str(path)))
    assert not ended.value.code
    return path.read_text()


def _state(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """All that the state file holds, row by row, and the cases in it."""
    texts: list[str] = []
    cases: list[dict[str, Any]] = []
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table == "alert":
                continue  # alerts are kept as Alertmanager sent them: it holds the same, and nothing shows them unredacted
            for row in db.execute(f"SELECT * FROM {table}"):  # names come from the file itself
                for value in row:
                    text = zlib.decompress(value).decode() if isinstance(value, bytes) else str(value)
                    if isinstance(value, bytes):
                        cases.append(json.loads(text))
                    texts.append(text)
    db.close()
    return "\n".join(texts), cases


def shown_by(text: str) -> tuple[str, ...]:
    """Planted secrets in a text, also as JSON writes them."""
    return tuple(sorted({*leaks(text), *leaks(text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\"))}))


@pytest.mark.parametrize("where", ["slack", "pages", "log", "saved"])
def test_no_planted_secret_leaves(outcome: Outcome, where: str) -> None:
    """Messages, pages, the receiver's own log at DEBUG, and a saved case."""
    text = getattr(outcome, where)

    assert len(text) > 500
    assert shown_by(text) == ()


def test_no_planted_secret_is_stored(outcome: Outcome) -> None:
    """Evidence, reports and messages in the state file hold none. (Alerts stand there as Alertmanager sent them.)"""
    assert len(outcome.cases) == PARTS
    assert shown_by(outcome.state) == ()
    assert shown_by(json.dumps(outcome.cases)) == ()


def test_what_only_looks_like_a_secret_is_kept(outcome: Outcome) -> None:
    """Shas, ids, counts and words about secrets stand in the evidence as they stood in the log; what was hidden is counted."""
    logs = "\n".join(case["answers"]["log"]["text"] for case in outcome.cases)

    assert [line for line in BENIGN if line not in logs] == []
    assert sum(sum(case["redactions"].values()) for case in outcome.cases) > len(PLANTED)
    assert "[redacted" in outcome.slack
    assert "redacted:" in outcome.slack


def test_all_of_them_were_there_to_be_seen() -> None:
    """The harness plants what it says."""
    assert len(PLANTED) >= 100
    assert len({p.kind for p in PLANTED}) >= 20
    assert len(leaks("\n".join(p.text for p in PLANTED))) >= len(PLANTED)
