"""The settings as the program sees them, and the table of what each is, its default and its unit.

Everything that is known of a setting stands in KEYS: its parser, its default as text, what it means. docs/settings.md is
checked against this table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from receiver.domain.addresses import is_loopback
from receiver.domain.weekly import WeeklyTime
from receiver.pipeline.repositories import Repository
from receiver.pipeline.routing import Route
from receiver.settings import parsing


class Secret:
    """A value that never shows itself: not in repr, str, format or logs. `reveal()` is the one way out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that sends or compares it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret('********')" if self._value else "Secret('')"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One setting: `name` as the environment has it; YAML uses the same in lower case."""

    name: str
    parse: Callable[[Any], Any]
    default: str
    meaning: str
    is_secret: bool = False


KEYS: tuple[Key, ...] = (
    Key(name="LISTEN", parse=parsing.listen, default="127.0.0.1:8080", meaning="address and port to listen on; one that is not loopback needs WEBHOOK_TOKEN"),
    Key(name="PUBLIC_URL", parse=parsing.url, default="", meaning="how people reach the pages; without it messages carry no links"),
    Key(name="STORE_URL", parse=parsing.text, default="sqlite:///var/oomtriage.db", meaning="sqlite:////abs/path.db, sqlite:///relative.db, or for several replicas postgresql://USER:PASSWORD@HOST:PORT/DATABASE", is_secret=True),
    Key(name="LEADER_TTL", parse=parsing.ttl_s, default="15s", meaning="of several replicas: after how long without a sign of life another one takes over dispatching; 2s to 5m"),
    Key(name="MAX_BODY", parse=parsing.size_bytes, default="16 MiB", meaning="largest webhook body; 10,000 alerts are about 8 MiB"),
    Key(name="LOG_LEVEL", parse=parsing.log_level, default="INFO", meaning="DEBUG, INFO, WARNING or ERROR"),
    Key(name="WEBHOOK_TOKEN", parse=parsing.text, default="", meaning="bearer token, or password of basic auth, that Alertmanager sends", is_secret=True),
    Key(name="WEBHOOK_AUTH", parse=parsing.one_of("", "token", "none"), default="", meaning="none: listen beyond loopback without a token, on purpose"),
    Key(name="ADMIN_TOKEN", parse=parsing.text, default="", meaning="for pages with evidence and for actions; loopback needs none", is_secret=True),
    Key(name="READ_TOKEN", parse=parsing.text, default="", meaning="for pages with evidence, without any button on them", is_secret=True),
    Key(name="TRUSTED_PROXIES", parse=parsing.networks, default="", meaning="addresses and networks of proxies that log people in before the pages (oauth2-proxy), parted by commas"),
    Key(name="PROXY_USER_HEADER", parse=parsing.header_name, default="X-Forwarded-User", meaning="header in which such a proxy names who is there; anybody else's is ignored"),
    Key(name="PROXY_ACCESS", parse=parsing.one_of("act", "read"), default="act", meaning="what those may whom such a proxy names: act, or read only"),
    Key(name="LOGIN_OVER_HTTP", parse=parsing.one_of("no", "yes"), default="no", meaning="yes: the login form takes tokens over plain HTTP from other machines, on purpose"),
    Key(name="SLACK_BOT_TOKEN", parse=parsing.text, default="", meaning="xoxb-... of your own Slack app (threads, edits)", is_secret=True),
    Key(name="SLACK_CHANNEL", parse=parsing.slack_channel, default="", meaning="default channel ID (C... or G...); a name is resolved at start"),
    Key(name="SLACK_API_URL", parse=parsing.url, default="https://slack.com/api", meaning="base of Slack's Web API"),
    Key(name="SLACK_WEBHOOK_URL", parse=parsing.url, default="", meaning="incoming webhook: one message an incident, no thread, no edits", is_secret=True),
    Key(name="SLACK_FORMAT", parse=parsing.one_of("blocks", "text"), default="blocks", meaning="text: whole messages as plain text, for compatible receivers that drop blocks (Mattermost)"),
    Key(name="SLACK_SIGNING_SECRET", parse=parsing.text, default="", meaning="signing secret of your Slack app: with it, messages have buttons (POST /slack/actions)", is_secret=True),
    Key(name="SLACK_APP_TOKEN", parse=parsing.text, default="", meaning="app-level token (xapp-...) of your Slack app: with it, messages have buttons without a way in to the receiver (Socket Mode)", is_secret=True),
    Key(name="SLACK_MIN_INTERVAL", parse=parsing.pace_s, default="1.1s", meaning="least time between two messages in one channel"),
    Key(name="ON_AMBIGUOUS", parse=parsing.one_of("resend", "hold"), default="resend", meaning="a post that may have arrived and cannot be looked up: send again, or hold it as a dead letter"),
    Key(name="JSON_WEBHOOK_URL", parse=parsing.url, default="", meaning="every incident's report document is also posted here, beside Slack", is_secret=True),
    Key(name="JSON_WEBHOOK_TOKEN", parse=parsing.text, default="", meaning="bearer token for it", is_secret=True),
    Key(name="KUBE_API_URL", parse=parsing.url, default="", meaning="Kubernetes API; without it in-cluster access, else a kubectl proxy child"),
    Key(name="KUBE_TOKEN_PATH", parse=parsing.text, default="", meaning="file with the bearer token for KUBE_API_URL"),
    Key(name="KUBE_CA_PATH", parse=parsing.text, default="", meaning="file with the CA of KUBE_API_URL"),
    Key(name="CLUSTER_NAME", parse=parsing.text, default="", meaning="our value of the alerts' cluster label; alerts of another cluster are passed on without evidence"),
    Key(name="PROMETHEUS_URL", parse=parsing.url, default="", meaning="base URL of Prometheus, Thanos, Mimir or VictoriaMetrics"),
    Key(name="PROMETHEUS_TOKEN", parse=parsing.text, default="", meaning="bearer token for it", is_secret=True),
    Key(name="PROMETHEUS_CA_PATH", parse=parsing.text, default="", meaning="file with the CA of PROMETHEUS_URL; without it the public ones"),
    Key(name="PROMETHEUS_HEADERS", parse=parsing.headers, default="", meaning="headers for it, Name: value, one a line", is_secret=True),
    Key(name="PROMETHEUS_PARAMS", parse=parsing.parameters, default="", meaning="query parameters for it, name=value, one a line, for example max_source_resolution=5m"),
    Key(name="PROMETHEUS_MATCHERS", parse=parsing.matchers, default="", meaning="PromQL matchers for every selector, for a Prometheus of several clusters: cluster=\"prod\""),
    Key(name="REQUEST_RATE_QUERY", parse=parsing.text, default="", meaning="PromQL of the workload's request rate, with $namespace, $workload, $pod; empty: found by what it exports"),
    Key(name="ALERTMANAGER_URL", parse=parsing.url, default="", meaning="base URL of Alertmanager"),
    Key(name="ALERTMANAGER_PUBLIC_URL", parse=parsing.url, default="", meaning="how people reach Alertmanager; messages then link to its form for a silence, filled in"),
    Key(name="ALERTMANAGER_TOKEN", parse=parsing.text, default="", meaning="bearer token for it", is_secret=True),
    Key(name="ALERTMANAGER_CA_PATH", parse=parsing.text, default="", meaning="file with the CA of ALERTMANAGER_URL; without it the public ones"),
    Key(name="GITOPS_TOKEN", parse=parsing.text, default="", meaning="token of the forge that `gitops` names: with it, pull requests can be opened", is_secret=True),
    Key(name="ENRICH_DEADLINE", parse=parsing.duration_s, default="10s", meaning="the first message waits for evidence at most this long"),
    Key(name="WATCH_INTERVAL", parse=parsing.duration_s, default="2m", meaning="an open incident to which something happens is looked at again at least, and at most, this often"),
    Key(name="FOLLOWUPS", parse=parsing.durations_s, default="24h,48h", meaning="how long after a fix it is looked at again whether it held; empty: never"),
    Key(name="WEEKLY_SUMMARY", parse=parsing.weekly_time, default="", meaning="when each channel gets a summary of its week, in UTC: Mon 09:00; empty: never"),
    Key(name="REOPEN_WINDOW", parse=parsing.duration_s, default="24h", meaning="a kill this long after the resolve still belongs to the same incident"),
    Key(name="RETENTION", parse=parsing.duration_s, default="14d", meaning="how long closed incidents are kept"),
    Key(name="STORE_MAX_BYTES", parse=parsing.size_bytes, default="512 MiB", meaning="largest store: of more, the oldest closed incidents lose their evidence, then go; never open ones"),
    Key(name="RETRY_MAX_AGE", parse=parsing.duration_s, default="24h", meaning="how long a message is tried before it becomes a dead letter"),
    Key(name="WORKERS", parse=parsing.count, default="8", meaning="incidents looked at at a time"),
    Key(name="TEMPLATES_DIR", parse=parsing.text, default="", meaning="folder with your own message templates; what it lacks comes from the built-in ones"),
    Key(name="RUNBOOKS_DIR", parse=parsing.text, default="", meaning="folder with runbooks of your own, NAME.md, for /runbooks/NAME; they go before the built-in ones"),
)  # fmt: skip

