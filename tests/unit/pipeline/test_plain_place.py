"""The place in plain manifests: exactly one value changes, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from receiver.domain.report import Report
from receiver.domain.units import MIB
from receiver.pipeline.plain_place import plain_place
from receiver.render.samples import samples

MANIFEST = """# the sample
apiVersion: apps/v1
kind: Deployment
metadata:
  name: sample-api
spec:
  template:
    spec:
      containers:
        - name: helper
          resources: {limits: {memory: 256Mi}}
        - name: sample-api
          resources:
            limits:
              cpu: "1"   # one
              memory: "256Mi"  # until March
            requests: {memory: 128Mi}
"""


def report_of(name: str = "leak", **proposal: object) -> Report:
    """A report with a proposal."""
    report = next(s.report for s in samples() if s.name == name and s.report is not None)
    changes: dict[str, Any] = {"limit_before_bytes": 256 * MIB, "limit_bytes": 512 * MIB, "request_bytes": None} | proposal
    return replace(report, proposal=replace(report.proposal, **changes))


class TestFound:
    """The bytes outside the change are identical."""

    def test_one_value(self) -> None:
        """Quotes and comments stay, the other container and other files too."""
        found = plain_place({"a/api.yaml": MANIFEST, "a/b.yaml": "kind: Service\n"}, report_of())

        assert [e.path for e in found.edits] == ["a/api.yaml"]
        assert found.edits[0].text == MANIFEST.replace('"256Mi"  # until', '"512Mi"  # until')

    def test_limit_and_request(self) -> None:
        """Both, where both are proposed."""
        found = plain_place({"api.yaml": MANIFEST}, report_of(request_bytes=200 * MIB))

        assert found.edits[0].text == MANIFEST.replace('"256Mi"  #', '"512Mi"  #').replace("128Mi", "200Mi")

    @pytest.mark.parametrize(
        "change", [lambda t: t.replace("\n", "\r\n"), lambda t: f"---\nkind: Service\n---\n{t}", lambda t: f"\ufeff{t}"]
    )
    def test_other_ways_to_write_it(self, change: object) -> None:
        """Line ends, several documents, a byte order mark."""
        text = change(MANIFEST)  # type: ignore[operator]
        found = plain_place({"api.yaml": text}, report_of())

        assert found.edits[0].text == text.replace('"256Mi"  # until', '"512Mi"  # until')


class TestRefused:
    """In doubt nothing is edited."""

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({}, "request.no_place"),
            ({"a.yaml": MANIFEST, "b.yaml": MANIFEST}, "request.several_places"),
            ({"a.yaml": MANIFEST.replace('"256Mi"', '"300Mi"')}, "request.other_value"),
            ({"a.yaml": MANIFEST.replace('"256Mi"', "{{ .Values.memory }}")}, "request.no_place"),
            ({"a.yaml": MANIFEST.replace("{limits: {memory: 256Mi}}", "&r {limits: {memory: 256Mi}}").replace('          resources:\n            limits:\n              cpu: "1"   # one\n              memory: "256Mi"  # until March\n            requests: {memory: 128Mi}\n', "          resources: *r\n")}, "request.no_place"),
            ({"a.yaml": MANIFEST.replace('"256Mi"', "&m 256Mi").replace("128Mi", "*m")}, "request.no_place"),
            ({"a.yaml": MANIFEST.replace("  name: sample-api\nspec", "  name: sample-api\n  namespace: other\nspec")}, "request.no_place"),
            ({"a.yaml": MANIFEST + "  broken: [\n"}, "request.no_place"),
        ],
    )  # fmt: skip
    def test_why(self, files: dict[str, str], code: str) -> None:
        """None, several, another value than is in force, a template, a shared anchor, another namespace, no YAML."""
        found = plain_place(files, report_of())

        assert found.edits == ()
        assert found.refusal is not None
        assert found.refusal.code == code
