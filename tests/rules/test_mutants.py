"""The tool that breaks rules (`python -m bench rules_mutants`): what it breaks, and that its list of exceptions is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.rulepack import rules_dir
from receiver.rulepack.files import Rule
from tests.lab.mutant_run import cases_of, equivalents, is_listed, main
from tests.lab.rule_mutants import mutants_of
from tests.lab.rule_pack import reaches_s


def broken(expr: str) -> set[str]:
    """Every mutant of the expression, on one line."""
    rule = Rule(file="f", group="g", body={"record": "a:b:c", "expr": expr})
    return {" ".join(str(mutant.body["expr"]).split()) for mutant in mutants_of(rule)}


def test_numbers_operators_and_windows() -> None:
    """A threshold moves both ways, a comparison turns and becomes inclusive, a window is halved and doubled."""
    assert broken("rate(m[10m]) > 0.5") == {
        "rate(m[300s]) > 0.5", "rate(m[1200s]) > 0.5", "rate(m[10m]) >= 0.5", "rate(m[10m]) < 0.5", "rate(m[10m]) > 0.45", "rate(m[10m]) > 0.55",
    }  # fmt: skip


def test_matchers_and_labels() -> None:
    """Each matcher, each alternative and each label of a clause is missed once; a name stays a name."""
    assert broken('sum by (a, b) ({__name__=~"x|y", c="1", d!="2"})') == {
        'sum by ( b) ({__name__=~"x|y", c="1", d!="2"})', 'sum by (a) ({__name__=~"x|y", c="1", d!="2"})',
        'sum by (a, b) ({__name__=~"y", c="1", d!="2"})', 'sum by (a, b) ({__name__=~"x", c="1", d!="2"})',
        'sum by (a, b) ({__name__=~"x|y", d!="2"})', 'sum by (a, b) ({__name__=~"x|y", c="1"})',
    }  # fmt: skip


def test_operands() -> None:
    """Each branch of `or` goes, with its clause; so does what follows `and` and `unless`, which are swapped as well."""
    assert broken("(a or on (l) b and c) unless d") == {
        "(a ) unless d", "( b and c) unless d", "(a or on (l) b ) unless d", "(a or on (l) b unless c) unless d", "(a or on () b and c) unless d",
        "(a or on (l) b and c)", "(a or on (l) b and c) and d",
    }  # fmt: skip


def test_alerts_lose_and_change_everything_else() -> None:
    """Durations, labels and annotations of an alert are dropped and changed, one at a time."""
    body = {"alert": "A", "expr": "m", "keep_firing_for": "5m", "labels": {"severity": "info"}, "annotations": {"summary": "S."}}
    names = [mutant.name for mutant in mutants_of(Rule(file="f", group="g", body=body))]

    assert names == [
        "A: for added", "A: no keep_firing_for", "A: keep_firing_for: 5m -> 150s", "A: keep_firing_for: 5m -> 600s",
        "A: no label severity", "A: label severity changed", "A: no annotation summary", "A: annotation summary changed",
    ]  # fmt: skip


def test_names_are_unique_and_the_exceptions_exist() -> None:
    """Every mutant of the pack has a name of its own, and each listed exception still matches one, with a reason."""
    names = [case.mutant.name for case in cases_of(rules_dir())]

    assert len(names) == len(set(names)) > 800
    assert [pattern for pattern in equivalents() if not any(is_listed(name, [pattern]) for name in names)] == []
    assert all(len(reason) > 10 for reason in equivalents().values())


def small_pack(directory: Path, expected: int) -> Path:
    """A pack of one rule and one test, which expects that value of the record where the metric is 2."""
    (directory / "tests").mkdir()
    (directory / "own.rules.yaml").write_text("groups: [{name: g, rules: [{record: 'a:b:c', expr: m > 1}]}]")
    (directory / "tests" / "own.test.yaml").write_text(
        f"""
        rule_files: [../own.rules.yaml]
        tests:
          - input_series: [{{series: m, values: 2}}]
            promql_expr_test: [{{expr: 'a:b:c', eval_time: 0m, exp_samples: [{{labels: 'a:b:c', value: {expected}}}]}}]
        """
    )
    return directory


def test_survivors_are_named_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What no test notices is listed by name, counted by file, and makes the command fail."""
    with pytest.raises(SystemExit) as exited:
        main(["--pack", str(small_pack(tmp_path, expected=2))])

    lines = capsys.readouterr().out.splitlines()
    assert exited.value.code == 1
    assert lines[:3] == [f"SURVIVED a:b:c: {what} in `m > 1`" for what in ("> -> >=", "1 -> 0.9", "1 -> 1.1")]
    assert lines[3] == "own.rules.yaml: 1 noticed, 0 no PromQL, 0 equivalent, 3 survived"


def test_red_tests_judge_nothing(tmp_path: Path) -> None:
    """A test that fails on the rules as they are would notice every mutant: the command says which it is, and ends."""
    with pytest.raises(SystemExit, match=r"fail before anything is broken: own\.test\.yaml"):
        main(["--pack", str(small_pack(tmp_path, expected=3))])


def test_how_far_a_rule_looks_back() -> None:
    """Ranges, offsets and subqueries, for each metric by itself: that much history the measured cluster gets."""
    assert reaches_s("max_over_time(a[1h] offset 10m) > b and c offset 1d") == {"a": 4200, "b": 0, "c": 86400}
    assert reaches_s("max_over_time((a > 1)[2h:1m])") == {"a": 7200}
