"""Slack: the token, what it may do, and each channel. Nothing is posted: `oomtriage test-alert` does that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from receiver.case.access import mapping, text
from receiver.doctor.contact import Service, is_json
from receiver.doctor.contact import reach as contact
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import Reason, reason
from receiver.errors import DeliveryError, SinkMisconfigured, SourceError
from receiver.render.text import clean_line
from receiver.sinks.slack import NEEDED_SCOPES, WANTED_SCOPES, looks_like_id
from receiver.sinks.slack_errors import CONNECT, WHOLE_SINK
from receiver.transport import Http, Response

SOCKET, FINE = "slack_socket", "ok"  # of /readyz
SCOPES = "slack.scopes"  # note: what Slack says the token may do; empty when it did not say
PRIVATE_HISTORY = "groups:history"
ANYWHERE = "chat:write.public"  # posts in public channels without being a member
# What is lost without a scope that is no must: their sentences are in the wording.
OPTIONAL = (*WANTED_SCOPES, "files:write")
CANNOT_LOOK = frozenset({"missing_scope", "unknown_method", "not_allowed_token_type", "no_permission"})
_WORD = re.compile(r"[a-z0-9_]{1,60}")
# An incoming webhook refuses an empty body so when it is there; these words say that it is not.
WEBHOOK_GONE = frozenset(
    {
        "no_service",
        "no_service_id",
        "no_team",
        "team_disabled",
        "invalid_token",
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
    }
)


def _is_api_answer(response: Response) -> bool:
    return response.status == 200 and is_json(response) and isinstance(response.json(), Mapping) and "ok" in response.json()


SERVICE = Service(name="Slack", address="SLACK_API_URL", is_answer=_is_api_answer, paths=("/api",))


def token(site: Site) -> Iterator[Finding]:
    """auth.test; of an incoming webhook, whether it is there."""
    if site.slack is not None:
        yield from _bot(site, site.slack)
    elif site.slack_webhook is not None:
        yield from _webhook(site, site.slack_webhook)
    else:
        yield advice(reason("doctor.slack.console"), reason("doctor.do.slack"))


def _bot(site: Site, slack: Http) -> Iterator[Finding]:
    found = contact(site, SERVICE, slack, lambda h: h.post("auth.test", form={}, timeout_s=site.question_s))
    if isinstance(found, Finding):
        yield found
        return
    answer = found.response.json()
    if answer.get("ok") is not True:
        word = _word(answer)
        yield problem(reason("doctor.slack.refused", word=word), _about(word))
        return
    said = found.response.headers.get("x-oauth-scopes", "")
    site.notes[SCOPES] = tuple(s.strip() for s in said.split(",") if s.strip())
    yield ok(reason("doctor.slack.ok", user=clean_line(text(answer, "user"), 80), team=clean_line(text(answer, "team"), 80)))


def _webhook(site: Site, webhook: Http) -> Iterator[Finding]:
    """A body without a text is refused by a webhook that is there, and by one that is gone in other words: nothing is posted."""
    try:
        response = webhook.post(json_body={}, timeout_s=site.question_s)
    except SourceError as exc:
        yield problem(reason("doctor.reach.failed", error=str(exc)), reason("doctor.do.slack_webhook"))
        return
    said = response.body[:80].decode("ascii", "replace").strip()
    word = said if _WORD.fullmatch(said) else ""
    if word in WEBHOOK_GONE or (not word and response.status != 400):
        yield problem(reason("doctor.slack.webhook_refused", word=word, status=response.status), reason("doctor.do.slack_webhook"))
        return
    yield ok(reason("doctor.slack.webhook_ok", origin=webhook.origin))
    yield advice(reason("doctor.slack.webhook_only"), reason("doctor.do.slack_bot"), part="webhook")


def scopes(site: Site) -> Iterator[Finding]:
    """Those that are needed, then those that are worth having. A webhook has none."""
    if site.slack is None:
        return
    there = site.notes.get(SCOPES, ())
    if not there:
        yield unknown(reason("doctor.scopes.not_told"))
        return
    for scope in NEEDED_SCOPES:
        if scope not in there:
            yield problem(reason("doctor.scopes.needed", scope=scope), reason("doctor.do.scope", scope=scope), part=scope)
    for scope in OPTIONAL:
        if scope not in there:
            yield advice(_lost_without(scope), reason("doctor.do.scope", scope=scope), part=scope)
    if all(scope in there for scope in NEEDED_SCOPES):
        yield ok(reason("doctor.scopes.ok", scopes=there))


def _lost_without(scope: str) -> Reason:
    return reason("doctor.scopes.files", scope=scope) if scope == "files:write" else reason("doctor.scopes.history", scope=scope)


def buttons(site: Site) -> Iterator[Finding]:
    """Whether presses get here: over a connection of the receiver's own (Socket Mode), or to /slack/actions, which nobody can try from here."""
    if site.slack is None:
        return
    if site.slack_app is None:
        yield _by_way_in(site)
        return
    socket = text(site.ready, SOCKET)
    if socket == FINE:
        yield ok(reason("doctor.buttons.connected"))
    elif socket:
        yield problem(reason("doctor.buttons.trouble", error=clean_line(socket, 300)), reason("doctor.do.app_token"))
    else:  # no receiver runs here: Slack hands out an address to connect to, which is let go of
        answer = _ask(site, CONNECT, {}, by=site.slack_app)
        word = _word_of(answer)
        yield (
            problem(reason("doctor.buttons.refused", word=word), reason("doctor.do.app_token"))
            if word
            else ok(reason("doctor.buttons.could_connect"))
        )


