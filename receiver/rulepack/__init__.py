"""The alerting rules that belong to the receiver: reading, checking and rendering them.

`rules_dir()` finds the pack, `check_rules` tells what is wrong with one, `check_data` what a Prometheus lacks for it and
`measure` what it costs there, `render_rules` writes it with a user's values, `values_schema` says what those may be.
"""

from receiver.rulepack.check import check_rules
from receiver.rulepack.cost import Cost, Costs, measure
from receiver.rulepack.live import check_data
from receiver.rulepack.pack import Pack, read_pack
from receiver.rulepack.places import rules_dir
from receiver.rulepack.problem import Level, Problem
from receiver.rulepack.render import FORMATS, render_rules
from receiver.rulepack.schema import values_schema

__all__ = [
    "FORMATS", "Cost", "Costs", "Level", "Pack", "Problem", "check_data", "check_rules", "measure", "read_pack", "render_rules",
    "rules_dir", "values_schema",
]  # fmt: skip
