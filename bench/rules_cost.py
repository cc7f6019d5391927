"""What the rules cost: CPU time of a real Prometheus per evaluation, beside the article's rule and popular ones.

    python -m bench rules_cost [--containers 1000 10000] [--rounds 7] [--pack DIR] [--data DIR] [--expr 'PROMQL' | --expr FILE ...]

A synthetic cluster (bench/rules_cluster.py) is written into Prometheus' head block, an hour or more at one sample a
minute; the pack's records are evaluated in order and written back as far as other rules reach. Then each expression is
wrapped in count() and asked as an instant query, all of them once a round, in another order each round. What counts is
the CPU time of Prometheus' threads, garbage collection included; medians over rounds. Absolute numbers are this
machine's; the ratios to the article's rule carry over.

--expr measures single expressions only, side by side (in a file, lines of --- separate several).
--data keeps the written cluster for the next run with the same pack, or with --expr.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.rules_cluster import Cluster
from receiver.rulepack import rules_dir
from receiver.rulepack.files import Rule
from receiver.rulepack.metrics import metric_names
from tests.lab.remote_write import Series, Writer, minutes
from tests.lab.rule_pack import BASELINES, INTERVAL_S, Measured, pack_of, reaches_s, records_in_order

RAW_S = 3660.0  # every series is at least this long: the average head chunk is half full then, as in life
OF_CLUSTER = ("container_", "kube_", "kubelet_", "node_")  # metrics that bench/rules_cluster.py has
ARTICLE = next(iter(BASELINES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One expression under measurement. `per_minute`: how often the pack evaluates it; 0 for what is only compared."""

    name: str
    expr: str
    per_minute: float = 0.0
    is_record: bool = False


def write_cluster(prometheus: Measured, containers: int, rules: Sequence[tuple[Rule, float]], end_ms: int) -> None:
    """The cluster's series, then the records."""
    reaches: dict[str, float] = {}
    for rule, _ in rules:
        for name, reach in reaches_s(rule.expr).items():
            reaches[name] = max(RAW_S, reaches.get(name, 0.0), reach + 2 * INTERVAL_S)
    records = records_in_order(rules)
    raw_s = max([RAW_S, *(reach for name, reach in reaches.items() if name.startswith(OF_CLUSTER))])
    times = list(minutes(end_ms, raw_s))
    cluster = Cluster(containers, end_s=end_ms / 1000, samples=len(times))
    started = time.perf_counter()
    series, samples = Writer(prometheus.url, times).send(cluster.series())
    print(f"{containers} containers: {series} series, {samples} samples written in {time.perf_counter() - started:.0f} s", flush=True)
    for rule, interval_s in records:
        times = list(minutes(end_ms, reaches.get(rule.name, RAW_S), interval_s))
        Writer(prometheus.url, times).send(_history(rule, prometheus.ask(rule.expr, end_ms / 1000), len(times)))


def _history(rule: Rule, found: Sequence[Any], samples: int) -> Iterator[Series]:
    """A record's present value all along, with a little noise where it is not a plain count."""
    rng = Random(rule.name)
    for one in found:
        value = float(one["value"][1])
        labels = {**one["metric"], "__name__": rule.name, **rule.body.get("labels", {})}
        yield Series(labels, value if value in (0, 1) else [value * (1 + 0.01 * rng.random()) for _ in range(samples)])


