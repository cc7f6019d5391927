"""A built receiver, not started, whose store holds incidents as looks would have left them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from receiver.app.build import Application, build
from receiver.app.files import slack_loader
from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case, case_from_json
from receiver.domain.incident import Destination
from receiver.domain.incident_memory import GivenVerdict, IncidentMemory, LookSummary
from receiver.pipeline.fold import FoldConfig, fold
from receiver.pipeline.publish import PublishConfig, Publisher
from receiver.pipeline.routing import Router
from receiver.render import Renderer, slack_environment
from receiver.render.document import report_document
from receiver.settings import load_settings
from receiver.store import incident_lists, incidents
from receiver.store.incidents import Incident
from receiver.web.documents import Documents
from receiver.web.incident.load import IncidentPages
from tests.places import REPO
from tests.support import alert, payload

CASES = REPO / "tests" / "fixtures" / "cases"


class Site:
    """`settings`: as environment variables. `url`: where it is served, for whoever serves it."""

    url = ""

    def __init__(self, folder: Path, **settings: str) -> None:
        environ = {"STORE_URL": f"sqlite:///{folder}/state.db", "KUBE_API_URL": "http://127.0.0.1:9", **settings}
        self._console = (folder / "console").open("w")
        self.application: Application = build(load_settings(environ), console=self._console)
        self.client = self.application.web.test_client()
        store, renderer = self.application.store, Renderer(slack_environment(slack_loader()))
        router = Router(sink="slack", default=Destination(sink="slack", channel="C1"))
        self.publisher = Publisher(store=store, rendering=renderer, router=router, config=PublishConfig())
        self.pages = IncidentPages(
            store=store, publisher=self.publisher, renderer=renderer, runbooks=Documents(), causes=Documents(), link_of=lambda *place: ""
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        self.application.close()
        self._console.close()

    def alerted(
        self,
        name: str = "OOMKilled",
        *,
        pod: str = "orders-api-655779759d-jst99",
        container: str = "orders-api",
        annotations: dict[str, str] | None = None,
    ) -> str:
        """An incident that nobody has looked at; its id."""
        self.client.post("/alerts", json=payload(alert(name, pod=pod, container=container, annotations=annotations)))
        fold(self.application.store, FoldConfig())
        with self.application.store.read() as tx:
            return max(incident_lists.newest(tx, 100), key=lambda i: i.id).id

    def looked_at(
        self, case_name: str = "exporter", *, document: Mapping[str, object] | None = None, pod: str = "orders-api-655779759d-jst99"
    ) -> str:
        """An incident with the evidence of a recorded case; its id. `document`: what stands for its report."""
        incident_id = self.alerted(pod=pod)
        case = case_of(case_name)
        report = diagnose(facts_of(case))
        look = LookSummary(
            verdict=GivenVerdict(cause=report.cause.name.value, confidence=report.cause.confidence), kill_kind=report.kill.kind.value
        )  # fmt: skip
        incident = self.incident(incident_id)
        with self.application.store.write() as tx:
            memory = replace(incident.memory, look=look, state="firing", kills={"orders-api": 1})
            shown = document if document is not None else report_document(report)
            incidents.save_diagnosis(tx, incident, subject=report.subject, memory=memory, report=shown, case=case)
        return incident_id

    def incident(self, incident_id: str) -> Incident:
        """As it is stored."""
        with self.application.store.read() as tx:
            found = incidents.load(tx, incident_id)
        assert found is not None
        return found

    def memory(self, incident_id: str) -> IncidentMemory:
        """What it remembers."""
        return self.incident(incident_id).memory

    def run(self, sql: str, **params: object) -> None:
        """A statement, to make the store what a fault would."""
        with self.application.store.write() as tx:
            tx.run(sql, **params)


def case_of(name: str) -> Case:
    """A recorded case."""
    return case_from_json(json.loads((CASES / f"{name}.json").read_text()))
