"""`oomtriage triage POD`: gather, diagnose and print for one pod, without Alertmanager and without the store."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from receiver.app.build import make_evidence, make_renderer
from receiver.app.kubernetes import kubernetes_access
from receiver.app.sinks import make_router, make_sinks
from receiver.case import facts_of
from receiver.cli.shared import add_config, add_output, print_report, settings_for
from receiver.diagnosis.diagnose import diagnose
from receiver.domain.case import Case
from receiver.domain.identity import Subject, workload_from_pod_name
from receiver.domain.report import Report
from receiver.errors import ConfigError
from receiver.evidence.kube import is_kube_name
from receiver.render.renderer import standalone_view
from receiver.settings import Settings

NOTHING_KNOWN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, for `oomtriage triage` and `kubectl oomtriage`."""
    parser.add_argument("pod", metavar="POD")
    parser.add_argument("-n", "--namespace", default="default", metavar="NS")
    parser.add_argument("-c", "--container", default="", metavar="CONTAINER", help="default: the one that was killed")
    parser.add_argument("--context", default="", help="kubectl context to use")
    parser.add_argument("--save", metavar="CASE", help="also write the gathered case here; it holds no secret")
    parser.add_argument("--post", action="store_true", help="also post the messages to the configured sink")
    add_output(parser)
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    for what, name in (("pod", arguments.pod), ("namespace", arguments.namespace)):
        if not is_kube_name(name):
            raise ConfigError(f"{name[:80]!r} is no {what} name: expected lower-case letters, digits, - and .")
    settings = settings_for(arguments, log_level="WARNING")
    case = _gather(settings, arguments)
    if arguments.save:
        _save(case, arguments.save)
    facts = facts_of(case)
    if facts.pod is None and facts.history is None and not facts.events:
        why = "; ".join(dict.fromkeys(m.why for m in case.missing if m.source in ("pod", "history"))) or "no source is configured"
        print(f"oomtriage: nothing is known of pod {arguments.namespace}/{arguments.pod}: {why}", file=sys.stderr)
        return NOTHING_KNOWN
    report = diagnose(facts)
    print_report(report, settings, output=arguments.output, verbose=arguments.verbose)
    if arguments.post:
        _post(report, settings)
    return 0


def _gather(settings: Settings, arguments: argparse.Namespace) -> Case:
    evidence = make_evidence(settings, kube_api_url=kubernetes_access(settings, context=arguments.context))
    subject = Subject(
        cluster=settings.cluster_name, namespace=arguments.namespace, pod=arguments.pod, container=arguments.container,
        workload=workload_from_pod_name(arguments.pod),
    )  # fmt: skip
    try:
        return evidence.gather(subject, (), datetime.now(UTC))
    finally:
        evidence.close()


def _save(case: Case, path: str) -> None:
    try:
        Path(path).write_text(json.dumps(case.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot write the case to {path}: {exc.strerror or exc}") from exc


def _post(report: Report, settings: Settings) -> None:
    sink, *_ = make_sinks(settings, console=sys.stderr)
    channel = make_router(settings, sink).default.channel
    renderer = make_renderer(settings)
    view = standalone_view(report)
    root_ts: str | None = None
    for message in renderer.incident(view, report) if sink.has_threads else (renderer.single(view, report),):
        ts = sink.post(channel, message.body(), thread_ts=root_ts if message.is_reply else None, delivery_id="")
        root_ts = root_ts or ts
