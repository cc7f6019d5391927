"""Settings are read in one place; what is wrong stops the start and names the key."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from receiver.errors import ConfigError
from receiver.settings import Secret, load_settings
from receiver.settings.explain import period
from receiver.settings.load import effective
from receiver.settings.model import KEYS
from tests.places import REPO


def test_the_promised_defaults() -> None:
    """Defaults are a public promise: changing one is a line in the CHANGELOG."""
    settings = load_settings({})

    assert settings.listen == "127.0.0.1:8080"
    assert settings.store_url.reveal() == "sqlite:///var/oomtriage.db"
    assert settings.max_body == 16 * 1024**2
    assert settings.slack_api_url == "https://slack.com/api"
    assert settings.slack_min_interval == 1.1
    assert settings.on_ambiguous == "resend"
    assert settings.slack_format == "blocks"
    assert settings.enrich_deadline == 10.0
    assert settings.reopen_window == 86_400.0
    assert settings.retention == 14 * 86_400.0
    assert settings.retry_max_age == 86_400.0
    assert settings.workers == 8


def test_environment_wins_over_yaml_and_yaml_over_defaults(tmp_path: Path) -> None:
    """And `config` can say where each value came from."""
    file = tmp_path / "config.yaml"
    file.write_text("workers: 3\nenrich_deadline: 5s\nprometheus_url: http://prometheus:9090/\n")
    settings = load_settings({"WORKERS": "4"}, str(file))

    assert (settings.workers, settings.enrich_deadline, settings.prometheus_url) == (4, 5.0, "http://prometheus:9090")
    sources = {name: source for name, _, source in effective(settings)}
    assert (sources["WORKERS"], sources["ENRICH_DEADLINE"], sources["RETENTION"]) == ("environment", f"file {file}", "default")


def test_a_pods_environment_names_the_file(tmp_path: Path) -> None:
    """So that a command in the receiver's pod has its settings; --config goes before it."""
    for name in ("pod", "own"):
        (tmp_path / f"{name}.yaml").write_text(f"cluster_name: {name}\n")
    environ = {"OOMTRIAGE_CONFIG": str(tmp_path / "pod.yaml")}

    assert load_settings(environ).cluster_name == "pod"
    assert load_settings(environ, str(tmp_path / "own.yaml")).cluster_name == "own"


