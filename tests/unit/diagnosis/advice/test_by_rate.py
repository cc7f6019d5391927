"""The autoscaler on the request rate: whose metric, which target, what is amended, and why it is CPU where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from receiver.diagnosis.clues import clues_of
from receiver.diagnosis.diagnose import report_of
from receiver.domain.case import Missing
from receiver.domain.facts import MemoryHistory, RateSource, Sample, Scaling
from receiver.domain.identity import Subject
from receiver.domain.reason import codes_of
from receiver.domain.report import CauseName, Hpa, Shape
from receiver.domain.units import MIB
from receiver.evidence.counters import COUNTERS
from receiver.evidence.prometheus import PrometheusConfig
from receiver.evidence.queries import total_rate
from tests.unit.diagnosis.facts_kit import DIED, SHORT_PEAKS, container, death, facts, shape, the

TRAFFIC = shape(CauseName.SPIKE, 0.9, SHORT_PEAKS, detail="traffic", rate_correlation=0.92)
QUERY = 'sum(rate(http_requests_total{namespace="shop",pod=~"orders-api-.*"}[3m]))'
RATE = RateSource(metric="http_requests_total", maker="Go", total_query=QUERY, address="http://prometheus.monitoring:9090")
KEDA = Scaling(has_keda=True)
LIMIT = 100 * MIB
CPU_METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
MEMORY_METRIC = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}}


def following(*, base: float = 20, per_rate: float = 2, peak: float = 60, minutes: int = 300) -> MemoryHistory:
    """Memory in MiB of base + per_rate x rate, cut off at the limit, while the rate goes up and down between 0 and its peak."""
    samples = []
    for i in range(minutes):
        rate = peak * abs((i % 60) - 30) / 30
        used = min(base + per_rate * rate, 100) * MIB
        samples.append(Sample(t_s=DIED.timestamp() - 60 * (minutes - i), working_set_bytes=used, limit_bytes=LIMIT, request_rate=rate))
    return MemoryHistory(samples=tuple(samples), step_s=60)


def advised(
    scaling: Scaling | None = KEDA,
    *,
    rate: RateSource | None = RATE,
    seen: Shape = TRAFFIC,
    history: MemoryHistory | None = None,
    missing: tuple[Missing, ...] = (),
    kind: str = "Deployment",
    replicas: int = 2,
    **owner: Any,
) -> Hpa | None:
    base = facts(
        container(dead=death(lived_s=7200), limit=LIMIT), owner={"scaling": scaling, **owner}, kind=kind, rate=rate, missing=missing,
        history=history or following(),
    )  # fmt: skip
    assert base.workload is not None
    base = replace(base, workload=replace(base.workload, replicas_desired=replicas))
    return report_of(replace(clues_of(base), shape=seen)).hpa


def manifest(hpa: Hpa | None) -> dict[str, Any]:
    assert hpa is not None
    document = yaml.safe_load(hpa.manifest)
    assert isinstance(document, dict)
    assert "memory" not in [t.get("type") for t in document["spec"].get("triggers", ())]
    for trigger in document["spec"].get("triggers", ()):
        assert all(isinstance(v, str) for v in trigger["metadata"].values())  # the CRD takes strings only
    return document


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch, which is what `kubectl patch --type merge` does to a custom resource, and `apply` to a list that is atomic."""
    if not isinstance(patch, dict) or not isinstance(target, dict):
        return patch
    return {**target, **{k: merged(target.get(k), v) for k, v in patch.items()}}


def hpa_of(*metrics: dict[str, Any], name: str = "orders", most: int = 6, current: int = 3) -> dict[str, Any]:
    shown = [{"type": m["type"], "name": next(iter(v for k, v in m.items() if k != "type")).get("name", "")} for m in metrics]
    return {"hpa": {"name": name, "min": 3, "max": most, "current": current, "metrics": shown}, "hpa_metrics": metrics}


