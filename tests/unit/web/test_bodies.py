"""Bodies that are endless, torn or stuffed: bounded, answered with the right status, and never in the way of alerts."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.store import alerts
from receiver.telemetry import JsonFormatter
from tests.support import alert, payload
from tests.unit.web.test_intake import Site

MIB = 1024**2


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "state.db", max_body_bytes=16 * MIB)
    yield site
    site.store.close()


def test_a_terminated_stream_is_read_to_its_bound_only(site: Site) -> None:
    """An endless body costs no more memory than MAX_BODY."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= MIB
            self.given += size
            assert self.given <= 18 * MIB
            return b" " * size

    environ = {"wsgi.input_terminated": True, "wsgi.input": Endless()}
    answer = site.client.post("/alerts", environ_overrides=environ, headers={"Transfer-Encoding": "chunked"})

    assert answer.status_code == 413


def test_an_absurd_count_of_left_out_alerts_is_capped(site: Site) -> None:
    """The alerts are stored, the answer is 202, the counter stays a number."""
    answer = site.client.post("/alerts", json=payload(alert(), truncatedAlerts=10**400))

    assert answer.status_code == 202
    assert float(site.metric("oomtriage_alerts_truncated_total")) == 1_000_000


def test_a_body_without_a_version_is_no_v4_payload(site: Site) -> None:
    """Every Alertmanager says its version; what does not is something else that happens to hold alerts."""
    body = payload(alert())
    del body["version"]
    answer = site.client.post("/alerts", json=body)

    assert answer.status_code == 400
    assert '"version" is missing: expected "4"' in answer.get_json()["error"]


def test_annotations_of_megabytes_are_stored_cut(site: Site) -> None:
    """Three bodies of 15 alerts of 1 MB: all accepted, none lost, and the state file stays small."""
    for i in range(3):
        body = payload(*(alert(pod=f"p-{i}-{j}", annotations={"text": f"é{'x' * MIB}"}) for j in range(15)))
        assert site.client.post("/alerts", json=body).json == {"accepted": 15, "duplicates": 0}
    with site.store.read() as tx:
        stored = [a for _, a in alerts.unfolded(tx, 100)]
        n_bytes = tx.run("SELECT sum(length(CAST(payload AS BLOB))) AS n FROM alert")[0]["n"]

    assert n_bytes < MIB
    assert {len(a.annotations["text"]) for a in stored} == {16 * 1024}
    assert all(a.annotations["text"].startswith("éxx") and a.annotations["text"].endswith("… (cut)") for a in stored)


def test_alerts_that_differ_only_behind_the_cut_stay_two(site: Site) -> None:
    """Identity is taken from what was sent: a re-send is a duplicate, another label is another alert."""
    one, other = (payload(alert(note="x" * 5000 + end)) for end in ("1", "2"))
    for body in (one, other):
        del body["alerts"][0]["fingerprint"]  # type: ignore[index]
    answers = [site.client.post("/alerts", json=body).json for body in (one, other, one)]

    assert [a and a["accepted"] for a in answers] == [1, 1, 0]
    with site.store.read() as tx:
        assert {len(a.labels["note"]) for _, a in alerts.unfolded(tx, 10)} == {2048}


def test_thousands_of_labels_long_names_and_addresses_are_bounded(site: Site) -> None:
    """200 labels and annotations are kept; what says whose alert it is, is kept first."""
    many: dict[str, Any] = {f"a{i:05}": "v" for i in range(3000)}
    body = payload(alert(pod="p-1", annotations=many, **many | {"z" * 100_000: "v"}))
    body["alerts"][0] |= {"fingerprint": "f" * 100_000, "generatorURL": "http://p/" + "g" * 100_000}  # type: ignore[index]
    assert site.client.post("/alerts", json=body).status_code == 202
    with site.store.read() as tx:
        ((_, kept),) = alerts.unfolded(tx, 10)

    assert len(kept.labels) == len(kept.annotations) == 200
    assert (kept.name, kept.labels["pod"], kept.labels["namespace"]) == ("OOMKilled", "p-1", "shop")
    assert len(json.dumps(kept.to_json())) < 20_000


def test_a_huge_label_is_never_logged_in_full() -> None:
    """A log line stays a line, whatever an alert carries."""
    record = logging.makeLogRecord({"msg": "refused %s", "args": ("m" * MIB,), "label": "x" * MIB, "labels": {"a": "y" * MIB}, "count": 3})
    line = JsonFormatter().format(record)

    assert len(line) < 20_000
    assert json.loads(line)["count"] == 3
