"""Messages for receivers that take Slack's `text` and silently drop its blocks (Mattermost, Rocket.Chat, ...).

The whole message goes into `text`: the same lines, Do, Why and Next on lines of their own. Such receivers parse more than Slack does
there, so what could ping or load something is taken apart as well: `@name`, and Markdown's links and images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from receiver.render import mentions
from receiver.render.text import ELLIPSIS, clean_block, cut, escape_mrkdwn, unescape_mrkdwn

TEXT_MAX = 4_000  # characters, escaped: what Slack advises for `text`; the others take more
MAX_LINKS = 3
LINK_MAX = 500

_AT_NAME = re.compile(r"(?<!\w)@(?=\w)")  # not in `image@sha256:...` or `ines@example.net`, which call nobody
_MARKDOWN_LINK = re.compile(r"\]\(")
_URL = re.compile(r"https?://[!#-&(-;=?-{}~]+")  # printable ASCII without quotes, < > and |


def text_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with everything in `text`, escaped and at most TEXT_MAX long, and without blocks. A configured mention stays."""
    mention = mentions.as_mrkdwn(str(body.get("text", "")))
    links = "".join(f"\n{line}" for line in _links(body.get("blocks") or ()))
    words = clean_block(str(body.get("full_text") or ""), max_lines=200, max_columns=600) or unescape_mrkdwn(mentions.without(body)["text"])
    shown = _escaped_within(_harmless(words), TEXT_MAX - len(mention) - len(links))
    return {**body, "text": shown + links + mention, "blocks": []}


def _harmless(text: str) -> str:
    """The text with a wide ＠ where a plain one would call somebody, and no Markdown link or image."""
    return _MARKDOWN_LINK.sub("] (", _AT_NAME.sub("＠", text))


def _escaped_within(text: str, limit: int) -> str:
    """Escaped, and cut before that so that the escaped form fits: an entity is never cut in two."""
    room, end = limit - len(ELLIPSIS), 0
    for end, character in enumerate(text):  # noqa: B007  the place where it no longer fits
        room -= len(escape_mrkdwn(character))
        if room < 0:
            break
    else:
        return escape_mrkdwn(text)
    return escape_mrkdwn(cut(text, end + 1))


def _links(blocks: Any) -> Iterator[str]:
    """The addresses behind linked words (`details: https://...`), which plain text would lose."""
    found = dict.fromkeys((str(e.get("url", "")), str(e.get("text", ""))) for e in _link_elements(blocks))
    usable = [(url, words) for url, words in found if len(url) <= LINK_MAX and _URL.fullmatch(url)]
    for url, words in usable[:MAX_LINKS]:
        yield escape_mrkdwn(f"{_harmless(cut(words, 40))}: {url}" if words and words != url else url)


def _link_elements(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if node.get("type") == "link":
            yield node
        for value in node.values():
            yield from _link_elements(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _link_elements(item)
