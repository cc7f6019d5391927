"""What Slack's refusals mean: every error word in one of the DeliveryError classes, with a hint where a person can mend it.

The words are Slack's documented ones for chat.postMessage, chat.update, conversations.* and incoming webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from receiver.errors import Ambiguous, BadMessage, DeliveryError, Gone, NotEditable, RetryLater, SinkMisconfigured
from receiver.render.text import clean_line

# Surely nothing stored.
RETRY = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "external_channel_migrating"})
# "Some aspect of the operation may have succeeded before the error was raised."
MAYBE_STORED = frozenset({"internal_error", "fatal_error", "request_timeout"})
# The token or the app: nothing at all can be delivered.
WHOLE_SINK = frozenset(
    {
        "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "no_permission", "access_denied",
        "org_login_required", "team_access_not_granted", "not_allowed_token_type", "two_factor_setup_required", "enterprise_is_restricted",
        "deprecated_endpoint", "method_deprecated", "unknown_method", "missing_post_type", "invalid_post_type", "invalid_charset",
        "no_service", "no_service_id", "no_team", "team_disabled", "invalid_token", "action_prohibited", "user_not_found",
    }
)  # fmt: skip
# One channel; others may work.
ONE_CHANNEL = frozenset(
    {
        "channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "ekm_access_denied", "posting_to_general_channel_denied",
        "as_user_not_supported", "team_not_found", "channel_type_not_supported", "is_inactive",
    }
)  # fmt: skip
# The message to edit, or the thread to reply to.
GONE = frozenset({"message_not_found", "thread_not_found", "restricted_action_thread_locked", "cannot_reply_to_message"})
# It stands there: "the team message edit settings" forbid the edit, or it is another app's or another token's.
NOT_EDITABLE = frozenset({"edit_window_closed", "cant_update_message"})
# Everything else is about this message: invalid_blocks, invalid_blocks_format, msg_too_long, msg_blocks_too_long,
# too_many_attachments, invalid_attachments, no_text, metadata_*, invalid_arguments, invalid_payload. An error word that is
# new to us is treated the same: the plainer message that follows may pass, and if not, it is put aside where it is seen.

HINTS: Mapping[str, str] = {
    "invalid_auth": "the token is wrong; copy the bot token (xoxb-...) of the app again",
    "not_authed": "no token was sent; set SLACK_BOT_TOKEN",
    "token_revoked": "the token was revoked; install the app again and set the new token",
    "token_expired": "the token has expired; set a new one",
    "account_inactive": "the app was removed from the workspace or its user deactivated; install it again",
    "missing_scope": "add the scope to the app and install it again",
    "channel_not_found": "no such channel, or a private one the bot is not in; use the channel's ID and invite the bot",
    "not_in_channel": "invite the bot to the channel, or add the scope chat:write.public",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel of this incoming webhook is archived",
    "edit_window_closed": "the workspace's settings end the editing of messages; they stay as they stand, news come as replies",
    "cant_update_message": "it was posted with another app's token; it stays as it stands, news come as replies",
    "message_not_found": "somebody deleted it; it is posted anew once",
    "no_service": "the incoming webhook was removed or its address is wrong",
    "action_prohibited": "an administrator forbids this webhook to post",
}

# Of the one method that is called with the app-level token.
CONNECT = "apps.connections.open"
_CONNECT_RIGHT = "set SLACK_APP_TOKEN to an app-level token (xapp-...) with the scope connections:write"
_CONNECT_HINTS: Mapping[str, str] = {
    **dict.fromkeys(("invalid_auth", "not_authed", "not_allowed_token_type", "missing_scope", "no_permission", "token_expired"), _CONNECT_RIGHT),
    "token_revoked": f"the app-level token was revoked; {_CONNECT_RIGHT}",
    "account_inactive": "the app was removed from the workspace; install it again",
}  # fmt: skip

_WORD = re.compile(r"[a-z0-9_]{1,60}")


def refusal(method: str, answer: Mapping[str, Any], *, is_repeatable: bool) -> DeliveryError:
    """The error for an answer `{"ok": false, "error": ...}`. `is_repeatable`: doing it again is harmless, so doubt is too."""
    word = _known_word(answer.get("error"))
    needed = clean_line(str(answer.get("needed") or ""), 120)
    hints = _CONNECT_HINTS if method == CONNECT else HINTS
    details = "; ".join(filter(None, (hints.get(word, ""), f"needed: {needed}" if needed else "", _details(answer))))
    return classified(word, f"Slack refused {method}: {word}" + (f" ({details})" if details else ""), is_repeatable=is_repeatable)


def classified(word: str, message: str, *, is_repeatable: bool) -> DeliveryError:
    """The error class of one of Slack's words."""
    if word in RETRY:
        return RetryLater(message, code=word)
    if word in MAYBE_STORED:
        return RetryLater(message, code=word) if is_repeatable else Ambiguous(message, code=word)
    if word in GONE:
        return Gone(message, code=word)
    if word in NOT_EDITABLE:
        return NotEditable(message, code=word)
    if word in WHOLE_SINK:
        return SinkMisconfigured(message, code=word)
    if word in ONE_CHANNEL or word.startswith("restricted_action"):
        return SinkMisconfigured(message, code=word, is_whole_sink=False)
    return BadMessage(message, code=word)


def _known_word(error: object) -> str:
    return error if isinstance(error, str) and _WORD.fullmatch(error) else "unknown_error"


def _details(answer: Mapping[str, Any]) -> str:
    """What Slack says of invalid blocks: JSON pointers into the message."""
    metadata = answer.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return clean_line("; ".join(str(m) for m in messages[:3]), 300) if isinstance(messages, list) else ""
