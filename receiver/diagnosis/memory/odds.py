"""The weights of evidence: log-odds that `python -m bench evidence_weights` fits and prints, one family of programs at a time held out."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.report import CauseName

LEAK, SPIKE, LIMIT, STARTUP, UNKNOWN = CauseName.LEAK, CauseName.SPIKE, CauseName.LIMIT_TOO_LOW, CauseName.STARTUP, CauseName.UNKNOWN

LIFE_BASE = -5.21
LIFE: Mapping[str, float] = {
    "room_eaten": 1.78,
    "growth": 1.2,
    "steady": 0.43,
    "way_goes_on": 1.54,
    "straight": 1.59,
    "took_its_time": 0.55,
    "long": 0.46,
    "goes_on": 1.0,
    "ended": 0.91,
    "killed": 0.6,
    "one_step": -2.22,
    "late": -0.97,
    "slowed": -1.6,
}

CAUSE_BASE: Mapping[CauseName, float] = {LEAK: 2.22, SPIKE: -0.7, LIMIT: 0.3, STARTUP: -1.87, UNKNOWN: 0.05}
CAUSES: Mapping[str, Mapping[CauseName, float]] = {
    "climb": {LEAK: 2.0, SPIKE: -0.28},
    "climb_many": {LEAK: 0.1, SPIKE: -0.89},
    "climb_quiet": {LEAK: 1.65},
    "climb_young": {LEAK: -1.22},
    "since": {LEAK: 0.95},
    "since_only": {LEAK: 1.1},
    "kills": {LEAK: 0.05, SPIKE: 0.25, LIMIT: -0.56, STARTUP: 1.24, UNKNOWN: -0.98},
    "kills_from_below": {SPIKE: 0.52, LIMIT: -0.44, LEAK: -0.37},
    "peaks_over_low": {SPIKE: 1.59},
    "peaks_again": {SPIKE: 1.44},
    "came_back": {SPIKE: 1.0, LIMIT: -0.52},
    "traffic": {SPIKE: 0.46, LIMIT: -0.31},
    "high_half": {LIMIT: 1.9},
    "high_lately": {LIMIT: 0.85, SPIKE: -0.28, UNKNOWN: -0.55},
    "stands": {LIMIT: 1.21, SPIKE: -0.67},
    "quiet": {UNKNOWN: 3.65},
    "start": {STARTUP: 2.16},
    "start_seen": {STARTUP: 1.98},
    "start_many": {STARTUP: 1.44},
}
