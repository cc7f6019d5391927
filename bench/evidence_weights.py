"""Weighs the evidence of the memory shape: fits `receiver/diagnosis/memory/odds.py`, and tests it on families that it has not seen.

    python -m bench.evidence_weights DIR... [--public DIR] [--seeds 8]              fits, and prints the table and how far it is from the shipped one
    python -m bench.evidence_weights DIR DIR [--public DIR] [--seeds 8] --held-out  for each group of families: fit on all others, tables on it
    ... --held-out --write                                                          and puts their table into docs/diagnosis.md

DIR: labelled traces (labels.csv with file, scenario, label and, if there, family). The simulated programs are always
among them. First the pieces of one life are weighed (a logistic regression: is its program one that leaks?), then the
pieces of the whole history (a multinomial one over the causes). Each weight has the sign that its meaning gives it, a
small penalty keeps it small, and each family of programs counts by the root of its size, so that no family decides.
Pure Python: cyclic coordinate descent, a Newton step each.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random

from bench.classify_accuracy import CAUSES, SETS, STAGES, Case, Told, folder_cases, negative_cases, synthetic_cases, tables
from bench.diagnosis_tables import measured, settle
from receiver.diagnosis.memory import odds
from receiver.diagnosis.memory.evidence import strengths_of
from receiver.diagnosis.memory.findings import MemoryFindings
from receiver.diagnosis.memory.lives import Lives, lives_of
from receiver.diagnosis.memory.prepare import Columns, columns_of
from receiver.diagnosis.memory.shape import findings_of
from receiver.diagnosis.memory.verdict import verdict_of
from tests.lab.first_alert import first_alert

FOLDS = 12
FITTED_ON = ("first", "second", "third", "fourth")  # of the simulated sets: the fifth was run blind, with weights that have not seen it
NEVER_SEEN = tuple(f"simulated, {name} set" for name in SETS if name not in FITTED_ON)
BODIES = {  # by corpus, as the page has them
    "dev": "first corpus", "dev2": "second corpus", "simulated, first set": "simulated, sets 1 and 2", "simulated, second set": "simulated, sets 1 and 2",
    "simulated, third set": "simulated, set 3", "simulated, fourth set": "simulated, set 4", "simulated, fifth set": "simulated, set 5",
}  # fmt: skip
SCRIPT = "bench.evidence_weights --held-out --write"
SWEEPS = 60
LIFE_PENALTY, CAUSE_PENALTY = 0.003, 0.002
MOST = 8.0  # of a weight

# What each piece may speak for (+1) or against (-1); 0: either. What is not named it does not speak about.
LIFE_SIGNS: Mapping[str, int] = {name: -1 if name in {"one_step", "late", "slowed"} else 1 for name in odds.LIFE}
SIGNS: Mapping[str, Mapping[str, int]] = {
    "climb": {"leak": 1, "spike": -1, "limit_too_low": -1},
    "climb_many": {"leak": 1, "spike": -1, "limit_too_low": -1},
    "climb_quiet": {"leak": 1},
    "climb_young": {"leak": -1},
    "since": {"leak": 1},
    "since_only": {"leak": 1},
    "kills": {"leak": 0, "spike": 1, "limit_too_low": 0, "startup": 1, "unknown": -1},
    "kills_from_below": {"spike": 1, "limit_too_low": -1, "leak": -1},
    "peaks_over_low": {"spike": 1, "limit_too_low": -1},
    "peaks_again": {"spike": 1, "limit_too_low": -1, "leak": -1},
    "came_back": {"spike": 1, "limit_too_low": -1},
    "traffic": {"spike": 1, "limit_too_low": -1, "leak": -1},
    "high_half": {"limit_too_low": 1},
    "high_lately": {"limit_too_low": 1, "spike": -1, "unknown": -1},
    "stands": {"limit_too_low": 1, "spike": -1},
    "quiet": {"unknown": 1},
    "start": {"startup": 1},
    "start_seen": {"startup": 1},
    "start_many": {"startup": 1},
}
BODY_WEIGHTS: Mapping[str, float] = {"recorded": 2.0, "simulated": 0.7, "public": 0.3}
MOMENT_WEIGHTS: Mapping[str, float] = {"end of history": 1.0, "first alert": 0.5, "+30 min": 0.4, "+2 h": 0.5, "on the way": 0.3}
# Their lives before the change do not leak, so the program's label is not each life's.
CHANGED_MIDWAY = ("py_leak_since_deploy", "leak_after_change", "leak_since_deploy", "leak_since_release")


@dataclass(frozen=True, kw_only=True)
class Look:
    """One case at one moment. Not slotted: what is seen then is kept."""

    case: Case
    moment: str
    now_s: float | None

    @cached_property
    def lives(self) -> tuple[Columns, Lives]:
        """What is seen then; no weight has a part in it."""
        c = columns_of(self.case.history, self.now_s)
        return c, lives_of(c, self.case.history)

    def findings(self) -> MemoryFindings | None:
        """What is measured then, with the weights of lives that are in force; None without rows."""
        c, lives = self.lives
        return findings_of(c, lives) if c.t else None


@dataclass(slots=True)
class Fit:
    """Rows (strengths by name, index of the right class, weight) of a multinomial regression, and its weights so far."""

    classes: Sequence[str]
    signs: Mapping[str, Mapping[str, int]]
    penalty: float
    rows: Sequence[tuple[Mapping[str, float], int, float]]
    base: list[float] = field(default_factory=list)
    weights: dict[tuple[str, int], float] = field(default_factory=dict)
    total: float = 1.0

    def solve(self) -> None:
        """Newton steps, one weight after the other, until SWEEPS are done or nothing moves."""
        self.total = sum(w for _, _, w in self.rows)
        count = len(self.classes)
        self.base = [0.0] * count
        shares = [[1.0] * count for _ in self.rows]
        by_piece: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for i, (strengths, _, _) in enumerate(self.rows):
            for name, strength in strengths.items():
                if strength:
                    by_piece[name].append((i, strength))
        everywhere = [(i, 1.0) for i in range(len(self.rows))]
        for _ in range(SWEEPS):
            moved = 0.0
            for k in range(count):
                step = self._step(everywhere, k, shares, value=self.base[k], sign=0, penalty=0.0)
                self.base[k] += step
                moved = max(moved, abs(step))
            for name, speaks in self.signs.items():
                for cause, sign in speaks.items():
                    k = self.classes.index(cause)
                    old = self.weights.get((name, k), 0.0)
                    step = self._step(by_piece[name], k, shares, value=old, sign=sign, penalty=self.penalty)
                    self.weights[name, k] = old + step
                    moved = max(moved, abs(step))
            if moved < 1e-3:
                break

    def _step(
        self, seen: Sequence[tuple[int, float]], k: int, shares: list[list[float]], *, value: float, sign: int, penalty: float
    ) -> float:
        low, high = (0.0 if sign > 0 else -MOST), (0.0 if sign < 0 else MOST)
        total = self.total
        gradient, curvature = penalty * value, penalty
        for i, x in seen:
            _, right, weight = self.rows[i]
            p = shares[i][k] / sum(shares[i])
            gradient += weight / total * x * (p - (right == k))
            curvature += weight / total * x * x * p * (1 - p)
        step = min(max(-gradient / curvature, low - value), high - value) if curvature > 0 else 0.0
        step = min(max(step, -1.0), 1.0)
        if step:
            for i, x in seen:
                shares[i][k] *= math.exp(step * x)
        return step


def looks_of(cases: Sequence[Case]) -> Iterator[Look]:
    """Each case at its end, at its first alert and after; those without a leak from elsewhere also on the way."""
    for case in cases:
        yield Look(case=case, moment="end of history", now_s=None)
        if case.body == "public":
            begin, end = case.history.samples[0].t_s, case.history.samples[-1].t_s
            for part in (0.25, 0.5, 0.75):
                yield Look(case=case, moment="on the way", now_s=begin + part * (end - begin))
            continue
        alert = first_alert(case.history)
        if alert is not None:
            for name, after in STAGES[1:]:
                yield Look(case=case, moment=name, now_s=alert + (after or 0.0))


def fit_lives(looks: Sequence[Look]) -> None:
    """Puts new weights of the pieces of one life in force."""
    rows = []
    for look in looks:
        case = look.case
        if look.moment != "end of history" or case.is_hard or case.family in CHANGED_MIDWAY:
            continue
        findings = look.findings()
        tested = findings.leak.tested if findings is not None else ()
        total = sum(x.length_s for x in tested) or 1.0
        for x in tested:
            strengths = dict(zip(odds.LIFE, x.climb.strengths, strict=True))
            rows.append((strengths, int(case.label == "leak"), BODY_WEIGHTS[case.body] * x.length_s / total))
    fit = Fit(("none", "leak"), {name: {"leak": sign} for name, sign in LIFE_SIGNS.items()}, LIFE_PENALTY, rows)
    fit.solve()
    odds.LIFE_BASE = round(fit.base[1] - fit.base[0], 2)
    odds.LIFE = {name: round(fit.weights[name, 1], 2) for name in odds.LIFE}


def fit_causes(looks: Sequence[Look], found: Sequence[MemoryFindings | None]) -> None:
    """Puts new weights of the pieces of a history in force."""
    count = Counter((look.case.family, look.moment) for look in looks)
    rows = []
    for look, findings in zip(looks, found, strict=True):
        if findings is not None:
            weight = BODY_WEIGHTS[look.case.body] * MOMENT_WEIGHTS[look.moment] * (0.25 if look.case.is_hard else 1.0)
            weight /= math.sqrt(count[look.case.family, look.moment])
            rows.append((strengths_of(findings), CAUSES.index(look.case.label), weight))
    fit = Fit(CAUSES, SIGNS, CAUSE_PENALTY, rows)
    fit.solve()
    by_value = {cause.value: cause for cause in odds.CAUSE_BASE}
    odds.CAUSE_BASE = {by_value[name]: round(base, 2) for name, base in zip(CAUSES, fit.base, strict=True)}
    odds.CAUSES = {
        name: {by_value[cause]: w for cause in speaks if abs(w := round(fit.weights[name, CAUSES.index(cause)], 2)) >= 0.05}
        for name, speaks in SIGNS.items()
    }


def held_out(looks: Sequence[Look]) -> dict[str, list[Told]]:
    """What is told of each look by weights that were fitted without its family, per moment."""
    families = sorted({look.case.family for look in looks})
    seen = [look for look in looks if look.case.corpus not in NEVER_SEEN]
    Random("families").shuffle(families)
    told: dict[str, list[Told]] = defaultdict(list)
    for fold in range(FOLDS):
        out = set(families[fold::FOLDS])
        others = [look for look in seen if look.case.family not in out]
        fit_lives(others)
        fit_causes(others, [look.findings() for look in others])
        for look in looks:
            findings = look.findings() if look.case.family in out else None
            if findings is not None:
                verdict = verdict_of(findings)
                told[look.moment].append(Told(look.case, verdict.cause.value, round(verdict.confidence, 2), verdict.detail))
        print(f"fold {fold + 1} of {FOLDS}: {', '.join(sorted(out))}", file=sys.stderr, flush=True)
    return told


def page_part(told: Mapping[str, Sequence[Told]], seeds: int, has_public: bool) -> str:
    """The table of held-out families as Markdown."""
    lines = [
        "| | right | hard | answered | of these right | leak precision | leak recall | said with 0.85 or more, right |",
        "|---" * 8 + "|",
    ]
    for body in dict.fromkeys(BODIES.values()):
        for moment, _ in STAGES:
            of_body = [t for t in told[moment] if BODIES.get(t.case.corpus) == body]
            lines.append(f"| {body}, {moment} | " + " | ".join(measured(of_body)) + " |")
    of_public = (
        f" False leaks on the public series: {sum(t.cause == 'leak' for t in public)} of {len(public)}."
        if (public := [t for t in told["end of history"] if t.case.body == "public"])
        else ""
    )
    return "\n".join(
        [
            *lines,
            "",
            f"({FOLDS} folds, {seeds} seeds of each simulated family, {'with' if has_public else 'without'} the public series.{of_public})",
        ]
    )


def as_table() -> str:
    """The weights in force, as `odds.py` has them."""
    names = {"leak": "LEAK", "spike": "SPIKE", "limit_too_low": "LIMIT", "startup": "STARTUP", "unknown": "UNKNOWN"}
    lines = [f"LIFE_BASE = {odds.LIFE_BASE}", "LIFE: Mapping[str, float] = {", *(f'    "{n}": {w},' for n, w in odds.LIFE.items()), "}", ""]
    base = ", ".join(f"{names[c.value]}: {b}" for c, b in odds.CAUSE_BASE.items())
    lines += [f"CAUSE_BASE: Mapping[CauseName, float] = {{{base}}}", "CAUSES: Mapping[str, Mapping[CauseName, float]] = {"]
    lines += [f'    "{n}": {{{", ".join(f"{names[c.value]}: {w}" for c, w in speaks.items())}}},' for n, speaks in odds.CAUSES.items()]
    return "\n".join([*lines, "}"])


def main(arguments: Sequence[str] = ()) -> None:
    """Fits on what the arguments name; prints the table, or what families that were held out are told."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="*")
    parser.add_argument("--public", type=Path, metavar="DIR")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    cases = [case for folder in options.traces for case in folder_cases(folder)]
    cases += [
        *synthetic_cases(options.seeds, tuple(SETS) if options.held_out else FITTED_ON),
        *(negative_cases(options.public) if options.public else ()),
    ]
    looks = list(looks_of(cases))
    if options.held_out:
        found = held_out(looks)
        for moment, told in found.items():
            for body in dict.fromkeys(t.case.corpus for t in told):
                tables(f"held out, {body}, {moment}", [t for t in told if t.case.corpus == body])
        if options.traces:
            settle(SCRIPT, page_part(found, options.seeds, options.public is not None), is_to_be_written=options.write)
        return
    shipped = {name: dict(weights) for name, weights in odds.CAUSES.items()}
    fit_lives(looks)
    fit_causes(looks, [look.findings() for look in looks])
    print(as_table())
    off = max(abs(w - odds.CAUSES[name].get(cause, 0.0)) for name, weights in shipped.items() for cause, w in weights.items())
    print(f"# the largest difference to the shipped weights of causes: {off:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
