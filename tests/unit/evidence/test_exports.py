"""Which counter tells a workload's load: what is asked, and what is chosen of what there is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from receiver.case import facts_of
from receiver.domain.identity import Subject, Workload
from receiver.evidence import exports, queries
from receiver.evidence.counters import COUNTERS, NO_LOAD, PLACES, Counter
from receiver.evidence.exports import Exported
from receiver.evidence.prometheus import PrometheusConfig
from receiver.promql.selectors import selectors
from receiver.promql.tree import parse
from tests.fakes.kube import Fault, body, refuse
from tests.fakes.prometheus import series
from tests.unit.evidence.kit import Lab, lab

CONFIG = PrometheusConfig(url="http://prometheus:9090")
SUBJECT = Subject(namespace="shop", pod="api-6d5f7c8b9d-x2x4z", container="api", workload=Workload(kind="Deployment", name="api"))
INCIDENT = "a-leak-crashloop"


def had(metric: str, place: str = "pod", container: str = "", total: float = 10.0) -> Exported:
    return Exported(metric=metric, place=place, container=container, total=total)


def chosen(*exported: Exported, container: str = "api") -> tuple[str, str, str] | None:
    found = exports.choose(exported, container)
    return (found[0].metric, found[0].place, found[1].container) if found is not None else None


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda c: f"{c.metric}-{c.place}")
def test_every_row_is_found_by_its_own_series(counter: Counter) -> None:
    """Alone, each of the table is what is chosen."""
    assert chosen(had(counter.metric, counter.place)) == (counter.metric, counter.place, "")


@pytest.mark.parametrize(
    ("exported", "best"),
    [
        pytest.param(
            [had("http_requests_total"), had("istio_requests_total", "istio-proxy"), had("istio_requests_total", "istio")],
            ("istio_requests_total", "istio-proxy", ""),
            id="the mesh beside the pod counts every request",
        ),
        pytest.param(
            [had("nginx_ingress_controller_requests", "ingress"), had("http_request_duration_seconds_count")],
            ("http_request_duration_seconds_count", "pod", ""),
            id="this pod's own before the average of an ingress",
        ),
        pytest.param(
            [had("http_request_duration_seconds_count"), had("http_requests_total")],
            ("http_requests_total", "pod", ""),
            id="a counter before a histogram of the same requests",
        ),
        pytest.param(
            [had("http_server_requests_seconds_count", total=0.0), had("spring_kafka_listener_seconds_count")],
            ("spring_kafka_listener_seconds_count", "pod", ""),
            id="a server that serves only probes is a consumer",
        ),
        pytest.param(
            [had("http_requests_total", container="exporter"), had("grpc_server_handled_total", container="api")],
            ("grpc_server_handled_total", "pod", "api"),
            id="the container's own before a sidecar's",
        ),
        pytest.param(
            [had("http_requests_total", container="shipper"), had("http_requests_total", container="api")],
            ("http_requests_total", "pod", "api"),
            id="of two containers with the same metric the one that it is about",
        ),
        pytest.param(
            [had("nginx_http_requests_total", container="exporter")],
            ("nginx_http_requests_total", "pod", "exporter"),
            id="an exporter beside the program, where there is nothing else",
        ),
        pytest.param(
            [had("kafka_consumer_fetch_manager_records_consumed_total", container="other"), had("envoy_http_downstream_rq_total", container="envoy")],
            ("envoy_http_downstream_rq_total", "pod", "envoy"),
            id="a proxy counts for its neighbour",
        ),
        pytest.param([had("http_requests_total", total=float("nan")), had("up"), had("http_requests_total", "istio")], None, id="nothing that counts"),
    ],
)  # fmt: skip
def test_the_best_of_several_is_chosen(exported: list[Exported], best: tuple[str, str, str] | None) -> None:
    """By the table's order, in whatever order they came."""
    assert chosen(*exported) == chosen(*reversed(exported)) == best


