"""How often the memory shape is right, and how far its confidence can be trusted.

    python -m bench.classify_accuracy                                   the shipped traces and a small simulation
    python -m bench.classify_accuracy DIR                               a folder with labels.csv (file, scenario, label)
    python -m bench.classify_accuracy DIR --sensitivity                 with each threshold drawn at random within a third of its value
    python -m bench.classify_accuracy DIR --damage                      with rows lost, noise, longer steps, histories cut
    python -m bench.classify_accuracy --synthetic 20                    simulated programs (tests/lab/synthetic.py)
    python -m bench.classify_accuracy --negatives DIR                   any folder of series without a leak: false leaks

A folder may name a `family` of programs; scenarios that begin with "hard" cannot be known from memory alone and are told
apart. "At the first alert" is the first time above 80 % of the limit for 5 min, or the first OOM kill; only rows up to then
are shown to the classifier. "Answered" is a verdict other than unknown. A label `normal` is answered rightly by unknown.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from receiver.diagnosis.memory import odds, thresholds
from receiver.diagnosis.memory.csv_series import SeriesError, history_of_csv
from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.facts import MemoryHistory, Sample
from tests.lab.fifth_set import FIFTH_SET
from tests.lab.first_alert import first_alert
from tests.lab.fourth_set import FOURTH_SET
from tests.lab.synthetic import FIRST_SET, SECOND_SET, cases
from tests.lab.third_set import THIRD_SET

STAGES = (("end of history", None), ("first alert", 0.0), ("+30 min", 1800.0), ("+2 h", 7200.0))
SHIPPED = Path(__file__).parents[1] / "tests" / "fixtures" / "traces"
CAUSES = ("leak", "spike", "limit_too_low", "startup", "unknown")
CONFIDENCES = ((0.85, 1.01), (0.7, 0.85), (0.51, 0.7), (0.0, 0.51))

# What the sensitivity test moves, each within a third of its value: all but counts and the warning line itself.
TUNED = tuple(name for name, value in vars(thresholds).items() if isinstance(value, float) and name not in {"HIGH_RATIO", "NO_LIMIT_BYTES"})
SETTINGS_TRIED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled series. `corpus`: where it comes from; `body`: recorded, simulated or public."""

    name: str
    corpus: str
    body: str
    scenario: str
    family: str
    label: str
    is_hard: bool
    history: MemoryHistory


class Told(NamedTuple):
    """What was said of a case."""

    case: Case
    cause: str
    confidence: float
    detail: str

    @property
    def is_right(self) -> bool:
        """Whether that is its label."""
        return self.cause == self.case.label


