"""What an alert must carry to be routed, understood and looked up, and what its name and labels must not be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from receiver.errors import ConfigError
from receiver.rulepack.files import Rule
from receiver.rulepack.marks import duration_ms
from receiver.rulepack.pack import Pack
from receiver.rulepack.places import runbooks_dir
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.schema import SEVERITIES

ALERT_NAME = re.compile(r"^[A-Z][A-Za-z0-9]+$")
RECORD_NAME = re.compile(r"^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*:[a-z0-9_]+$")  # level:metric:operations


def check_conventions(pack: Pack, runbook_base: str, *, is_own: bool) -> Iterator[Problem]:
    """`is_own`: a pack with its own values, where style counts as much as the rest; elsewhere it is a warning."""
    style = Level.ERROR if is_own else Level.WARNING
    yield from _names(pack)
    for rule in pack.rules:
        if not rule.expr.strip():
            yield Problem(where=rule.where, text="no expr")
        if not rule.alert:
            if not RECORD_NAME.match(rule.name):
                yield Problem(where=rule.where, text="not a record named level:metric:operations", level=style)
            continue
        if not ALERT_NAME.match(rule.alert):
            yield Problem(where=rule.where, text="an alert's name is written LikeThis", level=style)
        yield from _durations(rule)
        yield from _labels(rule)
        yield from _annotations(rule, style)
        yield from _runbook(rule, pack, runbook_base, is_own=is_own)


def _names(pack: Pack) -> Iterator[Problem]:
    groups = Counter(str(group["name"]) for file in pack.files for group in file.groups)
    for name, times in groups.items():
        if times > 1:
            yield Problem(where=f"group {name}", text=f"is there {times} times", hint="a PrometheusRule may hold each name once")
    by_name: dict[str, list[Rule]] = {}
    for rule in pack.rules:
        by_name.setdefault(rule.name, []).append(rule)
    for name, rules in by_name.items():
        clash = next((pair for pair in combinations(rules, 2) if not _told_apart(*pair)), None)
        if clash is None:
            continue
        hint = "people route and silence by the name" if clash[0].alert else "both write the same series; give each a label of its own"
        yield Problem(where=clash[1].where, text=f"{name} is defined {len(rules)} times with the same labels", hint=hint)


def _told_apart(one: Rule, other: Rule) -> bool:
    """Whether a label of both has another value in each."""
    ones, others = one.labels, other.labels
    return any(name in others and others[name] != value for name, value in ones.items())


def _durations(rule: Rule) -> Iterator[Problem]:
    for key in ("for", "keep_firing_for"):
        value = rule.body.get(key)
        try:
            if value is not None:
                duration_ms(str(value))
        except ConfigError:
            yield Problem(where=rule.where, text=f"{key}: {value!r} is no duration such as 5m")


def _labels(rule: Rule) -> Iterator[Problem]:
    severity = rule.labels.get("severity")
    if severity is None:
        yield Problem(where=rule.where, text="no severity label", hint="Alertmanager routes on it")
    elif severity not in SEVERITIES:
        yield Problem(where=rule.where, text=f"severity is none of {', '.join(SEVERITIES)}", hint="Alertmanager routes on it")
    if "incident" not in rule.labels:
        yield Problem(where=rule.where, text="no incident label", hint="Alertmanager's route to the receiver matches it")
    for name, value in rule.labels.items():
        if "{{" in value:
            yield Problem(where=rule.where, text=f"label {name} is a template", hint="a value that changes makes a new alert every time")


def _annotations(rule: Rule, style: Level) -> Iterator[Problem]:
    annotations = rule.body.get("annotations") or {}
    summary = str(annotations.get("summary", ""))
    if not summary.endswith(".") or "{{" in summary:
        text, hint = "summary: expected one fixed sentence with a full stop", "put what varies into description"
        yield Problem(where=rule.where, text=text, hint=hint, level=style)
    if not annotations.get("description"):
        yield Problem(where=rule.where, text="no description", level=style)


def _runbook(rule: Rule, pack: Pack, base: str, *, is_own: bool) -> Iterator[Problem]:
    url = str((rule.body.get("annotations") or {}).get("runbook_url", ""))
    if not url.startswith(("https://", "http://")) or (is_own and not url.endswith(f"/{rule.alert}")):
        which = f"that ends in /{rule.alert}" if is_own else "that begins with https://"
        found = f"found {url!r}" if url else "there is none"
        yield Problem(where=rule.where, text=f"runbook_url: expected an address {which}, {found}", hint="who is woken needs the page")
    elif base and url.startswith(base):
        page = url.removeprefix(base).strip("/")
        folders = _runbook_folders(pack.directory)
        if not any((folder / f"{page}.md").is_file() for folder in folders):
            where = " or ".join(map(str, folders))
            yield Problem(where=rule.where, text=f"runbook_url: no page {page}.md", hint=f"looked for in {where}")


def _runbook_folders(directory: Path) -> list[Path]:
    beside = (directory / "runbooks", directory.resolve().parent / "docs" / "runbooks")
    return [folder for folder in beside if folder.is_dir()] or [runbooks_dir()]
