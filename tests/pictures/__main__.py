"""Draws the channels of the stories as pictures, for a person's eyes: `make pictures` (var/pictures/, ARGS="NAME ..." for some).

`--readme` draws the one that README shows, docs/pictures/message.png. Each thread twice: light at 640 px and dark at a phone's 360 px, root and replies apart. The browser is Debian's headless
Chromium (`tools/debian_binaries.py pictures`), or one on the PATH.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from receiver.errors import ReceiverError
from tests.fakes.slack import FakeSlack, Posted
from tests.pictures.page import DARK, LIGHT, WIDTH_PX, page
from tests.places import REPO, cache
from tests.stories import cast
from tests.stories.plots import PLOTS
from tests.stories.story import SECRET, Story

OUT = REPO / "var" / "pictures"
MOST_THREADS = 3
SCALE = 2
README_PICTURE = REPO / "docs" / "pictures" / "message.png"
README_SCALE = 1.5  # sharp enough, and under 100 kB


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="draw the channels of the stories")
    parser.add_argument("--readme", action="store_true", help="draw docs/pictures/message.png instead")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(PLOTS)}")
    arguments = parser.parse_args()
    if arguments.readme:
        with tempfile.TemporaryDirectory() as folder:
            _draw_for_readme(Path(folder))
        return 0
    wanted = arguments.names or list(PLOTS)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder, PLOTS[name](Path(folder) / "receiver") as story:
            for path in draw(story.slack, name, Path(folder)):
                print(path.relative_to(REPO))
    return 0


def _draw_for_readme(folder: Path) -> None:
    """A leak after its fourth kill, with buttons, as it stands while it fires."""
    cluster, lives = cast.leak(4)
    with Story(folder / "receiver", cluster, begin=cast.EVENING, SLACK_SIGNING_SECRET=SECRET) as story:
        story.until((lives[3].end or 0.0) + 60)
        story.fires("OOMKilled", cast.ORDERS, "orders-api", severity="critical")
        story.later(minutes=1)
        (root,) = story.slack.channel().roots
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        _shoot([root.message], README_PICTURE, story.slack, folder, LIGHT, has_lock_screen=False, scale=README_SCALE)


def draw(slack: FakeSlack, name: str, folder: Path) -> list[Path]:
    """The first threads of a channel."""
    found = []
    for number, root in enumerate(slack.channel().roots[:MOST_THREADS], start=1):
        parts = [("root", [root.message]), ("thread", root.replies)]
        for part, messages in parts:
            for theme in (LIGHT, DARK):
                path = OUT / f"{name}-{number}-{part}-{theme}-{WIDTH_PX[theme]}.png"
                _shoot(messages, path, slack, folder, theme, has_lock_screen=part == "root")
                found.append(path)
    return found


def _shoot(
    messages: list[Posted], path: Path, slack: FakeSlack, folder: Path, theme: str, *, has_lock_screen: bool, scale: float = SCALE
) -> None:
    def picture(file_id: str) -> bytes | None:
        stored = slack.files.get(file_id)
        return stored.content if stored else None

    html = folder / "page.html"
    html.write_text(page(messages, theme=theme, fonts=fonts(), picture=picture, has_lock_screen=has_lock_screen), encoding="utf-8")
    height = re.search(r'data-height="(\d+)"', _browse(html, folder, WIDTH_PX[theme], 100, scale, "--dump-dom"))
    if height is None:
        raise ReceiverError("the browser did not tell how tall the page is")
    _browse(html, folder, WIDTH_PX[theme], int(height[1]), scale, f"--screenshot={path}")


def _browse(html: Path, folder: Path, width_px: int, height_px: int, scale: float, action: str) -> str:
    command = [
        browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--force-device-scale-factor={scale}", "--allow-file-access-from-files",
        f"--user-data-dir={folder}/browser", f"--window-size={width_px},{height_px}", "--virtual-time-budget=2000", action, html.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise ReceiverError(f"the browser drew nothing: {done.stderr[-500:]}")
    return done.stdout


def browser() -> str:
    """The fetched browser, else one on the PATH."""
    fetched = cache() / "debian" / "bin" / "chromium-headless-shell"
    found = str(fetched) if fetched.exists() else shutil.which("chromium") or shutil.which("chromium-headless-shell")
    if found is None:
        raise ReceiverError("no browser to draw with: `python3 tools/debian_binaries.py pictures` fetches one")
    return found


def fonts() -> str:
    """The folder of the fonts, as a file address."""
    fetched = cache() / "debian" / "root" / "usr" / "share" / "fonts" / "truetype"
    folder = fetched if fetched.exists() else Path("/usr/share/fonts/truetype")
    return folder.as_uri()


if __name__ == "__main__":
    os.environ.setdefault("TZ", "UTC")
    sys.exit(main())
