"""The counters that tell how much work a workload gets, in the order in which one is chosen. Add a metric: one row here.

What is on the pod itself comes first, because it tells this pod's rate; what a proxy in front of the workload counts is spread
evenly over its pods. Among those on the pod, a mesh comes first (it counts every request alike), then the program, then queues.
"""

from __future__ import annotations

from dataclasses import dataclass

# Of scrapes and probes, as a route, path or handler: they come at a steady pace whatever the load is.
NO_LOAD = r"/?(actuator(/.*)?|metrics|prometheus(-django-metrics)?|health(z|_?check)?(/.*)?|live(z|ness)?|read(yz?|iness)|startupz?|ping)"
_PROXYS_OWN = r"admin|agent|stats|prometheus.*|xds.*|sds.*|zipkin|outbound\|.*"  # listeners and clusters that serve the proxy itself

ON_POD = "{on_pod}"
# How the series of one workload are selected, by place. What the names in braces stand for: `exports.names`. Series that do not carry
# the pod's labels may have been relabelled: a scrape without honor_labels puts `exported_` before what collides with the target's own.
PLACES = {
    "pod": ON_POD,
    "istio-proxy": ON_POD + ',reporter="destination"',
    "linkerd-proxy": ON_POD + ',direction="inbound"',
    "celery": "hostname=~{celery}",
    "flower": 'worker=~{celery},type="task-received"',
    "istio": 'destination_workload_namespace={namespace},destination_workload={workload},reporter="destination"',
    "waypoint": 'destination_workload_namespace={namespace},destination_workload={workload},reporter="waypoint"',
    "ingress-exported": "exported_namespace={namespace},exported_service=~{services}",
    "ingress": "namespace={namespace},service=~{services}",
    "traefik-exported": "exported_service=~{traefik}",
    "traefik": "service=~{traefik}",
    "consumergroup": "consumergroup=~{services}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One metric: `maker` is what exports it, `place` where its series are found, `page` where it is documented.

    `without`: labels whose values tell scrapes, probes and the proxy's own traffic apart, with what to leave out.
    `is_proxy`: a container beside the program counts for it. `unit`: what one of it is.
    """

    metric: str
    maker: str
    page: str
    place: str = "pod"
    without: tuple[tuple[str, str], ...] = ()
    is_proxy: bool = False
    unit: str = "requests"

    @property
    def is_on_pod(self) -> bool:
        """Whether its series carry the pod's own labels."""
        return PLACES[self.place].startswith(ON_POD)

    @property
    def tells_pods_apart(self) -> bool:
        """Whether one pod's rate can be asked for."""
        return self.is_on_pod or "{celery}" in PLACES[self.place]


def _of(place: str, metric: str, maker: str, page: str, *without: tuple[str, str], unit: str = "requests") -> Counter:
    """A row: `without` are labels and what of them is no load."""
    is_proxy = place in ("istio-proxy", "linkerd-proxy") or metric.startswith("envoy_")
    return Counter(metric=metric, maker=maker, page=page, place=place, without=without, is_proxy=is_proxy, unit=unit)


def _path(label: str) -> tuple[str, str]:
    return label, NO_LOAD


_ROUTES = (_path("path"), _path("route"), _path("handler"))
_GRPC = ("grpc_service", r"grpc\.(health|reflection)\..*")
_RPC = ("rpc_service", _GRPC[1])
_HUB = "https://github.com/"
_PROMETHEUS = "https://prometheus.io/docs/practices/"
_OTEL = "https://opentelemetry.io/docs/specs/semconv/"
_MICROMETER = "https://docs.micrometer.io/micrometer/reference/"
_SPRING = "https://docs.spring.io/"
_ISTIO = "https://istio.io/latest/docs/reference/config/metrics/"
_LINKERD = "https://linkerd.io/2/reference/proxy-metrics/"
_NGINX = "https://kubernetes.github.io/ingress-nginx/user-guide/monitoring/"
_TRAEFIK = "https://doc.traefik.io/traefik/observability/metrics/overview/"
_ENVOY = "https://www.envoyproxy.io/docs/envoy/latest/configuration/"
_KAFKA = "https://kafka.apache.org/documentation/#consumer_monitoring"
_JMX_RECORDS = "kafka_consumer_consumer_fetch_manager_metrics_records_consumed_total"

COUNTERS: tuple[Counter, ...] = (
    # Meshes, beside the pod.
    _of("istio-proxy", "istio_requests_total", "Istio", _ISTIO),
    _of("linkerd-proxy", "request_total", "Linkerd", _LINKERD),
    # The program itself.
    _of("pod", "http_server_requests_seconds_count", "Micrometer (Spring Boot, Quarkus, Micronaut)", _SPRING + "spring-boot/reference/actuator/metrics.html", _path("uri")),
    _of("pod", "http_server_request_duration_seconds_count", "OpenTelemetry, ASP.NET Core 8", _OTEL + "http/http-metrics/", _path("http_route")),
    _of("pod", "http_server_duration_milliseconds_count", "OpenTelemetry before 1.23", _OTEL + "http/http-metrics/", _path("http_route"), _path("http_target")),
    _of("pod", "http_requests_total", "Go, Node.js, FastAPI and others", _PROMETHEUS + "naming/", *_ROUTES),
    _of("pod", "http_requests_received_total", "prometheus-net (ASP.NET)", _HUB + "prometheus-net/prometheus-net", _path("endpoint")),
    _of("pod", "http_request_duration_seconds_count", "Go, Node.js, ASP.NET and others", _PROMETHEUS + "histograms/", *_ROUTES),
    _of("pod", "http_server_requests_total", "Rack (Ruby)", _HUB + "prometheus/client_ruby", _path("path")),
    _of("pod", "django_http_requests_total_by_view_transport_method_total", "django-prometheus", _HUB + "korfuri/django-prometheus", _path("view")),
    _of("pod", "django_http_requests_total_by_method_total", "django-prometheus", _HUB + "korfuri/django-prometheus"),
    _of("pod", "flask_http_request_total", "prometheus_flask_exporter", _HUB + "rycus86/prometheus_flask_exporter"),
    _of("pod", "starlette_requests_total", "starlette_exporter, starlette-prometheus", _HUB + "stephenhillier/starlette_exporter", _path("path"), _path("path_template")),
    _of("pod", "fastapi_requests_total", "fastapi-observability", _HUB + "blueswen/fastapi-observability", _path("path")),
    _of("pod", "gin_requests_total", "go-gin-prometheus", _HUB + "zsais/go-gin-prometheus", _path("url")),
    _of("pod", "echo_requests_total", "Echo (Go)", "https://echo.labstack.com/docs/middleware/prometheus", _path("url")),
    _of("pod", "axum_http_requests_total", "axum-prometheus", _HUB + "Ptrskay3/axum-prometheus", _path("endpoint")),
    _of("pod", "ruby_http_requests_total", "prometheus_exporter (Ruby)", _HUB + "discourse/prometheus_exporter"),
    _of("pod", "grpc_server_handled_total", "gRPC", _HUB + "grpc-ecosystem/go-grpc-middleware", _GRPC, unit="calls"),
    _of("pod", "grpc_server_started_total", "gRPC", _HUB + "grpc-ecosystem/go-grpc-middleware", _GRPC, unit="calls"),
    _of("pod", "rpc_server_duration_milliseconds_count", "OpenTelemetry (gRPC)", _OTEL + "rpc/rpc-metrics/", _RPC, unit="calls"),
    _of("pod", "tomcat_global_request_seconds_count", "Tomcat (Micrometer)", _MICROMETER),
    _of("pod", "nginx_http_requests_total", "NGINX exporter", _HUB + "nginx/nginx-prometheus-exporter"),
    _of("pod", "phpfpm_accepted_connections", "PHP-FPM exporter", _HUB + "hipages/php-fpm_exporter"),
    _of("pod", "envoy_http_downstream_rq_total", "Envoy", _ENVOY + "http/http_conn_man/stats", ("envoy_http_conn_manager_prefix", _PROXYS_OWN)),
    _of("pod", "envoy_cluster_upstream_rq_total", "Envoy", _ENVOY + "upstream/cluster_manager/cluster_stats", ("envoy_cluster_name", _PROXYS_OWN)),
    # Consumers of queues.
    _of("pod", "spring_kafka_listener_seconds_count", "Spring for Kafka", _SPRING + "spring-kafka/reference/kafka/micrometer.html", unit="records"),
    _of("pod", "kafka_consumer_fetch_manager_records_consumed_total", "Kafka (Micrometer)", _KAFKA, unit="records"),
    _of("pod", _JMX_RECORDS, "Kafka (JMX exporter)", _KAFKA, unit="records"),
    _of("pod", "spring_rabbitmq_listener_seconds_count", "Spring for RabbitMQ", _SPRING + "spring-amqp/reference/index.html", unit="messages"),
    _of("pod", "rabbitmq_consumed_total", "RabbitMQ (Micrometer)", _MICROMETER, unit="messages"),
    _of("pod", "sidekiq_jobs_executed_total", "Sidekiq", _HUB + "yabeda-rb/yabeda-sidekiq", unit="jobs"),
    _of("celery", "celery_task_received_total", "Celery exporter", _HUB + "danihodovic/celery-exporter", unit="tasks"),
    _of("flower", "flower_events_total", "Flower (Celery)", "https://flower.readthedocs.io/en/latest/prometheus-integration.html", unit="tasks"),
    # In front of the workload or beside it, spread over its pods.
    _of("istio", "istio_requests_total", "Istio", _ISTIO),
    _of("waypoint", "istio_requests_total", "Istio waypoint", _ISTIO),
    _of("ingress-exported", "nginx_ingress_controller_requests", "ingress-nginx", _NGINX),
    _of("ingress", "nginx_ingress_controller_requests", "ingress-nginx", _NGINX),
    _of("traefik-exported", "traefik_service_requests_total", "Traefik", _TRAEFIK),
    _of("traefik", "traefik_service_requests_total", "Traefik", _TRAEFIK),
    _of("consumergroup", "kafka_consumergroup_current_offset", "Kafka exporter", _HUB + "danielqsj/kafka_exporter", unit="records"),
)  # fmt: skip