YAML_ONLY = ("routes", "gitops", "redaction", "label_names", "slack_users")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, parsed. Durations in seconds, sizes in bytes; an empty string means: not set."""

    listen: str
    public_url: str
    store_url: Secret
    leader_ttl: float
    max_body: int
    log_level: str
    webhook_token: Secret
    webhook_auth: str
    admin_token: Secret
    read_token: Secret
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    proxy_user_header: str
    proxy_access: str
    login_over_http: str
    slack_bot_token: Secret
    slack_channel: str
    slack_api_url: str
    slack_webhook_url: Secret
    slack_format: str
    slack_signing_secret: Secret
    slack_app_token: Secret
    slack_min_interval: float
    on_ambiguous: str
    json_webhook_url: Secret
    json_webhook_token: Secret
    kube_api_url: str = field(repr=False)  # as the others: may hold a password
    kube_token_path: str
    kube_ca_path: str
    cluster_name: str
    prometheus_url: str = field(repr=False)
    prometheus_token: Secret
    prometheus_ca_path: str
    prometheus_headers: Mapping[str, str] = field(repr=False)
    prometheus_params: Mapping[str, str]
    prometheus_matchers: str
    request_rate_query: str
    alertmanager_url: str = field(repr=False)
    alertmanager_public_url: str
    alertmanager_token: Secret
    alertmanager_ca_path: str
    gitops_token: Secret
    enrich_deadline: float
    watch_interval: float
    followups: tuple[float, ...]
    weekly_summary: WeeklyTime | None
    reopen_window: float
    retention: float
    store_max_bytes: int
    retry_max_age: float
    workers: int
    templates_dir: str
    runbooks_dir: str
    routes: tuple[Route, ...] = ()
    gitops: tuple[Repository, ...] = ()
    redaction: Mapping[str, Any] = field(default_factory=dict)
    label_names: Mapping[str, Any] = field(default_factory=dict)
    slack_users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # right -> Slack user ids
    sources: Mapping[str, str] = field(default_factory=dict)  # key -> environment | NAME_FILE | file | default
    secret_paths: Mapping[str, str] = field(default_factory=dict)  # key -> the file that a secret was read from

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach what we listen on."""
        return is_loopback(self.listen.rpartition(":")[0])