def test_without_knowing_the_container_all_of_the_pod_count() -> None:
    """An alert about a pod may name none: then no container's requests are taken for the pod's."""
    both = [had("http_requests_total", container="shipper"), had("http_requests_total", container="api")]

    assert chosen(*both, container="") == ("http_requests_total", "pod", "")


@pytest.mark.parametrize("path", ["/metrics", "metrics", "/actuator/prometheus", "/actuator/health/readiness", "/healthz", "/readyz", "/livez", "/health", "/health/live", "/ping", "prometheus-django-metrics"])  # fmt: skip
def test_scrapes_and_probes_are_no_load(path: str) -> None:
    """They come at a steady pace, and would hide how small the load is."""
    assert re.fullmatch(NO_LOAD, path)


@pytest.mark.parametrize("path", ["/", "/orders", "/api/metrics", "/health-records", "/status", "/pings", "readers", ""])
def test_requests_are_load(path: str) -> None:
    """A path that only looks like one counts; no path at all too."""
    assert not re.fullmatch(NO_LOAD, path)


class TestQueries:
    """The PromQL of discovery and of rates."""

    def every(self, config: PrometheusConfig = CONFIG, subject: Subject = SUBJECT) -> list[str]:
        own = queries.Selectors.of(config, subject)
        rates = [q for c in COUNTERS for q in (queries.traffic(config, subject, c, "api"), queries.total_rate(config, subject, c, "api"))]
        return [queries.peaks(own, config, subject), queries.exported(own, config, subject), *rates]

    def test_each_can_be_parsed(self) -> None:
        """By our own reader; a real server takes them in tests/e2e."""
        for query in self.every():
            parse(query)

    def test_a_query_of_all_metrics_is_short_enough_for_victoriametrics(self) -> None:
        """It takes 16 KiB by default; and only functions that it has, too."""
        for query in self.every():
            assert len(query) < queries.MOST_QUERY_CHARS
            functions = set(re.findall(r"\b([a-z_]+)\(", re.sub(r'"[^"]*"', "", query)))
            assert functions <= {"label_replace", "max_over_time", "min_over_time", "count_over_time", "last_over_time", "end", "rate", "sum", "avg", "count", "vector", "time", "topk"}  # fmt: skip

    def test_hostile_names_end_no_string_and_no_regular_expression(self) -> None:
        """A workload's name comes from a label: what is no Kubernetes name is not used, what is one means itself."""
        hostile = replace(SUBJECT, workload=Workload(kind="Deployment", name='x"} or vector(1) or x{a="'))
        dotted = replace(SUBJECT, pod="a.b-0", workload=Workload(kind="StatefulSet", name="a.b"))

        assert all("vector(1)" not in query for query in self.every(subject=hostile))
        assert all("a.b-svc" not in q for q in self.every(subject=dotted))
        wanted = [m.value for s in selectors(queries.exported(queries.Selectors.of(CONFIG, dotted), CONFIG, dotted)) for m in s.matchers]
        assert '"a\\\\.b(-(svc|service|http|web|api|server))?"' in wanted

    def test_other_label_names_and_a_cluster_are_kept(self) -> None:
        """As for every other question."""
        config = PrometheusConfig(url="http://x", matchers='cluster="eu"', namespace_label="ns", pod_label="pod_name", container_label="c")
        query = queries.exported(queries.Selectors.of(config, SUBJECT), config, SUBJECT)

        assert 'ns="shop",pod_name=~"api-[a-z0-9]+-[a-z0-9]+"' in query
        assert "sum by (__name__,c)" in query
        assert query.count("{") == query.count('cluster="eu"')

    def test_every_place_is_somebodys(self) -> None:
        """A place without a metric would be a question for nothing."""
        assert {c.place for c in COUNTERS} == set(PLACES)


def exporting(running: Lab, *metrics: str, **labels: str) -> None:
    now = running.incident().taken_at.timestamp()
    subject = running.subject()
    points = [(now - 3600 + 15 * i, 50.0 * i) for i in range(241)]
    which = {"namespace": subject.namespace, "pod": subject.pod, **labels}
    running.prometheus.add(series(metric, points, **which) for metric in metrics)


