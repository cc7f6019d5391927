"""Builds the receiver from settings: read it from top to bottom to see what holds what."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from flask import Flask

from receiver.app.entrance import make_entrance
from receiver.app.files import slack_loader, web_environment
from receiver.app.release import version
from receiver.app.rules import make_rules
from receiver.app.sinks import for_programs, is_text_only, kind_of, link_of, make_router, make_senders, make_sinks, threaded
from receiver.app.state import is_shared, open_database, open_file
from receiver.app.triage import TriageDesk
from receiver.domain.identity import LabelNames
from receiver.domain.reason import reason
from receiver.errors import ConfigError, StoreError, StoreUnwritable
from receiver.evidence import Evidence, EvidenceConfig
from receiver.evidence.alertmanager import Alertmanager, AlertmanagerConfig
from receiver.evidence.gather import SOURCES
from receiver.evidence.kube import Kube, KubeConfig
from receiver.evidence.missed import Missed
from receiver.evidence.prometheus import Prometheus, PrometheusConfig
from receiver.evidence.redaction import KnownClean, RedactionConfig, Redactor
from receiver.evidence.shares import ClusterShares
from receiver.evidence.silences import AlertmanagerSilences
from receiver.pipeline import kinds
from receiver.pipeline.actions import Actions, Permissions
from receiver.pipeline.after_storm import AfterStorm
from receiver.pipeline.change_requests import ChangeRequests, RequestConfig
from receiver.pipeline.collect import CollectConfig, Collector
from receiver.pipeline.configuration_gaps import ConfigurationGaps
from receiver.pipeline.digest import Digests
from receiver.pipeline.digest_view import DigestConfig
from receiver.pipeline.drills import Drills
from receiver.pipeline.fold import FoldConfig
from receiver.pipeline.judge import Judge
from receiver.pipeline.notices import Notices
from receiver.pipeline.plain_place import plain_place
from receiver.pipeline.presses import Presses
from receiver.pipeline.publish import PublishConfig, Publisher
from receiver.pipeline.reconcile import ReconcileConfig, Reconciler
from receiver.pipeline.repositories import Repository
from receiver.pipeline.silencer import Silencer
from receiver.pipeline.storm_acts import StormActions, StormWork
from receiver.pipeline.storm_shares import ShareWork
from receiver.pipeline.watch import Watch, WatchConfig
from receiver.pipeline.weekly import Weekly
from receiver.process import allocator, own_memory
from receiver.process.cpu_guard import CpuGuard
from receiver.render.environment import slack_environment
from receiver.render.renderer import Renderer
from receiver.render.weekly import weekly_message
from receiver.rulepack.places import causes_dir, runbooks_dir
from receiver.settings import Settings
from receiver.settings.load import effective
from receiver.sinks import png
from receiver.sinks.base import Sink, SpeaksHttp
from receiver.store import away
from receiver.store.store import Store
from receiver.telemetry import Metrics
from receiver.web.application import WebDeps, create_web
from receiver.web.auth import Gate
from receiver.web.documents import Documents
from receiver.web.health import readiness
from receiver.web.hosts import ALERTS
from receiver.web.incident.load import IncidentPages
from receiver.worker.dispatcher import Dispatcher, DispatcherConfig, Handler
from receiver.worker.sender import Sender
from receiver.worker.worker import Worker

if TYPE_CHECKING:
    from receiver.app.doctor import DoctorDesk
    from receiver.store.lease import Lease
    from receiver.worker.candidate import Candidate
    from receiver.worker.socket_mode import SocketMode

log = logging.getLogger(__name__)

NO_BUTTONS = "not used: messages have buttons with SLACK_BOT_TOKEN and SLACK_FORMAT blocks only"
DISPATCHER, STANDBY = "dispatcher", "standby"  # roles
REQUEST_LIMIT_S = 300.0  # a repository of some hundred files is read file by file
LOOK_LIMIT_S = 60.0  # its evidence has ENRICH_DEADLINE, judging it takes a fraction of a second


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDuties:
    """What the server tells when it refused a body."""

    max_body_bytes: int
    metrics: Metrics
    notices: Notices

    def refused(self, status: int, path: str) -> None:
        """Count a request to the webhook that was refused before the application saw it; a body that was too large held alerts.

        One whose path could not be read is counted with them.
        """
        if path not in ("", ALERTS):
            return
        self.metrics.rejected.labels({401: "auth", 413: "size"}.get(status, "payload")).inc()
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            try:
                self.notices.post("too-large", reason("notice.body_too_large", limit_bytes=self.max_body_bytes))
            except StoreError as exc:
                log.warning("a notice could not be stored", extra={"error": str(exc)})


@dataclass(slots=True)
class Application:
    """A built receiver. `start` begins to work on what is stored, `close` ends in order.

    `begin`: what comes before the work. `lease`: where several receivers share a database, and one of them works on what is stored.
    """

    web: Flask
    front: FrontDuties
    worker: Worker
    store: Store
    evidence: Evidence
    begin: Callable[[], None]
    at_the_end: Callable[[], None]
    socket_mode: SocketMode | None = None
    lease: Lease | None = None
    _candidate: Candidate | None = None

    def start(self) -> None:
        """Start the dispatcher and the sender, at once or when this receiver is elected, and open the connection for Slack's buttons:
        what is pressed is written down by whoever hears of it.
        """
        if self.lease is None:
            self._work()
        else:
            from receiver.worker.candidate import Candidate  # it needs the extra `postgres`

            self._candidate = Candidate(self.lease, self._work)
            self._candidate.start()
        if self.socket_mode is not None:
            self.socket_mode.start()

    def close(self) -> None:
        """Finish what is under way, then let go of the store."""
        if self.socket_mode is not None:
            self.socket_mode.stop()
        self.worker.stop()
        with suppress(StoreError):  # on a full disk, or when another receiver has taken over
            self.at_the_end()
        if self._candidate is not None:
            self._candidate.stop()
        self.evidence.close()
        self.store.close()

    def _work(self) -> None:
        self.begin()
        self.worker.start()


def make_admission(settings: Settings) -> Callable[[str, str], bool]:
    """What the server asks before it reads a body, by path and Authorization. Other paths than the webhook's check themselves, in
    small bodies.
    """
    gate = Gate(token=settings.webhook_token.reveal())
    return lambda path, authorization: path != ALERTS or gate.admits_header(authorization)


def build(
    settings: Settings, *, store_wait_s: float = 0.0, keeps_reserve: bool = False, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
    console: TextIO | None = None, local_word: str = "", kube_api_url: str = "", unwritable: StoreUnwritable | None = None,
) -> Application:  # fmt: skip
    """A receiver from its settings. StoreLocked when another one holds the state file; ConfigError for what cannot work.

    `local_word`: of commands beside it (receiver/app/local_pass.py), empty for none.
    `kube_api_url`: of a `kubectl proxy` child, when nothing else is configured. `keeps_reserve`: room is kept on the volume of the
    state for when it is full. `unwritable`: why the state file cannot be written: what waits in it is delivered from a copy.
    """
    sinks = make_sinks(settings, console=console)
    lease = None
    if is_shared(settings):
        store, lease = open_database(settings, monotonic=monotonic)
    else:
        store = open_file(settings, wait_s=store_wait_s, keeps_reserve=keeps_reserve, clock=clock, unwritable=unwritable)
    try:
        return _build_on(store, lease, settings, *sinks, monotonic=monotonic, kube_api_url=kube_api_url, local_word=local_word)
    except BaseException:
        store.close()
        raise


def _build_on(
    store: Store,
    lease: Lease | None,
    settings: Settings,
    sink: Sink,
    *others: Sink,
    monotonic: Callable[[], float],
    kube_api_url: str,
    local_word: str,
) -> Application:
    metrics = Metrics(sinks=[s.name for s in (sink, *others)], sources=SOURCES, version=version())
    guard = CpuGuard()
    evidence = make_evidence(settings, kube_api_url=kube_api_url, guard=guard, monotonic=monotonic, metrics=metrics)
    judge = Judge(guard)
    renderer = make_renderer(settings)
    router = make_router(settings, sink, *others)
    notices = Notices(store, router.default)
    has_buttons = (
        bool(settings.slack_signing_secret or settings.slack_app_token) and kind_of(sink).has_buttons and not is_text_only(settings)
    )
    label_names, can_silence = make_label_names(settings), bool(settings.alertmanager_url)
    repositories = make_repositories(settings)
    publisher = Publisher(
        store=store, rendering=renderer, router=router, hide=evidence.hide, judge=judge,
        config=PublishConfig(
            public_url=settings.public_url, threaded_sinks=threaded((sink, *others)), document_sinks=for_programs((sink, *others)),
            label_names=label_names, has_buttons=has_buttons, has_charts=png.is_available() and not is_text_only(settings),
            alertmanager_public_url=settings.alertmanager_public_url, can_silence=can_silence,
            follow_ups_s=settings.followups, repositories=repositories,
        ),
    )  # fmt: skip
    gaps = ConfigurationGaps()
    collector = Collector(
        store=store, evidence=evidence, publisher=publisher, metrics=metrics, gaps=gaps, judge=judge, monotonic=monotonic,
        config=CollectConfig(label_names=label_names, cluster_name=settings.cluster_name, deadline_s=settings.enrich_deadline, follow_ups_s=settings.followups),
    )  # fmt: skip
    digests = Digests(
        store=store,
        rendering=renderer,
        config=DigestConfig(
            public_url=settings.public_url, has_buttons=has_buttons, can_silence=can_silence, can_ask_shares=evidence.prometheus is not None
        ),
    )  # fmt: skip
    shares = ClusterShares(evidence.prometheus) if evidence.prometheus is not None else None
    reconciler = Reconciler(
        store=store, source=Missed(evidence.alertmanager, evidence.prometheus),
        config=ReconcileConfig(label_names=label_names, cluster_name=settings.cluster_name),
    )  # fmt: skip

    reconciler.beat()  # before the first alert can come: whether it comes late

    def beat() -> None:
        store.check()
        reconciler.beat()
        notices.check_heartbeat()

    silencer = Silencer(store=store, keeper=make_silences(settings), label_names=label_names)
    redactor = make_redactor(settings.redaction)
    change_requests = ChangeRequests(
        store=store, publisher=publisher, find=plain_place, redact=lambda text: redactor.redact(text)[0],
        config=RequestConfig(repositories=repositories, public_url=settings.public_url),
    )  # fmt: skip
    watch = Watch(
        store=store, source=evidence.pulses, metrics=metrics, config=WatchConfig(interval_s=settings.watch_interval), monotonic=monotonic
    )

    weekly = Weekly(
        store=store, moment=settings.weekly_summary, render=weekly_message, public_url=settings.public_url,
        silent_sinks=for_programs((sink, *others)),
    )  # fmt: skip

    def begin() -> None:
        notices.tell_of_state()
        watch.begin()
        weekly.begin()

    drills = Drills(store, router)

    def every_so_often() -> None:
        collector.adopt_fixes()
        drills.tidy()
        allocator.give_back()

    dispatcher = Dispatcher(
        store=store,
        handlers={
            kinds.COLLECT: Handler(run=collector.run, give_up=collector.give_up, limit_s=LOOK_LIMIT_S),
            kinds.FOLLOW_UP: Handler(run=collector.follow_up, limit_s=LOOK_LIMIT_S),
            kinds.PUBLISH: Handler(run=publisher.run, is_quick=True),
            kinds.DIGEST: Handler(run=digests.run, is_quick=True),
            kinds.SILENCE: Handler(run=silencer.run),
            kinds.REQUEST: Handler(run=change_requests.run, limit_s=REQUEST_LIMIT_S),
            kinds.STORM_ACT: Handler(run=StormWork(store).run, is_quick=True),
            kinds.SHARES: Handler(run=ShareWork(store=store, source=shares, digests=digests).run),
            kinds.AFTER_STORM: Handler(run=AfterStorm(store).run, is_quick=True),
            kinds.WATCH: Handler(run=watch.run),
            kinds.WEEKLY: Handler(run=weekly.run),
            kinds.RECONCILE: Handler(run=reconciler.run),
        },
        config=DispatcherConfig(
            workers=settings.workers, reopen_window_s=settings.reopen_window, retention_s=settings.retention, store_max_bytes=settings.store_max_bytes,
            fold=FoldConfig(label_names=label_names, cluster_name=settings.cluster_name),
        ),
        monotonic=monotonic, beat=beat, every_so_often=every_so_often, before_looks=collector.publish_waiting,
        after_fold=notices.check_quarantine,
    )  # fmt: skip
    senders = make_senders(settings, (sink, *others), store=store, metrics=metrics, monotonic=monotonic)
    desk = TriageDesk(evidence, renderer, cluster_name=settings.cluster_name)
    worker = Worker(dispatcher, *senders, guard=guard, has_news=store.has_news if lease is not None else None)

    permissions = Permissions(users=settings.slack_users)
    actions = Actions(store, permissions, follow_ups_s=settings.followups, repositories=repositories)
    presses = Presses(actions, StormActions(store, permissions), wake=worker.wake)
    socket_mode = make_socket_mode(settings, presses, metrics) if has_buttons else None
    if settings.slack_app_token and socket_mode is None:
        log.warning("Slack's Socket Mode is not used", extra={"reason": NO_BUTTONS})

    def measure(metrics: Metrics) -> None:
        _measure(metrics)
        metrics.lost_threads.set(dispatcher.lost)
        metrics.dispatching.set(store.may_act())
        for name, seconds in worker.stalls.items():
            metrics.delivery_stalled.labels(name).set(seconds)

    def details() -> Mapping[str, Any]:
        buttons = {"slack_socket": socket_mode.state if socket_mode is not None else NO_BUTTONS} if settings.slack_app_token else {}
        return {
            **_details((sink, *others), senders, worker, evidence, store),
            **buttons,
            "watch": watch.to_json(),
            "configuration": gaps.to_json(),
        }

    @cache
    def doctor() -> DoctorDesk:
        from receiver.app.doctor import DoctorDesk, Here  # it needs this module, and memory for what few ask for

        def here() -> Here:
            with store.read() as tx:
                known_as = away.receivers(tx)
            return Here(ready=readiness(store, details), known_as=known_as, kube_api_url=kube_api_url)

        return DoctorDesk(settings, here)

    runbooks, causes = make_runbooks(settings), Documents(folders=(causes_dir(),))
    web = create_web(
        WebDeps(
            store=store, metrics=metrics, environment=web_environment(), webhook_token=settings.webhook_token.reveal(),
            admin_token=settings.admin_token.reveal(), is_loopback=settings.is_loopback, public_url=settings.public_url, max_body_bytes=settings.max_body,
            entrance=make_entrance(settings, store), wake=worker.wake, notice=notices.post, can_complete=bool(settings.alertmanager_url), is_stuck=worker.is_stuck,
            stalled=lambda: worker.stalled, local_word=local_word, triage=desk.answer, drills=drills,
            details=details, doctor=lambda: doctor().answer(),
            slack_signing_secret=settings.slack_signing_secret.reveal(), actions=actions, presses=presses,
            measure=measure, runbooks=runbooks, causes=causes, version=version(), settings=partial(effective, settings),
            rules=make_rules(settings, rule_label_names(settings), router, evidence, store.now),
            incidents=IncidentPages(
                store=store, publisher=publisher, renderer=renderer, runbooks=runbooks, causes=causes, link_of=link_of((sink, *others)),
            ),
        )
    )  # fmt: skip
    duties = FrontDuties(max_body_bytes=settings.max_body, metrics=metrics, notices=notices)
    application = Application(
        web=web,
        front=duties,
        worker=worker,
        store=store,
        evidence=evidence,
        begin=begin,
        at_the_end=reconciler.beat,
        socket_mode=socket_mode,
        lease=lease,
    )
    web.extensions["oomtriage"] = application
    return application


def make_socket_mode(settings: Settings, presses: Presses, metrics: Metrics) -> SocketMode | None:
    """What takes presses over a connection of ours; None without SLACK_APP_TOKEN."""
    if not settings.slack_app_token:
        return None
    from receiver.worker.socket_mode import SocketMode, SocketModeConfig  # its library takes 3 MiB, which those without it keep

    config = SocketModeConfig(
        token=settings.slack_app_token.reveal(), token_path=settings.secret_paths.get("slack_app_token", ""), api_url=settings.slack_api_url
    )
    return SocketMode(config, presses, metrics=metrics)


def make_runbooks(settings: Settings) -> Documents:
    """The user's own pages first, then the shipped ones."""
    own = (Path(settings.runbooks_dir),) if settings.runbooks_dir else ()
    return Documents(folders=(*own, runbooks_dir()))


