"""Workloads, rules, health and the doctor in a real browser: on a phone and a wide screen, in both themes, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from receiver.domain.incident import Message
from receiver.domain.incident_memory import FollowUp, GivenVerdict, WatchedFix
from receiver.domain.reason import reason
from receiver.domain.units import from_epoch
from receiver.domain.workload_history import DAY_S, PastIncident, SeenLimit, WorkloadName, day_of
from receiver.store import conversations, outbox, workloads
from tests.pages.browser import PHONE, WIDE, Browser
from tests.pages.serving import served
from tests.unit.web.incident.kit import Site

EVIL = '<script>window.evil = 1</script>"><img src=x onerror="window.evil = 1"><svg onload="window.evil = 1">{{ 7*7 }}\u202e'
MIB = 1024**2
PLACES = ("/workloads", "/workloads/{evil}", "/rules", "/health", "/doctor")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a hostile workload among sixty, and dead letters; Prometheus and Alertmanager are away."""
    site = Site(tmp_path_factory.mktemp("others"), ALERTMANAGER_URL="http://127.0.0.1:9", PROMETHEUS_URL="http://127.0.0.1:9")
    _fill(site)
    with served(site):
        yield site
    site.close()


def _name(i: int) -> WorkloadName:
    if i == 0:
        return WorkloadName(cluster=EVIL, namespace=EVIL, kind=EVIL, name=EVIL)
    return WorkloadName(
        cluster="lab", namespace="shop" if i % 2 else "batch", kind="Deployment", name=f"service-with-quite-a-long-name-{i:02}"
    )


def _fill(site: Site) -> None:
    store = site.application.store
    now = store.now()
    held = FollowUp(after_s=DAY_S, at=from_epoch(now), outcome="held", because=reason("fix.said"))
    fix = WatchedFix(number=1, since=from_epoch(now - DAY_S), done=(held,))
    with store.write() as tx:
        for i in range(60):
            past = PastIncident(
                id=f"inc_{i:02}", workload=_name(i), container=EVIL if i == 0 else "app", opened_at=now - DAY_S, seen_at=now, state="firing",
                kills=100 - i, verdict=GivenVerdict(cause="leak", confidence=0.9), fixes=(fix,),
            )  # fmt: skip
            workloads.save(tx, past)
            workloads.add_kills(tx, past.id, {day_of(now) - ago: 1 + ago % 3 for ago in range(0, 30, 1 + i % 7)})
        seen = SeenLimit(
            container=EVIL, since=now - 3 * DAY_S, seen_at=now, limit_bytes=160 * MIB, peak_bytes=99 * MIB, wanted_bytes=320 * MIB
        )
        workloads.note_limit(tx, _name(0).id, seen)
        for n in range(3):
            one = conversations.open_new(
                tx, kind="notice", incident_id=None, sink="slack", channel=EVIL if n else "C1", mention="", now=now
            )
            outbox.desire(tx, one.id, Message(slot="root", text="x"), now=now)
        tx.run("UPDATE message SET state = 'dead', last_error = :error", error=EVIL)


def _address(site: Site, place: str) -> str:
    return site.url + place.format(evil=_name(0).id)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [PHONE, WIDE])
def test_nothing_is_wider_than_the_screen_and_nothing_hostile_runs(
    browser: Browser, site: Site, place: str, theme: str, width_px: int
) -> None:  # fmt: skip
    """In every field that a stranger can fill; the policy had nothing to refuse."""
    browser.looks(width_px=width_px, theme=theme)
    browser.open(_address(site, place))

    assert browser.text("h1")
    assert browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert browser.js("window.evil") is None
    assert browser.complaints() == []
    assert browser.js("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if theme == "light" else "rgb(21, 24, 28)"
    )


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with-scripts", "without"])
def test_the_list_is_narrowed_turned_and_opened(browser: Browser, site: Site, has_scripts: bool) -> None:
    """Text, next page, one workload; the address holds all of it."""
    browser.looks(width_px=PHONE, has_scripts=has_scripts)
    browser.open(_address(site, "/workloads"))
    browser.click("nav.pages a[rel=next]")
    second = browser.count(".workloads > li")
    browser.open(_address(site, "/workloads?q=name-07"))
    narrowed = browser.count(".workloads > li")
    browser.click(".workloads a")

    assert (second, narrowed) == (10, 1)
    assert browser.text("h1").startswith("shop/service-with-quite-a-long-name-07")
    assert browser.count("svg.bars.tall rect") > 3


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with-scripts", "without"])
def test_a_dead_letter_is_replayed_and_another_dropped_in_two_steps(browser: Browser, site: Site, has_scripts: bool) -> None:
    """The button that drops is not there before it is asked for."""
    store = site.application.store
    browser.looks(width_px=PHONE, has_scripts=has_scripts)
    browser.open(_address(site, "/health"))
    before = store.dead_letters()
    hidden = browser.js("document.querySelector('.dead details button').checkVisibility()")
    browser.press(".dead details summary")
    browser.click(".dead details[open] button")
    after = store.dead_letters()

    assert hidden is False
    assert (before - after, browser.text("#dead [role=status]")) == (1, "1 dropped.")


def test_a_backtest_of_a_prometheus_that_is_away_says_so(browser: Browser, site: Site) -> None:
    """Begun by the form, and its end is there when the page was loaded again."""
    browser.looks(width_px=WIDE)
    browser.open(_address(site, "/rules"))
    browser.click("form[action='/rules/backtest'] button")
    while "Looking back" in browser.text("#backtest"):
        browser.open(_address(site, "/rules"))

    assert "could not be made" in browser.text("#backtest")
    assert "does not tell its rules now" in browser.text("main")
