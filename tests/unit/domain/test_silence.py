"""A silence covers the incident's alerts and their successors, and nobody else's; its link survives any label."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.domain.alerts import Alert
from receiver.domain.identity import LabelNames, Subject, Workload, subject_of
from receiver.domain.silence import LINK_MAX, Matcher, exact_pattern, matchers_of, silence_link
from tests.support import alert

NAMES = LabelNames()
BASE = "https://alerts.example.net/am"


def silenced_by(matchers: tuple[Matcher, ...], labels: dict[str, str]) -> bool:
    """As Alertmanager decides it."""
    return bool(matchers) and all(
        re.fullmatch(m.value, labels.get(m.name, "")) is not None if m.is_regex else labels.get(m.name, "") == m.value for m in matchers
    )


def of(*alerts: Alert, kind: str = "") -> tuple[Matcher, ...]:
    subject = subject_of(alerts[0].labels, NAMES)
    if kind and subject.workload:
        subject = Subject(
            cluster=subject.cluster, namespace=subject.namespace, pod=subject.pod, container=subject.container,
            workload=Workload(kind=kind, name=subject.workload.name),
        )  # fmt: skip
    return matchers_of(subject, alerts, NAMES)


def test_a_workloads_container_is_matched_by_namespace_pod_names_and_container() -> None:
    """The next pod of the same Deployment is covered, whatever the alert is called."""
    matchers = of(alert("OOMKilled"))

    assert [str(m) for m in matchers] == [
        'namespace="shop"',
        'pod=~"orders-api-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"',
        'container="orders-api"',
    ]
    assert silenced_by(
        matchers, {"alertname": "HighMemoryUsage", "namespace": "shop", "pod": "orders-api-7d9f88c5b4-x7k2m", "container": "orders-api"}
    )


@pytest.mark.parametrize(
    "other",
    [
        {"namespace": "pay"},
        {"container": "istio-proxy"},
        {"pod": "orders-api-worker-655779759d-jst99"},
        {"pod": "orders-api-worker-zx2k9"},
        {"pod": "orders-api-0"},
        {"pod": "orders"},
    ],
    ids=str,
)
def test_neighbours_are_not_silenced(other: dict[str, str]) -> None:
    """Another namespace, a sidecar, and workloads whose names begin alike stay audible."""
    labels = {"namespace": "shop", "pod": "orders-api-655779759d-jst99", "container": "orders-api"}

    assert silenced_by(of(alert()), labels)
    assert not silenced_by(of(alert()), {**labels, **other})


@pytest.mark.parametrize(
    ("pod", "successor"),
    [
        ("cart-0", "cart-17"),
        ("report-28845120-b5k2x", "report-28846560-z9qwd"),
        ("agent-x7k2m", "agent-bcd2f"),
        ("web-6f9ae1c0d2-abcde", "web-7e8bd0f1a3-zzzzz"),  # a controller that writes hashes with vowels
    ],
)
def test_every_shape_of_pod_name_covers_its_successors(pod: str, successor: str) -> None:
    """StatefulSet, CronJob, DaemonSet, and controllers of other makes."""
    matchers = of(alert(pod=pod, container="app"))

    assert silenced_by(matchers, {"namespace": "shop", "pod": successor, "container": "app"})
    assert not silenced_by(matchers, {"namespace": "shop", "pod": "other-" + successor, "container": "app"})


def test_a_workload_label_says_it_better_than_names() -> None:
    """Where every alert carries it."""
    stated = of(alert(workload="orders-api"), alert("HighMemoryUsage", workload="orders-api"))
    mixed = of(alert(workload="orders-api"), alert("HighMemoryUsage"))

    assert Matcher(name="workload", value="orders-api") in stated
    assert [m.name for m in mixed] == ["namespace", "pod", "container"]


def test_a_label_that_one_alert_lacks_is_not_matched() -> None:
    """An alert about the pod as a whole has no container; a matcher of it would let that alert through."""
    matchers = of(alert(), alert("KubePodNotReady", container=""))

    assert [m.name for m in matchers] == ["namespace", "pod"]


def test_the_cluster_is_part_of_it() -> None:
    """One Alertmanager of two clusters: the other one's workload of the same name stays audible."""
    matchers = of(alert(cluster="eu"))

    assert not silenced_by(
        matchers, {"cluster": "us", "namespace": "shop", "pod": "orders-api-655779759d-jst99", "container": "orders-api"}
    )