def make_label_names(settings: Settings) -> LabelNames:
    """The configured label names before the usual ones. ConfigError for a name of no field."""
    names: dict[str, tuple[str, ...]] = {}
    for name, configured in settings.label_names.items():
        usual = getattr(LabelNames(), str(name), None)
        if not isinstance(usual, tuple):
            raise ConfigError(f"label_names.{name}: expected one of {', '.join(LabelNames.__slots__)}")
        words = configured if isinstance(configured, list) else [configured]
        names[str(name)] = (*(str(w) for w in words), *usual)
    return LabelNames(**names)


def make_evidence(
    settings: Settings, *, kube_api_url: str = "", guard: CpuGuard | None = None, monotonic: Callable[[], float] = time.monotonic,
    metrics: Metrics | None = None,
) -> Evidence:  # fmt: skip
    """The evidence layer; a source that is not configured is None and becomes a Missing. `metrics`: where its questions are counted."""

    def count_of(source: str) -> Callable[[str], None]:
        return lambda answer: metrics.source_requests.labels(source, answer).inc() if metrics is not None else None

    api_url = settings.kube_api_url or kube_api_url
    kube_config = KubeConfig(api_url=api_url, token_path=settings.kube_token_path, ca_path=settings.kube_ca_path)
    kube = Kube(kube_config, count=count_of("kubernetes")) if api_url else None
    prometheus = make_prometheus(settings, count=count_of("prometheus")) if settings.prometheus_url else None
    alertmanager = None
    if settings.alertmanager_url:
        alertmanager = Alertmanager(alertmanager_config(settings), count=count_of("alertmanager"))
    redactor = make_redactor(settings.redaction)
    return Evidence(
        EvidenceConfig(cluster_name=settings.cluster_name, deadline_s=settings.enrich_deadline),
        kube=kube, prometheus=prometheus, alertmanager=alertmanager, redact=KnownClean(redactor.redact), guard=guard, monotonic=monotonic,
    )  # fmt: skip


