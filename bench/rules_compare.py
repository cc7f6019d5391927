"""The article's rule, rules that people copy, and ours over the same series (tests/lab/rule_comparison.py): prints docs/rules/compared.md.

python -m bench rules_compare [--pack DIR]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from receiver.rulepack import rules_dir
from tests.lab.rule_comparison import compare, markdown


def main(arguments: Sequence[str] = ()) -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench rules_compare")
    parser.add_argument("--pack", type=Path, default=rules_dir(), help="folder with *.rules.yaml")
    print(markdown(compare(parser.parse_args(arguments).pack)))
