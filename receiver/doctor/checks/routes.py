"""Whether Alertmanager's routes lead our alerts here, read off the configuration that it runs with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from receiver.doctor import routing_tree
from receiver.doctor.checks.alertmanager import CONFIG
from receiver.doctor.routing_tree import HIDDEN, WEBHOOK_PATH, Configuration, Led, Webhook
from receiver.doctor.site import Site
from receiver.domain.finding import Finding, advice, ok, problem, unknown
from receiver.domain.reason import reason
from receiver.rulepack.files import Rule

META = "meta"  # of the label `incident`: alerts about the receiver itself
# Labels of which a rule says whether its alerts have them.
DECIDED = frozenset({"alertname", "severity", "incident", "runbook_url"})


def webhook(site: Site) -> Iterator[Finding]:
    """The receiver that posts to us, and how."""
    configuration = routing_tree.read(site.notes[CONFIG])
    found = _ours(site, configuration)
    if not found:
        yield _nobody(configuration)
        return
    for one in found:
        yield from _judged(one, site)


def _judged(one: Webhook, site: Site) -> Iterator[Finding]:
    path = routing_tree.path_of(one)
    if path and not path.endswith(WEBHOOK_PATH):
        yield problem(
            reason("doctor.webhook_config.path", receiver=one.receiver, path=path), reason("doctor.do.webhook_path"), part=one.receiver
        )
        return
    if site.own.has_webhook_token and not one.has_login:
        yield problem(reason("doctor.webhook_config.no_token", receiver=one.receiver), reason("doctor.do.webhook_login"), part=one.receiver)
        return
    if not one.sends_resolved:
        yield advice(
            reason("doctor.webhook_config.no_resolved", receiver=one.receiver),
            reason("doctor.do.send_resolved"),
            part=f"{one.receiver} resolved",
        )
    if one.max_alerts:
        what = reason("doctor.webhook_config.max_alerts", receiver=one.receiver, n=one.max_alerts)
        yield advice(what, reason("doctor.do.max_alerts"), part=f"{one.receiver} max_alerts")
    is_hidden = one.url == HIDDEN and one.receiver not in site.own.known_as
    made = (
        reason("doctor.webhook_config.by_name", receiver=one.receiver)
        if is_hidden
        else reason("doctor.webhook_config.ok", receiver=one.receiver)
    )
    yield ok(made, part=one.receiver)


def _nobody(configuration: Configuration) -> Finding:
    hidden = tuple(dict.fromkeys(w.receiver for w in configuration.webhooks if w.url == HIDDEN))
    if hidden:
        return unknown(reason("doctor.webhook_config.hidden", receivers=hidden), reason("doctor.do.name_receiver"))
    return problem(reason("doctor.webhook_config.none", n=len(configuration.webhooks)), reason("doctor.do.webhook_config"))


def lead_here(site: Site) -> Iterator[Finding]:
    """Each alert of the pack, walked through the tree: one line for those that never come, one for those that come sometimes."""
    configuration = routing_tree.read(site.notes[CONFIG])
    receivers = frozenset(w.receiver for w in _ours(site, configuration))
    if not receivers:
        what = reason("doctor.routes.no_receiver")
        yield unknown(what) if any(w.url == HIDDEN for w in configuration.webhooks) else problem(what, reason("doctor.do.route"))
        return
    never, sometimes, always = [], {}, []
    elsewhere: set[str] = set()
    for name, rule in site.pack.alerts.items():
        if rule.labels.get("incident") == META:
            continue
        ways = _ways(configuration, rule)
        here = [way for way in ways if way.receiver in receivers]
        if not here:
            never.append(name)
            elsewhere |= {way.receiver for way in ways}
        elif all(way.on for way in here):
            sometimes[name] = here[0]
        else:
            always.append(name)
    if never:
        what = reason("doctor.routes.never", names=tuple(never), elsewhere=tuple(sorted(elsewhere)), n=len(never))
        yield problem(what, reason("doctor.do.route"), part="" if not always else "missing")
    if sometimes:
        on = tuple(str(m) for m in next(iter(sometimes.values())).on)
        yield advice(
            reason("doctor.routes.sometimes", names=tuple(sometimes), n=len(sometimes), on=on),
            reason("doctor.do.matcher_strategy"),
            part="conditional",
        )
    if always:
        yield ok(reason("doctor.routes.ok", n=len(always), receivers=tuple(sorted(receivers))))


def fallback(site: Site) -> Iterator[Finding]:
    """Alerts that the receiver is down must reach somebody without it."""
    configuration = routing_tree.read(site.notes[CONFIG])
    receivers = frozenset(w.receiver for w in _ours(site, configuration))
    meta = [rule for rule in site.pack.alerts.values() if rule.labels.get("incident") == META]
    lost = [rule.alert for rule in meta if not _reaches_somebody(_ways(configuration, rule), configuration, receivers)]
    if lost:
        yield advice(reason("doctor.fallback.lost", names=tuple(lost)), reason("doctor.do.fallback"))
    else:
        yield ok(reason("doctor.fallback.ok", n=len(meta)))


def _reaches_somebody(ways: Sequence[Led], configuration: Configuration, receivers: frozenset[str]) -> bool:
    told = configuration.others | {w.receiver for w in configuration.webhooks}
    return any(way.receiver in told - receivers for way in ways)


def _ways(configuration: Configuration, rule: Rule) -> tuple[Led, ...]:
    return routing_tree.led(configuration.root, {"alertname": rule.alert, **rule.labels}, DECIDED)


def _ours(site: Site, configuration: Configuration) -> tuple[Webhook, ...]:
    return routing_tree.ours(configuration.webhooks, addresses=site.own.addresses, known_as=site.own.known_as)