def make_prometheus(settings: Settings, *, count: Callable[[str], None] = lambda answer: None) -> Prometheus:
    """The reader of the Prometheus at PROMETHEUS_URL, with the token, headers, parameters and labels that go with it."""
    return Prometheus(
        PrometheusConfig(
            url=settings.prometheus_url, token=settings.prometheus_token.reveal(), ca_path=settings.prometheus_ca_path,
            token_path=settings.secret_paths.get("prometheus_token", ""), headers=settings.prometheus_headers,
            params=settings.prometheus_params, matchers=settings.prometheus_matchers, request_rate_query=settings.request_rate_query,
            **prometheus_labels(settings.label_names),
        ),
        count=count,
    )  # fmt: skip


def make_repositories(settings: Settings) -> tuple[Repository, ...]:
    """The entries of `gitops`, each with the token that is for its forge."""
    token, path = settings.gitops_token.reveal(), settings.secret_paths.get("gitops_token", "")
    return tuple(r if r.forge.token_path else replace(r, forge=replace(r.forge, token=token, token_path=path)) for r in settings.gitops)


def make_silences(settings: Settings) -> AlertmanagerSilences | None:
    """What sets silences when somebody asks for one; None without ALERTMANAGER_URL."""
    return AlertmanagerSilences(alertmanager_config(settings)) if settings.alertmanager_url else None


