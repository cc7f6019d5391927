"""The simulated state machine says the same as Prometheus' own, evaluation by evaluation."""

from __future__ import annotations

import json
import subprocess
from itertools import product
from pathlib import Path
from random import Random

from receiver.rulepack.backtest.states import Presence, firing_spans
from tests.e2e.binaries import binary

STEP_S = 60
EVALUATIONS = 90
DURATIONS_S = (0, 60, 90, 180, 300)
SERIES_EACH = 4


def histories() -> dict[tuple[int, int, int], list[bool]]:
    """(for, keep_firing_for, number) -> whether the expression returned the series, by evaluation: runs and gaps of any length."""
    random = Random(20241110)
    found = {}
    for for_s, keep_s, number in product(DURATIONS_S, DURATIONS_S, range(SERIES_EACH)):
        history: list[bool] = []
        is_there = random.random() < 0.5
        while len(history) < EVALUATIONS:
            history += [is_there] * random.choice((1, 1, 2, 3, 4, 5, 6, 9))
            is_there = not is_there
        found[(for_s, keep_s, number)] = history[:EVALUATIONS]
    return found


def simulated(for_s: int, keep_s: int, history: list[bool]) -> list[bool]:
    presence = Presence(STEP_S)
    presence.add({}, [index * STEP_S for index, is_there in enumerate(history) if is_there])
    runs = presence.runs()[()]
    spans = firing_spans(runs, step_s=STEP_S, for_s=for_s, keep_s=keep_s, last_s=(EVALUATIONS - 1) * STEP_S)
    return [
        any(span.from_s <= at < span.until_s or (span.is_open and at == span.until_s) for span in spans)
        for at in range(0, EVALUATIONS * STEP_S, STEP_S)
    ]


def test_the_simulation_fires_when_prometheus_does(tmp_path: Path) -> None:
    """A hundred random histories, every combination of `for` and `keep_firing_for`, each of 90 evaluations compared."""
    found = histories()
    rules = [
        {"alert": f"A{for_s}_{keep_s}", "expr": f'x{{alert="A{for_s}_{keep_s}"}} == 1', "for": f"{for_s}s"}
        | ({"keep_firing_for": f"{keep_s}s"} if keep_s else {})
        for for_s, keep_s in product(DURATIONS_S, DURATIONS_S)
    ]
    firing = {key: simulated(key[0], key[1], history) for key, history in found.items()}
    tests = [
        {
            "expr": 'ALERTS{alertstate="firing"}',
            "eval_time": f"{index * STEP_S}s",
            "exp_samples": [
                {"labels": f'ALERTS{{alertname="A{f}_{k}",alertstate="firing",alert="A{f}_{k}",n="{n}"}}', "value": 1}
                for (f, k, n), fires in firing.items()
                if fires[index]
            ],
        }
        for index in range(EVALUATIONS)
    ]
    series = [
        {"series": f'x{{alert="A{f}_{k}",n="{n}"}}', "values": " ".join("1" if is_there else "0" for is_there in history)}
        for (f, k, n), history in found.items()
    ]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    case = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    (tmp_path / "test.yaml").write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))

    done = subprocess.run([binary("promtool"), "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert sum(map(sum, firing.values())) > 1000
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
