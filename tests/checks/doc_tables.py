"""The tables in docs/ that are made from the code, from signatures to permissions. `python -m tests.checks.doc_tables` writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from receiver.diagnosis.causes.leaf import Leaf, Whose
from receiver.diagnosis.causes.leaves import LEAVES
from receiver.diagnosis.causes.tree import QUESTIONS
from receiver.diagnosis.death.witnesses import TABLES, ExitWitness, Measure, Said, Witness
from receiver.diagnosis.log.announcements import ANNOUNCEMENTS
from receiver.diagnosis.log.ceilings import ROWS
from receiver.diagnosis.log.runtimes import RUNTIMES
from receiver.diagnosis.log.signatures import SIGNATURES
from receiver.doctor.checks import ALL as CHECKS
from receiver.domain.facts import Termination
from receiver.evidence.counters import COUNTERS, ON_POD, PLACES
from receiver.evidence.gather import SOURCES
from receiver.evidence.heaps import METRICS
from receiver.evidence.redaction import KINDS
from receiver.render.wording import say
from receiver.render.wording.death import SENDERS
from receiver.telemetry import Metrics
from tests.checks.operator_tables import alert_table, permission_table, refusal_table
from tests.lab.programs import PROGRAMS, told

DOCS = Path(__file__).parents[2] / "docs"

_KINDS = {
    "own_limit": "own limit", "refused": "refused", "child_killed": "child killed", "kernel": "kernel", "gpu": "GPU", "remote": "remote",
    "other_memory": "other memory",
}  # fmt: skip


def signature_table() -> str:
    """One table a family: id, kind, meaning, a line as it is printed, what helps, where the program prints it."""
    parts = []
    titles = {r.name: r.title for r in RUNTIMES}
    for runtime in dict.fromkeys(p.runtime for p in (*(s for s in SIGNATURES if s.runtime), *SIGNATURES)):
        rows = [
            f"| `{p.id}` | {_KINDS[p.kind]} | {_cell(p.meaning)} | {_code(p.example)} | {_cell(p.advice)} | {_cell(p.source)} |"
            for p in SIGNATURES
            if p.runtime == runtime
        ]
        parts += [
            f"### {titles[runtime]}",
            "",
            "| id | kind | means | a line that says so | what helps | where it is printed |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    return "\n".join(parts).rstrip()


def redaction_table() -> str:
    """Kinds and how each is recognised."""
    rows = [f"| {kind} | {_cell(how)} |" for kind, how in KINDS]
    return "\n".join(["| kind | recognised |", "|---|---|", *rows])


def question_table() -> str:
    """The questions of the decision tree in order, and where each leads."""
    rows = []
    for leaf, question in QUESTIONS:
        rows.append(f"| {say(question.text)} | {'no: ' if leaf.whose is Whose.NOBODY else ''}{_page_of(leaf, 'causes')} |")
    rows += [f"| none of these | {_page_of(leaf, 'causes')} |" for leaf in LEAVES if leaf.question is None]
    return "\n".join(["| question | yes (or, for the first, no) leads to |", "|---|---|", *rows])


def ceiling_table() -> str:
    """The settings that are read: what each is of, how it is written, and what says so."""
    rows = []
    for row in ROWS:
        kind = "aimed at" if row.is_soft else "beside the heap" if row.is_beside else "enforced"
        where = ", ".join(
            word for word, is_so in (("option", row.option), ("variable", row.variable), ("log", row.echo)) if is_so is not None
        )
        rows.append(f"| {row.title} | {_code(row.example)} | {row.part.replace('_', ' ')} | {kind} | {where} | {_cell(row.source)} |")
    return "\n".join(["| program | for example | bounds | how | read as | source |", "|---|---|---|---|---|---|", *rows])


def program_table() -> str:
    """Programs under a limit: what they have set, how they ended, and what is said of that."""
    rows = []
    for program in PROGRAMS:
        header, do = told(program)
        end = f"{program.end}, {program.lives} times" if program.lives > 1 else f"{program.end} once"
        rows.append(
            f"| {_code(program.setting)} | {program.limit_mib}Mi | {end} | {_cell(header.removeprefix('🔴 app: '))} | {_cell(do)} |"
        )
    return "\n".join(["| its settings | limit | it was | header | Do |", "|---|---|---|---|---|", *rows])


def root_table() -> str:
    """The root template of each cause."""
    rows = [f"| {_page_of(leaf, '')} | `root/{leaf.root}.j2` |" for leaf in LEAVES]
    return "\n".join(["| cause | template |", "|---|---|", *rows])


def witness_table(name: str) -> str:
    """One table of witnesses: what stands there, what that says, where the fact comes from."""
    rows = [f"| `{row.id}` | {_says(row)} | {_found(row.example)} | {_cell(row.source)} |" for row in TABLES[name]]
    return "\n".join(["| witness | says | for example | source |", "|---|---|---|---|", *rows])


def announcement_table() -> str:
    """The lines in which a manager, runtime or script announces its own kill."""
    rows = [f"| `{row.id}` | {SENDERS[row.sender]} | {_code(row.example)} | {_cell(row.source)} |" for row in ANNOUNCEMENTS]
    return "\n".join(["| witness | sender | for example | source |", "|---|---|---|---|", *rows])


def _says(row: Witness | ExitWitness | Measure) -> str:
    sender = getattr(row, "sender", None)
    return f"{row.says.value.replace('_', ' ')}{f': {SENDERS[sender]}' if sender else ''}"


def _found(example: Said | Termination | float) -> str:
    match example:
        case Said():
            return _code(": ".join(part for part in (example.reason, example.message.strip()) if part) or "(empty)")
        case Termination():
            return f"exit code {example.exit_code}"
        case _:
            return f"{example:g}"


def _page_of(leaf: Leaf, folder: str) -> str:
    """A link to the leaf's page from a page in `folder` of docs/, by the page's own title."""
    page = DOCS / "causes" / f"{leaf.name}.md"
    title = page.read_text().partition("\n")[0].removeprefix("# ")
    return f"[{title}]({page.relative_to(DOCS / folder)})"


def exported() -> Metrics:
    """Every metric with a sample: some have none before the first diagnosis, or the first row that cannot be read."""
    metrics = Metrics(sinks=["slack"], sources=SOURCES)
    metrics.diagnoses.labels("cause")
    metrics.quarantined.labels("kind")
    return metrics


def metric_table() -> str:
    """Every metric of /metrics: its name as it is queried, type, labels, and what it counts."""
    rows = []
    for family in exported().registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        rows.append(f"| `{name}` | {family.type} | {', '.join(f'`{label}`' for label in labels)} | {_cell(family.documentation)} |")
    return "\n".join(["| metric | type | labels | tells |", "|---|---|---|---|", *sorted(rows)])


def counter_table() -> str:
    """Every counter of a workload's load, in the order in which one is chosen."""
    rows = []
    for c in COUNTERS:
        where = "pod" if c.place == "pod" else PLACES[c.place].replace(f"{ON_POD},", "pod, ").replace("{", "").replace("}", "")
        without = ", ".join(f"`{label}`" for label, _ in c.without)
        rows.append(f"| `{c.metric}` | [{_cell(c.maker)}]({c.page}) | {c.unit} | {'pod' if where == 'pod' else _code(where)} | {without} |")
    return "\n".join(["| metric | exported by | counts | found by | probes told by |", "|---|---|---|---|---|", *rows])