def alertmanager_config(settings: Settings) -> AlertmanagerConfig:
    """Where Alertmanager is, and how to log in there."""
    return AlertmanagerConfig(
        url=settings.alertmanager_url,
        token=settings.alertmanager_token.reveal(),
        token_path=settings.secret_paths.get("alertmanager_token", ""),
        ca_path=settings.alertmanager_ca_path,
    )


def rule_label_names(settings: Settings) -> dict[str, str]:
    """What the rules' labels are called here, for their values' `label_names`."""
    named = prometheus_labels(settings.label_names)
    return {name.removesuffix("_label"): label for name, label in named.items() if name.endswith("_label")}


def prometheus_labels(label_names: Mapping[str, Any]) -> dict[str, str]:
    """How Prometheus' series are labelled, as far as the alerts' configured label names tell.

    `exported_pod`: kube-state-metrics is scraped without honor_labels, and only its series are called so.
    """
    found: dict[str, str] = {}
    for part in ("namespace", "pod", "container"):
        configured = label_names.get(part)
        name = str(configured[0] if isinstance(configured, list) and configured else configured or "")
        if name == f"exported_{part}":
            found["state_label_prefix"] = "exported_"
        elif re.fullmatch(r"[a-zA-Z_]\w*", name):  # k8s.pod.name cannot stand in a selector
            found[f"{part}_label"] = name
    return found


