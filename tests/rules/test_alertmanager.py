"""deploy/alertmanager/: both variants route alike, and the real amtool takes them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.rulepack import rules_dir
from receiver.rulepack.files import read_rule_files
from tests.e2e.binaries import binary
from tests.places import REPO

FOLDER = REPO / "deploy" / "alertmanager"
PLAIN = FOLDER / "alertmanager.yaml"

# Where an alert goes: labels, receiver.
ROUTES = {
    "a kill": ("alertname=OOMKilled incident=memory severity=warning namespace=shop", "oomtriage"),
    "a page": ("alertname=NodeOOMKill incident=memory severity=critical", "oomtriage"),
    "a hint for the page": ("alertname=NoMemoryLimit incident=memory severity=info namespace=shop", "oomtriage"),
    "the heartbeat": ("alertname=OomtriageWatchdog incident=memory severity=none", "oomtriage"),
    "the receiver is down": ("alertname=OomtriageDown incident=meta severity=critical namespace=oomtriage", "oomtriage-meta"),
    "a copy while it is down": ("alertname=OomtriageFallback incident=memory-fallback severity=warning", "oomtriage-fallback"),
    "somebody else's": ("alertname=KubeJobFailed severity=warning", "default"),
}

# What the operator's v1alpha1 types name, as far as we use it. Child routes are decoded by the operator itself, not by
# the API server, and an unknown field there stops the whole configuration.
FIELDS = {
    "spec": {"route", "receivers", "inhibitRules", "muteTimeIntervals"},
    "route": {"receiver", "groupBy", "groupWait", "groupInterval", "repeatInterval", "matchers", "continue", "routes",
              "muteTimeIntervals", "activeTimeIntervals"},
    "matcher": {"name", "value", "matchType"},
    "receiver": {"name", "webhookConfigs", "slackConfigs"},
    "webhook": {"sendResolved", "url", "urlSecret", "httpConfig", "maxAlerts"},
    "slack": {"sendResolved", "apiURL", "channel", "title", "text"},
    "inhibit": {"sourceMatch", "targetMatch", "equal"},
    "secret": {"name", "key"},
}  # fmt: skip


def plain() -> dict[str, Any]:
    return dict(yaml.safe_load(PLAIN.read_text()))


def resource() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "alertmanagerconfig.yaml").read_text()))


def as_plain(spec: dict[str, Any]) -> dict[str, Any]:
    """What the operator makes of the resource under matcher strategy None, below a root route of its own."""
    root = {"receiver": "default", "routes": [{**_route(spec["route"]), "continue": True}]}
    receivers = [{"name": "default"}, *(_receiver(one) for one in spec["receivers"])]
    inhibit = [
        {"source_matchers": _matchers(one["sourceMatch"]), "target_matchers": _matchers(one["targetMatch"]), "equal": one["equal"]}
        for one in spec["inhibitRules"]
    ]
    return {"route": root, "receivers": receivers, "inhibit_rules": inhibit}


def _route(route: dict[str, Any]) -> dict[str, Any]:
    known = {"groupBy": "group_by", "groupWait": "group_wait", "groupInterval": "group_interval", "repeatInterval": "repeat_interval"}
    made: dict[str, Any] = {snake: route[camel] for camel, snake in known.items()}
    made |= {"receiver": _receiver_name(route["receiver"]), "matchers": _matchers(route["matchers"])}
    return made | {"routes": [_route(child) for child in route.get("routes", ())]}


def _receiver_name(name: str) -> str:
    return name if name == "oomtriage" else f"oomtriage-{name}"


def _receiver(receiver: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": _receiver_name(receiver["name"])}
    for one in receiver.get("webhookConfigs", ()):
        authorization = {
            "type": one["httpConfig"]["authorization"]["type"],
            "credentials_file": _file(one["httpConfig"]["authorization"]["credentials"]),
        }
        made["webhook_configs"] = [
            {
                "url": one["url"],
                "send_resolved": one["sendResolved"],
                "max_alerts": one["maxAlerts"],
                "http_config": {"authorization": authorization},
            }
        ]
    for one in receiver.get("slackConfigs", ()):
        rest = {key: one[key] for key in ("channel", "title", "text")}
        made["slack_configs"] = [{"api_url_file": _file(one["apiURL"]), "send_resolved": one["sendResolved"], **rest}]
    return made


def _file(secret: dict[str, str]) -> str:
    return f"/etc/alertmanager/secrets/{secret['name']}/{secret['key']}"


def _matchers(matchers: list[dict[str, str]]) -> list[str]:
    return [f'{one["name"]} {one["matchType"]} "{one["value"]}"' for one in matchers]


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary("amtool"), *arguments], capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture(params=["plain", "operator"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The configuration file, and what the operator would make of the resource."""
    if request.param == "plain":
        return PLAIN
    path = tmp_path / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(as_plain(resource()["spec"])))
    return path


