"""The article's rule (the one this project began with), rules that people copy, and ours over the same series: who is told of what, and who is not.

Every case of tests/lab/rule_scenarios.py lies in its own three hours of one real Prometheus, far from the others. The pack's
records are evaluated there every 30 seconds and written back, staleness markers included; then the alerts are. `for` and
keep_firing_for are counted here as Prometheus counts them. docs/rules/compared.md holds the outcome.
"""

from __future__ import annotations

import json
import tempfile
import urllib.error
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from receiver.rulepack.files import Rule
from tests.lab.remote_write import STALE, Series, Writer
from tests.lab.rule_pack import BASELINES, Measured, duration_s, pack_of, reaches_s, records_in_order
from tests.lab.rule_scenarios import END_MIN, START_MIN, Expected, Line, Scenario, Stamp, near_the_limit, was_killed

STEP_S = 30
STEPS = int((END_MIN - START_MIN) * 60 / STEP_S) + 1
MINUTES = tuple(START_MIN + step * STEP_S / 60 for step in range(STEPS))
EPOCH_S = 1_700_000_000 // STEP_S * STEP_S
APART_S = 2 * 86400
JUDGED_FROM_MIN = -30.0  # what fires only before that is the beginning of the series, not of the case
NEAR = ("HighMemoryUsage",)
KILLS = ("OOMKilled", "ChildProcessOOMKilled", "SigkilledNearMemoryLimit", "UnattributedOOMKill")
OURS, RIGHT = "ours", "right"
HEAD = """# The rules, compared

The same series, given to the rule that this project began with (article), to rules that people copy, and to ours, on a real Prometheus
(`python -m bench rules_compare`, which wrote this page; `tests/rules/test_compared.py` keeps it true). Samples and
evaluations are 30 seconds apart.

"Close" means that a container was above 80 % of its limit for 5 minutes without a break, counting what the kernel cannot take back.
Each cell says what the on-call would have seen:

- **missed**: nobody was told in time (9 minutes after it filled up, 2 to 6 after a kill).
- **false alarm (n)**: n alerts about something that did not happen.
- **flaps (n)**: told, and n more times resolved and told again. **twice**: two alerts at once for one thing.
- **never ends**: still firing more than 40 minutes later.
- **error**: Prometheus refuses to evaluate the rule at that time, for the whole cluster.

Ours are HighMemoryUsage for the first question; for the second OOMKilled, ChildProcessOOMKilled, SigkilledNearMemoryLimit and UnattributedOOMKill together."""

Subject = tuple[str, str, str]  # cluster, pod, container


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule; durations in seconds."""

    name: str
    expr: str
    for_s: float = 0.0
    keep_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One alert from when it fires until it ends, in minutes of its case."""

    alert: str
    identity: str
    subject: Subject
    begin: float
    end: float


# By column: rules as they are copied. The join is the usual repair of the article's rule, rss the usual cure for page cache.
NEAR_RIVALS = {
    "article": Alert(name="article", expr=BASELINES["article: HighMemoryUsage"], for_s=300),
    "samber": Alert(name="samber", expr=BASELINES["samber: container memory"], for_s=120),
    "joined": Alert(
        name="joined",
        expr='container_memory_working_set_bytes{container!=""} / on (namespace, pod, container)'
        ' kube_pod_container_resource_limits{resource="memory"} > 0.8',
        for_s=300,
    ),
    "rss": Alert(
        name="rss",
        expr='max by (namespace, pod, container) (container_memory_rss{container!=""})'
        ' / max by (namespace, pod, container) (kube_pod_container_resource_limits{resource="memory"}) > 0.8',
        for_s=300,
    ),
}
KILL_RIVALS = {
    "sticky": Alert(name="sticky", expr='kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1'),
    "samber": Alert(name="samber", expr=BASELINES["samber: OOM killer"]),
    "classic": Alert(
        name="classic",
        expr='kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1'
        " and on (namespace, pod, container) increase(kube_pod_container_status_restarts_total[5m]) > 0",
    ),
}


def origin_s(number: int) -> int:
    """When minute 0 of case `number` is."""
    return EPOCH_S + number * APART_S


def series_of(line: Line, number: int) -> Series:
    """The line's samples; what cAdvisor did not say ends silently, the rest with a staleness marker."""
    has_marker = not line.labels["__name__"].startswith("container_")
    values: list[float | None] = []
    is_there = False
    for minute in MINUTES:
        value = line.at(minute)
        if value is not None:
            values.append(origin_s(number) + float(value) * 60 if isinstance(value, Stamp) else value)
        else:
            values.append(STALE if is_there and has_marker else None)
        is_there = value is not None
    return Series(line.labels, values)


