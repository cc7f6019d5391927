"""The witnesses of a death, a table for each place where one looks. To add one: a row with an example, a near-miss and its source."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.diagnosis.death.witnesses.container_status import CONTAINER_STATUS, EXIT_CODES
from receiver.diagnosis.death.witnesses.events import NODE_EVENTS, POD_EVENTS
from receiver.diagnosis.death.witnesses.log_lines import LAST_WORDS, LOG_LINES
from receiver.diagnosis.death.witnesses.metrics import MEASURES
from receiver.diagnosis.death.witnesses.pod_status import DISRUPTIONS, POD_STATUS
from receiver.diagnosis.death.witnesses.row import ExitWitness, Measure, Said, Says, Witness, witness_of

TABLES: Mapping[str, tuple[Witness, ...] | tuple[ExitWitness, ...] | tuple[Measure, ...]] = {
    "pod_status": POD_STATUS,
    "disruptions": DISRUPTIONS,
    "container_status": CONTAINER_STATUS,
    "exit_codes": EXIT_CODES,
    "pod_events": POD_EVENTS,
    "node_events": NODE_EVENTS,
    "log_lines": LOG_LINES,
    "last_words": LAST_WORDS,
    "metrics": MEASURES,
}

__all__ = ["TABLES", "ExitWitness", "Measure", "Said", "Says", "Witness", "witness_of"]
