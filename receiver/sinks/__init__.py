"""Where messages go: one class a sink, all with the same small interface (`base.Sink`)."""

from receiver.sinks.base import CannotReconcile, Sink
from receiver.sinks.console import ConsoleSink
from receiver.sinks.json_webhook import JsonWebhookSink
from receiver.sinks.slack import SlackBotSink
from receiver.sinks.webhook import SlackWebhookSink

# Every sink there is: first those of which settings choose one, in that order, then those that may stand beside it.
SINKS: tuple[type[SlackBotSink] | type[SlackWebhookSink] | type[ConsoleSink] | type[JsonWebhookSink], ...] = (
    SlackBotSink,
    SlackWebhookSink,
    ConsoleSink,
    JsonWebhookSink,
)

__all__ = ["SINKS", "CannotReconcile", "ConsoleSink", "JsonWebhookSink", "Sink", "SlackBotSink", "SlackWebhookSink"]
