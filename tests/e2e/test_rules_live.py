"""`rules check --prometheus` against a real Prometheus that holds several installations, told apart by their cluster label."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from receiver.promql.selectors import parse_matchers
from receiver.rulepack import Level, Pack, Problem, check_data, measure, read_pack, rules_dir
from receiver.rulepack.ask import Ask
from receiver.transport import Http, HttpConfig
from tests.e2e.binaries import binary
from tests.e2e.servers import Prometheus

SUBJECT = {
    "namespace": "shop", "pod": "cart-0", "container": "cart", "uid": "u1", "node": "n1", "nodename": "n1", "instance": "10.0.0.1:1",
    "job": "j",
}  # fmt: skip
PACK = read_pack(rules_dir())
# The article's rule.
NAIVE = 'container_memory_working_set_bytes{container!~"|POD"} / container_spec_memory_limit_bytes{container!~"|POD"} > 0.8'
JOINED = 'container_memory_working_set_bytes{container!~"|POD"} / on (namespace, pod, container) kube_pod_container_resource_limits'


def usual(cluster: str) -> Iterator[tuple[str, dict[str, str]]]:
    """One series of every metric that a healthy cluster has, with every label."""
    yield "up", {**SUBJECT, "cluster": cluster}
    for metric in PACK.metrics.listed:
        fixed = {matcher.label: matcher.value[1:-1] for matcher in parse_matchers(metric.where) if matcher.operator == "="}
        if metric.need != "event":
            yield metric.name, {**SUBJECT, **fixed, "cluster": cluster}


def installations() -> Iterator[tuple[str, dict[str, str]]]:
    """(metric, labels) of every series."""
    for name, labels in usual("kps"):
        if not name.startswith("container_spec"):
            yield name, labels
    for name, labels in usual("old"):
        renamed = {"pod": "pod_name", "container": "container_name"} if name.startswith("container_") else {}
        yield name, {renamed.get(label, label): value for label, value in labels.items()}
    for name, labels in usual("dishonoured"):
        own = {"exported_pod": labels["pod"], "exported_namespace": "shop", "pod": "ksm-0", "namespace": "monitoring"}
        yield name, {**labels, **own} if name.startswith("kube_") else labels
    for name, labels in usual("mixed"):
        yield name, labels
        if name == "kube_pod_start_time":
            yield name, {**{label: value for label, value in labels.items() if label != "uid"}, "pod": "cart-1"}
    for name, labels in usual("twins"):
        for replica in ("a", "b") if name.startswith("kube_") else ("a",):
            yield name, {**labels, "instance": replica}
    for name, labels in usual("nothing"):
        if not name.startswith("node_") and "limit" not in name and name != "container_oom_events_total":
            yield name, labels
    for name, labels in usual("installed"):
        yield name, labels
    for rule in PACK.rules:
        if not rule.alert:
            yield rule.name, {**SUBJECT, "cluster": "installed"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("live")
    now = time.time()
    by_name: dict[str, list[str]] = {}
    for name, labels in installations():
        text = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        by_name.setdefault(name, []).append(f"{name}{{{text}}} 1 {now:.3f}")
    (folder / "samples.txt").write_text("\n".join([*(line for lines in by_name.values() for line in lines), "# EOF\n"]))
    command = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with Prometheus(folder, rules="groups: []") as running:
        yield running


@pytest.fixture
def ask(prometheus: Prometheus) -> Ask:
    return Http(HttpConfig(base_url=prometheus.url, name="Prometheus")).post_form_json


def own(folder: Path, expr: str) -> Pack:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [{"alert": "Mine", "expr": expr}]}]}))
    return read_pack(path)


def problems(pack: Pack, ask: Ask, cluster: str) -> list[Problem]:
    return list(check_data(pack, ask, matchers=f'cluster="{cluster}"'))


def test_the_pack_needs_nothing_that_kube_prometheus_stack_drops(ask: Ask) -> None:
    """Without container_spec_* the other source of limits is enough, and nothing is said."""
    assert problems(PACK, ask, "kps") == []


def test_a_dropped_metric_is_found_and_who_drops_it(ask: Ask, tmp_path: Path) -> None:
    """The article's rule returns nothing there, for ever; the check says which metric and why."""
    found = problems(own(tmp_path, NAIVE), ask, "kps")

    assert [(problem.level, problem.where) for problem in found] == [(Level.ERROR, "container_spec_memory_limit_bytes")]
    assert "kube-prometheus-stack (kubelet.serviceMonitor.cAdvisorMetricRelabelings) drops it" in found[0].hint


