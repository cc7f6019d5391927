"""Do the promtool tests notice when a rule is broken? Every rule, broken one way at a time (tests/lab/rule_mutants.py).

    python -m bench rules_mutants [--rule NAME ...] [--pack DIR] [--jobs N] [--unlisted] [--list]

Each mutant is judged by the test files that load its rule file. Listed are the survivors: mutants that every test still
passes. tests/rules/equivalent_mutants.yaml names those that break nothing, with the reason; they are counted apart.
Exit status 1 when there are others, or when a test fails on the rules as they are: then it would notice everything.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import yaml

from receiver.rulepack import rules_dir
from receiver.rulepack.files import RULE_FILES, TEST_FILES, RuleFile, read_rule_files, read_yaml
from tests.e2e.binaries import binary
from tests.lab.rule_mutants import Mutant, mutants_of
from tests.places import REPO

EQUIVALENT = REPO / "tests" / "rules" / "equivalent_mutants.yaml"
TIMEOUT_S = 120


class Verdict(Enum):
    """What the tests made of a mutant."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    INVALID = "no PromQL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One mutant of the rule at `group`, `rule` of its file."""

    file: RuleFile
    group: int
    rule: int
    mutant: Mutant

    def text(self) -> str:
        """The whole rule file with the rule broken."""
        groups = [dict(group) for group in self.file.groups]
        rules = list(groups[self.group]["rules"])
        rules[self.rule] = dict(self.mutant.body)
        groups[self.group]["rules"] = rules
        return yaml.safe_dump({"groups": groups}, sort_keys=False)


def cases_of(directory: Path, names: Sequence[str] = ()) -> Iterator[Case]:
    """Every mutant of every rule, or of the named ones and of those in the named files."""
    for file in read_rule_files(directory):
        positions = ((group, rule) for group, body in enumerate(file.groups) for rule in range(len(body["rules"])))
        for rule, (group, index) in zip(file.rules(), positions, strict=True):
            if not names or rule.name in names or file.name in names:
                yield from (Case(file=file, group=group, rule=index, mutant=mutant) for mutant in mutants_of(rule))


def equivalents() -> Mapping[str, str]:
    """Reason by pattern (`*` stands for anything) of mutants that change nothing anybody could notice."""
    return {str(name): str(reason) for name, reason in read_yaml(EQUIVALENT).items()}


def is_listed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches the mutant's whole name."""
    return any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) for pattern in patterns)


def tests_by_file(directory: Path) -> dict[str, list[str]]:
    """Which test files load each rule file; those that are named after it come first."""
    found: dict[str, list[str]] = {}
    for path in sorted(directory.glob(TEST_FILES)):
        for loaded in read_yaml(path)["rule_files"]:
            found.setdefault(Path(loaded).name, []).append(path.name)
    return {name: sorted(tests, key=lambda test: not test.startswith(name.partition(".")[0])) for name, tests in found.items()}


def judge(case: Case, directory: Path, tests_of: Mapping[str, list[str]], last: dict[str, str]) -> Verdict:
    """Runs the tests of its file, one after the other, until one fails; `last` names the one that failed last for its rule,
    which goes first."""
    name = case.file.name
    rule = case.mutant.name.partition(": ")[0]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "tests").symlink_to((directory / "tests").resolve())
        for path in directory.glob(RULE_FILES):
            if path.name != name:
                (folder / path.name).symlink_to(path.resolve())
        (folder / name).write_text(case.text())
        for test in sorted(tests_of.get(name, []), key=lambda test: test != last.get(rule)):
            done = run_test(folder, test)
            said = done.stdout + done.stderr
            if "could not parse" in said or "parse error" in said:
                return Verdict.INVALID
            if done.returncode != 0:
                last[rule] = test
                return Verdict.NOTICED
    return Verdict.SURVIVED


def run_test(directory: Path, test: str) -> subprocess.CompletedProcess[str]:
    """promtool, with one test file of a pack. Collecting garbage is half of what it does in its second of life."""
    return subprocess.run(
        [binary("promtool"), "test", "rules", f"tests/{test}"],
        cwd=directory, env={**os.environ, "GOGC": "800"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip


def red_tests(directory: Path, tests: Iterable[str]) -> list[str]:
    """Those that fail on the rules as they are."""
    return [test for test in tests if run_test(directory, test).returncode != 0]


def main(arguments: Sequence[str] = ()) -> None:
    """Judges all, on every core."""
    parser = argparse.ArgumentParser(prog="python -m bench rules_mutants")
    parser.add_argument("--pack", type=Path, default=rules_dir(), help="folder with *.rules.yaml and tests/")
    parser.add_argument("--rule", nargs="+", default=[], help="only these alerts, records or files (oom.rules.yaml)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many at a time")
    parser.add_argument("--unlisted", action="store_true", help="leave out those that are listed as equivalent: quicker")
    parser.add_argument("--list", action="store_true", help="name the mutants, run nothing")
    options = parser.parse_args(arguments)
    known = equivalents()
    cases = [case for case in cases_of(options.pack, options.rule) if not (options.unlisted and is_listed(case.mutant.name, known))]
    if options.list:
        print("\n".join(case.mutant.name for case in cases))
        return
    tests, started = tests_by_file(options.pack), time.monotonic()
    if red := red_tests(options.pack, sorted({test for case in cases for test in tests.get(case.file.name, [])})):
        sys.exit(f"These tests fail before anything is broken: {', '.join(red)}")
    counts: dict[str, Counter[str]] = {}
    last: dict[str, str] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = pool.map(lambda case: judge(case, options.pack, tests, last), cases)
        for case, verdict in zip(cases, verdicts, strict=True):
            name = case.mutant.name
            is_known = is_listed(name, known)
            outcome = "equivalent" if verdict is Verdict.SURVIVED and is_known else verdict.value
            counts.setdefault(case.file.name, Counter())[outcome] += 1
            if (verdict is Verdict.NOTICED) == is_known:
                print(f"{verdict.value.upper()}{', though listed as equivalent' if is_known else ''} {name}", flush=True)
    for file, count in counts.items():
        print(f"{file}: {summary(count)}")
    print(f"{len(cases)} mutants in {time.monotonic() - started:.0f} s: {summary(sum(counts.values(), Counter()))}")
    if any(count[Verdict.SURVIVED.value] for count in counts.values()):
        sys.exit(1)


def summary(count: Mapping[str, int]) -> str:
    """How many of each outcome."""
    return ", ".join(f"{count.get(what, 0)} {what}" for what in ("noticed", "no PromQL", "equivalent", "survived"))
