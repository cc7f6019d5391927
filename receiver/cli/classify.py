"""`oomtriage classify SERIES.csv`: the memory-shape part alone."""

from __future__ import annotations

import argparse
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from receiver.diagnosis.memory.csv_series import SeriesError, history_of_csv
from receiver.diagnosis.memory.shape import shape_of
from receiver.domain.reason import codes_of
from receiver.errors import PayloadError
from receiver.render.wording import say, say_all

MAX_SERIES_BYTES = 256 * 1024**2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("series", nargs="+", metavar="SERIES.csv[.gz]")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("-v", "--verbose", action="store_true", help="also what was weighed, piece by piece, with its log-odds")
    parser.add_argument("--until", type=float, metavar="SECONDS", help="ignore rows after this time")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    failed = False
    for path in arguments.series:
        result = _classify(path, arguments.until)
        failed = failed or "error" in result
        print(json.dumps(result, ensure_ascii=False) if arguments.output == "json" else _as_text(result, arguments.verbose), flush=True)
    return 1 if failed else 0


def _classify(path: str, until_s: float | None) -> dict[str, Any]:
    try:
        return classify_text(path, _read(path), until_s)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, PayloadError, ValueError) as exc:
        return {"file": path, "error": getattr(exc, "strerror", None) or str(exc)}


def classify_text(name: str, text: str, until_s: float | None) -> dict[str, Any]:
    """`{"file", "cause", "confidence", "because", "settle_by", ...}`, or `{"file", "error"}` when the text is no series.

    Rows later than `until_s` (same time base as the file) are ignored.
    """
    try:
        history = history_of_csv(text, until_s=until_s)
    except SeriesError as exc:
        return {"file": name, "error": str(exc)}
    shape = shape_of(history, now_s=until_s)
    return {
        "file": name,
        "cause": shape.cause.value,
        "confidence": shape.confidence,
        "because": list(say_all(shape.because)),
        "settle_by": say(shape.settle_by),
        "against": list(say_all(shape.against)),
        "detail": shape.detail,
        "kills": len(shape.kills),
        "history_s": shape.history_s,
        "codes": list(codes_of(*shape.because, *shape.against, shape.settle_by)),
        "evidence": list(say_all(shape.evidence)),
    }


def _read(path: str) -> str:
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        with gzip.open(path) as stream:
            raw = stream.read(MAX_SERIES_BYTES + 1)
    if len(raw) > MAX_SERIES_BYTES:
        raise ValueError(f"larger than {MAX_SERIES_BYTES} bytes")
    return raw.decode("utf-8-sig")


def _as_text(result: dict[str, Any], is_verbose: bool) -> str:
    if "error" in result:
        return f"{result['file']}: cannot be read: {result['error']}"
    because = "; ".join(result["because"])
    settle = f" ({result['settle_by']})" if result.get("settle_by") else ""
    told = f"{result['file']}: {result['cause']} (confidence {result['confidence']:.2f}): {because}{settle}"
    return "\n  ".join((told, *result["evidence"])) if is_verbose else told