def test_labels_of_other_names_are_told_from_missing_metrics(ask: Ask) -> None:
    """Old kubelets say pod_name and container_name."""
    found = {problem.where: problem.text for problem in problems(PACK, ask, "old")}

    assert found["container_memory_working_set_bytes"] == 'there, but none with container!="", container!="POD"'
    assert {name for name in found if name.startswith("kube_")} == set()


def test_a_label_that_the_rules_group_by_and_no_series_has(ask: Ask, tmp_path: Path) -> None:
    """The label is named with the rule that needs it and the value that renames it."""
    pack = own(tmp_path, "sum by (pod, namespace) (container_memory_working_set_bytes) > on (pod) group_left () sum by (pod) (up)")

    found = problems(pack, ask, "old")

    assert [str(problem) for problem in found] == [
        "error: container_memory_working_set_bytes: none of its 1 series carries the label pod, which Mine needs "
        "(what carries it? `label_names: {pod: ...}` if it has another name)"
    ]


def test_exported_labels_are_found(ask: Ask) -> None:
    """Without honor_labels the rules would name the pod of kube-state-metrics itself."""
    found = problems(PACK, ask, "dishonoured")

    assert [(problem.level, problem.where) for problem in found] == [(Level.ERROR, "kube-state-metrics")]
    assert "exported_namespace, exported_pod" in found[0].text


def test_two_label_sets_of_one_metric_are_found(ask: Ask) -> None:
    """Some of the series cannot be joined: the rule is right for half the cluster."""
    found = problems(PACK, ask, "mixed")

    assert [(problem.level, problem.where) for problem in found] == [(Level.WARNING, "kube_pod_start_time")]
    assert found[0].text.startswith("1 of its 2 series lack the label uid")


def test_what_is_needed_is_an_error_and_what_is_useful_a_warning(ask: Ask) -> None:
    """No source of limits: HighMemoryUsage is dead. No node_exporter: less is seen."""
    found = {problem.where: problem.level for problem in problems(PACK, ask, "nothing")}

    assert found["container_spec_memory_limit_bytes"] is found["kube_pod_container_resource_limits"] is Level.ERROR
    assert found["node_vmstat_oom_kill"] is found["container_oom_events_total"] is Level.WARNING
    assert not any(name.startswith("kube_pod_container_status_last_terminated") for name in found)


def test_each_selector_is_asked_once(prometheus: Prometheus) -> None:
    """However many rules read it: the questions are as many as the different selectors."""
    http = Http(HttpConfig(base_url=prometheus.url, name="Prometheus"))
    asked: list[str] = []

    def counting(path: str, form: dict[str, str]) -> object:
        asked.append(form["query"])
        return http.post_form_json(path, form)

    assert problems(PACK, counting, "kps") == []  # type: ignore[arg-type]
    assert len(asked) == len(set(asked))
    assert all(query.count('"series"') == 1 for query in asked)


def test_a_join_that_fails_on_the_users_own_data_is_an_error(ask: Ask, tmp_path: Path) -> None:
    """Two replicas of kube-state-metrics: Prometheus' own words, before the rule is rolled out."""
    pack = own(tmp_path, JOINED)

    failing, working = measure(pack, ask, matchers='cluster="twins"'), measure(pack, ask, matchers='cluster="kps"')

    assert len(failing.problems) == 1
    assert "found duplicate series for the match group" in failing.problems[0].text
    assert (working.problems, working.rules[0].results) == ((), 1)


