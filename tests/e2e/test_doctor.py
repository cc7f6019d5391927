"""`oomtriage doctor` against a whole installation, and against broken ones: each fault is named, and nothing else is.

Real Prometheus and Alertmanager; Kubernetes and Slack are stand-ins; all of it over real HTTP, and TLS where that is the fault.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from receiver.app.doctor import Here
from receiver.cli import main
from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.doctor import routing_tree
from receiver.doctor.checks import ALL
from receiver.render.doctor import lines, summary
from receiver.settings.model import KEYS
from tests.e2e.binaries import NEW, OLD, SUITE_VARIABLE, binary
from tests.e2e.doctor_lab import DROPPED, ELSEWHERE, MOUNTS, READY, RENAMED, TOKEN, AlertmanagerSays, Found, Lab, lab, shipped_alertmanager
from tests.e2e.servers import Alertmanager
from tests.fakes.github import FakeGitHub
from tests.fakes.slack import FakeSlack
from tests.fakes.tls import OTHER_CA, PLAIN_CA, TLS, over_tls
from tests.golden import Golden


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("doctor")) as running:
        yield running


@pytest.fixture
def installation(whole: Lab) -> Iterator[Lab]:
    """As it should be again after each test."""
    yield whole
    whole.kube.heal()
    whole.kube.denied, whole.kube.clock_ahead_s = frozenset(), 0.0
    whole.slack.scopes = {"chat:write", "channels:history", "channels:read", "files:write"}
    whole.slack.add_channel("C1", "incidents")


class Gateway(Standin):
    """A proxy that wants to know who asks, whatever is asked."""

    def __init__(self, status: int = 407, **headers: str) -> None:
        super().__init__()
        self._reply = Reply(status=status, body=b"<html><title>Company gateway</title></html>", content_type="text/html", headers=headers)

    def answer(self, asked: Asked) -> Reply:
        return self._reply


class SlackItself(Standin):
    """Pages, and the API below /api."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/auth.test":
            return json_reply({"ok": True})
        return Reply(status=404, body=b"<!DOCTYPE html><title>There's been a glitch</title>", content_type="text/html")


def wrong_token(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_URL="", SLACK_BOT_TOKEN="xoxb-planted-secret")


def missing_scope(lab: Lab) -> Found:
    lab.slack.scopes.discard("chat:write")
    return lab.examine(PROMETHEUS_URL="")


def bot_not_in_the_channel(lab: Lab) -> Found:
    lab.slack.add_channel("C2", "on-call", has_bot=False)
    return lab.examine(PROMETHEUS_URL="", SLACK_CHANNEL="C2")


def bot_not_in_a_private_channel_of_a_route(lab: Lab) -> Found:
    lab.slack.add_channel("C3", "secret-team", is_private=True, has_bot=False)
    return lab.examine(PROMETHEUS_URL="", config={"routes": [{"channel": "C3", "match": {"team": "x"}}]})


def archived_channel(lab: Lab) -> Found:
    lab.slack.add_channel("C4", "old", is_archived=True)
    return lab.examine(PROMETHEUS_URL="", SLACK_CHANNEL="C4")


def without_the_scope_to_look_at_channels(lab: Lab) -> Found:
    lab.slack.scopes.discard("channels:read")
    lab.slack.add_channel("C2", "on-call", has_bot=False)
    return lab.examine(PROMETHEUS_URL="", SLACK_CHANNEL="C2")


def wrong_app_level_token(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_URL="", SLACK_APP_TOKEN="xapp-planted-secret")


def no_permission_for_logs(lab: Lab) -> Found:
    lab.kube.denied = frozenset({("get", "pods/log")})
    return lab.examine(PROMETHEUS_URL="")


def wrong_label_names(lab: Lab) -> Found:
    return lab.examine(config={"label_names": {"pod": "kubernetes_pod_name"}})


def other_label_names_there(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_MATCHERS=f'cluster="{RENAMED}"')


def dropped_metrics(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_MATCHERS=f'cluster="{DROPPED}"')


def prometheus_of_another_cluster(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_MATCHERS=f'cluster="{ELSEWHERE}"')


def expired_certificate(lab: Lab) -> Found:
    with over_tls(AlertmanagerSays(shipped_alertmanager()), "expired") as url:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=url, ALERTMANAGER_CA_PATH=PLAIN_CA)


