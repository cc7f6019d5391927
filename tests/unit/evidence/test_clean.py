"""Nothing secret enters a case: not from pods, owners, events, annotations or alerts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.case import facts_of
from receiver.domain.alerts import Alert
from receiver.evidence.clean import KEPT_ENV, Cleaner
from receiver.evidence.redaction import Redactor
from tests.fakes.kube import recorded
from tests.unit.evidence.kit import lab, nothing_redacted

SECRET = "pl4nted-S3cret-value"
PLACES = {
    "env": lambda c, o: c["env"].append({"name": "DB_PASSWORD", "value": SECRET}),
    "an innocent env": lambda c, o: c["env"].append({"name": "GREETING", "value": SECRET}),
    "beside a setting in an env that nobody knows": lambda c, o: c["env"].append({"name": "START_FLAGS", "value": f"--token {SECRET} -Xmx64m"}),
    "a kept flag": lambda c, o: c["env"].append({"name": "JAVA_OPTS", "value": f"-Xmx64m -Djavax.net.ssl.keyStorePassword={SECRET}"}),
    "an argument": lambda c, o: c.update(args=["--password", SECRET]),
    "a shell line": lambda c, o: c.update(command=["sh", "-c", f"PGPASSWORD={SECRET} psql"]),
    "an argument that the command explains": lambda c, o: c.update(command=["mysql", "-uroot"], args=[f"-p{SECRET}", "shop"]),
    "an argument of several words": lambda c, o: c.update(args=["--password", f"two {SECRET}"]),
    "a probe's command": lambda c, o: c.update(livenessProbe={"exec": {"command": ["redis-cli", "-a", SECRET, "ping"]}}),
    "a label": lambda c, o: o["metadata"].setdefault("labels", {}).update({"example.com/api-key": SECRET}),
    "a probe's header": lambda c, o: c.update(
        livenessProbe={"httpGet": {"path": "/", "httpHeaders": [{"name": "Authorization", "value": f"Bearer {SECRET}"}]}}
    ),
    "a probe's address": lambda c, o: c.update(livenessProbe={"httpGet": {"path": f"/health?token={SECRET}"}}),
    "an annotation": lambda c, o: o["metadata"].setdefault("annotations", {}).update({"example.com/api-key": SECRET}),
    "the applied configuration": lambda c, o: o["metadata"].setdefault("annotations", {}).update(
        {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"env": SECRET})}
    ),
}  # fmt: skip


def every_container(obj: dict[str, Any]) -> list[dict[str, Any]]:
    spec = obj.get("spec", {})
    spec = spec.get("template", {}).get("spec", spec)
    return [c for key in ("containers", "initContainers") for c in spec.get(key, ())]


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_a_pod_or_its_owner_does_not_reach_the_case(place):
    """Wherever a person put it, a saved case does not hold it."""
    recordings = recorded("cgroupv2-a-leak-crashloop")
    for obj in [r.pod for r in recordings.pods.values()] + recordings.objects:
        for container in every_container(obj):
            container.setdefault("env", [])
            PLACES[place](container, obj)
    with lab(recordings=recordings, redact=Redactor().redact) as running:
        case = running.gather()

    assert SECRET not in json.dumps(case.to_json())
    assert facts_of(case).pod.container("orders-api").image


def test_a_secret_in_an_event_or_a_termination_message_is_redacted_and_counted():
    """Programs write what they failed with into these, passwords included."""
    recordings = recorded("cgroupv2-a-leak-crashloop")
    message = f"postgres://app:{SECRET}@db:5432/orders refused"
    recordings.incidents[0].pods[0].events[0]["message"] = message
    recordings.incidents[0].pods[0].pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"] = message
    with lab(recordings=recordings, redact=Redactor().redact) as running:
        case = running.gather()

    text = json.dumps(case.to_json())
    assert SECRET not in text
    assert "db:5432/orders refused" in text
    assert sum(case.redactions.values()) == 2


def test_a_secret_in_an_alerts_annotation_does_not_reach_the_case():
    """Annotations are templates over labels and values; labels are identities and stay, but for one that holds a secret."""
    at = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    alert = Alert(
        status="firing",
        labels={"alertname": "OOMKilled", "pod": "orders-api-7d8f9c6b5d-x2x9z", "db_password": SECRET},
        annotations={"description": f"see password={SECRET}"},
        starts_at=at,
        ends_at=None,
        fingerprint="f",
    )
    with lab("cgroupv2-a-leak-crashloop", redact=Redactor().redact) as running:
        case = running.evidence.gather(running.subject(), (alert,), at)

    assert SECRET not in json.dumps(case.to_json())
    assert case.alerts[0].labels == {**alert.labels, "db_password": "[redacted password]"}


def test_flags_that_size_a_heap_are_kept():
    """-Xmx, GOMEMLIMIT and their like decide the diagnosis; other values are dropped, their names stay."""
    container = {
        "env": [{"name": "JAVA_OPTS", "value": "-Xmx96m"}, {"name": "GOMEMLIMIT", "value": "80MiB"}, {"name": "HOME", "value": "/root"}]
    }

    kept = Cleaner(nothing_redacted).object(container)

    assert kept["env"] == [{"name": "JAVA_OPTS", "value": "-Xmx96m"}, {"name": "GOMEMLIMIT", "value": "80MiB"}, {"name": "HOME"}]
    assert {"JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "GOMEMLIMIT", "DOTNET_GCHeapHardLimit", "MALLOC_ARENA_MAX"} <= KEPT_ENV


def test_settings_in_an_unknown_variable_are_kept_alone() -> None:
    """What bounds memory stays, wherever a chart puts it; whatever stands beside it goes, and that it was there is said."""
    entry = {"name": "INSTALL4J_ADD_VM_PARAMS", "value": "-Dkaraf.password=letmein -Xms2703m -Xmx2703m"}
    kept = Cleaner(lambda text: (text, {})).object({"env": [entry]})

    assert kept["env"] == [{"name": "INSTALL4J_ADD_VM_PARAMS", "value": "[omitted] -Xms2703m -Xmx2703m"}]


def test_what_says_where_memory_goes_is_kept():
    """A volume in memory is charged to the pod; other volumes' options may hold credentials."""
    spec = {"volumes": [{"name": "t", "emptyDir": {"medium": "Memory"}}, {"name": "c", "csi": {"volumeAttributes": {"password": "x"}}}]}

    assert Cleaner(nothing_redacted).object(spec) == {"volumes": [{"name": "t", "emptyDir": {"medium": "Memory"}}, {"name": "c"}]}


@pytest.mark.parametrize(
    "text",
    [f"\x1b[36mpassword\x1b[0m=\x1b[35m{SECRET}\x1b[0m user=bob", f"\x1b[1;36mapi_key\x1b[0m={SECRET}", f"user=bob password={SECRET}"],
    ids=["coloured", "bold name", "plain"],
)
@pytest.mark.parametrize("name", ["message", "description", "example.com/note", "password"])
def test_a_named_text_is_cleaned_by_its_own_shape_first(name, text):
    """The name in front must not hide what the text alone would have shown."""
    assert SECRET not in Cleaner(Redactor().redact).pair(name, text)
