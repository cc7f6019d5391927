"""The alerting rules that belong to the receiver: reading, checking and rendering them.

`rules_dir()` finds the pack, `check_rules` tells what is wrong with one (and, asked about a live Prometheus, which of its
metrics are missing there), `render_rules` writes it with a user's values.
"""

from receiver.rulepack.check import check_rules
from receiver.rulepack.places import rules_dir
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.render import FORMATS, render_rules

__all__ = ["FORMATS", "Level", "Problem", "check_rules", "render_rules", "rules_dir"]