def expired_ca(lab: Lab) -> Found:
    with over_tls(AlertmanagerSays(shipped_alertmanager()), "under-expired-ca") as url:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=url, ALERTMANAGER_CA_PATH=str(TLS / "expired-ca.crt"))


def unknown_ca(lab: Lab) -> Found:
    with over_tls(Gateway(), "plain") as url:
        return lab.examine(PROMETHEUS_URL="", KUBE_API_URL=url, KUBE_CA_PATH=OTHER_CA)


def certificate_of_another_host(lab: Lab) -> Found:
    with over_tls(Gateway(), "elsewhere") as url:
        return lab.examine(PROMETHEUS_URL="", KUBE_API_URL=url, KUBE_CA_PATH=PLAIN_CA)


def no_route_in_alertmanager(lab: Lab) -> Found:
    config = shipped_alertmanager()
    config["route"]["routes"] = [r for r in config["route"]["routes"] if r["receiver"] != "oomtriage"]
    with AlertmanagerSays(config) as says:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=says.url)


def no_receiver_in_alertmanager(lab: Lab) -> Found:
    config = {"route": {"receiver": "pager"}, "receivers": [{"name": "pager", "webhook_configs": [{"url": "http://pager.example/hook"}]}]}
    with AlertmanagerSays(config) as says:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=says.url)


def webhook_without_its_token(lab: Lab) -> Found:
    config = shipped_alertmanager()
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", ()):
            webhook.pop("http_config")
    with AlertmanagerSays(config) as says:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=says.url)


def clock_of_kubernetes_off_by_ten_minutes(lab: Lab) -> Found:
    lab.kube.clock_ahead_s = 600.0
    return lab.examine(PROMETHEUS_URL="")


def our_clock_off_by_ten_minutes(lab: Lab) -> Found:
    return lab.examine(here=Here(ready=READY, environ={}, mounts=MOUNTS, now=lambda: time.time() - 600))


def state_over_nfs(lab: Lab) -> Found:
    mounts = f"{MOUNTS}server:/export {os.path.realpath(lab.folder)} nfs4 rw,vers=4.1 0 0\n"
    return lab.examine(PROMETHEUS_URL="", here=Here(ready=READY, environ={}, mounts=mounts))


def proxy_before_prometheus(lab: Lab) -> Found:
    with Gateway(407, **{"Proxy-Authenticate": "Basic realm=company"}) as gateway:
        return lab.examine(PROMETHEUS_URL=gateway.url)


def proxy_before_slack(lab: Lab) -> Found:
    with Gateway(503, **{"X-Squid-Error": "ERR_CANNOT_FORWARD 0"}) as gateway:
        return lab.examine(PROMETHEUS_URL="", SLACK_API_URL=gateway.url)


def log_in_page_before_alertmanager(lab: Lab) -> Found:
    with Gateway(200) as page:
        return lab.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=page.url)


def wrong_path_of_prometheus(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_URL=f"{lab.prometheus.url}/graph")


def wrong_path_of_slack(lab: Lab) -> Found:
    with SlackItself() as slack:
        return lab.examine(PROMETHEUS_URL="", SLACK_API_URL=slack.url)


def wrong_path_of_kubernetes(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_URL="", KUBE_API_URL=f"{lab.kube.url}/api/v1")


def settings_that_contradict(lab: Lab) -> Found:
    return lab.examine(PROMETHEUS_URL="", SLACK_CHANNEL="", WORKERS="many", WEBHOOK_TOKEN="")


