"""A headless Chromium that a test drives: opens pages, points, clicks, and says what it complained about.

It is Debian's (`tools/debian_binaries.py pictures`), in a group that `make test` does not fetch: `make pages` does. One connection over
`websockets`, one page. Every wait has an end.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.places import cache

WAIT_S = 30.0
LAUNCHER = cache() / "debian" / "bin" / "chromium-headless-shell"
# The fetched fonts and no others, so that every machine draws the same.
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>{fonts}</dir><cachedir>{folder}</cachedir>
<match target="pattern"><test name="family" compare="not_eq"><string>monospace</string></test>
<test name="family" compare="not_eq"><string>DejaVu Sans Mono</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Lato</string></edit></match>
<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias></fontconfig>"""
_PRIVATE = ("usr/lib/*-linux-gnu*/pulseaudio",)  # where Debian's libpulse looks for a part of itself, by an absolute path
PHONE, WIDE = 360, 1280


class Browser:
    """One page. A context manager: what it starts ends with it."""

    def __enter__(self) -> Browser:
        self._stack = contextlib.ExitStack()
        self._folder = tempfile.TemporaryDirectory()
        fonts = Path(self._folder.name) / "fonts.conf"
        fonts.write_text(_FONTS.format(fonts=cache() / "debian" / "root" / "usr" / "share" / "fonts", folder=self._folder.name))
        libraries = [str(path) for pattern in _PRIVATE for path in (cache() / "debian" / "root").glob(pattern)]
        self._process = subprocess.Popen(
            [str(LAUNCHER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
             f"--user-data-dir={self._folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env=os.environ | {"LD_LIBRARY_PATH": ":".join(libraries), "FONTCONFIG_FILE": str(fonts), "TZ": "UTC"},
        )  # fmt: skip
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._number, self._session = 0, ""
        self._events: list[dict[str, Any]] = []
        try:
            self._connection = self._connect()
            target = self._call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self._call(f"{domain}.enable")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    # -- what a person does

    def open(self, url: str) -> None:
        """Go there, and wait until it stands."""
        self._loading(lambda: self._call("Page.navigate", url=url))

    def click(self, css: str) -> None:
        """Press something that leads to another page, where it is on the screen, and wait until that stands."""
        self._loading(lambda: self.press(css))

    def press(self, css: str) -> None:
        """Press something that stays on this page."""
        x, y = self.point(css)
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point(self, css: str) -> tuple[float, float]:
        """Bring something into view and put the pointer on it."""
        found = json.dumps(css)
        self.js(f"document.querySelector({found}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y = self.js(f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector({found}).getBoundingClientRect())")
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return float(x), float(y)

    def looks(self, *, width_px: int = WIDE, height_px: int = 900, theme: str = "light", has_scripts: bool = True) -> None:
        """How the browser shows pages from now on. Without scripts those of a page do not run; a test's questions do."""
        self._call("Emulation.setDeviceMetricsOverride", width=width_px, height=height_px, deviceScaleFactor=1, mobile=width_px <= PHONE)
        still = {"name": "prefers-reduced-motion", "value": "reduce"}  # a page that is still scrolling is no target
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}, still])
        self._call("Emulation.setScriptExecutionDisabled", value=not has_scripts)

    def may_copy(self, *, is_allowed: bool) -> None:
        """Whether pages may write to the clipboard."""
        state = {"permission": {"name": "clipboard-write"}, "setting": "granted" if is_allowed else "denied"}
        self._call("Browser.setPermission", **state)

    def type(self, css: str, text: str) -> None:
        """Write something into a field."""
        self.js(f"document.querySelector({json.dumps(css)}).focus()")
        self._call("Input.insertText", text=text)

    def enter(self) -> None:
        """Press Enter on what has the focus, and wait for the page that it leads to."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self._loading(
            lambda: [
                self._call("Input.dispatchKeyEvent", type=kind, **key, **more)
                for kind, more in (("keyDown", {"text": "\r"}), ("keyUp", {}))
            ]
        )

    def go_back(self) -> None:
        """To the page before."""
        history = self._call("Page.getNavigationHistory")
        entry = history["entries"][history["currentIndex"] - 1]["id"]
        self._loading(lambda: self._call("Page.navigateToHistoryEntry", entryId=entry))

    def network(self, *, is_there: bool) -> None:
        """Whether anything can be reached."""
        self._call("Network.emulateNetworkConditions", offline=not is_there, latency=0, downloadThroughput=-1, uploadThroughput=-1)

    def comes_back(self) -> None:
        """The reader looks at the page again: it asks what is new at once."""
        self.js("document.dispatchEvent(new Event('visibilitychange'))")

    # -- what is seen

    def js(self, expression: str) -> Any:
        """The value of an expression, in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description', answer)}")
        return answer["result"].get("value")

    def answer(self, expression: str) -> Any:
        """The value that a promise of the page comes to."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{answer['exceptionDetails'].get('exception', {}).get('description', answer)}")
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        look = f"const look = () => ({expression}) ? done() : requestAnimationFrame(look); look()"
        self._call("Runtime.evaluate", expression=f"new Promise(done => {{ {look} }})", awaitPromise=True)

    def text(self, css: str) -> str:
        """What is read there; empty where nothing is."""
        return str(self.js(f"document.querySelector({json.dumps(css)})?.innerText ?? ''"))

    def count(self, css: str) -> int:
        """How many of these there are."""
        return int(self.js(f"document.querySelectorAll({json.dumps(css)}).length"))

    def complaints(self) -> list[str]:
        """Errors of scripts, and what the page's policy refused, since the browser began."""
        found = [e["params"] for e in self._events if e.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")]
        return [json.dumps(p) for p in found if p.get("entry", {}).get("level", "error") == "error" and "favicon" not in json.dumps(p)]

    def picture(self, path: Path, *, most_px: int | None = None) -> None:
        """The page as a PNG: the whole of it, or so much of its top."""
        width, height = self.js("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, most_px or height), "scale": 1}
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    # -- the connection

    def _connect(self) -> ClientConnection:
        assert self._process.stderr is not None
        timer = threading.Timer(WAIT_S, self._process.kill)
        timer.start()
        try:
            line = next(line for line in self._process.stderr if "DevTools listening on" in line)
        finally:
            timer.cancel()
        self._reader.start()  # what it says else must not stop it
        address = line.split("listening on ")[1].strip()
        return self._stack.enter_context(connect(address, max_size=None, proxy=None, open_timeout=WAIT_S))

    def _loading(self, go: Callable[[], object]) -> None:
        self._events = [e for e in self._events if e.get("method") != "Page.loadEventFired"]
        go()
        while not any(e.get("method") == "Page.loadEventFired" for e in self._events):
            self._events.append(self._next())

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        to = {"sessionId": self._session} if self._session else {}
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": params, **to}))
        while (answer := self._next()).get("id") != self._number:
            self._events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        return dict(json.loads(self._connection.recv(timeout=WAIT_S)))

    def _end(self) -> None:
        self._stack.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)  # its own group: the browser and what it started
        self._process.wait(timeout=WAIT_S)
        if self._reader.ident is not None:
            self._reader.join(WAIT_S)
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._folder.cleanup()