def make_redactor(options: Mapping[str, Any]) -> Redactor:
    """The redactor with the user's options. ConfigError for an unknown one, and for what is no pattern."""
    if unknown := sorted(set(options) - {"patterns", "allow", "emails", "cards"}):
        raise ConfigError(f"redaction: unknown key {unknown[0]!r}; known are patterns, allow, emails, cards")
    patterns = options.get("patterns") or {}
    if not isinstance(patterns, Mapping):
        raise ConfigError("redaction.patterns: expected names and the regular expressions of what to take out")
    allow = options.get("allow") or []
    if not isinstance(allow, list):
        raise ConfigError("redaction.allow: expected a list of regular expressions of random strings that are no secrets")
    return Redactor(
        RedactionConfig(
            allow=tuple(str(pattern) for pattern in allow),
            patterns=tuple((str(name), str(pattern)) for name, pattern in patterns.items()),
            emails=bool(options.get("emails")),
            cards=bool(options.get("cards")),
        )
    )


def make_renderer(settings: Settings) -> Renderer:
    """The renderer: the user's templates first, the built-in ones as what a broken one falls back to."""
    builtin = slack_environment(slack_loader())
    return Renderer(slack_environment(slack_loader(settings.templates_dir)), builtin) if settings.templates_dir else Renderer(builtin)