@contextmanager
def cluster_of(
    containers: int, rules: Sequence[tuple[Rule, float]], keep: Path | None, *, any_pack: bool = False
) -> Iterator[tuple[Measured, float]]:
    """A running Prometheus that holds the cluster and the records, and the time (s) of the newest sample.

    What `keep` holds is used again when it was written for these rules, or for any when `any_pack`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = (keep or Path(temporary)) / str(containers)
        mark = folder / "written.json"
        wanted = [[rule.name, rule.expr, interval_s] for rule, interval_s in rules]
        known = json.loads(mark.read_text()) if mark.exists() else {}
        if known and known["rules"] != wanted and not any_pack:
            shutil.rmtree(folder)
            known = {}
        end_ms = known.get("end_ms") or int(time.time() // 60 * 60_000)
        with Measured(folder, rules="groups: []") as prometheus:
            if not known:
                write_cluster(prometheus, containers, rules, end_ms)
                mark.write_text(json.dumps({"end_ms": end_ms, "rules": wanted}))
            yield prometheus, end_ms / 1000


def measure(prometheus: Measured, asked: Sequence[Asked], at_s: float, rounds: int) -> tuple[list[Mapping[str, float]], Mapping[str, int]]:
    """CPU ms by name for each round, and how many series each returns."""
    results: dict[str, int] = {}
    for one in asked:  # a round that does not count: caches, heap size
        found = prometheus.ask(f"count({one.expr}\n)", at_s)
        results[one.name] = int(found[0]["value"][1]) if found else 0
    rng = Random(0)
    taken: list[Mapping[str, float]] = []
    for _ in range(rounds):
        of_round: dict[str, float] = {}
        for one in rng.sample(list(asked), len(asked)):
            before = prometheus.cpu_ms()
            prometheus.ask(f"count({one.expr}\n)", at_s)
            of_round[one.name] = prometheus.cpu_ms() - before
        taken.append(of_round)
    return taken, results


def table(asked: Sequence[Asked], taken: list[Mapping[str, float]], results: Mapping[str, int], base: str) -> None:
    """One line per expression."""
    print(f"{'CPU ms':>8} {'x ' + base.split(':', maxsplit=1)[0]:>10} {'results':>8}  expression")
    for one in asked:
        cost = statistics.median(of_round[one.name] for of_round in taken)
        ratio = statistics.median(of_round[one.name] / of_round[base] for of_round in taken)
        every = f"  (every {60 / one.per_minute:.0f} s)" if one.per_minute and one.per_minute != 1 else ""
        print(f"{cost:8.1f} {ratio:10.2f} {results[one.name]:8d}  {one.name}{every}")


def per_minute_ms(asked: Sequence[Asked], taken: list[Mapping[str, float]]) -> tuple[float, float]:
    """CPU ms a minute of all that the pack evaluates: the sum of the medians, and the mean of the rounds' sums.

    Garbage is collected in lumps, in whatever query comes then: the first leaves the lumps out, the second has them.
    """
    medians = sum(statistics.median(of_round[one.name] for of_round in taken) * one.per_minute for one in asked)
    return medians, statistics.mean(sum(of_round[one.name] * one.per_minute for one in asked) for of_round in taken)


def of_pack(containers: int, directory: Path, rounds: int, keep: Path | None) -> float:
    """Measures the whole pack; CPU ms a minute."""
    rules = pack_of(directory)
    asked = [Asked(name=name, expr=expr) for name, expr in BASELINES.items()]
    asked += [Asked(name=rule.name, expr=rule.expr, per_minute=60 / interval_s, is_record=not rule.alert) for rule, interval_s in rules]
    with cluster_of(containers, rules, keep) as (prometheus, at_s):
        taken, results = measure(prometheus, asked, at_s, rounds)
        read = {name for rule, _ in rules for name in metric_names(rule.expr)}
        absent = sorted(name for name in read if not prometheus.ask(f"count({name})", at_s))
    table(asked, taken, results, ARTICLE)
    records, alerts = ([one for one in asked if one.per_minute and one.is_record is kind] for kind in (True, False))
    mixin = [Asked(name=one.name, expr="", per_minute=1) for one in asked if one.name.startswith("mixin")]
    article = [Asked(name=ARTICLE, expr="", per_minute=1)]
    parts = {"records": records, "alerts": alerts, "two mixin records": mixin, "the article's rule": article}
    print("CPU ms a minute: " + ", ".join(f"{name} {per_minute_ms(those, taken)[0]:.0f}" for name, those in parts.items()))
    total, with_garbage = per_minute_ms(asked, taken)
    added = sum(results[one.name] for one in records) / containers
    print(f"whole pack at {containers} containers: {total / 1000:.2f} CPU s a minute = {total / 600:.1f} % of one core "
          f"({with_garbage / 600:.1f} % with garbage collection's lumps), {total / per_minute_ms(article, taken)[0]:.1f} x the article's rule; "
          f"{added:.2f} series added per container")  # fmt: skip
    if absent:
        print(f"no series of these, as in a cluster without such events: {', '.join(absent)}")
    return total


def expressions(given: Sequence[str]) -> list[Asked]:
    """Of files (several expressions are kept apart by lines of ---) or as they are."""
    found = []
    for one in given:
        is_file = len(one) < 200 and Path(one).is_file()
        texts = Path(one).read_text().split("\n---\n") if is_file else [one]
        found += [Asked(name=" ".join(text.split())[:110], expr=text) for text in texts]
    return [Asked(name=f"{number}: {one.name}", expr=one.expr) for number, one in enumerate(found, 1)]


def main(arguments: Sequence[str] = ()) -> None:
    """The pack at each size, or the given expressions."""
    parser = argparse.ArgumentParser(prog="python -m bench rules_cost")
    parser.add_argument("--containers", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pack", type=Path, default=rules_dir(), help="folder with *.rules.yaml")
    parser.add_argument("--data", type=Path, help="folder that keeps the written cluster")
    parser.add_argument("--expr", nargs="+", default=[], help="PromQL or files of it, instead of the pack")
    options = parser.parse_args(arguments)
    totals = []
    for containers in options.containers:
        if options.expr:
            asked = [Asked(name=ARTICLE, expr=BASELINES[ARTICLE]), *expressions(options.expr)]
            with cluster_of(containers, pack_of(options.pack), options.data, any_pack=True) as (prometheus, at_s):
                table(asked, *measure(prometheus, asked, at_s, options.rounds), ARTICLE)
        else:
            totals.append(of_pack(containers, options.pack, options.rounds, options.data))
    if len(totals) > 1:
        growth = options.containers[-1] / options.containers[0]
        print(f"{growth:.0f} x the containers cost {totals[-1] / totals[0]:.1f} x")