class TestKeda:
    """A ScaledObject with a trigger on Prometheus."""

    def test_the_threshold_is_the_rate_at_which_a_pod_is_safe(self) -> None:
        """20 MiB + 2 MiB a request: 80 of 100 MiB are 30 a second and pod. The peak of 60 needs twice the pods."""
        found = manifest(advised())
        spec = found["spec"]

        assert (found["apiVersion"], found["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "orders-api"}
        assert spec["triggers"][0]["type"] == "prometheus"
        assert spec["triggers"][0]["metadata"]["serverAddress"] == RATE.address
        assert spec["triggers"][0]["metadata"]["query"] == QUERY
        assert float(spec["triggers"][0]["metadata"]["threshold"]) == pytest.approx(29, abs=1.5)
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 5)

    @pytest.mark.parametrize(("peak", "most"), [(32, 4), (200, 20)])
    def test_the_maximum_carries_the_peak_within_reason(self, peak: float, most: int) -> None:
        """Twice the replicas at least, ten times at most."""
        assert (
            manifest(advised(history=following(peak=peak, base=20 if peak < 100 else 75, per_rate=2 if peak < 100 else 0.5, minutes=900)))[
                "spec"
            ]["maxReplicaCount"]
            == most
        )

    def test_what_it_says(self) -> None:
        """The metric, the target, and what is to be filled in."""
        plain = advised()
        behind_a_tunnel = advised(rate=replace(RATE, address="", needs_login=True))
        assert plain is not None
        assert behind_a_tunnel is not None

        assert the("advice.rate_per_pod", plain.why)["metric"] == "http_requests_total"
        assert the("advice.rate_per_pod", plain.why)["safe_bytes"] == 0.8 * LIMIT
        assert not {"advice.fill_in_address", "advice.keda_needs_login"} & set(codes_of(plain.why))
        assert {"advice.fill_in_address", "advice.keda_needs_login"} <= set(codes_of(behind_a_tunnel.why))

    def test_the_query_can_be_read_and_is_the_same(self) -> None:
        """A line a matcher: a line of 500 characters would be cut in a message."""
        config, subject = PrometheusConfig(url="http://p"), Subject(namespace="n" * 63, pod=f"{'w' * 50}-0", container="c" * 63)
        longest = max((total_rate(config, subject, c, "c" * 63) for c in COUNTERS), key=len)
        hpa = advised(rate=replace(RATE, total_query=longest))
        assert hpa is not None

        assert manifest(hpa)["spec"]["triggers"][0]["metadata"]["query"] == longest
        assert max(len(line) for line in hpa.manifest.splitlines()) < 160
        assert len(hpa.manifest.splitlines()) < 60

    def test_a_total_rate_is_shared_among_the_replicas(self) -> None:
        """The configured query tells all pods' rate; the target is a pod's."""
        found = manifest(advised(rate=replace(RATE, is_total=True), replicas=3))

        assert float(found["spec"]["triggers"][0]["metadata"]["threshold"]) == pytest.approx(9.7, abs=0.5)

    def test_an_hpa_is_taken_over_with_its_cpu_metric(self) -> None:
        """Two autoscalers of one workload fight; KEDA refuses a second one. Memory as a metric is not kept."""
        found = manifest(advised(**hpa_of(CPU_METRIC, MEMORY_METRIC, current=2)))

        assert found["metadata"]["annotations"] == {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
        assert found["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == "orders"
        assert found["spec"]["triggers"][0] == {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}
        assert [t["type"] for t in found["spec"]["triggers"]] == ["cpu", "prometheus"]
        assert (found["spec"]["minReplicaCount"], found["spec"]["maxReplicaCount"]) == (3, 6)

    def test_an_hpa_that_keda_cannot_take_over_is_widened(self) -> None:
        """It scales on a metric for which there is no trigger."""
        pods = {"type": "Pods", "pods": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "5"}}}
        found = manifest(advised(**hpa_of(pods, current=6)))

        assert (found["kind"], found["spec"]) == ("HorizontalPodAutoscaler", {"maxReplicas": 12})

    def existing(self, *triggers: dict[str, Any], most: int = 6) -> dict[str, Any]:
        spec = {"scaleTargetRef": {"name": "orders-api"}, "minReplicaCount": 1, "maxReplicaCount": most, "triggers": list(triggers)}
        return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec}

    def test_a_scaled_object_gets_the_trigger_beside_its_own(self) -> None:
        """Merged into what is there, nothing else of it changes."""
        cron = {"type": "cron", "metadata": {"start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "4"}}
        before = self.existing(cron, {"type": "memory", "metricType": "Utilization", "metadata": {"value": "80"}})
        after = merged(before, manifest(advised(replace(KEDA, scaled_object=before))))

        assert [t["type"] for t in after["spec"]["triggers"]] == ["cron", "prometheus"]
        assert after["spec"]["triggers"][0] == cron
        assert after["metadata"] == before["metadata"]
        assert {k: v for k, v in after["spec"].items() if k != "triggers"} == {k: v for k, v in before["spec"].items() if k != "triggers"}

    def test_a_trigger_on_the_same_metric_gets_the_safe_threshold(self) -> None:
        """It was there, and too high: nothing is doubled."""
        own = {
            "type": "prometheus",
            "metadata": {"serverAddress": "http://p", "query": "sum(rate(http_requests_total[2m]))", "threshold": "90"},
        }
        found = manifest(advised(replace(KEDA, scaled_object=self.existing(own))))

        assert len(found["spec"]["triggers"]) == 1
        assert float(found["spec"]["triggers"][0]["metadata"]["threshold"]) == pytest.approx(29, abs=1.5)
        assert found["spec"]["triggers"][0]["metadata"]["query"] == own["metadata"]["query"]  # type: ignore[index]

    @pytest.mark.parametrize(("current", "most"), [(3, None), (6, 12)])
    def test_a_safe_trigger_is_left_alone_until_the_maximum_is_reached(self, current: int, most: int | None) -> None:
        """Then more of it is what helps."""
        own = {"type": "prometheus", "metadata": {"query": "sum(rate(http_requests_total[2m]))", "threshold": "20"}}
        external = {
            "type": "External",
            "external": {"metric": {"name": "s0-prometheus"}, "target": {"type": "AverageValue", "averageValue": "20"}},
        }
        hpa = advised(replace(KEDA, scaled_object=self.existing(own)), **hpa_of(external, name="keda-hpa-orders", current=current))

        assert (manifest(hpa)["spec"]["maxReplicaCount"] if hpa is not None else None) == most

    def test_kedas_own_hpa_is_never_what_is_changed(self) -> None:
        """KEDA would undo it: the ScaledObject is, also where no rate is known."""
        found = manifest(advised(None, rate=None, **hpa_of(CPU_METRIC, name="keda-hpa-orders", current=6)))

        assert (found["kind"], found["metadata"]["name"], found["spec"]) == ("ScaledObject", "orders", {"maxReplicaCount": 12})

    def test_a_paused_scaled_object_is_not_doubled_by_an_hpa_on_cpu(self) -> None:
        """KEDA has no HPA for it just then."""
        assert advised(replace(KEDA, scaled_object=self.existing()), history=following(base=90)) is None


class TestAdapter:
    """An HPA on what a metrics adapter serves."""

    @pytest.mark.parametrize(
        ("scaling", "kind"),
        [(Scaling(pods_metric="http_requests_per_second"), "Pods"), (Scaling(external_metric="http_requests_per_second"), "External")],
    )
    def test_an_hpa_on_the_metric(self, scaling: Scaling, kind: str) -> None:
        """Per pod in both, as a quantity; of an external metric it is said what to check."""
        hpa = advised(scaling)
        found = manifest(hpa)
        assert hpa is not None
        metric = found["spec"]["metrics"][0]
        body = metric[kind.lower()]

        assert (found["apiVersion"], found["kind"], metric["type"]) == ("autoscaling/v2", "HorizontalPodAutoscaler", kind)
        assert body["metric"] == {"name": "http_requests_per_second"}
        assert body["target"]["type"] == "AverageValue"
        assert 27_500 <= int(body["target"]["averageValue"].removesuffix("m")) <= 30_500
        assert ("advice.served_external" in codes_of(hpa.why)) is (kind == "External")

    def test_an_hpa_that_is_there_gets_the_metric_beside_its_own(self) -> None:
        """Also where it has room left: on CPU alone it did not scale in time."""
        found = manifest(advised(Scaling(pods_metric="rps"), **hpa_of(CPU_METRIC, MEMORY_METRIC, current=3)))

        assert found["metadata"]["name"] == "orders"
        assert found["spec"]["metrics"][0] == CPU_METRIC
        assert [m["type"] for m in found["spec"]["metrics"]] == ["Resource", "Pods"]
        assert found["spec"]["maxReplicas"] == 6

    def test_an_hpa_that_has_the_metric_is_left_alone(self) -> None:
        """With room left, nothing is to be changed."""
        own = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "9"}}}

        assert advised(Scaling(pods_metric="rps"), **hpa_of(own, current=3)) is None
        assert manifest(advised(Scaling(pods_metric="rps"), **hpa_of(own, current=6)))["spec"] == {"maxReplicas": 12}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"scaling": Scaling()}, "advice.no_rate_scaler"),
        ({"scaling": None, "missing": (Missing(source="scaling", why="left out"),)}, "advice.scaler_not_checked"),
        ({"rate": replace(RATE, total_query="")}, "advice.rate_query_of_pod"),
        ({"history": following(base=90)}, "advice.no_safe_rate"),
        ({"history": following(minutes=30)}, "advice.no_safe_rate"),
    ],
)
def test_on_cpu_the_reason_is_said(options: dict[str, Any], code: str) -> None:
    """Nothing serves it, it could not be read, or no target can be computed."""
    hpa = advised(**options)
    found = manifest(hpa)
    assert hpa is not None

    assert found["spec"]["metrics"][0]["resource"]["name"] == "cpu"
    assert code in codes_of(hpa.why)


