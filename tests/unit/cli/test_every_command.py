"""The commands: answers on stdout, everything else on stderr, exit codes as promised."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.cli import main
from receiver.demo.standins import KubeStandin, load
from receiver.settings.model import KEYS
from tests.checks.slack_limits import problems
from tests.places import FIXTURES, REPO

POD, INCIDENT = "orders-api-655779759d-jst99", "inc_01K8ZZZZZZZZZZZ"
TRACE = FIXTURES / "traces" / "leak_oom_restarts_03.csv.gz"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in this process: (exit code, stdout, stderr). No setting of this machine leaks in."""
    for key in KEYS:
        monkeypatch.delenv(key.name, raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.chdir(tmp_path)

    def no_server(*_: object) -> None:
        raise AssertionError("serve became a server: nothing was found wrong")

    monkeypatch.setattr("os.execve", no_server)

    def call(*words: str, **environ: str) -> tuple[int, str, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def kube() -> Iterator[KubeStandin]:
    """A stand-in of the cluster in which the recorded leak happened."""
    with KubeStandin(load(FIXTURES / "kubernetes", only=["a-leak-crashloop"])) as standin:
        yield standin


@pytest.mark.parametrize("words", [(), ("nonsense",), ("triage",), ("classify",), ("rules",), ("dead", "eat")], ids=" ".join)
def test_wrong_usage_is_exit_2_and_nothing_on_stdout(run: Run, words: tuple[str, ...]) -> None:
    """A script that pipes the answer never gets usage text as an answer."""
    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert "usage: oomtriage" in err


def test_a_wrong_setting_is_exit_2_with_one_line(run: Run) -> None:
    """The line names the key and what was expected."""
    code, out, err = run("config", WORKERS="many")

    assert (code, out) == (2, "")
    assert err == "oomtriage: WORKERS is 'many' (environment): expected a whole number\n"


def test_serve_refuses_an_open_address_without_a_token(run: Run) -> None:
    """The webhook is never open to the network by accident."""
    code, _, err = run("serve", LISTEN="0.0.0.0:8080")

    assert code == 2
    assert "WEBHOOK_TOKEN" in err


@pytest.mark.parametrize(
    "command", [("ack", INCIDENT), ("fixed", INCIDENT), ("tick", INCIDENT, "root_cause", "--undo")], ids=lambda c: c[0]
)
def test_a_receiver_that_is_not_there_is_exit_1_with_one_line(run: Run, command: tuple[str, ...]) -> None:
    """What somebody did was not noted, and they hear so."""
    code, out, err = run(*command, "--by", "Ines", "--url", "http://127.0.0.1:9")

    assert (code, out) == (1, "")
    assert err.startswith("oomtriage: the receiver cannot be reached")
    assert err.count("\n") == 1


class TestTriage:
    """One pod, no Alertmanager, no store."""

    def test_the_report_is_printed(self, run: Run, kube: KubeStandin) -> None:
        """What died, how we know, and what to do, on stdout alone."""
        code, out, err = run("triage", "-n", "shop", POD, KUBE_API_URL=kube.url)

        assert (code, err) == (0, "")
        assert "OOMKilled" in out
        assert "137" in out
        assert "kubectl -n shop set resources deploy/orders-api" in out

    def test_json_is_one_report_document(self, run: Run, kube: KubeStandin) -> None:
        """The document of the interface, parseable as it stands."""
        code, out, _ = run("triage", "-n", "shop", POD, "-o", "json", KUBE_API_URL=kube.url)
        report = json.loads(out)

        assert code == 0
        assert report["schema"] == "oomtriage.report/v1"
        assert report["kill"]["kind"] == "container_oom"
        assert report["subject"]["workload"] == {"kind": "Deployment", "name": "orders-api"}
        assert len(report["checklist"]) == 9

    def test_slack_lines_are_valid_bodies_root_first(self, run: Run, kube: KubeStandin) -> None:
        """Each line can be posted as it is, but for the keys that say where it goes."""
        _, out, _ = run("triage", "-n", "shop", POD, "-o", "slack", KUBE_API_URL=kube.url)
        lines = [json.loads(line) for line in out.splitlines()]

        assert next(line.pop("slot") for line in lines) == "root"
        assert [line.pop("thread") for line in lines] == [False] + [True] * (len(lines) - 1)
        for line in lines:
            assert problems(line) == []

    def test_a_saved_case_replays_to_the_same_report(self, run: Run, kube: KubeStandin, tmp_path: Path) -> None:
        """Offline and later, the same evidence says the same."""
        case = tmp_path / "case.json"
        _, live, _ = run("triage", "-n", "shop", POD, "-o", "json", "--save", str(case), KUBE_API_URL=kube.url)
        code, replayed, _ = run("diagnose", str(case), "-o", "json")

        assert code == 0
        assert json.loads(replayed) == json.loads(live)

    def test_an_unknown_pod_is_exit_1(self, run: Run, kube: KubeStandin) -> None:
        """Nothing is known: the answer is a failure, with the reason."""
        code, out, err = run("triage", "-n", "shop", "not-there-abc", KUBE_API_URL=kube.url)

        assert (code, out) == (1, "")
        assert "not-there-abc" in err

    def test_no_api_is_exit_1(self, run: Run) -> None:
        """The reason names the address that was tried."""
        code, out, err = run("triage", "-n", "shop", POD, KUBE_API_URL="http://127.0.0.1:9")

        assert (code, out) == (1, "")
        assert "127.0.0.1:9" in err


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "other"}', '{"schema": "oomtriage.case/v1"}', '{"schema": "oomtriage.case/v1", "gathered_at": "2026-11-23T01:00:00Z", "subject": {}, "answers": []}'])  # fmt: skip
def test_diagnose_of_what_is_no_case_is_exit_2(run: Run, tmp_path: Path, content: str) -> None:
    """One line that says what the file is not; no traceback."""
    path = tmp_path / "case.json"
    path.write_text(content)
    code, out, err = run("diagnose", str(path))

    assert (code, out) == (2, "")
    assert err.count("\n") == 1


class TestClassify:
    """The memory-shape part alone, several files, one JSON line a file."""

    def test_lines_come_in_the_order_given(self, run: Run, tmp_path: Path) -> None:
        """Plain and compressed files, and one that cannot be read: a line each, exit 1 at the end."""
        plain = tmp_path / "plain.csv"
        plain.write_text(gzip.decompress(TRACE.read_bytes()).decode())
        code, out, err = run("classify", str(plain), str(tmp_path / "none.csv"), str(TRACE), "-o", "json")
        lines = [json.loads(line) for line in out.splitlines()]

        assert (code, err) == (1, "")
        assert [line["file"] for line in lines] == [str(plain), str(tmp_path / "none.csv"), str(TRACE)]
        assert "error" in lines[1]
        assert {k: v for k, v in lines[0].items() if k != "file"} == {k: v for k, v in lines[2].items() if k != "file"}
        assert lines[0]["cause"] == "leak"

    def test_rows_after_until_are_ignored(self, run: Run) -> None:
        """What was known twenty minutes in is not enough for a verdict."""
        code, out, _ = run("classify", str(TRACE), "--until", "1200", "-o", "json")
        verdict = json.loads(out)

        assert code == 0
        assert verdict["cause"] == "unknown"
        assert isinstance(verdict["confidence"], float)


class TestRules:
    """The shipped rules, checked and rendered."""

    def test_the_shipped_rules_are_fine(self, run: Run) -> None:
        """No error; at most the remark that promtool is not installed."""
        code, out, _ = run("rules", "check")

        assert code == 0
        assert "error" not in out

    def test_rendered_rules_take_thresholds(self, run: Run, tmp_path: Path) -> None:
        """A values file changes the threshold without a fork."""
        values = tmp_path / "values.yaml"
        values.write_text("alerts: {HighMemoryUsage: {threshold: 0.9}}\n")
        _, plain, _ = run("rules", "render", "--values", str(values))
        _, custom, _ = run("rules", "render", "--format", "prometheusrule")

        assert "0.9" in plain
        assert "kind: PrometheusRule" in custom


class TestRoutes:
    """`config --route` says where an alert is told, why, and what the quiet hours say."""

    FILE = """
slack_bot_token: xoxb-1
slack_channel: C1
routes:
  - {channel: C9, match: {severity: critical}, continue: true}
  - channel: C2
    match: {team: pay.*}
    mention: '<!subteam^S1>'
    quiet_hours: {days: mon-fri, from: 22:00, to: "07:00", timezone: Europe/Berlin, hold: true}
  - {channel: C3, workload_annotations: {oomtriage.io/channel: checkout}}
"""

    @pytest.fixture
    def explain(self, run: Run, tmp_path: Path) -> Callable[..., list[str]]:
        file = tmp_path / "config.yaml"
        file.write_text(self.FILE)

        def ask(labels: str, *more: str) -> list[str]:
            code, out, err = run("config", "--config", str(file), "--route", labels, *more)
            assert (code, err) == (0, "")
            return out.splitlines()

        return ask

    def test_every_place_with_its_reason(self, explain: Callable[..., list[str]]) -> None:
        """A critical alert is told in two places; what was passed over says why."""
        assert explain('{team="payments",severity="critical"}', "--at", "2026-11-23T03:14:00Z") == [
            "routes[0]: channel C9",
            "    because: severity=critical",
            "    continue: the routes after it are asked too",
            "routes[1]: channel C2, mention <!subteam^S1>",
            "    because: team=pay.*",
            "    quiet hours (mon, tue, wed, thu, fri 22:00-07:00 Europe/Berlin) do not hold for critical alerts",
        ]

    def test_quiet_hours_say_until_when(self, explain: Callable[..., list[str]]) -> None:
        """At night a warning waits, by day it does not."""
        night = explain("team=payments", "--at", "2026-11-24T03:14:00Z")
        day = explain("team=payments", "--at", "2026-11-24T13:14:00Z")

        assert night[0] == day[0] == "routes[1]: channel C2"
        assert night[2].endswith("now, until Tue 07:00 (2026-11-24T06:00:00Z): it is told then, if it still fires")
        assert day[2].endswith("Europe/Berlin): not now")
        assert day[3:] == ['routes[0] passed over: severity is "", not critical']

    def test_the_workloads_annotation_can_be_given(self, explain: Callable[..., list[str]]) -> None:
        """What the evidence would find is told on the command line."""
        assert explain("team=x", "--workload-annotations", "oomtriage.io/channel=checkout")[0] == "routes[2]: channel C3"
        assert explain("team=x") == [
            "no route matches: the default channel C1",
            'routes[0] passed over: severity is "", not critical',
            'routes[1] passed over: team is "x", not pay.*',
            'routes[2] passed over: the workload\'s annotation oomtriage.io/channel is "", not checkout',
        ]

    def test_what_is_never_posted_is_said(self, explain: Callable[..., list[str]]) -> None:
        """Severity info has a page, and no channel."""
        assert explain("team=payments,severity=info") == ["not posted: severity info is shown on the page only"]

    def test_a_bot_token_is_not_needed_to_explain(self, run: Run, tmp_path: Path) -> None:
        """Whoever reviews routes has no secret; what `serve` will need is said beside the answer."""
        file = tmp_path / "config.yaml"
        file.write_text(self.FILE.replace("slack_bot_token: xoxb-1\n", ""))
        code, out, err = run("config", "--config", str(file), "--route", "severity=critical")

        assert (code, out.splitlines()[0]) == (0, "routes[0]: channel C9")
        assert "SLACK_BOT_TOKEN" in err
        assert run("config", "--config", str(file))[0] == 2

    def test_the_effective_settings_list_the_routes(self, run: Run, tmp_path: Path) -> None:
        """A line a route; no secret."""
        file = tmp_path / "config.yaml"
        file.write_text(self.FILE)
        code, out, _ = run("config", "--config", str(file))

        assert code == 0
        assert "routes[1]" in out
        assert "team=pay.* -> C2" in out
        assert "xoxb" not in out

    @pytest.mark.parametrize(
        "words", [("--route", "nonsense"), ("--route", "a=b", "--at", "noon"), ("--route", "a=b", "--workload-labels", "x")]
    )
    def test_what_cannot_be_read_is_exit_2(self, run: Run, words: tuple[str, ...]) -> None:
        """One line says what was expected."""
        code, out, err = run("config", *words)

        assert (code, out) == (2, "")
        assert "expected" in err


def test_a_closed_pipe_is_quiet() -> None:
    """`oomtriage config | head -1` ends without a traceback."""
    command = f"{sys.executable} -m receiver config | head -1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=REPO, env={"PATH": "/usr/bin:/bin"})

    assert ended.stderr == ""
    assert ended.stdout.startswith("LISTEN")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("redaction: {patterns: {a: '('}}", "redaction"),
        ("redaction: {emials: true}", "redaction: unknown key 'emials'"),
        ("label_names: {pud: pod}", "label_names.pud: expected one of"),
        ("slack_bot_token: x\nslack_channel: C1\nroutes: [{channel: C2, match: {a: '('}}]", "no regular expression"),
        ("thresholds: {a: 1}", "no threshold can be set yet"),
        ("slack_bot_token: 'xoxb-hidden\n", "is no YAML: line 2, column 1: "),
    ],
)
def test_config_finds_what_serve_would(run: Run, tmp_path: Path, text: str, says: str) -> None:
    """A file that `config` shows is one that `serve` takes; else exit 2 and one line, the same from both."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    config, serve = run("config", "--config", str(file)), run("serve", "--config", str(file))

    assert config == serve
    assert config[:2] == (2, "")
    assert says in config[2]
    assert config[2].count("\n") == 1
    assert "hidden" not in config[2]


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "[::1]")], ids=["IPv4", "IPv6"])
def test_serve_on_a_port_in_use_is_one_plain_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, family: socket.AddressFamily, host: str
) -> None:
    """No retries of the server, no traceback: the address and why not."""
    monkeypatch.setattr("receiver.app.serve.TAKEOVER_WAIT_S", 0.2)
    with socket.socket(family) as other:
        other.bind((host.strip("[]"), 0))
        other.listen()
        address = f"{host}:{other.getsockname()[1]}"
        code, out, err = run("serve", LISTEN=address)

    assert (code, out) == (1, "")
    assert err == f"oomtriage: cannot listen on {address}: address already in use\n"


@pytest.mark.parametrize("place", ["folder", "file/state.db", "/proc/nowhere/state.db"])
def test_serve_with_a_store_that_cannot_be_is_exit_2(run: Run, tmp_path: Path, place: str) -> None:
    """A folder, a path below a file, a place nobody may write to."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    code, out, err = run("serve", STORE_URL=f"sqlite:///{tmp_path / place}")

    assert (code, out) == (2, "")
    assert err.startswith("oomtriage: STORE_URL")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"), [(("../../x",), "'../../x' is no pod name"), (("x", "-n", "a/b"), "'a/b' is no namespace name")]
)
def test_triage_of_what_is_no_name_says_so(run: Run, words: tuple[str, ...], says: str) -> None:
    """Nothing is asked: exit 2, one line."""
    code, out, err = run("triage", *words, KUBE_API_URL="http://127.0.0.1:9")

    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
