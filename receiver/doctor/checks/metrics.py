"""Metrics: whether each that the rules and the diagnosis need is there, fresh, and labelled as the settings say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from receiver.case.access import text
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import Fact, reason
from receiver.domain.subject import LabelNames
from receiver.errors import SourceError
from receiver.evidence.prometheus import PrometheusConfig
from receiver.evidence.queries import WORKING_SET, union
from receiver.rulepack.live import Lack, LackKind
from receiver.rulepack.pack import Pack

STALE_S = 180.0  # cAdvisor's own stamps are a minute old, a scrape may be another
RESTARTS = "kube_pod_container_status_restarts_total"
# What the diagnosis reads and no rule does, and what it cannot say without.
DIAGNOSIS = ("container_memory_rss", "container_memory_cache")
OURS = ("oomtriage_", "alertmanager_")  # how the receiver and its messenger fare: not what an incident is judged by
PARTS = ("namespace", "pod", "container")


def series(site: Site) -> Iterator[Finding]:
    """A line for each metric that is not there; the rest is one."""
    gone = [lack for lack in site.lacks() if lack.kind in (LackKind.NO_SERIES, LackKind.NONE_WITH)]
    # Of those that are not there now: which were until lately.
    recent = _recently(site, [lack.metric for lack in gone if not lack.is_optional])
    whole = _whole_exporters(site.pack, gone)
    for exporter, of_it in whole.items():
        yield _nothing_of(exporter, of_it)
    for lack in gone:
        if lack.known is None or lack.known.exporter not in whole:
            yield _absent(lack, was_there=lack.metric in recent)
    known = {m.name for m in site.pack.metrics.listed if m.need != "event"}
    for name in sorted(known - {lack.metric for lack in gone}):
        yield ok(reason("doctor.metrics.there", metric=name), part=name)
    there = {labels["q"] for labels, _ in site.query(union(*((name, f"count({name})") for name in DIAGNOSIS)))}
    for name in DIAGNOSIS:
        if name in there:
            yield ok(reason("doctor.metrics.there", metric=name), part=name)
        else:
            yield advice(reason("doctor.metrics.diagnosis", metric=name), reason("doctor.do.scrape_cadvisor"), part=name)


def _whole_exporters(pack: Pack, gone: Sequence[Lack]) -> Mapping[str, Sequence[Lack]]:
    """Exporters of whose metrics, those left out that come with an event, none is there: what is needed of them first."""
    found: dict[str, list[Lack]] = {}
    for lack in sorted(gone, key=lambda one: one.is_optional):
        if lack.known is not None and lack.kind is LackKind.NO_SERIES:
            found.setdefault(lack.known.exporter, []).append(lack)
    of = Counter(m.exporter for m in pack.metrics.listed if m.need != "event")
    return {name: lacks for name, lacks in found.items() if len(lacks) == of[name] > 1}


def _nothing_of(exporter: str, lacks: Sequence[Lack]) -> Finding:
    is_needed = any(_is_needed(lack) for lack in lacks)
    what = reason("doctor.metrics.nothing_of", exporter=exporter, metrics=tuple(lack.metric for lack in lacks))
    return (problem if is_needed else advice)(what, reason("doctor.do.scrape", exporter=exporter), part=exporter)


def _is_needed(lack: Lack) -> bool:
    return not lack.is_optional and not lack.metric.startswith(OURS)


def _absent(lack: Lack, *, was_there: bool) -> Finding:
    known = lack.known
    facts: dict[str, Fact] = {
        "metric": lack.metric, "rests": lack.rests, "source": known.source if known else "", "without": known.without if known else "",
        "rules": lack.rules,
    }  # fmt: skip
    if lack.kind is LackKind.NONE_WITH:
        what = reason("doctor.metrics.none_with", **facts)
    elif was_there:
        what = reason("doctor.metrics.stopped", **facts)
    else:
        what = reason("doctor.metrics.absent", **facts)
    exporter = known.exporter if known else ""
    todo = (
        reason("doctor.do.none_with")
        if lack.kind is LackKind.NONE_WITH
        else reason("doctor.do.keep_metric", metric=lack.metric, by=lack.drop)
        if lack.drop
        else reason("doctor.do.scrape", exporter=exporter)
    )
    return (problem if _is_needed(lack) else advice)(what, todo, part=lack.metric)


def _recently(site: Site, names: Sequence[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    found = site.query(union(*((name, f"count(present_over_time({name}[1h]))") for name in dict.fromkeys(names))))
    return frozenset(labels["q"] for labels, _ in found)


def freshness(site: Site) -> Iterator[Finding]:
    """The age of each metric's newest sample, by Prometheus' own clock."""
    names = [m.name for m in site.pack.metrics.listed if m.need != "event" and not m.name.startswith(OURS)]
    ages = {labels["q"]: age_s for labels, age_s in site.query(union(*((n, f"time() - max(timestamp({n}))") for n in names)))}
    old = {name: age_s for name, age_s in ages.items() if age_s > STALE_S}
    for name, age_s in sorted(old.items()):
        yield problem(reason("doctor.metrics.stale", metric=name, age_s=age_s), reason("doctor.do.scrape_interval"), part=name)
    if not ages:
        yield unknown(reason("doctor.metrics.no_ages"))
    elif not old:
        yield ok(reason("doctor.metrics.fresh", n=len(ages), age_s=max(ages.values())))


def labels(site: Site) -> Iterator[Finding]:
    """CAdvisor's series and kube-state-metrics', each by one metric that always has some; then what single rules want besides."""
    assert site.prometheus is not None
    config = site.prometheus.config
    wrong = [f for f in (_cadvisor(site, config), _state(site, config)) if f is not None]
    yield from wrong
    yield from _of_single_rules(site.lacks(), known={*PARTS, config.namespace_label, config.pod_label, config.container_label})
    if not any(f.part in ("cadvisor", "kube-state-metrics") for f in wrong):
        names = (config.namespace_label, config.pod_label, config.container_label)
        yield ok(reason("doctor.labels.ok", labels=names, prefix=config.state_label_prefix))


def _of_single_rules(found: Iterable[Lack], known: Collection[str]) -> Iterator[Finding]:
    """Labels beside those of the pod that some series lack, each with the metrics and the rules that it is about."""
    by_label: dict[str, list[Lack]] = {}
    for lack in found:
        if lack.kind in (LackKind.NO_LABEL, LackKind.SOME_WITHOUT) and lack.label not in known and not lack.metric.startswith(OURS):
            by_label.setdefault(lack.label, []).append(lack)
    for label, lacks in sorted(by_label.items()):
        metrics = tuple(dict.fromkeys(lack.metric for lack in lacks))
        rules = tuple(dict.fromkeys(rule for lack in lacks for rule in lack.rules))
        yield advice(
            reason("doctor.labels.rule", label=label, metrics=metrics, rules=rules), reason("doctor.do.rule_label", label=label), part=label
        )


def _cadvisor(site: Site, config: PrometheusConfig) -> Finding | None:
    names = (config.namespace_label, config.pod_label, config.container_label)
    counts = _counts(site, WORKING_SET, "".join(f'{name}!="",' for name in names) + f'{names[2]}!="POD"')
    if not counts.get("all"):
        return unknown(reason("doctor.labels.no_series", metric=WORKING_SET), part="cadvisor")
    if counts.get("named"):
        return None
    return _misnamed(site, WORKING_SET, dict(zip(PARTS, names, strict=True)), "", part="cadvisor")


def _state(site: Site, config: PrometheusConfig) -> Finding | None:
    prefix = config.state_label_prefix
    names = tuple(f"{prefix}{name}" for name in (config.namespace_label, config.pod_label, config.container_label))
    counts = _counts(site, RESTARTS, ",".join(f'{name}!=""' for name in names))
    if not counts.get("all"):
        return unknown(reason("doctor.labels.no_series", metric=RESTARTS), part="kube-state-metrics")
    if not prefix and counts.get("exported"):
        return problem(reason("doctor.labels.exported", metric=RESTARTS), reason("doctor.do.honor_labels"), part="kube-state-metrics")
    if counts.get("named"):
        return None
    return _misnamed(site, RESTARTS, dict(zip(PARTS, names, strict=True)), prefix, part="kube-state-metrics")


def _counts(site: Site, metric: str, named: str) -> Mapping[str, float]:
    asked = union(
        ("all", f"count({metric})"), ("named", f"count({metric}{{{named}}})"), ("exported", f'count({metric}{{exported_pod!=""}})'),
    )  # fmt: skip
    return {found["q"]: n for found, n in site.query(asked)}


def _misnamed(site: Site, metric: str, wanted: Mapping[str, str], prefix: str, *, part: str) -> Finding:
    """None of the series carries all of these labels: which are missing, and what they seem to be called instead."""
    seen = [found for found, _ in site.query(f"topk(5, {metric})")]
    carried = {name for one in seen for name, value in one.items() if value} - {"__name__"}
    missing = {of: name for of, name in wanted.items() if name not in carried}
    instead = {of: _called(of, seen, site) for of in missing}
    what = reason(
        "doctor.labels.wrong", metric=metric, missing=tuple(missing.values()) or tuple(wanted.values()), carried=tuple(sorted(carried))
    )
    guesses = tuple(f"{of}: {name}" for of, name in instead.items() if name)
    todo = reason("doctor.do.label_names", guesses=guesses) if guesses else reason("doctor.do.some_label_names")
    return problem(what, todo, part=part)


def _called(of: str, seen: Sequence[Mapping[str, str]], site: Site) -> str:
    """The label that holds names of pods of this cluster, or one of the usual names for it; empty when nothing fits."""
    usual: tuple[str, ...] = getattr(LabelNames(), of)
    for name in usual:
        if any(one.get(name) for one in seen):
            return name
    values = _values(site).get(of, frozenset())
    return next((name for one in seen for name, value in sorted(one.items()) if value in values), "")


def _values(site: Site) -> Mapping[str, frozenset[str]]:
    if site.kube is None:
        return {}
    try:
        pods = site.pods()
    except SourceError:
        return {}
    return {
        "namespace": frozenset(text(p, "metadata", "namespace") for p in pods) - {""},
        "pod": frozenset(text(p, "metadata", "name") for p in pods) - {""},
    }
