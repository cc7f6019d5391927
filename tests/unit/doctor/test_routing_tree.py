"""Alertmanager's routes, followed as it follows them."""

from __future__ import annotations

import pytest
import yaml

from receiver.doctor.routing_tree import Led, Matcher, led, ours, parse_matchers, read
from receiver.errors import Unreadable

KNOWN = frozenset({"alertname", "severity", "incident"})


def tree(routes: str, receivers: str = "") -> str:
    return f"route:\n  receiver: default\n  routes:\n{routes}\nreceivers:\n  - name: default\n{receivers}"


def ways(routes: str, **labels: str) -> dict[str, list[str]]:
    """Receiver -> what it depends on."""
    return {way.receiver: [str(m) for m in way.on] for way in led(read(tree(routes)).root, labels, KNOWN)}


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("    - {receiver: ours, matchers: ['incident = \"memory\"']}", {"ours": []}),
        ("    - {receiver: ours, match: {incident: memory}}", {"ours": []}),
        ("    - {receiver: ours, match_re: {alertname: OOM.*}}", {"ours": []}),
        ("    - {receiver: ours, match_re: {alertname: OOM}}", {"default": []}),  # anchored
        ("    - {receiver: ours, matchers: [team=x]}", {"ours": ['team="x"'], "default": []}),
        ("    - {receiver: ours, matchers: ['severity!=critical']}", {"default": []}),
        ("    - {receiver: ours, matchers: ['{incident=\"memory\",severity=~\"critical|warning\"}']}", {"ours": []}),
        ("    - {receiver: first}\n    - {receiver: ours, matchers: [incident=memory]}", {"first": []}),
        ("    - {receiver: first, continue: true}\n    - {receiver: ours, matchers: [incident=memory]}", {"first": [], "ours": []}),
        ("    - {matchers: [incident=memory], routes: [{receiver: ours, matchers: [severity=critical]}]}", {"ours": []}),
        ("    - {receiver: own, routes: [{receiver: ours, matchers: [severity=none]}]}", {"own": []}),
        ("    - {receiver: ours, matchers: ['namespace=\"monitoring\"', incident=memory], continue: true}", {"ours": ['namespace="monitoring"'], "default": []}),
    ],
)  # fmt: skip
def test_where_an_alert_goes(routes: str, expected: dict[str, list[str]]) -> None:
    """The first child that matches, or more with `continue`; a label that is not known here leaves it open."""
    assert ways(routes, alertname="OOMKilled", severity="critical", incident="memory") == expected


def test_matchers_in_every_form() -> None:
    """With and without blanks, quotes and braces; a quoted name is UTF-8's form."""
    line = '{a="b,c", d =~ e|f, "g.h"!="i\\"j", k!~""}'

    assert list(parse_matchers(line)) == [
        Matcher(name="a", operator="=", value="b,c"), Matcher(name="d", operator="=~", value="e|f"),
        Matcher(name="g.h", operator="!=", value='i"j'), Matcher(name="k", operator="!~", value=""),
    ]  # fmt: skip


def configuration(*urls: tuple[str, str]) -> str:
    receivers = [{"name": name, "webhook_configs": [{"url": url}]} for name, url in urls]
    return yaml.safe_dump({"route": {"receiver": "default"}, "receivers": [{"name": "default"}, *receivers]})


@pytest.mark.parametrize(
    ("urls", "known_as", "found"),
    [
        ((("a", "http://pager/x"), ("b", "http://10.0.0.1:8080/alerts")), (), ["b"]),
        ((("a", "http://pager/x"), ("b", "http://oomtriage.ops:8080/alerts")), (), ["b"]),
        ((("oomtriage", "http://pager/x"),), (), []),  # its address says that it is not
        ((("oomtriage", "<secret>"), ("other", "<secret>")), (), ["oomtriage"]),
        ((("ops/oomtriage/memory", "<secret>"),), (), ["ops/oomtriage/memory"]),
        ((("a", "<secret>"), ("b", "<secret>")), ("b",), ["b"]),
        ((("a", "<secret>"), ("b", "<secret>")), (), []),
    ],
)
def test_which_webhooks_are_ours(urls: tuple[tuple[str, str], ...], known_as: tuple[str, ...], found: list[str]) -> None:
    """By names under which alerts came, by address, by what it is called; newer Alertmanagers hide addresses."""
    webhooks = read(configuration(*urls)).webhooks

    assert [w.receiver for w in ours(webhooks, addresses=("10.0.0.1:8080",), known_as=known_as)] == found


@pytest.mark.parametrize("original", ["", "[]", "{", "route: x", "a: !!python/object:os.system {}"])
def test_what_is_no_configuration_says_so(original: str) -> None:
    with pytest.raises(Unreadable):
        read(original)


def test_a_webhook_as_it_is_written() -> None:
    """A login may stand with the webhook or for all of them."""
    text = configuration(("ours", "http://x/alerts"))
    document = yaml.safe_load(text)
    document["global"] = {"http_config": {"authorization": {"credentials": "<secret>"}}}
    document["receivers"][1]["webhook_configs"][0] |= {"send_resolved": False, "max_alerts": 20}
    (webhook,) = read(yaml.safe_dump(document)).webhooks

    assert (webhook.has_login, webhook.sends_resolved, webhook.max_alerts) == (True, False, 20)
    assert not read(text).webhooks[0].has_login
    assert Led(receiver="default") in led(read(text).root, {}, KNOWN)
