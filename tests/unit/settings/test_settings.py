"""Settings are read in one place; what is wrong stops the start and names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.errors import ConfigError
from receiver.settings import Secret, load_settings
from receiver.settings.load import effective
from receiver.settings.model import KEYS

REPO = Path(__file__).parents[3]


def test_the_promised_defaults() -> None:
    """Defaults are a public promise: changing one is a line in the CHANGELOG."""
    settings = load_settings({})

    assert settings.listen == "127.0.0.1:8080"
    assert settings.store_url.reveal() == "sqlite:///var/oomtriage.db"
    assert settings.max_body == 16 * 1024**2
    assert settings.slack_api_url == "https://slack.com/api"
    assert settings.slack_min_interval == 1.1
    assert settings.on_ambiguous == "resend"
    assert settings.enrich_deadline == 10.0
    assert settings.followups == (86_400.0, 172_800.0)
    assert settings.reopen_window == 86_400.0
    assert settings.retention == 14 * 86_400.0
    assert settings.retry_max_age == 86_400.0
    assert settings.workers == 8
    assert settings.leader_ttl == 15.0


def test_environment_wins_over_yaml_and_yaml_over_defaults(tmp_path: Path) -> None:
    """And `config` can say where each value came from."""
    file = tmp_path / "config.yaml"
    file.write_text("workers: 3\nenrich_deadline: 5s\nprometheus_url: http://prometheus:9090/\n")
    settings = load_settings({"WORKERS": "4"}, str(file))

    assert (settings.workers, settings.enrich_deadline, settings.prometheus_url) == (4, 5.0, "http://prometheus:9090")
    sources = {name: source for name, _, source in effective(settings)}
    assert (sources["WORKERS"], sources["ENRICH_DEADLINE"], sources["RETENTION"]) == ("environment", f"file {file}", "default")


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
        ({"STORE_URL": "postgresql://u:hidden@db/x"}, "does not store to yet"),
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
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    """Unknown keys and malformed structures stop the start."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=says):
        load_settings({}, str(file))


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
