"""The queries of the evidence and the rules on a real VictoriaMetrics, and its vmalert on the rendered pack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.errors import Rejected
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.rulepack import check_data, read_pack, render_rules, rules_dir
from receiver.transport import Http, HttpConfig
from tests.compat.victoria import RealVictoria
from tests.e2e.binaries import binary
from tests.e2e.test_prometheus_queries import *  # noqa: F403 - the same tests, on another server
from tests.e2e.test_prometheus_queries import NOW, NOW_S, RECORDED, cluster, made
from tests.fakes.kube import recorded


@pytest.fixture(scope="module")  # type: ignore[no-redef]
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVictoria]:
    with RealVictoria(tmp_path_factory.mktemp("victoria"), [*recorded(*RECORDED, now=NOW).series, *made(), *cluster()]) as server:
        yield server


def test_a_wrong_query_is_told_in_prometheus_words(real: RealVictoria) -> None:  # type: ignore[no-redef]
    """In its own words, that is, and as the question's fault."""
    with pytest.raises(Rejected, match="error when executing query"):
        Prometheus(PrometheusConfig(url=real.url)).instant("sum(", NOW_S)


def test_vmalert_takes_the_rendered_rules(tmp_path: Path) -> None:
    """Every expression, label and template of the pack, as its strict reading has them."""
    (tmp_path / "rules.yaml").write_text(render_rules(rules_dir(), output_format="plain"))

    done = subprocess.run(
        [binary("vmalert"), "-dryRun", f"-rule={tmp_path / 'rules.yaml'}", "-rule.validateTemplates=true", "-rule.validateExpressions=true"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_check_reads_it(real: RealVictoria) -> None:
    """`rules check --prometheus` names what is not there, instead of failing on an answer of another shape."""
    ask = Http(HttpConfig(base_url=real.url, name="Prometheus")).post_form_json

    problems = [str(problem) for problem in check_data(read_pack(rules_dir()), ask)]

    assert any("node_vmstat_oom_kill: not there" in problem for problem in problems)
