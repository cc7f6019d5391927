"""What the rules would have said over a user's own history, beside the OOM kills that really happened in it.

`Runner` asks a Prometheus (`asking`: in pieces, within a budget) for every alert's expression (`expand`: with the records it
reads written out), simulates the alerts (`states`), finds the kills (`kills`) and puts both together (`judge`). `compare`
takes two versions of the rules. `text`, `markdown` and `document` show the result.
"""

from receiver.rulepack.backtest.asking import Asker, Limits, Load
from receiver.rulepack.backtest.compare import Comparison, compare
from receiver.rulepack.backtest.document import backtest_document
from receiver.rulepack.backtest.history import Range
from receiver.rulepack.backtest.markdown import backtest_markdown, comparison_markdown
from receiver.rulepack.backtest.plan import RuleSet, read_rule_set
from receiver.rulepack.backtest.run import Backtest, Runner
from receiver.rulepack.backtest.text import backtest_text, comparison_text

__all__ = [
    "Asker",
    "Backtest",
    "Comparison",
    "Limits",
    "Load",
    "Range",
    "RuleSet",
    "Runner",
    "backtest_document",
    "backtest_markdown",
    "backtest_text",
    "compare",
    "comparison_markdown",
    "comparison_text",
    "read_rule_set",
]
