"""The list of incidents, kept open: filtered, opened, up to date, and honest when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.domain.incident_memory import Acknowledgement, GivenVerdict, LookSummary
from receiver.domain.units import from_epoch
from receiver.store import incidents, listing
from tests.pages.browser import PHONE, WIDE, Browser
from tests.pages.serving import ADMIN, READER
from tests.unit.web.incident.kit import Site

EVIL = '<script>window.evil = 1</script>"><img src=x onerror="window.evil = 1">'
TITLES = "[...document.querySelectorAll('.entry h2')].map(h => h.innerText)"


@pytest.fixture(scope="module", autouse=True)
def four(site: Site) -> None:
    """Three incidents, and one with markup for a name."""
    for number, name in enumerate(("orders-api", "checkout", "search")):
        one = site.alerted(pod=f"{name}-655779759d-jst99", container=name)
        look = LookSummary(verdict=GivenVerdict(cause="leak", confidence=0.9), kill_kind="container_oom")
        now = site.application.store.now()
        memory = replace(site.memory(one), look=look, kills={"a": 4}, last_kill_at=from_epoch(now))
        if number == 2:
            memory = replace(memory, acknowledged=Acknowledgement(by=EVIL, at=from_epoch(now)))
        with site.application.store.write() as tx:
            incidents.save_memory(tx, one, memory)
            listing.note_kills(tx, one, 3, [now, now - 7200], known_until=None, newest_at=now, now=now)
    site.alerted(EVIL, pod=f"{EVIL}-1", container=EVIL)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with-scripts", "without"])
def test_filter_open_and_come_back(browser: Browser, site: Site, has_scripts: bool) -> None:
    """The address holds the filter, so that going back shows the same."""
    browser.looks(has_scripts=has_scripts)
    browser.open(f"{site.url}/")
    everything = browser.js(TITLES)
    browser.type("#q", "checkout")
    browser.click(".sieve button")
    found, address = browser.js(TITLES), browser.js("location.search")
    link = browser.js("document.querySelector('.entry h2 a').pathname")
    browser.click(".entry h2 a")
    opened = browser.js("location.pathname")
    browser.go_back()

    assert {"orders-api", "checkout", "search"} < set(everything)
    assert found == ["checkout"]
    assert "q=checkout" in address
    assert opened == link
    assert browser.js(TITLES) == ["checkout"]


def test_a_state_is_one_press_away(browser: Browser, site: Site) -> None:
    """With the keyboard, and its number beside it."""
    browser.looks()
    browser.open(f"{site.url}/")
    browser.js("document.querySelector('.tabs a[data-stage=acknowledged]').focus()")
    browser.enter()

    assert browser.js(TITLES) == ["search"]
    assert browser.text(".tabs a[aria-current]").split() == ["Acknowledged", "1"]
    assert browser.text(".entry .stage").startswith("Acknowledged by <script>")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [PHONE, WIDE])
def test_nothing_is_wider_than_the_screen(browser: Browser, site: Site, width_px: int, theme: str) -> None:
    """And the first incident stands on it."""
    browser.looks(width_px=width_px, height_px=740, theme=theme)
    browser.open(f"{site.url}/")

    assert browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert browser.js("document.querySelector('.entry').getBoundingClientRect().bottom") <= 740


def test_it_keeps_itself_up_to_date(browser: Browser, site: Site) -> None:
    """Without loading again; the reader's place is kept."""
    browser.looks()
    browser.open(f"{site.url}/?q=orders-api")
    browser.js("window.same = true; document.querySelector('.entry h2 a').focus()")
    one = str(browser.js("document.activeElement.id"))
    memory = replace(site.memory(one), kills={"a": 77})
    with site.application.store.write() as tx:
        incidents.save_memory(tx, one, memory)
    browser.comes_back()
    browser.until("document.querySelector('.kills b').innerText === '77'")

    assert browser.js("window.same") is True
    assert browser.js("document.activeElement.id") == one


def test_it_says_when_the_receiver_is_away(browser: Browser, site: Site) -> None:
    """And takes it back when it is there again."""
    browser.looks()
    browser.open(f"{site.url}/")
    quiet = browser.text("#stale")
    browser.network(is_there=False)
    try:
        browser.comes_back()
        browser.until("document.querySelector('#stale').innerText !== ''")
        said = browser.text("#stale")
    finally:
        browser.network(is_there=True)
    browser.comes_back()
    browser.until("document.querySelector('#stale').innerText === ''")

    assert quiet == ""
    assert said.startswith("The receiver cannot be reached: this is how it was at ")


def test_nothing_hostile_runs(browser: Browser, site: Site) -> None:
    """Neither a label nor the address; the policy had nothing to refuse."""
    browser.looks()
    before = len(browser.complaints())
    browser.open(f"{site.url}/?q=script&namespace=%22%3E%3Cscript%3Ewindow.evil=1%3C/script%3E&{EVIL}=1")
    browser.open(f"{site.url}/?q=script")

    assert any("<script>" in title for title in browser.js(TITLES))
    assert browser.js("window.evil") is None
    assert browser.count("main img, main script") == 0
    assert browser.complaints()[before:] == []


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with-scripts", "without"])
def test_log_in_and_out(browser: Browser, guarded: Site, has_scripts: bool) -> None:
    """Through the page that was wanted; afterwards nothing is left to see, not even by going back."""
    browser.looks(width_px=PHONE, height_px=740, has_scripts=has_scripts)
    browser.open(f"{guarded.url}/?state=open")
    asked = browser.text("h1")
    browser.type("#token", "wrong")
    browser.click(".login button")
    refused = browser.text("[role=alert]")
    browser.type("#token", ADMIN)
    browser.click(".login button")
    inside, address = browser.text("h1"), browser.js("location.pathname + location.search")
    browser.click(".who button")
    outside = browser.text("h1")
    browser.open(f"{guarded.url}/?state=open")

    assert (asked, refused) == ("Log in", "That is no token of this receiver.")
    assert (inside, address) == ("Memory incidents", "/?state=open")
    assert (outside, browser.text("h1")) == ("Log in", "Log in")
    assert browser.js("document.cookie") == ""


def test_who_may_only_look_has_nothing_to_press(browser: Browser, guarded: Site) -> None:
    """But log-out."""
    browser.looks()
    one = guarded.alerted()
    browser.open(f"{guarded.url}/incidents/{one}")
    browser.type("#token", READER)
    browser.click(".login button")
    presses = browser.count("main button[name=press], main button[value=ack]")
    who = browser.text(".who")
    browser.click(".who button")

    assert presses == 0
    assert "may only look" in who


def test_a_page_that_was_logged_out_elsewhere_says_so(browser: Browser, guarded: Site) -> None:
    """The list stays readable, and does not pretend."""
    browser.looks()
    browser.open(f"{guarded.url}/")
    browser.type("#token", ADMIN)
    browser.click(".login button")
    csrf = browser.js("document.querySelector('.who input[name=csrf]').value")
    browser.answer(f"fetch('/logout', {{method: 'POST', body: new URLSearchParams({{csrf: '{csrf}'}})}}).then(r => r.status)")
    browser.comes_back()
    browser.until("document.querySelector('#stale').innerText !== ''")

    assert browser.text("#stale").startswith("You are logged out: this is how it was at ")
