"""The exception tree. Errors are classified once, at the edge that met them; above it nobody looks at status codes.

ReceiverError
├── ConfigError        a setting is missing, malformed or contradictory: exit code 2
├── PayloadError       a webhook body is not what Alertmanager sends: HTTP 400
├── StoreError         something could not be stored: HTTP 503, Alertmanager tries again
│   ├── StoreLocked    another receiver holds the state file
│   ├── StoreFenced    another receiver has become the leader; this one must stop writing
│   ├── StoreUnwritable  the volume takes no more: full, read-only, failing; it may pass
│   ├── StoreAway      the database cannot be reached, or takes no writes; it may pass
│   ├── StoreBusy      somebody else's lock was in the way; it may be tried again at once
│   └── StoreBroken    the state file cannot be gone on with: it is opened anew
│       ├── StoreGone     it was deleted or replaced
│       └── StoreDamaged  it is no database (any more)
├── UnreadableMemory   a stored row is not what any release wrote (a ValueError too)
├── ComputedTooLong    a look used up its CPU and was interrupted
├── SourceError        a source of evidence did not answer as hoped; becomes a `Missing`
│   ├── Unavailable    refused, timed out, 5xx: worth asking again
│   ├── Forbidden      401 or 403: a permission or token is missing
│   ├── NotFound       404: it is not (or no longer) there
│   ├── Throttled      429, with `retry_after_s`
│   ├── Rejected       another 4xx: the question itself was wrong
│   └── Unreadable     the body is not what was asked for
│       └── TooLarge   the body has more bytes than are read
└── DeliveryError      a message did not reach its sink
    ├── RetryLater     rate limit or a passing fault that surely stored nothing; `retry_after_s` when the sink said
    ├── Ambiguous      a timeout or 5xx after sending: it may have been stored
    ├── BadMessage     the sink refused this very message: send a plainer one
    ├── Gone           the message to edit, or the thread to reply to, is no longer there
    ├── NotEditable    the message to edit stands there and may not be changed
    └── SinkMisconfigured  token, scope or channel is wrong: no message can be delivered until it is mended
"""

from __future__ import annotations


class ReceiverError(Exception):
    """Base of every error this package raises on purpose. Its text is one clear sentence for a person."""


class ConfigError(ReceiverError):
    """A setting is missing, malformed or contradictory. Names the key and what was expected."""


class PayloadError(ReceiverError):
    """A webhook body is not an Alertmanager v4 payload. Says what is wrong with it."""


class StoreError(ReceiverError):
    """Something could not be read from or written to the store."""


class StoreLocked(StoreError):
    """Another process holds the state file."""


class StoreFenced(StoreError):
    """Another receiver has been elected; what this one wanted to write was refused."""


class StoreUnwritable(StoreError):
    """The volume of the state file is full, read-only or failing. The same process goes on once it is not."""


class StoreAway(StoreError):
    """The database cannot be reached, or takes no writes for now. The same process goes on once it does."""


class StoreBusy(StoreError):
    """Somebody else's lock was in the way for too long; nothing was done."""


class StoreBroken(StoreError):
    """Nothing can be done with the open state file any more; what it needs is to be opened anew."""


class StoreGone(StoreBroken):
    """The state file was deleted or replaced while it was open: what is written now would be lost."""


class StoreDamaged(StoreBroken):
    """The state file is damaged, or no database of ours."""


class UnreadableMemory(ReceiverError, ValueError):
    """What an incident or a conversation remembers cannot be read back."""


class ComputedTooLong(ReceiverError):
    """What a look computed took too long, and was interrupted."""


class SourceError(ReceiverError):
    """A source of evidence did not answer as hoped.

    `said`: the source's own words in a refusal, one line without secrets, which callers may read; empty when it said nothing.
    The error's text is for people only.
    """

    retryable = False
    said: str = ""


class Unavailable(SourceError):
    """Refused, timed out, reset, or 5xx."""

    retryable = True


class Forbidden(SourceError):
    """401 or 403."""


class NotFound(SourceError):
    """404."""


class Throttled(SourceError):
    """429. `retry_after_s` is what the source asked for, if it did."""

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Rejected(SourceError):
    """A 4xx that asking again will not change."""


class Unreadable(SourceError):
    """The answer is not what was asked for."""


class TooLarge(Unreadable):
    """The answer has more bytes than are read."""


class DeliveryError(ReceiverError):
    """A message did not reach its sink. `code` is the sink's own word for it, bounded, safe as a metric label."""

    def __init__(self, message: str, *, code: str = "error") -> None:
        super().__init__(message)
        self.code = code


class RetryLater(DeliveryError):
    """Surely not stored; try again, after `retry_after_s` if the sink said so."""

    def __init__(self, message: str, *, code: str = "retry", retry_after_s: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class Ambiguous(DeliveryError):
    """It may have been stored: look before sending again."""


class BadMessage(DeliveryError):
    """The sink refused this very message (blocks, length): a plainer one may pass."""


class Gone(DeliveryError):
    """The message to edit, or the thread to reply to, is not there any more."""


class NotEditable(DeliveryError):
    """The message to edit stands there, and the sink does not let us change it."""


class SinkMisconfigured(DeliveryError):
    """Token, scope or channel is wrong until somebody mends it: for the whole sink (a token), or for one channel."""

    def __init__(self, message: str, *, code: str = "misconfigured", is_whole_sink: bool = True) -> None:
        super().__init__(message, code=code)
        self.is_whole_sink = is_whole_sink