def test_other_label_names_are_used_as_the_alert_has_them() -> None:
    """Scraped without honor_labels, `namespace` is the exporter's own."""
    one = alert(namespace="monitoring", pod="ksm-0", exported_namespace="shop", exported_pod="cart-0", container="")
    names = LabelNames(namespace=("exported_namespace",), pod=("exported_pod",))

    assert [m.name for m in matchers_of(subject_of(one.labels, names), (one,), names)] == ["exported_namespace", "exported_pod"]


def test_what_has_no_pod_is_silenced_by_its_alerts_names() -> None:
    """Without the name a whole namespace, or a node with all on it, would fall silent."""
    by_namespace = of(alert("QuotaAlmostFull", pod="", container=""))
    by_node = of(alert("NodeMemoryHigh", namespace="", pod="", container="", node="n1"))
    alone = of(alert("Odd", namespace="", pod="", container="", x="1"))

    assert [str(m) for m in by_namespace] == ['namespace="shop"', 'alertname="QuotaAlmostFull"']
    assert [str(m) for m in by_node] == ['node="n1"', 'alertname="NodeMemoryHigh"']
    assert [str(m) for m in alone] == ['alertname="Odd"', 'severity="warning"', 'x="1"']


def test_pods_without_a_common_shape_are_named_one_by_one() -> None:
    """Nothing is guessed: those pods and no others."""
    named = of(alert(pod="a.b", workload=""), kind="Pod")
    several = matchers_of(
        Subject(namespace="shop", pod="x", workload=Workload(kind="Deployment", name="x")), (alert(pod="x.1"), alert(pod="y+2")), NAMES
    )

    assert str(named[1]) == 'pod="a.b"'
    assert Matcher(name="pod", value="x[.]1|y[+]2", is_regex=True) in several


def test_nothing_is_offered_when_no_label_says_it() -> None:
    """No alerts, or alerts that call the pod by different labels."""
    assert matchers_of(Subject(namespace="shop", pod="p"), (), NAMES) == ()
    assert of(alert(pod="cart-0"), alert(pod="", exported_pod="cart-0")) == ()


@given(st.text(max_size=40))
def test_a_quoted_text_matches_itself_alone(text: str) -> None:
    """Whatever a label holds, it never becomes an expression."""
    assert re.fullmatch(exact_pattern(text), text, re.DOTALL)
    assert not re.fullmatch(exact_pattern(text), text + "x", re.DOTALL)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(min_size=1, max_size=60), min_size=1, max_size=4))
def test_the_link_says_the_matchers_whatever_they_hold(labels: dict[str, str]) -> None:
    """Quotes, braces, ampersands, line breaks and emoji come out as they went in, and cannot end the address or add to it."""
    matchers = tuple(Matcher(name=k, value=v) for k, v in labels.items())
    link = silence_link(BASE, matchers)
    if not link:
        assert any("\ud800" <= c <= "\udfff" for v in labels.values() for c in v) or len("".join(labels.values())) > 100
        return
    start, _, wanted = link.partition("?filter=")
    found = re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*")[,}]', unquote(wanted))

    assert start == f"{BASE}/#/silences/new"
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", wanted)
    assert {k: json.loads(v) for k, v in found} == labels


def test_a_link_that_slack_would_refuse_is_left_out() -> None:
    """Too long, or with a label name that Alertmanager's page cannot read."""
    assert silence_link(BASE, (Matcher(name="pod", value="x" * LINK_MAX),)) == ""
    assert silence_link(BASE, (Matcher(name="a b", value="x"),)) == ""
    assert silence_link("", (Matcher(name="pod", value="x"),)) == ""
    assert silence_link(BASE, ()) == ""