def _by_way_in(site: Site) -> Finding:
    if not site.own.has_signing_secret:
        return advice(reason("doctor.buttons.none"), reason("doctor.do.buttons"))
    if site.own.is_loopback and not site.own.public_url:
        return advice(reason("doctor.buttons.no_way_in"), reason("doctor.do.buttons"))
    return ok(reason("doctor.buttons.way_in"))


def channels(site: Site) -> Iterator[Finding]:
    """Each configured channel, the default one first."""
    if site.slack is None:
        return
    private: list[str] = []
    for channel in dict.fromkeys(site.own.channels):
        yield _channel(site, channel, private)
    there = site.notes.get(SCOPES, ())
    if private and there and PRIVATE_HISTORY not in there:
        yield advice(
            reason("doctor.scopes.private", channel=private[0]), reason("doctor.do.scope", scope=PRIVATE_HISTORY), part=PRIVATE_HISTORY
        )


def _channel(site: Site, channel: str, private: list[str]) -> Finding:
    """`private`: it is noted there when it is."""
    channel_id = channel
    if not looks_like_id(channel):
        assert site.channel_names is not None
        try:
            channel_id = site.channel_names.resolve_channel(channel)
        except SinkMisconfigured as exc:
            return problem(reason("doctor.channel.no_name", channel=channel, error=str(exc)), reason("doctor.do.channel_id"), part=channel)
        except DeliveryError as exc:
            return unknown(reason("doctor.failed", error=str(exc)), part=channel)
    answer = _ask(site, "conversations.info", {"channel": channel_id})
    if answer.get("ok") is True:
        if mapping(answer, "channel").get("is_private") is True:
            private.append(channel)
        return _seen(site, channel, mapping(answer, "channel"))
    word = _word(answer)
    if word in CANNOT_LOOK:  # the history needs another scope, and is refused where the bot is no member
        word = _word_of(_ask(site, "conversations.history", {"channel": channel_id, "limit": 1}))
        if not word:
            return ok(reason("doctor.channel.readable", channel=channel), part=channel)
        if word in CANNOT_LOOK:
            return unknown(
                reason("doctor.channel.not_looked_at", channel=channel), reason("doctor.do.scope", scope="channels:read"), part=channel
            )
    if word == "not_in_channel":
        return problem(
            reason("doctor.channel.no_member", channel=channel, name=""), reason("doctor.do.invite", channel=channel), part=channel
        )
    if word == "channel_not_found":
        return problem(reason("doctor.channel.not_found", channel=channel), reason("doctor.do.invite_or_id", channel=channel), part=channel)
    return problem(reason("doctor.channel.refused", channel=channel, word=word), _about(word), part=channel)


def _seen(site: Site, channel: str, found: Mapping[str, Any]) -> Finding:
    name = clean_line(text(found, "name"), 80)
    if found.get("is_archived") is True:
        return problem(reason("doctor.channel.archived", channel=channel, name=name), reason("doctor.do.unarchive"), part=channel)
    if found.get("is_member") is False:
        if ANYWHERE in site.notes.get(SCOPES, ()) and found.get("is_private") is not True:
            return advice(
                reason("doctor.channel.guest", channel=channel, name=name), reason("doctor.do.invite", channel=channel), part=channel
            )
        return problem(
            reason("doctor.channel.no_member", channel=channel, name=name), reason("doctor.do.invite", channel=channel), part=channel
        )
    return ok(reason("doctor.channel.ok", channel=channel, name=name), part=channel)


def _ask(site: Site, method: str, form: Mapping[str, Any], *, by: Http | None = None) -> Mapping[str, Any]:
    """Slack's answer; an empty one where it is no JSON object. `by`: another token than the bot's. A SourceError when there is none."""
    slack = by or site.slack
    assert slack is not None
    response = slack.post(method, form=form, timeout_s=site.question_s)
    answer = response.json() if is_json(response) else {}
    return answer if isinstance(answer, Mapping) else {}


def _word_of(answer: Mapping[str, Any]) -> str:
    """Empty for an answer that is fine."""
    return "" if answer.get("ok") is True else _word(answer)


def _word(answer: Mapping[str, Any]) -> str:
    word = text(answer, "error")
    return word if _WORD.fullmatch(word) else "unknown_error"


def _about(word: str) -> Reason:
    """What to do about a word of Slack's: about the scope, the token, or the word itself."""
    if word == "missing_scope":
        return reason("doctor.do.reinstall")
    return reason("doctor.do.slack_token") if word in WHOLE_SINK else reason("doctor.do.slack_word", word=word)
