"""An Alertmanager that holds alerts and silences, as far as buttons ask."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from receiver.demo.standins import Asked, Reply, Standin, json_reply
from receiver.domain.alerts import Alert
from receiver.domain.units import format_time


class AlertmanagerStandin(Standin):
    """`alerts`: what fires now. `silences`: by their id."""

    def __init__(self, *, began: datetime) -> None:
        super().__init__()
        self.alerts: list[Alert] = []
        self._began = began
        self.silences: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        """Status, alerts, and silences: listed, made, extended, ended."""
        match asked.method, asked.parts[-1:], asked.parts[-2:-1]:
            case "GET", ("status",), _:
                return json_reply({"uptime": format_time(self._began), "versionInfo": {"version": "0.25.0"}})
            case "GET", ("silences",), _:
                return json_reply(list(self.silences.values()))
            case "POST", ("silences",), _:
                silence = {"id": f"silence-{len(self.silences) + 1}", **json.loads(asked.body), "status": {"state": "active"}}
                self.silences[silence["id"]] = silence
                return json_reply({"silenceID": silence["id"]})
            case "DELETE", (silence_id,), ("silence",):
                self.silences[silence_id]["status"] = {"state": "expired"}
                return Reply()
            case "GET", ("alerts",), _:
                held = {"receivers": [{"name": "oomtriage"}], "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}}
                return json_reply([{**a.to_json(), **held} for a in self.alerts])
        return json_reply([])
