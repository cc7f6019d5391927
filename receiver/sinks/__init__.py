"""Where messages go: one file a sink, with its config, its class and its `KIND`; all with the same small interface (`base.Sink`).

To add one: the file, its line in `SINKS`, its keys in `settings/model.py` and docs/settings.md, and `tests/unit/sinks/test_NAME.py`
with its `CASE` for the shared tests. Tests name whichever is missing.
"""

from receiver.sinks import console, json_webhook, slack, webhook
from receiver.sinks.base import CannotReconcile, Sink, SinkKind, SinkSetup

# Of those that do not stand beside, the first that the settings ask for is the one; the console always is asked for.
SINKS: tuple[SinkKind, ...] = (slack.KIND, webhook.KIND, console.KIND, json_webhook.KIND)

__all__ = ["SINKS", "CannotReconcile", "Sink", "SinkKind", "SinkSetup"]
