"""Sentences of `oomtriage doctor`: what is so, and, below `doctor.do`, what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.domain.units import human_duration
from receiver.render.wording.forms import Facts, Sentence, counted
from receiver.render.words import listed, source

MOST_NAMES = 6


def _names(facts: Facts, name: str = "names") -> str:
    return listed((str(n) for n in facts[name]), MOST_NAMES)


def _reached(facts: Facts) -> str:
    version = f" ({facts['version']})" if facts["version"] else ""
    return f"{facts['service']} answers at {facts['origin']}{version}"


def _status(facts: Facts) -> str:
    said = f": {facts['said']}" if facts["said"] else ""
    return f"{facts['service']} at {facts['origin']} answered {facts['status']}{said}"


def _proxied(facts: Facts) -> str:
    told_by = f" ({facts['told_by']})" if facts["told_by"] else ""
    return f"a proxy answered {facts['status']} in the place of {facts['service']} at {facts['origin']}{told_by}"


def _wrong_path(facts: Facts) -> str:
    where = f"below {facts['path']}" if facts["path"] else "at the address without a path"
    return f"{facts['origin']} answers ({facts['status']}), but {facts['service']} is not {where}"


def _page(facts: Facts) -> str:
    title = f' "{facts["title"]}"' if facts["title"] else ""
    return f"a web page{title} came ({facts['status']}) from {facts['origin']}{facts['path']} where {facts['service']} should be"


def _no_way(facts: Facts) -> str:
    return f"no way into Kubernetes: {facts['error']}" if facts["error"] else "no way into Kubernetes is configured"


def _denied(facts: Facts) -> str:
    return f"may not {facts['permission']}: {listed((source(str(s)) for s in facts['sources']), MOST_NAMES)} cannot be read"


def _metric(facts: Facts) -> str:
    """What it costs that the metric is not there."""
    return f"without it {facts['without']}" if facts["without"] else f"{_names(facts, 'rules')} reads it"


def _absent(facts: Facts) -> str:
    from_where = f" (from {facts['source']})" if facts["source"] else ""
    return f"{facts['metric']} is not there{from_where}: {_metric(facts)}"


def _stopped(facts: Facts) -> str:
    return f"{facts['metric']} had series within the last hour and has none now: {_metric(facts)}"


def _none_with(facts: Facts) -> str:
    return f"{facts['metric']} is there, but not with {facts['rests']}: {_metric(facts)}"


def _rule_label(facts: Facts) -> str:
    return f"series of {_names(facts, 'metrics')} lack the label {facts['label']}, which {_names(facts, 'rules')} needs"


def _labels_ok(facts: Facts) -> str:
    prefix = f", kube-state-metrics' with {facts['prefix']} before them" if facts["prefix"] else ""
    return f"series carry {listed((str(n) for n in facts['labels']), MOST_NAMES)}{prefix}"


def _labels_wrong(facts: Facts) -> str:
    return f"no series of {facts['metric']} carries {_names(facts, 'missing')}; they carry {listed((str(n) for n in facts['carried']), 12)}"


def _other_cluster(facts: Facts) -> str:
    nodes = f"; none of {counted(facts['ours'], 'node')} here is among its {facts['theirs']}" if facts["theirs"] and facts["ours"] else ""
    pod = f"{facts['namespace']}/{facts['pod']}"
    of = f"any of {facts['asked']} running pods, such as {pod}" if facts["asked"] > 1 else f"{pod}, the one running pod that was looked for"
    return f"this seems to be the Prometheus of another cluster: it has no memory series of {of}{nodes}"


def _rules_none(facts: Facts) -> str:
    others = f", only {counted(facts['others'], 'other rule')}" if facts["others"] else ""
    return f"none of the {facts['n']} alerts of the pack is loaded in Prometheus{others}: nothing will ever be told"


def _rules_ok(facts: Facts) -> str:
    return f"{facts['alerts']} of {facts['of']} alerts of the pack are loaded and healthy"


def _never(facts: Facts) -> str:
    to = f"; they go to {_names(facts, 'elsewhere')}" if facts["elsewhere"] else ""
    return f"no route leads {counted(facts['n'], 'alert')} of the pack here: {_names(facts)}{to}"


def _sometimes(facts: Facts) -> str:
    return f"{counted(facts['n'], 'alert')} of the pack only come here with {listed((str(m) for m in facts['on']), 4)}: {_names(facts)}"


def _webhook_refused(facts: Facts) -> str:
    return f"the incoming webhook refuses messages: {facts['word'] or 'it answered ' + str(facts['status'])}"


def _channel(facts: Facts) -> str:
    return f"#{facts['name']} ({facts['channel']})" if facts["name"] else f"channel {facts['channel']}"


def _off(facts: Facts) -> str:
    """`10 min ahead of`, `2 min behind`."""
    of = " of" if facts["direction"] == "ahead" else ""
    return f"{human_duration(float(facts['off_s']))} {facts['direction']}{of}"


def _clock(facts: Facts) -> str:
    return f"the clock of {facts['service']} is {_off(facts)} ours"


def _clock_ours(facts: Facts) -> str:
    return f"our own clock is {_off(facts)} those of Prometheus and Kubernetes, which agree"


def _versions(facts: Facts) -> str:
    others = f"; {listed((str(o) for o in facts['others']), 5)}" if facts["others"] else ""
    return f"oomtriage {facts['version']}, Python {facts['python']}{others}"


def _hint(facts: Facts) -> str:
    lacking = listed((source(str(s)) for s in facts["sources"]), MOST_NAMES)
    return f"incidents lacked {lacking} ({counted(int(facts['seen']), 'look')})"


EXPORTERS = {
    "cadvisor": "the kubelet's /metrics/cadvisor", "kube_state_metrics": "kube-state-metrics", "kubelet": "the kubelet's /metrics",
    "node_exporter": "node_exporter", "oomtriage": "oomtriage's own /metrics (deploy/monitoring)", "alertmanager": "Alertmanager's /metrics",
}  # fmt: skip


def _nothing_of(facts: Facts) -> str:
    return f"nothing of {EXPORTERS.get(str(facts['exporter']), facts['exporter'])} is there: {_names(facts, 'metrics')}"


def _keep_metric(facts: Facts) -> str:
    return f"{facts['by']} drops it: keep {facts['metric']} there"


def _scrape(facts: Facts) -> str:
    exporter = EXPORTERS.get(str(facts["exporter"]), "its exporter")
    return f"scrape {exporter}, and drop nothing of it by metric_relabel_configs"


def _scope(facts: Facts) -> str:
    return f"api.slack.com/apps, OAuth & Permissions, Bot Token Scopes: add {facts['scope']}, then Reinstall to Workspace"


def _guesses(facts: Facts) -> str:
    return f"set label_names: {{{', '.join(str(g) for g in facts['guesses'])}}}"


SENTENCES: Mapping[str, Sentence] = {
    # of a check itself
    "doctor.not_asked": "not asked: {after} comes first",
    "doctor.no_time": "not done within {limit_s:span}",
    "doctor.failed": "could not be asked: {error}",
    "doctor.broken": "the check itself failed ({error}): please report it",
    "doctor.not_configured": "{setting} is not set",
    # settings
    "doctor.settings.ok": "the settings are complete and do not contradict each other",
    "doctor.settings.refused": "{error}",
    "doctor.webhook.ok": "alerts are taken at {listen} with WEBHOOK_TOKEN",
    "doctor.webhook.loopback": "LISTEN is {listen}: only programs of this machine can post alerts",
    "doctor.webhook.open": "anybody who reaches {listen} can post alerts (WEBHOOK_AUTH=none)",
    "doctor.webhook.no_admin_token": "ADMIN_TOKEN is not set: pages, `oomtriage ack` and the like are refused",
    "doctor.webhook.no_public_url": "PUBLIC_URL is not set: messages carry no links to the pages",
    "doctor.proxy.none": "no proxy is set in the environment",
    "doctor.proxy.unused": "{variables:list}: set in the environment, and not used",
    # the running receiver
    "doctor.receiver.ok": "the receiver at {where} is ready",
    "doctor.receiver.none": "no receiver answers at {where}",
    "doctor.receiver.not_ready": "the receiver takes no alerts: {error}",
    "doctor.receiver.stuck": "the receiver makes no progress although work is due",
    "doctor.receiver.cannot_tell": "{where}: {error}",
    "doctor.receiver.quarantined": "{n:count:stored row} cannot be read and were put aside",
    "doctor.receiver.differs": "the receiver that runs here has other settings: {names:list}",
    "doctor.hints.none": "looks at incidents have lacked nothing that a setting would give them",
    "doctor.hints.no_receiver": "not known: no receiver runs here",
    "doctor.hints.hint": _hint,
    # any service
    "doctor.reach.ok": _reached,
    "doctor.reach.failed": "{error}",
    "doctor.reach.expired_ca": "{what:reason}; the authority {name} in {path} ended on {ends:%Y-%m-%d}",
    "doctor.reach.status": _status,
    "doctor.reach.proxy": _proxied,
    "doctor.reach.wrong_path": _wrong_path,
    "doctor.reach.page": _page,
    "doctor.reach.redirect": "{service} at {origin} answered {status}: it redirects to {to}",
    # Kubernetes
    "doctor.kubernetes.no_way": _no_way,
    "doctor.metrics_server.ok": "metrics-server answers",
    "doctor.metrics_server.missing": "metrics-server is not installed: messages have no live use",
    "doctor.metrics_server.away": "metrics-server does not answer: {error}",
    "doctor.permissions.granted": "may {permission}",
    "doctor.permissions.denied": _denied,
    "doctor.permissions.own_namespace": lambda facts: f"may, in namespace {facts['namespace']} only: {_names(facts, 'permissions')}",
    "doctor.permissions.not_answered": "whether we may {permission} was not answered",
    # Prometheus
    "doctor.receivers.one": "Prometheus scrapes one receiver that takes alerts",
    "doctor.receivers.replicas": "{n} receivers are scraped, replicas on one database",
    "doctor.receivers.none": "not known: Prometheus scrapes no receiver that takes alerts",
    "doctor.receivers.several": "Prometheus scrapes {n} receivers that take alerts ({instances:list}): what reaches two of them is told twice",
    "doctor.gitops.off": "gitops names no repository: no pull requests are offered",
    "doctor.gitops.ok": "changes can be proposed in {repository}",
    "doctor.gitops.refused": "changes cannot be proposed in {repository}: {error}",
    "doctor.gitops.no_base": "changes cannot be proposed in {repository}: its base branch is not there",
    "doctor.gitops.reads_only": "changes cannot be proposed in {repository}: the token may read only",
    "doctor.gitops.not_told": "{repository} does not tell what the token may do",
    "doctor.alertmanagers.ok": "Prometheus sends its alerts to {n:count:Alertmanager}",
    "doctor.alertmanagers.none": "Prometheus sends its alerts to no Alertmanager ({dropped} found and dropped)",
    "doctor.alertmanagers.not_told": "this Prometheus does not tell whom it sends alerts to",
    "doctor.metrics.there": "{metric} has series",
    "doctor.metrics.absent": _absent,
    "doctor.metrics.stopped": _stopped,
    "doctor.metrics.nothing_of": _nothing_of,
    "doctor.metrics.none_with": _none_with,
    "doctor.metrics.diagnosis": "{metric} is not there: the diagnosis sees less of what the memory is",
    "doctor.metrics.fresh": "{n:count:metric} at most {age_s:span} old",
    "doctor.metrics.stale": "{metric}: its newest sample is {age_s:span} old",
    "doctor.metrics.no_ages": "no metric that is looked for has a sample",
    "doctor.labels.ok": _labels_ok,
    "doctor.labels.wrong": _labels_wrong,
    "doctor.labels.no_series": "not known: {metric} has no series",
    "doctor.labels.exported": "{metric}: its pods are called exported_pod, and `pod` is kube-state-metrics itself",
    "doctor.labels.rule": _rule_label,
    "doctor.cluster.same": "{seen} of {asked} running pods of this cluster have memory series",
    "doctor.cluster.no_pods": "not known: the API lists no pod that has run for five minutes",
    "doctor.cluster.no_series": "not known: no memory series names a pod",
    "doctor.cluster.other": _other_cluster,
    "doctor.cluster.other_nodes": (
        "this seems to be the Prometheus of another cluster: pods have the same names, but none of {ours:count:node} is among its {theirs}"
    ),
    "doctor.cluster.pods_missing": "it knows {shared:count:node} of this cluster, but none of {asked:count:running pod}, such as {namespace}/{pod}",
    "doctor.cluster.several": "it holds {n} clusters ({clusters:list}), and no matcher picks ours",
    "doctor.counters.found": "request counters are there: {metrics:list}",
    "doctor.counters.none": "no counter of requests or messages is exported: no advice by load, no autoscaler on it",
    "doctor.counters.configured": "REQUEST_RATE_QUERY is a query that Prometheus takes",
    "doctor.counters.refused": "Prometheus refuses REQUEST_RATE_QUERY: {error}",
    "doctor.rules.ok": _rules_ok,
    "doctor.rules.none": _rules_none,
    "doctor.rules.some_gone": lambda facts: f"not loaded in Prometheus: {_names(facts)}",
    "doctor.rules.failing": "{name} cannot be evaluated: {error}",
    "doctor.rules.not_told": "this Prometheus does not tell its rules",
    # Alertmanager
    "doctor.deliveries.ok": "{sent:count:webhook} sent in the last hour, none failed",
    "doctor.deliveries.failed": "{failed} of {sent:count:webhook} of the last hour failed",
    "doctor.deliveries.not_counted": "not known: Prometheus does not scrape Alertmanager",
    "doctor.webhook_config.ok": "receiver {receiver} posts here",
    "doctor.webhook_config.by_name": "receiver {receiver} posts here, by its name: Alertmanager hides the address",
    "doctor.webhook_config.none": "no receiver of Alertmanager posts here ({n:count:webhook} in its configuration)",
    "doctor.webhook_config.hidden": "not known: Alertmanager hides the addresses of its webhooks ({receivers:list}), and none is called oomtriage",
    "doctor.webhook_config.path": "receiver {receiver} posts to {path} here, where nobody listens",
    "doctor.webhook_config.no_token": "receiver {receiver} sends no token, and WEBHOOK_TOKEN is set: it is refused with 401",
    "doctor.webhook_config.no_resolved": "receiver {receiver} does not send that an alert is over",
    "doctor.webhook_config.max_alerts": "receiver {receiver} leaves out what is more than {n:count:alert}",
    "doctor.routes.ok": lambda facts: f"routes lead {counted(int(facts['n']), 'alert')} of the pack to {_names(facts, 'receivers')}",
    "doctor.routes.never": _never,
    "doctor.routes.sometimes": _sometimes,
    "doctor.routes.no_receiver": "no receiver that posts here is known, so no route leads here",
    "doctor.fallback.ok": "{n:count:alert} about the receiver itself go past it",
    "doctor.fallback.lost": lambda facts: f"nobody is told without the receiver when it is down: {_names(facts)}",
    # Slack
    "doctor.slack.ok": "Slack takes the token: {user} in {team}",
    "doctor.slack.refused": "Slack refuses the token: {word}",
    "doctor.slack.console": "no Slack is configured: messages go to the console",
    "doctor.slack.webhook_ok": "the incoming webhook at {origin} is there",
    "doctor.slack.webhook_refused": _webhook_refused,
    "doctor.slack.webhook_only": "an incoming webhook alone: one channel, no threads, no edits, no buttons",
    "doctor.scopes.ok": "the token's scopes: {scopes:list}",
    "doctor.scopes.not_told": "Slack did not say what the token may do",
    "doctor.scopes.needed": "the token lacks {scope}: nothing can be posted",
    "doctor.scopes.history": "the token lacks {scope}: a message whose answer was lost may be posted twice",
    "doctor.scopes.private": "the token lacks groups:history: in private channels, such as {channel}, a message whose answer was lost may be posted twice",
    "doctor.scopes.files": "the token lacks {scope}: messages come without the memory chart",
    "doctor.channel.ok": lambda facts: f"{_channel(facts)}: the bot is a member",
    "doctor.channel.readable": "channel {channel}: the bot can read it",
    "doctor.channel.guest": lambda facts: f"{_channel(facts)}: the bot is no member; it can post there, and cannot look for what it posted",
    "doctor.channel.no_member": lambda facts: f"{_channel(facts)}: the bot is not in the channel",
    "doctor.channel.not_found": "channel {channel}: there is none with this ID, or it is private and the bot is not in it",
    "doctor.channel.archived": lambda facts: f"{_channel(facts)} is archived",
    "doctor.channel.no_name": "channel {channel}: {error}",
    "doctor.channel.not_looked_at": "channel {channel}: not known, the token may neither look at channels nor read them",
    "doctor.channel.refused": "channel {channel}: Slack says {word}",
    "doctor.buttons.connected": "presses come over the receiver's own connection (Socket Mode)",
    "doctor.buttons.could_connect": "Slack takes SLACK_APP_TOKEN: a receiver can open its connection for presses",
    "doctor.buttons.refused": "Slack refuses SLACK_APP_TOKEN: {word}; nobody can press anything",
    "doctor.buttons.trouble": "Socket Mode is in trouble: {error}",
    "doctor.buttons.none": "messages have no buttons",
    "doctor.buttons.no_way_in": "Slack cannot reach /slack/actions here: nobody can press anything",
    "doctor.buttons.way_in": "presses come to /slack/actions, if Slack can reach it",
    # the state file
    "doctor.store.ok": "the state file {path} can be written",
    "doctor.store.is_folder": "STORE_URL names the folder {path}, not a file",
    "doctor.store.read_only": "the volume of {folder} is read-only",
    "doctor.store.full": "the volume of {folder} is full",
    "doctor.store.unwritable": "{folder} cannot be written: {error}",
    "doctor.store.no_access": "{path} cannot be written by this user",
    "doctor.database.ok": "the database {place} (PostgreSQL {version}) can be written",
    "doctor.database.away": "{error}",
    "doctor.database.too_old": "PostgreSQL {version} is older than the receiver's SQL: expected 13 or newer",
    "doctor.database.read_only": "the database {place} takes no writes",
    "doctor.database.newer": "a newer release has changed the tables in {place}",
    "doctor.database.no_create": "the user may not make tables in {place}",
    "doctor.database.led": "a receiver dispatches what is stored",
    "doctor.database.unled": "no receiver dispatches what is stored",
    "doctor.space.ok": "{free_bytes:size} left for the state",
    "doctor.space.little": "only {free_bytes:size} left in {folder}: when it is full, alerts are refused",
    "doctor.space.no_files": "no file can be made in {folder}: its volume has no inodes left",
    "doctor.space.not_told": "what is left in {folder} is not told",
    "doctor.filesystem.ok": "the state is on {kind}",
    "doctor.filesystem.network": "{folder} is on {kind}, over the network: SQLite's locks do not hold there, and the state may be damaged",
    "doctor.filesystem.shared": "{folder} is on {kind}: whether SQLite's locks hold there depends on how it is mounted",
    "doctor.filesystem.fleeting": "{folder} is on {kind}: the state is gone with the pod",
    "doctor.filesystem.not_told": "not known: no mount of {folder} is told",
    "doctor.lock.ours": "this receiver holds the state file",
    "doctor.lock.here": "the receiver that runs here holds the state file",
    "doctor.lock.free": "nobody holds the state file",
    "doctor.lock.other": "a second receiver (process {pid}) holds the state file {path}",
    "doctor.lock.elsewhere": "a second receiver, in another pod or on another host, holds the state file {path}",
    "doctor.lock.not_told": "who holds {path} is not told: {error}",
    # clocks and versions
    "doctor.clock.ok": "the clocks of {services:list} and ours agree: {most_s:span} apart",
    "doctor.clock.off": _clock,
    "doctor.clock.ours": _clock_ours,
    "doctor.clock.nobody": "not known: nobody told the time",
    "doctor.versions.known": _versions,
    "doctor.versions.old": "{service} is {version}, older than what is tested ({oldest})",
    # what to do
    "doctor.do.setting": "see docs/settings.md; `oomtriage config` shows what is in force and where it comes from",
    "doctor.do.listen": "in a pod set LISTEN to 0.0.0.0:8080, with WEBHOOK_TOKEN",
    "doctor.do.webhook_token": "set WEBHOOK_TOKEN here, and the same as credentials in Alertmanager's webhook",
    "doctor.do.admin_token": "set ADMIN_TOKEN (or ADMIN_TOKEN_FILE)",
    "doctor.do.public_url": "set PUBLIC_URL to where people reach the receiver",
    "doctor.do.direct": "nothing, where the services answer; where only a proxy leads out to Slack, let the receiver out directly or through a gateway (SLACK_API_URL)",
    "doctor.do.serve": "start it (`oomtriage serve`), or name it with --url",
    "doctor.do.not_ready": "docs/operations.md says what to do about a state file",
    "doctor.do.restart": "restart the receiver",
    "doctor.do.quarantine": "the receiver's log names each; docs/operations.md",
    "doctor.do.hint": "{hint}",
    "doctor.do.address": "check {setting}",
    "doctor.do.name": "check the host name in {setting}: in the cluster it is SERVICE.NAMESPACE.svc",
    "doctor.do.connection": "check host and port in {setting}, that it runs there, and network policies",
    "doctor.do.network": "nothing comes back: check {setting}, network policies and firewalls",
    "doctor.do.not_by_proxy": "check {setting}; {variables:list} is set and not used: where only the proxy leads there, let the receiver out directly",
    "doctor.do.protocol": "check scheme and port in {setting}",
    "doctor.do.unknown_ca": "set {setting} to a file with the authority that signed it",
    "doctor.do.unknown_public_ca": "something in between signs with an authority of its own: let this host pass it",
    "doctor.do.host_name": "use a host name in {setting} that the certificate names",
    "doctor.do.ca_file": "{setting} must name a readable file with PEM certificates",
    "doctor.do.handshake": "check http:// or https:// and the port in {setting}; client certificates are not sent",
    "doctor.do.certificate": "renew the certificate of {service}",
    "doctor.do.expired": "renew the certificate of {service}, and check the clock here",
    "doctor.do.expired_ca": "put the new authority into the file of {setting}",
    "doctor.do.token": "check {setting}",
    "doctor.do.status": "look into the log of {service}",
    "doctor.do.proxy": "{setting} must lead to the service itself: go round the proxy, or let it pass this host",
    "doctor.do.path": "set {setting} to {address}",
    "doctor.do.some_path": "{setting} is the base of the API, with the prefix it is served under and nothing behind that",
    "doctor.do.page": "{setting} must lead to the API itself, not to its pages, a log-in page or a proxy",
    "doctor.do.redirect": "set {setting} to where the API itself is; redirects are not followed",
    "doctor.do.kubernetes": "run in a pod with a service account, set KUBE_API_URL, or install kubectl with a context that works",
    "doctor.do.metrics_server": "install metrics-server",
    "doctor.do.metrics_server_apiservice": "kubectl get apiservice v1beta1.metrics.k8s.io",
    "doctor.do.rbac": "bind deploy/base/rbac.yaml; kubectl auth can-i {permission} --all-namespaces --as=system:serviceaccount:NAMESPACE:NAME",
    "doctor.do.cluster_role": "incidents of other namespaces lack it: bind the ClusterRole of deploy/base/rbac.yaml, or leave it if that is meant",
    "doctor.do.prometheus": "set PROMETHEUS_URL: without it there is no history, no shape of memory and no proposal from it",
    "doctor.do.alerting": "set `alerting.alertmanagers` of Prometheus (the operator: spec.alerting of the Prometheus resource)",
    "doctor.do.keep_metric": _keep_metric,
    "doctor.do.scrape": _scrape,
    "doctor.do.none_with": "are the labels called otherwise (metrics.labels)? `oomtriage rules check --prometheus URL` says more",
    "doctor.do.scrape_cadvisor": "scrape the kubelet's /metrics/cadvisor, and keep it there",
    "doctor.do.scrape_interval": "scrape it every 30 s, at least every minute; is the target up?",
    "doctor.do.scrape_kubelet": "scrape the kubelets of all nodes (/metrics/cadvisor)",
    "doctor.do.honor_labels": "set honor_labels: true in the job that scrapes it, or label_names: {{namespace: exported_namespace, pod: exported_pod, container: exported_container}}",
    "doctor.do.label_names": _guesses,
    "doctor.do.some_label_names": "set label_names in the settings to what the labels are called",
    "doctor.do.rule_label": "two sources, or a relabelling that drops {label}? `oomtriage rules check --prometheus URL` says more",
    "doctor.do.this_cluster": "set PROMETHEUS_URL to this cluster's, or KUBE_API_URL to that one's",
    "doctor.do.matchers": "set PROMETHEUS_MATCHERS to this cluster's, such as cluster=\"NAME\"",
    "doctor.do.counters": "let a workload, mesh or ingress be scraped that counts requests, or set REQUEST_RATE_QUERY (docs/request-rate.md)",
    "doctor.do.request_rate_query": "try it in Prometheus with the names filled in",
    "doctor.do.rules": "load them: docs/rules/gitops.md (the operator: does its ruleSelector pick them up?)",
    "doctor.do.rules_on_purpose": "nothing, if they were switched off on purpose",
    "doctor.do.rule_error": "`oomtriage rules check --prometheus URL` says what its series lack",
    "doctor.do.vmalert": "VictoriaMetrics tells them with -vmalert.proxyURL; else look at vmalert's own page",
    "doctor.do.gitops": "give the token the scopes of docs/gitops-pull-requests.md, and check kind, repository and url of the entry",
    "doctor.do.gitops_base": "set base of the entry to the branch that changes are merged into",
    "doctor.do.alertmanager": "set ALERTMANAGER_URL: without it routes are not checked, nothing is silenced from Slack, and alerts missed while away stay missed",
    "doctor.do.deliveries": "its log says why: the token, the address, a network policy; then `oomtriage test-alert`",
    "doctor.do.webhook_config": "add a receiver with webhook_configs to Alertmanager: deploy/alertmanager/alertmanager.yaml",
    "doctor.do.name_receiver": "call the receiver that posts here oomtriage, or run this once an alert has come",
    "doctor.do.webhook_path": "let its url end with /alerts",
    "doctor.do.webhook_login": "set http_config.authorization.credentials (or credentials_file) of the webhook to WEBHOOK_TOKEN",
    "doctor.do.send_resolved": "set send_resolved: true",
    "doctor.do.max_alerts": "set max_alerts: 0",
    "doctor.do.route": "add the routes of deploy/alertmanager/alertmanager.yaml before your own",
    "doctor.do.matcher_strategy": "the operator adds such a matcher to AlertmanagerConfigs: alertmanagerConfigMatcherStrategy: {{type: None}}; or leave it if that is meant",
    "doctor.do.fallback": "route incident=meta to a receiver that is not this one: docs/alertmanager.md",
    "doctor.do.slack": "set SLACK_BOT_TOKEN and SLACK_CHANNEL",
    "doctor.do.slack_bot": "nothing, if that is enough; else SLACK_BOT_TOKEN and SLACK_CHANNEL (deploy/slack/manifest.yaml)",
    "doctor.do.slack_webhook": "make a new incoming webhook and set SLACK_WEBHOOK_URL",
    "doctor.do.slack_token": "copy the Bot User OAuth Token (xoxb-...) again: api.slack.com/apps, OAuth & Permissions",
    "doctor.do.slack_word": "api.slack.com/methods says what {word} means",
    "doctor.do.reinstall": "add the scope to the app, then Reinstall to Workspace",
    "doctor.do.scope": _scope,
    "doctor.do.invite": "in the channel: /invite @oomtriage (the app's name)",
    "doctor.do.invite_or_id": "set the channel's ID (channel details, at the bottom), and /invite the app if it is private",
    "doctor.do.channel_id": "set the channel's ID (channel details, at the bottom)",
    "doctor.do.unarchive": "unarchive it, or set another channel",
    "doctor.do.app_token": "Basic Information, App-Level Tokens: one with connections:write (xapp-...); and Socket Mode switched on",
    "doctor.do.buttons": "set SLACK_APP_TOKEN (Socket Mode needs no way in), or SLACK_SIGNING_SECRET with an address that Slack reaches: docs/slack.md",
    "doctor.do.store_file": "name a file: sqlite:////var/lib/oomtriage/state.db",
    "doctor.do.store_owner": "give the folder to the user of the receiver (securityContext.fsGroup)",
    "doctor.do.read_only": "mount a volume there that can be written",
    "doctor.do.enlarge": "enlarge the volume, or lower RETENTION and STORE_MAX_BYTES",
    "doctor.do.block_storage": "use a volume of block storage (ReadWriteOnce) or a local one",
    "doctor.do.volume": "mount a PersistentVolumeClaim, or leave it if losing open incidents at a restart is fine",
    "doctor.do.database": "look whether STORE_URL has the right host, port, user, password and sslmode, and whether a network policy lets this pod there",
    "doctor.do.database_version": "upgrade the database server",
    "doctor.do.primary": "point STORE_URL to the primary, or add target_session_attrs=read-write to it",
    "doctor.do.newer_release": "run the newer release",
    "doctor.do.database_rights": "make the user the owner of its database, or GRANT CREATE ON SCHEMA public",
    "doctor.do.start_receiver": "start a receiver; of one that runs, read its log",
    "doctor.do.one_receiver": "run one receiver a state file: replicas: 1, strategy Recreate",
    "doctor.do.one_of_them": "run one a cluster (replicas: 1), or leave them if their alerts differ",
    "doctor.do.own_clock": "set the time of this node right (NTP)",
    "doctor.do.clock": "set the time of {service}'s machine right (NTP)",
    "doctor.do.upgrade": "upgrade {service}, or run its tests: make compat",
}  # fmt: skip
