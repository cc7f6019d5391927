"""Records written out mean what the recorded series mean: judged by Prometheus' own engine, on the same series, minute by minute."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from receiver.rulepack.backtest.expand import Expander, Record
from tests.e2e.binaries import binary

# Series that rise, vanish and come back, so that a wrong moment, window or filter gives another value or another set.
SERIES = {
    'x{s="a",n="1"}': "0+1x60",
    'x{s="a",n="2"}': "5+0x20 stale 7+0x40",
    'x{s="b"}': "100-1x15 stale _x10 50+2x30",
    'x{s="c"}': "_x25 3+3x35",
}
RECORDS = (
    Record(name="base:x:1", expr="max by (s) (x)  # the larger one", interval_s=60),
    Record(name="deep:x:1", expr="base:x:1 - base:x:1 offset 2m", interval_s=60),
    Record(name="own:x:1", expr='max(x{s!="c"})', interval_s=60, labels={"team": "a$1b"}),
    Record(name="none:x:1", expr="x > 1e9", interval_s=60),
    Record(name="two:x:1", expr='max by (s) (x{s="a"})', interval_s=60),
    Record(name="two:x:1", expr='max by (s) (x{s="b"}) # the other', interval_s=60),
)
READS = (
    "base:x:1",
    "base:x:1 > 10 # a comment",
    'base:x:1{s="a"}',
    'base:x:1{s!="a"}',
    'base:x:1{s=~"a|c"}',
    'base:x:1{s!~"a|c"}',
    'base:x:1{s!="", other=""}',
    'base:x:1{s="nobody"}',
    '{__name__="base:x:1", s="b"}',
    "sum_over_time(base:x:1[5m])",
    'count_over_time(base:x:1{s="b"}[5m])',
    "avg_over_time(base:x:1[5m] offset 3m)",
    "last_over_time(base:x:1[10m])",
    "base:x:1 offset 3m",
    'base:x:1{s="b"} offset 90s',
    "base:x:1 - base:x:1 offset 1m > 0",
    "max_over_time((base:x:1 > 20)[5m:1m])",
    "max_over_time(base:x:1[5m:2m])",
    "deep:x:1",
    "deep:x:1 offset 4m",
    "sum_over_time(deep:x:1[4m])",
    "absent(none:x:1) + 1",
    'sum by (team) (own:x:1{team="a$1b"})',
    "two:x:1",
    "sum_over_time(two:x:1[3m])",
    "sum by (s) (base:x:1) or sum by (s) (deep:x:1)",
)
FROM_MIN, TO_MIN = 12, 60


def test_written_out_they_mean_the_same(tmp_path: Path) -> None:
    """Every way to read a record, against the series that Prometheus itself recorded, over 49 minutes."""
    rules = [{"record": r.name, "expr": r.expr, "labels": dict(r.labels)} for r in RECORDS]
    rules += [{"record": f"read:{index}:1", "expr": expr} for index, expr in enumerate(READS)]
    expander = Expander(RECORDS)
    differences = []
    for index, expr in enumerate(READS):
        ours, theirs = f"({expander.expanded(expr, 60).expr})", f"read:{index}:1"
        differences.append(f"({theirs} unless {ours}) or ({ours} unless {theirs}) or ({theirs} - {ours} != 0)")
    tests = [
        {"expr": expr, "eval_time": f"{minute}m", "exp_samples": []} for expr in differences for minute in range(FROM_MIN, TO_MIN + 1)
    ]  # fmt: skip
    never_empty = [index for index, expr in enumerate(READS) if "nobody" not in expr]
    tests += [{"expr": f"absent(last_over_time(read:{index}:1[1h]))", "eval_time": "60m", "exp_samples": []} for index in never_empty]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    case = {"interval": "1m", "input_series": [{"series": k, "values": v} for k, v in SERIES.items()], "promql_expr_test": tests}
    (tmp_path / "test.yaml").write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))

    done = subprocess.run([binary("promtool"), "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
