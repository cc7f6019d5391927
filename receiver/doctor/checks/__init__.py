"""The checks, in the order in which their lines are printed. Add one: a function in a file here, and its line in `ALL`."""

from __future__ import annotations

from receiver.doctor.check import Check
from receiver.doctor.checks import (
    alertmanager,
    clock,
    cluster,
    counters,
    gitops,
    installed,
    kubernetes,
    metrics,
    permissions,
    prometheus,
    proxy,
    receiver,
    routes,
    rules,
    slack,
    store,
    versions,
)

KUBERNETES, PROMETHEUS, ALERTMANAGER, SLACK = "kubernetes", "prometheus", "alertmanager", "slack.token"

ALL: tuple[Check, ...] = (
    Check(id="settings", tells="what would stop `oomtriage serve`, all of it at once", ask=installed.settings),
    Check(id="settings.webhook", tells="whether Alertmanager can get in and people can get at the pages", ask=installed.webhook),
    Check(id="settings.proxy", tells="`HTTP_PROXY` and the like, which are not used", ask=proxy.environment),
    Check(id="receiver", tells="the receiver that runs here: ready, its sinks, its sources, its settings those of this command", ask=receiver.state),
    Check(id="receiver.hints", tells="what the looks at incidents lacked for want of a setting, a permission or a metric", ask=receiver.hints),
    Check(id=KUBERNETES, tells="the API answers at `KUBE_API_URL`; else why not: name, network, certificate, token, path", ask=kubernetes.reach),
    Check(id="permissions", tells="each permission that evidence needs, by SelfSubjectAccessReview", ask=permissions.each, after=(KUBERNETES,)),
    Check(id="metrics-server", tells="`kubectl top` has something to say", ask=kubernetes.metrics_server, after=(KUBERNETES,)),
    Check(id=PROMETHEUS, tells="it answers at `PROMETHEUS_URL`; else why not", ask=prometheus.reach),
    Check(id="prometheus.alertmanagers", tells="it sends its alerts to some Alertmanager", ask=prometheus.alertmanagers, after=(PROMETHEUS,)),
    Check(id="prometheus.receivers", tells="it scrapes one receiver, not two that tell everything twice", ask=prometheus.receivers, after=(PROMETHEUS,)),
    Check(id="metrics", tells="each metric that the rules and the diagnosis need has series", ask=metrics.series, after=(PROMETHEUS,)),
    Check(id="metrics.freshness", tells="they are scraped often enough, and still", ask=metrics.freshness, after=(PROMETHEUS,)),
    Check(id="metrics.labels", tells="their labels are called as `label_names` says", ask=metrics.labels, after=(PROMETHEUS,)),
    Check(
        id="metrics.cluster",
        tells="they are of the cluster whose API is asked: its pods and nodes are in them",
        ask=cluster.same,
        after=(PROMETHEUS, KUBERNETES),
    ),
    Check(id="request-counters", tells="some counter tells how much workloads have to do", ask=counters.found, after=(PROMETHEUS,)),
    Check(id="rules", tells="the alert rules are loaded and healthy", ask=rules.loaded, after=(PROMETHEUS,)),
    Check(id=ALERTMANAGER, tells="it answers at `ALERTMANAGER_URL`; else why not", ask=alertmanager.reach),
    Check(id="alertmanager.webhook", tells="one of its receivers posts to us, with our token, whole and resolved ones too", ask=routes.webhook, after=(ALERTMANAGER,)),
    Check(id="alertmanager.routes", tells="its routes lead every alert of the pack there", ask=routes.lead_here, after=(ALERTMANAGER,)),
    Check(id="alertmanager.fallback", tells="alerts about the receiver itself go past it", ask=routes.fallback, after=(ALERTMANAGER,)),
    Check(id="alertmanager.deliveries", tells="its webhooks have been delivered in the last hour", ask=alertmanager.deliveries, after=(PROMETHEUS,)),
    Check(id=SLACK, tells="Slack takes the token (or the incoming webhook is there)", ask=slack.token),
    Check(id="slack.scopes", tells="what the token may do", ask=slack.scopes, after=(SLACK,)),
    Check(id="slack.channel", tells="the bot can post in each configured channel: it is there, not archived, and the bot a member", ask=slack.channels, after=(SLACK,)),
    Check(id="slack.buttons", tells="presses get here: by Socket Mode, or to `/slack/actions`", ask=slack.buttons, after=(SLACK,)),
    Check(id="gitops", tells="in each repository of `gitops` the base is there and the token may push a branch", ask=gitops.repositories),
    Check(id="store", tells="the state file's folder, or the database of `STORE_URL`, can be written; else why not", ask=store.writable),
    Check(id="store.space", tells="there is room on the state file's volume", ask=store.space),
    Check(id="store.filesystem", tells="that volume is of a kind on which file locks hold, and that outlives the pod", ask=store.file_system),
    Check(id="store.lock", tells="no second receiver holds the state file; of those that share a database, one dispatches", ask=store.lock),
    Check(id="clock", tells="our clock, Prometheus' and the API's agree", ask=clock.agree, awaits=(KUBERNETES, PROMETHEUS)),
    Check(id="versions", tells="which versions these are, and whether one is too old", ask=versions.known, awaits=(KUBERNETES, PROMETHEUS, ALERTMANAGER)),
)  # fmt: skip
