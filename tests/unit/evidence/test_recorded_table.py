"""Every recorded incident in one table that a person can review: who died, how, how sure that is, what the log says, who owns it."""

from __future__ import annotations

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.report import Report
from tests.fakes.kube import incident_names
from tests.golden import Golden
from tests.unit.evidence.kit import Lab, lab

WIDTHS = (28, 6, 16, 32, 9, 30, 26)
COLUMNS = ("incident", "moment", "container", "kill", "sure", "log signature", "owner")


def test_every_recorded_incident(golden: Golden) -> None:
    """At its last recorded moment, as an alert without a container label would find it; every pod of it that is left."""
    lines = [_row(COLUMNS)]
    with lab() as running:
        for name in incident_names():
            for pod in range(len(running.incident(name).pods)):
                lines.append(_line(running, name, pod))

    golden("evidence/recorded.txt", "\n".join(lines) + "\n")


def _line(running: Lab, name: str, pod: int) -> str:
    report: Report = diagnose(facts_of(running.gather(name, pod)))
    workload = report.subject.workload
    kill = report.kill
    code = f" {kill.exit_code}" if kill.exit_code is not None else ""
    return _row(
        (
            name, running.incident(name).moment[:2], report.subject.container, f"{kill.kind.value}{code}", "sure" if kill.is_sure else "not sure",
            report.signature.id if report.signature else "-", f"{workload.kind}/{workload.name}" if workload else "-",
        )
    )  # fmt: skip


def _row(cells: tuple[str, ...]) -> str:
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
