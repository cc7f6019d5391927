"""Do the promtool tests notice when a rule is broken? The run itself is tests/lab/mutant_run.py.

python -m bench rules_mutants [--rule NAME ...] [--pack DIR] [--jobs N] [--unlisted] [--list]
"""

from tests.lab.mutant_run import main

__all__ = ["main"]
