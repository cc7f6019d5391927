"""`oomtriage rules backtest` on a Prometheus that holds little: options, exit codes, what is sent, what is made safe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.cli.main import main
from tests.fakes.ranges import RangePrometheus

RULES = """
groups:
  - name: g
    rules:
      - alert: HighMemoryUsage
        expr: x > 0.8
        for: 5m
        labels: {severity: warning}
        annotations: {description: "{{ $labels.pod }}"}
"""


@pytest.fixture
def prometheus() -> Iterator[RangePrometheus]:
    with RangePrometheus() as running:
        yield running


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "my.rules.yaml").write_text(RULES)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["rules", "backtest", "--until", "2024-11-10T00:00:00Z", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--since", "soon"], "--since 'soon'"),
        (["--until", "yesterday"], "--until 'yesterday'"),
        (["--step", "10m"], "--step '10m'"),
        (["--max-queries", "0"], "--max-queries '0'"),
        (["--alert", "NoSuch"], "there are HighMemoryUsage"),
        (["--matchers", "cluster=prod"], "--matchers"),
        (["--prometheus", "ftp://a:secret@b"], "http://"),
        (["--against", "/nowhere"], "/nowhere"),
        (["--values", "/nowhere.yaml"], "the values file"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_2(
    arguments: list[str], expected: str, rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the option; nothing was asked, and no password is shown."""
    code, out, err = run(capsys, str(rules), "--prometheus", prometheus.url, *arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err
    assert "secret" not in err
    assert prometheus.asked == []


def test_nobody_there_is_exit_1(rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the address."""
    prometheus.stop()
    code, out, err = run(capsys, str(rules), "--prometheus", prometheus.url, "-q")

    assert (code, out) == (1, "")
    assert prometheus.url.removeprefix("http://") in err


def test_nothing_evaluated_is_exit_1_with_the_reason(rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """A Prometheus that refuses every expression: no table of zeros, the reason for each."""
    prometheus.statuses = [400] * 99
    code, out, _ = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--since", "1d")

    assert code == 1
    assert "HighMemoryUsage: Prometheus refused the query" in out
    assert "kills by time of death were not looked for" in out


def test_a_budget_that_ends_leaves_a_partial_answer(rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """What was evaluated is shown with its share of the time, and the option that ended it."""
    prometheus.series = []
    (rules / "my.rules.yaml").write_text(RULES.replace("for: 5m", "for: 1m"))
    code, out, _ = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--max-queries", "15")

    assert code == 0
    assert "HighMemoryUsage: the budget of 15 queries was used up (--max-queries)" in out
    assert "% of the time was evaluated" in out


def test_token_headers_and_parameters_are_sent(
    rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same settings as the receiver's, for Mimir and Thanos; the token is in no output."""
    monkeypatch.setenv("PROMETHEUS_TOKEN", "top-secret")
    monkeypatch.setenv("PROMETHEUS_HEADERS", "X-Scope-OrgID: team-a")
    monkeypatch.setenv("PROMETHEUS_PARAMS", "max_source_resolution=5m")
    monkeypatch.setenv("PROMETHEUS_MATCHERS", 'cluster="prod"')
    _, out, err = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--since", "1h")
    asked = prometheus.asked[-1]

    assert asked.headers["Authorization"] == "Bearer top-secret"
    assert asked.headers["X-Scope-OrgID"] == "team-a"
    assert asked.form["max_source_resolution"] == "5m"
    assert asked.query == 'x{cluster="prod"} > 0.8'
    assert "top-secret" not in out + err


def test_values_change_the_rules_that_are_tested(rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """As for render; and --against-values compares the same rules with other values."""
    (rules / "mine.yaml").write_text("alerts: {HighMemoryUsage: {for: 10m}}")
    (rules / "theirs.yaml").write_text("alerts: {HighMemoryUsage: {for: 20m}}")
    both = ("--values", str(rules / "mine.yaml"), "--against-values", str(rules / "theirs.yaml"))
    _, out, _ = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--since", "1h", "-o", "json", *both)
    document = json.loads(out)

    assert document["alerts"][0]["for_s"] == 600
    assert document["comparison"]["alerts"][0]["longer"][0]["before"]["from"] == "2024-11-09T23:20:00Z"
    assert document["comparison"]["alerts"][0]["longer"][0]["after"]["from"] == "2024-11-09T23:10:00Z"


def test_labels_cannot_break_out_of_what_is_printed(rules: Path, prometheus: RangePrometheus, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences, line breaks, code spans, table cells, mentions and tags in a label stay text."""
    evil = "a\x1b[31m`|@everyone\n# <img src=x>"
    prometheus.series = [{"namespace": evil, "pod": f"p-{evil}", "container": evil}]
    _, text, _ = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--since", "1h")
    _, markdown, _ = run(capsys, str(rules), "--prometheus", prometheus.url, "-q", "--since", "1h", "-o", "markdown")

    assert "\x1b" not in text + markdown
    assert not any(line.startswith("# <img") for line in (text + markdown).splitlines())
    outside = "".join(part for line in markdown.splitlines() for part in line.split("`")[::2])
    assert "@everyone" not in outside
    assert "<img" not in outside