def test_costs_before_the_rules_are_loaded(ask: Ask) -> None:
    """Records are written out where they are read; what reads their history is said to be unmeasured, not free."""
    costs = measure(PACK, ask, matchers='cluster="kps"')
    by_name = {cost.name: cost for cost in costs.rules}

    assert not costs.is_installed
    assert by_name["HighMemoryUsage"].is_inlined
    assert by_name["HighMemoryUsage"].samples > 0
    assert [cost.share for cost in costs.rules] == sorted((cost.share for cost in costs.rules), reverse=True)
    assert costs.share == pytest.approx(sum(cost.eval_s / cost.interval_s for cost in costs.rules))
    assert [(problem.level, problem.where) for problem in costs.problems] == [(Level.WARNING, "cost")]
    assert "MemoryLeakSuspected" in costs.problems[0].text
    assert "MemoryLeakSuspected" not in by_name


def test_costs_of_loaded_rules(ask: Ask) -> None:
    """Every rule is measured as it stands."""
    costs = measure(PACK, ask, matchers='cluster="installed"')

    assert costs.is_installed
    assert costs.problems == ()
    assert not any(cost.is_inlined for cost in costs.rules)
    assert {cost.name for cost in costs.rules} == {rule.name for rule in PACK.rules} - {"OomtriageWatchdog"}


def test_the_command_prints_problems_and_costs(prometheus: Prometheus, tmp_path: Path) -> None:
    """Text for people, JSON for pipelines, exit code 1 for an error; the matchers come from the receiver's settings."""
    path = tmp_path / "own.yaml"
    own(tmp_path, NAIVE)
    (tmp_path / "values.yaml").write_text("selectors: {cadvisor: 'job=\"no-such\"'}")
    command = [sys.executable, "-m", "receiver", "rules", "check", str(path), "--prometheus", prometheus.url]
    path_variable = f"{Path(binary('promtool')).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path_variable, "PROMETHEUS_MATCHERS": 'cluster="kps"'}

    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    document = subprocess.run([*command, "-o", "json"], env=environment, capture_output=True, text=True, check=False)

    values = subprocess.run(
        [*command, "--values", str(tmp_path / "values.yaml")], env=environment, capture_output=True, text=True, check=False
    )

    assert text.returncode == document.returncode == values.returncode == 1, text.stderr
    assert "error: container_spec_memory_limit_bytes: not there" in text.stdout
    assert "promtool" not in text.stdout
    assert "of one core at most" in text.stdout
    loaded = json.loads(document.stdout)
    assert "container_spec_memory_limit_bytes" in [problem["where"] for problem in loaded["problems"]]
    assert loaded["cost"]["rules"][0]["name"] == "Mine"
    assert "error: container_memory_working_set_bytes: there, but none with" in values.stdout
    assert "container_memory_working_set_bytes" not in text.stdout


class Guarded(BaseHTTPRequestHandler):
    """A Prometheus behind a token and a tenant's header: everything is empty, to whoever may ask."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        may = (self.headers["Authorization"], self.headers["X-Scope-OrgID"]) == ("Bearer s3cret", "team-a")
        self.send_response(200 if may else 401)
        self.end_headers()
        stats = {"timings": {"evalTotalTime": 0.5}, "samples": {"totalQueryableSamples": 0}}
        self.wfile.write(json.dumps({"status": "success", "data": {"result": [], "stats": stats}}).encode() if may else b"no")

    def log_message(self, format: str, *arguments: object) -> None:
        return


def test_the_receivers_token_and_headers_are_used(tmp_path: Path) -> None:
    """What PROMETHEUS_TOKEN and PROMETHEUS_HEADERS are for the receiver they are for the check; without them it is one clear line."""
    own(tmp_path, "up == 0")
    with ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        command = [sys.executable, "-m", "receiver", "rules", "check", str(tmp_path), "-o", "json"]
        command += ["--prometheus", f"http://127.0.0.1:{server.server_address[1]}"]
        told = {"PROMETHEUS_TOKEN": "s3cret", "PROMETHEUS_HEADERS": "X-Scope-OrgID: team-a"}
        known = subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, check=False)
        unknown = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
        server.shutdown()

    assert [one["name"] for one in json.loads(known.stdout)["cost"]["rules"]] == ["Mine"]
    of_prometheus = [problem for problem in json.loads(unknown.stdout)["problems"] if problem["where"] == "Prometheus"]
    assert len(of_prometheus) == 1
    assert "401" in of_prometheus[0]["text"]
    assert unknown.returncode == 1
    assert "s3cret" not in known.stdout + known.stderr