def test_amtool_takes_it(config: Path) -> None:
    """A whole configuration that Alertmanager starts with."""
    done = amtool("check-config", str(config))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ROUTES)
def test_each_alert_goes_where_it_should(config: Path, name: str) -> None:
    """What is about the receiver goes past it, everything else of the pack to it, and foreign alerts where they went before."""
    labels, receiver = ROUTES[name]
    # The operator lets what matched continue: `default` there is what the user's other routes make of it.
    done = amtool("config", "routes", "test", f"--config.file={config}", *labels.split())

    assert done.stdout.strip() == receiver


def test_both_variants_say_the_same() -> None:
    """Receivers, inhibition and the times of each route are equal."""
    ours, theirs = plain(), as_plain(resource()["spec"])
    routes = {(route["receiver"], route["group_wait"]): route for route in ours["route"]["routes"]}
    (top,) = theirs["route"]["routes"]
    of_operator = {(route["receiver"], route["group_wait"]): route for route in (top, *top["routes"])}
    times = ("group_by", "group_wait", "group_interval", "repeat_interval")

    assert theirs["receivers"] == ours["receivers"]
    assert theirs["inhibit_rules"] == [
        {key: rule[key] for key in ("source_matchers", "target_matchers", "equal")} for rule in ours["inhibit_rules"]
    ]
    assert {key: [route[t] for t in times] for key, route in of_operator.items()} == {
        key: [route[t] for t in times] for key, route in routes.items()
    }


def test_the_resource_names_only_fields_that_exist() -> None:
    """A misspelt field is dropped by the API server, or stops the operator's whole configuration."""
    document = resource()
    spec = document["spec"]
    matchers = [one for route in (spec["route"], *spec["route"]["routes"]) for one in route["matchers"]]
    matchers += [one for rule in spec["inhibitRules"] for side in ("sourceMatch", "targetMatch") for one in rule[side]]
    found = {
        "spec": [spec],
        "route": [spec["route"], *spec["route"]["routes"]],
        "matcher": matchers,
        "receiver": spec["receivers"],
        "webhook": [one for r in spec["receivers"] for one in r.get("webhookConfigs", ())],
        "slack": [one for r in spec["receivers"] for one in r.get("slackConfigs", ())],
        "inhibit": spec["inhibitRules"],
        "secret": [one["apiURL"] for r in spec["receivers"] for one in r.get("slackConfigs", ())],
    }

    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig")
    assert {kind: {key for one in ones for key in one} - FIELDS[kind] for kind, ones in found.items()} == {kind: set() for kind in found}
    assert {one["matchType"] for one in matchers} <= {"=", "!=", "=~", "!~"}
    assert len({r["name"] for r in spec["receivers"]} - {route["receiver"] for route in found["route"]}) == 0


def test_the_heartbeat_comes_in_time() -> None:
    """The receiver gives a notice after ten minutes of silence: a repeat and a lost try must fit in."""
    (heartbeat,) = [route for route in plain()["route"]["routes"] if 'severity = "none"' in route["matchers"]]

    assert minutes(heartbeat["repeat_interval"]) + 2 * minutes(heartbeat["group_interval"]) < 10


def test_the_webhook_gets_everything() -> None:
    """Resolves too, and no body cut short."""
    (webhook,) = [one for r in plain()["receivers"] for one in r.get("webhook_configs", ())]

    assert (webhook["send_resolved"], webhook["max_alerts"]) == (True, 0)


def test_inhibition_names_alerts_that_exist_and_concerns_the_copies_only() -> None:
    """An alert that was renamed would silently no longer be inhibited; the receiver must see all alerts."""
    rules = plain()["inhibit_rules"]
    matchers = [rule[side] for rule in rules for side in ("source_matchers", "target_matchers")]
    names = {
        name
        for both in matchers
        for one in both
        if one.startswith("fallback_for")
        for name in re.findall(r"\w+", one)
        if name != "fallback_for"
    }

    assert all('incident = "memory-fallback"' in both for both in matchers)
    assert names == FIXED_NAMES
    assert {rule.alert for file in read_rule_files(rules_dir()) for rule in file.rules()} & names


FIXED_NAMES = {
    "OOMKilledRepeatedly", "OOMKilledAtStartup", "OOMKilled", "SigkilledNearMemoryLimit", "ChildProcessOOMKilled", "HighMemoryUsage",
    "MemoryLimitImminent", "NodeMemoryPressure", "PodsEvictedForMemory",
}  # fmt: skip


def minutes(duration: str) -> int:
    assert duration.endswith("m")
    return int(duration.removesuffix("m"))
