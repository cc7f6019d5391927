"""The settings by which a program bounds its own memory, and how they stand to its container's limit. Pure functions."""

from receiver.diagnosis.log.ceilings.allowance import Allowance, Fit, allowance_of
from receiver.diagnosis.log.ceilings.kept import OMITTED, kept_value
from receiver.diagnosis.log.ceilings.model import COMMAND, LOG, Row, Setting
from receiver.diagnosis.log.ceilings.read import settings_of, workers_of
from receiver.diagnosis.log.ceilings.table import ROWS

__all__ = [
    "COMMAND",
    "LOG",
    "OMITTED",
    "ROWS",
    "Allowance",
    "Fit",
    "Row",
    "Setting",
    "allowance_of",
    "kept_value",
    "settings_of",
    "workers_of",
]