def check_table() -> str:
    """Every check of `oomtriage doctor`, in the order of its lines."""
    rows = [f"| `{check.id}` | {_cell(check.tells)} | {', '.join(f'`{name}`' for name in check.after)} |" for check in CHECKS]
    return "\n".join(["| check | looks whether, or at | only when these answer |", "|---|---|---|", *rows])


_PARTS = {
    "live": "heap after a collection", "used": "heap in use", "held": "taken from the kernel for the heap", "max": "the heap's own maximum",
    "native": "beside the heap", "tasks": "goroutines", "stuck": "objects that cannot be collected",
}  # fmt: skip


def heap_table() -> str:
    """Every metric in which a runtime tells of its heap, in the order in which one a part is chosen."""
    rows = [
        f"| `{m.metric}` | {_code(m.where) if m.where else ''} | {m.runtime} | [{_cell(m.maker)}]({m.page}) | {_PARTS[m.part]} |"
        for m in METRICS
    ]
    return "\n".join(["| metric | of these series | runtime | exported by | read as |", "|---|---|---|---|---|", *rows])


WITNESS_TABLES: tuple[tuple[str, Callable[[], str]], ...] = (
    ("announcements", announcement_table),
    *((name, partial(witness_table, name)) for name in TABLES),
)

PAGES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("signatures.md", "signatures", signature_table),
    ("redaction.md", "kinds", redaction_table),
    ("causes/README.md", "questions", question_table),
    ("templates.md", "roots", root_table),
    ("metrics.md", "metrics", metric_table),
    ("request-rate.md", "counters", counter_table),
    ("other-witnesses.md", "heaps", heap_table),
    ("permissions.md", "permissions", permission_table),
    ("troubleshooting.md", "refusals", refusal_table),
    ("README.md", "alerts", alert_table),
    ("ceilings.md", "settings", ceiling_table),
    ("ceilings.md", "programs", program_table),
    ("doctor.md", "checks", check_table),
    *(("how-we-know.md", mark, table) for mark, table in WITNESS_TABLES),
)


def filled(page: str, mark: str, table: str) -> str:
    """The page with the text between its two marks replaced by the table."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{table}\n{end}{tail}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _code(line: str) -> str:
    shown = line if len(line) <= 110 else line[:109] + "…"
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown.replace('|', chr(92) + '|')}{fence}"


def main() -> None:
    """Write the tables into the pages."""
    for name, mark, table in PAGES:
        path = DOCS / name
        path.write_text(filled(path.read_text(), mark, table()))
        sys.stderr.write(f"wrote {path.name}\n")


if __name__ == "__main__":
    main()
