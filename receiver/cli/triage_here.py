"""`oomtriage triage` in a process of its own: where no receiver runs beside it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from receiver.app.build import make_evidence, make_renderer
from receiver.app.kubernetes import kubernetes_access
from receiver.app.sinks import make_router, make_sinks
from receiver.app.triage import NOTHING_KNOWN, Wanted, look, printed
from receiver.domain.report import Report
from receiver.render.renderer import standalone_view
from receiver.settings import Settings
from receiver.telemetry import configure_logging


def triage_here(arguments: argparse.Namespace, settings: Settings, *, save: Callable[[object, str], None]) -> int:
    """The command's exit code."""
    configure_logging("WARNING", is_terminal=True)
    evidence = make_evidence(settings, kube_api_url=kubernetes_access(settings, context=arguments.context))
    wanted = Wanted(namespace=arguments.namespace, pod=arguments.pod, container=arguments.container)
    try:
        found = look(evidence, wanted, cluster_name=settings.cluster_name)
    finally:
        evidence.close()
    if arguments.save:
        save(found.case.to_json(), arguments.save)
    if found.report is None:
        print(f"oomtriage: {found.why}", file=sys.stderr)
        return NOTHING_KNOWN
    print(printed(found.report, make_renderer(settings), output=arguments.output, is_verbose=arguments.verbose))
    if arguments.post:
        _post(found.report, settings)
    return 0


def _post(report: Report, settings: Settings) -> None:
    sink, *_ = make_sinks(settings, console=sys.stderr)
    channel = make_router(settings, sink).default.channel
    renderer = make_renderer(settings)
    view = standalone_view(report)
    root_ts: str | None = None
    for message in renderer.incident(view, report) if sink.has_threads else (renderer.single(view, report),):
        ts = sink.post(channel, message.body(), thread_ts=root_ts if message.is_reply else None, delivery_id="")
        root_ts = root_ts or ts