def test_secrets_come_from_files_too_and_never_show(tmp_path: Path) -> None:
    """`NAME_FILE` for every secret; neither repr, str nor `config` shows one."""
    file = tmp_path / "token"
    file.write_text("xoxb-hidden\n")
    settings = load_settings({"SLACK_BOT_TOKEN_FILE": str(file), "SLACK_CHANNEL": "C1", "PROMETHEUS_HEADERS": "X-Scope-OrgID: hidden-too"})

    assert settings.slack_bot_token.reveal() == "xoxb-hidden"
    shown = repr(settings) + str(settings) + str(effective(settings)) + f"{settings.slack_bot_token}" + repr(Secret("hidden"))
    assert "hidden" not in shown


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"LISTEN": "8080x"}, r"LISTEN is '8080x' .*expected host:port"),
        ({"WORKERS": "many"}, "WORKERS is 'many' .*expected a whole number"),
        ({"WORKERS": "0"}, "above zero"),
        ({"ENRICH_DEADLINE": "soon"}, "ENRICH_DEADLINE is 'soon' .*expected for example 10s"),
        ({"MAX_BODY": "big"}, "expected a size, for example 16 MiB"),
        ({"PROMETHEUS_URL": "prometheus:9090"}, "http://"),
        ({"ON_AMBIGUOUS": "maybe"}, "expected one of resend, hold"),
        ({"LOG_LEVEL": "loud"}, "expected one of DEBUG"),
        ({"LISTEN": "0.0.0.0:8080"}, "set WEBHOOK_TOKEN .*WEBHOOK_AUTH=none"),
        ({"LISTEN": ":8080"}, "set WEBHOOK_TOKEN"),
        ({"WEBHOOK_AUTH": "none", "WEBHOOK_TOKEN": "x"}, "remove one"),
        ({"SLACK_BOT_TOKEN": "xoxb-hidden"}, "SLACK_CHANNEL is not"),
        ({"STORE_URL": "mysql://root:hidden@db"}, "expected sqlite"),
        ({"STORE_URL": "postgres:hidden@db/x"}, "expected sqlite.* or postgresql://USER"),
        ({"LEADER_TTL": "1s"}, "LEADER_TTL is '1s' .*expected a duration from 2s to 5m"),
        ({"SLACK_BOT_TOKEN_FILE": "/nowhere/token"}, "SLACK_BOT_TOKEN_FILE: cannot read /nowhere/token"),
        ({"ADMIN_TOKEN": "a", "ADMIN_TOKEN_FILE": "b"}, "both set"),
        ({"PROMETHEUS_HEADERS": "hidden without colon"}, "PROMETHEUS_HEADERS .*one header a line"),
        ({"PROMETHEUS_PARAMS": "no value"}, "one parameter a line, for example max_source_resolution=5m"),
        ({"PROMETHEUS_MATCHERS": 'cluster="a"} or up{x="'}, "PromQL matchers, for example cluster="),
    ],
    ids=lambda v: next(iter(v)) if isinstance(v, dict) else None,
)
def test_a_wrong_value_names_the_key_and_what_was_expected(environ: dict[str, str], says: str) -> None:
    """One clear line, without any secret in it."""
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(environ)

    assert "hidden" not in str(caught.value).replace("hidden without", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wokers: 3", "unknown setting 'wokers'.*workers"),
        ("- a", "must hold a mapping"),
        ("a: [", "is no YAML"),
        ("routes: {}", "expected a list of routes"),
        ("slack_bot_token: x\nslack_channel: C1\nroutes: [{channel: C1, macth: {}}]", r"routes\[0\]: unknown key 'macth'"),
        ("slack_bot_token: x\nslack_channel: C1\nroutes: [{match: {}}]", r"routes\[0\].channel"),
        ("slack_bot_token: x\nslack_channel: C1\nroutes: [{channel: C1, match: {a: '('}}]", "no regular expression"),
        ("slack_bot_token: x\nslack_channel: C1\nroutes: [{channel: C1, mention: '<!everyone>'}]", "mention: expected"),
        ("routes: [C1]", r"routes\[0\]: expected a mapping with channel"),
        ("routes: [{channel: C1, namespaces: shop}]", "namespaces: expected a list"),
        ("routes: [{channel: C1, workload_labels: [a]}]", "workload_labels: expected names"),
        ("routes: [{channel: C1, workload_annotations: {a: '['}}]", "no regular expression"),
        ("routes: [{channel: C1, continue: maybe}]", "continue: expected true or false"),
        ("routes: [{channel: C1, quiet_hours: 22-7}]", "quiet_hours: expected a mapping"),
        (
            "routes: [{channel: C1, quiet_hours: {from: 22:00, to: 25:00, timezone: UTC}}]",
            r'quiet_hours.to: expected a time such as "22:00"',
        ),
        ("routes: [{channel: C1, quiet_hours: {to: 07:00, timezone: UTC}}]", r"quiet_hours.from: expected a time"),
        ("routes: [{channel: C1, quiet_hours: {days: [holiday], from: 1:00, to: 2:00, timezone: UTC}}]", "'holiday' is no day"),
        ("routes: [{channel: C1, quiet_hours: {from: 1:00, to: 2:00}}]", "no time zone known here: expected for example Europe/Berlin"),
        ("routes: [{channel: C1, quiet_hours: {from: 1:00, to: 2:00, timezone: ../../etc/passwd}}]", "no time zone known here"),
        ("routes: [{channel: C1, quiet_hours: {from: 1:00, to: 2:00, timezone: UTC, until: 3}}]", "unknown key 'until'"),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    """Unknown keys and malformed structures stop the start."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=says):
        load_settings({}, str(file))


def test_a_whole_route_is_read(tmp_path: Path) -> None:
    """Times with and without quotes, ranges of days over the weekend, YAML's booleans as label values."""
    file = tmp_path / "config.yaml"
    file.write_text(
        """
slack_bot_token: xoxb-1
slack_channel: C1
routes:
  - channel: C2
    match: {gpu: true}
    namespaces: [shop]
    workload_labels: {team: orders}
    mention: "@here"
    mention_warnings: true
    critical: true
    continue: true
    quiet_hours:
      - {days: fri-mon, from: 22:00, to: 07:00, timezone: Asia/Kolkata}
      - {days: "tue, thu", from: "0:00", to: "24:00", timezone: UTC, hold: true}
"""
    )
    (route,) = load_settings({}, str(file)).routes

    assert (route.match, route.namespaces, route.workload_labels) == ({"gpu": "true"}, ("shop",), {"team": "orders"})
    assert (route.mention, route.mentions_warnings, route.is_critical, route.goes_on, route.holds) == ("<!here>", True, True, True, True)
    assert [period(q) for q in route.quiet] == ["mon, fri, sat, sun 22:00-07:00 Asia/Kolkata", "tue, thu 00:00-24:00 UTC"]


def test_in_a_pod_the_api_server_is_found() -> None:
    """The kubelet's variables, IPv6 in brackets; an explicit URL wins."""
    found = load_settings({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"})
    explicit = load_settings({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBE_API_URL": "http://127.0.0.1:8001"})

    assert (found.kube_api_url, found.kube_token_path.rpartition("/")[2]) == ("https://[fd00::1]:6443", "token")
    assert (explicit.kube_api_url, explicit.kube_token_path) == ("http://127.0.0.1:8001", "")


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row for every key, with its default; no row for a key that is none."""
    text = (REPO / "docs" / "settings.md").read_text()
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}

    assert set(rows) == {key.name for key in KEYS}
    for key in KEYS:
        assert f"`{key.default}`" in rows[key.name] if key.default else "| – |" in rows[key.name], key.name
        assert key.meaning in rows[key.name], key.name


def test_every_setting_is_read() -> None:
    """A setting that nothing reads is a promise that nobody keeps. WEBHOOK_AUTH is read where settings are judged together."""
    code = [path for path in (REPO / "receiver").rglob("*.py") if path.parent.name != "settings"]
    read = {
        node.attr if isinstance(node, ast.Attribute) else str(getattr(node.slice, "value", ""))
        for path in code
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Subscript) and re.search(r"\b(settings|values)\b", ast.unparse(node.value))
    }

    assert [key.name for key in KEYS if key.name.lower() not in read] == ["WEBHOOK_AUTH"]


@pytest.mark.parametrize("content", ["", " \n\n", "\t"])
def test_an_empty_secret_file_is_named(tmp_path: Path, content: str) -> None:
    """A secret that was mounted but never filled must not silently mean: no Slack, or no token needed."""
    file = tmp_path / "token"
    file.write_text(content)
    config = tmp_path / "config.yaml"
    config.write_text(f"webhook_token_file: {file}\n")

    with pytest.raises(ConfigError, match=f"SLACK_BOT_TOKEN_FILE: {file} is empty"):
        load_settings({"SLACK_BOT_TOKEN_FILE": str(file), "SLACK_CHANNEL": "C1"})
    with pytest.raises(ConfigError, match=f"webhook_token_file: {file} is empty"):
        load_settings({}, str(config))


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"SLACK_CHANNEL": "C1"}, "SLACK_BOT_TOKEN is not: messages would go to the console"),
        (
            {"SLACK_CHANNEL": "C1", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/hidden"},
            "SLACK_WEBHOOK_URL has a channel of its own",
        ),
    ],
    ids=["alone", "webhook"],
)
def test_a_channel_that_nothing_would_post_to_stops_the_start(environ: dict[str, str], says: str) -> None:
    """Somebody who names a channel waits for messages there."""
    with pytest.raises(ConfigError, match=says) as caught:
        load_settings(environ)

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["PROMETHEUS_URL", "ALERTMANAGER_URL", "KUBE_API_URL"])
def test_a_password_in_an_address_never_shows(name: str) -> None:
    """It is used as given; `config`, repr and errors show who, not the password."""
    settings = load_settings({name: "http://reader:hidden@prometheus:9090/base"})

    assert getattr(settings, name.lower()) == "http://reader:hidden@prometheus:9090/base"
    assert {n: v for n, v, _ in effective(settings)}[name] == "http://reader:****@prometheus:9090/base"
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://reader:hidden@host",
        "reader:hidden@host:9090",
        "http://reader:hidden@",
        "http://reader:hid/hidden@host",
        "http://reader:hi@hidden@h:x",
    ],
)
def test_a_malformed_address_is_refused_without_its_password(address: str) -> None:
    """Also where the password is what makes it malformed."""
    with pytest.raises(ConfigError, match="PROMETHEUS_URL") as caught:
        load_settings({"PROMETHEUS_URL": address})

    assert "hid" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("workers: 3\nslack_bot_token: 'hidden\n", "line 3, column 1: found unexpected end of stream"),
        ("workers: 3\nslack_bot_token: hidden: hidden\n", "line 2, column 24: mapping values are not allowed here"),
        ("slack_bot_token: *hidden\n", "line 1, column 18: found undefined alias"),
        ("slack_bot_token: !hidden x\n", "line 1, column 18: could not determine a constructor for the tag"),
        ("slack_bot_token: [hidden\n", "line 2, column 1: expected ',' or ']', but got '<stream end>'"),
        ("a: hidden\x00\n", "character 10: special characters are not allowed"),
        ("slack_bot_token: 2024-13-45\n", "a date or number in it is none"),
        ("a: " + "[" * 5000, "it is nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_one_line_without_the_content(tmp_path: Path, text: str, says: str) -> None:
    """File, line, column and the problem; the offending line may hold a secret."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_settings({}, str(file))

    assert str(caught.value) == f"the settings file {file} is no YAML: {says}"


@pytest.mark.parametrize("key", ["routes", "redaction", "label_names", "thresholds", "workers"])
def test_a_key_with_nothing_under_it_is_as_if_absent(tmp_path: Path, key: str) -> None:
    """What is left when every entry was commented out."""
    file = tmp_path / "config.yaml"
    file.write_text(f"{key}:\n")

    assert effective(load_settings({}, str(file))) == effective(load_settings({}))


def test_thresholds_cannot_be_set_yet(tmp_path: Path) -> None:
    """A setting that would change nothing is refused, with the place where thresholds are."""
    file = tmp_path / "config.yaml"
    file.write_text("thresholds: {usage_ratio: 0.9}\n")

    with pytest.raises(ConfigError, match=r"no threshold can be set yet; .*rules/config/values\.yaml"):
        load_settings({}, str(file))


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:80", True), ("127.8.9.10:80", True), ("[::1]:80", True), ("localhost:80", True), ("127.evil.example:80", False),
        ("localhost.evil.example:80", False), ("127.0.0.1.evil.example:80", False), ("10.0.0.1:80", False), ("[::]:80", False), (":80", False),
    ],
)  # fmt: skip
def test_loopback_is_an_address_not_a_name_that_looks_like_one(listen: str, loopback: bool) -> None:
    """A name may resolve to anything."""
    assert load_settings({"LISTEN": listen, "WEBHOOK_AUTH": "none"}).is_loopback is loopback


def test_who_may_press_what(tmp_path: Path) -> None:
    """User IDs by action; an empty list is kept, because it means nobody."""
    file = tmp_path / "config.yaml"
    file.write_text("slack_users: {silence: [U0123456789, W0ABC], fixed: []}\n")

    assert load_settings({}, str(file)).slack_users == {"silence": ("U0123456789", "W0ABC"), "fixed": ()}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slack_users: {ack: [U0123]}", "unknown action 'ack'; known are acknowledge, silence, fixed, verdict"),
        ("slack_users: {silence: [ines]}", "slack_users.silence: expected a list of user IDs"),
        ("slack_users: {silence: U0123}", "slack_users.silence: expected a list of user IDs"),
        ("slack_users: [U0123]", "slack_users: expected a mapping"),
    ],
)
def test_a_name_is_no_user_id(tmp_path: Path, text: str, says: str) -> None:
    """A list that nobody can be in would lock everybody out."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=says):
        load_settings({}, str(file))
