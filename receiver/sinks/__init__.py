"""Where messages go: one class a sink, all with the same small interface (`base.Sink`)."""

from receiver.sinks.base import CannotReconcile, Sink
from receiver.sinks.console import ConsoleSink
from receiver.sinks.slack import SlackBotSink
from receiver.sinks.webhook import SlackWebhookSink

# Every sink there is, in the order in which settings choose one.
SINKS: tuple[type[SlackBotSink] | type[SlackWebhookSink] | type[ConsoleSink], ...] = (SlackBotSink, SlackWebhookSink, ConsoleSink)

__all__ = ["SINKS", "CannotReconcile", "ConsoleSink", "Sink", "SlackBotSink", "SlackWebhookSink"]
