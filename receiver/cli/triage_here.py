"""`oomtriage triage` in a process of its own: where no receiver runs beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from receiver.app.build import make_evidence, make_renderer
from receiver.app.kubernetes import kubernetes_access
from receiver.app.sinks import make_router, make_sinks
from receiver.app.triage import answer, wanted_from_json
from receiver.cli.terminal import Progress
from receiver.domain.report import Report
from receiver.render.renderer import standalone_view
from receiver.settings import Settings
from receiver.telemetry import configure_logging


def triage_here(asked: Mapping[str, Any], settings: Settings, flags: Sequence[str], *, with_post: bool) -> Mapping[str, Any]:
    """What the receiver would answer (`TriageDesk.answer`). `flags`: of kubectl. `with_post`: the messages go to the sink as well."""
    configure_logging("WARNING", is_terminal=True)
    wanted, renderer = wanted_from_json(asked), make_renderer(settings)
    with Progress() as progress:
        progress("connecting to Kubernetes")
        is_needed = wanted.target.is_everything or bool(wanted.target.selector) or not settings.prometheus_url
        proxy_url = kubernetes_access(settings, flags=flags, is_needed=is_needed)
        evidence = make_evidence(settings, kube_api_url=proxy_url)
        try:
            found = answer(evidence, renderer, wanted, cluster_name=settings.cluster_name, progress=progress)
        finally:
            evidence.close()
    if with_post and found.report is not None:
        _post(found.report, settings)
    if found.is_refused and proxy_url:
        found = replace(found, why=f"{found.why}; does `{' '.join(('kubectl', *flags))} get pods` work?")
    return found.to_json(with_case=bool(asked.get("case")))


def _post(report: Report, settings: Settings) -> None:
    sink, *_ = make_sinks(settings, console=sys.stderr)
    channel = make_router(settings, sink).default.channel
    renderer = make_renderer(settings)
    view = standalone_view(report)
    root_ts: str | None = None
    for message in renderer.incident(view, report) if sink.has_threads else (renderer.single(view, report),):
        ts = sink.post(channel, message.body(), thread_ts=root_ts if message.is_reply else None, delivery_id="")
        root_ts = root_ts or ts