@contextmanager
def recorded(scenarios: Sequence[Scenario], rules: Sequence[tuple[Rule, float]]) -> Iterator[Measured]:
    """A running Prometheus that holds every case and what the pack records there."""
    with tempfile.TemporaryDirectory() as folder, Measured(Path(folder), rules="groups: []") as prometheus:
        records = needed_records(rules, {*NEAR, *KILLS})
        for number, scenario in enumerate(scenarios):
            times_ms = [1000 * (origin_s(number) + int(minute * 60)) for minute in MINUTES]
            writer = Writer(prometheus.url, times_ms)
            writer.send(series_of(line, number) for line in scenario.lines)
            for rule in records:
                found = ask(prometheus, rule.expr, number)
                writer.send(_written_back(rule, series, number) for series in found or ())
        yield prometheus


def needed_records(rules: Sequence[tuple[Rule, float]], alerts: Iterable[str]) -> list[Rule]:
    """The records that these alerts read, and those that they read in turn, in order."""
    by_name = {rule.name: rule for rule, _ in rules}
    todo, wanted = list(alerts), set()
    while todo:
        rule = by_name.get(todo.pop())
        if rule is not None and rule.name not in wanted:
            wanted.add(rule.name)
            todo += reaches_s(rule.expr)
    return [rule for rule, _ in records_in_order(rules) if rule.name in wanted]


def _written_back(rule: Rule, series: Mapping[str, Any], number: int) -> Series:
    at = _by_step(series["values"], number)
    values = [at.get(step, STALE if step - 1 in at else None) for step in range(STEPS)]
    return Series({**series["metric"], "__name__": rule.name}, values)


def _by_step(values: Sequence[Sequence[Any]], number: int) -> dict[int, float]:
    start_s = origin_s(number) + START_MIN * 60
    return {round((float(at) - start_s) / STEP_S): float(value) for at, value in values}


def ask(prometheus: Measured, expr: str, number: int) -> list[Any] | None:
    """The expression over the time of one case. None when Prometheus cannot evaluate it there."""
    start_s = origin_s(number) + int(START_MIN * 60)
    parameters = {"query": expr, "start": str(start_s), "end": str(start_s + (STEPS - 1) * STEP_S), "step": str(STEP_S)}
    try:
        found: list[Any] = prometheus.get("/api/v1/query_range", **parameters)["data"]["result"]
    except urllib.error.HTTPError as exc:
        if exc.code == 422:
            return None
        raise
    return found


def firings(alert: Alert, found: Sequence[Mapping[str, Any]], number: int, scenario: Scenario) -> Iterator[Firing]:
    """When each alert fires, as Prometheus' rule manager would have it."""
    for series in found:
        there = _by_step(series["values"], number)
        labels = {k: v for k, v in series["metric"].items() if k != "__name__"}
        for begin, end in spans(there.keys(), alert.for_s / STEP_S, alert.keep_s / STEP_S):
            yield Firing(
                alert=alert.name, identity=json.dumps(labels, sort_keys=True), subject=subject_of(labels, scenario),
                begin=MINUTES[begin], end=MINUTES[end],
            )  # fmt: skip


def spans(there: Iterable[int], for_steps: float, keep_steps: float) -> Iterator[tuple[int, int]]:
    """First and last step of each time an alert fires whose expression holds at the steps `there`."""
    held = frozenset(there)
    active = fires = gone = None
    for step in range(STEPS):
        if step in held:
            active, gone = step if active is None else active, None
            if fires is None and step - active >= for_steps:
                fires = step
        elif active is not None:
            gone = step if gone is None else gone
            if fires is None or step - gone >= keep_steps:
                if fires is not None:
                    yield fires, step - 1
                active = fires = gone = None
    if fires is not None:
        yield fires, STEPS - 1


def subject_of(labels: Mapping[str, str], scenario: Scenario) -> Subject:
    """Whom the alert is about; where it names only cAdvisor's `name`, that container."""
    if "pod" not in labels and labels.get("name"):
        labels = next(line.labels for line in scenario.lines if line.labels.get("name") == labels["name"])
    return labels.get("cluster", ""), labels.get("pod", ""), labels.get("container", "")


