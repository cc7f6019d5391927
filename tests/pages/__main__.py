"""Draws the pages for a person's eyes: `python -m tests.pages [OUT]` (var/pictures/pages). Light and dark, phone and wide.

`--docs` draws those that docs/pages.md shows.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import product
from pathlib import Path

from tests.pages import example
from tests.pages.browser import PHONE, WIDE, Browser
from tests.pages.scene import fill
from tests.pages.serving import served
from tests.places import REPO
from tests.unit.web.incident.kit import CASES, Site

OUT = REPO / "var" / "pictures" / "pages"
DOCS = REPO / "docs" / "pictures"
PATHS = ("/", "/login", "/workloads", "/rules", "/health", "/runbooks", "/causes/leak")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="draw the pages")
    parser.add_argument("--docs", action="store_true", help="draw those of docs/pages.md instead")
    parser.add_argument("out", nargs="?", type=Path, default=OUT, metavar="OUT")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        site = Site(Path(folder), ALERTMANAGER_URL="http://127.0.0.1:9")
        with served(site):
            if arguments.docs:
                fill(site)
                draw_page(browser, site, "/", DOCS / "list.png", width_px=WIDE, theme="light", most_px=860)
                draw_page(browser, site, "/", DOCS / "list-phone.png", width_px=PHONE, theme="dark", most_px=900)
                draw(browser, site, "exporter", DOCS / "incident-phone.png", width_px=PHONE, theme="dark", most_px=1180)
                draw(browser, site, "exporter", DOCS / "incident.png", width_px=WIDE, theme="light", most_px=860)
                example.fill(site)
                browser.looks(width_px=WIDE, theme="light")
                browser.open(f"{site.url}/workloads")
                browser.picture(DOCS / "workloads.png", most_px=860)
            else:
                draw_all(browser, site, arguments.out)
                fill(site)
                for path in PATHS:
                    for theme, width_px in product(("light", "dark"), (PHONE, WIDE)):
                        name = path.strip("/").replace("/", "-") or "list"
                        draw_page(browser, site, path, arguments.out / f"{name}-{theme}-{width_px}.png", width_px=width_px, theme=theme)
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
    draw_page(browser, site, f"/incidents/{incident_id}", path, width_px=width_px, theme=theme, most_px=most_px)


def draw_page(browser: Browser, site: Site, address: str, path: Path, *, width_px: int, theme: str, most_px: int | None = None) -> None:
    """One picture of what stands at an address, from its top."""
    browser.looks(width_px=width_px, theme=theme)
    browser.open(f"{site.url}{address}")
    browser.picture(path, most_px=most_px)


if __name__ == "__main__":
    main()
