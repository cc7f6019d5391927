"""Puts a message's chart into it where the sink shows pictures, and takes the place-holder out where it does not.

A picture is never worth a message: whatever goes wrong with it, the message goes out without.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from receiver.domain.incident import PICTURE
from receiver.errors import DeliveryError
from receiver.sinks.base import Sink, TakesPictures

log = logging.getLogger(__name__)

KEPT_FILES = 200  # file ids remembered, so that a message that is sent again does not upload again


class Pictures:
    """Uploads charts. `png_of`: SVG to PNG, None when pictures cannot be drawn here. Safe to share between threads."""

    def __init__(self, png_of: Callable[[str], bytes | None]) -> None:
        self._png_of = png_of
        self._files: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._trouble = ""
        self._lock = threading.Lock()

    def fill(self, sink: Sink, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as it can be sent to this sink: with the uploaded picture, or without any."""
        svg = body.get("chart_svg")
        file_id = self._file_of(sink, svg) if svg else None
        return without_picture(body) if file_id is None else _with_file(body, file_id)

    def _file_of(self, sink: Sink, svg: str) -> str | None:
        if not isinstance(sink, TakesPictures):
            return None
        key = (sink.name, hashlib.sha256(svg.encode()).hexdigest())
        with self._lock:
            if key in self._files:
                return self._files[key]
        png = self._png_of(svg)
        if png is None:
            return None
        try:
            file_id = sink.upload(png, "memory.png", "Memory")
        except DeliveryError as exc:
            if str(exc) != self._trouble:
                self._trouble = str(exc)
                log.warning("message goes without its chart", extra={"sink": sink.name, "code": exc.code, "error": self._trouble})
            return None
        with self._lock:
            self._files[key] = file_id
            while len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)
        return file_id


def has_picture(body: Mapping[str, Any]) -> bool:
    """Whether a chart belongs into this message."""
    return bool(body.get("chart_svg"))


def without_picture(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without the place-holder and the chart."""
    kept = [b for b in body["blocks"] if not _is_place(b)]
    return {**{k: v for k, v in body.items() if k != "chart_svg"}, "blocks": kept}


def _with_file(body: Mapping[str, Any], file_id: str) -> dict[str, Any]:
    blocks = [{**b, "slack_file": {"id": file_id}} if _is_place(b) else b for b in body["blocks"]]
    return {**{k: v for k, v in body.items() if k != "chart_svg"}, "blocks": blocks}


def _is_place(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "image" and block.get("slack_file") == {"id": PICTURE}