def _measure(metrics: Metrics) -> None:
    """What is known of our own memory only by looking."""
    memory = own_memory.read()
    metrics.memory_bytes.set(memory.working_set_bytes)
    metrics.memory_limit_bytes.set(memory.limit_bytes)


def _details(sinks: Sequence[Sink], senders: Sequence[Sender], worker: Worker, evidence: Evidence, store: Store) -> Mapping[str, Any]:
    """What else /readyz tells. None of it changes the code. `channel`: those that refuse because of a setting."""
    problems = {name: why for sender in senders for name, why in sender.problems.items()}
    channels = {channel: why for sender in senders for channel, why in sender.channel_problems.items()}
    return {
        "dispatcher": "stuck" if worker.is_stuck() else "ok",
        "role": DISPATCHER if store.may_act() else STANDBY,
        "sink": {s.name: problems.get(s.name) or _tls_problem(s) or worker.stalled.get(s.name) or "ok" for s in sinks},
        **({"channel": channels} if channels else {}),
        "sources": {
            "kubernetes": _source(evidence.kube),
            "prometheus": _source(evidence.prometheus),
            "alertmanager": _source(evidence.alertmanager),
        },
    }


def _source(client: Kube | Prometheus | Alertmanager | None) -> str:
    return "not configured" if client is None else client.http.tls_problem or "configured"


def _tls_problem(sink: Sink) -> str:
    return sink.tls_problem if isinstance(sink, SpeaksHttp) else ""
