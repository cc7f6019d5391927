"""Read the environment, the secrets' files and the YAML file; the only reader of any of them.

What is wrong is a ConfigError that names the key and what was expected: a receiver that starts with a misread setting
fails at 03:14 instead of at noon.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from receiver.errors import ConfigError
from receiver.settings import parsing
from receiver.settings.explain import conditions
from receiver.settings.gitops import described, parse_gitops, token_problems
from receiver.settings.model import KEYS, YAML_ONLY, Key, Secret, Settings
from receiver.settings.parsing import without_password
from receiver.settings.routes import parse_routes

CONFIG_VARIABLE = "OOMTRIAGE_CONFIG"  # in a pod, so that a command run beside the receiver has its settings


def load_settings(environ: Mapping[str, str] = os.environ, config_path: str | None = None, *, needs_slack_token: bool = True) -> Settings:
    """Settings from the environment (wins), `NAME_FILE` files, a YAML file and defaults. ConfigError names what is wrong.

    `needs_slack_token`: routes and a channel without it are an error; False for who posts nothing and only explains them.
    """
    settings, problems = read_settings(environ, config_path, needs_slack_token=needs_slack_token)
    if problems:
        raise problems[0]
    return settings


def read_settings(
    environ: Mapping[str, str] = os.environ, config_path: str | None = None, *, needs_slack_token: bool = True
) -> tuple[Settings, tuple[ConfigError, ...]]:
    """The same, with everything that is wrong with them: what cannot be read is as if it were not set."""
    problems: list[ConfigError] = []
    from_file: Mapping[str, Any] = {}
    config_path = config_path or environ.get(CONFIG_VARIABLE, "")
    if config_path:
        try:
            from_file = _read_yaml(config_path)
        except ConfigError as exc:
            problems.append(exc)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for key in KEYS:
        try:
            raw, source = _raw(key, environ, from_file, config_path)
            value = _parse(key, raw, source)
        except ConfigError as exc:
            problems.append(exc)
            value, source = key.parse(key.default), "default"
        values[key.name.lower()] = Secret(value) if key.is_secret and isinstance(value, str) else value
        sources[key.name.lower()] = source
    if from_file.get("thresholds"):
        problems.append(
            ConfigError(f"thresholds in {config_path}: no threshold can be set yet; the rules' thresholds: rules/config/values.yaml")
        )
    for name in YAML_ONLY:
        if from_file.get(name) is not None:
            try:
                values[name] = _structure(name, from_file[name])
            except ConfigError as exc:
                problems.append(exc)
                continue
            sources[name] = f"file {config_path}"
    _default_to_in_cluster(environ, values, sources)
    settings = Settings(**values, sources=sources, secret_paths=_secret_paths(environ, from_file))
    problems += _contradictions(settings)
    if needs_slack_token:
        problems += _slack_contradictions(settings)
    return settings, tuple(problems)


SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount"


def _default_to_in_cluster(environ: Mapping[str, str], values: dict[str, Any], sources: dict[str, str]) -> None:
    """In a pod the kubelet names the API server; an explicit KUBE_API_URL wins."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if values["kube_api_url"] or not host:
        return
    values["kube_api_url"] = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    sources["kube_api_url"] = "in-cluster"
    for name, file in (("kube_token_path", "token"), ("kube_ca_path", "ca.crt")):
        if not values[name]:
            values[name], sources[name] = f"{SERVICE_ACCOUNT_DIR}/{file}", "in-cluster"


def _raw(key: Key, environ: Mapping[str, str], from_file: Mapping[str, Any], config_path: str) -> tuple[Any, str]:
    in_file = environ.get(f"{key.name}_FILE", "") if key.is_secret else ""
    if in_file and environ.get(key.name):
        raise ConfigError(f"{key.name} and {key.name}_FILE are both set: keep one")
    if environ.get(key.name):
        return environ[key.name], "environment"
    if in_file:
        return _read_secret(in_file, f"{key.name}_FILE"), f"{key.name}_FILE"
    lower = key.name.lower()
    if key.is_secret and from_file.get(f"{lower}_file"):
        if from_file.get(lower):
            raise ConfigError(f"{lower} and {lower}_file are both set in {config_path}: keep one")
        return _read_secret(str(from_file[f"{lower}_file"]), f"{lower}_file"), f"{lower}_file in {config_path}"
    if from_file.get(lower) is not None:
        return from_file[lower], f"file {config_path}"
    return key.default, "default"


def _secret_paths(environ: Mapping[str, str], from_file: Mapping[str, Any]) -> dict[str, str]:
    """The files that secrets were read from, by key (see `_raw`): whoever sends one for months may read it again."""
    paths = {}
    for name in (key.name for key in KEYS if key.is_secret and not environ.get(key.name)):
        path = environ.get(f"{name}_FILE") or from_file.get(f"{name.lower()}_file")
        if path:
            paths[name.lower()] = str(path)
    return paths


def _parse(key: Key, raw: Any, source: str) -> Any:
    try:
        return key.parse(raw)
    except ValueError as exc:
        shown = "" if key.is_secret else f" is {without_password(str(raw))[:80]!r}"
        raise ConfigError(f"{key.name}{shown} ({source}): {exc}") from exc


def _read_secret(path: str, name: str) -> str:
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{name}: cannot read {path}: {exc}") from exc
    if not secret:
        raise ConfigError(f"{name}: {path} is empty; expected a secret in it (leave {name} out for none)")
    return secret


def read_yaml_mapping(path: str, what: str) -> dict[str, Any]:
    """A user's YAML file that holds a mapping; empty for an empty file. ConfigError names the file as `what` ("the settings file")."""
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot read {what} {path}: {exc}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ConfigError(f"{what} {path} is no YAML: {yaml_problem(exc)}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{what} {path} must hold a mapping, not a {type(document).__name__}")
    return document


