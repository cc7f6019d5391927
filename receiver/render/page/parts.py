"""Blocks of a message as parts of a page. What is no block of ours, or damaged, is left out: a page shows what can be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from receiver.domain.units import from_epoch
from receiver.render.page.model import Button, Line, Part, Piece
from receiver.render.text import visible

LABEL_END = "  "  # behind Do, Why, Next, Facts (render/blocks.py)
_STYLES = ("code", "bold", "italic")
_LISTS = {"ordered": "numbered", "bullet": "list"}


def parts_of(blocks: object) -> tuple[Part, ...]:
    """Everything that is to be read; no picture, and nothing to be pressed."""
    return tuple(part for block in _mappings(blocks) for part in _parts(block) if part.lines)


def parts_of_text(text: str) -> tuple[Part, ...]:
    """A message without blocks."""
    return (Part(kind="pre", lines=lines),) if (lines := _lines(visible(text))) else ()


def header_of(blocks: object) -> str:
    """The one line in large type; empty for none."""
    return next((_text(b.get("text")) for b in _mappings(blocks) if b.get("type") == "header"), "")


def buttons_of(blocks: object) -> tuple[Button, ...]:
    """What can be pressed, a menu's options among the rest."""
    return tuple(
        button for block in _mappings(blocks) if block.get("type") == "actions" for e in _mappings(block.get("elements")) for button in _buttons(e)
    )  # fmt: skip


def text_of(line: Line) -> str:
    """A line as plain text."""
    return "".join(piece.text for piece in line.pieces)


def _parts(block: Mapping[str, Any]) -> Iterator[Part]:
    match block.get("type"):
        case "header":
            yield Part(kind="header", lines=_lines(_text(block.get("text"))))
        case "context":
            yield Part(kind="grey", lines=_lines(" ".join(_text(e) for e in _mappings(block.get("elements")))))
        case "rich_text":
            for element in _mappings(block.get("elements")):
                yield _rich(element)


def _rich(element: Mapping[str, Any]) -> Part:
    kind = element.get("type")
    if kind == "rich_text_preformatted":
        return Part(kind="pre", lines=_lines("".join(_text(e) for e in _mappings(element.get("elements")))))
    if kind == "rich_text_list":
        lines = tuple(Line(pieces=found) for item in _mappings(element.get("elements")) if (found := _pieces(item)))
        return Part(kind=_LISTS.get(str(element.get("style")), "list"), lines=lines)
    return Part(kind="line", lines=(line,) if (line := _labelled(_pieces(element))).pieces else ())


def _labelled(pieces: tuple[Piece, ...]) -> Line:
    """A line whose first piece is one of the labels has it apart."""
    if pieces and pieces[0].style == "bold" and pieces[0].text.endswith(LABEL_END) and len(pieces) > 1:
        return Line(pieces=pieces[1:], label=pieces[0].text.strip())
    return Line(pieces=pieces)


def _pieces(element: Mapping[str, Any]) -> tuple[Piece, ...]:
    found = (_piece(e) for e in _mappings(element.get("elements")))
    return tuple(piece for piece in found if piece is not None)


def _piece(element: Mapping[str, Any]) -> Piece | None:
    match element.get("type"):
        case "date":
            at = element.get("timestamp")
            text = visible(str(element.get("fallback") or ""))
            try:
                return Piece(text=text, style="time", at=from_epoch(at)) if isinstance(at, int) else Piece(text=text)
            except (ValueError, OverflowError, OSError):  # no calendar has it
                return Piece(text=text)
        case "link":
            url, text = str(element.get("url") or ""), _text(element)
            return Piece(text=text or url, style="link", url=url) if url.startswith(("http://", "https://")) else Piece(text=text)
        case "text":
            style = element.get("style")
            return Piece(text=_text(element), style=next((s for s in _STYLES if isinstance(style, Mapping) and style.get(s)), ""))
    return None  # a mention calls somebody, and says nothing here


def _buttons(element: Mapping[str, Any]) -> Iterator[Button]:
    if element.get("type") == "overflow":
        for option in _mappings(element.get("options")):
            yield Button(press=str(option.get("value") or "").partition(":")[0], words=_text(option.get("text")))
    elif element.get("type") == "button":
        yield Button(
            press=str(element.get("action_id") or ""), words=_text(element.get("text")), is_first=element.get("style") == "primary"
        )


def _lines(text: str) -> tuple[Line, ...]:
    return (Line(pieces=(Piece(text=text),)),) if text.strip() else ()


def _text(node: object) -> str:
    return visible(str(node.get("text") or "")) if isinstance(node, Mapping) else ""


def _mappings(nodes: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(nodes, Sequence) and not isinstance(nodes, str | bytes):
        yield from (n for n in nodes if isinstance(n, Mapping))
