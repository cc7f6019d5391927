"""Draws the page of an incident for a person's eyes: `python -m tests.pages [OUT]` (var/pictures/pages). Light and dark, phone and wide.

`--docs` draws the two that docs/pages.md shows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.pages.browser import PHONE, WIDE, Browser
from tests.pages.serving import served
from tests.places import REPO
from tests.unit.web.incident.kit import CASES, Site

OUT = REPO / "var" / "pictures" / "pages"
DOCS = REPO / "docs" / "pictures"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="draw the page of an incident")
    parser.add_argument("--docs", action="store_true", help="draw those of docs/pages.md instead")
    parser.add_argument("out", nargs="?", type=Path, default=OUT, metavar="OUT")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        site = Site(Path(folder), ALERTMANAGER_URL="http://127.0.0.1:9")
        with served(site):
            if arguments.docs:
                draw(browser, site, "exporter", DOCS / "incident-phone.png", width_px=PHONE, theme="dark", most_px=1180)
                draw(browser, site, "exporter", DOCS / "incident.png", width_px=WIDE, theme="light", most_px=860)
            else:
                draw_all(browser, site, arguments.out)
        site.close()


def draw_all(browser: Browser, site: Site, out: Path) -> None:
    """Each recorded case in each way."""
    out.mkdir(parents=True, exist_ok=True)
    for case in sorted(path.stem for path in CASES.glob("*.json")):
        for theme in ("light", "dark"):
            for width_px in (PHONE, WIDE):
                draw(browser, site, case, out / f"{case}-{theme}-{width_px}.png", width_px=width_px, theme=theme)


def draw(browser: Browser, site: Site, case: str, path: Path, *, width_px: int, theme: str, most_px: int | None = None) -> None:
    """One picture of one page, from its top."""
    incident_id = site.looked_at(case, pod=f"{path.stem}-655779759d-jst99")
    browser.looks(width_px=width_px, theme=theme)
    browser.open(f"{site.url}/incidents/{incident_id}")
    browser.picture(path, most_px=most_px)


if __name__ == "__main__":
    main()