@pytest.mark.parametrize("options", [{"rate": None}, {"seen": replace(TRAFFIC, rate_correlation=None, detail="batch")}])
def test_without_a_rate_that_memory_follows_nothing_is_said_of_one(options: dict[str, Any]) -> None:
    """CPU, as ever."""
    hpa = advised(**options)
    assert hpa is not None

    assert manifest(hpa)["kind"] == "HorizontalPodAutoscaler"
    assert not {c for c in codes_of(hpa.why) if "rate" in c} - {"advice.follows_request_rate"}


def test_what_could_not_be_read_of_hpas_is_a_condition() -> None:
    """It may scale already: a second scaler would fight the first."""
    hpa = advised(missing=(Missing(source="hpa", why="forbidden"),))
    assert hpa is not None

    assert the("advice.hpa_not_read", hpa.why)["why"] == "forbidden"


def test_the_metric_is_told_with_a_verdict_that_rests_on_it() -> None:
    """Which counter the rate is of stands beside what was found with it."""
    seen = clues_of(facts(container(), rate=RATE, history=following(base=5, per_rate=1.5, minutes=1440))).shape
    assert seen is not None
    said = codes_of(*seen.because)

    assert ("memory.rate_by_metric" in said) is any("request_rate" in c for c in said)
    assert "memory.rate_by_metric" in said
