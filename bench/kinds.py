"""Which kind of kill the diagnosis says of every incident whose truth is known, and how many of its sure statements are right.

    python -m bench kinds                                   the recorded incidents (tests/fixtures/kubernetes)
    python -m bench kinds --cases DIR                       and saved cases: DIR/NAME/case.json beside expected.yaml (kind: [..], sure: ..)
    python -m bench kinds --cases DIR --command CMD         what another version's command line says of the same cases

A case whose truth allows several kinds counts for the one that was said. Without a kind there is nothing to confuse; `sure: false` alone
still holds the statement to it: whoever is sure there is wrong.
"""  # fmt: skip

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from receiver.case import facts_of
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import case_from_json
from receiver.render.document import report_document
from tests.fakes.kube import incident_names
from tests.unit.evidence.kit import lab

# What really happened there. The runtime's own record of a death counts as the truth where a child was killed and PID 1 ended of it.
NOT_KILLED = frozenset(
    (
        "cgroupv2-k-steady-near-limit", "cgroupv2-n-page-cache", "g-no-limits", "i-python-memoryerror", "i3-java-exitonoom", "i6-node-heap",
        "k-steady-near-limit", "n-page-cache",
    )
)  # fmt: skip
OF_ANOTHER_KIND = {
    "cgroupv2-e-liveness-137": "sigkill_not_oom",
    "e-liveness-137": "sigkill_not_oom",
    "cgroupv2-j-eviction": "node_oom",
    "d-child-oom": "child_process_oom",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One incident: the saved case, the kinds that are right (none: nobody says), and whether one may be sure."""

    name: str
    case: dict[str, Any]
    kinds: tuple[str, ...]
    may_be_sure: bool = True

    def label(self, said: str) -> str:
        """The row of the table that what was said counts in."""
        return said if said in self.kinds else "/".join(self.kinds) or "(not stated)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the diagnosis said of one incident."""

    truth: Truth
    kind: str
    is_sure: bool

    @property
    def is_right(self) -> bool:
        """Whether the kind is one of the right ones, and no surer than may be."""
        return (not self.truth.kinds or self.kind in self.truth.kinds) and (self.truth.may_be_sure or not self.is_sure)


def recorded_truths() -> Iterator[Truth]:
    """Every pod of every recorded incident at its last moment, as an alert without a container label finds it."""
    with lab() as running:
        for name in incident_names():
            kind = "none" if name in NOT_KILLED else OF_ANOTHER_KIND.get(name, "container_oom")
            for pod in range(len(running.incident(name).pods)):
                case = json.loads(json.dumps(running.gather(name, pod).to_json()))
                yield Truth(name=name, case=case, kinds=(kind,))


def saved_truths(folder: Path) -> Iterator[Truth]:
    """The saved cases under a folder whose expected.yaml says a kind, or how sure one may be."""
    for path in sorted(folder.glob("*/expected.yaml")):
        expected = yaml.safe_load(path.read_text(encoding="utf-8"))
        case = path.with_name("case.json")
        if case.exists() and ("kind" in expected or "sure" in expected):
            kinds = tuple(expected.get("kind") or ())
            yield Truth(
                name=path.parent.name,
                case=json.loads(case.read_text(encoding="utf-8")),
                kinds=kinds,
                may_be_sure=expected.get("sure", True),
            )


def said_here(truth: Truth) -> Said:
    """What this version says."""
    return _said(truth, report_document(diagnose(facts_of(case_from_json(truth.case)))))


def said_by(command: str, truth: Truth) -> Said:
    """What another version says, by its command line."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(truth.case, file)
        file.flush()
        done = subprocess.run(
            [*command.split(), "diagnose", file.name, "-o", "json"], capture_output=True, text=True, check=True, timeout=180
        )
    return _said(truth, json.loads(done.stdout))


def _said(truth: Truth, report: dict[str, Any]) -> Said:
    return Said(truth=truth, kind=report["kill"]["kind"], is_sure=bool(report["kill"]["sure"]))


def tell(title: str, said: Sequence[Said]) -> None:
    """The confusion table of one set, its counts, and by name what is wrong."""
    cells = Counter((s.truth.label(s.kind), s.kind) for s in said)
    columns = sorted({kind for _, kind in cells})
    rows = sorted({label for label, _ in cells})
    width = max(len(row) for row in (*rows, "expected \\ said"))
    print(f"\n{title}: {len(said)} incidents")
    print("  ".join(["expected \\ said".ljust(width), *columns]))
    for row in rows:
        print("  ".join([row.ljust(width), *(str(cells[row, kind] or ".").rjust(len(kind)) for kind in columns)]))
    sure = [s for s in said if s.is_sure]
    print(f"right {sum(s.is_right for s in said)} of {len(said)}; sure {len(sure)}, of which right {sum(s.is_right for s in sure)}")
    for s in said:
        if not s.is_right:
            print(f"  wrong: {s.truth.name}: {s.kind}{' (sure)' if s.is_sure else ''}, not {s.truth.label(s.kind)}")


def main(options: Sequence[str] = ()) -> None:
    """One table a set."""
    parser = argparse.ArgumentParser(
        prog="python -m bench kinds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", action="append", default=[], type=Path, metavar="DIR")
    parser.add_argument("--command", default="", metavar="CMD")
    arguments = parser.parse_args(options)
    sets = [("recorded incidents", recorded_truths()), *((str(folder), saved_truths(folder)) for folder in arguments.cases)]
    for title, truths in sets:
        tell(title, [said_by(arguments.command, t) if arguments.command else said_here(t) for t in truths])
