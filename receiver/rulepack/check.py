"""What is wrong with a rule pack, as far as its files tell, and promtool where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from receiver.errors import ConfigError
from receiver.rulepack.files import RULE_FILES, TEST_FILES, Rule, RuleFile, read_rule_files
from receiver.rulepack.metrics import Ask, check_metrics, metric_names, read_metrics
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.render import THRESHOLD
from receiver.rulepack.values import DURATION, SEVERITIES, Values, read_values

ALERT_NAME = re.compile(r"^[A-Z][A-Za-z0-9]+$")
RECORD_NAME = re.compile(r"^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z0-9_]+$")  # level:metric:operations
PROMTOOL_TIMEOUT_S = 120


def check_rules(directory: Path, prometheus: Ask | None = None, *, promtool: str | None = None) -> list[Problem]:
    """All problems found, errors first. Raises ConfigError only when `directory` holds no rule files.

    `prometheus` asks a live one (`Http.post_form_json` fits): are the metrics there that the rules read? `promtool` is its
    path; by default the one on the PATH.
    """
    if not any(directory.glob(RULE_FILES)):
        raise ConfigError(f"{directory}: no {RULE_FILES} there")
    try:
        problems = list(_in_files(directory))
        problems += _promtool(directory, promtool or shutil.which("promtool"))
        if prometheus is not None:
            problems += check_metrics(read_metrics(directory), prometheus)
    except ConfigError as exc:
        problems = [Problem(where=str(directory), text=str(exc))]
    return sorted(problems, key=lambda problem: problem.level is Level.WARNING)


def _in_files(directory: Path) -> Iterator[Problem]:
    files = read_rule_files(directory)
    rules = [rule for file in files for rule in file.rules()]
    yield from _names(files, rules)
    for rule in rules:
        yield from _alert(rule) if "alert" in rule.body else _record(rule)
    yield from _values(read_values(directory), {rule.alert: rule for rule in rules if rule.alert})
    yield from _listed_metrics(directory, rules)


def _names(files: tuple[RuleFile, ...], rules: list[Rule]) -> Iterator[Problem]:
    groups = Counter(group["name"] for file in files for group in file.groups)
    for name, times in groups.items():
        if times > 1:
            yield Problem(where=f"group {name}", text=f"is there {times} times", hint="a PrometheusRule may hold each name once")
    for name, times in Counter(rule.name for rule in rules).items():
        if times > 1:
            yield Problem(where=name, text=f"is defined {times} times", hint="people route and silence by the name")


def _record(rule: Rule) -> Iterator[Problem]:
    if not RECORD_NAME.match(rule.name):
        yield Problem(where=rule.where, text="not a record named level:metric:operations")
    if not rule.expr.strip():
        yield Problem(where=rule.where, text="no expr")


def _alert(rule: Rule) -> Iterator[Problem]:
    if not ALERT_NAME.match(rule.alert):
        yield Problem(where=rule.where, text="an alert's name is written LikeThis")
    if not rule.expr.strip():
        yield Problem(where=rule.where, text="no expr")
    for key in ("for", "keep_firing_for"):
        value = rule.body.get(key)
        if value is not None and not DURATION.match(str(value)):
            yield Problem(where=rule.where, text=f"{key}: {value!r} is no duration such as 5m")
    yield from _labels(rule)
    yield from _annotations(rule)


def _labels(rule: Rule) -> Iterator[Problem]:
    labels = rule.body.get("labels") or {}
    if labels.get("severity") not in SEVERITIES:
        yield Problem(where=rule.where, text=f"severity is none of {', '.join(SEVERITIES)}", hint="Alertmanager routes on it")
    if "incident" not in labels:
        yield Problem(where=rule.where, text="no incident label", hint="Alertmanager's route to the receiver matches it")
    for name, value in labels.items():
        if "{{" in str(value):
            yield Problem(where=rule.where, text=f"label {name} is a template", hint="a value that changes makes a new alert every time")


def _annotations(rule: Rule) -> Iterator[Problem]:
    annotations = rule.body.get("annotations") or {}
    summary = str(annotations.get("summary", ""))
    if not summary.endswith(".") or "{{" in summary:
        yield Problem(
            where=rule.where, text="summary: expected one fixed sentence with a full stop", hint="put what varies into description"
        )
    if not annotations.get("description"):
        yield Problem(where=rule.where, text="no description")
    url = str(annotations.get("runbook_url", ""))
    if not url.startswith(("https://", "http://")) or not url.endswith(f"/{rule.alert}"):
        yield Problem(where=rule.where, text=f"runbook_url: expected an address that ends in /{rule.alert}, found {url!r}")


def _values(values: Values, alerts: dict[str, Rule]) -> Iterator[Problem]:
    for name, of_alert in values.alerts.items():
        rule = alerts.get(name)
        if rule is None:
            yield Problem(where=f"config/values.yaml: alerts.{name}", text="no such alert")
        elif of_alert.threshold is not None and not THRESHOLD.search(rule.expr):
            yield Problem(where=rule.where, text="has a threshold in config/values.yaml, but its expr does not end in one")


def _listed_metrics(directory: Path, rules: list[Rule]) -> Iterator[Problem]:
    listed = {metric.name for metric in read_metrics(directory)}
    for rule in rules if listed else ():
        for name in sorted(metric_names(rule.expr) - listed):
            yield Problem(where=rule.where, text=f"{name} is not listed in config/metrics.yaml", hint="nobody would notice its absence")


def _promtool(directory: Path, promtool: str | None) -> Iterator[Problem]:
    if promtool is None:
        yield Problem(
            where="promtool",
            text="not installed, so no expression was parsed and no unit test run",
            hint="it comes with Prometheus",
            level=Level.WARNING,
        )
        return
    rule_files = sorted(directory.glob(RULE_FILES))
    yield from _run(promtool, ["check", "rules", "--lint=all", "--lint-fatal"], rule_files)
    yield from _run(promtool, ["test", "rules"], sorted(directory.glob(TEST_FILES)))


def _run(promtool: str, command: list[str], files: list[Path]) -> Iterator[Problem]:
    if not files:
        return
    try:
        done = subprocess.run(
            [promtool, *command, *map(str, files)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROMTOOL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        yield Problem(where="promtool", text=f"could not be run: {exc}")
        return
    if done.returncode != 0:
        yield Problem(where=f"promtool {' '.join(command[:2])}", text=(done.stdout + done.stderr).strip())
