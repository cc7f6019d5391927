"""Silences at Alertmanager: changed only when a person asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from receiver.domain.silence import Matcher
from receiver.domain.units import format_time, from_epoch, parse_time
from receiver.errors import NotFound, SourceError, Unavailable, Unreadable
from receiver.evidence.alertmanager import AlertmanagerConfig
from receiver.transport import Http, HttpConfig, Response

EXPIRED = "expired"
YOUNG_S = 600.0  # Prometheus sends every alert again within a few minutes of Alertmanager's start


class AlertmanagerSilences:
    """Holds one silence an incident. It is recognised by its id, and after a crash by the incident's id in its comment."""

    def __init__(self, config: AlertmanagerConfig) -> None:
        self._http = Http(
            HttpConfig(
                base_url=config.url, name="Alertmanager", token=config.token, token_path=config.token_path, ca_path=config.ca_path
            )
        )  # fmt: skip

    def hold(
        self, matchers: Sequence[Matcher], *, mark: str, known_id: str, now: float, until: float, by: str, comment: str
    ) -> tuple[str, float]:
        """Silence until then; one that is there is extended, never shortened and never doubled. Its id and its real end."""
        there = self._find(known_id, mark)
        body: dict[str, Any] = {
            "matchers": [{"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": True} for m in matchers],
            "startsAt": format_time(from_epoch(now)), "endsAt": format_time(from_epoch(until)), "createdBy": by, "comment": comment,
        }  # fmt: skip
        if there is not None:
            until = max(until, _seconds(there.get("endsAt")))
            # With another start, Alertmanager would end this silence and make a new one.
            body |= {"id": there["id"], "startsAt": there["startsAt"], "endsAt": format_time(from_epoch(until))}
        answer = self._http.post("api/v2/silences", json_body=body)
        if answer.status == 404 and "id" in body:  # it expired between the two questions
            del body["id"]
            answer = self._http.post("api/v2/silences", json_body=body)
        _check(answer)
        document = answer.json()
        silence_id = document.get("silenceID") if isinstance(document, Mapping) else None
        if not isinstance(silence_id, str) or not silence_id:
            raise Unreadable("Alertmanager took a silence and did not tell its id")
        return silence_id, until

    def release(self, silence_id: str, *, mark: str) -> None:
        """End the silence now. One that is not there any more is fine."""
        there = self._find(silence_id, mark)
        if there is None:
            return
        answer = self._http.delete(f"api/v2/silence/{quote(str(there['id']), safe='')}")
        if answer.status in (200, 404):
            return
        if answer.status == 500 and self._find(silence_id, mark) is None:
            return  # before 0.26 that is how a silence is missing
        _check(answer)

    def firing(self, matchers: Sequence[Matcher], *, now: float) -> frozenset[str] | None:
        """The fingerprints of the alerts that fire and match, silenced ones too; None while Alertmanager is too young to know all."""
        status = self._http.get_json("api/v2/status")
        started = parse_time(status.get("uptime")) if isinstance(status, Mapping) else None
        if started is None or now - started.timestamp() < YOUNG_S:
            return None
        wanted = {"filter": [str(m) for m in matchers], "active": "true", "silenced": "true", "inhibited": "true"}
        listed = self._http.get_json("api/v2/alerts", wanted)
        if not isinstance(listed, list):
            raise Unreadable("Alertmanager answered its alerts not as a list; is the address right?")
        return frozenset(str(a.get("fingerprint")) for a in listed if isinstance(a, Mapping))

    def _find(self, silence_id: str, mark: str) -> Mapping[str, Any] | None:
        """The silence that is on or to come, by its id or else by our mark in its comment."""
        listed = self._http.get_json("api/v2/silences")
        if not isinstance(listed, list):
            raise Unreadable("Alertmanager answered its silences not as a list; is the address right?")
        live = [s for s in listed if isinstance(s, Mapping) and s.get("id") and (s.get("status") or {}).get("state") != EXPIRED]
        ours = [s for s in live if s["id"] == silence_id] or [s for s in live if str(s.get("comment", "")).startswith(f"{mark}:")]
        return ours[0] if ours else None


def _seconds(text: object) -> float:
    at = parse_time(text)
    return at.timestamp() if at is not None else 0.0


def _check(answer: Response) -> None:
    if answer.status == 200:
        return
    said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
    is_page = said.startswith("<")  # of a proxy: nobody reads that in a message
    text = f"Alertmanager answered {answer.status}" + ("" if is_page or not said else f": {said}")
    if answer.status >= 500 or answer.status == 429:
        raise Unavailable(text)
    raise NotFound(text) if answer.status == 404 else SourceError(text)