def _read_yaml(path: str) -> Mapping[str, Any]:
    document = read_yaml_mapping(path, "the settings file")
    known = {k.name.lower() for k in KEYS} | {f"{k.name.lower()}_file" for k in KEYS if k.is_secret} | {*YAML_ONLY, "thresholds"}
    unknown = sorted(str(k) for k in document if k not in known)
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0]!r} in {path}; known are: {', '.join(sorted(known))}")
    return document


def yaml_problem(exc: Exception) -> str:
    """Where a YAML text is wrong and how, on one line. Never what stands there: it may be a secret."""
    if isinstance(exc, yaml.MarkedYAMLError):
        mark = exc.problem_mark or exc.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return where + _without_content(exc.problem or exc.context or "it cannot be read")
    if isinstance(exc, yaml.reader.ReaderError):
        return f"character {exc.position + 1}: {exc.reason}"
    return "it is nested too deeply" if isinstance(exc, RecursionError) else "a date or number in it is none"


# PyYAML quotes names of tokens ('<scalar>'), single characters, and what it met: an alias, a tag, an anchor.
_HARMLESS = re.compile(r"[^'\"]*(?:'(?:<[a-z ]+>|[^\w'\"])'[^'\"]*)*")


def _without_content(problem: str) -> str:
    found = _HARMLESS.match(problem)
    return found.group().strip() if found else ""


def _structure(name: str, value: Any) -> Any:
    if name == "routes":
        return parse_routes(value)
    if name == "gitops":
        return parse_gitops(value)
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: expected a mapping")
    if name == "slack_users":
        return {str(right): _slack_users(str(right), users) for right, users in value.items()}
    return value


RIGHTS = ("acknowledge", "silence", "fixed", "verdict", "checklist", "request")


def _slack_users(right: str, users: Any) -> tuple[str, ...]:
    if right not in RIGHTS:
        raise ConfigError(f"slack_users: unknown action {right!r}; known are {', '.join(RIGHTS)}")
    if not isinstance(users, list) or not all(isinstance(u, str) and re.fullmatch(r"[UW][A-Z0-9]{2,20}", u) for u in users):
        raise ConfigError(f"slack_users.{right}: expected a list of user IDs such as U0123456789 (a name is not one)")
    return tuple(users)


def _contradictions(settings: Settings) -> Iterator[ConfigError]:
    yield from token_problems(settings.gitops, has_token=bool(settings.gitops_token))
    if not settings.is_loopback and not settings.webhook_token and settings.webhook_auth != "none":
        yield ConfigError(
            f"LISTEN is {settings.listen}, which others can reach: set WEBHOOK_TOKEN (or WEBHOOK_TOKEN_FILE), or WEBHOOK_AUTH=none if that is meant"
        )
    if settings.webhook_auth == "none" and settings.webhook_token:
        yield ConfigError("WEBHOOK_AUTH is none but WEBHOOK_TOKEN is set: remove one of them")
    if settings.webhook_auth == "token" and not settings.webhook_token:
        yield ConfigError("WEBHOOK_AUTH is token but WEBHOOK_TOKEN is not set")
    if settings.read_token and settings.read_token == settings.admin_token:
        yield ConfigError("READ_TOKEN is the same as ADMIN_TOKEN: whoever only looks would be able to act; set another one")
    store_url = settings.store_url.reveal()
    is_file = store_url.startswith("sqlite:///") and store_url != "sqlite:///"
    if not is_file and not store_url.startswith(("postgresql://", "postgres://")):
        yield ConfigError(
            "STORE_URL: expected sqlite:////abs/path.db, sqlite:///relative.db or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )


def _slack_contradictions(settings: Settings) -> Iterator[ConfigError]:
    """Whether what names channels has the token that they need."""
    if settings.slack_bot_token and not settings.slack_channel:
        yield ConfigError("SLACK_BOT_TOKEN is set but SLACK_CHANNEL is not: expected the default channel's ID, such as C0123456789")
    if settings.slack_channel and settings.slack_webhook_url and not settings.slack_bot_token:
        yield ConfigError(
            "SLACK_CHANNEL is set, but SLACK_WEBHOOK_URL has a channel of its own: remove SLACK_CHANNEL, or set SLACK_BOT_TOKEN to choose one"
        )
    if settings.slack_channel and not settings.slack_bot_token:
        yield ConfigError("SLACK_CHANNEL is set but SLACK_BOT_TOKEN is not: messages would go to the console; set both or neither")
    if settings.routes and not settings.slack_bot_token:
        yield ConfigError("routes need SLACK_BOT_TOKEN: an incoming webhook and the console have one place only")


def effective(settings: Settings) -> list[tuple[str, str, str]]:
    """(name, value, source) of every setting, secrets masked."""
    rows = []
    for key in KEYS:
        value = getattr(settings, key.name.lower())
        if key.is_secret:
            shown = "********" if value else ""
        elif key.parse is parsing.url:
            shown = without_password(value)
        else:
            shown = str(value)
        rows.append((key.name, shown, settings.sources.get(key.name.lower(), "default")))
    for name in YAML_ONLY:
        value = getattr(settings, name)
        if name == "gitops":
            rows += [(f"gitops[{i}]", described(r), settings.sources.get(name, "")) for i, r in enumerate(value)]
        elif name == "routes":
            rows += [(f"routes[{i}]", f"{conditions(r)} -> {r.channel}", settings.sources.get(name, "")) for i, r in enumerate(value)]
        elif value:
            rows.append((name, str(value) if name != "redaction" else f"{len(value)} entries", settings.sources.get(name, "")))
    return rows
