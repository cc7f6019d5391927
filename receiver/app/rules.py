"""The shipped rules as this installation calls their labels, and what the page about them asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from receiver.evidence import Evidence
from receiver.pipeline.routing import Router
from receiver.rulepack import read_pack, rules_dir
from receiver.rulepack.pack import Pack
from receiver.rulepack.render import with_values
from receiver.rulepack.values import read_values
from receiver.settings import Settings
from receiver.transport import Http, HttpConfig
from receiver.web.rules.ask import ask
from receiver.web.rules.desk import MOST_S, BacktestDesk, Order
from receiver.web.rules.routes import RulesParts

if TYPE_CHECKING:
    from receiver.rulepack.backtest.run import Backtest

STEP_S = 60  # of groups that name no interval
QUERY_S = 10  # of one query of a backtest: cancelling waits for the one under way
MOST_QUERIES = 300
DAY_S = 86_400


def shipped_pack(label_names: Mapping[str, str]) -> Pack:
    """The shipped rules, with their labels called as here."""
    pack = read_pack(rules_dir())
    return with_values(pack, read_values(pack, {"label_names": label_names})) if label_names else pack


def make_rules(
    settings: Settings, label_names: Mapping[str, str], router: Router, evidence: Evidence, now: Callable[[], float]
) -> RulesParts:
    """What the page needs. Nothing is read or asked before somebody opens it."""
    pack = cache(partial(shipped_pack, label_names))
    run = partial(_backtest, settings, label_names) if settings.prometheus_url else None
    return RulesParts(
        pack=pack, router=router, desk=BacktestDesk(run, now=now),
        ask=lambda of: ask(evidence.prometheus, evidence.alertmanager, tuple(of.alerts), now=now()),
    )  # fmt: skip


def _backtest(settings: Settings, label_names: Mapping[str, str], order: Order) -> Backtest:
    from receiver.rulepack import backtest as bt  # it needs memory that few ask for

    values: dict[str, Any] | None = {"label_names": dict(label_names)} if label_names else None
    http = Http(
        HttpConfig(
            base_url=settings.prometheus_url, name="Prometheus", token=settings.prometheus_token.reveal(), ca_path=settings.prometheus_ca_path,
            token_path=settings.secret_paths.get("prometheus_token", ""), headers=settings.prometheus_headers,
            read_timeout_s=QUERY_S + 5.0, tries=1,
        )
    )  # fmt: skip
    limits = bt.Limits(max_queries=MOST_QUERIES, max_seconds=MOST_S, query_timeout_s=QUERY_S)
    try:
        asker = bt.Asker(http, limits=limits, params=settings.prometheus_params, progress=order.progress, clock=order.clock)
        range_ = bt.Range(start_s=int(order.now) - order.days * DAY_S, end_s=int(order.now))
        return bt.Runner(asker, range_, matchers=settings.prometheus_matchers).run(
            bt.read_rule_set(rules_dir(), values=values, step_s=STEP_S)
        )
    finally:
        http.close()