def verdict(scenario: Scenario, fired: Sequence[Firing] | None) -> str:
    """In words: right, or what is wrong with it. None is a rule that could not be evaluated."""
    if fired is None:
        return "error"
    seen = [one for one in fired if one.end >= JUDGED_FROM_MIN]
    told = {expected: [one for one in seen if _is_about(one, expected)] for expected in scenario.expected}
    wrong: Counter[str] = Counter()
    for expected, those in told.items():
        wrong["missed"] += not any(expected.begin - 0.5 <= one.begin <= expected.begin + expected.within for one in those)
        times = Counter(one.alert for one in those)
        identities = Counter(alert for alert, _ in {(one.alert, one.identity) for one in those})
        again = max((times[alert] for alert in times), default=1) - 1
        at_once = max((identities[alert] for alert in times), default=1) - 1
        wrong["twice" if at_once and _overlap(those) else "flaps"] += again
        wrong["never ends"] += any(one.end > expected.over_by for one in those)
    wrong["false alarm"] = sum(not any(one in those for those in told.values()) for one in seen)
    parts = [f"{what} ({times})" if what in ("flaps", "false alarm") and times > 1 else what for what, times in wrong.items() if times]
    return ", ".join(parts) or RIGHT


def _is_about(fired: Firing, expected: Expected) -> bool:
    if expected.pod == "":
        return True
    cluster, pod, container = fired.subject
    return (pod, container) == (expected.pod, expected.container) and cluster == expected.cluster


def _overlap(those: Sequence[Firing]) -> bool:
    ordered = sorted(those, key=lambda one: one.begin)
    return any(a.alert == b.alert and b.begin <= a.end for a, b in pairwise(ordered))


def of_pack(rules: Sequence[tuple[Rule, float]], names: Sequence[str]) -> list[Alert]:
    """Our alerts of these names."""
    found = {rule.alert: rule for rule, _ in rules if rule.alert in names}
    return [
        Alert(
            name=name, expr=found[name].expr, for_s=duration_s(str(found[name].body.get("for", "0s"))),
            keep_s=duration_s(str(found[name].body.get("keep_firing_for", "0s"))),
        )
        for name in names
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One question: its cases, and by column the verdict on each."""

    title: str
    scenarios: tuple[Scenario, ...]
    verdicts: Mapping[str, tuple[str, ...]]


def compare(directory: Path) -> tuple[Compared, ...]:
    """Both questions, answered by everybody."""
    rules = pack_of(directory)
    near, killed = near_the_limit(), was_killed()
    columns_near = {**{name: [alert] for name, alert in NEAR_RIVALS.items()}, OURS: of_pack(rules, NEAR)}
    columns_killed = {**{name: [alert] for name, alert in KILL_RIVALS.items()}, OURS: of_pack(rules, KILLS)}
    with recorded((*near, *killed), rules) as prometheus:
        return (
            _compared(prometheus, "Is a container close to its limit?", near, columns_near, 0),
            _compared(prometheus, "Was something killed for memory?", killed, columns_killed, len(near)),
        )


def _compared(
    prometheus: Measured, title: str, scenarios: tuple[Scenario, ...], columns: Mapping[str, Sequence[Alert]], first: int
) -> Compared:
    verdicts = {}
    for name, alerts in columns.items():
        verdicts[name] = tuple(
            verdict(scenario, _all_firings(prometheus, alerts, number, scenario)) for number, scenario in enumerate(scenarios, first)
        )
    return Compared(title=title, scenarios=scenarios, verdicts=verdicts)


def _all_firings(prometheus: Measured, alerts: Sequence[Alert], number: int, scenario: Scenario) -> list[Firing] | None:
    fired: list[Firing] = []
    for alert in alerts:
        found = ask(prometheus, alert.expr, number)
        if found is None:
            return None
        fired += firings(alert, found, number, scenario)
    return fired


def markdown(compared: Sequence[Compared]) -> str:
    """docs/rules/compared.md."""
    return "\n\n".join([HEAD, *map(_table, compared), _rivals()]) + "\n"


def _table(compared: Compared) -> str:
    names = list(compared.verdicts)
    rows = [f"| case | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for index, scenario in enumerate(compared.scenarios):
        cells = (compared.verdicts[name][index] for name in names)
        rows.append(f"| {scenario.what} | {' | '.join(cell if cell == RIGHT else f'**{cell}**' for cell in cells)} |")
    right = [str(sum(cell == RIGHT for cell in compared.verdicts[name])) for name in names]
    rows.append(f"| right, of {len(compared.scenarios)} | {' | '.join(right)} |")
    blind = [f"- {scenario.what}: {scenario.blind}." for scenario in compared.scenarios if scenario.blind]
    return "\n".join([f"## {compared.title}\n", *rows, "\nWhere ours is wrong, and known to be:\n", *blind])


def _rivals() -> str:
    parts = ["## The other rules"]
    for title, rivals in (("close to the limit", NEAR_RIVALS), ("killed", KILL_RIVALS)):
        parts += [
            f"{alert.name} ({title}{f', for {alert.for_s / 60:.0f}m' if alert.for_s else ''}):\n\n    {alert.expr}"
            for alert in rivals.values()
        ]
    return "\n\n".join(parts)
