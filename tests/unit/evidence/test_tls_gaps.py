"""Every source behind an authority of the company's own, and what its gaps say when TLS refuses it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.domain.identity import Subject
from receiver.errors import SourceError
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.alertmanager import Alertmanager, AlertmanagerConfig
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.silences import AlertmanagerSilences
from tests.fakes.tls import OTHER_CA, PLAIN_CA, TLS, over_tls
from tests.unit.evidence.kit import nothing_redacted

NOW = datetime(2026, 11, 23, 1, 7, tzinfo=UTC)
SUBJECT = Subject(namespace="shop", pod="api-1", container="app")


class _Everything(Standin):
    """Just enough of the three APIs to be one of them."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path.endswith("/query"):
            return json_reply({"status": "success", "data": {"resultType": "vector", "result": []}})
        return json_reply([] if "/v2/" in asked.path else {"kind": "Pod", "metadata": {"name": "api-1"}})


def evidence(url: str, ca_path: str) -> Evidence:
    return Evidence(
        EvidenceConfig(),
        kube=Kube(KubeConfig(api_url=url, ca_path=ca_path)),
        prometheus=Prometheus(PrometheusConfig(url=url, ca_path=ca_path)),
        alertmanager=Alertmanager(AlertmanagerConfig(url=url, ca_path=ca_path)),
        redact=nothing_redacted,
    )


def test_every_source_may_have_an_authority_without_key_identifiers() -> None:
    """Kubernetes, Prometheus and Alertmanager, the one that is read and the one that is written, alike."""
    with over_tls(_Everything(), "plain") as url:
        sources = evidence(url, PLAIN_CA)
        assert sources.kube is not None
        assert sources.prometheus is not None
        assert sources.alertmanager is not None
        assert sources.kube.get("api/v1/namespaces/shop/pods/api-1")["kind"] == "Pod"
        assert sources.prometheus.instant("up", NOW.timestamp()).series == ()
        assert sources.alertmanager.alerts({}) == ()
        AlertmanagerSilences(AlertmanagerConfig(url=url, ca_path=PLAIN_CA)).release("", mark="inc_1")


@pytest.mark.parametrize(
    ("certificate", "ca_path", "settings"),
    [
        ("plain", OTHER_CA, {"pod": "KUBE_CA_PATH", "history": "PROMETHEUS_CA_PATH", "silences": "ALERTMANAGER_CA_PATH"}),
        ("elsewhere", PLAIN_CA, {"pod": "KUBE_API_URL", "history": "PROMETHEUS_URL", "silences": "ALERTMANAGER_URL"}),
        ("plain", str(TLS / "make.sh"), {"pod": "KUBE_CA_PATH", "history": "PROMETHEUS_CA_PATH", "silences": "ALERTMANAGER_CA_PATH"}),
        ("expired", PLAIN_CA, {"pod": "", "history": "", "silences": ""}),
    ],
)
def test_each_gap_says_what_tls_said_and_which_setting_mends_it(certificate: str, ca_path: str, settings: dict[str, str]) -> None:
    """Without the reason in the message, the on-call would look for a fault in the cluster."""
    with over_tls(_Everything(), certificate) as url:
        sources = evidence(url, ca_path)
        with pytest.raises(SourceError) as caught:
            Kube(KubeConfig(api_url=url, ca_path=ca_path)).get("api/v1/pods")
        reason = caught.value.tls.reason  # type: ignore[attr-defined]
        missing = {m.source: m for m in sources.gather(SUBJECT, (), NOW).missing}

    assert {source: setting in missing[source].hint for source, setting in settings.items()} == dict.fromkeys(settings, True)
    assert all(missing[source].why.endswith(reason) for source in settings)
    assert all(missing[source].hint and missing[source].is_configuration for source in settings)
