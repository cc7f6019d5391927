"""Holds the tables of docs/diagnosis.md to what the shipped procedure does.

    python -m bench.diagnosis_tables --traces DIR DIR --public DIR            exit 1 and a diff when the page says something else
    python -m bench.diagnosis_tables --traces DIR DIR --public DIR --write    puts them into the page

DIR: the two labelled corpora and the series without a leak. "Before" is what commit f64353b said of the same series: its
procedure was a sequence of tests, the first of which to fail decided. For the simulated sets 4 and 5 it is what commit d41b674 said,
when nobody had looked at them.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.classify_accuracy import (
    CAUSES,
    CONFIDENCES,
    STAGES,
    TUNED,
    Case,
    Told,
    damaged_verdicts,
    drawn_settings,
    folder_cases,
    negative_cases,
    synthetic_cases,
    verdicts,
)

PAGE = Path(__file__).parents[1] / "docs/diagnosis.md"
SCRIPT = "bench.diagnosis_tables"
BEFORE: Mapping[
    str, Mapping[str, tuple[str, ...]]
] = {  # right, hard, answered, of these right, leak precision, recall, said with 0.85 and right
    "first corpus": {
        "end of history": ("109/109", "-", "77/109", "77/77", "31/31", "31/31", "65/65"),
        "first alert": ("43/58", "-", "43/58", "41/43", "14/16", "14/14", "3/3"),
        "+30 min": ("51/58", "-", "50/58", "49/50", "14/15", "14/14", "11/11"),
        "+2 h": ("58/58", "-", "56/58", "56/56", "14/14", "14/14", "42/42"),
    },
    "second corpus": {
        "end of history": ("105/111", "4/17", "84/111", "83/84", "45/45", "45/51", "72/73"),
        "first alert": ("59/76", "0/6", "58/76", "55/58", "29/29", "29/36", "2/2"),
        "+30 min": ("69/76", "1/6", "68/76", "65/68", "31/31", "31/36", "10/10"),
        "+2 h": ("71/76", "0/6", "71/76", "67/71", "33/33", "33/36", "33/35"),
    },
    "simulated, sets 1 and 2": {
        "end of history": ("723/729", "41/59", "513/729", "510/513", "255/255", "255/260", "475/475"),
        "first alert": ("281/391", "-", "283/391", "274/283", "106/109", "106/133", "25/26"),
        "+30 min": ("331/391", "-", "337/391", "324/337", "109/112", "109/133", "72/74"),
        "+2 h": ("376/391", "-", "380/391", "369/380", "125/125", "125/133", "217/219"),
    },
    "simulated, set 3": {
        "end of history": ("293/302", "0/8", "202/302", "200/202", "96/96", "96/104", "237/237"),
        "first alert": ("155/203", "0/8", "155/203", "147/155", "78/82", "78/94", "4/4"),
        "+30 min": ("170/203", "0/8", "170/203", "162/170", "80/81", "80/94", "20/20"),
        "+2 h": ("193/203", "0/8", "192/203", "185/192", "88/88", "88/94", "90/96"),
    },
    "simulated, set 4": {
        "end of history": ("283/296", "2/16", "182/296", "176/182", "72/75", "72/80", "193/196"),
        "first alert": ("113/164", "-", "126/164", "108/126", "60/76", "60/65", "3/3"),
        "+30 min": ("132/164", "-", "147/164", "127/147", "63/80", "63/65", "18/18"),
        "+2 h": ("152/164", "-", "156/164", "147/156", "63/67", "63/65", "31/32"),
    },
    "simulated, set 5": {
        "end of history": ("191/192", "-", "142/192", "141/142", "56/56", "56/56", "120/120"),
        "first alert": ("96/140", "-", "101/140", "96/101", "44/46", "44/55", "1/1"),
        "+30 min": ("115/140", "-", "121/140", "115/121", "46/46", "46/55", "17/17"),
        "+2 h": ("130/140", "-", "137/140", "130/137", "46/46", "46/55", "34/34"),
    },
}


def bodies(traces: Sequence[Path]) -> dict[str, list[Case]]:
    """The series by the name that the page gives their body."""
    names = ("first corpus", "second corpus")
    return {
        **{name: folder_cases(folder) for name, folder in zip(names, traces, strict=True)},
        "simulated, sets 1 and 2": list(synthetic_cases(10, ("first", "second"))),
        "simulated, set 3": list(synthetic_cases(8, ("third",))),
        "simulated, set 4": list(synthetic_cases(8, ("fourth",))),
        "simulated, set 5": list(synthetic_cases(8, ("fifth",))),
    }


def measured(told: Sequence[Told]) -> tuple[str, ...]:
    """Right, hard ones, answered, of these right, leak precision and recall, said with 0.85 or more and right."""
    core = [t for t in told if not t.case.is_hard]
    answered = [t for t in core if t.cause != "unknown"]
    return (
        _of(core), _of([t for t in told if t.case.is_hard]), f"{len(answered)}/{len(core)}", _of(answered),
        _of([t for t in core if t.cause == "leak"]), _of([t for t in core if t.case.label == "leak"]), _of([t for t in core if t.confidence >= 0.85]),
    )  # fmt: skip


def page_with(page: str, script: str, part: str) -> str:
    """The page with this part between the marks that name the script."""
    begin, end = f"<!-- measured: python -m {script} -->", "<!-- /measured -->"
    if begin not in page:
        raise ValueError(f"the page has no part that {script} measures")
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{part}\n{end}", page, flags=re.DOTALL)


def settle(script: str, part: str, *, is_to_be_written: bool) -> None:
    """Writes the part into the page, or compares: exit 1 and a diff when the page says something else."""
    page = PAGE.read_text(encoding="utf-8")
    new = page_with(page, script, part)
    if is_to_be_written:
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        print("\n".join(difflib.unified_diff(page.splitlines(), new.splitlines(), "the page says", "measured", lineterm="")))
        sys.exit(1)


def _of(told: Sequence[Told]) -> str:
    return f"{sum(t.is_right for t in told)}/{len(told)}" if told else "-"


def page_part(traces: Sequence[Path], public: Path) -> str:
    """The tables as Markdown."""
    found = {name: {stage: verdicts(cases, after) for stage, after in STAGES} for name, cases in bodies(traces).items()}
    lines = [
        "Before and after, hard ones apart (`before > after` where they differ):",
        "| | right | hard | answered | of these right | leak precision | leak recall | said with 0.85 or more, right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, stages in found.items():
        for stage, told in stages.items():
            pairs = zip(BEFORE[name][stage], measured(told), strict=True)
            lines.append(f"| {name}, {stage} | " + " | ".join(now if old == now else f"{old} > {now}" for old, now in pairs) + " |")
    every = {stage: [t for stages in found.values() for t in stages[stage] if not t.case.is_hard] for stage, _ in STAGES}
    lines += ["", "What was said with which confidence and was right, by leaf and moment, all bodies together, hard ones apart:"]
    lines += [
        "| | " + " | ".join(f"{low:g} and more" if i == 0 else f"{low:g} to {high:g}" for i, (low, high) in enumerate(CONFIDENCES)) + " |",
        "|---" * 5 + "|",
    ]
    for stage, told in every.items():
        for cause in CAUSES:
            said = [t for t in told if t.cause == cause]
            lines.append(
                f"| {stage}: {cause} | "
                + " | ".join(_of([t for t in said if low <= t.confidence < high]) for low, high in CONFIDENCES)
                + " |"
            )
    simulated = [t for name, stages in found.items() if name.startswith("simulated") for t in stages["end of history"]]
    negatives = verdicts(negative_cases(public), None)
    ends = {name: found[name]["end of history"] for name in ("first corpus", "second corpus")}
    for name, told in {**ends, "all simulated sets": simulated, "public series": negatives}.items():
        lines += [
            "",
            f"Confusion at the end, {name}, hard ones included (rows: the label; unknown is the right answer to normal):",
            *_confusion(told),
        ]
    leaks = sum(t.cause == "leak" for t in negatives)
    lines += ["", f"False leaks on the public series: 0 > {leaks} of {len(negatives)} at the end of their history."]
    return "\n".join([*lines, "", *_what_it_bears([t.case for told in ends.values() for t in told])])


def _confusion(told: Sequence[Told]) -> list[str]:
    counts = Counter((t.case.label, t.cause) for t in told)
    rows = [f"| {label} | " + " | ".join(str(counts[label, said] or "") for said in CAUSES) + " |" for label in CAUSES]
    return ["| | " + " | ".join(CAUSES) + " |", "|---" * 6 + "|", *rows]


def _what_it_bears(cases: Sequence[Case]) -> list[str]:
    """Damaged series, and settings drawn at random."""
    lines = [
        "Damage, core of both corpora:",
        "| | right | leak precision | leak recall | said with 0.85 or more, right |",
        "|---" * 5 + "|",
    ]
    for name, told in damaged_verdicts(list(cases)):
        right, _, _, _, precision, recall, sure = measured(told)
        lines.append(f"| {name} | {right} | {precision} | {recall} | {sure} |")
    counts = drawn_settings(list(cases))
    core = sum(not case.is_hard for case in cases)
    lines += ["", f"**Every threshold ({len(TUNED)}) and weight drawn at random within a third of its value**, {len(counts)} times: of {core} right in the median "
              f"{counts[len(counts) // 2]}, worst {counts[0]}, best {counts[-1]}."]  # fmt: skip
    return lines


def main(arguments: Sequence[str] = ()) -> None:
    """Compares the page with what is measured, or writes it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--traces", type=Path, nargs=2)
    parser.add_argument("--public", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    if not options.traces or not options.public:
        print("needs the corpora: --traces DIR DIR --public DIR")
        return
    settle(SCRIPT, page_part(options.traces, options.public), is_to_be_written=options.write)


if __name__ == "__main__":
    main(sys.argv[1:])
