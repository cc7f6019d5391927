"""`oomtriage test-alert` against a real receiver and a Slack that keeps state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from receiver.cli import main
from receiver.settings.model import KEYS
from tests.e2e.receiver import Receiver
from tests.fakes.slack import FakeSlack

Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel("C2", "payments")
        fake.add_channel("C3", "nobody-invited-us", has_bot=False)
        yield fake


@pytest.fixture(scope="module")
def receiver(slack: FakeSlack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    folder = tmp_path_factory.mktemp("receiver")
    config = folder / "config.yaml"
    config.write_text("""
routes: [{channel: C2, match: {team: payments}, mention: <!here>}, {channel: C3, match: {team: other}}]
webhook_token: token-of-the-webhook
admin_token: token-of-admins
""")
    settings = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.api_url, "SLACK_CHANNEL": "C1"}
    with Receiver(folder, config=str(config), **settings) as running:
        yield running


@pytest.fixture
def run(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command with the receiver's settings, or some of them otherwise: exit code, lines, stderr."""
    tokens = {"WEBHOOK_TOKEN": "token-of-the-webhook", "ADMIN_TOKEN": "token-of-admins"}

    def call(*words: str, **other: str) -> tuple[int, list[str], str]:
        for key in KEYS:
            monkeypatch.delenv(key.name, raising=False)
        for name, value in (receiver.environ() | tokens | other).items():
            if name in {key.name for key in KEYS} and value:
                monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(["test-alert", *words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out.splitlines(), err

    return call


def metric(receiver: Receiver, name: str) -> float:
    return sum(float(line.split()[-1]) for line in receiver.get("/metrics")[1].splitlines() if re.match(rf"{name}(\{{|\s)", line))


def test_each_hop_is_timed_and_nobody_takes_it_for_an_incident(run: Run, receiver: Receiver, slack: FakeSlack) -> None:
    """It calls nobody, is on no page, and moves no number that an alert of ours watches."""
    code, lines, err = run()
    message = slack.channel("C1").messages[-1]

    assert (code, err) == (0, "")
    assert [line.split()[0] for line in lines] == ["accepted", "folded", "looked", "posted", "arrived"]
    assert all(re.search(r"\d+ ms|\d+\.\d s", line) for line in lines)
    assert lines[-1].startswith("arrived in slack C1 after ")
    assert (message.actions, slack.pings) == ([], [])
    assert "inc_" not in receiver.get("/")[1]
    names = ("oomtriage_alerts_received_total", "oomtriage_diagnoses_total", "oomtriage_enrichment_seconds_count", "oomtriage_dead_letters")
    assert [metric(receiver, name) for name in names] == [0, 0, 0, 0]


def test_a_channel_of_a_route_can_be_chosen(run: Run, slack: FakeSlack) -> None:
    """Without whom that route calls; as people write it."""
    code, lines, _ = run("--channel", "#C2")

    assert (code, lines[-1].split(" after ")[0]) == (0, "arrived in slack C2")
    assert (len(slack.channel("C2").messages), slack.pings) == (1, [])


def test_in_the_receivers_pod_it_needs_no_settings(run: Run, receiver: Receiver, slack: FakeSlack) -> None:
    """The tokens are in the receiver's file, and the note that it left says which that is."""
    code, lines, err = run(WEBHOOK_TOKEN="", ADMIN_TOKEN="", SLACK_BOT_TOKEN="", SLACK_CHANNEL="")

    assert (code, lines[-1].split(" after ")[0], err) == (0, "arrived in slack C1", "")


def test_another_channel_is_refused_before_anything_is_sent(run: Run, slack: FakeSlack) -> None:
    """The receiver's own channels are named."""
    code, lines, err = run("--channel", "C9")

    assert (code, lines) == (2, [])
    assert "C1, C2, C3" in err


def test_what_does_not_arrive_says_where_it_stopped_and_is_gone(run: Run, receiver: Receiver) -> None:
    """One line, with Slack's reason; no dead letter is left, which an alert would watch."""
    code, lines, err = run("--channel", "C3")

    assert (code, [line.split()[0] for line in lines]) == (1, ["accepted", "folded", "looked"])
    assert "not_in_channel" in err
    assert err.count("\n") == 1
    assert metric(receiver, "oomtriage_dead_letters") == 0


@pytest.mark.parametrize(
    ("other", "says"), [({"WEBHOOK_TOKEN": "planted-wrong"}, "WEBHOOK_TOKEN"), ({"ADMIN_TOKEN": "planted-wrong"}, "ADMIN_TOKEN")]
)
def test_a_wrong_token_is_named(run: Run, other: dict[str, str], says: str) -> None:
    """Which of the two, and never what it was."""
    code, lines, err = run(**other)

    assert (code, lines, err.count("\n")) == (1, [], 1)
    assert says in err
    assert "planted" not in err


def test_doctor_asks_the_receiver_beside_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a part of its settings, as a command in its pod has them, the answer is about all of them; with others it is about those
    and the receiver's file."""
    found = []
    for more in ({"SLACK_CHANNEL": ""}, {"WORKERS": "3"}):
        for key in KEYS:
            monkeypatch.delenv(key.name, raising=False)
        for name, value in (receiver.environ() | more).items():
            if name in {key.name for key in KEYS} and value:
                monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            main(["doctor", "-o", "json"])
        found.append({c["id"]: c["code"] for c in json.loads(capsys.readouterr().out)["checks"]})

    beside, here = found
    assert (beside["settings"], beside["store.lock"]) == ("doctor.settings.ok", "doctor.lock.ours")
    assert (here["receiver/settings"], here["store.lock"]) == ("doctor.receiver.differs", "doctor.lock.here")
    assert ("slack.channel/C3" in beside, "slack.channel/C3" in here) == (True, True)  # of a route in the receiver's file


def test_no_receiver_is_one_line(run: Run) -> None:
    code, lines, err = run("--url", "http://127.0.0.1:9")

    assert (code, lines, err.count("\n")) == (1, [], 1)
    assert err.startswith("oomtriage: the receiver cannot be reached")
