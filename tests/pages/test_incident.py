"""The page of one incident as somebody at 03:14 has it: on a phone, and with or without scripts."""

from __future__ import annotations

import pytest

from tests.pages.browser import PHONE, WIDE, Browser
from tests.unit.web.incident.kit import Site

NAMES = iter(range(1000))
EVIL = '<script>window.evil = 1</script>"><img src=x onerror="window.evil = 1"><svg onload="window.evil = 1">'


def fresh(site: Site, case: str = "exporter") -> str:
    """An incident of its own for each test; its id."""
    return site.looked_at(case, pod=f"walk{next(NAMES)}-655779759d-jst99")


def opened(browser: Browser, site: Site, incident_id: str) -> None:
    browser.open(f"{site.url}/incidents/{incident_id}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_what_died_why_and_what_to_do_at_once(browser: Browser, site: Site, theme: str) -> None:
    """Header, Do, Why and the first button stand on the first screen, and nothing is wider than it."""
    browser.looks(width_px=PHONE, height_px=740, theme=theme)
    opened(browser, site, fresh(site))
    bottoms = [
        browser.js(f"document.querySelector({css!r}).getBoundingClientRect().bottom")
        for css in ("h1", ".label-do + span", ".label-why + span", "button[value=ack]")
    ]

    assert browser.text("h1").endswith("OOMKilled 7 times. Looks like short peaks")
    assert bottoms == sorted(bottoms)
    assert bottoms[-1] <= 740
    assert browser.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert [browser.js(f"getComputedStyle(document.querySelector('.chart .{which}')).display") for which in ("narrow", "wide")] == [
        "block",
        "none",
    ]


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with-scripts", "without"])
def test_acknowledge_silence_tick_and_dispute(browser: Browser, site: Site, has_scripts: bool) -> None:
    """Each press is done once, leads back to the page, and the page shows it."""
    browser.looks(width_px=PHONE, height_px=740, has_scripts=has_scripts)
    incident_id = fresh(site)
    opened(browser, site, incident_id)
    for press in ("ack", "silence_1h", "wrong"):
        browser.click(f"button[value='{press}']")
        assert browser.text("[role=status]").startswith("Done")
    browser.click("button[value='tick:monitor_48h']")
    memory = site.memory(incident_id)

    assert memory.acknowledged is not None
    assert memory.silence is not None
    assert memory.wrong is not None
    assert set(memory.ticks) == {"monitor_48h"}
    assert str(browser.js("location.hash")) == "#checklist"
    assert browser.count("button[value=ack]") == 0
    assert browser.count("button[value=unsilence]") == 1


def test_a_form_that_is_sent_again_changes_nothing(browser: Browser, site: Site) -> None:
    """Back, and the same button again."""
    browser.looks()
    incident_id = fresh(site)
    opened(browser, site, incident_id)
    html = browser.js("document.querySelector('form.actions').outerHTML")
    browser.click("button[value=silence_1h]")
    asked = site.memory(incident_id).silence
    browser.js(f"document.querySelector('form.actions').outerHTML = {html!r}")
    browser.click("button[value=silence_1h]")

    assert browser.text("[role=status]").startswith("That was done before")
    assert site.memory(incident_id).silence == asked


def test_the_chart_says_its_values_under_the_pointer(browser: Browser, site: Site) -> None:
    """Memory of the limit, and what happened then; nothing before the pointer is there."""
    browser.looks(width_px=WIDE)
    opened(browser, site, fresh(site))
    tip, spot = ".wide .spot:nth-of-type(2) .tip", ".wide .spot:nth-of-type(2) > rect"
    before = browser.js(f"getComputedStyle(document.querySelector('{tip}')).visibility")
    browser.point(spot)

    assert before == "hidden"
    assert browser.js(f"getComputedStyle(document.querySelector('{tip}')).visibility") == "visible"
    assert "of 96 MiB" in browser.js(f"document.querySelector('{tip} text').textContent")


@pytest.mark.parametrize(("is_allowed", "says"), [(True, "Copied"), (False, "Selected")])
def test_a_patch_is_copied(browser: Browser, site: Site, is_allowed: bool, says: str) -> None:
    """By its button; where a page may not, the text is selected for whoever presses the keys."""
    browser.looks()
    browser.may_copy(is_allowed=is_allowed)
    opened(browser, site, fresh(site))
    browser.press("button[data-copy=copy-commands]")
    browser.until("document.querySelector('button[data-copy=copy-commands]').textContent !== 'Copy'")

    assert browser.text("button[data-copy=copy-commands]") == says
    assert ("kubectl" in browser.js("getSelection().toString()")) == (not is_allowed)


def test_without_scripts_there_is_no_button_that_does_nothing(browser: Browser, site: Site) -> None:
    """The text is there to be selected."""
    incident_id = fresh(site)
    shown = []
    for has_scripts in (True, False):
        browser.looks(has_scripts=has_scripts)
        opened(browser, site, incident_id)
        shown.append(set(browser.js("[...document.querySelectorAll('button[data-copy]')].map(b => !b.hidden)")))

    assert shown == [{True}, {False}]
    assert "kubectl" in browser.text("#copy-commands")


@pytest.mark.parametrize("path", ["", "?said=<script>window.evil=1</script>"])
def test_nothing_hostile_runs(browser: Browser, site: Site, path: str) -> None:
    """Neither of an alert nor of the address; the policy had nothing to refuse."""
    browser.looks()
    before = len(browser.complaints())
    incident_id = site.alerted(EVIL, pod=f"evil{next(NAMES)}-655779759d-jst99", annotations={"summary": EVIL, EVIL: EVIL})
    opened(browser, site, f"{incident_id}{path}")

    assert "<script>" in browser.text("h1")
    assert browser.js("window.evil") is None
    assert browser.count("img") == 0
    assert browser.count("main script") == 0
    assert browser.complaints()[before:] == []