BROKEN: dict[Callable[[Lab], Found], dict[str, str]] = {
    wrong_token: {"slack.token": "doctor.slack.refused"},
    missing_scope: {"slack.scopes/chat:write": "doctor.scopes.needed"},
    bot_not_in_the_channel: {"slack.channel/C2": "doctor.channel.no_member"},
    bot_not_in_a_private_channel_of_a_route: {"slack.channel/C3": "doctor.channel.not_found"},
    archived_channel: {"slack.channel/C4": "doctor.channel.archived"},
    without_the_scope_to_look_at_channels: {"slack.channel/C2": "doctor.channel.no_member"},
    wrong_app_level_token: {"slack.buttons": "doctor.buttons.refused"},
    no_permission_for_logs: {"permissions/get pods/log": "doctor.permissions.denied"},
    wrong_label_names: {"metrics.labels/cadvisor": "doctor.labels.wrong", "metrics.labels/kube-state-metrics": "doctor.labels.wrong"},
    other_label_names_there: {
        "metrics.labels/cadvisor": "doctor.labels.wrong", "metrics.labels/kube-state-metrics": "doctor.labels.wrong",
        "metrics/container_memory_working_set_bytes": "doctor.metrics.none_with",
    },
    dropped_metrics: {
        "metrics/container_memory_working_set_bytes": "doctor.metrics.absent",
        "metrics/kube_pod_container_status_restarts_total": "doctor.metrics.absent",
    },
    prometheus_of_another_cluster: {"metrics.cluster": "doctor.cluster.other"},
    expired_certificate: {"alertmanager": "doctor.reach.failed"},
    expired_ca: {"alertmanager": "doctor.reach.expired_ca"},
    unknown_ca: {"kubernetes": "doctor.reach.failed"},
    certificate_of_another_host: {"kubernetes": "doctor.reach.failed"},
    no_route_in_alertmanager: {"alertmanager.routes": "doctor.routes.never"},
    no_receiver_in_alertmanager: {"alertmanager.webhook": "doctor.webhook_config.none", "alertmanager.routes": "doctor.routes.no_receiver"},
    webhook_without_its_token: {"alertmanager.webhook/oomtriage": "doctor.webhook_config.no_token"},
    clock_of_kubernetes_off_by_ten_minutes: {"clock/Kubernetes": "doctor.clock.off"},
    our_clock_off_by_ten_minutes: {"clock": "doctor.clock.ours"},
    state_over_nfs: {"store.filesystem": "doctor.filesystem.network"},
    proxy_before_prometheus: {"prometheus": "doctor.reach.proxy"},
    proxy_before_slack: {"slack.token": "doctor.reach.proxy"},
    log_in_page_before_alertmanager: {"alertmanager": "doctor.reach.page"},
    wrong_path_of_prometheus: {"prometheus": "doctor.reach.wrong_path"},
    wrong_path_of_slack: {"slack.token": "doctor.reach.wrong_path"},
    wrong_path_of_kubernetes: {"kubernetes": "doctor.reach.wrong_path"},
    settings_that_contradict: {
        "settings/WORKERS": "doctor.settings.refused", "settings/LISTEN": "doctor.settings.refused", "settings/SLACK_BOT_TOKEN": "doctor.settings.refused",
    },
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_each_fault_is_named_and_no_other(installation: Lab, broken: Callable[[Lab], Found]) -> None:
    """A line with the check that is about it, in its own code; what could not be asked for it says so and is no problem of its own."""
    found = broken(installation)

    assert found.problems == BROKEN[broken]
    assert all(found.line(check_id)["hint"] for check_id in found.problems)
    for secret in (installation.slack.token, "planted-secret", TOKEN, "admin-token-for-tests", "secret-of-slack"):
        assert secret not in json.dumps(found.document)


def test_label_names_that_fit_are_fine(installation: Lab) -> None:
    """What doctor says to set is what makes it content: for the diagnosis and for the rules."""
    names = {"namespace": "k8s_namespace_name", "pod": "k8s_pod_name", "container": "k8s_container_name"}
    found = installation.examine(config={"label_names": names}, PROMETHEUS_MATCHERS=f'cluster="{RENAMED}"')

    assert found.problems == {}
    assert found.line("metrics.cluster")["code"] == "doctor.cluster.same"


def test_a_webhook_alone_is_said_and_nothing_is_posted(installation: Lab) -> None:
    """It is asked with a body that it must refuse."""
    with FakeSlack() as slack:
        found = installation.examine(PROMETHEUS_URL="", SLACK_BOT_TOKEN="", SLACK_CHANNEL="", SLACK_WEBHOOK_URL=slack.webhook_url)
        gone = installation.examine(
            PROMETHEUS_URL="", SLACK_BOT_TOKEN="", SLACK_CHANNEL="", SLACK_WEBHOOK_URL=slack.webhook_url + "-planted-secret"
        )

    assert (found.problems, found.of("advice")["slack.token/webhook"]) == ({}, "doctor.slack.webhook_only")
    assert gone.problems == {"slack.token": "doctor.slack.webhook_refused"}
    assert "planted-secret" not in json.dumps(gone.document)
    assert slack.happened == []


@pytest.mark.wording
def test_the_text_of_a_whole_installation(installation: Lab, golden: Golden) -> None:
    """A line a check, and all of them fine."""
    found = installation.examine()

    assert {state: found.of(state) for state in ("problem", "advice", "unknown")} == {"problem": {}, "advice": {}, "unknown": {}}
    golden("doctor/whole.txt", _shown(found, installation))


@pytest.mark.wording
def test_the_text_of_a_badly_broken_one(installation: Lab, golden: Golden) -> None:
    """What a first installation looks like at noon."""
    installation.kube.denied = frozenset({("get", "pods/log"), ("list", "events"), ("list", "scaledobjects")})
    installation.slack.scopes -= {"chat:write", "files:write"}
    installation.slack.add_channel("C2", "on-call", has_bot=False)
    config = shipped_alertmanager()
    config["route"]["routes"] = config["route"]["routes"][:1]
    mounts = f"{MOUNTS}server:/export {os.path.realpath(installation.folder)} nfs4 rw 0 0\n"
    ready = READY | {"configuration": [{"hint": "install metrics-server", "sources": ["metrics"], "seen": 3, "last_seen": ""}]}
    environ = {"HTTPS_PROXY": "http://user:planted-secret@proxy.example:3128"}
    with AlertmanagerSays(config) as says:
        found = installation.examine(
            config={"label_names": {"pod": "kubernetes_pod_name"}},
            here=Here(ready=ready, environ=environ, mounts=mounts, now=lambda: time.time() + 600),
            ALERTMANAGER_URL=says.url, PROMETHEUS_MATCHERS=f'cluster="{DROPPED}"', SLACK_CHANNEL="C2", ADMIN_TOKEN="", PUBLIC_URL="", WORKERS="many",
        )  # fmt: skip

    text = _shown(found, installation)
    assert "planted-secret" not in text
    golden("doctor/broken.txt", text)


def _shown(found: Found, installation: Lab) -> str:
    """As it is printed, without what differs from run to run."""
    text = "\n".join((*lines(found.document["checks"]), summary(found.document)))
    text = text.replace(os.path.realpath(installation.folder), "/var/lib/oomtriage").replace(str(installation.folder), "/var/lib/oomtriage")
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"at most .{1,12} old", "at most AGE old", text)
    text = text.replace(", by its name: Alertmanager hides the address", "")  # as newer ones do
    text = re.sub(r"[\d.]+ [KMGT]iB left", "ROOM left", text)
    text = re.sub(r"\([^()]* *s\)$", "(TIME)", text)
    text = re.sub(r"oomtriage [\d.]+, Python [\d.]+", "oomtriage VERSION, Python VERSION", text)
    text = re.sub(r"(Prometheus|Alertmanager) ([\d.]+)(\+\w+)?", r"\1 VERSION", re.sub(r"\((\d[\d.]+)(\+\w+)?\)", "(VERSION)", text))
    text = re.sub(
        r"\b\d+ (of \d+ alerts|alerts|metrics|more\b|fine)", r"N \1", re.sub(r"\d+ of \d+ alerts", "N of N alerts", text)
    )  # the pack's
    return re.sub(r"(under 1 s|\d s) apart", "under 1 s apart", text)