def test_a_rate_is_found_and_its_metric_is_said() -> None:
    """One question beside the three that are asked anyway; the case says what was counted, and how all pods are asked for it."""
    with lab(INCIDENT) as running:
        exporting(running, "http_requests_total", "process_start_time_seconds")

        case = running.gather()

        asked = [a for a in running.prometheus.asked if not a.path.endswith("/rules")]
    counter, rate = case.answers["traffic"]["counter"], facts_of(case).rate
    assert len(asked) == 4
    assert rate is not None
    assert (rate.metric, rate.total_query, rate.is_total) == ("http_requests_total", counter["total_query"], False)
    assert (counter["metric"], counter["unit"], counter["is_on_pod"]) == ("http_requests_total", "requests", True)
    assert counter["total_query"].startswith("sum(rate(http_requests_total{")
    assert [e["metric"] for e in case.answers["peaks"]["exports"]] == ["http_requests_total"]
    assert all(len(s["values"]) > 1 for name, found in case.answers["traffic"]["series"].items() for s in found if name.startswith("pod:"))


@pytest.mark.parametrize(
    ("url", "address", "needs_login"),
    [
        ("http://prometheus.monitoring:9090/", "http://prometheus.monitoring:9090", False),
        ("https://me:secret@thanos.example/prometheus?token=secret", "https://thanos.example/prometheus", True),
        ("http://[fd00::1]:9090", "http://[fd00::1]:9090", False),
        ("http://127.0.0.1:9090", "", False),
        ("http://localhost:9090/x", "", False),
    ],
)
def test_where_others_reach_prometheus_holds_no_secret(url: str, address: str, needs_login: bool) -> None:
    """It stands in a manifest that is posted; a tunnel's local end is of no use there."""
    assert PrometheusConfig(url=url).as_others_reach_it() == {"address": address, "needs_login": needs_login}
    assert PrometheusConfig(url=url, headers={"X-Scope-OrgID": "a"}).as_others_reach_it()["needs_login"]


def test_an_explicit_query_wins() -> None:
    """Whoever set it knows better."""
    query = 'sum(rate(orders_total{namespace="$namespace"}[5m]))'
    with lab(INCIDENT) as running:
        exporting(running, "http_requests_total", "orders_total")
        running.evidence.prometheus.config = replace(running.evidence.prometheus.config, request_rate_query=query)

        case = running.gather()

    assert set(case.answers["traffic"]["series"]) == {"configured"}
    assert case.answers["traffic"]["counter"]["metric"] == "REQUEST_RATE_QUERY"
    assert case.answers["traffic"]["counter"]["total_query"] == query.replace("$namespace", "shop")


def test_what_was_looked_for_is_said_where_nothing_was_found() -> None:
    """With what to set; it is the installation's business, so the on-call is not told."""
    with lab(INCIDENT) as running:
        missing = {m.source: m for m in running.gather().missing}

    assert missing["traffic"].is_configuration
    assert all(word in missing["traffic"].hint for word in ("REQUEST_RATE_QUERY", "Istio", "Micrometer", "Celery", "docs/request-rate.md"))


def test_peaks_that_fail_do_not_cost_the_rate() -> None:
    """A week may be more than a server answers; what is exported is then asked alone."""
    with lab(INCIDENT) as running:
        exporting(running, "http_requests_total")
        running.prometheus.fault(("/query_range", "[30m]"), refuse(422))

        case = running.gather()

    assert "peaks" not in case.answers
    assert case.answers["traffic"]["counter"]["metric"] == "http_requests_total"


@pytest.mark.parametrize("fault", [refuse(503), body(b"<html>sign in</html>")])
def test_a_prometheus_that_fails_is_a_gap(fault: Fault) -> None:
    """Nothing is made up of it, and nothing else is asked of Kubernetes for it."""
    with lab(INCIDENT) as running:
        running.prometheus.fault("", fault)

        case = running.gather()

        paths = {a.path for a in running.kube.asked}
    assert {"traffic", "peaks"} <= {m.source for m in case.missing}
    assert "/apis" not in paths