def read(path: Path) -> MemoryHistory:
    """A .csv or .csv.gz as a history."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt") as file:
            return history_of_csv(file.read())
    return history_of_csv(path.read_text())


def folder_cases(folder: Path) -> list[Case]:
    """The series that the folder's labels.csv names."""
    found = []
    with (folder / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / Path(row["file"]).name
            scenario = row["scenario"]
            is_hard = row.get("hard") in ("1", "true") or row.get("split", "").endswith("hard") or scenario.startswith("hard")
            found.append(
                Case(
                    name=path.name, corpus=folder.name, body="recorded", scenario=scenario, family=row.get("family") or scenario,
                    label="unknown" if row["label"] == "normal" else row["label"], is_hard=is_hard, history=read(path),
                )
            )  # fmt: skip
    return found


SETS = {"first": FIRST_SET, "second": SECOND_SET, "third": THIRD_SET, "fourth": FOURTH_SET, "fifth": FIFTH_SET}


def synthetic_cases(seeds: int, sets: Sequence[str] = tuple(SETS)) -> Iterator[Case]:
    """Simulated series of these sets."""
    for which in sets:
        families = SETS[which]
        for family, label, is_hard, history in cases(range(1000, 1000 + seeds), families):
            yield Case(
                name=family, corpus=f"simulated, {which} set", body="simulated", scenario=family, family=family, label=label, is_hard=is_hard,
                history=history,
            )  # fmt: skip


def negative_cases(folder: Path) -> Iterator[Case]:
    """Series without a leak, in this folder and below."""
    for path in sorted((*folder.rglob("*.csv.gz"), *folder.rglob("*.csv"))):
        try:
            history = read(path)
        except SeriesError:
            continue
        if history.samples:
            name = str(path.relative_to(folder))
            yield Case(
                name=name, corpus="public", body="public", scenario=path.parent.name, family=path.parent.name, label="unknown", is_hard=False,
                history=history,
            )  # fmt: skip


def verdicts(found: Iterable[Case], after_alert_s: float | None) -> list[Told]:
    """Each case with its verdict at the end of its history, or so long after its first alert (if it has one)."""
    told = []
    for case in found:
        now = None
        if after_alert_s is not None:
            alert = first_alert(case.history)
            if alert is None:
                continue
            now = alert + after_alert_s
        shape = shape_of(case.history, now_s=now)
        told.append(Told(case, shape.cause.value, shape.confidence, shape.detail))
    return told


def share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({100 * part / whole:.1f} %)" if whole else "none"


def report(found: list[Case]) -> None:
    """All tables."""
    for stage, after in STAGES:
        tables(stage, verdicts(found, after))


def tables(title: str, told: list[Told]) -> None:
    """How often it is right, confusion, calibration, and what was wrong."""
    core = [t for t in told if not t.case.is_hard]
    hard = [t for t in told if t.case.is_hard]
    answered = [t for t in core if t.cause != "unknown"]
    print(f"\n== {title}: {len(told)} series")
    print(f"right: core {right(core)}, hard {right(hard)}")
    print(f"answered: {share(len(answered), len(core))}, of these right {right(answered)}")
    print(f"leak: precision {right([t for t in core if t.cause == 'leak'])}, recall {right([t for t in core if t.case.label == 'leak'])}")
    _print_confusion(core)
    _print_calibration(core)
    _print_wrong(told)


def right(told: Sequence[Told]) -> str:
    """How many of these."""
    return share(sum(t.is_right for t in told), len(told))


def _print_confusion(told: list[Told]) -> None:
    counts = Counter((t.case.label, t.cause) for t in told)
    print(f"{'is, said':>14} " + " ".join(f"{cause:>13}" for cause in CAUSES))
    for label in CAUSES:
        print(f"{label:>14} " + " ".join(f"{counts[label, cause]:>13}" for cause in CAUSES))


def _print_calibration(told: list[Told]) -> None:
    for low, high in CONFIDENCES:
        inside = [t for t in told if low <= t.confidence < high]
        by_cause = ", ".join(f"{cause} {right(said)}" for cause in CAUSES if (said := [t for t in inside if t.cause == cause]))
        print(f"said with {low:.2f} or more: {right(inside)} right; {by_cause}")


def _print_wrong(told: list[Told]) -> None:
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    for t in told:
        if not t.is_right:
            wrong[t.case.scenario][f"{t.cause} {t.confidence:.2f} ({t.detail})"] += 1
    totals = Counter(t.case.scenario for t in told)
    for scenario, answers in sorted(wrong.items()):
        print(f"  wrong in {scenario} ({totals[scenario]}): " + ", ".join(f"{answer} x{n}" for answer, n in answers.most_common()))


def drawn_settings(found: list[Case]) -> list[int]:
    """How many of the core are right, ascending, when every threshold and weight is drawn at random within a third of its value."""
    core = [case for case in found if not case.is_hard]
    shipped = {name: getattr(thresholds, name) for name in TUNED}
    lives, causes = odds.LIFE, odds.CAUSES
    rng = Random("sensitivity")
    counts: list[int] = []
    try:
        for _ in range(SETTINGS_TRIED):
            for name, value in shipped.items():
                setattr(thresholds, name, value * rng.uniform(2 / 3, 4 / 3) if value > 1 else min(value * rng.uniform(2 / 3, 4 / 3), 0.99))
            odds.LIFE = {name: w * rng.uniform(2 / 3, 4 / 3) for name, w in lives.items()}
            odds.CAUSES = {name: {cause: w * rng.uniform(2 / 3, 4 / 3) for cause, w in speaks.items()} for name, speaks in causes.items()}
            counts.append(sum(t.is_right for t in verdicts(core, None)))
    finally:
        odds.LIFE, odds.CAUSES = lives, causes
        for name, value in shipped.items():
            setattr(thresholds, name, value)
    return sorted(counts)


def sensitivity(found: list[Case]) -> None:
    """The worst, the median and the best of `drawn_settings`."""
    core, counts = [case for case in found if not case.is_hard], drawn_settings(found)
    print(f"{SETTINGS_TRIED} random settings, each number within a third: worst {share(counts[0], len(core))}, "
          f"median {share(counts[len(counts) // 2], len(core))}, best {share(counts[-1], len(core))}")  # fmt: skip


def damaged_verdicts(found: list[Case]) -> Iterator[tuple[str, list[Told]]]:
    """What is told of the core when rows are lost, values are noisy, steps are longer and histories are cut."""
    core = [case for case in found if not case.is_hard]
    for name, change in DAMAGES.items():
        damaged = [replace(c, history=replace(c.history, samples=tuple(change(list(c.history.samples), Random(c.name))))) for c in core]
        yield name, verdicts([c for c in damaged if c.history.samples], None)


def damage(found: list[Case]) -> None:
    """Prints what becomes of the verdicts then."""
    for name, told in damaged_verdicts(found):
        print(f"{name:>44}: right {right(told)}, leaks: precision {right([t for t in told if t.cause == 'leak'])}, "
              f"recall {right([t for t in told if t.case.label == 'leak'])}")  # fmt: skip


def _thinned(samples: list[Sample], step_s: float) -> list[Sample]:
    kept: list[Sample] = []
    for s in samples:
        if not kept or s.t_s - kept[-1].t_s >= step_s:
            kept.append(s)
    return kept


def _noisy(samples: list[Sample], rng: Random, share_of_limit: float) -> list[Sample]:
    noise = [rng.gauss(0, share_of_limit) * (s.limit_bytes or s.working_set_bytes) for s in samples]
    return [
        replace(
            s, working_set_bytes=max(0.0, s.working_set_bytes + n), rss_bytes=None if s.rss_bytes is None else max(0.0, s.rss_bytes + n)
        )
        for s, n in zip(samples, noise, strict=True)
    ]


def _lost(share_lost: float) -> Callable[[list[Sample], Random], list[Sample]]:
    return lambda samples, rng: [s for s in samples if rng.random() >= share_lost]


def _every(step_s: float) -> Callable[[list[Sample], Random], list[Sample]]:
    return lambda samples, rng: _thinned(samples, step_s)


def _newest(span_s: float) -> Callable[[list[Sample], Random], list[Sample]]:
    return lambda samples, rng: [s for s in samples if s.t_s >= samples[-1].t_s - span_s]


DAMAGES: Mapping[str, Callable[[list[Sample], Random], list[Sample]]] = {
    "as recorded": lambda samples, rng: samples,
    "10 % of the rows lost": _lost(0.1),
    "30 % of the rows lost": _lost(0.3),
    "half of the rows lost": _lost(0.5),
    "four of five rows lost": _lost(0.8),
    "a gap of 40 % of the history": lambda samples, rng: samples[: len(samples) * 3 // 10] + samples[len(samples) * 7 // 10 :],
    "noise of 1 % of the limit": lambda samples, rng: _noisy(samples, rng, 0.01),
    "noise of 2 % of the limit": lambda samples, rng: _noisy(samples, rng, 0.02),
    "a row in 1 min": _every(60),
    "a row in 2 min": _every(120),
    "a row in 5 min": _every(300),
    "the first third cut off": lambda samples, rng: samples[len(samples) // 3 :],
    "the newest day only": _newest(86400),
    "the newest 6 h only": _newest(21600),
    "the newest hour only": _newest(3600),
    "the last third cut off": lambda samples, rng: samples[: len(samples) * 2 // 3],
}


def negatives(folder: Path) -> None:
    """False leaks in a folder (searched below, too) of series that have none, at their end and on the way."""
    leaks, on_the_way, total = [], 0, 0
    for case in negative_cases(folder):
        total += 1
        begin, end = case.history.samples[0].t_s, case.history.samples[-1].t_s
        shape = shape_of(case.history)
        if shape.cause.value == "leak":
            leaks.append(f"{case.name} {shape.confidence:.2f} ({shape.detail})")
        on_the_way += any(shape_of(case.history, now_s=begin + part * (end - begin)).cause.value == "leak" for part in (0.25, 0.5, 0.75))
    print(f"false leaks: {share(len(leaks), total)} at the end of the history; {on_the_way} at a quarter, half or three quarters of it")
    for line in leaks:
        print(f"  {line}")


def main(arguments: Sequence[str] = (str(SHIPPED), "--synthetic", "3")) -> None:
    """Runs what the arguments ask for; without any, the shipped traces and a small simulation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="?")
    parser.add_argument("--sensitivity", action="store_true")
    parser.add_argument("--synthetic", type=int, metavar="SEEDS")
    parser.add_argument("--negatives", type=Path, metavar="DIR")
    parser.add_argument("--damage", action="store_true")
    options = parser.parse_args(arguments)
    if options.traces:
        found = folder_cases(options.traces)
        damage(found) if options.damage else sensitivity(found) if options.sensitivity else report(found)
    if options.synthetic:
        simulated = list(synthetic_cases(options.synthetic))
        damage(simulated) if options.damage else sensitivity(simulated) if options.sensitivity else report(simulated)
    if options.negatives:
        negatives(options.negatives)


if __name__ == "__main__":
    main(sys.argv[1:]) if sys.argv[1:] else main()