@pytest.mark.parametrize("output", ["text", "json"])
def test_the_command_prints_it_and_fails_for_a_problem(
    installation: Lab, output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit 1; JSON is one document, versioned; a setting that would stop `serve` is a problem, not exit 2."""
    for key in KEYS:
        monkeypatch.delenv(key.name, raising=False)
    for name, value in installation.environ(LISTEN="127.0.0.1:1", WORKERS="many", STORE_URL=f"sqlite:///{tmp_path}/s.db").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "-o", output])
    out = capsys.readouterr().out

    assert ended.value.code == 1
    if output == "text":
        assert re.search(r"^PROBLEM  settings/WORKERS +\S", out, re.MULTILINE)
        return
    document = json.loads(out)
    assert document["schema"] == "oomtriage.doctor/v1"
    assert {tuple(sorted(c)) for c in document["checks"]} == {("code", "hint", "id", "state", "text")}
    assert {c["id"].partition("/")[0] for c in document["checks"]} == {check.id for check in ALL}
    assert [c["id"] for c in document["checks"] if c["state"] == "problem"] == ["settings/WORKERS"]


def test_a_source_that_hangs_does_not_hold_it_up(installation: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question has its time; the others are told, and what was not answered is not fine."""
    monkeypatch.setattr("receiver.doctor.site.QUESTION_S", 0.3)

    class Silent(Standin):
        def handle(self, asked: Asked, http: BaseHTTPRequestHandler) -> None:
            released.wait(20)
            http.close_connection = True

    released = threading.Event()
    with Silent() as silent:
        began = time.monotonic()
        found = installation.examine(PROMETHEUS_URL=silent.url)
        took_s = time.monotonic() - began
        released.set()

    assert found.problems == {"prometheus": "doctor.reach.failed"}
    assert found.of("unknown")["rules"] == "doctor.not_asked"
    assert took_s < 10


AWKWARD = """
route:
  receiver: default
  routes:
    - {receiver: first, match: {team: a}, match_re: {namespace: shop-.*}, continue: true}
    - receiver: nested
      matchers: ['incident="memory"', severity=~"critical|warning"]
      routes:
        - {receiver: critical, matchers: ['{severity="critical",namespace!=""}'], continue: true}
        - {matchers: [namespace!~"kube-.*"], routes: [{receiver: deep, matchers: [team = a]}]}
    - {receiver: late, matchers: [alertname=~"OOM.+"]}
receivers: [{name: default}, {name: first}, {name: nested}, {name: critical}, {name: deep}, {name: late}]
"""


@pytest.mark.parametrize(
    "labels",
    [
        {}, {"team": "a"}, {"team": "a", "namespace": "shop-eu"}, {"incident": "memory", "severity": "critical"},
        {"incident": "memory", "severity": "critical", "namespace": "shop"}, {"incident": "memory", "severity": "warning", "namespace": "kube-system"},
        {"incident": "memory", "severity": "warning", "namespace": "shop-eu", "team": "a"}, {"alertname": "OOMKilled"}, {"alertname": "OOM"},
        {"incident": "memory", "severity": "none", "alertname": "OOMKilled"},
    ],
    ids=lambda labels: ",".join(f"{k}={v}" for k, v in labels.items()) or "none",
)  # fmt: skip
@pytest.mark.parametrize("suite", [OLD, NEW], ids=["old", "new"])
def test_routes_are_followed_as_alertmanager_follows_them(labels: dict[str, str], suite: str, tmp_path: Path) -> None:
    """Against amtool's own answer."""
    file = tmp_path / "alertmanager.yaml"
    file.write_text(AWKWARD)
    command = [binary("amtool", suite), "config", "routes", "test", f"--config.file={file}", *(f"{k}={v}" for k, v in labels.items())]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().split(",")
    known = frozenset({"team", "namespace", "incident", "severity", "alertname"})

    assert [way.receiver for way in routing_tree.led(routing_tree.read(AWKWARD).root, labels, known)] == told


@pytest.mark.parametrize("suite", [OLD, NEW], ids=["old", "new"])
def test_our_receiver_is_known_in_the_configuration_that_it_tells(
    installation: Lab, suite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its address; where Alertmanager hides that, by its name, which is said."""
    monkeypatch.setenv(SUITE_VARIABLE, suite)
    with Alertmanager(tmp_path, config=shipped_alertmanager()) as alertmanager:
        found = installation.examine(PROMETHEUS_URL="", ALERTMANAGER_URL=alertmanager.url)

    assert found.problems == {}
    assert (
        found.line("alertmanager.webhook/oomtriage")["code"]
        == {OLD: "doctor.webhook_config.ok", NEW: "doctor.webhook_config.by_name"}[suite]
    )


def test_repositories_are_asked_for_what_the_token_may_do(installation: Lab) -> None:
    """Advice, for no alert depends on it; nothing is written, and the token is nowhere."""
    with FakeGitHub({}) as forge:

        def asked(**entry: str) -> str:
            gitops = [{"repository": "acme/deploy", "url": forge.url, **entry}]
            found = installation.examine(config={"gitops": gitops}, GITOPS_TOKEN=forge_token)
            assert found.problems == {}
            assert forge_token not in json.dumps(found.document)
            return str(found.line("gitops")["code"])

        forge_token = forge.token
        assert asked() == "doctor.gitops.ok"
        assert asked(base="nowhere") == "doctor.gitops.no_base"
        forge.may_write = False
        assert asked() == "doctor.gitops.reads_only"
        forge_token = "another-token"
        assert asked() == "doctor.gitops.refused"
        assert not [line for line in forge.asked if not line.startswith("GET ")]
